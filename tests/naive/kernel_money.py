"""Orders and money, slowly and with Fractions: written from what a trade is, not from how the kernel keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class NaiveTrade:
    """One trade: its fills, and what they come to."""

    sign: int
    is_inverse: bool = False
    entries: list[tuple[int, int]] = field(default_factory=list)
    exits: list[tuple[int, int]] = field(default_factory=list)
    fees: int = 0

    @property
    def size(self) -> int:
        return sum(lots for lots, _ in self.entries) - sum(lots for lots, _ in self.exits)

    @property
    def entry_price(self) -> Fraction:
        return Fraction(sum(lots * tick for lots, tick in self.entries), sum(lots for lots, _ in self.entries))

    @property
    def inverse_entry_price(self) -> Fraction:
        """The price at which as many contracts are worth as much: quantity over the sum of quantity / price."""
        return sum(lots for lots, _ in self.entries) / sum(
            (Fraction(lots, tick) for lots, tick in self.entries), Fraction(0)
        )

    def realized(self, unit: int) -> Fraction:
        """Profit before fees: each exit against the average entry price; entries never come after an exit here."""
        if not self.exits:
            return Fraction(0)
        if self.is_inverse:
            price = self.inverse_entry_price
            return sum(
                (self.sign * lots * unit * (1 / price - Fraction(1, tick)) for lots, tick in self.exits), Fraction(0)
            )
        price = self.entry_price
        return sum((self.sign * lots * (tick - price) * unit for lots, tick in self.exits), Fraction(0))


@dataclass
class NaiveBook:
    """All trades, and capital as their sum."""

    unit: int
    trades: list[NaiveTrade] = field(default_factory=list)
    funding: int = 0

    def capital_change(self) -> Fraction:
        profit = sum((trade.realized(self.unit) - trade.fees for trade in self.trades), Fraction(0))
        return profit + self.funding
