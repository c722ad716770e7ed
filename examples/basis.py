"""Two markets of one thing: quote on the first where the second says the price is, and hedge there.

The difference of their prices, the basis, changes slowly; its mean is followed with a half-life. Our quotes on asset 0
stand around the middle of asset 1 plus that mean. What fills is hedged on asset 1 by taking: a fill earns the distance of
the quote less the cost of the hedge, and no more than `max_unhedged_lots` depends on where prices go.

Both tapes need the same lot size. Give two tapes, the quoted one first:

Run it:  qf backtest examples/basis.py --tape PERPETUAL.tape --tape SPOT.tape --out DIR --config examples/basis.toml
"""

import math

import numpy as np
from numba import njit

from queuefront import BUY, GTX, IOC, LIMIT, SELL

QUOTED, HEDGE = 0, 1


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,
    max_position_lots=100,
    max_unhedged_lots=5,
    edge_ticks=3.0,  # from the fair price to our quotes
    lean_ticks=5.0,  # how far a full position moves them
    basis_half_life_s=30.0,
    interval_ns=100_000_000,
):
    """Quote and hedge until the tapes end."""
    forget = 0.5 ** (interval_ns / 1e9 / basis_half_life_s)
    basis = np.nan  # in ticks of the quoted asset
    hedge_id = 0

    while hbt.elapse(interval_ns) == 0:
        hbt.clear_inactive_orders(QUOTED)
        hbt.clear_inactive_orders(HEDGE)
        quoted, hedge = hbt.depth(QUOTED), hbt.depth(HEDGE)
        if not quoted.best_bid < quoted.best_ask or not hedge.best_bid < hedge.best_ask:
            continue
        tick_size, lot_size = quoted.tick_size, quoted.lot_size

        # The micro price moves before the middle does, when one of the best quantities melts away.
        reference = hedge.micro_price / tick_size
        difference = (quoted.best_bid_tick + quoted.best_ask_tick) / 2 - reference
        basis = forget * basis + (1 - forget) * difference if basis == basis else difference

        held_lots = round(hbt.position(QUOTED) / lot_size)
        fair = reference + basis - lean_ticks * held_lots / max_position_lots
        bid = min(math.floor(fair - edge_ticks), quoted.best_bid_tick) if held_lots < max_position_lots else -1
        ask = max(math.ceil(fair + edge_ticks), quoted.best_ask_tick) if held_lots > -max_position_lots else -1
        quote(hbt, BUY, bid, order_lots)
        quote(hbt, SELL, ask, order_lots)

        # One hedge at a time: the position that we know of says nothing about what is still under way.
        open_lots = held_lots + round(hbt.position(HEDGE) / lot_size)
        if abs(open_lots) > max_unhedged_lots and len(hbt.orders(HEDGE)) == 0:
            hedge_id += 1
            if open_lots > 0:
                hbt.submit_sell_order(HEDGE, hedge_id, hedge.best_bid, open_lots * lot_size, IOC, LIMIT, False)
            else:
                hbt.submit_buy_order(HEDGE, hedge_id, hedge.best_ask, -open_lots * lot_size, IOC, LIMIT, False)


@njit(cache=True)
def quote(hbt, side, tick, lots):
    """Have one order of a side at a tick and none elsewhere; none at all for a tick below 0."""
    orders = hbt.orders(QUOTED)
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.side == side and order.price_tick != tick and order.cancellable:
            hbt.cancel(QUOTED, order.order_id, False)
    order_id = 2 * tick + (1 if side == SELL else 0)
    if tick < 0 or order_id in orders:
        return
    depth = hbt.depth(QUOTED)
    price, qty = tick * depth.tick_size, lots * depth.lot_size
    if side == BUY:
        hbt.submit_buy_order(QUOTED, order_id, price, qty, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(QUOTED, order_id, price, qty, GTX, LIMIT, False)
