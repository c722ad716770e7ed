"""Queue models of L2 exchanges (spec B6): an estimate of the quantity ahead of an order at its price.

Quantities are floats in the instrument's unit, and operations stand in the specification's order: logarithms are not
scale-free, and thresholds must fall alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.naive.grid import round_half_away

__all__ = ["QueueModel", "QueuePosition"]

RISK_AVERSE = "risk_adverse"


@dataclass(frozen=True)
class QueueModel:
    """A model by its name in hftbacktest: risk_adverse, power_prob, power_prob2, power_prob3, log_prob, log_prob2."""

    name: str = RISK_AVERSE
    n: float = 1.0

    def probability_behind(self, front: float, back: float) -> float:
        """Return the probability that a decrease happened behind the order (spec B6.3)."""
        n = self.n
        if self.name == "power_prob":
            return divide(power(back, n), power(back, n) + power(front, n))
        if self.name == "power_prob2":
            return divide(power(back, n), power(back + front, n))
        if self.name == "power_prob3":
            return 1.0 - power(divide(front, front + back), n)
        if self.name == "log_prob":
            return divide(log(1.0 + back), log(1.0 + back) + log(1.0 + front))
        if self.name == "log_prob2":
            return divide(log(1.0 + back), log(1.0 + back + front))
        raise ValueError(f"unknown queue model {self.name!r}")


@dataclass
class QueuePosition:
    """Where one resting order stands: `front` is ahead of it, `cum` traded since the last depth change (spec B6)."""

    model: QueueModel
    front: float
    cum: float = 0.0

    def trade(self, qty: float) -> None:
        """Count a trade at the order's price (spec B6.1)."""
        self.front -= qty
        self.cum += qty

    def depth(self, before: float, after: float) -> None:
        """Count a change of the book's quantity at the order's price (spec B6.1, B6.2)."""
        if self.model.name == RISK_AVERSE:
            self.front = minimum(self.front, after)
            return
        change = (before - after) - self.cum
        self.cum = 0.0
        if change < 0.0:
            self.front = minimum(self.front, after)
            return
        back = before - self.front
        p = self.model.probability_behind(self.front, back)
        if math.isinf(p):
            p = 1.0
        estimate = self.front - (1.0 - p) * change + minimum(back - p * change, 0.0)
        self.front = minimum(estimate, after)

    def filled_lots(self, lot_size: float) -> int:
        """Return the lots that traded beyond what was ahead, and stand at the front then (spec B6.1)."""
        if math.isnan(self.front):
            return 0  # outside of a bounded book nobody knows
        lots = round_half_away(-self.front / lot_size)
        if lots > 0:
            self.front = 0.0
        return max(lots, 0)


# --- IEEE 754, where Python would raise ---------------------------------------------------------------------------------
def minimum(a: float, b: float) -> float:
    """Return the smaller; the other one if one is NaN (spec B0.5)."""
    if math.isnan(a):
        return b
    return a if math.isnan(b) else min(a, b)


def power(x: float, n: float) -> float:
    return math.nan if x < 0.0 and n != math.floor(n) else math.pow(x, n)


def log(x: float) -> float:
    if x < 0.0:
        return math.nan
    return math.log(x) if x > 0.0 else -math.inf


def divide(a: float, b: float) -> float:
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)
