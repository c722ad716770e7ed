"""Quotes that lean with the order book: where more is bid than offered, prices tend to rise.

The imbalance of the quantities near the best prices, from -1 to 1, moves our idea of the fair price; what we hold moves it
back. Bid and ask stand at a fixed distance around it. On a real market, measure first how far the price follows the
imbalance and for how long: that number is `ticks_per_imbalance`, and it must survive your latency.

Run it:  qf backtest examples/order_book_imbalance.py --tape FILE.tape --out DIR --config examples/order_book_imbalance.toml
"""

import math

from numba import njit

from queuefront import BUY, GTX, LIMIT, SELL

ASSET = 0


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,
    max_position_lots=100,
    half_spread_ticks=2.0,
    near_ticks=10,  # how much of the book counts, from the best prices on
    ticks_per_imbalance=4.0,  # how far an entirely one-sided book moves the fair price
    lean_ticks=3.0,  # how far a full position moves it back
    interval_ns=100_000_000,
):
    """Quote one bid and one ask until the tape ends."""
    while hbt.elapse(interval_ns) == 0:
        hbt.clear_inactive_orders(ASSET)
        depth = hbt.depth(ASSET)
        imbalance = depth.imbalance(near_ticks)
        if not depth.best_bid < depth.best_ask or imbalance != imbalance:
            continue

        held = hbt.position(ASSET) / (max_position_lots * depth.lot_size)
        middle = (depth.best_bid_tick + depth.best_ask_tick) / 2
        fair = middle + ticks_per_imbalance * imbalance - lean_ticks * held

        # A bid at or above the best ask would take, so our own side's best is the limit. -1 stands for no quote.
        bid = min(math.floor(fair - half_spread_ticks), depth.best_bid_tick) if held < 1 else -1
        ask = max(math.ceil(fair + half_spread_ticks), depth.best_ask_tick) if held > -1 else -1
        quote(hbt, BUY, bid, order_lots)
        quote(hbt, SELL, ask, order_lots)


@njit(cache=True)
def quote(hbt, side, tick, lots):
    """Have one order of a side at a tick and none elsewhere; none at all for a tick below 0."""
    orders = hbt.orders(ASSET)
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.side == side and order.price_tick != tick and order.cancellable:
            hbt.cancel(ASSET, order.order_id, False)
    order_id = 2 * tick + (1 if side == SELL else 0)
    if tick < 0 or order_id in orders:
        return
    depth = hbt.depth(ASSET)
    price, qty = tick * depth.tick_size, lots * depth.lot_size
    if side == BUY:
        hbt.submit_buy_order(ASSET, order_id, price, qty, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(ASSET, order_id, price, qty, GTX, LIMIT, False)
