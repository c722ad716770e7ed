"""What the kernel asks of a venue's connector, and the mock venue behind that interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from queuefront.venues.mock import MockExchange
from queuefront.venues.types import Request, VenueEvent, VenueSnapshot

__all__ = ["MockVenue", "Venue"]


class Venue(Protocol):
    """One connection to one venue, leased to one kernel.

    A refusal is an event; what is not known (a time-out, a 5xx, an unreadable reply) raises or returns nothing. A connector
    never guesses: an ambiguous answer is for the kernel to resolve.
    """

    backend_kind: str

    def lease(self, prefix: str) -> None:
        """Reserve the venue for the client order ids of one kernel."""

    def release(self, prefix: str) -> None:
        """Give the lease back."""

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        """Carry out one request and return what the venue said."""

    def pump(self) -> list[VenueEvent]:
        """Return what the venue pushed since the last call."""

    async def close(self) -> None:
        """Close the connection; a second time does nothing."""


class MockVenue:
    """A `MockExchange` as a connector; its answers come at once."""

    backend_kind = "mock"

    def __init__(self, exchange: MockExchange) -> None:
        self.exchange = exchange
        self.close_count = 0

    def lease(self, prefix: str) -> None:
        """Reserve the venue."""
        self.exchange.lease(prefix)

    def release(self, prefix: str) -> None:
        """Give the lease back."""
        self.exchange.release(prefix)

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        """Carry out one request."""
        return self.exchange.handle(request)

    def pump(self) -> list[VenueEvent]:
        """Return what was pushed."""
        return self.exchange.pump()

    async def close(self) -> None:
        """Count that it was closed."""
        self.close_count += 1
