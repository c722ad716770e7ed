"""One post-only order on each side, at the best prices, looked after every 100 ms; written for hftbacktest."""

from hftbacktest import BUY, GTX, LIMIT
from numba import njit


@njit(cache=True)
def strategy(hbt):
    """Quote until the data ends; returns how often it woke."""
    max_position = 10.0
    qty = 1.0
    wakes = 0
    next_id = 1
    while hbt.elapse(100_000_000) == 0:
        wakes += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        if not depth.best_bid < depth.best_ask:
            continue
        bid_tick, ask_tick = depth.best_bid_tick, depth.best_ask_tick
        has_bid = False
        has_ask = False
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            if order.side == BUY:
                has_bid = True
            else:
                has_ask = True
            best = bid_tick if order.side == BUY else ask_tick
            if order.cancellable and order.price_tick != best:
                hbt.cancel(0, order.order_id, False)
        position = hbt.position(0)
        if not has_bid and position < max_position:
            hbt.submit_buy_order(0, next_id, bid_tick * depth.tick_size, qty, GTX, LIMIT, False)
            next_id += 1
        if not has_ask and position > -max_position:
            hbt.submit_sell_order(0, next_id, ask_tick * depth.tick_size, qty, GTX, LIMIT, False)
            next_id += 1
    return wakes
