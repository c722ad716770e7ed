from __future__ import annotations

import asyncio

import pytest

from queuefront.core import ConfigError
from queuefront.venues import FetchSnapshot, MockExchange, MockVenue, VenueSnapshot


def test_the_mock_is_a_venue() -> None:
    async def main() -> None:
        venue = MockVenue(MockExchange())
        venue.lease("a")
        assert isinstance(await venue.send(FetchSnapshot("test")), VenueSnapshot)
        assert venue.pump() == []
        venue.release("a")
        venue.lease("a")
        await venue.close()
        assert (venue.close_count, venue.backend_kind) == (1, "mock")

    asyncio.run(main())


def test_a_second_lease_needs_a_shared_venue_and_a_prefix_of_its_own() -> None:
    """E26a"""
    exchange = MockExchange()
    exchange.lease("a")
    with pytest.raises(ConfigError, match="give each kernel a venue of its own, or allow is_shared=True"):
        exchange.lease("b")
    shared = MockExchange(is_shared=True)
    shared.lease("a")
    shared.lease("b")
    with pytest.raises(ConfigError):
        shared.lease("b")
