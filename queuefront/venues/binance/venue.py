"""Binance as the kernel's venue: requests in, events out, and three outcomes kept apart.

A refusal is an event. What is not known raises, so that the kernel resolves it. The private stream delivers what happens;
whenever it begins anew, open orders, vanished orders and missed fills are asked for, and come as the same events.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from queuefront.core import ConfigError, DataError
from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter, delay_ns
from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.encode import OrderTerms
from queuefront.venues.binance.events import event_of, fills_event
from queuefront.venues.binance.instruments import Listing
from queuefront.venues.binance.orders import News, OrderTracker, Report, of_row, of_update
from queuefront.venues.binance.schemas import OrderRow
from queuefront.venues.binance.stream_schemas import AccountConfig, AccountUpdate, OrderUpdate, UserMessage
from queuefront.venues.binance.user_stream import UserStream
from queuefront.venues.binance.vocabulary import OrderKind, PositionSide, Tif
from queuefront.venues.errors import VenueError
from queuefront.venues.listed import Listed
from queuefront.venues.liveness import StreamRules
from queuefront.venues.mock import VenueDownError
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, value_of
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
from queuefront.venues.units import plausible_ns
from queuefront.venues.websocket import Connector

__all__ = ["BinanceVenue"]

K = EventKind
_TIFS: Final = {TimeInForce.GTC: Tif.GTC, TimeInForce.GTX: Tif.GTX, TimeInForce.IOC: Tif.IOC, TimeInForce.FOK: Tif.FOK}


@dataclass(frozen=True, slots=True)
class _Placed:
    """What a modify must repeat of an order that we placed."""

    is_buy: bool
    order_type: OrderType


class BinanceVenue:
    """One account at one market, leased to one kernel.

    `start` first: it checks that trading is allowed, sets the clock, reads the instruments, and begins the private stream.
    """

    def __init__(
        self, client: BinanceClient, connector: Connector, *, jitter: Jitter, rules: StreamRules | None = None
    ) -> None:
        self.backend_kind = str(client.market.product)
        self.client = client
        self.tracker = OrderTracker()
        self.foreign = Tally()  # messages that are not about orders, and words that nobody knows
        self.reconciliations = 0
        self._market = client.market
        self._scale = client.config.cash_scale
        self._clock = client.clock
        self._jitter = jitter
        self._listing: Listing | None = None
        self._lease: str | None = None
        self._events: deque[VenueEvent] = deque()
        self._placed: dict[str, _Placed] = {}
        self._leverage: dict[str, int] = {}
        self._sequence = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._reconciling: asyncio.Task[None] | None = None
        self._user = UserStream(
            client,
            connector,
            on_message=self._on_user,
            on_begin=self._begin_reconciliation,
            on_end=lambda reason: self.foreign.note(f"stream lost: {reason}"),
            jitter=jitter,
            rules=rules,
        )
        self._is_closed = False

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
        self._listing = await self.client.listing()
        for symbol in config.symbols:
            if not self._listing[symbol].is_trading:
                raise VenueError(f"{symbol} is not trading at {config.venue}; choose another, or wait")
        if not self._market.is_spot:
            is_hedge = value_of(await self.client.is_hedge_mode(), "position mode")
            if is_hedge is not config.is_hedge_mode:
                modes = {True: "hedge (one position a side)", False: "one-way (one position a symbol)"}
                raise ConfigError(
                    f"the account at {config.venue} is in {modes[is_hedge]} mode and the configuration says "
                    f"{modes[config.is_hedge_mode]}; change is_hedge_mode, or the account by hand"
                )
        self._spawn(self._user.run())

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
        self._user.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    @property
    def is_streaming(self) -> bool:
        """Whether the private stream is up."""
        return self._user.is_up

    @property
    def user_stream(self) -> UserStream:
        """The private stream."""
        return self._user

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
        self._placed[request.cid] = _Placed(request.is_buy, request.order_type)
        tif = Tif.GTX if request.post_only else _TIFS[request.time_in_force]
        terms = OrderTerms(
            request.instrument,
            request.is_buy,
            request.cid,
            qty,
            price,
            OrderKind.MARKET if is_market else OrderKind.LIMIT,
            tif,
            request.reduce_only,
            self._position_side(request),
        )
        outcome = await self.client.place(terms)
        if isinstance(outcome, Done):
            self._placed.pop(request.cid, None)  # the tracker knows it from here on
            return self._order_events(outcome.value)
        if isinstance(outcome, Refused):
            self._placed.pop(request.cid, None)
            is_there = outcome.reason is Reason.DUPLICATE_CLIENT_ID
            kind = K.SUBMIT_UNKNOWN if is_there else K.ORDER_REJECT
            return [self._said(request, kind, outcome.reason.name, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    def _position_side(self, request: PlaceOrder) -> PositionSide:
        if not self.client.config.is_hedge_mode or self._market.is_spot:
            return PositionSide.BOTH
        is_long = request.is_buy is (request.role is Role.ENTRY)
        return PositionSide.LONG if is_long else PositionSide.SHORT

    async def _set_leverage(self, request: PlaceOrder) -> VenueEvent | None:
        """Set the leverage that an entry asks for, if it is another; without it the order is not sent."""
        if request.role is not Role.ENTRY or request.leverage <= 0:
            return None
        if self._leverage.get(request.instrument) == request.leverage:
            return None
        outcome = await self.client.set_leverage(request.instrument, request.leverage)
        if isinstance(outcome, Done):
            self._leverage[request.instrument] = outcome.value.leverage
            if outcome.value.leverage == request.leverage:
                return None
            text = f"the venue set {outcome.value.leverage}"
        else:
            self._leverage.pop(request.instrument, None)
            text = outcome.text
        return self._said(
            request, K.ORDER_REJECT, "LEVERAGE", f"leverage {request.leverage}: {text}; the order was not sent"
        )

    async def _cancel(self, request: CancelOrder) -> list[VenueEvent]:
        outcome = await self.client.cancel(request.instrument, request.cid, request.venue_order_id)
        if isinstance(outcome, Done):
            return self._order_events(outcome.value)
        if isinstance(outcome, Refused):
            code = "NOT_FOUND" if outcome.reason is Reason.UNKNOWN_ORDER else "REFUSED"
            return [self._said(request, K.CANCEL_UNKNOWN, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _modify(self, request: ModifyOrder) -> list[VenueEvent]:
        instrument = self._listed(request.instrument).instrument
        qty, price = instrument.lots_to_qty(request.lots), instrument.tick_to_price(request.price_tick)
        known = self.tracker.get(request.cid)
        outcome: Outcome[OrderRow]
        if self._market.is_spot:
            if known is None or known.price != price or known.order_qty is None or qty >= known.order_qty:
                text = "spot changes an order only to a smaller quantity at its price; cancel it and place another"
                return [self._said(request, K.MODIFY_REJECT, Reason.MODIFY_REFUSED.name, text)]
            outcome = await self.client.shrink(request.instrument, request.cid, qty, request.venue_order_id)
        else:
            is_buy = known.is_buy if known is not None else None
            if is_buy is None and request.cid in self._placed:
                is_buy = self._placed[request.cid].is_buy
            if is_buy is None:
                found = await self.client.query(request.instrument, request.cid, request.venue_order_id)
                if not isinstance(found, Done):
                    return [self._said(request, K.MODIFY_REJECT, "NOT_FOUND", f"not sent: {found.text}")]
                is_buy = found.value.side == "BUY"
            terms = OrderTerms(request.instrument, is_buy, request.cid, qty, price)
            outcome = await self.client.modify(terms, request.venue_order_id)
        if isinstance(outcome, Done):
            return [_as_modified(e) for e in self._order_events(outcome.value, modified=True)]
        if isinstance(outcome, Refused) and outcome.reason is Reason.NOTHING_TO_CHANGE:
            found = await self.client.query(request.instrument, request.cid, request.venue_order_id)
            if isinstance(found, Done) and (found.value.qty, found.value.price) == (qty, price):
                return [_as_modified(e) for e in self._order_events(found.value, modified=True)]
        if isinstance(outcome, Refused):
            code = "NOT_FOUND" if outcome.reason is Reason.UNKNOWN_ORDER else outcome.reason.name
            return [self._said(request, K.MODIFY_REJECT, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _query(self, request: QueryOrder) -> list[VenueEvent]:
        outcome = await self.client.query(request.instrument, request.cid, request.venue_order_id)
        if isinstance(outcome, Done):
            return self._order_events(outcome.value)
        if isinstance(outcome, Refused):
            is_missed = outcome.reason is Reason.UNKNOWN_ORDER
            kind, code = (K.ORDER_MISSED, "NOT_FOUND") if is_missed else (K.QUERY_FAILED, outcome.reason.name)
            return [self._said(request, kind, code, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _fills(self, request: QueryFills) -> list[VenueEvent]:
        instrument = self._listed(request.instrument).instrument
        known = self.tracker.get(request.cid)
        order_id = request.venue_order_id or (known.order_id if known is not None else "")
        if not order_id:
            found = await self.client.query(request.instrument, request.cid)
            if not isinstance(found, Done):
                return [self._said(request, K.QUERY_FAILED, "NO_ORDER_ID", found.text)]
            order_id = str(found.value.order_id)
        outcome = await self.client.fills(request.instrument, order_id=order_id)
        if isinstance(outcome, Done):
            for row in outcome.value:
                self.tracker.note_fill_id(row.symbol, row.id)
            return [fills_event(request.cid, order_id, outcome.value, instrument, self._scale, self._clock())]
        if isinstance(outcome, Refused):
            return [self._said(request, K.QUERY_FAILED, outcome.reason.name, f"{outcome.code} {outcome.text}")]
        raise VenueDownError(outcome.text)

    async def _snapshot(self, request: FetchSnapshot) -> VenueSnapshot:
        begun = self._clock()
        live_before = [order.cid for order in self.tracker.live if order.cid]
        try:
            rows = value_of(await self.client.open_orders(), f"snapshot for {request.reason}")
            self._compare(live_before, rows)
            positions = await self._positions()
        except VenueError as e:
            raise VenueDownError(str(e)) from e
        self._sequence += 1
        listed = tuple(
            OpenOrder(
                row.cid,
                str(row.order_id),
                row.symbol,
                self._listed(row.symbol).instrument.qty_to_lots(row.executed_qty or Decimal(0)),
            )
            for row in rows
        )
        now = self._clock()
        return VenueSnapshot(
            ts=now, sequence=self._sequence, fetch_start_ts=begun, fetch_end_ts=now, positions=positions, open_orders=listed
        )

    def _compare(self, live_before: Sequence[str], rows: Sequence[OrderRow]) -> None:
        """Reconcile where the venue knows more of an order than we do: a push was lost on a connection that stands."""
        executed = {row.cid: row.executed_qty or Decimal(0) for row in rows}
        for cid in live_before:
            order = self.tracker.get(cid)
            if order is None or order.is_closed or executed.get(cid) == order.cum_qty:
                continue
            if self._reconciling is None or self._reconciling.done():
                self.foreign.note("a push was lost")
                self._begin_reconciliation()
            return

    async def _positions(self) -> tuple[Position, ...]:
        if self._market.is_spot:
            return await self._holdings()
        positions = []
        for row in value_of(await self.client.positions(), "positions"):
            if not row.position_amt:
                continue
            side = row.position_side
            if side is PositionSide.UNSUPPORTED:
                self.foreign.note(f"position side {row.position_side_text[:20]}")
                continue
            is_long = side is PositionSide.LONG or (side is PositionSide.BOTH and row.position_amt > 0)
            lots = self._listed(row.symbol).instrument.qty_to_lots(abs(row.position_amt))
            positions.append(Position(row.symbol, Side.LONG if is_long else Side.SHORT, lots))
        return tuple(positions)

    async def _holdings(self) -> tuple[Position, ...]:
        """What spot holds of the base coin of each symbol that we trade, whole lots: fees leave less than a lot behind."""
        totals = {asset.asset: asset.total for asset in value_of(await self.client.balances(), "balances")}
        positions = []
        for symbol in self.client.config.symbols:
            listed = self._listed(symbol)
            qty = listed.round_qty(totals.get(listed.instrument.base, Decimal(0)))
            if qty:
                positions.append(Position(symbol, Side.LONG, listed.instrument.qty_to_lots(qty)))
        return tuple(positions)

    # --- what is said -------------------------------------------------------------------------------------------------
    def _listed(self, symbol: str) -> Listed:
        if self._listing is None:
            raise VenueError("the venue was not started; await start() first")
        return self._listing[symbol]

    def _said(self, request: Request, kind: EventKind, code: str, text: str) -> VenueEvent:
        cid = "" if isinstance(request, FetchSnapshot) else request.cid
        now = self._clock()
        return VenueEvent(ts=now, kind=kind, cid=cid, exch_ts=now, reason_code=code, reason_text=text[:300])

    def _order_events(self, row: OrderRow, *, modified: bool = False) -> list[VenueEvent]:
        """Return what an answer says of its order. Answers are never held back as known: the kernel waits for one."""
        report = of_row(row)
        self.tracker.apply(report, self._clock())
        event = self._event(report)
        if event.kind is K.FULL_FILL or (event.kind is K.PARTIAL_FILL and not modified):
            event = self._with_only_fill(row, event)
        return [event]

    def _with_only_fill(self, row: OrderRow, event: VenueEvent) -> VenueEvent:
        """Give an order that one fill made its exact price and fee, which spot's answer lists."""
        if len(row.fills) != 1 or row.fills[0].trade_id is None or row.fills[0].qty != row.executed_qty:
            return event
        fill = row.fills[0]
        told = dataclasses.replace(
            of_row(row),
            last_qty=fill.qty,
            last_price=fill.price,
            trade_id=fill.trade_id,
            fee=fill.commission,
            fee_asset=fill.commission_asset,
        )
        self.tracker.apply(told, self._clock())
        return self._event(told)

    def _event(self, report: Report) -> VenueEvent:
        return event_of(report, self._listed(report.symbol).instrument, self._scale, self._clock())

    # --- the private stream -------------------------------------------------------------------------------------------
    def _on_user(self, message: UserMessage, local_ts: int) -> None:
        if isinstance(message, OrderUpdate):
            self._take(of_update(message), local_ts)
        elif isinstance(message, AccountUpdate) and message.account.reason == "FUNDING_FEE":
            self._funding(message, local_ts)
        elif isinstance(message, AccountConfig) and message.leverage is not None:
            self._leverage[message.leverage.symbol] = message.leverage.leverage  # whoever set it
        else:
            self.foreign.note(type(message).__name__)

    def _take(self, report: Report, local_ts: int) -> None:
        try:
            event = self._event(report)
        except VenueError:
            self.foreign.note(f"order of {report.symbol}")
            return
        news = self.tracker.apply(report, local_ts)
        if news in (News.SAME, News.OLD):
            return
        self._events.append(event)
        if event.kind is K.UNSUPPORTED:
            self.foreign.note(f"{report.execution_text}/{report.status_text}")
            self._spawn(self._ask_again(report))

    async def _ask_again(self, report: Report) -> None:
        """Ask for an order of which the venue said a word that nobody knows (H8.17, H8.18)."""
        outcome = await self.client.query(report.symbol, report.cid, report.order_id)
        if isinstance(outcome, Done) and outcome.value.status_text != report.status_text:
            self._events.extend(self._order_events(outcome.value))

    def _funding(self, message: AccountUpdate, local_ts: int) -> None:
        symbol = message.account.positions[0].symbol if message.account.positions else ""
        for row in message.account.balances:
            if row.change:
                self._events.append(
                    VenueEvent(
                        ts=local_ts,
                        kind=K.FUNDING,
                        event_id=f"funding/{row.asset}/{message.trade_ms}/{row.wallet}",
                        exch_ts=plausible_ns(message.trade_ms) or 0,
                        instrument=symbol,
                        amount=int(row.change.scaleb(self._scale)),
                        fee_asset=row.asset,
                    )
                )

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
            except VenueError as e:
                failures += 1
                self.foreign.note(f"reconcile: {e}")
                wait_ns = delay_ns(failures)
                await asyncio.sleep((wait_ns + int(wait_ns * self._jitter())) / NS_PER["s"])
            else:
                self.reconciliations += 1
                return

    async def _reconcile_once(self) -> None:
        live_before = [order for order in self.tracker.live if order.cid]
        rows = value_of(await self.client.open_orders(), "open orders")
        for row in rows:
            self._take_row(row)
        there = {row.cid for row in rows}
        for order in live_before:
            current = self.tracker.get(order.cid)
            if order.cid not in there and current is not None and not current.is_closed:
                outcome = await self.client.query(order.symbol, order.cid, order.order_id)
                if isinstance(outcome, Done):
                    self._take_row(outcome.value)
                elif isinstance(outcome, Refused) and outcome.reason is Reason.UNKNOWN_ORDER:
                    self.tracker.remove(order.cid)  # the venue keeps canceled orders without fills for some days only
                else:
                    raise VenueError(outcome.text)
        for symbol in self.tracker.fill_symbols:
            last = self.tracker.last_fill_id(symbol)
            missed = value_of(await self.client.fills(symbol, from_id=(last or 0) + 1), f"fills of {symbol}")
            for fill in missed:
                self.tracker.note_fill_id(symbol, fill.id)
            cids = {order.order_id: order.cid for order in live_before}
            for order_id in sorted({str(fill.order_id) for fill in missed} & cids.keys()):
                fills = value_of(await self.client.fills(symbol, order_id=order_id), f"fills of order {order_id}")
                instrument = self._listed(symbol).instrument
                self._events.append(fills_event(cids[order_id], order_id, fills, instrument, self._scale, self._clock()))

    def _take_row(self, row: OrderRow) -> None:
        report = of_row(row)
        if self.tracker.apply(report, self._clock()) not in (News.SAME, News.OLD):
            self._events.append(self._event(report))


def _as_modified(event: VenueEvent) -> VenueEvent:
    """An order that lives is one that was modified; one that ended while it was modified is what it is."""
    if event.kind not in (K.ACK, K.PARTIAL_FILL):
        return event
    return replace(event, kind=K.MODIFY_ACK, event_id=f"{event.event_id}/modified")
