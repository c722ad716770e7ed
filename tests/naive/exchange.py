"""The two L2 exchanges, one row and one request at a time (spec B4), with D2, D3, D4, D6, D8 and D15 mended.

Our orders do not change the book, never trade with each other, and each sees the full quantity of every trade (D27). Orders
that one event reaches are visited in price-time priority (D8). Every execution is answered by a message of its own (D2).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from queuefront.core.enums import (
    BUY,
    CANCELED,
    EXPIRED,
    FOK,
    GTC,
    GTX,
    INVALID_ORDER_REQUEST,
    IOC,
    MARKET,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    NONE,
    ORDER_ID_EXISTS,
    REJECTED,
    REPLACED,
    SELL,
    TRADE_EVENT,
)
from tests.naive.balances import Balances
from tests.naive.book import NaiveBook
from tests.naive.grid import Grid, Row, RunError
from tests.naive.market import apply_row, lots_at, sets_level
from tests.naive.orders import Order
from tests.naive.queue import QueueModel, QueuePosition

__all__ = ["Exchange", "NoPartialFillExchange", "PartialFillExchange", "opposite"]

MARKET_BUY_TICKS = 99  # a MARKET order walks so many ticks beyond the best (spec B4.4, D27)
MARKET_SELL_TICKS = 100


def opposite(side: int) -> int:
    return SELL if side == BUY else BUY


class Exchange:
    """What the exchanges share; `send(message, exch_ts)` takes the answers."""

    def __init__(self, grid: Grid, queue: QueueModel, book: NaiveBook, send: Callable[[Order, int], None]) -> None:
        self.grid = grid
        self.queue = queue
        self.book = book
        self.send = send
        self.resting: dict[int, Order] = {}  # in the order in which they queued
        self.positions: dict[int, QueuePosition] = {}
        self.balances: Balances | None = None  # spot: orders that they do not cover expire
        self.range: tuple[int, int] | None = None  # of ticks that the book holds; all of them if None
        self.next_row: Callable[[], int] = lambda: 0  # how many rows of the tape were consumed
        self.row_index = 0  # of the row that is being processed
        self.request_count = 0

    # --- what the exchanges do differently ----------------------------------------------------------------------------
    def take(self, order: Order, best: int, now: int) -> None:
        """Execute a marketable order against the book."""
        raise NotImplementedError

    def fill_at_price(self, order: Order, lots: int, now: int) -> None:
        """Execute a resting order of whose price `lots` traded beyond its queue."""
        raise NotImplementedError

    # --- the market (spec B4.6, B4.7) ---------------------------------------------------------------------------------
    def on_row(self, row: Row) -> None:
        """Process one exchange row."""
        self.row_index = row.index
        if sets_level(row):
            self.on_level(row)
        elif row.kind == TRADE_EVENT and row.side != NONE:
            self.on_trade(row)
        else:
            apply_row(self.book, row, self.grid)  # a clear fills nobody and moves no queue

    def on_level(self, row: Row) -> None:
        """Update the book, then the queue at that price, then fill what a better best price reaches (spec B4.6)."""
        side, tick = row.side, self.grid.tick(row.px)
        if not self.holds(tick):  # orders of ours there hear of it all the same: from nothing to the new quantity
            for order in self.resting.values():
                if order.side == side and order.price_tick == tick:
                    self.positions[order.order_id].depth(0.0, row.qty)
            return
        best_before, lots_before = self.best(side), lots_at(self.book, side, tick)
        apply_row(self.book, row, self.grid)
        for order in self.resting.values():
            if order.side == side and order.price_tick == tick:
                self.positions[order.order_id].depth(self.grid.quantity(lots_before), row.qty)
        rose = self.best(side) > best_before if side == BUY else self.best(side) < best_before
        if rose:
            self.on_better_best(row)

    def holds(self, tick: int) -> bool:
        return self.range is None or self.range[0] <= tick <= self.range[1]

    def front_of(self, order: Order, lots: int) -> float:
        """Return what is ahead where so many lots rest; outside of a bounded book nobody knows."""
        return self.grid.quantity(lots) if self.holds(order.price_tick) else math.nan

    def on_better_best(self, row: Row) -> None:
        """Execute completely, as makers, the orders of the other side that the new best price reaches."""
        for order in self.by_priority(opposite(row.side)):
            if crosses(order, self.best(row.side)):
                self.execute_resting(order, order.leaves_lots, row.exch_ts)

    def on_trade(self, row: Row) -> None:
        """Execute the orders that a trade reaches (spec B4.7).

        A buyer reaches our SELL orders with best bid < price <= trade, a seller our BUY orders with trade <= price < best
        ask. Better-priced ones execute completely, those at the trade's price by their queue.
        """
        tick = self.grid.tick(row.px)
        for order in self.by_priority(opposite(row.side)):
            price = order.price_tick
            if row.side == BUY:
                is_reached = self.book.best_bid_tick < price <= tick
            else:
                is_reached = tick <= price < self.book.best_ask_tick
            if is_reached and price != tick:
                self.execute_resting(order, order.leaves_lots, row.exch_ts)
            elif is_reached:
                position = self.positions[order.order_id]
                position.trade(row.qty)
                lots = position.filled_lots(self.grid.lot_size)
                if lots > 0:
                    self.fill_at_price(order, lots, row.exch_ts)

    def best(self, side: int) -> int:
        return self.book.best_bid_tick if side == BUY else self.book.best_ask_tick

    def by_priority(self, side: int) -> list[Order]:
        """Return our resting orders of a side by price, and by time within a price (D8)."""
        orders = [order for order in self.resting.values() if order.side == side]
        return sorted(orders, key=lambda order: -side * order.price_tick)

    # --- requests (spec B4.2) -----------------------------------------------------------------------------------------
    def on_request(self, request: Order, now: int) -> None:
        """Process one request; it is answered at once."""
        what, request.req = request.req, NONE
        self.request_count += 1
        request.acted_row = self.next_row()
        request.is_execution = False
        if what == NEW:
            self.place(request, now)
        elif what == CANCELED:
            self.cancel(request, now)
        elif what == REPLACED:
            self.modify(request, now)
        else:
            raise RunError(INVALID_ORDER_REQUEST)

    def place(self, order: Order, now: int) -> None:
        """Fill, rest or expire a new order (spec B4.3)."""
        order.rest_row = -1
        if order.order_id in self.resting:
            raise RunError(ORDER_ID_EXISTS)
        best = self.best(opposite(order.side))
        is_market = order.order_type == MARKET
        takes = is_market or crosses(order, best)
        if is_market:
            is_refused = best in (NO_BID_TICK, NO_ASK_TICK)  # D15
        else:
            is_refused = order.time_in_force == GTX if takes else order.time_in_force in (FOK, IOC)
        if is_refused or not self.covers(order, best if is_market else order.price_tick):
            self.expire(order, now)
        elif takes:
            self.take(order, best, now)
        else:
            self.rest(order, now)

    def covers(self, order: Order, tick: int) -> bool:
        return self.balances is None or self.balances.covers(order, tick, self.resting.values())

    def cancel(self, request: Order, now: int) -> None:
        """Answer with the exchange's own record, and with the time of the cancel's request (spec B4.8, D6)."""
        if request.order_id not in self.resting:
            self.refuse(request, now)
            return
        order = self.resting[request.order_id]
        self.leave(order)
        order.status, order.exch_ts, order.local_ts = CANCELED, now, request.local_ts
        order.acted_row = request.acted_row
        self.respond(order, now)

    def modify(self, request: Order, now: int) -> None:
        """Change an order in place, or place it anew; the quantity asked for is the open one in both cases (B4.9, D4)."""
        if request.order_id not in self.resting:
            self.refuse(request, now)
            return
        order = self.resting[request.order_id]
        request.leaves_lots = request.order_lots
        if request.price_tick != order.price_tick or request.order_lots > order.leaves_lots:
            self.leave(order)
            self.place(request, now)
            return
        order.order_lots = order.leaves_lots = request.order_lots
        order.exch_ts = now
        answer = order.copy()  # the record keeps the time of its placement (D7)
        answer.local_ts = request.local_ts
        self.respond(answer, now)

    # --- what happens to an order (spec B4.5, B4.10) ------------------------------------------------------------------
    def rest(self, order: Order, now: int) -> None:
        """Queue an order behind what the book holds at its price, hidden quantity included."""
        order.arrival_qty_ahead = self.front_of(order, lots_at(self.book, order.side, order.price_tick))
        order.status, order.exch_ts = NEW, now
        self.positions[order.order_id] = QueuePosition(self.queue, order.arrival_qty_ahead)
        self.note_rest(order, order.arrival_qty_ahead)
        self.resting[order.order_id] = order
        self.respond(order, now)

    def note_rest(self, order: Order, front: float) -> None:
        """Let the order say what it finds where it comes to rest."""
        order.rest_row, order.rest_no, order.rest_front = self.next_row(), self.request_count, front
        order.rest_lots = lots_at(self.book, order.side, order.price_tick)

    def leave(self, order: Order) -> None:
        """Take an order out of the exchange."""
        del self.resting[order.order_id], self.positions[order.order_id]

    def execute_resting(self, order: Order, lots: int, now: int) -> None:
        """Execute as a maker at the order's own price; an order of which nothing is left leaves (D3)."""
        order.execute(order.price_tick, lots, now, is_maker=True)
        order.acted_row = self.row_index
        if order.leaves_lots == 0:
            self.leave(order)
        self.respond(order, now, is_execution=True)

    def execute_taker(self, order: Order, tick: int, lots: int, now: int) -> None:
        """Execute one leg of a marketable order; it is answered by itself (D2)."""
        order.execute(tick, lots, now, is_maker=False)
        self.respond(order, now, is_execution=True)

    def expire(self, order: Order, now: int, *, had_legs: bool = False) -> None:
        """End an order, or what its legs left of it: then the answer names no executed quantity (D2)."""
        if had_legs:
            order.exec_lots = 0
        order.status, order.exch_ts = EXPIRED, now
        self.respond(order, now)

    def refuse(self, request: Order, now: int) -> None:
        """Answer a request on an order that does not rest here."""
        request.req, request.exch_ts = REJECTED, now
        self.respond(request, now)

    def respond(self, order: Order, now: int, *, is_execution: bool = False) -> None:
        message = order.copy()
        message.is_execution = is_execution
        self.tell(message, now)

    def tell(self, message: Order, now: int) -> None:
        """Send an answer; what it reports as executed has changed hands."""
        if message.is_execution and self.balances is not None:
            self.balances.note(message)
        self.send(message, now)


def crosses(order: Order, best: int) -> bool:
    """Whether an order's price reaches the best price of the other side; a side without quantity has none to reach."""
    if best in (NO_BID_TICK, NO_ASK_TICK):
        return False
    return order.price_tick >= best if order.is_buy else order.price_tick <= best


class NoPartialFillExchange(Exchange):
    """Orders execute whole, whatever quantity is there (spec B4.3)."""

    def take(self, order: Order, best: int, now: int) -> None:
        self.execute_taker(order, best, order.leaves_lots, now)

    def fill_at_price(self, order: Order, lots: int, now: int) -> None:
        self.execute_resting(order, order.leaves_lots, now)


class PartialFillExchange(Exchange):
    """Orders execute by what they find and by what trades (spec B4.4)."""

    def take(self, order: Order, best: int, now: int) -> None:
        """Walk the levels; then a GTC executes what is left at its limit (D27), all others expire."""
        is_gtc = order.order_type != MARKET and order.time_in_force == GTC
        levels = self.levels_until(order, best, self.last_tick(order, best))
        is_fok = order.order_type != MARKET and order.time_in_force == FOK
        if is_fok and sum(lots for _, lots in levels) < order.leaves_lots:
            self.expire(order, now)
            return
        had_legs = False
        for tick, lots in levels:
            if order.leaves_lots > 0:
                self.execute_taker(order, tick, min(lots, order.leaves_lots), now)
                had_legs = True
        if order.leaves_lots > 0 and is_gtc:
            self.execute_taker(order, order.price_tick, order.leaves_lots, now)
        elif order.leaves_lots > 0:
            self.expire(order, now, had_legs=had_legs)

    def last_tick(self, order: Order, best: int) -> int:
        """Return the last tick that a marketable order looks at; a GTC BUY stops one tick before its limit (D27)."""
        if order.order_type == MARKET:
            return best + MARKET_BUY_TICKS if order.is_buy else best - MARKET_SELL_TICKS
        return order.price_tick - 1 if order.is_buy and order.time_in_force == GTC else order.price_tick

    def levels_until(self, order: Order, best: int, last: int) -> list[tuple[int, int]]:
        """Return (tick, lots) of the other side's levels from the best outwards."""
        if order.is_buy:
            return sorted((t, lots) for t, lots in self.book.asks.items() if best <= t <= last)
        return sorted(((t, lots) for t, lots in self.book.bids.items() if last <= t <= best), reverse=True)

    def fill_at_price(self, order: Order, lots: int, now: int) -> None:
        self.execute_resting(order, min(lots, order.leaves_lots), now)
