"""The units of exact money.

A sum is two int64: value = high × 1e18 + low with 0 <= low < 1e18, so that no run is long enough to overflow it. What one
unit of it is worth is fixed when a run is built:

- linear notional = multiplier × price × quantity = (multiplier × tick size × lot size) × ticks × lots: exact.
- inverse notional = multiplier × quantity / price = (multiplier × lot size / tick size) × lots / ticks: a ratio, counted
  in steps of 1e-15.

Arithmetic with them is in `bot.money_compiled`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from queuefront.core.enums import CONTRACT_LINEAR
from queuefront.core.instrument import Instrument

__all__ = ["E18", "INVERSE_SCALE", "amount_unit"]

E18: Final = 1_000_000_000_000_000_000
INVERSE_SCALE: Final = 1_000_000_000_000_000


def amount_unit(instrument: Instrument) -> Fraction:
    """Return the currency that one unit of a notional stands for, see above."""
    tick, lot, multiplier = (Fraction(x) for x in (instrument.tick_size, instrument.lot_size, instrument.multiplier))
    if instrument.contract_code == CONTRACT_LINEAR:
        return multiplier * tick * lot
    return multiplier * lot / tick / INVERSE_SCALE
