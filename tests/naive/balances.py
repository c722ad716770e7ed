"""Spot balances at the exchange: what is free is what there was, and what was traded, less what open orders hold.

A purchase holds its open lots at its limit, a MARKET purchase while it executes at the best ask; a sale holds its open
lots. An order that what is free does not cover expires. Fees are not held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from queuefront.core.enums import BUY
from tests.naive.orders import Order

__all__ = ["Balances"]


@dataclass
class Balances:
    """What the exchange has of ours: base currency in lots, quote currency in ticks × lots."""

    base_lots: int
    quote: int

    def note(self, message: Order) -> None:
        """Exchange balances for an execution."""
        self.base_lots += message.side * message.exec_lots
        self.quote -= message.side * message.exec_lots * message.exec_price_tick

    def free(self, resting: Iterable[Order]) -> tuple[int, int]:
        """Return what is free of the (base, quote) currency beside these open orders."""
        base, quote = self.base_lots, self.quote
        for order in resting:
            if order.side == BUY:
                quote -= order.leaves_lots * order.price_tick
            else:
                base -= order.leaves_lots
        return base, quote

    def covers(self, order: Order, tick: int, resting: Iterable[Order]) -> bool:
        """Whether what is free covers an order at a price."""
        base, quote = self.free(resting)
        if order.side == BUY:
            return quote >= 0 and quote >= order.leaves_lots * tick
        return base >= order.leaves_lots
