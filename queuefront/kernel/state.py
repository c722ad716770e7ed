"""The state of a kernel, and the draft in which one step prepares the next.

Cost. A step must cost the same with ten slots and with a thousand, and after ten inputs and after ten million. The state is
therefore persistent: slots, orders and indexes stand in `immutables.Map`, a hash trie in C that shares all but the path to
a changed entry (0.1 µs for ten entries, 0.25 µs for a hundred thousand). Totals that a limit needs (exposure, margin, open
orders, unrealized profit) are kept as numbers and changed by differences, never by walking the slots. What a venue could
make grow without end, seen ids and retired orders and used trade ids, is bounded, oldest out first.

That buys three more things: a reader in another thread may keep any state it was given; an exception half-way leaves
nothing behind, because the draft is thrown away; and a search can go on from the same state twice.
"""

from __future__ import annotations

import msgspec
from immutables import Map
from msgspec.structs import astuple, replace

from queuefront.kernel.codes import HEALTH, ROLE, SIDE, STAGE
from queuefront.kernel.enums import (
    FINAL_STATUSES,
    FREE_STAGES,
    CancelState,
    Diagnostic,
    Health,
    OrderStatus,
    PriceQuality,
    Stage,
)
from queuefront.kernel.notional import Amount
from queuefront.kernel.records import Config, Effect, LedgerEntry, Limits, Record, Spec, Transition
from queuefront.venues import Liquidity, OrderType, Role, Side, TimeInForce, VenueEvent

__all__ = ["Book", "Draft", "Due", "Holding", "Order", "Parked", "Recent", "Slot", "State", "Unsettled", "initial_state"]


class Order(Record, frozen=True):
    """One order of ours. `notional` is the sum over `priced_lots` (see `notional.py`); the average price is their ratio."""

    key: int
    cid: str
    slot_id: int
    trade_id: str
    intent_id: str
    decision_id: str
    instrument: str
    side: Side
    role: Role
    leg_index: int
    order_type: OrderType
    limit_tick: int
    reference_tick: int
    lots: int
    created_ns: int
    leverage: int = 1
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    venue_order_id: str = ""
    status: OrderStatus = OrderStatus.REQUESTED
    cancel_state: CancelState = CancelState.NONE
    cancel_sightings: int = 0
    modify_lots: int = 0
    modify_tick: int = 0
    modify_sightings: int = 0
    cum_lots: int = 0
    notional: Amount = 0
    priced_lots: int = 0
    estimated_lots: int = 0
    fee: int = 0
    fee_foreign: int = 0
    fee_estimated_lots: int = 0
    sent_ns: int = 0
    acked_ns: int = 0
    last_event_ns: int = 0
    seen: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether the venue has nothing left of it."""
        return self.status in FINAL_STATUSES

    @property
    def is_buy(self) -> bool:
        """Whether it takes from sellers."""
        return (self.side is SIDE.LONG) == (self.role is ROLE.ENTRY)

    @property
    def sign(self) -> int:
        """What one filled lot adds to our signed position."""
        return 1 if self.is_buy else -1


class Unsettled(Record, frozen=True, kw_only=True):
    """A fill whose money waits for its price, or for that of a fill before it."""

    key: int
    role: Role
    lots: int
    notional: Amount | None
    fee: int | None
    fee_asset: str
    liquidity: Liquidity
    event_id: str
    quality: PriceQuality
    ts: int
    is_liquidation: bool = False


class Slot(Record, frozen=True, kw_only=True):
    """One trade's place. `cost` is the cash value at which the remaining position stands; signs are those of the side.

    `held_notional` is the exact share of the entries' sum that is still held; inverse contracts only, others have `cost`.
    """

    slot_id: int
    version: int = 0
    stage: Stage = Stage.IDLE
    health: Health = Health.OK
    trade_id: str = ""
    decision_id: str = ""
    intent_id: str = ""
    instrument: str = ""
    side: Side = Side.LONG
    leverage: int = 1
    initial_lots: int = 0
    size: int = 0
    entry_notional: Amount = 0
    entry_priced_lots: int = 0
    exit_lots: int = 0
    exit_notional: Amount = 0
    held_notional: Amount = 0
    cost: int = 0
    cost_lots: int = 0
    realized_gross: int = 0
    fees: int = 0
    funding: int = 0
    exit_legs: tuple[tuple[int, int], ...] = ()
    leg_index: int = 0
    leg_intended: int = 0
    leg_filled: int = 0
    entry_order: int = 0
    active_order: int = 0
    unsettled: tuple[Unsettled, ...] = ()
    doubts: tuple[int, ...] = ()
    parked_count: int = 0
    drifted: bool = False
    quarantine: str = ""
    exposure: int = 0
    margin: int = 0
    close_reason: str = ""
    opened_ns: int = 0
    closed_ns: int = 0

    @property
    def closed(self) -> bool:
        """Whether its trade is over."""
        return self.stage is STAGE.CLOSED

    @property
    def is_free(self) -> bool:
        """Whether ENTER may take it."""
        return self.stage in FREE_STAGES and self.health is HEALTH.OK and not self.active_order and not self.unsettled

    @property
    def realized(self) -> int:
        """Profit after fees and funding, in cash units."""
        return self.realized_gross - self.fees + self.funding


class Book(Record, frozen=True, kw_only=True):
    """The double-entry book of one currency: cash + position + fees = equity + realized + funding, always."""

    currency: str
    equity: int = 0
    cash: int = 0
    position: int = 0
    fees: int = 0
    funding: int = 0
    realized: int = 0
    version: int = 0

    @property
    def capital(self) -> int:
        """Start capital plus profit, less fees, plus funding."""
        return self.equity + self.realized - self.fees + self.funding

    @property
    def is_balanced(self) -> bool:
        """Whether both sides of the book are equal."""
        return self.cash + self.position + self.fees == self.equity + self.realized + self.funding


class Holding(Record, frozen=True, kw_only=True):
    """All slots of one instrument together: what a position at the venue is compared with.

    `orphan_lots` are fills of ours that no slot owns, at `orphan_cost`; `drift_lots`, while blocked for drift, what the
    venue holds beyond everything that is known here. Both are signed.
    """

    instrument: str
    long_lots: int = 0
    short_lots: int = 0
    net_cost: int = 0
    net_cost_lots: int = 0
    orphan_lots: int = 0
    orphan_cost: int = 0
    mark_tick: int = 0
    unrealized: int = 0
    mismatches: int = 0
    drift_lots: int = 0
    blocked: str = ""


class Due(Record, frozen=True):
    """When to ask about an order again, and how often it was asked."""

    key: int
    is_fills: bool
    due_ns: int
    attempts: int = 0
    misses: int = 0
    missed_ns: int = 0
    is_sent: bool = False


class Recent(msgspec.Struct, frozen=True, gc=False):
    """At least the last so many ids, with a number each, and at most twice as many.

    Two generations: when the young one is full it becomes the old one, and what was old is forgotten whole.
    """

    young: Map[str, int] = Map()
    old: Map[str, int] = Map()

    def __contains__(self, name: str) -> bool:
        return name in self.young or name in self.old

    def number(self, name: str) -> int:
        """Return the number of an id that is known; the latest, where it was added twice."""
        return self.young[name] if name in self.young else self.old[name]

    def add(self, name: str, value: int, capacity: int) -> Recent:
        """Return the ids with one more."""
        if len(self.young) >= capacity:
            return Recent(Map({name: value}), self.young)
        return Recent(self.young.set(name, value), self.old)


class Parked(Record, frozen=True):
    """A venue event whose application raised; it is tried again, at most three times."""

    event: VenueEvent
    attempts: int


class Fields(msgspec.Struct, gc=False):
    """What a state is made of. `State` freezes it; `Draft` is the same, open for one step."""

    config: Config
    specs: Map[str, Spec]
    limits: Limits
    slots: Map[int, Slot]
    books: Map[str, Book]
    orders: Map[int, Order] = Map()
    venue_ids: Map[str, int] = Map()
    pending: Map[int, Due] = Map()
    live: Map[int, int] = Map()
    retired: Map[int, int] = Map()
    trades: Recent = Recent()
    intents: Recent = Recent()
    account_events: Recent = Recent()
    holdings: Map[str, Holding] = Map()
    counters: Map[str, int] = Map()
    parked: tuple[Parked, ...] = ()
    seq: int = 0
    now: int = 0
    ledger_seq: int = 0
    entries_enabled: bool = True
    exits_enabled: bool = True
    control_version: int = 0
    halted: str = ""
    recovering: bool = False
    needs_snapshot: bool = False
    snapshot_due_ns: int = 0
    snapshot_sent_ns: int = 0
    snapshot_attempts: int = 0
    last_snapshot: int = -1
    last_fill_ns: int = 0
    exposure: int = 0
    margin: int = 0
    open_orders: int = 0
    unrealized: int = 0
    rate_ns: int = 0
    day: int = 0
    day_capital: int = 0
    timer_ns: int = 0
    retired_first: int = 0
    retired_next: int = 0


class State(Fields, frozen=True, gc=False):  # type: ignore[misc]  # msgspec lets a subclass freeze what it inherits
    """Everything a kernel knows. Made by `initial_state`, changed by `step` alone, never in place."""

    @property
    def book(self) -> Book:
        """The book of the settlement currency."""
        return self.books[self.config.currency]


def initial_state(config: Config) -> State:
    """Return the state before the first input."""
    book = Book(currency=config.currency, equity=config.start_capital, cash=config.start_capital)
    return State(
        config=config,
        specs=Map({spec.name: spec for spec in config.specs}),
        slots=Map({i: Slot(slot_id=i) for i in range(config.slot_count)}),
        books=Map({config.currency: book}),
        limits=config.limits,
        day_capital=config.start_capital,
    )


_FIELD_COUNT = len(Fields.__struct_fields__)


class Draft(Fields, kw_only=True, gc=False):
    """One step in preparation: reads see its own changes, `finish` makes the next state, and nothing else does."""

    before: State
    cause_kind: str
    cause_id: str
    diagnostic: Diagnostic = Diagnostic.OK
    detail: str = ""
    slot_id: int = -1
    cid: str = ""
    halt_reason: str = ""
    attempts: int = 0
    effects: list[Effect] = msgspec.field(default_factory=list)
    transitions: list[Transition] = msgspec.field(default_factory=list)
    entries: list[LedgerEntry] = msgspec.field(default_factory=list)
    touched: set[int] = msgspec.field(default_factory=set)

    @classmethod
    def of(cls, state: State, ts: int, cause_kind: str, cause_id: str) -> Draft:
        """Begin a step on a state."""
        draft = cls(*astuple(state), before=state, cause_kind=cause_kind, cause_id=cause_id)
        draft.seq += 1
        # A wall clock may step back; the kernel's time does not.
        if ts > draft.now:
            draft.now = ts
        return draft

    # --- reading and writing ------------------------------------------------------------------------------------------
    def put_slot(self, slot: Slot) -> Slot:
        """Write a slot; its version rises by one for each step that changes it, not for each write."""
        slot_id = slot.slot_id
        if slot_id not in self.touched:
            self.touched.add(slot_id)
            slot = replace(slot, version=self.before.slots[slot_id].version + 1)
        self.slots = self.slots.set(slot_id, slot)
        return slot

    def put_order(self, order: Order) -> Order:
        """Write an order and keep the count and set of live ones."""
        key = order.key
        self.orders = self.orders.set(key, order)
        if (order.status in FINAL_STATUSES) is (key in self.live):
            self._recount(order)
        return order

    def _recount(self, order: Order) -> None:
        """Count an order that is new, came to its end, or lives again."""
        if order.is_final:
            self.live = self.live.delete(order.key)
            self.open_orders -= 1
            self._retire(order.key)
        else:
            self.live = self.live.set(order.key, order.slot_id)
            self.open_orders += 1

    def _retire(self, key: int) -> None:
        """Keep a final order for late events, and let the oldest go that nothing refers to."""
        self.retired = self.retired.set(self.retired_next, key)
        self.retired_next += 1
        # Two for one, so that orders that must stay do not push the bound away.
        for _ in range(2):
            if self.retired_next - self.retired_first > self.config.retired_count:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self.retired[self.retired_first]
        self.retired = self.retired.delete(self.retired_first)
        self.retired_first += 1
        order = self.orders.get(oldest)
        if order is None or not order.is_final:
            return
        slot = self.slots[order.slot_id]
        if slot.trade_id == order.trade_id or oldest * 2 in self.pending or oldest * 2 + 1 in self.pending:
            self.retired = self.retired.set(self.retired_next, oldest)
            self.retired_next += 1
            return
        self.orders = self.orders.delete(oldest)
        if order.venue_order_id in self.venue_ids:
            self.venue_ids = self.venue_ids.delete(order.venue_order_id)

    def put_holding(self, holding: Holding) -> None:
        """Write what all slots of an instrument hold."""
        self.holdings = self.holdings.set(holding.instrument, holding)

    def holding(self, instrument: str) -> Holding:
        """Return what all slots of an instrument hold together."""
        return self.holdings.get(instrument) or Holding(instrument=instrument)

    def count(self, name: str) -> None:
        """Raise a counter by one."""
        self.counters = self.counters.set(name, self.counters.get(name, 0) + 1)

    def answer(self, diagnostic: Diagnostic, detail: str = "") -> None:
        """Set what this input is answered with."""
        self.diagnostic = diagnostic
        self.detail = detail

    def finish(self) -> State:
        """Return the state after this step."""
        return State(*astuple(self)[:_FIELD_COUNT])
