"""A venue that does what a script says, on a virtual clock: acknowledges by default, and fills, fails and lies on demand.

It is a real venue in one respect that matters: it has a truth. Whatever is lost, late, doubled or denied on the way, its
orders, fills and positions are what they are, and tests compare the kernel with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Final

from queuefront.core import ConfigError
from queuefront.venues.types import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    Liquidity,
    ModifyOrder,
    OpenOrder,
    OrderType,
    PlaceOrder,
    Position,
    QueryFills,
    QueryOrder,
    Request,
    Role,
    Side,
    Source,
    TimeInForce,
    VenueEvent,
    VenueSnapshot,
)

__all__ = ["MockExchange", "MockFault", "MockFill", "MockOrder", "Receipt", "VenueDownError", "VenueTimeoutError"]

E = EventKind


class VenueTimeoutError(Exception):
    """No answer came in time; the request may have arrived."""


class VenueDownError(Exception):
    """The venue answered 5xx, or the connection broke; the request may have arrived."""


class MockFault(Enum):
    """What goes wrong with one request."""

    REJECT = "refused"
    RATE_LIMITED = "429"
    TIMEOUT_DONE = "no answer, and done"
    TIMEOUT_NOT_DONE = "no answer, and not done"
    SERVER_ERROR = "5xx, and not done"
    SERVER_ERROR_DONE = "5xx, and done"
    EMPTY = "an empty reply, and done"
    EMPTY_NOT_DONE = "an empty reply, and not done"
    UNKNOWN_STATUS = "a status that nobody knows"
    NOT_FOUND = "not found, whatever is true"
    SAYS_DONE = "says that it did, and did not"
    LEVERAGE = "leverage could not be set"


@dataclass(frozen=True)
class MockFill:
    """One fill to come: lots at a tick, `after_ns` after the order was placed or the fill before."""

    lots: int
    tick: int
    after_ns: int = 0
    fee: int | None = None
    late_fee_ns: int | None = None
    liquidity: Liquidity = Liquidity.TAKER
    has_price: bool = True


@dataclass
class MockOrder:
    """An order as the venue has it."""

    request: PlaceOrder
    venue_order_id: str
    placed_ns: int
    lots: int
    price_tick: int
    status: EventKind = E.ACK
    cum_lots: int = 0
    cum_notional: int = 0
    cum_fee: int = 0
    fee_known: bool = True
    fills: list[tuple[int, int]] = field(default_factory=list)
    script: list[MockFill] = field(default_factory=list)
    due_ns: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it rests."""
        return self.status in (E.ACK, E.PARTIAL_FILL)


@dataclass(frozen=True)
class Receipt:
    """What the venue did about one request: the step that failed, if any, and the leverage that stands afterwards."""

    kind: str
    cid: str
    step: str = ""
    code: str = ""
    leverage: int | None = None


_SHARED_LEASES: Final = "another lease holds this venue; give each kernel a venue of its own, or allow is_shared=True"


class MockExchange:
    """Orders, positions and pushes of one scripted venue. Synchronous: `VenueClient` in `interface.py` wraps it.

    Parameters
    ----------
    fee_ppm : fee of a fill whose script names none, in millionths of tick × lots × unit.
    unit : cash of one tick × one lot, for fees.
    rate_limit : (requests, window in ns) beyond which answers are 429, or None.
    is_shared : whether several leases may use it.
    inverse : instruments whose contracts are inverse: worth unit × lots / tick.
    """

    backend_kind = "mock"

    def __init__(
        self,
        *,
        fee_ppm: int = 0,
        unit: int = 1,
        rate_limit: tuple[int, int] | None = None,
        is_shared: bool = False,
        inverse: Iterable[str] = (),
    ) -> None:
        self.now = 0
        self.orders: dict[str, MockOrder] = {}
        self.positions: dict[tuple[str, Side], int] = {}
        self.foreign: list[OpenOrder] = []
        self.pushes: list[VenueEvent] = []
        self.requests: list[Request] = []
        self.receipts: list[Receipt] = []
        self.leverage: dict[str, int] = {}
        self.leverage_calls = 0
        self.entry_script: tuple[MockFill, ...] = ()
        self.exit_script: tuple[MockFill, ...] = ()
        self.prices: dict[str, int] = {}
        self.funding_paid = 0
        self.fees_paid = 0
        self.cash = Fraction(0)
        self.inverse = frozenset(inverse)
        self.inverse_fills = 0
        self._faults: dict[type, list[MockFault | None]] = {}
        self._fee_ppm = fee_ppm
        self._unit = unit
        self._rate_limit = rate_limit
        self._request_times: list[int] = []
        self._leases: set[str] = set()
        self._is_shared = is_shared
        self._sequence = 0
        self._next_id = 0
        self._late_fees: list[tuple[int, str]] = []

    # --- the test's side ----------------------------------------------------------------------------------------------
    def lease(self, prefix: str) -> None:
        """Give the venue to one kernel; others need a shared venue and a prefix of their own (E26a)."""
        if prefix in self._leases or (self._leases and not self._is_shared):
            raise ConfigError(f"lease {prefix!r}: {_SHARED_LEASES}")
        self._leases.add(prefix)

    def release(self, prefix: str) -> None:
        """Take a lease back; resting orders stay."""
        self._leases.discard(prefix)

    def fail(self, kind: type, *faults: MockFault | None) -> None:
        """Let the next requests of a kind go wrong, in order; None lets one through."""
        self._faults.setdefault(kind, []).extend(faults)

    def script(self, entry: Iterable[MockFill] = (), exit: Iterable[MockFill] = ()) -> None:  # noqa: A002 the trade's word
        """Set the fills of orders that are placed from now on, entries and exits apart."""
        self.entry_script, self.exit_script = tuple(entry), tuple(exit)

    def advance(self, ns: int) -> None:
        """Let time pass; fills and late fees that fall due are pushed."""
        self.now += ns
        for order in list(self.orders.values()):
            while order.is_live and order.script and order.due_ns <= self.now:
                fill = order.script.pop(0)
                self.fill(order.request.cid, fill)
                if order.script:
                    order.due_ns += order.script[0].after_ns
        for due_ns, cid in [late for late in self._late_fees if late[0] <= self.now]:
            self._late_fees.remove((due_ns, cid))
            self.report_fee(cid)

    def set_price(self, instrument: str, tick: int) -> None:
        """Move the market: resting limits that it reaches fill whole, market orders fill on arrival."""
        self.prices[instrument] = tick
        for order in list(self.orders.values()):
            if order.is_live and order.request.instrument == instrument and self._crosses(order, tick):
                self.fill(
                    order.request.cid, MockFill(order.lots - order.cum_lots, order.price_tick, liquidity=Liquidity.MAKER)
                )

    def _crosses(self, order: MockOrder, tick: int) -> bool:
        if order.request.order_type is not OrderType.LIMIT:
            return False
        return tick <= order.price_tick if order.request.is_buy else tick >= order.price_tick

    def fill(self, cid: str, fill: MockFill) -> VenueEvent:
        """Fill a part of an order and push it."""
        order = self.orders[cid.lower()]
        lots = min(fill.lots, order.lots - order.cum_lots)
        value = self._worth(order.request.instrument, lots, fill.tick)
        fee = fill.fee if fill.fee is not None else int(abs(value) * self._fee_ppm // 1_000_000)
        order.cum_lots += lots
        order.cum_notional += lots * fill.tick
        order.cum_fee += fee
        order.fills.append((lots, fill.tick))
        self.fees_paid += fee
        order.status = E.FULL_FILL if order.cum_lots >= order.lots else E.PARTIAL_FILL
        self.cash -= (1 if order.request.is_buy else -1) * value
        self._move(order, lots)
        is_late = fill.late_fee_ns is not None
        order.fee_known = order.fee_known and not is_late
        if is_late:
            self._late_fees.append((self.now + (fill.late_fee_ns or 0), cid.lower()))
        event = self._event(
            order,
            order.status,
            last_lots=lots,
            last_tick=fill.tick if fill.has_price else None,
            fee=None if is_late else fee,
            liquidity=fill.liquidity,
        )
        self.pushes.append(event)
        return event

    def _worth(self, instrument: str, lots: int, tick: int) -> Fraction:
        """Return what a long position of so many lots is worth, in units of cash, exactly."""
        if instrument in self.inverse:
            self.inverse_fills += 1
            return -Fraction(lots * self._unit, tick)
        return Fraction(lots * tick * self._unit)

    def _move(self, order: MockOrder, lots: int) -> None:
        request = order.request
        is_long = request.is_buy is (request.role is Role.ENTRY)
        key = (request.instrument, Side.LONG if is_long else Side.SHORT)
        self.positions[key] = self.positions.get(key, 0) + (lots if request.role is Role.ENTRY else -lots)

    def expire(self, cid: str) -> None:
        """End an order at the venue's will."""
        order = self.orders[cid.lower()]
        if order.is_live:
            order.status = E.EXPIRED
            self.pushes.append(self._event(order, E.EXPIRED))

    def cancel_elsewhere(self, cid: str) -> None:
        """Cancel an order as the account's owner would by hand, without a push."""
        order = self.orders[cid.lower()]
        if order.is_live:
            order.status = E.CANCEL_ACK

    def report_fee(self, cid: str) -> VenueEvent:
        """Push the whole fee of an order."""
        order = self.orders[cid.lower()]
        order.fee_known = True
        event = self._event(order, E.FEE_UPDATE, cum_fee=order.cum_fee)
        self.pushes.append(event)
        return event

    def pay_funding(self, instrument: str, amount: int) -> VenueEvent:
        """Push a funding payment."""
        self.funding_paid += amount
        event = VenueEvent(
            ts=self.now,
            kind=E.FUNDING,
            event_id=f"funding/{self._id()}",
            exch_ts=self.now,
            instrument=instrument,
            amount=amount,
        )
        self.pushes.append(event)
        return event

    def liquidate(self, instrument: str, side: Side, lots: int, tick: int, fee: int = 0) -> VenueEvent:
        """Close a position for its holder; reduce-only orders beyond what is left expire."""
        self.positions[instrument, side] = self.positions.get((instrument, side), 0) - lots
        self.fees_paid += fee
        self.cash += side.sign * self._worth(instrument, lots, tick)
        event = VenueEvent(
            ts=self.now,
            kind=E.LIQUIDATION,
            event_id=f"liquidation/{self._id()}",
            exch_ts=self.now,
            instrument=instrument,
            side=side,
            last_lots=lots,
            last_tick=tick,
            fee=fee,
        )
        self.pushes.append(event)
        for order in self.orders.values():
            if order.is_live and order.request.role is Role.EXIT and order.request.instrument == instrument:
                self.expire(order.request.cid)
        return event

    def drift(self, instrument: str, side: Side, lots: int) -> None:
        """Change a position behind everybody's back."""
        self.positions[instrument, side] = self.positions.get((instrument, side), 0) + lots

    def trade_by_hand(self, instrument: str, side: Side, lots: int, tick: int) -> None:
        """Open a position as the account's owner would by hand, without a push."""
        self.drift(instrument, side, lots)
        self.cash -= side.sign * self._worth(instrument, lots, tick)

    def pump(self) -> list[VenueEvent]:
        """Return what was pushed since the last time."""
        pushed, self.pushes = self.pushes, []
        return pushed

    # --- the client's side --------------------------------------------------------------------------------------------
    def handle(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        """Answer one request.

        Raises
        ------
        VenueTimeoutError, VenueDownError
            Where the script says that no answer comes; whether the request was carried out is the script's secret.
        """
        self.requests.append(request)
        faults = self._faults.get(type(request))
        fault = faults.pop(0) if faults else None
        if fault is None and self._is_over_rate():
            fault = MockFault.RATE_LIMITED
        if fault in (MockFault.TIMEOUT_NOT_DONE, MockFault.EMPTY_NOT_DONE, MockFault.SERVER_ERROR):
            return self._silence(fault)
        if fault in (
            MockFault.REJECT,
            MockFault.RATE_LIMITED,
            MockFault.LEVERAGE,
            MockFault.NOT_FOUND,
            MockFault.SAYS_DONE,
        ):
            return self._refuse(request, fault)
        answer = self._answer(request)
        if fault is MockFault.UNKNOWN_STATUS and not isinstance(request, FetchSnapshot):
            return [VenueEvent(ts=self.now, kind=E.UNSUPPORTED, cid=request.cid, exch_ts=self.now, raw_kind="HALF_DONE")]
        return answer if fault is None else self._silence(fault)

    def _silence(self, fault: MockFault) -> Sequence[VenueEvent]:
        if fault in (MockFault.TIMEOUT_DONE, MockFault.TIMEOUT_NOT_DONE):
            raise VenueTimeoutError(fault.value)
        if fault in (MockFault.SERVER_ERROR, MockFault.SERVER_ERROR_DONE):
            raise VenueDownError(fault.value)
        return []

    def _refuse(self, request: Request, fault: MockFault) -> Sequence[VenueEvent] | VenueSnapshot:
        if isinstance(request, FetchSnapshot | QueryFills):
            raise VenueDownError(fault.value)
        kind = {PlaceOrder: E.ORDER_REJECT, CancelOrder: E.CANCEL_UNKNOWN, ModifyOrder: E.MODIFY_REJECT}.get(
            type(request), E.QUERY_FAILED
        )
        code = fault.name
        if kind is E.CANCEL_UNKNOWN:
            code = {"NOT_FOUND": "NOT_FOUND", "SAYS_DONE": "SUCCESS", "REJECT": "REFUSED"}.get(fault.name, "TIMEOUT")
        if fault is MockFault.NOT_FOUND and isinstance(request, QueryOrder):
            kind = E.ORDER_MISSED
        step = "LEVERAGE" if fault is MockFault.LEVERAGE else "ORDER"
        leverage = self.leverage.get(request.instrument)
        self.receipts.append(Receipt(type(request).__name__, request.cid, step, code, leverage))
        return [VenueEvent(ts=self.now, kind=kind, cid=request.cid, exch_ts=self.now, reason_code=code)]

    def _answer(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        if isinstance(request, PlaceOrder):
            return self._place(request)
        if isinstance(request, FetchSnapshot):
            return self._snapshot()
        order = self.orders.get(request.cid.lower())
        if isinstance(request, CancelOrder):
            return self._cancel(request, order)
        if order is None:
            kind = E.MODIFY_REJECT if isinstance(request, ModifyOrder) else E.ORDER_MISSED
            return [VenueEvent(ts=self.now, kind=kind, cid=request.cid, exch_ts=self.now, reason_code="NOT_FOUND")]
        if isinstance(request, ModifyOrder):
            return self._modify(request, order)
        if isinstance(request, QueryOrder):
            return [self._event(order, order.status, order_lots=order.lots, price_tick=order.price_tick or None)]
        cum_fee = order.cum_fee if order.fee_known else None
        if request.instrument in self.inverse:
            return [self._event(order, E.FILL_REPORT, cum_fills=tuple(order.fills), cum_fee=cum_fee)]
        return [self._event(order, E.FILL_REPORT, cum_notional=order.cum_notional, cum_fee=cum_fee)]

    def _place(self, request: PlaceOrder) -> list[VenueEvent]:
        known = self.orders.get(request.cid.lower())
        if known is not None:
            return [self._event(known, E.SUBMIT_UNKNOWN, reason_code="DUPLICATE_CLIENT_ID")]
        if request.reduce_only and request.lots > self._reducible(request):
            return [
                VenueEvent(ts=self.now, kind=E.ORDER_REJECT, cid=request.cid, exch_ts=self.now, reason_code="REDUCE_ONLY")
            ]
        if self.leverage.get(request.instrument) != request.leverage:
            self.leverage[request.instrument] = request.leverage
            self.leverage_calls += 1
        price = request.price_tick
        order = MockOrder(request, f"V{self._id()}", self.now, request.lots, price)
        script = self.entry_script if request.role is Role.ENTRY else self.exit_script
        order.script = list(script)
        order.due_ns = self.now + (script[0].after_ns if script else 0)
        self.orders[request.cid.lower()] = order
        self.receipts.append(Receipt("PlaceOrder", request.cid, leverage=request.leverage))
        events = [self._event(order, E.ACK)]
        while order.is_live and order.script and order.script[0].after_ns == 0:
            events.append(self.fill(request.cid, order.script.pop(0)))
            self.pushes.pop()
        tick = self.prices.get(request.instrument)
        if tick is not None and order.is_live and (request.order_type is OrderType.MARKET or self._crosses(order, tick)):
            if request.post_only or request.time_in_force is TimeInForce.GTX:
                order.status = E.EXPIRED
                events.append(self._event(order, E.EXPIRED, reason_code="POST_ONLY"))
            else:
                events.append(self.fill(request.cid, MockFill(order.lots - order.cum_lots, tick)))
                self.pushes.pop()
        elif order.is_live and request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) and not order.script:
            order.status = E.EXPIRED
            events.append(self._event(order, E.EXPIRED, reason_code=request.time_in_force.name))
        return events

    def _reducible(self, request: PlaceOrder) -> int:
        """Return the lots that a reduce-only order may still close."""
        side = Side.SHORT if request.is_buy else Side.LONG
        resting = (
            order.lots - order.cum_lots
            for order in self.orders.values()
            if order.is_live and order.request.reduce_only and order.request.instrument == request.instrument
            and order.request.is_buy is request.is_buy and order.request.cid != request.cid
        )  # fmt: skip
        return self.positions.get((request.instrument, side), 0) - sum(resting)

    def _cancel(self, request: CancelOrder, order: MockOrder | None) -> list[VenueEvent]:
        if order is None or not order.is_live:
            return [
                VenueEvent(ts=self.now, kind=E.CANCEL_UNKNOWN, cid=request.cid, exch_ts=self.now, reason_code="NOT_FOUND")
            ]
        order.status = E.CANCEL_ACK
        return [self._event(order, E.CANCEL_ACK)]

    def _modify(self, request: ModifyOrder, order: MockOrder) -> list[VenueEvent]:
        if not order.is_live or request.lots <= order.cum_lots:
            return [self._event(order, E.MODIFY_REJECT, reason_code="FINAL")]
        if order.request.reduce_only and request.lots - order.cum_lots > self._reducible(order.request):
            return [self._event(order, E.MODIFY_REJECT, reason_code="REDUCE_ONLY")]
        order.lots, order.price_tick = request.lots, request.price_tick
        return [self._event(order, E.MODIFY_ACK, order_lots=order.lots, price_tick=order.price_tick)]

    def _snapshot(self) -> VenueSnapshot:
        self._sequence += 1
        listed = [
            OpenOrder(o.request.cid, o.venue_order_id, o.request.instrument, o.cum_lots)
            for o in self.orders.values()
            if o.is_live
        ]
        positions = [Position(name, side, lots) for (name, side), lots in sorted(self.positions.items()) if lots]
        return VenueSnapshot(
            ts=self.now,
            sequence=self._sequence,
            fetch_start_ts=self.now,
            fetch_end_ts=self.now,
            positions=tuple(positions),
            open_orders=(*listed, *self.foreign),
        )

    def _event(self, order: MockOrder, kind: EventKind, **fields: object) -> VenueEvent:
        request = order.request
        return VenueEvent(
            ts=self.now,
            kind=kind,
            event_id=f"{order.venue_order_id}/{kind.name}/{order.cum_lots}/{len(order.fills)}",
            source=Source.STREAM,
            exch_ts=self.now,
            cid=request.cid,
            venue_order_id=order.venue_order_id,
            instrument=request.instrument,
            cum_lots=order.cum_lots,
            **fields,  # type: ignore[arg-type]
        )

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _is_over_rate(self) -> bool:
        if self._rate_limit is None:
            return False
        count, window_ns = self._rate_limit
        self._request_times = [ts for ts in self._request_times if ts > self.now - window_ns]
        if len(self._request_times) >= count:
            return True
        self._request_times.append(self.now)
        return False
