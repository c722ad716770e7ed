"""Spot balances: the exchange refuses what they do not cover (an option).

- What is free of the base currency counts in lots, of the quote currency in amount units, both at the exchange.
- A sale holds its lots, a purchase its lots at its limit; a MARKET purchase at the best ask. A fill at a better price gives
  the difference back, a MARKET order that walks up the book pays the difference, so that it may overdraw by it.
- What a request does not get for want of balance expires, as venues refuse such orders.
- Fees are not held; they are charged where fills are booked.
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import add_to_sum
from queuefront.core.enums import BUY
from queuefront.core.jit import borrowing

__all__ = ["hold", "release", "settle"]


@borrowing
def _add_quote(state, amount):
    state["free_quote_high"], state["free_quote_low"] = add_to_sum(
        state["free_quote_high"], state["free_quote_low"], amount
    )


@borrowing
def hold(a, order, tick):
    """Hold what an order needs at a price, and return whether there was enough. order : ORDER record, mutated."""
    spec, state = a.spec[0], a.state[0]
    if not spec["keeps_balances"]:
        return True
    lots = order["leaves_lots"]
    if order["side"] == BUY:
        amount = tick * lots
        if state["free_quote_high"] < 0 or (state["free_quote_high"] == 0 and state["free_quote_low"] < amount):
            return False
        _add_quote(state, -amount)
    else:
        if state["free_base_lots"] < lots:
            return False
        state["free_base_lots"] -= lots
    order["reserve_tick"] = tick
    return True


@borrowing
def release(a, order, lots):
    """Give back what is held for so many lots of an order."""
    if not a.spec[0]["keeps_balances"]:
        return
    state = a.state[0]
    if order["side"] == BUY:
        _add_quote(state, order["reserve_tick"] * lots)
    else:
        state["free_base_lots"] += lots


@borrowing
def settle(a, order, tick, lots):
    """Exchange balances for an execution."""
    if not a.spec[0]["keeps_balances"]:
        return
    state = a.state[0]
    if order["side"] == BUY:
        state["free_base_lots"] += lots
        _add_quote(state, (order["reserve_tick"] - tick) * lots)
    else:
        _add_quote(state, tick * np.int64(lots))
