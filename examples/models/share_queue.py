"""A queue model of one's own: of every cancel at our price, a fixed share was ahead of us.

The built-in models guess from how much stands ahead and behind. If you have compared your own fills with the feed, you may
simply know the share: about 0.2, say, where most cancels come from those who have just joined.

Run it:  qf backtest examples/grid.py --tape FILE.tape --out DIR --config examples/models/models.toml
"""

from numba import njit

from queuefront import OwnQueue

SHARE_AHEAD = 0  # place in params


@njit
def trade(order, qty, params):
    """Move forward by what traded at our price, and remember it."""
    order["qty_ahead"] -= qty
    order["traded_qty"] += qty


@njit
def depth(order, qty_before, qty_after, params):
    """Move forward by our share of what was canceled. The feed counts trades in the change: take them out first."""
    canceled = qty_before - qty_after - order["traded_qty"]
    order["traded_qty"] = 0.0
    if canceled > 0.0:
        order["qty_ahead"] -= params[SHARE_AHEAD] * canceled
    order["qty_ahead"] = min(order["qty_ahead"], qty_after)  # no more can be ahead than rests there


# What is left out is built in: an order enters behind all that rests, and fills by what trades beyond its queue.
model = OwnQueue(trade=trade, depth=depth, params=[0.2])
