"""The local half of one asset: what we know, when we know it (spec B3), with D1, D5, D6, D10, D34 and D41 mended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from queuefront.core.enums import (
    CANCELED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTX,
    INVALID_ORDER_REQUEST,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    NONE,
    OK,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    REJECTED,
    REPLACED,
    REQUEST_IN_PROGRESS,
    TRADE_EVENT,
)
from tests.naive.book import NaiveBook
from tests.naive.grid import Grid, Row
from tests.naive.market import apply_row, sets_level
from tests.naive.money import Account
from tests.naive.orders import Order
from tests.naive.queue_view import QueueView

__all__ = ["LocalHalf"]


@dataclass
class LocalHalf:
    """Book, orders, money and latencies as the strategy sees them."""

    grid: Grid
    account: Account
    last_trades_capacity: int = 0
    book: NaiveBook = field(default_factory=NaiveBook)
    orders: dict[int, Order] = field(default_factory=dict)  # in the order of insertion (D8)
    trades: list[Row] = field(default_factory=list)
    feed_latency: tuple[int, int] | None = None
    order_latency: tuple[int, int, int] | None = None
    queues: QueueView | None = None
    range: tuple[int, int] | None = None  # of ticks that the book holds

    # --- the market (spec B1.3, B3.7) ---------------------------------------------------------------------------------
    def on_row(self, row: Row) -> None:
        """Process one local row; every one of them, of whatever kind, is a feed."""
        self.feed_latency = (row.exch_ts, row.local_ts)
        if row.kind == TRADE_EVENT and self.last_trades_capacity > 0:
            self.trades.append(row)
        if self.queues is not None:
            self.queues.rows.append(row)
        self.apply(row)

    def apply(self, row: Row) -> None:
        if self.range is None or not sets_level(row) or self.range[0] <= self.grid.tick(row.px) <= self.range[1]:
            apply_row(self.book, row, self.grid)

    # --- responses (spec B3.5) ----------------------------------------------------------------------------------------
    def on_response(self, message: Order, now: int) -> None:
        """Process one response that arrives at `now`."""
        if message.exch_ts > 0 and not message.is_technical:  # D6
            self.order_latency = (message.local_ts, message.exch_ts, now)
        if message.is_execution:  # every execution, once; a refusal is none (D1, D5)
            self.account.book(message, now)
        record = self.orders.get(message.order_id)
        if self.queues is not None and message.req != REJECTED:
            self.queues.on_answer(record, message)
        if message.req == REJECTED:
            if record is not None:
                take_refusal(record, message)
        elif record is None:
            self.orders[message.order_id] = message.copy()
        else:
            take_answer(record, message)

    # --- requests (spec B3.3) -----------------------------------------------------------------------------------------
    def submit(self, order: Order, price: float, qty: float, now: int) -> int:
        """Check a new order and note it; `order` is without price and quantity yet."""
        if order.order_id in self.orders:
            return ORDER_ID_EXISTS
        if order.order_type not in (LIMIT, MARKET) or order.time_in_force not in (GTC, GTX, FOK, IOC):  # D34
            return INVALID_ORDER_REQUEST
        if order.order_type == MARKET and not math.isfinite(price):
            price = 0.0  # it is not used
        if not math.isfinite(price) or not self.grid.is_whole_lots(qty):  # D41
            return INVALID_ORDER_REQUEST
        order.price_tick = self.grid.tick(price)
        order.order_lots = order.leaves_lots = self.grid.lots(qty)
        order.req, order.local_ts = NEW, now
        self.orders[order.order_id] = order
        return OK

    def modify(self, order_id: int, price: float, qty: float, now: int) -> int:
        """Check a modify and note it; the open quantity stays until it is answered."""
        if order_id not in self.orders:
            return ORDER_NOT_FOUND
        record = self.orders[order_id]
        if record.req != NONE:
            return REQUEST_IN_PROGRESS
        if not math.isfinite(price) or not self.grid.is_whole_lots(qty):  # D41
            return INVALID_ORDER_REQUEST
        record.prior = (record.price_tick, record.order_lots)
        record.price_tick, record.order_lots = self.grid.tick(price), self.grid.lots(qty)
        record.req, record.local_ts = REPLACED, now
        return OK

    def cancel(self, order_id: int, now: int) -> int:
        """Check a cancel and note it; the status does not matter (D5)."""
        if order_id not in self.orders:
            return ORDER_NOT_FOUND
        record = self.orders[order_id]
        if record.req != NONE:
            return REQUEST_IN_PROGRESS
        record.req, record.local_ts = CANCELED, now
        return OK

    def clear_inactive_orders(self) -> None:
        """Forget what is over; unconfirmed orders stay (spec B3.7, D38)."""
        over = (EXPIRED, FILLED, CANCELED)
        self.orders = {order_id: order for order_id, order in self.orders.items() if order.status not in over}


def take_refusal(record: Order, message: Order) -> None:
    """Undo a refused request, unless a later one took its place (spec B3.5 step 4, D10)."""
    if message.local_ts != record.local_ts:
        return
    if record.req == NEW:
        record.status = EXPIRED
    elif record.req == REPLACED:
        record.price_tick, record.order_lots = record.prior
    record.req = NONE


def take_answer(record: Order, message: Order) -> None:
    """Take over what the exchange says; the time of our own last request stays (spec B3.5 step 4)."""
    record.order_lots, record.leaves_lots, record.price_tick = message.order_lots, message.leaves_lots, message.price_tick
    record.side, record.time_in_force, record.order_type = message.side, message.time_in_force, message.order_type
    record.status, record.req = message.status, message.req
    record.exec_lots, record.exec_price_tick, record.is_maker = message.exec_lots, message.exec_price_tick, message.is_maker
    record.arrival_qty_ahead = message.arrival_qty_ahead
    record.rest_row, record.rest_no, record.rest_lots = message.rest_row, message.rest_no, message.rest_lots
    record.rest_front, record.rest_ahead = message.rest_front, message.rest_ahead
    if message.exch_ts > 0:
        record.exch_ts = message.exch_ts
