"""Builders for tests of the kernel, with boring defaults: a value written in a test matters to it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from queuefront.kernel import (
    Cancel,
    Config,
    Diagnostic,
    Engine,
    Enter,
    Exit,
    LedgerEntry,
    MemoryJournal,
    Modify,
    Publish,
    Reconcile,
    Slot,
    Spec,
    Tick,
)
from queuefront.kernel.audit import audit
from queuefront.kernel.records import Effect, Input
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    Liquidity,
    OrderType,
    PlaceOrder,
    Position,
    QueryFills,
    QueryOrder,
    Side,
    Source,
    VenueEvent,
    VenueSnapshot,
)

SECOND = 10**9
CAPITAL = 25_000 * 10**12
UNIT = 10**6

E = EventKind


def config(**changes: Any) -> Config:
    spec = Spec(name="TRX", currency="USDT", unit=UNIT, taker_rate_ppm=400, maker_rate_ppm=200)
    base = Config(lease="t1", currency="USDT", cash_scale=12, start_capital=CAPITAL, specs=(spec,), slot_count=3)
    return replace(base, **changes)


class Story:
    """A kernel without venue: the test says what the venue says."""

    def __init__(self, **changes: Any) -> None:
        self.engine = Engine(MemoryJournal(config(**changes)))
        self.now = SECOND
        self.effects: tuple[Effect, ...] = ()
        self.entries: list[LedgerEntry] = []
        self._count = 0

    def apply(self, entry: Input) -> Diagnostic:
        self.effects = self.engine.apply(entry)
        assert audit(self.engine.state) == []
        self.entries += self.published.entries
        return self.published.diagnostic

    @property
    def published(self) -> Publish:
        (found,) = (effect for effect in self.effects if isinstance(effect, Publish))
        return found

    @property
    def sent(self) -> list[PlaceOrder | CancelOrder | QueryOrder | QueryFills | FetchSnapshot]:
        kinds = PlaceOrder | CancelOrder | QueryOrder | QueryFills | FetchSnapshot
        return [effect for effect in self.effects if isinstance(effect, kinds)]

    @property
    def place(self) -> PlaceOrder:
        (found,) = (effect for effect in self.effects if isinstance(effect, PlaceOrder))
        return found

    def slot(self, slot_id: int = 0) -> Slot:
        return self.engine.state.slots[slot_id]

    @property
    def capital(self) -> int:
        return self.engine.state.book.capital - CAPITAL

    # --- commands
    def _intent(self) -> str:
        self._count += 1
        return f"i{self._count}"

    def enter(self, trade_id: str = "t1", slot_id: int = 0, **changes: Any) -> Diagnostic:
        values: dict[str, Any] = {
            "ts": self.now,
            "intent_id": self._intent(),
            "trade_id": trade_id,
            "slot_id": slot_id,
            "instrument": "TRX",
            "side": Side.LONG,
            "lots": 100,
            "reference_tick": 8_340,
            **changes,
        }
        if values.get("limit_tick"):
            values.setdefault("order_type", OrderType.LIMIT)
        return self.apply(Enter(**values))

    def exit(self, slot_id: int = 0, **changes: Any) -> Diagnostic:
        values: dict[str, Any] = {
            "ts": self.now, "intent_id": self._intent(), "slot_id": slot_id, "reference_tick": 8_340, **changes
        }  # fmt: skip
        return self.apply(Exit(**values))

    def cancel(self, slot_id: int = 0, **changes: Any) -> Diagnostic:
        return self.apply(Cancel(ts=self.now, intent_id=self._intent(), slot_id=slot_id, **changes))

    def modify(self, slot_id: int = 0, **changes: Any) -> Diagnostic:
        values = {"ts": self.now, "intent_id": self._intent(), "slot_id": slot_id, "reference_tick": 8_340, **changes}
        return self.apply(Modify(**values))

    def reconcile(self, *slot_ids: int) -> Diagnostic:
        return self.apply(Reconcile(ts=self.now, intent_id=self._intent(), slot_ids=slot_ids))

    # --- the venue
    def event(self, kind: EventKind, cid: str = "", **fields: Any) -> Diagnostic:
        values = {"ts": self.now, "event_id": f"e{self.engine.state.seq}", "cid": cid or self.active_cid(), **fields}
        return self.apply(VenueEvent(kind=kind, **values))

    def apply_event(self, kind: EventKind, **fields: Any) -> Diagnostic:
        """Apply an event that carries no client id."""
        return self.apply(VenueEvent(ts=self.now, kind=kind, event_id=f"e{self.engine.state.seq}", **fields))

    def active_cid(self, slot_id: int = 0) -> str:
        order = self.engine.state.orders.get(self.slot(slot_id).active_order)
        return order.cid if order else ""

    def fill(self, cum: int, last: int, tick: int, cid: str = "", **fields: Any) -> Diagnostic:
        kind = fields.pop("kind", E.PARTIAL_FILL)
        values = {"fee": 0, "liquidity": Liquidity.TAKER, **fields}
        return self.event(kind, cid, cum_lots=cum, last_lots=last, last_tick=tick, **values)

    def tick(self, seconds: float = 0) -> Diagnostic:
        self.now += int(seconds * SECOND)
        return self.apply(Tick(self.now))

    def snapshot(self, lots: int = 0, side: Side = Side.LONG, **fields: Any) -> Diagnostic:
        positions = (Position("TRX", side, lots),) if lots else ()
        values = {
            "ts": self.now, "sequence": self.engine.state.last_snapshot + 1, "fetch_start_ts": self.now,
            "fetch_end_ts": self.now, "positions": positions, **fields
        }  # fmt: skip
        return self.apply(VenueSnapshot(**values))

    # --- whole stretches
    def open(self, lots: int = 100, tick: int = 8_340, **changes: Any) -> str:
        """Enter and fill whole; return the order's client id."""
        assert self.enter(lots=lots, **changes) is Diagnostic.OK
        cid = self.place.cid
        self.fill(lots, lots, tick, cid)
        return cid

    def close(self, tick: int = 8_340, slot_id: int = 0) -> str:
        assert self.exit(slot_id) is Diagnostic.OK
        request = self.place
        self.fill(request.lots, request.lots, tick, request.cid)
        return request.cid


__all__ = ["CAPITAL", "SECOND", "UNIT", "Source", "Story", "config"]
