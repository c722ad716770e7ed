"""What a strategy reads: the depth, the orders, position and money, under the names of the strategy surface."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from queuefront.bot import StateValues
from queuefront.core.enums import BUY, NO_ASK_TICK, NO_BID_TICK, SELL
from tests.naive.book import NaiveBook
from tests.naive.grid import Grid
from tests.naive.market import lots_at
from tests.naive.money import Account
from tests.naive.orders import Order

__all__ = ["Depth", "OrderView", "OrderViews", "state_values"]


@dataclass(frozen=True)
class Depth:
    """The local book (spec B2.4)."""

    book: NaiveBook
    grid: Grid
    range: tuple[int, int] | None = None  # of ticks that the book holds

    @property
    def best_bid_tick(self) -> int:
        return self.book.best_bid_tick

    @property
    def best_ask_tick(self) -> int:
        return self.book.best_ask_tick

    @property
    def best_bid(self) -> float:
        return math.nan if self.best_bid_tick == NO_BID_TICK else self.best_bid_tick * self.grid.tick_size

    @property
    def best_ask(self) -> float:
        return math.nan if self.best_ask_tick == NO_ASK_TICK else self.best_ask_tick * self.grid.tick_size

    @property
    def best_bid_qty(self) -> float:
        return self.grid.quantity(lots_at(self.book, BUY, self.best_bid_tick))

    @property
    def best_ask_qty(self) -> float:
        return self.grid.quantity(lots_at(self.book, SELL, self.best_ask_tick))

    def bid_qty_at_tick(self, tick: int) -> float:
        return self._qty_at(BUY, tick)

    def ask_qty_at_tick(self, tick: int) -> float:
        return self._qty_at(SELL, tick)

    def _qty_at(self, side: int, tick: int) -> float:
        if self.range is not None and not self.range[0] <= tick <= self.range[1]:
            return math.nan
        return self.grid.quantity(lots_at(self.book, side, tick))


class OrderView:
    """One order as the strategy reads it."""

    def __init__(self, order: Order, grid: Grid) -> None:
        self.order_id = order.order_id
        self.side, self.order_type, self.time_in_force = order.side, order.order_type, order.time_in_force
        self.price_tick, self.price = order.price_tick, order.price_tick * grid.tick_size
        self.qty, self.leaves_qty = grid.quantity(order.order_lots), grid.quantity(order.leaves_lots)
        self.exec_qty = grid.quantity(order.exec_lots)
        self.exec_price_tick, self.exec_price = order.exec_price_tick, order.exec_price_tick * grid.tick_size
        self.maker = order.is_maker
        self.status, self.req = order.status, order.req
        self.exch_timestamp, self.local_timestamp = order.exch_ts, order.local_ts
        self.cancellable = order.is_cancellable
        self.tick_size, self.lot_size = grid.tick_size, grid.lot_size


@dataclass(frozen=True)
class OrderViews:
    """Our orders, oldest first."""

    records: dict[int, Order]
    grid: Grid

    def get(self, order_id: int) -> OrderView | None:
        return OrderView(self.records[order_id], self.grid) if order_id in self.records else None

    def __contains__(self, order_id: int) -> bool:
        return order_id in self.records

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[OrderView]:
        return (OrderView(order, self.grid) for order in self.records.values())


def state_values(account: Account, grid: Grid) -> StateValues:
    """Return position and money as floats."""
    return StateValues(
        grid.quantity(account.position_lots),
        float(account.cash),
        float(account.fee),
        account.num_trades,
        grid.quantity(account.volume_lots),
        float(account.value),
    )
