"""Where an order of ours stands in its queue, by what has reached us: the strategy's `queue_ahead`.

It begins with what was ahead when the order came to rest, as its answer tells. Of the rows that reached us, those count
that the exchange had not consumed then: they stand in the tape at the first such row or after it, and are no older.

- *Market by price*: the queue model is told each level and each trade at our price. Whoever fills has nobody ahead.
- *Honest liquidity*: our earlier orders at the price, as far as we know them open, are ahead as well, and a trade counts
  less what our orders before this one got of it. A trade through our price leaves nothing of the market ahead. All is
  worked out anew at each look, from the rows and answers that have reached us.
- *Market by order*: what is left of the orders that stood before ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from queuefront.core.enums import (
    BUY,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    MODIFY_ORDER_EVENT,
    NEW,
    NONE,
    PARTIALLY_FILLED,
    REPLACED,
    TRADE_EVENT,
)
from tests.naive.grid import Grid, Row
from tests.naive.market import sets_level
from tests.naive.orders import Order
from tests.naive.queue import QueueModel, QueuePosition

__all__ = ["QueueView"]


class Step(NamedTuple):
    """An execution of ours at its place in a queue, or that an order left its place: then it has no lots."""

    row: int  # of the tape, that executed it; rows that the exchange had consumed when a request took it away
    rest_no: int
    side: int
    tick: int
    lots: int
    leaves_lots: int


@dataclass
class Estimate:
    """What we take to be ahead of one order of the market, and the rows that this knows."""

    rest_no: int
    position: QueuePosition
    level_lots: int
    ahead: dict[int, int]  # market by order: the lots of each order before ours
    known: int = 0  # how many of the rows that reached us


@dataclass
class QueueView:
    """All estimates of one asset."""

    grid: Grid
    model: QueueModel
    tape: Sequence[Row]
    is_honest: bool = False
    is_by_order: bool = False
    range: tuple[int, int] | None = None  # of ticks that the book holds
    rows: list[Row] = field(default_factory=list)  # that reached us
    steps: list[Step] = field(default_factory=list)
    estimates: dict[int, Estimate] = field(default_factory=dict)  # by order id

    def on_answer(self, record: Order | None, message: Order) -> None:
        """Note an answer; `record` is the order as we believed it before."""
        if record is not None and rests(record):
            self._note_step(record, message)
        if rests(message) and message.is_execution and message.is_maker and not self.is_honest:
            self._estimate(message).position.front = 0.0

    def _note_step(self, record: Order, message: Order) -> None:
        keeps_place = message.rest_row >= 0 and message.rest_no == record.rest_no
        place = (message.acted_row, record.rest_no, record.side, rest_tick(record))
        if keeps_place and message.is_execution and message.is_maker:
            self.steps.append(Step(*place, message.exec_lots, message.leaves_lots))
        elif not keeps_place or message.status not in (NEW, PARTIALLY_FILLED):
            self.steps.append(Step(*place, 0, 0))

    def queue_ahead(self, order: Order | None, orders: Sequence[Order]) -> float:
        """Return the quantity ahead of an order. orders : all that we have."""
        if order is None or not rests(order):
            return math.nan
        estimate = self._estimate(order)
        behind = [o for o in orders if is_before(o, order)]
        since_ts = next((row.exch_ts for row in self.tape[order.rest_row :] if row.ev & EXCH_EVENT), 0)
        for row in self.rows[estimate.known :]:
            if self.is_by_order and row.index >= order.rest_row:
                self._tell_order_row(row, order, estimate)
            elif row.index >= order.rest_row and row.exch_ts >= since_ts:
                self._tell_row(row, order, estimate, behind)
        estimate.known = len(self.rows)
        own = sum(o.leaves_lots for o in behind) if self.is_honest else 0
        return max(estimate.position.front, 0.0) + self.grid.quantity(own)

    def _estimate(self, order: Order) -> Estimate:
        estimate = self.estimates.get(order.order_id)
        if estimate is None or estimate.rest_no != order.rest_no or self.is_honest:
            position = QueuePosition(self.model, order.rest_front)
            estimate = Estimate(order.rest_no, position, order.rest_lots, dict(order.rest_ahead))
            self.estimates[order.order_id] = estimate
        return estimate

    def _tell_row(self, row: Row, order: Order, estimate: Estimate, behind: list[Order]) -> None:
        position, tick = estimate.position, rest_tick(order)
        if sets_level(row):
            if (row.side, self.grid.tick(row.px)) == (order.side, tick):
                lots = max(self.grid.lots(row.qty), 0)
                if self.range is not None and not self.range[0] <= tick <= self.range[1]:
                    position.depth(0.0, self.grid.quantity(lots))
                    return
                position.depth(self.grid.quantity(estimate.level_lots), self.grid.quantity(lots))
                estimate.level_lots = lots
        elif row.kind == TRADE_EVENT and row.side == -order.side:
            self._tell_trade(row, order, position, behind)
        elif row.kind == DEPTH_CLEAR_EVENT and row.side in (NONE, order.side):
            clears_all = row.side == NONE or not math.isfinite(row.px)
            if clears_all or order.side * tick >= order.side * self.grid.tick(row.px):
                estimate.level_lots = 0

    def _tell_trade(self, row: Row, order: Order, position: QueuePosition, behind: list[Order]) -> None:
        tick, at = rest_tick(order), self.grid.tick(row.px)
        if at == tick and not self.is_honest:
            position.trade(self.grid.quantity(self.grid.lots(row.qty)))
            position.filled_lots(self.grid.lot_size)
        elif at == tick:
            lots = self.grid.lots(row.qty) - sum(
                step.lots for step in self.steps if step.row == row.index and self._has_priority(step, order)
            )
            position.trade(self.grid.quantity(lots))
            left_later = [s for s in self.steps if s.row > row.index and s.leaves_lots == 0 and s.tick == tick]
            if behind or any(self._has_priority(step, order) for step in left_later):
                position.front = max(position.front, 0.0)
            else:
                position.filled_lots(self.grid.lot_size)
        elif self.is_honest and (at < tick if order.side == BUY else at > tick):
            position.front = 0.0

    def _has_priority(self, step: Step, order: Order) -> bool:
        if step.side != order.side:
            return False
        better = order.side * (step.tick - rest_tick(order))
        return better > 0 or (better == 0 and step.rest_no < order.rest_no)

    def _tell_order_row(self, row: Row, order: Order, estimate: Estimate) -> None:
        lots = estimate.ahead.get(row.order_id)
        if lots is None or row.side == NONE:
            return
        if row.kind == MODIFY_ORDER_EVENT:
            after = self.grid.lots(row.qty)
            if self.grid.tick(row.px) == rest_tick(order) and after <= lots:
                estimate.position.front -= self.grid.quantity(lots - after)
                estimate.ahead[row.order_id] = after
                return
        elif row.kind != CANCEL_ORDER_EVENT:
            return
        del estimate.ahead[row.order_id]
        estimate.position.front -= self.grid.quantity(lots)


def rests(order: Order) -> bool:
    """Whether an order rests, as far as we know."""
    return order.rest_row >= 0 and order.status in (NEW, PARTIALLY_FILLED)


def rest_tick(order: Order) -> int:
    """Return where an order rests: not yet at the price of a modify under way."""
    return order.prior[0] if order.req == REPLACED else order.price_tick


def is_before(other: Order, order: Order) -> bool:
    """Whether another order stands before one, at the same price."""
    is_same_level = (other.side, rest_tick(other)) == (order.side, rest_tick(order))
    return rests(other) and is_same_level and other.rest_no < order.rest_no
