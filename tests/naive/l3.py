"""A market of single orders and its exchange, first in, first out (spec B2.9, B4.11), with D25, D26 and D53 mended.

- Each side and tick has one queue that holds the market's orders and ours. Ours fill completely, whatever a trade's size.
- Rows of unknown or duplicate orders stop the run with 12 or 10, or are skipped and counted (D25). A stopped run reports
  the code once; the row is not repeated (D24).
- A modify of ours that moves is placed anew: it may cross (D26).
- A market order that fills at a price proves that everything better priced was gone: our orders priced better than the fill
  fill first, then those ahead of the market's order in its queue (D53). The market's order stays until its own next row.
- A better best price of the market fills our orders on the other side that it reaches. No order of ours can rest at or
  through the best before that, so the lower bound of the specification's range makes no difference.
- A clear empties a side whatever its price, and expires our orders there: the FIFO is gone.
- Depth and trade rows move nothing. A modify to the same tick changes the level's quantity and never the best price, not
  even to zero. A row without a side bit does nothing, except a clear, which then clears both sides.
- `arrival_qty_ahead` is the market's quantity at our tick when we arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    FILL_EVENT,
    MODIFY_ORDER_EVENT,
    NONE,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    SELL,
)
from tests.naive.book import NaiveBook
from tests.naive.exchange import NoPartialFillExchange, crosses, opposite
from tests.naive.grid import Grid, Row, RunError
from tests.naive.local import LocalHalf
from tests.naive.orders import Order
from tests.naive.queue import QueueModel

__all__ = ["L3Book", "L3Exchange", "L3LocalHalf", "MarketOrder"]


class MarketOrder(NamedTuple):
    """An order of the market's."""

    side: int
    tick: int
    lots: int


@dataclass
class L3Book(NaiveBook):
    """The L2 book plus the market's orders by id (spec B2.9)."""

    market_orders: dict[int, MarketOrder] = field(default_factory=dict)

    def find(self, order_id: int) -> MarketOrder:
        if order_id not in self.market_orders:
            raise RunError(ORDER_NOT_FOUND)
        return self.market_orders[order_id]

    def add(self, order_id: int, order: MarketOrder) -> None:
        if order_id in self.market_orders:
            raise RunError(ORDER_ID_EXISTS)
        self.market_orders[order_id] = order
        if order.side == BUY:
            self.set_bid(order.tick, self.bids.get(order.tick, 0) + order.lots)
        else:
            self.set_ask(order.tick, self.asks.get(order.tick, 0) + order.lots)

    def delete(self, order_id: int) -> MarketOrder:
        order = self.find(order_id)
        del self.market_orders[order_id]
        levels = self.bids if order.side == BUY else self.asks
        lots = levels.get(order.tick, 0) - order.lots
        if lots > 0:
            levels[order.tick] = lots  # a smaller level is no news: a hidden one stays hidden
        elif order.side == BUY:
            self.set_bid(order.tick, 0)
        else:
            self.set_ask(order.tick, 0)
        return order

    def modify(self, order_id: int, tick: int, lots: int) -> MarketOrder:
        """Return the order as it was."""
        order = self.find(order_id)
        if tick == order.tick:
            levels = self.bids if order.side == BUY else self.asks
            levels[tick] = levels.get(tick, 0) + lots - order.lots
            self.market_orders[order_id] = order._replace(lots=lots)
        else:
            self.delete(order_id)
            self.add(order_id, MarketOrder(order.side, tick, lots))
        return order

    def clear(self, side: int) -> None:
        if side == BUY:
            self.clear_bids()
        else:
            self.clear_asks()
        self.market_orders = {i: order for i, order in self.market_orders.items() if order.side != side}


def cleared_sides(row: Row) -> tuple[int, ...]:
    return (BUY, SELL) if row.side == NONE else (row.side,)


@dataclass
class L3LocalHalf(LocalHalf):
    """The local half over an L3 book; orders and money as in L2."""

    skips_gaps: bool = False
    gap_count: int = 0

    def apply(self, row: Row) -> None:
        try:
            apply_order_row(self.book, row, self.grid)  # type: ignore[arg-type]
        except RunError:
            if not self.skips_gaps:
                raise
            self.gap_count += 1


def apply_order_row(book: L3Book, row: Row, grid: Grid) -> None:
    """Apply a row to a book; fills, trades and depth rows change nothing."""
    if row.kind == DEPTH_CLEAR_EVENT:
        for side in cleared_sides(row):
            book.clear(side)
    elif row.side == NONE:
        return
    elif row.kind == ADD_ORDER_EVENT:
        book.add(row.order_id, MarketOrder(row.side, grid.tick(row.px), grid.lots(row.qty)))
    elif row.kind == CANCEL_ORDER_EVENT:
        book.delete(row.order_id)
    elif row.kind == MODIFY_ORDER_EVENT:
        book.modify(row.order_id, grid.tick(row.px), grid.lots(row.qty))


class Entry(NamedTuple):
    """A place in a queue: an order of the market's or of ours."""

    is_own: bool
    order_id: int


class L3Exchange(NoPartialFillExchange):
    """The exchange with a queue at each side and tick."""

    book: L3Book

    def __init__(self, grid: Grid, send: Callable[[Order, int], None], *, skips_gaps: bool = False) -> None:
        super().__init__(grid, QueueModel(), L3Book(), send)
        self.fifos: dict[tuple[int, int], list[Entry]] = {}
        self.skips_gaps = skips_gaps
        self.gap_count = 0

    def fifo(self, side: int, tick: int) -> list[Entry]:
        return self.fifos.setdefault((side, tick), [])

    # --- our orders ---------------------------------------------------------------------------------------------------
    def rest(self, order: Order, now: int) -> None:
        queue = self.fifo(order.side, order.price_tick)
        market = [entry.order_id for entry in queue if not entry.is_own]
        order.rest_ahead = tuple((order_id, self.book.market_orders[order_id].lots) for order_id in market)
        super().rest(order, now)
        queue.append(Entry(is_own=True, order_id=order.order_id))

    def leave(self, order: Order) -> None:
        super().leave(order)
        self.fifo(order.side, order.price_tick).remove(Entry(is_own=True, order_id=order.order_id))

    # --- the market's rows --------------------------------------------------------------------------------------------
    def on_row(self, row: Row) -> None:
        try:
            self.on_order_row(row)
        except RunError:
            if not self.skips_gaps:
                raise
            self.gap_count += 1

    def on_order_row(self, row: Row) -> None:
        if row.kind == DEPTH_CLEAR_EVENT:
            for side in cleared_sides(row):
                self.on_clear(side, row.exch_ts)
        elif row.side == NONE:
            return
        elif row.kind == ADD_ORDER_EVENT:
            self.on_add(row)
        elif row.kind == CANCEL_ORDER_EVENT:
            order = self.book.delete(row.order_id)
            self.fifo(order.side, order.tick).remove(Entry(is_own=False, order_id=row.order_id))
        elif row.kind == MODIFY_ORDER_EVENT:
            self.on_modify(row)
        elif row.kind == FILL_EVENT:
            self.on_fill(row)

    def on_add(self, row: Row) -> None:
        best_before = self.best(row.side)
        tick = self.grid.tick(row.px)
        self.book.add(row.order_id, MarketOrder(row.side, tick, self.grid.lots(row.qty)))
        self.fifo(row.side, tick).append(Entry(is_own=False, order_id=row.order_id))
        self.fill_if_better(row.side, best_before, row.exch_ts)

    def on_modify(self, row: Row) -> None:
        """Move the order to the tail if its tick changed or its quantity grew; the side is the stored order's."""
        side = self.book.find(row.order_id).side
        best_before = self.best(side)
        tick, lots = self.grid.tick(row.px), self.grid.lots(row.qty)
        before = self.book.modify(row.order_id, tick, lots)
        if tick != before.tick or lots > before.lots:
            entry = Entry(is_own=False, order_id=row.order_id)
            self.fifo(side, before.tick).remove(entry)
            self.fifo(side, tick).append(entry)
        self.fill_if_better(side, best_before, row.exch_ts)

    def fill_if_better(self, side: int, best_before: int, now: int) -> None:
        """Fill our orders on the other side that a better best price reaches."""
        best = self.best(side)
        if best > best_before if side == BUY else best < best_before:
            for order in self.by_priority(opposite(side)):
                if crosses(order, best):
                    self.execute_resting(order, order.leaves_lots, now)

    def on_fill(self, row: Row) -> None:
        """Fill our orders priced better than the fill, then those ahead in the filled order's queue (D53)."""
        filled = self.book.find(row.order_id)
        price = self.grid.tick(row.px)
        for order in self.by_priority(filled.side):
            if order.price_tick > price if order.is_buy else order.price_tick < price:
                self.execute_resting(order, order.leaves_lots, row.exch_ts)
        queue = list(self.fifo(filled.side, filled.tick))
        ahead = queue[: queue.index(Entry(is_own=False, order_id=row.order_id))]
        for entry in ahead:
            if entry.is_own:
                order = self.resting[entry.order_id]
                self.execute_resting(order, order.leaves_lots, row.exch_ts)

    def on_clear(self, side: int, now: int) -> None:
        """Empty a side, and expire our orders there (spec B4.10)."""
        self.book.clear(side)
        for order in self.by_priority(side):
            self.leave(order)
            order.leaves_lots = order.exec_lots = 0
            order.is_maker = False
            self.expire(order, now)
        for key in [key for key in self.fifos if key[0] == side]:
            del self.fifos[key]
