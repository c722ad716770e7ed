"""What goes into the kernel and what comes out: configuration, inputs, effects. All frozen, slotted and of integers."""

from __future__ import annotations

from typing import Final

import msgspec

from queuefront.kernel.enums import Diagnostic, LedgerKind, PriceQuality, SettleAction, Stage
from queuefront.venues import (
    CancelOrder,
    FetchSnapshot,
    ModifyOrder,
    OrderType,
    PlaceOrder,
    QueryFills,
    QueryOrder,
    Role,
    Side,
    TimeInForce,
    VenueEvent,
    VenueSnapshot,
)

__all__ = [
    "Alarm",
    "Cancel",
    "Config",
    "Control",
    "Effect",
    "Enter",
    "EventFailed",
    "Exit",
    "Input",
    "LedgerEntry",
    "Limits",
    "Mark",
    "Modify",
    "Publish",
    "Reconcile",
    "Recover",
    "SetTimer",
    "Settle",
    "SnapshotFailed",
    "Spec",
    "Tick",
    "Transition",
]

MS: Final = 1_000_000
SECOND: Final = 1_000 * MS
#: No limit: larger than any notional, count or loss that fits into the records.
UNLIMITED: Final = 2**62


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Base of what is stored: frozen, slotted, encoded as an array, unknown fields refused."""


class Spec(Record, frozen=True, kw_only=True):
    """An instrument as the kernel counts it.

    `unit` is the cash of one tick × one lot; of an inverse contract, the cash of one lot at one tick: lots are worth
    `unit × lots / tick`. Fee rates are in millionths of the notional and may be negative (rebates).
    """

    name: str
    currency: str
    unit: int
    min_lots: int = 1
    min_notional: int = 0
    max_leverage: int = 125
    maker_rate_ppm: int = 0
    taker_rate_ppm: int = 0
    is_inverse: bool = False


class Limits(Record, frozen=True, kw_only=True):
    """What must hold before an order leaves. Cash is in units of the settlement currency's scale."""

    max_notional: int = UNLIMITED
    max_leverage: int = 125
    max_open_orders: int = UNLIMITED
    max_orders: int = UNLIMITED
    order_window_ns: int = SECOND
    max_price_distance_ppm: int = UNLIMITED
    max_daily_loss: int = UNLIMITED


class Config(Record, frozen=True, kw_only=True):
    """What a kernel is made with; the first row of its journal."""

    lease: str
    currency: str
    cash_scale: int
    start_capital: int
    specs: tuple[Spec, ...]
    slot_count: int = 10
    limits: Limits = Limits()
    grace_ns: int = 2 * SECOND
    miss_gap_ns: int = 2 * SECOND
    first_query_ns: int = SECOND
    last_query_ns: int = 30 * SECOND
    heartbeat_ns: int = 60 * SECOND
    estimate_after: int = 5
    seen_count: int = 64
    retired_count: int = 1024
    trade_count: int = 10_000


# --- inputs -----------------------------------------------------------------------------------------------------------
class Enter(Record, frozen=True, tag="enter", kw_only=True):
    """Open a trade in a free slot. `exit_legs` are exact ratios of what remains, each in (0, 1]."""

    ts: int
    intent_id: str
    trade_id: str
    slot_id: int
    instrument: str
    side: Side
    lots: int
    reference_tick: int
    leverage: int = 1
    order_type: OrderType = OrderType.MARKET
    limit_tick: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    exit_legs: tuple[tuple[int, int], ...] = ((1, 1),)
    decision_id: str = ""
    reason: str = ""
    account_version: int | None = None
    slot_version: int | None = None


class Exit(Record, frozen=True, tag="exit", kw_only=True):
    """Close the next leg of a slot's trade; `lots`, where given, is a further upper bound."""

    ts: int
    intent_id: str
    slot_id: int
    reference_tick: int
    lots: int | None = None
    order_type: OrderType = OrderType.MARKET
    limit_tick: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = True
    post_only: bool = False
    decision_id: str = ""
    reason: str = ""
    slot_version: int | None = None


class Cancel(Record, frozen=True, tag="cancel-command", kw_only=True):
    """Cancel the order of a slot; naming the role asks for that order alone."""

    ts: int
    intent_id: str
    slot_id: int
    role: Role | None = None
    reason: str = ""


class Modify(Record, frozen=True, tag="modify-command", kw_only=True):
    """Change limit price, whole quantity, or both, of a slot's resting order."""

    ts: int
    intent_id: str
    slot_id: int
    reference_tick: int
    lots: int | None = None
    limit_tick: int | None = None
    reason: str = ""


class Reconcile(Record, frozen=True, tag="reconcile", kw_only=True):
    """Compare slots with the venue; no slot ids means all of them."""

    ts: int
    intent_id: str
    slot_ids: tuple[int, ...] = ()
    reason: str = ""


class Control(Record, frozen=True, tag="control", kw_only=True):
    """Change what is allowed. None leaves a setting as it is; `unblock` lets entries of an instrument through again."""

    ts: int
    intent_id: str
    author: str
    reason: str
    entries_enabled: bool | None = None
    exits_enabled: bool | None = None
    cancel_all: bool = False
    limits: Limits | None = None
    unblock: tuple[str, ...] = ()


class Settle(Record, frozen=True, tag="settle", kw_only=True):
    """Settle lots at the venue that no slot owns, see `orphans.py`; `side` and `lots` are those of the position.

    `tick` is the price that drift is to be held at, or that booked orphans were closed at; 0 adopts orphans at their cost.
    `slot_id` and what follows it are for ADOPT and CLOSE, the prices of the exit order for CLOSE.
    """

    ts: int
    intent_id: str
    author: str
    reason: str
    action: SettleAction
    instrument: str
    side: Side
    lots: int
    tick: int = 0
    slot_id: int = -1
    trade_id: str = ""
    leverage: int = 1
    exit_legs: tuple[tuple[int, int], ...] = ((1, 1),)
    reference_tick: int = 0
    order_type: OrderType = OrderType.MARKET
    limit_tick: int = 0


class Mark(Record, frozen=True, tag="mark", kw_only=True):
    """A mark price; what is not positive is ignored and counted."""

    ts: int
    instrument: str
    tick: int


class Tick(Record, frozen=True, tag="tick"):
    """Time has passed."""

    ts: int


class Recover(Record, frozen=True, tag="recover"):
    """The process came back: every order that may exist at the venue is asked about before a command is taken.

    `backends` says what each component really is: (name, kind).
    """

    ts: int
    reason: str = "start"
    backends: tuple[tuple[str, str], ...] = ()


class SnapshotFailed(Record, frozen=True, tag="snapshot-failed"):
    """A snapshot could not be fetched."""

    ts: int
    reason: str


class EventFailed(Record, frozen=True, tag="event-failed"):
    """Applying an input raised; it is parked and tried again. `seq` is the failed input's."""

    ts: int
    seq: int
    error: str
    event: VenueEvent | None


Command = Enter | Exit | Cancel | Modify | Reconcile | Control | Settle
Input = (
    Enter
    | Exit
    | Cancel
    | Modify
    | Reconcile
    | Control
    | Settle
    | Mark
    | Tick
    | Recover
    | SnapshotFailed
    | EventFailed
    | VenueEvent
    | VenueSnapshot
)


# --- effects ----------------------------------------------------------------------------------------------------------
class Transition(Record, frozen=True):
    """One change of stage, with its cause: a command's intent id or an event's id, and the input's sequence number."""

    slot_id: int
    trade_id: str
    before: Stage
    after: Stage
    cause_kind: str
    cause_id: str
    seq: int
    ts: int


class LedgerEntry(Record, frozen=True):
    """One posting. Cash, position (at cost), fees, funding and realized profit move so that the books stay balanced."""

    seq: int
    input_seq: int
    trade_id: str
    slot_id: int
    event_id: str
    kind: LedgerKind
    currency: str
    cash: int
    position: int
    fees: int
    funding: int
    realized: int
    capital_before: int
    capital_after: int
    quality: PriceQuality
    ts: int

    @property
    def amount(self) -> int:
        """How much capital changed."""
        return self.capital_after - self.capital_before


class Publish(Record, frozen=True, tag="publish", kw_only=True):
    """What one input did: exactly one for each. `slots` are the ids whose version changed."""

    seq: int
    ts: int
    input_kind: str
    cause_id: str
    diagnostic: Diagnostic
    detail: str = ""
    slot_id: int = -1
    cid: str = ""
    slots: tuple[int, ...] = ()
    transitions: tuple[Transition, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()


class Alarm(Record, frozen=True, tag="alarm"):
    """Something an operator must know."""

    seq: int
    diagnostic: Diagnostic
    text: str


class SetTimer(Record, frozen=True, tag="set-timer"):
    """Send a Tick at `ts` or soon after; it replaces the timer before."""

    ts: int


Effect = PlaceOrder | CancelOrder | ModifyOrder | QueryOrder | QueryFills | FetchSnapshot | Publish | Alarm | SetTimer
