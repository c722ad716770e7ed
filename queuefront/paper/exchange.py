"""The exchange behind the protocol: markets, orders and the account, at a time that it is told.

Nothing here knows of JSON, sockets or clocks. What happens is told to `listener`, in the order in which it happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from queuefront.core.clock import NS_PER
from queuefront.core.enums import BUY, CANCELED, EXPIRED, FOK, GTC, GTX, IOC, NEW, SELL
from queuefront.core.errors import ConfigError
from queuefront.paper.clock import TapeTime
from queuefront.paper.errors import refusal
from queuefront.paper.futures_account import FuturesAccount
from queuefront.paper.listing import Listing, Market, list_market
from queuefront.paper.matching import MatchingEngine, MatchingModels, OrderTooLargeError, Report
from queuefront.paper.orders import Execution, OrderTable, PaperOrder
from queuefront.paper.replay import MarketTrade, Replay, TopOfBook
from queuefront.paper.rules import VenueRules
from queuefront.paper.spot_account import MARKET_REACH_TICKS, FeeRates, SpotAccount
from queuefront.sim import ValueFees

__all__ = ["STEP_NS", "ExchangeListener", "OrderRequest", "PaperExchange", "TradedMarket"]

#: What the market is published in; the finest interval of the diff streams.
STEP_NS: Final = 100 * NS_PER["ms"]
_TIMES_IN_FORCE: Final = {"GTC": GTC, "GTX": GTX, "IOC": IOC, "FOK": FOK}
_CHANGES_MAX: Final = 10_000


class ExchangeListener(Protocol):
    """Who is told what happens."""

    def on_market(self, traded: TradedMarket, event: MarketTrade | TopOfBook, venue_ns: int) -> None:
        """A trade of the market, or new best prices."""
        ...

    def on_step(self, venue_ns: int) -> None:
        """Another step of 100 ms is over."""
        ...

    def on_order(self, order: PaperOrder, kind: str, execution: Execution | None, venue_ns: int) -> None:
        """Something happened to one of our orders. kind : NEW, TRADE, CANCELED, EXPIRED, AMENDMENT, REPLACED."""
        ...


@dataclass(slots=True)
class TradedMarket:
    """One symbol with its market and the engine that holds our orders."""

    market: Market
    replay: Replay
    engine: MatchingEngine
    orders_by_engine_id: dict[int, PaperOrder] = field(default_factory=dict)
    last_trade_tick: int | None = None

    def mark_price(self) -> Decimal | None:
        """Return the middle of the book; the last trade where a side is empty."""
        top, tick_size = self.replay.top(), self.market.instrument.tick_size
        if top.bid_tick is not None and top.ask_tick is not None:
            return (top.bid_tick + top.ask_tick) * tick_size / 2
        return None if self.last_trade_tick is None else self.last_trade_tick * tick_size


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order that passed the filters. tick : None for MARKET."""

    symbol: str
    client_id: str
    side: str
    kind: str
    time_in_force: str
    tick: int | None
    lots: int
    reduce_only: bool = False


class PaperExchange:
    """The exchange.

    Parameters
    ----------
    rules : of the venue.
    listings : what is traded.
    balances : of the account at the start, by currency.
    start_ns : the venue's time at which the tapes begin; their own first time where it is None.
    speed : of the tapes.
    """

    def __init__(
        self,
        rules: VenueRules,
        listings: Sequence[Listing],
        balances: Mapping[str, Decimal],
        listener: ExchangeListener,
        *,
        models: MatchingModels | None = None,
        fees: tuple[Decimal, Decimal] | None = None,
        start_ns: int | None = None,
        speed: Fraction = Fraction(1),
    ) -> None:
        if not listings:
            raise ConfigError("the paper exchange has no market; give at least one tape")
        self.rules, self._listener = rules, listener
        rates = FeeRates.of(rules, fees)
        self.markets: dict[str, TradedMarket] = {}
        starts = []
        for listing in listings:
            market, tape = list_market(listing, rules)
            if market.symbol in self.markets:
                raise ConfigError(f"two tapes are listed as {market.symbol}; name one of them otherwise")
            engine = MatchingEngine(tape, models or MatchingModels(), ValueFees(rates.maker, rates.taker))
            self.markets[market.symbol] = TradedMarket(market, Replay(tape, 1 if rules.is_spot else 3), engine)
            starts.append(tape.meta["first_exch_ts"])
        tape_start_ts = min((ts for ts in starts if ts is not None), default=0)
        self.now_ns = tape_start_ts if start_ns is None else start_ns
        self.tape_time = TapeTime(self.now_ns, tape_start_ts, speed)
        self.orders = OrderTable()
        self.spot = SpotAccount(balances, rates)
        listed = {symbol: traded.market for symbol, traded in self.markets.items()}
        self.futures = FuturesAccount(balances, rates, listed, self.orders, lambda s: self.markets[s].mark_price())
        self.cancel_all_at: dict[str, int] = {}
        self._order_count = self._engine_id = self._trade_count = 0
        self.advance(self.now_ns)

    @property
    def is_over(self) -> bool:
        """Whether every tape has ended; the last book then stands."""
        return all(traded.replay.is_over for traded in self.markets.values())

    def market(self, symbol: str) -> TradedMarket:
        """Return a symbol's market. Raises the venue's refusal where it is not listed."""
        traded = self.markets.get(symbol)
        if traded is None:
            raise refusal("symbol")
        return traded

    def begin(self, start_ns: int) -> None:
        """Let the tapes begin at another time of the venue; before anything was asked and played."""
        self.now_ns = start_ns
        self.tape_time.begin(start_ns)

    # --- time ---------------------------------------------------------------------------------------------------------
    def advance(self, now_ns: int) -> None:
        """Let the venue's time pass."""
        while True:
            step_ns = (self.now_ns // STEP_NS + 1) * STEP_NS
            until_ns = min(step_ns, now_ns)
            self._play(until_ns)
            self.now_ns = max(self.now_ns, until_ns)
            if until_ns == step_ns:
                self._cancel_what_is_due()
                self._listener.on_step(step_ns)
            if until_ns >= now_ns:
                return

    def _play(self, until_ns: int) -> None:
        tape_ts = self.tape_time.tape_ts(until_ns)
        for traded in self.markets.values():
            market: list[tuple[int, MarketTrade | TopOfBook | Report]]
            market = [(event.ts, event) for event in traded.replay.advance(tape_ts)]
            events = market + [(report.ts, report) for report in traded.engine.advance(tape_ts)]
            events.sort(key=lambda pair: pair[0])
            for ts, happened in events:
                venue_ns = min(max(self.tape_time.venue_ns(ts), self.now_ns), until_ns)
                if isinstance(happened, Report):
                    self._report(traded, happened, venue_ns)
                    continue
                if isinstance(happened, MarketTrade):
                    traded.last_trade_tick = happened.price_tick
                self._listener.on_market(traded, happened, venue_ns)

    def _cancel_what_is_due(self) -> None:
        for symbol in [symbol for symbol, due in self.cancel_all_at.items() if due <= self.now_ns]:
            del self.cancel_all_at[symbol]
            self.cancel_all(symbol)

    # --- orders -------------------------------------------------------------------------------------------------------
    def place(self, wanted: OrderRequest) -> PaperOrder:
        """Take an order in and let it trade. Raises the venue's refusal where it does not stand."""
        traded = self.market(wanted.symbol)
        known = self.orders.find(wanted.symbol, None, wanted.client_id)
        if known is not None and known.is_open:
            raise refusal("duplicate", is_spot=self.rules.is_spot)
        self._order_count += 1
        order = PaperOrder(
            order_id=self._order_count,
            client_id=wanted.client_id or f"paper{self._order_count}",
            market=traded.market,
            side=wanted.side,
            kind=wanted.kind,
            time_in_force=wanted.time_in_force,
            tick=wanted.tick,
            lots=wanted.lots,
            created_ns=self.now_ns,
            updated_ns=self.now_ns,
            reduce_only=wanted.reduce_only,
        )
        self._hold(traded, order)
        self.orders.add(order)
        try:
            reports = self._send(traded, order, order.lots)
        except OrderTooLargeError as e:
            self._take_back(order)
            raise refusal("invalid", "quantity") from e
        first = reports[0].status if reports else NEW
        is_post_only = order.time_in_force == "GTX" or order.kind == "LIMIT_MAKER"
        if first == EXPIRED and (is_post_only or (order.time_in_force == "FOK" and not self.rules.is_spot)):
            self._take_back(order)
            raise refusal("post-only" if is_post_only else "fill or kill", is_spot=self.rules.is_spot)
        self._listener.on_order(order, "NEW", None, self.now_ns)
        self._report_all(traded, reports)
        return order

    def _hold(self, traded: TradedMarket, order: PaperOrder) -> None:
        if not self.rules.is_spot:
            self.futures.check(order)
            return
        tick = order.tick
        if tick is None:
            top = traded.replay.top()
            best = top.ask_tick if order.is_buy else top.bid_tick
            tick = 0 if best is None else best + MARKET_REACH_TICKS
        self.spot.hold(order, order.market.instrument.tick_to_price(tick))

    def _take_back(self, order: PaperOrder) -> None:
        if self.rules.is_spot:
            self.spot.release(order)
        self.orders.drop(order)

    def _send(self, traded: TradedMarket, order: PaperOrder, lots: int) -> list[Report]:
        """Give an order, or what is left of it, to the engine."""
        time_in_force = GTX if order.kind == "LIMIT_MAKER" else _TIMES_IN_FORCE[order.time_in_force]
        self._engine_id += 1
        side = BUY if order.is_buy else SELL
        reports = traded.engine.place(self._engine_id, side, order.tick, lots, time_in_force)
        order.engine_id = self._engine_id
        traded.orders_by_engine_id[order.engine_id] = order
        return reports

    def cancel(self, order: PaperOrder, client_id: str | None = None) -> None:
        """Cancel an open order. client_id : of the cancel itself, on spot. Raises the venue's refusal for a closed one."""
        if not order.is_open:
            raise refusal("cancel")
        if client_id is not None:
            order.cancel_id = client_id
        traded = self.markets[order.market.symbol]
        self._report_all(traded, traded.engine.cancel(order.engine_id))

    def cancel_all(self, symbol: str) -> list[PaperOrder]:
        """Cancel the open orders of a symbol; return them."""
        orders = self.orders.open(symbol)
        for order in orders:
            self.cancel(order)
        return orders

    def modify(self, order: PaperOrder, tick: int, lots: int) -> None:
        """Give an open order another price and quantity; it goes to the end of the queue (USD-M "Modify Order").

        A quantity that is filled already cancels it, and so does a price at which a post-only order would take.
        """
        if order.kind != "LIMIT":
            raise refusal("limit only")
        if not order.is_open:
            raise refusal("no order")
        if (tick, lots) == (order.tick, order.lots):
            raise refusal("same order")
        if order.change_count >= _CHANGES_MAX:
            raise refusal("modified too often")
        if lots <= order.filled_lots:
            self.cancel(order)
            return
        traded = self.markets[order.market.symbol]
        before = order.engine_id, order.tick
        order.tick = tick
        try:
            reports = self._send(traded, order, lots - order.filled_lots)
        except OrderTooLargeError as e:
            order.engine_id, order.tick = before
            raise refusal("invalid", "quantity") from e
        del traded.orders_by_engine_id[before[0]]
        traded.engine.cancel(before[0])
        order.lots = lots
        order.change_count += 1
        order.updated_ns = self.now_ns
        if reports and reports[0].status == EXPIRED and order.time_in_force == "GTX":
            self._close(order, "CANCELED", self.now_ns)
            return
        self._listener.on_order(order, "AMENDMENT", None, self.now_ns)
        self._report_all(traded, reports)

    def shrink(self, order: PaperOrder, lots: int, client_id: str) -> None:
        """Lower an open spot order's quantity; it keeps its place in the queue (Spot "Order Amend Keep Priority")."""
        if not order.is_open or order.tick is None:
            raise refusal("cancel")
        if lots >= order.lots:
            raise refusal("amend", is_spot=True)
        if lots <= order.filled_lots:
            raise refusal("quantity", is_spot=True)
        traded = self.markets[order.market.symbol]
        traded.engine.reduce(order.engine_id, order.tick, lots - order.filled_lots)
        self.spot.reduce(order, order.market.instrument.lots_to_qty(order.lots - lots))
        order.lots, order.updated_ns = lots, self.now_ns
        if client_id != order.client_id:
            self.orders.rename(order, client_id)
        self._listener.on_order(order, "REPLACED", None, self.now_ns)

    # --- what the engine says -----------------------------------------------------------------------------------------
    def _report_all(self, traded: TradedMarket, reports: Sequence[Report]) -> None:
        for report in reports:
            self._report(traded, report, self.now_ns)

    def _report(self, traded: TradedMarket, report: Report, venue_ns: int) -> None:
        order = traded.orders_by_engine_id.get(report.engine_id)
        if order is None or report.status == NEW:
            return
        if report.is_execution:
            self._fill(traded, order, report, venue_ns)
        elif report.status == CANCELED:
            self._close(order, "CANCELED", venue_ns)
        elif report.status == EXPIRED:
            self._close(order, "EXPIRED", venue_ns)

    def _fill(self, traded: TradedMarket, order: PaperOrder, report: Report, venue_ns: int) -> None:
        instrument = traded.market.instrument
        lots = report.exec_lots
        if order.reduce_only:
            # The engine knows of no positions: what would open one is not executed.
            lots = min(lots, abs(instrument.qty_to_lots(self.futures.positions[order.market.symbol].qty)))
        price, qty = instrument.tick_to_price(report.exec_tick), instrument.lots_to_qty(lots)
        book = self.spot.book if self.rules.is_spot else self.futures.book
        booking = book(order, price, qty, is_maker=report.is_maker)
        self._trade_count += 1
        value = traded.market.notional(price, qty)
        execution = Execution(
            self._trade_count,
            order.order_id,
            venue_ns,
            order.side,
            price,
            qty,
            value,
            booking.commission,
            booking.commission_asset,
            booking.realized,
            report.is_maker,
        )
        order.executions.append(execution)
        order.filled_lots += lots
        order.spent += value
        order.updated_ns = venue_ns
        is_done = order.filled_lots == order.lots
        order.status = "FILLED" if is_done else "PARTIALLY_FILLED"
        if is_done:
            self._finish(order)
        if not self.rules.is_spot:
            self.futures.positions[order.market.symbol].updated_ns = venue_ns
        self._listener.on_order(order, "TRADE", execution, venue_ns)
        if not self.rules.is_spot:
            self._trim_reduce_only(order.market.symbol)

    def _trim_reduce_only(self, symbol: str) -> None:
        """Lower reduce-only orders to what there is to reduce, and knock out those that would open a position."""
        traded = self.markets[symbol]
        lots = traded.market.instrument.qty_to_lots(self.futures.positions[symbol].qty)
        for order in self.orders.open(symbol):
            if not order.reduce_only:
                continue
            if lots * (1 if order.is_buy else -1) >= 0:
                traded.engine.cancel(order.engine_id)
                self._close(order, "EXPIRED", self.now_ns)
            elif order.leaves_lots > abs(lots) and order.tick is not None:
                traded.engine.reduce(order.engine_id, order.tick, abs(lots))
                order.lots = order.filled_lots + abs(lots)

    def _close(self, order: PaperOrder, status: str, venue_ns: int) -> None:
        order.status, order.updated_ns = status, venue_ns
        self._finish(order)
        self._listener.on_order(order, status, None, venue_ns)

    def _finish(self, order: PaperOrder) -> None:
        self.orders.close(order)
        self.markets[order.market.symbol].orders_by_engine_id.pop(order.engine_id, None)
        if self.rules.is_spot:
            self.spot.release(order)
