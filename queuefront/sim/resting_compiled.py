"""Our orders in the exchange's book: found by id, and visited in price-time priority.

Each side is an array of (tick, place) with the next order to fill at the end. Inserting near the touch, where market makers
quote, moves little.
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import copy_order, new_table, table_find, table_insert, table_remove
from queuefront.core.dtypes import ORDER
from queuefront.core.enums import BUY
from queuefront.core.jit import borrowing, internal
from queuefront.sim.market_compiled import first_level_at_or_above
from queuefront.sim.place_compiled import await_place

__all__ = ["add_resting", "find_resting", "find_turn", "remove_resting"]

_NO_OWN_ASK = 2**31 - 1


@borrowing
def find_resting(a, order_id):
    """Return the place of one of our orders in `a.resting`, or EMPTY."""
    return table_find(a.resting_table, a.resting_ids, order_id)


@internal
def _grow(a):
    capacity = len(a.resting)
    resting, ids = np.zeros(2 * capacity, ORDER), np.zeros(2 * capacity, np.int64)
    table = new_table(2 * capacity)
    bids, asks = np.zeros((2 * capacity, 2), np.int64), np.zeros((2 * capacity, 2), np.int64)
    for k in range(capacity):
        # The arrays grow when every place is taken, so every id is in use.
        copy_order(resting[k], a.resting[k])
        table_insert(table, ids, a.resting_ids[k], k)
        resting["order_lots"][capacity + k] = capacity + k + 1
        bids[k, 0], bids[k, 1] = a.bid_queue[k, 0], a.bid_queue[k, 1]
        asks[k, 0], asks[k, 1] = a.ask_queue[k, 0], a.ask_queue[k, 1]
    a.resting = resting
    a.resting_ids = ids
    a.resting_table = table
    a.bid_queue = bids
    a.ask_queue = asks


@borrowing
def find_turn(queue, count, tick, sign):
    """Return the first index whose price is `tick` or better: where a new order at `tick` enters, to fill after all those.

    `sign` is +1 for bids, whose queue ascends by tick, and -1 for asks, whose queue descends.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if sign * queue[middle, 0] < sign * tick:
            low = middle + 1
        else:
            high = middle
    return low


@borrowing
def _update_best(a):
    """Note the levels of our best orders, which the market loop compares with."""
    state = a.state[0]
    count = state["resting_bids"]
    level = np.int64(-1)
    if count:
        level = np.int64(a.resting["own_level"][a.bid_queue[count - 1, 1]])
        if level < 0:
            level = first_level_at_or_above(a.levels, a.bid_queue[count - 1, 0] + 1) - 1
    state["own_best_bid_level"] = level
    count = state["resting_asks"]
    level = np.int64(_NO_OWN_ASK)
    if count:
        level = np.int64(a.resting["own_level"][a.ask_queue[count - 1, 1]])
        if level < 0:
            level = first_level_at_or_above(a.levels, a.ask_queue[count - 1, 0])
    state["own_best_ask_level"] = level


@borrowing
def add_resting(a, message):
    """Put a copy of an order at the end of the queue at its price; returns its place.

    message : ORDER record; its `own_level` is set.
    """
    state = a.state[0]
    if state["free_head"] == len(a.resting):
        _grow(a)
    place = state["free_head"]
    state["free_head"] = a.resting["order_lots"][place]
    order = a.resting[place]
    copy_order(order, message)
    tick = order["price_tick"]
    level = order["own_level"]
    table_insert(a.resting_table, a.resting_ids, order["order_id"], place)
    is_bid = order["side"] == BUY
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    turn = find_turn(queue, count, tick, 1 if is_bid else -1)
    for i in range(count, turn, -1):
        queue[i, 0] = queue[i - 1, 0]
        queue[i, 1] = queue[i - 1, 1]
    queue[turn, 0] = tick
    queue[turn, 1] = place
    if is_bid:
        state["resting_bids"] = count + 1
    else:
        state["resting_asks"] = count + 1
    if level >= 0:
        own = 2 * level + (0 if is_bid else 1)
        a.own_count[own] += 1
        if not (a.spec["is_by_order"][0] or a.spec["is_honest"][0]):
            await_place(a, own)
    _update_best(a)
    return place


@borrowing
def remove_resting(a, place):
    """Take an order out of the exchange's book; its record keeps its bytes until the place is used again."""
    state = a.state[0]
    order = a.resting[place]
    table_remove(a.resting_table, a.resting_ids, order["order_id"])
    is_bid = order["side"] == BUY
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    turn = find_turn(queue, count, order["price_tick"], 1 if is_bid else -1)
    while queue[turn, 1] != place:
        turn += 1
    for i in range(turn, count - 1):
        queue[i, 0] = queue[i + 1, 0]
        queue[i, 1] = queue[i + 1, 1]
    if is_bid:
        state["resting_bids"] = count - 1
    else:
        state["resting_asks"] = count - 1
    if order["own_level"] >= 0:
        a.own_count[2 * order["own_level"] + (0 if is_bid else 1)] -= 1
    order["order_lots"] = state["free_head"]
    state["free_head"] = place
    _update_best(a)
