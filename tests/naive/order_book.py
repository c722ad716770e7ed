"""A slow, obvious market by order: a dictionary of orders over a dictionary book, written from spec B2.9.

Orders outside of the range are remembered without weight (spec D18 mended). A level that loses or gains quantity by a
modify or delete keeps its place, hidden or not, unless nothing is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queuefront.core.enums import BUY
from tests.naive.book import NaiveBook

__all__ = ["NaiveOrders"]


@dataclass
class NaiveOrders:
    low_tick: int
    high_tick: int
    book: NaiveBook = field(default_factory=NaiveBook)
    orders: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def add_order(self, order_id: int, side: int, tick: int, lots: int) -> bool:
        if order_id in self.orders or lots <= 0:
            return False
        self.orders[order_id] = (side, tick, lots)
        self._insert(side, tick, lots)
        return True

    def modify_order(self, order_id: int, tick: int, lots: int) -> bool:
        if order_id not in self.orders or lots <= 0:
            return False
        side, old_tick, old_lots = self.orders[order_id]
        self.orders[order_id] = (side, tick, lots)
        if tick == old_tick:
            self._change(side, tick, lots - old_lots)
        else:
            self._change(side, old_tick, -old_lots)
            self._insert(side, tick, lots)
        return True

    def delete_order(self, order_id: int) -> bool:
        if order_id not in self.orders:
            return False
        side, tick, lots = self.orders.pop(order_id)
        self._change(side, tick, -lots)
        return True

    def clear(self, side: int) -> None:
        self.orders = {i: order for i, order in self.orders.items() if order[0] != side}
        if side == BUY:
            self.book.clear_bids()
        else:
            self.book.clear_asks()

    def _is_inside(self, tick: int) -> bool:
        return self.low_tick <= tick <= self.high_tick

    def _insert(self, side: int, tick: int, lots: int) -> None:
        if self._is_inside(tick):
            levels, setter = (self.book.bids, self.book.set_bid) if side == BUY else (self.book.asks, self.book.set_ask)
            setter(tick, levels.get(tick, 0) + lots)

    def _change(self, side: int, tick: int, lots: int) -> None:
        if not self._is_inside(tick):
            return
        levels, setter = (self.book.bids, self.book.set_bid) if side == BUY else (self.book.asks, self.book.set_ask)
        if levels[tick] + lots > 0:
            levels[tick] += lots
        else:
            setter(tick, 0)
