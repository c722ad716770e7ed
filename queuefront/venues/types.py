"""What an execution system and a venue say to one another, in integers: requests, events, snapshots.

Prices are ticks and quantities lots of the instrument, cash is counted in units of the settlement currency's fixed-point
scale, times are ns UTC. Codes outside a declared set become UNSUPPORTED where an event is decoded; they never raise.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

__all__ = [
    "ORDER_KINDS",
    "CancelOrder",
    "EventKind",
    "FetchSnapshot",
    "Liquidity",
    "ModifyOrder",
    "OpenOrder",
    "OrderType",
    "PlaceOrder",
    "Position",
    "QueryFills",
    "QueryOrder",
    "Request",
    "Role",
    "Side",
    "Source",
    "TimeInForce",
    "VenueEvent",
    "VenueSnapshot",
]


class Side(IntEnum):
    """Side of a position. A LONG position is entered by buying and left by selling."""

    LONG = 1
    SHORT = 2

    @property
    def sign(self) -> int:
        """+1 for LONG, -1 for SHORT."""
        return 1 if self is Side.LONG else -1


class Role(IntEnum):
    """What an order does to its slot's position."""

    ENTRY = 1
    EXIT = 2


class OrderType(IntEnum):
    """MARKET takes what there is; LIMIT names its worst price."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """How long an order lives; GTX is post-only."""

    GTC = 1
    GTX = 2
    IOC = 3
    FOK = 4


class Liquidity(IntEnum):
    """Whether a fill rested in the book or took from it."""

    UNKNOWN = 0
    MAKER = 1
    TAKER = 2


class Source(IntEnum):
    """How an event reached us."""

    SUBMIT = 1
    CANCEL = 2
    PUMP = 3
    STREAM = 4
    RECONCILE = 5
    KERNEL = 6
    QUERY = 7


class EventKind(IntEnum):
    """What happened at the venue, or on the way to it."""

    ACK = 10
    PARTIAL_FILL = 11
    FULL_FILL = 12
    CANCEL_ACK = 13
    CANCEL_REJECT = 14
    ORDER_SENT = 15
    ORDER_REJECT = 16
    EXPIRED = 17
    SUBMIT_UNKNOWN = 18
    CANCEL_UNKNOWN = 19
    ORDER_ABSENT = 20
    MARK_PRICE = 21
    FEE_UPDATE = 22
    FUNDING = 23
    LIQUIDATION = 24
    POSITION_DRIFT = 25
    ORDER_MISSED = 26
    QUERY_FAILED = 27
    FILL_REPORT = 28
    MODIFY_ACK = 29
    MODIFY_REJECT = 30
    MODIFY_UNKNOWN = 31
    UNSUPPORTED = 99

    @classmethod
    def _missing_(cls, value: object) -> EventKind | None:
        return cls.UNSUPPORTED if isinstance(value, int) else None


#: Events that speak of one order and are routed by its ids.
ORDER_KINDS: Final = frozenset(
    {
        EventKind.ACK,
        EventKind.PARTIAL_FILL,
        EventKind.FULL_FILL,
        EventKind.CANCEL_ACK,
        EventKind.CANCEL_REJECT,
        EventKind.ORDER_SENT,
        EventKind.ORDER_REJECT,
        EventKind.EXPIRED,
        EventKind.SUBMIT_UNKNOWN,
        EventKind.CANCEL_UNKNOWN,
        EventKind.ORDER_ABSENT,
        EventKind.FEE_UPDATE,
        EventKind.ORDER_MISSED,
        EventKind.QUERY_FAILED,
        EventKind.FILL_REPORT,
        EventKind.MODIFY_ACK,
        EventKind.MODIFY_REJECT,
        EventKind.MODIFY_UNKNOWN,
        EventKind.UNSUPPORTED,
    }
)


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is stored or sent: frozen, slotted, encoded as an array, unknown fields refused."""


class VenueEvent(Record, frozen=True, tag="event", kw_only=True):
    """One thing that a venue said. What it did not say is None or empty, never a default that looks like a fact.

    `cum_lots` counts all fills of the order so far, `last_lots` the latest alone; `cum_notional` is the exact sum of
    tick × lots over all fills, `cum_fills` those fills as (lots, tick), which inverse contracts need instead of that sum,
    `average` the venue's rounded average price in ticks as a ratio. `fee` belongs to
    `last_lots`, `cum_fee` to `cum_lots`; a positive fee is a cost. `slot_id` is a hint only.
    """

    ts: int
    kind: EventKind
    event_id: str = ""
    source: Source = Source.STREAM
    exch_ts: int = 0
    cid: str = ""
    venue_order_id: str = ""
    trade_id: str = ""
    slot_id: int = -1
    instrument: str = ""
    side: Side | None = None
    order_lots: int | None = None
    cum_lots: int | None = None
    cum_notional: int | None = None
    last_lots: int | None = None
    last_tick: int | None = None
    average: tuple[int, int] | None = None
    fee: int | None = None
    cum_fee: int | None = None
    fee_asset: str = ""
    liquidity: Liquidity = Liquidity.UNKNOWN
    price_tick: int | None = None
    amount: int | None = None
    reason_code: str = ""
    reason_text: str = ""
    raw_kind: str = ""
    cum_fills: tuple[tuple[int, int], ...] = ()


class Position(Record, frozen=True):
    """What a venue says that we hold of one instrument on one side."""

    instrument: str
    side: Side
    lots: int


class OpenOrder(Record, frozen=True):
    """One resting order of a snapshot."""

    cid: str
    venue_order_id: str
    instrument: str
    cum_lots: int


class VenueSnapshot(Record, frozen=True, tag="snapshot", kw_only=True):
    """Positions and open orders at one venue; `fetch_start_ts` says how old they may be."""

    ts: int
    sequence: int
    fetch_start_ts: int
    fetch_end_ts: int
    positions: tuple[Position, ...] = ()
    open_orders: tuple[OpenOrder, ...] = ()


class PlaceOrder(Record, frozen=True, tag="place", kw_only=True):
    """Place an order under a client order id that was journaled before."""

    cid: str
    trade_id: str
    slot_id: int
    role: Role
    instrument: str
    is_buy: bool
    lots: int
    order_type: OrderType
    price_tick: int
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    leverage: int


class CancelOrder(Record, frozen=True, tag="cancel"):
    """Cancel an order, by client order id where the venue's own is not known yet."""

    cid: str
    venue_order_id: str
    instrument: str


class ModifyOrder(Record, frozen=True, tag="modify"):
    """Change the limit and the whole quantity of an order."""

    cid: str
    venue_order_id: str
    instrument: str
    lots: int
    price_tick: int


class QueryOrder(Record, frozen=True, tag="query-order"):
    """Ask what became of an order."""

    cid: str
    venue_order_id: str
    instrument: str


class QueryFills(Record, frozen=True, tag="query-fills"):
    """Ask for the fills of an order: exact prices and fees."""

    cid: str
    venue_order_id: str
    instrument: str


class FetchSnapshot(Record, frozen=True, tag="fetch-snapshot"):
    """Ask for positions and open orders."""

    reason: str


Request = PlaceOrder | CancelOrder | ModifyOrder | QueryOrder | QueryFills | FetchSnapshot
