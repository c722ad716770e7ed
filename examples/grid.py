"""A grid of post-only orders around the middle of the market, which leans against the position it collects.

Every `interval_ns` the strategy decides at which prices it wants to rest: up to `levels` bids below the middle and as many
asks above it, `interval_ticks` apart. It then cancels what stands elsewhere and sends what is missing; an order whose price
is still wanted keeps its place in the queue. The more it holds, the further the grid moves away from holding more.

Run it:  qf backtest examples/grid.py --tape FILE.tape --out DIR --set strategy.levels=5
"""

import math

from numba import njit

from queuefront import BUY, GTX, LIMIT, SELL

ASSET = 0


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,  # size of each order
    levels=10,  # orders on each side
    half_spread_ticks=5,  # from the middle to the first order
    interval_ticks=5,  # from one order to the next
    max_position_lots=100,  # no more buying above, no more selling below minus this
    lean_ticks=10,  # how far a full position moves the grid
    interval_ns=100_000_000,  # how often it looks
):
    """Quote until the tape ends."""
    while hbt.elapse(interval_ns) == 0:
        # Filled, canceled and expired orders stay visible until we drop them; then their ids are free again.
        hbt.clear_inactive_orders(ASSET)

        depth = hbt.depth(ASSET)
        if not depth.best_bid < depth.best_ask:
            continue  # one side is empty, so there is no middle
        tick_size, lot_size = depth.tick_size, depth.lot_size

        # Long: move the grid down, so that our asks are nearer than our bids. Short: up.
        held = hbt.position(ASSET) / (max_position_lots * lot_size)
        center = (depth.best_bid_tick + depth.best_ask_tick) / 2 - lean_ticks * held

        # Grid prices are multiples of the interval, so that they stay where they are while the market moves a little.
        # Never beyond our own side's best: a post-only order that would take is refused.
        highest_bid = min(center - half_spread_ticks, depth.best_bid_tick)
        highest_bid = math.floor(highest_bid / interval_ticks) * interval_ticks
        lowest_bid = highest_bid - (levels - 1) * interval_ticks
        lowest_ask = max(center + half_spread_ticks, depth.best_ask_tick)
        lowest_ask = math.ceil(lowest_ask / interval_ticks) * interval_ticks
        highest_ask = lowest_ask + (levels - 1) * interval_ticks

        if held >= 1:
            highest_bid = lowest_bid - interval_ticks  # no bids
        if held <= -1:
            lowest_ask = highest_ask + interval_ticks  # no asks

        # Cancel what stands where we no longer want it, unless a request about it is under way.
        orders = hbt.orders(ASSET)
        values = orders.values()
        while values.has_next():
            order = values.get()
            if not order.cancellable:
                continue
            if order.side == BUY:
                is_wanted = lowest_bid <= order.price_tick <= highest_bid
            else:
                is_wanted = lowest_ask <= order.price_tick <= highest_ask
            if not is_wanted:
                hbt.cancel(ASSET, order.order_id, False)

        # Send what is missing. The id says side and price, so "is there one already?" is a look-up.
        qty = order_lots * lot_size
        for tick in range(lowest_bid, highest_bid + 1, interval_ticks):
            if order_id(tick, BUY) not in orders:
                hbt.submit_buy_order(ASSET, order_id(tick, BUY), tick * tick_size, qty, GTX, LIMIT, False)
        for tick in range(lowest_ask, highest_ask + 1, interval_ticks):
            if order_id(tick, SELL) not in orders:
                hbt.submit_sell_order(ASSET, order_id(tick, SELL), tick * tick_size, qty, GTX, LIMIT, False)


@njit(cache=True)
def order_id(tick, side):
    """Return an id of its own for each side of each price."""
    return 2 * tick + (1 if side == SELL else 0)
