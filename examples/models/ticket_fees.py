"""A fee model of one's own: a rate for each unit, but never less than a minimum a fill, nor more than a part of its value.

Many brokers of shares charge like this. Small fills are then dear: a strategy that fills by single lots pays the minimum
each time, which fees by value alone would hide.

Run it:  qf backtest examples/grid.py --tape FILE.tape --out DIR --config examples/models/models.toml
"""

from numba import njit

from queuefront import OwnFees

PER_UNIT, MINIMUM, VALUE_SHARE = 0, 1, 2  # places in params


@njit
def fee(side, is_maker, price, qty, volume, params):
    """Return the fee of one fill in currency."""
    return min(max(params[PER_UNIT] * qty, params[MINIMUM]), params[VALUE_SHARE] * price * qty)


model = OwnFees(fee, params=[3.5, 0.05, 0.01])
