"""A slow, obvious backtest: one event at a time, in the order of time (spec B1.4, B1.5, B8).

It reads the raw rows of each asset, an instrument and an `AssetConfig`, and has the strategy surface's calls. It is written
from the specification, with the rows of the list of differences mended where Queuefront mends them, and quirks kept. The
fast engine is held to it by `tests/property/test_oracle.py`.

Each asset has four sources: local row, response, exchange row, request. The next event is the earliest, and of several at
one time that of the smallest asset and source. Rows are one event each; of a bus, all messages due at that time are one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from queuefront.bot import StateValues
from queuefront.core import Instrument
from queuefront.core.clock import INT64_MAX
from queuefront.core.enums import (
    ALL_ASSETS,
    BUY,
    CANCELED,
    END_OF_DATA,
    EXCH_EVENT,
    INVALID_ORDER_REQUEST,
    LOCAL_EVENT,
    MARKET_FEED,
    NEW,
    OK,
    ORDER_RESPONSE,
    REJECTED,
    REPLACED,
    SELL,
)
from tests.naive.balances import Balances
from tests.naive.book import NaiveBook
from tests.naive.exchange import Exchange, NoPartialFillExchange, PartialFillExchange
from tests.naive.grid import Grid, Row, RunError, read_rows
from tests.naive.honest import HonestExchange
from tests.naive.l3 import L3Book, L3Exchange, L3LocalHalf
from tests.naive.latency import ConstantLatency, Latency
from tests.naive.local import LocalHalf
from tests.naive.market import apply_opening
from tests.naive.money import Account, Fees, Funding
from tests.naive.orders import Order
from tests.naive.queue import QueueModel
from tests.naive.queue_view import QueueView
from tests.naive.views import Depth, OrderViews, state_values

__all__ = ["AssetConfig", "NaiveEngine"]


@dataclass(frozen=True)
class AssetConfig:
    """One asset: its market and the models of its exchange.

    partial_fills : PartialFill instead of NoPartialFill.
    market_by_order : the rows are those of single orders (spec B2.9, B4.11), see `l3`; partial fills are then impossible.
    skips_gaps : with market_by_order, skip and count rows of unknown or duplicate orders instead of stopping (D25).
    honest_liquidity : with partial_fills, our orders share what there is, see `honest`.
    funding : payments, see `money`.
    opening : rows of a snapshot that both books start from.
    balances : of the (base, quote) currency at the start, of a spot market, see `balances`.
    tick_range : the ticks that both books hold; all of them if None.
    """

    events: np.ndarray
    instrument: Instrument
    latency: Latency = field(default_factory=ConstantLatency)
    queue: QueueModel = field(default_factory=QueueModel)
    partial_fills: bool = False
    fees: Fees = field(default_factory=Fees)
    last_trades_capacity: int = 0
    market_by_order: bool = False
    skips_gaps: bool = False
    honest_liquidity: bool = False
    funding: tuple[Funding, ...] = ()
    opening: np.ndarray | None = None
    balances: tuple[Decimal, Decimal] | None = None
    tick_range: tuple[int, int] | None = None


LOCAL_ROW, RESPONSE, EXCHANGE_ROW, REQUEST = range(4)  # sources of events; of several at one time the first comes first
ANY_ORDER = -1


class Bus:
    """Messages in the order in which they were sent; none overtakes another (spec B3.4)."""

    def __init__(self) -> None:
        self.queue: list[tuple[int, Order]] = []

    def send(self, message: Order, wanted_ts: int) -> None:
        due_ts = min(max(wanted_ts, self.queue[-1][0] if self.queue else 0), INT64_MAX)
        self.queue.append((due_ts, message))

    @property
    def due_ts(self) -> int:
        return self.queue[0][0]

    def receive(self) -> Order:
        return self.queue.pop(0)[1]


class NaiveAsset:
    """Both halves of one asset, the buses between them, and the cursors of the rows."""

    def __init__(self, config: AssetConfig) -> None:
        self.config = config
        self.grid = Grid(config.instrument)
        self.latency = config.latency
        rows = read_rows(config.events)
        self.local_rows = deque(row for row in rows if row.ev & LOCAL_EVENT)
        self.exchange_rows = deque(row for row in rows if row.ev & EXCH_EVENT)
        self.requests, self.responses = Bus(), Bus()
        self.funding = sorted(config.funding, key=lambda funding: funding.funding_ts)
        account = Account(config.instrument, config.fees)
        self.local = self._new_local(account)
        self.local.queues = QueueView(self.grid, config.queue, rows, config.honest_liquidity, config.market_by_order)
        self.exchange = self._new_exchange()
        self.exchange.next_row = lambda: self.exchange_rows[0].index if self.exchange_rows else len(rows)
        self.exchange.range = self.local.range = self.local.queues.range = config.tick_range
        if config.balances is not None:
            base, quote = (Fraction(x) for x in config.balances)
            units = base / Fraction(config.instrument.lot_size), quote // account.amount_unit
            self.exchange.balances = Balances(int(units[0]), int(units[1]))
        if config.opening is not None:
            opening = [row for row in read_rows(config.opening) if self.exchange.holds(self.grid.tick(row.px))]
            for book in (self.local.book, self.exchange.book):
                apply_opening(book, opening, self.grid)

    def _new_local(self, account: Account) -> LocalHalf:
        config = self.config
        if config.market_by_order:
            return L3LocalHalf(self.grid, account, config.last_trades_capacity, book=L3Book(), skips_gaps=config.skips_gaps)
        return LocalHalf(self.grid, account, config.last_trades_capacity)

    def _new_exchange(self) -> Exchange:
        config = self.config
        if config.market_by_order and (config.partial_fills or config.honest_liquidity):
            raise ValueError("a market by order fills orders completely; partial_fills and honest_liquidity must be off")
        if config.honest_liquidity and not config.partial_fills:
            raise ValueError("honest_liquidity needs partial_fills: without them sizes do not matter")
        if config.market_by_order:
            return L3Exchange(self.grid, self.answer, skips_gaps=config.skips_gaps)
        kinds = {False: NoPartialFillExchange, True: PartialFillExchange}
        kind = HonestExchange if config.honest_liquidity else kinds[config.partial_fills]
        return kind(self.grid, config.queue, NaiveBook(), self.answer)

    def answer(self, message: Order, exch_ts: int) -> None:
        self.responses.send(message, exch_ts + self.latency.response(exch_ts))

    def request(self, record: Order, req: int, now: int) -> None:
        """Send a copy of a record; a negative entry latency sends it back without the exchange (spec B3.4)."""
        message = record.copy()
        message.is_execution = message.is_technical = False
        latency = self.latency.entry(req, now)
        if latency >= 0:
            self.requests.send(message, now + latency)
            return
        message.req, message.is_technical = REJECTED, True
        if req == REPLACED:
            message.price_tick, message.order_lots = record.prior
        self.responses.send(message, now - latency)

    # --- the four sources (spec B1.5) ---------------------------------------------------------------------------------
    def next_times(self) -> list[tuple[int, int]]:
        """Return (time, source) of the next event of each source that has one."""
        times = []
        if self.local_rows:
            times.append((self.local_rows[0].local_ts, LOCAL_ROW))
        # What is due at the end of time never is: it counts as nothing pending (spec B1.5).
        if self.responses.queue and self.responses.due_ts < INT64_MAX:
            times.append((self.responses.due_ts, RESPONSE))
        if self.exchange_rows:
            times.append((self.exchange_rows[0].exch_ts, EXCHANGE_ROW))
        if self.requests.queue and self.requests.due_ts < INT64_MAX:
            times.append((self.requests.due_ts, REQUEST))
        return times


class Event(NamedTuple):
    """The next event: when, of which asset, and of which of its four sources."""

    ts: int
    asset_no: int
    source: int


class NaiveEngine:
    """The strategy surface over plain Python (spec B8, B11.3)."""

    def __init__(self, configs: Sequence[AssetConfig]) -> None:
        self.assets = [NaiveAsset(config) for config in configs]
        first = self.next_event()
        self.current_timestamp = INT64_MAX if first is None else first.ts  # whatever is called first (D22)
        self.error_code = 0  # the first error inside the run (D24)

    # --- the run (spec B8.2) ------------------------------------------------------------------------------------------
    def next_event(self) -> Event | None:
        """Return the earliest event; of several at one time that of the smallest asset and source."""
        events = (
            Event(ts, asset_no, source) for asset_no, asset in enumerate(self.assets) for ts, source in asset.next_times()
        )
        return min(events, default=None)

    def go_to(self, until_ts: int, awaited: tuple[int, int] | None = None, *, feed_mode: bool = False) -> int:
        """Process events up to a time, the next feed or the awaited response.

        awaited : (asset, order id), ANY_ORDER for any response; None for none.
        """
        result = OK
        while True:
            event = self.next_event()
            if event is None:
                return END_OF_DATA  # whatever arrived in this call; the clock stays (D23)
            self._pay_funding(min(event.ts - 1, until_ts))
            if event.ts > until_ts:
                self.current_timestamp = until_ts
                return result
            try:
                answered = self._process(event)
            except RunError as error:  # it is reported once, and its event is not repeated (D24)
                self.error_code = self.error_code or error.code
                return error.code
            if feed_mode and event.source == LOCAL_ROW:
                until_ts, result = event.ts, MARKET_FEED
            is_awaited = awaited is not None and any(
                awaited[1] == ANY_ORDER or awaited == (event.asset_no, order_id) for order_id in answered
            )
            if is_awaited:
                until_ts = event.ts
                result = ORDER_RESPONSE if feed_mode else result

    def _process(self, event: Event) -> list[int]:
        """Process one event and return the ids of the orders that were answered to us."""
        asset = self.assets[event.asset_no]
        answered: list[int] = []
        if event.source == LOCAL_ROW:
            asset.local.on_row(asset.local_rows.popleft())
        elif event.source == EXCHANGE_ROW:
            asset.exchange.on_row(asset.exchange_rows.popleft())
        elif event.source == RESPONSE:
            while asset.responses.queue and asset.responses.due_ts == event.ts:
                message = asset.responses.receive()
                answered.append(message.order_id)
                asset.local.on_response(message, event.ts)
        else:
            while asset.requests.queue and asset.requests.due_ts == event.ts:
                asset.exchange.on_request(asset.requests.receive(), event.ts)
        return answered

    def _pay_funding(self, until_ts: int) -> None:
        for asset in self.assets:
            while asset.funding and asset.funding[0].funding_ts <= until_ts:
                asset.local.account.pay_funding(asset.funding.pop(0))

    def _later(self, duration: int) -> int:
        return min(self.current_timestamp + duration, INT64_MAX)  # D20

    # --- time (spec B8.3) ---------------------------------------------------------------------------------------------
    def elapse(self, duration: int) -> int:
        if duration < 0:
            return INVALID_ORDER_REQUEST  # D21
        return self.go_to(self._later(duration))

    def elapse_bt(self, duration: int) -> int:
        return self.elapse(duration)

    def wait_order_response(self, asset_no: int, order_id: int, timeout: int) -> int:
        if timeout < 0:
            return INVALID_ORDER_REQUEST
        return self.go_to(self._later(timeout), (asset_no, order_id))

    def wait_next_feed(self, include_order_resp: bool, timeout: int) -> int:
        if timeout < 0:
            return INVALID_ORDER_REQUEST
        awaited = (0, ANY_ORDER) if include_order_resp else None
        return self.go_to(self._later(timeout), awaited, feed_mode=True)

    def _goto_end(self) -> int:
        return self.go_to(INT64_MAX)

    # --- orders (spec B3.3) -------------------------------------------------------------------------------------------
    def submit_buy_order(self, asset_no: int, order_id: int, *order: Any) -> int:
        return self._submit(asset_no, order_id, BUY, *order)

    def submit_sell_order(self, asset_no: int, order_id: int, *order: Any) -> int:
        return self._submit(asset_no, order_id, SELL, *order)

    def _submit(
        self, asset_no: int, order_id: int, side: int, price: float, qty: float, tif: int, order_type: int, wait: bool
    ) -> int:
        order = Order(order_id, side, 0, 0, 0, tif, order_type)
        code = self.assets[asset_no].local.submit(order, price, qty, self.current_timestamp)
        return self._request(code, asset_no, order_id, NEW, wait)

    def modify(self, asset_no: int, order_id: int, price: float, qty: float, wait: bool) -> int:
        code = self.assets[asset_no].local.modify(order_id, price, qty, self.current_timestamp)
        return self._request(code, asset_no, order_id, REPLACED, wait)

    def cancel(self, asset_no: int, order_id: int, wait: bool) -> int:
        code = self.assets[asset_no].local.cancel(order_id, self.current_timestamp)
        return self._request(code, asset_no, order_id, CANCELED, wait)

    def _request(self, code: int, asset_no: int, order_id: int, req: int, wait: bool) -> int:
        if code != OK:
            return code
        asset = self.assets[asset_no]
        asset.request(asset.local.orders[order_id], req, self.current_timestamp)
        return self.go_to(INT64_MAX, (asset_no, order_id)) if wait else OK

    # --- what is seen (spec B2.4, B3.6, B3.7, B11.4) ------------------------------------------------------------------
    def depth(self, asset_no: int) -> Depth:
        asset = self.assets[asset_no]
        return Depth(asset.local.book, asset.grid, asset.config.tick_range)

    def free_balances(self, asset_no: int) -> tuple[int, int]:
        """What is free of the (base, quote) currency, in lots and units of cash; nothing without balances."""
        exchange = self.assets[asset_no].exchange
        return (0, 0) if exchange.balances is None else exchange.balances.free(exchange.resting.values())

    def orders(self, asset_no: int) -> OrderViews:
        return OrderViews(self.assets[asset_no].local.orders, self.assets[asset_no].grid)

    def position(self, asset_no: int) -> float:
        asset = self.assets[asset_no]
        return asset.grid.quantity(asset.local.account.position_lots)

    def state_values(self, asset_no: int) -> StateValues:
        return state_values(self.account(asset_no), self.assets[asset_no].grid)

    def account(self, asset_no: int) -> Account:
        """Position and money, exactly."""
        return self.assets[asset_no].local.account

    def last_trades(self, asset_no: int) -> list[Row]:
        return list(self.assets[asset_no].local.trades)

    def queue_ahead(self, asset_no: int, order_id: int) -> float:
        local = self.assets[asset_no].local
        assert local.queues is not None
        return local.queues.queue_ahead(local.orders.get(order_id), list(local.orders.values()))

    def feed_latency(self, asset_no: int) -> tuple[int, int] | None:
        return self.assets[asset_no].local.feed_latency

    def order_latency(self, asset_no: int) -> tuple[int, int, int] | None:
        return self.assets[asset_no].local.order_latency

    def clear_last_trades(self, asset_no: int) -> None:
        for asset in self._chosen(asset_no):
            asset.local.trades.clear()

    def clear_inactive_orders(self, asset_no: int) -> None:
        for asset in self._chosen(asset_no):
            asset.local.clear_inactive_orders()

    def _chosen(self, asset_no: int) -> list[NaiveAsset]:
        return self.assets if asset_no == ALL_ASSETS else [self.assets[asset_no]]
