"""What a strategy reads about its position and money."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["StateValues"]


class StateValues(NamedTuple):
    """Position and money of one asset, a copy: it stays as it was when it was taken.

    Only executions that we have been told of count. For inverse contracts `balance` is in the base currency with its sign
    inverted, as in hftbacktest: equity is -balance - multiplier × position / price - fee.
    """

    position: float
    balance: float
    fee: float
    num_trades: int
    trading_volume: float
    trading_value: float
