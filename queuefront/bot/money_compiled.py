"""Exact money: notionals, fees and sums of them, in integers.

`core.money` says what sums and their units are (`amount_unit`, `fee_unit` of ASSET_SPEC).

- a linear notional is exact; an inverse one is rounded half away from zero to one unit, once, when the fill is booked, and
  exact from there on.
- fees are rates in steps of 1e-9 applied to those integers. On a linear notional and on quantities they are exact; on
  an inverse notional they are rounded half away from zero to 1e-4 of its unit; a flat fee counts steps of 1e-9 of the
  currency.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.enums import CONTRACT_LINEAR, FEE_QTY, FEE_VALUE
from queuefront.core.jit import borrowing
from queuefront.core.money import E18

__all__ = ["add_to_sum", "amount_of", "divide_product", "fee_of", "sum_to_float"]

E5 = 100_000


@borrowing
def add_to_sum(high, low, x):
    """Return (high, low) of the sum after adding x, |x| < 8e18."""
    low += x % E18
    high += x // E18
    if low >= E18:
        low -= E18
        high += 1
    return high, low


@borrowing
def sum_to_float(high, low):
    """Return high × 1e18 + low as a float64."""
    if -8 <= high <= 7:
        # As one integer: a small negative sum is -1 × 1e18 plus nearly 1e18, which floats would cancel to noise.
        return float(high * E18 + low)
    return float(high) * 1e18 + float(low)


@borrowing
def amount_of(contract, price_tick, lots):
    """Return the notional of a fill in amount units; lots > 0; on inverse contracts 0 < price_tick <= 9e13."""
    if contract == CONTRACT_LINEAR:
        return price_tick * lots
    # lots × 1e15 / ticks by long division, five digits at a time, so that no step leaves int64.
    quotient = lots // price_tick
    rest = lots % price_tick
    for _ in range(3):
        rest *= E5
        quotient = quotient * E5 + rest // price_tick
        rest %= price_tick
    if 2 * rest >= price_tick:
        quotient += 1
    return quotient


@borrowing
def divide_product(x, rest, base):
    """Return x × rest / base, rounded half away from zero, for |rest| < base <= 3e18, digit by digit of x."""
    quotient = remainder = np.int64(0)
    magnitude, is_negative = abs(x), (x < 0) != (rest < 0)
    rest = abs(rest)
    for bit in range(62, -1, -1):
        quotient, remainder = 2 * quotient, 2 * remainder
        if (magnitude >> bit) & 1:
            remainder += rest
        while remainder >= base:
            remainder -= base
            quotient += 1
    if 2 * remainder >= base:
        quotient += 1
    return -quotient if is_negative else quotient


@borrowing
def fee_of(fee_model, contract, rate_e9, amount, lots):
    """Return the fee of a fill in fee units. Negative rates are rebates."""
    if fee_model == FEE_QTY:
        return rate_e9 * lots
    if fee_model != FEE_VALUE:
        return rate_e9
    if contract == CONTRACT_LINEAR:
        return rate_e9 * amount
    whole, part = amount // E5, amount % E5
    product = part * rate_e9
    magnitude = abs(product)
    rounded = magnitude // E5
    if 2 * (magnitude % E5) >= E5:
        rounded += 1
    return whole * rate_e9 + (rounded if product >= 0 else -rounded)
