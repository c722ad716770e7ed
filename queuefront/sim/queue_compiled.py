"""Queue models for L2 books: where our order stands behind the quantity that was there before it (spec B6).

An L2 feed tells how much rests at a price, not in which order, so every position is an estimate.

- `qty_ahead` starts as the book's own-side quantity at the price when the order arrives.
- A trade at the price moves us forward by its quantity; an order is filled when at least half a lot more has traded
  than was ahead. What a trade leaves over is not carried to the next order.
- A smaller book quantity that trades do not explain is a cancel. *Risk-averse* assumes that all cancels were behind us
  (we never get ahead by them, except that no more can be ahead than rests there); the *probability* models split them.

Quantities here are floats in the instrument's unit: the logarithmic models are not scale-free, and the order of
operations is the specification's so that thresholds fall alike.
"""

from __future__ import annotations

import math

import numpy as np

from queuefront.core.enums import QUEUE_LOG, QUEUE_POWER, QUEUE_POWER_2, QUEUE_POWER_3, QUEUE_RISK_AVERSE
from queuefront.core.jit import borrowing

__all__ = ["enter_queue", "queue_after_depth", "queue_after_trade", "round_half_away", "take_filled_lots"]


@borrowing
def round_half_away(x):
    """Round to the nearest whole float64, halves away from zero (spec B0.2)."""
    whole = np.trunc(x)
    if abs(x - whole) >= 0.5:
        return whole + (1.0 if x > 0.0 else -1.0)
    return whole


@borrowing
def _minimum(a, b):
    """Return the smaller; the other one if one is NaN (spec B0.5)."""
    if a != a:
        return b
    if b != b:
        return a
    return min(a, b)


@borrowing
def _power(x, n):
    """Return x^n as IEEE 754 `pow` does; n is positive and at most 16, so that nothing overflows."""
    if x < 0.0 and n != math.floor(n):
        return np.nan
    return math.pow(x, n)


@borrowing
def _log(x):
    """Return ln x as IEEE 754 does: NaN below zero, -inf at zero."""
    if x < 0.0:
        return np.nan
    if x == 0.0:
        return -np.inf
    return math.log(x)


@borrowing
def _divide(a, b):
    """Return a / b as IEEE 754 does, in interpreted code too."""
    if b != 0.0 or b != b:
        return a / b
    if a == 0.0 or a != a:
        return np.nan
    return np.inf if (a > 0.0) == (math.copysign(1.0, b) > 0.0) else -np.inf


@borrowing
def _probability_behind(model, n, front, back):
    """Return the probability that a cancel happened behind us, spec B6.3: `front` is ahead of us, `back` behind."""
    if model == QUEUE_POWER:
        b = _power(back, n)
        return _divide(b, b + _power(front, n))
    if model == QUEUE_POWER_2:
        return _divide(_power(back, n), _power(back + front, n))
    if model == QUEUE_POWER_3:
        return 1.0 - _power(_divide(front, front + back), n)
    if model == QUEUE_LOG:
        b = _log(1.0 + back)
        return _divide(b, b + _log(1.0 + front))
    return _divide(_log(1.0 + back), _log(1.0 + back + front))


@borrowing
def enter_queue(order, qty):
    """Put an order behind `qty`. order : ORDER record, mutated."""
    order["qty_ahead"] = qty
    order["traded_qty"] = 0.0
    order["arrival_qty_ahead"] = qty


@borrowing
def queue_after_trade(model, order, qty):
    """Count a trade at our price. order : ORDER record, mutated."""
    order["qty_ahead"] -= qty
    if model != QUEUE_RISK_AVERSE:
        order["traded_qty"] += qty


@borrowing
def queue_after_depth(model, n, order, qty_before, qty_after):
    """Count a change of the book's quantity at our price. order : ORDER record, mutated."""
    front = order["qty_ahead"]
    if model == QUEUE_RISK_AVERSE:
        order["qty_ahead"] = _minimum(front, qty_after)
        return
    change = (qty_before - qty_after) - order["traded_qty"]
    order["traded_qty"] = 0.0
    if change < 0.0:
        order["qty_ahead"] = _minimum(front, qty_after)
        return
    back = qty_before - front
    p = _probability_behind(model, n, front, back)
    if math.isinf(p):
        p = 1.0
    estimate = front - (1.0 - p) * change + _minimum(back - p * change, 0.0)
    order["qty_ahead"] = _minimum(estimate, qty_after)


@borrowing
def take_filled_lots(order, lot_size):
    """Return how many lots have traded beyond what was ahead of us, and put us at the front; 0 if none."""
    lots = round_half_away(-order["qty_ahead"] / lot_size)
    if lots > 0.0:
        order["qty_ahead"] = 0.0
        return np.int64(lots)
    return np.int64(0)
