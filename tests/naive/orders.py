"""An order: the local record, the exchange's record and the message between them have the same fields (spec B3.1)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

from queuefront.core.enums import BUY, FILLED, NEW, NONE, PARTIALLY_FILLED

__all__ = ["Order"]


@dataclass
class Order:
    """One order of ours."""

    order_id: int
    side: int
    price_tick: int
    order_lots: int
    leaves_lots: int
    time_in_force: int
    order_type: int
    local_ts: int = 0
    exch_ts: int = 0
    exec_lots: int = 0
    exec_price_tick: int = 0
    is_maker: bool = False
    req: int = NONE
    status: int = NONE
    arrival_qty_ahead: float = math.nan
    # When it came to rest: how many rows the exchange had consumed (-1: it does not), by which request, and what the market
    # had at its price: all lots, the quantity ahead, in a market by order the lots of each order.
    rest_row: int = -1
    rest_no: int = 0
    rest_lots: int = 0
    rest_front: float = math.nan
    rest_ahead: tuple[tuple[int, int], ...] = ()
    # The row that executed it last, or how many rows the exchange had consumed at our last request.
    acted_row: int = 0
    # In a message: it reports one execution; it was refused on the way and the exchange never saw it.
    is_execution: bool = False
    is_technical: bool = False
    # In the local record: price and quantity before the pending modify (D10).
    prior: tuple[int, int] = (0, 0)

    @property
    def is_buy(self) -> bool:
        return self.side == BUY

    @property
    def is_cancellable(self) -> bool:
        return self.status in (NEW, PARTIALLY_FILLED) and self.req == NONE

    def copy(self) -> Order:
        return copy.copy(self)

    def execute(self, tick: int, lots: int, exch_ts: int, *, is_maker: bool) -> None:
        """Note one execution (spec B4.5)."""
        self.is_maker = is_maker
        self.exec_price_tick, self.exec_lots = tick, lots
        self.leaves_lots -= lots
        self.status = PARTIALLY_FILLED if self.leaves_lots > 0 else FILLED
        self.exch_ts = exch_ts
