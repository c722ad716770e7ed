"""Making a market by order (L3), where the queue is no guess.

The feed tells every order, so `hbt.order_queue` lists the orders at a price, first come first, and `hbt.queue_ahead` knows
to the lot what stands before ours. Two uses of it:

- A level that is one large order is not deep: its owner may leave with all of it. We join prices that several share.
- Among the orders ahead, a large one is bad company: when it goes, so does the price. We leave if one order is most of what
  is ahead of us.

The market is matched by `FifoQueue`. A market to try it on:  qf synth -o FILE.tape --events 200000 --by-order

Run it:  qf backtest examples/l3_making.py --tape FILE.tape --out DIR --config examples/l3_making.toml
"""

from numba import njit

from queuefront import BUY, GTX, LIMIT, SELL

ASSET = 0


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,
    max_position_lots=100,
    least_orders=2,  # join a best price that so many orders share
    bad_share=0.8,  # leave where one order is this share of what is ahead
    interval_ns=100_000_000,
):
    """Work one order a side at the best prices until the tape ends."""
    while hbt.elapse(interval_ns) == 0:
        hbt.clear_inactive_orders(ASSET)
        depth = hbt.depth(ASSET)
        if not depth.best_bid < depth.best_ask:
            continue
        held_lots = hbt.position(ASSET) / depth.lot_size
        for side in (BUY, SELL):
            tick = depth.best_bid_tick if side == BUY else depth.best_ask_tick
            has_room = side * held_lots + order_lots <= max_position_lots
            has_order = look_after(hbt, side, tick, has_room, bad_share)
            if has_room and not has_order and len(hbt.order_queue(ASSET, side, tick)) >= least_orders:
                join(hbt, side, tick, order_lots)


@njit(cache=True)
def look_after(hbt, side, best_tick, has_room, bad_share):
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
        is_bad = order.price_tick != best_tick or not has_room
        ahead = hbt.queue_ahead(ASSET, order.order_id)
        if ahead > 0.0 and largest_ahead(hbt, side, best_tick, ahead) > bad_share * ahead:
            is_bad = True
        if is_bad:
            hbt.cancel(ASSET, order.order_id, False)
    return has_order


@njit(cache=True)
def largest_ahead(hbt, side, tick, ahead):
    """Return the largest of the market's orders that make up the quantity ahead."""
    largest = 0.0
    for other in hbt.order_queue(ASSET, side, tick):
        if ahead <= 0.0:
            break
        largest = max(largest, other["qty"])
        ahead -= other["qty"]
    return largest


@njit(cache=True)
def join(hbt, side, tick, lots):
    """Send an order to the end of the queue at a best price."""
    depth = hbt.depth(ASSET)
    price, qty = tick * depth.tick_size, lots * depth.lot_size
    if side == BUY:
        hbt.submit_buy_order(ASSET, 2 * tick, price, qty, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(ASSET, 2 * tick + 1, price, qty, GTX, LIMIT, False)
