"""Bybit as the kernel's venue: requests in, events out, and three outcomes kept apart.

A refusal is an event. What is not known raises, so that the kernel resolves it. The venue answers orders, changes and
cancels with "received", which proves none of them: the kernel is told that the outcome is not known yet, and the private
stream, or the kernel's question, tells it. Whenever that stream begins anew, open orders, vanished orders and missed
executions are asked for, and come as the same events.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from queuefront.core import ConfigError, DataError
from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter, delay_ns
from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.encode import OrderTerms
from queuefront.venues.bybit.events import fill_event, fills_event, funding_event, order_event, position_event
from queuefront.venues.bybit.instruments import Listing
from queuefront.venues.bybit.orders import (
    FillReport,
    News,
    OrderReport,
    OrderTracker,
    PositionReport,
    fill_of,
    order_of,
    position_of,
)
from queuefront.venues.bybit.private_stream import AccountRows, PrivateStream
from queuefront.venues.bybit.schemas import ExecutionRow, OrderRow, WalletRow
from queuefront.venues.bybit.vocabulary import ExecKind, OrderKind, PositionSide, Tif
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.listed import Listed
from queuefront.venues.liveness import StreamRules
from queuefront.venues.mock import VenueDownError
from queuefront.venues.outcome import Done, Reason, Refused, value_of
from queuefront.venues.spot import spot_refusal
from queuefront.venues.tally import Tally
from queuefront.venues.types import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
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
    TimeInForce,
    VenueEvent,
    VenueSnapshot,
)
from queuefront.venues.websocket import Connector

__all__ = ["BybitVenue"]

K = EventKind
_TIFS: Final = {
    TimeInForce.GTC: Tif.GTC,
    TimeInForce.GTX: Tif.POST_ONLY,
    TimeInForce.IOC: Tif.IOC,
    TimeInForce.FOK: Tif.FOK,
}
#: The venue answers questions about the last week.
_LOOK_BACK_NS: Final = 7 * 24 * 3600 * NS_PER["s"]
#: Fills may be listed a little after they were pushed, and times of two messages are not in order.
_OVERLAP_NS: Final = 60 * NS_PER["s"]


class BybitVenue:
    """One account at one market, leased to one kernel.

    `start` first: it checks that trading is allowed, sets the clock, reads the instruments, and begins the private stream.
    """

    def __init__(
        self, client: BybitClient, connector: Connector, *, jitter: Jitter, rules: StreamRules | None = None
    ) -> None:
        self.backend_kind = str(client.market.product)
        self.client = client
        self.tracker = OrderTracker()
        self.foreign = Tally()  # messages that are not about orders, and words that nobody knows
        self.reconciliations = 0
        self.positions: dict[tuple[str, int], PositionReport] = {}  # as they were told last
        self._market = client.market
        self._scale = client.config.cash_scale
        self._clock = client.clock
        self._jitter = jitter
        self._listing: Listing | None = None
        self._lease: str | None = None
        self._events: deque[VenueEvent] = deque()
        self._leverage: dict[str, int] = {}
        self._begun_ns = 0
        self._sequence = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._reconciling: asyncio.Task[None] | None = None
        self._is_closed = False
        self._private = PrivateStream(
            client,
            connector,
            on_rows=self._on_rows,
            on_begin=self._begin_reconciliation,
            on_end=lambda reason: self.foreign.note(f"stream lost: {reason}"),
            jitter=jitter,
            rules=rules,
        )

    # --- begin and end ------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Make ready.

        Raises
        ------
        ConfigError
            If the configuration does not allow to trade there, or the account is set otherwise than it says.
        VenueError
            If the venue does not answer what is needed.
        """
        config = self.client.config
        config.require_trading()
        value_of(await self.client.server_time(), "server time")
        self._begun_ns = self._clock()
        self._listing = await self.client.listing()
        for symbol in config.symbols:
            if not self._listing[symbol].is_trading:
                raise VenueError(f"{symbol} is not trading at {config.venue}; choose another, or wait")
            if not self._market.is_spot:
                await self._check_mode(symbol)
        self._spawn(self._private.run())

    async def _check_mode(self, symbol: str) -> None:
        """Compare how a symbol keeps its positions: one of index 0, or one a side of 1 and 2."""
        config = self.client.config
        rows = value_of(await self.client.positions(symbol), f"position mode of {symbol}")
        is_hedge = any(row.position_idx for row in rows)
        if rows and is_hedge is not config.is_hedge_mode:
            modes = {True: "hedge (one position a side)", False: "one-way (one position a symbol)"}
            raise ConfigError(
                f"{symbol} at {config.venue} is in {modes[is_hedge]} mode and the configuration says "
                f"{modes[config.is_hedge_mode]}; change is_hedge_mode, or the account by hand"
            )

    def lease(self, prefix: str) -> None:
        """Reserve the account for one kernel."""
        if self._lease is not None:
            raise ConfigError(
                f"lease {prefix!r}: another lease holds this venue; give each kernel an account and a connector of its own"
            )
        self._lease = prefix

    def release(self, prefix: str) -> None:
        """Give the lease back."""
        if self._lease == prefix:
            self._lease = None

    async def close(self) -> None:
        """End the stream and let connections go; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._private.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    @property
    def is_streaming(self) -> bool:
        """Whether the private stream is up."""
        return self._private.is_up

    @property
    def private_stream(self) -> PrivateStream:
        """The private stream."""
        return self._private

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- the kernel's interface ---------------------------------------------------------------------------------------
    def pump(self) -> list[VenueEvent]:
        """Return what the venue pushed since the last call."""
        events = list(self._events)
        self._events.clear()
        return events

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        """Carry out one request.

        Raises
        ------
        VenueDownError
            If it is not known what became of it.
        """
        if isinstance(request, PlaceOrder):
            return await self._place(request)
        if isinstance(request, CancelOrder):
            return await self._cancel(request)
        if isinstance(request, ModifyOrder):
            return await self._modify(request)
        if isinstance(request, QueryOrder):
            return await self._query(request)
        if isinstance(request, QueryFills):
            return await self._fills(request)
        return await self._snapshot(request)

    async def _place(self, request: PlaceOrder) -> list[VenueEvent]:
        listed = self._listed(request.instrument)
        is_market = request.order_type is OrderType.MARKET
        qty = listed.instrument.lots_to_qty(request.lots)
        price = None if is_market else listed.instrument.tick_to_price(request.price_tick)
        try:
            listed.check(qty, price, reduce_only=request.reduce_only)
        except (VenueError, DataError) as e:
            return [self._said(request, K.ORDER_REJECT, Reason.FILTER.name, str(e))]
        if self._market.is_spot:
            if (lacking := spot_refusal(request)) is not None:
                return [self._said(request, K.ORDER_REJECT, *lacking)]
        elif (refused := await self._set_leverage(request)) is not None:
            return [refused]
        terms = OrderTerms(
            request.instrument,
            request.is_buy,
            request.cid,
            qty,
            price,
            OrderKind.MARKET if is_market else OrderKind.LIMIT,
            Tif.POST_ONLY if request.post_only else _TIFS[request.time_in_force],
            request.reduce_only,
            self._position_idx(request),
        )
        outcome = await self.client.place(terms)
        if isinstance(outcome, Done):
            return [self._said(request, K.SUBMIT_UNKNOWN, "RECEIVED", "", outcome.value.order_id)]
        if isinstance(outcome, Refused):
            is_there = outcome.reason is Reason.DUPLICATE_CLIENT_ID
            kind = K.SUBMIT_UNKNOWN if is_there else K.ORDER_REJECT
            return [self._said(request, kind, outcome.reason.name, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    def _position_idx(self, request: PlaceOrder) -> int:
        if not self.client.config.is_hedge_mode or self._market.is_spot:
            return 0
        is_long = request.is_buy is (request.role is Role.ENTRY)
        return 1 if is_long else 2

    async def _set_leverage(self, request: PlaceOrder) -> VenueEvent | None:
        """Set the leverage that an entry asks for, if it is another; without it the order is not sent."""
        if request.role is not Role.ENTRY or request.leverage <= 0:
            return None
        if self._leverage.get(request.instrument) == request.leverage:
            return None
        outcome = await self.client.set_leverage(request.instrument, request.leverage)
        if isinstance(outcome, Done):
            self._leverage[request.instrument] = request.leverage
            return None
        self._leverage.pop(request.instrument, None)
        text = f"leverage {request.leverage}: {outcome.text}; the order was not sent"
        return self._said(request, K.ORDER_REJECT, "LEVERAGE", text)

    async def _cancel(self, request: CancelOrder) -> list[VenueEvent]:
        outcome = await self.client.cancel(request.instrument, request.cid, request.venue_order_id)
        if isinstance(outcome, Done):
            return [self._said(request, K.CANCEL_UNKNOWN, "SUCCESS", "", outcome.value.order_id)]
        if isinstance(outcome, Refused):
            code = "NOT_FOUND" if outcome.reason is Reason.UNKNOWN_ORDER else "REFUSED"
            return [self._said(request, K.CANCEL_UNKNOWN, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _modify(self, request: ModifyOrder) -> list[VenueEvent]:
        instrument = self._listed(request.instrument).instrument
        qty, price = instrument.lots_to_qty(request.lots), instrument.tick_to_price(request.price_tick)
        outcome = await self.client.amend(request.instrument, qty, price, cid=request.cid, order_id=request.venue_order_id)
        if isinstance(outcome, Done):
            return [self._said(request, K.MODIFY_UNKNOWN, "RECEIVED", "", outcome.value.order_id)]
        if isinstance(outcome, Refused) and "unchanged" in outcome.text.lower():
            found = await self.client.query(request.instrument, request.cid, request.venue_order_id)
            if isinstance(found, Done) and (report := order_of(found.value)).order_qty == qty and report.price == price:
                self.tracker.apply(report, self._clock())
                return [self._order_event(report, is_modified=True)]
        if isinstance(outcome, Refused):
            code = "NOT_FOUND" if outcome.reason is Reason.UNKNOWN_ORDER else outcome.reason.name
            return [self._said(request, K.MODIFY_REJECT, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _query(self, request: QueryOrder) -> list[VenueEvent]:
        outcome = await self.client.query(request.instrument, request.cid, request.venue_order_id)
        if isinstance(outcome, Done):
            return [self._answered(outcome.value)]
        if isinstance(outcome, Refused):
            is_missed = outcome.reason is Reason.UNKNOWN_ORDER
            kind, code = (K.ORDER_MISSED, "NOT_FOUND") if is_missed else (K.QUERY_FAILED, outcome.reason.name)
            return [self._said(request, kind, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    def _answered(self, row: OrderRow) -> VenueEvent:
        """Return what an answer says of its order. Answers are never held back as known: the kernel waits for one."""
        try:
            report = order_of(row)
        except MessageError as e:
            raise VenueDownError(str(e)) from e
        self.tracker.apply(report, self._clock())
        return self._order_event(report)

    async def _fills(self, request: QueryFills) -> list[VenueEvent]:
        listed = self._listed(request.instrument)
        known = self.tracker.get(request.cid)
        order_id = request.venue_order_id or (known.order_id if known is not None else "")
        if not order_id:
            found = await self.client.query(request.instrument, request.cid)
            if not isinstance(found, Done):
                return [self._said(request, K.QUERY_FAILED, "NO_ORDER_ID", found.text)]
            order_id = found.value.order_id
        outcome = await self.client.executions(request.instrument, order_id=order_id)
        if isinstance(outcome, Refused):
            return [self._said(request, K.QUERY_FAILED, outcome.reason.name, f"{outcome.code} {outcome.text}")]
        if not isinstance(outcome, Done):
            raise VenueDownError(outcome.text)
        try:
            fills = [fill for fill in map(fill_of, outcome.value) if fill.is_trade]
        except MessageError as e:
            raise VenueDownError(str(e)) from e
        for fill in fills:
            self.tracker.apply_fill(fill, self._clock())
        return [self._fills_event(request.cid, order_id, fills, listed)]

    def _fills_event(self, cid: str, order_id: str, fills: Sequence[FillReport], listed: Listed) -> VenueEvent:
        return fills_event(cid, order_id, fills, listed, self._scale, self._clock(), is_spot=self._market.is_spot)

    # --- the snapshot -------------------------------------------------------------------------------------------------
    async def _snapshot(self, request: FetchSnapshot) -> VenueSnapshot:
        begun = self._clock()
        live_before = [order.cid for order in self.tracker.live if order.cid]
        try:
            rows = [order_of(row) for row in value_of(await self.client.open_orders(), f"snapshot for {request.reason}")]
            self._compare(live_before, rows)
            positions = await self._holdings() if self._market.is_spot else await self._positions()
            listed = tuple(self._open_order(row) for row in rows if not row.is_closed)
        except (VenueError, DataError) as e:
            raise VenueDownError(str(e)) from e
        self._sequence += 1
        now = self._clock()
        return VenueSnapshot(
            ts=now, sequence=self._sequence, fetch_start_ts=begun, fetch_end_ts=now, positions=positions, open_orders=listed
        )

    def _open_order(self, report: OrderReport) -> OpenOrder:
        lots = self._listed(report.symbol).instrument.qty_to_lots(report.cum_qty or Decimal(0))
        return OpenOrder(report.cid, report.order_id, report.symbol, lots)

    def _compare(self, live_before: Sequence[str], rows: Sequence[OrderReport]) -> None:
        """Reconcile where the venue knows more of an order than we do: a push was lost on a connection that stands."""
        executed = {row.cid: row.cum_qty or Decimal(0) for row in rows if not row.is_closed}
        for cid in live_before:
            order = self.tracker.get(cid)
            if order is None or order.is_closed or executed.get(cid) == order.cum_qty:
                continue
            if self._reconciling is None or self._reconciling.done():
                self.foreign.note("a push was lost")
                self._begin_reconciliation()
            return

    async def _positions(self) -> tuple[Position, ...]:
        """What is held; a side that nobody knows is surfaced, and the other positions are told all the same (H8.5)."""
        positions = []
        for row in value_of(await self.client.positions(), "positions"):
            report = position_of(row)
            if not report.qty:
                continue
            if report.side not in (PositionSide.BUY, PositionSide.SELL):
                self._note_position(report)
                continue
            lots = self._listed(report.symbol).instrument.qty_to_lots(report.qty)
            side = Side.LONG if report.side is PositionSide.BUY else Side.SHORT
            positions.append(Position(report.symbol, side, lots))
        return tuple(positions)

    def _note_position(self, report: PositionReport) -> None:
        self.foreign.note(f"position side {report.side_text[:20]}")
        self._events.append(position_event(report, self._clock()))

    async def _holdings(self) -> tuple[Position, ...]:
        """What spot holds of the base coin of each symbol that we trade, whole lots: fees leave less than a lot behind."""
        totals = {coin.coin: coin.total for coin in value_of(await self.client.balances(), "balances")}
        positions = []
        for symbol in self.client.config.symbols:
            listed = self._listed(symbol)
            qty = listed.round_qty(totals.get(listed.instrument.base, Decimal(0)))
            if qty > 0:
                positions.append(Position(symbol, Side.LONG, listed.instrument.qty_to_lots(qty)))
        return tuple(positions)

    # --- what is said -------------------------------------------------------------------------------------------------
    def _listed(self, symbol: str) -> Listed:
        if self._listing is None:
            raise VenueError("the venue was not started; await start() first")
        return self._listing[symbol]

    def _said(self, request: Any, kind: EventKind, code: str, text: str, venue_order_id: str = "") -> VenueEvent:
        return VenueEvent(
            ts=self._clock(),
            kind=kind,
            cid=request.cid,
            venue_order_id=venue_order_id,
            instrument=request.instrument,
            reason_code=code,
            reason_text=text[:300],
        )

    def _order_event(self, report: OrderReport, *, is_modified: bool = False) -> VenueEvent:
        """Return a report as an event, with the total that is known where the report says less."""
        known = self.tracker.get(report.cid or report.order_id)
        if known is not None and known.cum_qty > (report.cum_qty or 0):
            report = replace(report, cum_qty=known.cum_qty, cum_value=None, average=None)
        return order_event(report, self._listed(report.symbol).instrument, self._clock(), is_modified=is_modified)

    # --- the private stream -------------------------------------------------------------------------------------------
    def _on_rows(self, rows: AccountRows, local_ts: int) -> None:
        for row in rows.rows:
            try:
                if isinstance(row, WalletRow):
                    self.foreign.note("wallet")
                elif row.category not in ("", self._market.category):
                    self.foreign.note(f"category {row.category[:20]}")  # symbols of two categories may be the same
                elif isinstance(row, OrderRow):
                    self._take_order(order_of(row), local_ts)
                elif isinstance(row, ExecutionRow):
                    self._take_fill(fill_of(row), local_ts)
                else:
                    self._take_position(position_of(row))
            except (VenueError, DataError) as e:
                self.foreign.note(str(e))  # another category's symbol, or a number that is none

    def _take_order(self, report: OrderReport, now_ns: int) -> None:
        self._listed(report.symbol)
        news = self.tracker.apply(report, now_ns)
        if news in (News.SAME, News.OLD):
            return
        event = self._order_event(report, is_modified=news is News.MODIFIED)
        self._events.append(event)
        if event.kind is K.UNSUPPORTED:
            self.foreign.note(f"order status {report.status_text}")
            self._spawn(self._ask_again(report))
        self._tell_fills(report.cid or report.order_id, report.symbol)

    def _take_fill(self, fill: FillReport, now_ns: int) -> None:
        listed = self._listed(fill.symbol)
        news = self.tracker.apply_fill(fill, now_ns)
        if fill.kind is ExecKind.FUNDING:
            if news is News.FILL:
                self._events.append(funding_event(fill, listed, self._scale, now_ns))
            return
        key = fill.cid or fill.order_id
        if news in (News.FILL, News.UNKNOWN_WORD):
            known = self.tracker.get(key)
            cum = known.cum_qty if known is not None else fill.qty
            order_qty = known.order_qty if known is not None else None
            event = fill_event(fill, cum, order_qty, listed, self._scale, now_ns, is_spot=self._market.is_spot)
            self._events.append(event)
            if event.kind is K.UNSUPPORTED:
                self.foreign.note(f"execution {fill.kind_text}")
        elif news is News.COMPLETE:
            self._tell_fills(key, fill.symbol)

    def _tell_fills(self, key: str, symbol: str) -> None:
        """Tell exact prices and fees, where fills add up to a total that was told before them."""
        known, fills = self.tracker.get(key), self.tracker.fills(key)
        if known is not None and fills and sum(fill.qty for fill in fills) == known.cum_qty:
            self._events.append(self._fills_event(known.cid, known.order_id, fills, self._listed(symbol)))

    def _take_position(self, report: PositionReport) -> None:
        self._listed(report.symbol)
        self.positions[report.symbol, report.position_idx] = report
        if report.leverage is not None and report.leverage == int(report.leverage):
            self._leverage[report.symbol] = int(report.leverage)  # whoever set it
        if report.qty and report.side not in (PositionSide.BUY, PositionSide.SELL):
            self._note_position(report)

    async def _ask_again(self, report: OrderReport) -> None:
        """Ask for an order of which the venue said a word that nobody knows."""
        try:
            outcome = await self.client.query(report.symbol, report.cid, report.order_id)
            if isinstance(outcome, Done) and outcome.value.order_status != report.status_text:
                self._events.append(self._answered(outcome.value))
        except (VenueError, VenueDownError) as e:
            self.foreign.note(f"asking again: {e}")

    # --- reconciliation -----------------------------------------------------------------------------------------------
    def _begin_reconciliation(self) -> None:
        if self._reconciling is not None and not self._reconciling.done():
            self._reconciling.cancel()
        if not self._is_closed:
            self._reconciling = self._spawn(self._reconcile())

    async def _reconcile(self) -> None:
        """Ask until it is answered: which orders are open, what became of those that are not, which fills we missed."""
        failures = 0
        while True:
            try:
                await self._reconcile_once()
            except (VenueError, VenueDownError, DataError) as e:
                failures += 1
                self.foreign.note(f"reconcile: {e}")
                wait_ns = delay_ns(failures)
                await asyncio.sleep((wait_ns + int(wait_ns * self._jitter())) / NS_PER["s"])
            else:
                self.reconciliations += 1
                return

    async def _reconcile_once(self) -> None:
        live_before = [order for order in self.tracker.live if order.cid]
        since_ns = self.tracker.last_fill_ts or self._begun_ns
        rows = value_of(await self.client.open_orders(), "open orders")
        now = self._clock()
        for row in rows:
            self._take_order(order_of(row), now)
        there = {row.order_link_id for row in rows}
        for order in live_before:
            current = self.tracker.get(order.cid)
            if order.cid not in there and current is not None and not current.is_closed:
                outcome = await self.client.query(order.symbol, order.cid, order.order_id)
                if isinstance(outcome, Done):
                    self._take_order(order_of(outcome.value), now)
                elif isinstance(outcome, Refused) and outcome.reason is Reason.UNKNOWN_ORDER:
                    self.tracker.remove(order.cid)  # the venue keeps canceled orders without fills for a day only
                else:
                    raise VenueError(outcome.text)
        start_ns = max(since_ns - _OVERLAP_NS, now - _LOOK_BACK_NS)
        symbols = sorted({*self.client.config.symbols, *(order.symbol for order in live_before)})
        for symbol in symbols:
            missed = value_of(
                await self.client.executions(symbol, start_ms=start_ns // NS_PER["ms"]), f"executions of {symbol}"
            )
            for execution in missed:
                self._take_fill(fill_of(execution), now)
        if not self._market.is_spot:
            for held in value_of(await self.client.positions(), "positions"):
                self._take_position(position_of(held))
