"""Large-tick market making: the spread is one tick, so that the place in the queue is all there is to win.

At the front, an order is filled by small trades, and the price often stays: it earns the spread. At the back it is filled
by the trade that takes the whole level, and the price moves against it at once. So we join a best price while it is deep,
keep the order as it comes forward, and leave when the level is running out while much of it is still ahead of us.

`hbt.queue_ahead` says where we stand, by what has reached us and by the asset's queue model. The result is only as good
as that model: try several.

Run it:  qf backtest examples/queue_based.py --tape FILE.tape --out DIR --config examples/queue_based.toml
"""

from numba import njit

from queuefront import BUY, GTX, LIMIT, SELL

ASSET = 0


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,
    max_position_lots=100,
    join_share=0.5,  # join a side that holds at least this share of both best quantities
    leave_share=0.3,  # leave it below this share,
    good_place=0.2,  # unless no more than this part of the level is ahead of us
    interval_ns=50_000_000,
):
    """Work one order a side at the best prices until the tape ends."""
    while hbt.elapse(interval_ns) == 0:
        hbt.clear_inactive_orders(ASSET)
        depth = hbt.depth(ASSET)
        bid_qty, ask_qty = depth.best_bid_qty, depth.best_ask_qty
        if bid_qty == 0.0 or ask_qty == 0.0:
            continue
        held_lots = hbt.position(ASSET) / depth.lot_size
        for side in (BUY, SELL):
            level_qty = bid_qty if side == BUY else ask_qty
            tick = depth.best_bid_tick if side == BUY else depth.best_ask_tick
            share = level_qty / (bid_qty + ask_qty)
            has_room = side * held_lots + order_lots <= max_position_lots
            has_order = look_after(hbt, side, tick, level_qty, share >= leave_share and has_room, good_place)
            if has_room and not has_order and share >= join_share:
                join(hbt, side, tick, order_lots)


@njit(cache=True)
def look_after(hbt, side, best_tick, level_qty, is_level_safe, good_place):
    """Cancel what is not worth keeping of a side; return whether it still has an order."""
    has_order = False
    values = hbt.orders(ASSET).values()
    while values.has_next():
        order = values.get()
        if order.side != side:
            continue
        has_order = True
        if not order.cancellable:
            continue  # a request is under way
        ahead = hbt.queue_ahead(ASSET, order.order_id)
        is_well_placed = order.price_tick == best_tick and ahead <= good_place * level_qty
        is_at_best = order.price_tick == best_tick
        if not is_at_best or not (is_level_safe or is_well_placed):
            hbt.cancel(ASSET, order.order_id, False)
    return has_order


@njit(cache=True)
def join(hbt, side, tick, lots):
    """Send an order to the end of the queue at a best price."""
    depth = hbt.depth(ASSET)
    price, qty = tick * depth.tick_size, lots * depth.lot_size
    if side == BUY:
        hbt.submit_buy_order(ASSET, 2 * tick, price, qty, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(ASSET, 2 * tick + 1, price, qty, GTX, LIMIT, False)
