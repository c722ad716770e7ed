"""Twenty post-only orders around the middle, looked after every 100 ms, with parameters for a sweep; for hftbacktest."""

import math

from hftbacktest import BUY, GTX, LIMIT, SELL
from numba import njit


@njit(cache=True)
def strategy(hbt, half_spread_ticks=20, interval_ticks=10):
    """Quote until the data ends; returns how often it woke."""
    levels = 10
    max_position = 100
    qty = 1.0
    wakes = 0
    while hbt.elapse(100_000_000) == 0:
        wakes += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        if not depth.best_bid < depth.best_ask:
            continue
        tick_size = depth.tick_size
        center = (depth.best_bid_tick + depth.best_ask_tick) / 2
        highest_bid = min(center - half_spread_ticks, depth.best_bid_tick)
        highest_bid = int(math.floor(highest_bid / interval_ticks) * interval_ticks)
        lowest_bid = highest_bid - (levels - 1) * interval_ticks
        lowest_ask = max(center + half_spread_ticks, depth.best_ask_tick)
        lowest_ask = int(math.ceil(lowest_ask / interval_ticks) * interval_ticks)
        highest_ask = lowest_ask + (levels - 1) * interval_ticks
        position = hbt.position(0)
        if position >= max_position:
            highest_bid = lowest_bid - interval_ticks
        if position <= -max_position:
            lowest_ask = highest_ask + interval_ticks

        orders = hbt.orders(0)
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
                hbt.cancel(0, order.order_id, False)

        # The side with SELL = -1 makes odd and even ids.
        for tick in range(lowest_bid, highest_bid + 1, interval_ticks):
            order_id = 2 * tick + (1 + BUY) // 2
            if order_id not in orders:
                hbt.submit_buy_order(0, order_id, tick * tick_size, qty, GTX, LIMIT, False)
        for tick in range(lowest_ask, highest_ask + 1, interval_ticks):
            order_id = 2 * tick + (1 + SELL) // 2
            if order_id not in orders:
                hbt.submit_sell_order(0, order_id, tick * tick_size, qty, GTX, LIMIT, False)
    return wakes
