"""What became of a request: done, refused, or unknown. There is no fourth, and the third is no error but a state.

Unknown is resolved by asking for the order under its client order id, never by sending it again under another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from queuefront.venues.errors import VenueError

__all__ = ["Done", "Outcome", "Reason", "Refused", "Unknown", "value_of"]

T = TypeVar("T")
U = TypeVar("U")


class Reason(StrEnum):
    """Why a venue refused, in words that all venues share."""

    AUTH = "auth"  # key, signature or permission: nothing will work until it is mended
    BUSY = "rejected_retry"  # overloaded or in maintenance: the request did not happen
    DUPLICATE_CLIENT_ID = "duplicate_client_id"  # the order may be there: ask for it
    FILTER = "filter"  # tick, step, notional, price band
    INSUFFICIENT_FUNDS = "insufficient_funds"
    IP_BANNED = "ip_banned"
    LIMIT_REACHED = "limit_reached"  # leverage, position or number of orders
    LISTEN_KEY = "listen_key"
    MARKET_CLOSED = "market_closed"
    MODIFY_REFUSED = "modify_refused"  # the order stays as it was
    NOT_SENT = "not_sent"  # the connection could not be made: the venue never saw it
    NOTHING_TO_CHANGE = "nothing_to_change"
    OTHER = "other"
    ORDER_RATE_LIMITED = "order_rate_limited"
    POSITION_MODE = "position_mode"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    RATE_LIMITED = "rate_limited"
    REDUCE_ONLY = "reduce_only"
    TIMESTAMP = "timestamp"
    UNKNOWN_ORDER = "unknown_order"
    WOULD_NOT_FILL = "would_not_fill"  # fill-or-kill
    WOULD_TRIGGER = "would_trigger"
    WRONG_ENDPOINT = "wrong_endpoint"
    WRONG_REQUEST = "wrong_request"  # a defect on our side


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The venue proved that it happened."""

    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue proved that it did not happen.

    `code` and `text` are the venue's; `retry_after_ns` is how long it wants to be left alone, 0 where it named no time;
    `body` is its whole answer, where half of a request may have succeeded (cancel and replace).
    """

    reason: Reason
    code: int = 0
    text: str = ""
    retry_after_ns: int = 0
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither is proved: no complete answer, a server error, an answer that cannot be read."""

    text: str


Outcome = Done[T] | Refused | Unknown


def value_of(outcome: Outcome[T], what: str) -> T:
    """Return what was done.

    Raises
    ------
    VenueError
        If it was refused, or nobody knows.
    """
    if isinstance(outcome, Done):
        return outcome.value
    if isinstance(outcome, Refused):
        code = f"{outcome.code} " if outcome.code else ""
        raise VenueError(f"{what}: refused, {outcome.reason}: {code}{outcome.text}".rstrip(": "))
    raise VenueError(f"{what}: no answer: {outcome.text}")
