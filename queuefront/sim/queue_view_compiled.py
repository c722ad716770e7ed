"""Where our orders stand in their queues, by what has reached us.

The exchange half knows more than we do: it sees the market earlier. What a strategy may know is worked out here from the
rows that it has received, on demand:

- Market by price: the queue began as what rested at our price when our order did, which the venue's time of the answer
  names. Each row received since then is told to the queue model, as the exchange half told it.
- Where liquidity is honest, our earlier orders at the price are ahead too, by what we know to be open of them, and a trade
  counts less what those got of it that came before. News of it may come after the row: then the estimate is made again from
  when the order came to rest, so that it depends on what has reached us and not on when we looked.
- Market by order: the queue is what is left of the orders that stood before ours; nothing about it is estimated.
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import EMPTY, find_order
from queuefront.core.dtypes import EVENT, OWN_STEP
from queuefront.core.enums import (
    BUY,
    NEW,
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BID,
    OP_BUY_TRADE,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_MASK,
    OP_MODIFY_ORDER,
    OP_OUTSIDE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    PARTIALLY_FILLED,
    REPLACED,
)
from queuefront.core.jit import borrowing, internal
from queuefront.sim.market_compiled import level_of

__all__ = ["begin_queue", "follow_orders", "note_own_step", "queue_ahead", "queue_rows"]

_NONE = -1


@borrowing
def _quantity(spec, lots):
    return lots * spec["lot_numerator"] / spec["lot_denominator"]


@borrowing
def _is_resting(record):
    """Whether an order rests, as far as we know."""
    return record["rest_row"] >= 0 and (record["status"] == NEW or record["status"] == PARTIALLY_FILLED)


@borrowing
def _rest_tick(record):
    """Return the price at which an order rests: not yet that of a modification under way."""
    return record["prior_price_tick"] if record["req"] == REPLACED else record["price_tick"]


@borrowing
def begin_queue(a, record):
    """Put our own estimate of an order's queue to what was ahead when it came to rest. record : ORDER, mutated."""
    spec = a.spec[0]
    record["seen_row"], record["seen_lots"] = record["rest_row"], record["rest_lots"]
    record["traded_qty"] = record["memory_0"] = record["memory_1"] = 0.0
    qty, arrival = _quantity(spec, record["rest_ahead_lots"]), record["arrival_qty_ahead"]
    if not spec["range_low"] <= _rest_tick(record) <= spec["range_high"]:
        qty = np.nan  # outside of a bounded book nobody knows what rests
    a.models.queue_enter(a, record, qty)
    record["arrival_qty_ahead"] = arrival


# --- our own orders before ours, where liquidity is honest ------------------------------------------------------------


@internal
def _grow_own_steps(a):
    count = len(a.own_steps)
    larger = np.zeros(max(2 * count, 64), OWN_STEP)
    for k in range(count):
        larger[k] = a.own_steps[k]
    a.own_steps = larger


@borrowing
def note_own_step(a, record, message):
    """Keep what an answer tells of a place in a queue: an execution there, or that the order left it.

    record : ORDER, as it was before the answer.   message : ORDER, the answer.
    """
    if not _is_resting(record):
        return
    lots = leaves = np.int64(0)
    keeps_place = message["rest_row"] >= 0 and message["rest_no"] == record["rest_no"]
    if keeps_place and message["is_execution"] and message["is_maker"]:
        lots, leaves = message["exec_lots"], message["leaves_lots"]
    elif keeps_place and (message["status"] == NEW or message["status"] == PARTIALLY_FILLED):
        return
    state = a.state[0]
    if state["own_step_count"] == len(a.own_steps):
        _grow_own_steps(a)
    step = a.own_steps[state["own_step_count"]]
    state["own_step_count"] += 1
    step["row"], step["rest_no"], step["side"] = message["acted_row"], record["rest_no"], record["side"]
    step["price_tick"], step["lots"], step["leaves_lots"] = _rest_tick(record), lots, leaves
    for k in range(a.orders.count):
        other = a.orders.records[k]
        if _is_resting(other) and other["side"] == step["side"] and other["seen_row"] > step["row"]:
            begin_queue(a, other)


@borrowing
def _own_lots_before(a, record):
    """Return the open lots of our orders before an order at its price."""
    lots = np.int64(0)
    for k in range(a.orders.count):
        other = a.orders.records[k]
        is_before = other["rest_no"] < record["rest_no"] and other["side"] == record["side"]
        if is_before and _is_resting(other) and _rest_tick(other) == _rest_tick(record):
            lots += other["leaves_lots"]
    return lots


@borrowing
def _follow_shared_trade(a, record, row):
    """Tell the queue model of a trade at an order's price, less what our orders before it got of it."""
    side, tick, lots = np.int64(record["side"]), _rest_tick(record), a.lots[row]
    is_behind_own = _own_lots_before(a, record) > 0
    low, high = 0, a.state["own_step_count"][0]  # the first step at the row or after it: steps ascend by row
    while low < high:
        middle = (low + high) >> 1
        if a.own_steps[middle]["row"] < row:
            low = middle + 1
        else:
            high = middle
    for k in range(low, a.state["own_step_count"][0]):
        step = a.own_steps[k]
        if step["side"] != side:
            continue
        is_before_at_price = step["price_tick"] == tick and step["rest_no"] < record["rest_no"]
        if step["row"] > row:  # it was there still when the trade came
            is_behind_own = is_behind_own or (is_before_at_price and step["leaves_lots"] == 0)
        elif is_before_at_price or side * step["price_tick"] > side * tick:
            lots -= step["lots"]
    a.models.queue_trade(a, record, _quantity(a.spec[0], lots))
    if is_behind_own:
        record["qty_ahead"] = max(record["qty_ahead"], 0.0)
    else:
        a.models.queue_filled(a, record)


# --- a market by price ------------------------------------------------------------------------------------------------


@borrowing
def _first_ts(a, row):
    """Return the exchange time of the first row that the exchange had not consumed at `row`."""
    while row < len(a.op):
        if a.op[row] & OP_AT_EXCH:
            return a.exch_ts[row]
        row += 1
    return np.int64(0)


@borrowing
def _follow_level(a, record, level):
    """Tell the queue model what has reached us at the price of an order since the last look."""
    spec = a.spec[0]
    is_bid = record["side"] == BUY
    sets, clears, clears_all = OP_SET_ASK, OP_CLEAR_ASKS, OP_CLEAR_ALL_ASKS
    trades = OP_BUY_TRADE
    if is_bid:
        sets, clears, clears_all, trades = OP_SET_BID, OP_CLEAR_BIDS, OP_CLEAR_ALL_BIDS, OP_SELL_TRADE
    since_ts = _first_ts(a, record["rest_row"])
    for row in range(record["seen_row"], a.state["local_row"][0]):
        if not a.op[row] & OP_AT_LOCAL or a.exch_ts[row] < since_ts:
            continue
        what = a.op[row] & OP_MASK
        if what == sets and a.level[row] == level:
            a.models.queue_depth(a, record, _quantity(spec, record["seen_lots"]), _quantity(spec, a.lots[row]))
            record["seen_lots"] = a.lots[row]
        elif what == OP_OUTSIDE:
            if a.level[row] == level and ((a.op[row] & OP_BID) != 0) == is_bid:
                a.models.queue_depth(a, record, 0.0, _quantity(spec, a.lots[row]))  # the book does not hold it
        elif what == trades and spec["is_honest"]:
            if a.level[row] == level:
                _follow_shared_trade(a, record, row)
            elif (a.levels[a.level[row]] < _rest_tick(record)) == is_bid:
                record["qty_ahead"] = 0.0  # it went through our price
        elif what == trades and a.level[row] == level:
            a.models.queue_trade(a, record, _quantity(spec, a.lots[row]))
            a.models.queue_filled(a, record)
        elif what >= OP_CLEAR_BIDS:
            is_in_reach = level >= a.level[row] if is_bid else level <= a.level[row]
            if what == OP_CLEAR_BOTH or what == clears_all or (what == clears and is_in_reach):
                record["seen_lots"] = 0


@borrowing
def _follow_queue(a, record, level):
    """Take from the queue ahead what has left it, by the rows that have reached us since the last look."""
    spec = a.spec[0]
    is_bid = record["side"] == BUY
    for row in range(record["seen_row"], a.state["local_row"][0]):
        code = a.op[row]
        what = code & OP_MASK
        if not code & OP_AT_LOCAL or a.prior_level[row] != level or ((code & OP_BID) != 0) != is_bid:
            continue
        if a.prior_row[row] >= record["rest_row"]:
            continue
        left = np.int64(0)
        if what == OP_CANCEL_ORDER:
            left = a.prior_lots[row]
        elif what == OP_MODIFY_ORDER:
            has_moved = a.level[row] != level or a.lots[row] > a.prior_lots[row]
            left = a.prior_lots[row] if has_moved else a.prior_lots[row] - a.lots[row]
        record["qty_ahead"] -= _quantity(spec, left)


@borrowing
def queue_ahead(a, order_id):
    """Return the quantity before an order of ours in its queue; NaN if it does not rest, as far as we know."""
    position = find_order(a.orders, order_id)
    if position == EMPTY:
        return np.nan
    record = a.orders.records[position]
    if not _is_resting(record):
        return np.nan
    level = level_of(a.levels, _rest_tick(record))
    # At a price that the tape never names nothing happens, but a trade may go through it.
    if level >= 0 and a.spec[0]["is_by_order"]:
        _follow_queue(a, record, level)
    elif level >= 0 or a.spec[0]["is_honest"]:
        _follow_level(a, record, level)
    record["seen_row"] = max(record["seen_row"], a.state["local_row"][0])
    qty = max(record["qty_ahead"], 0.0)
    if a.spec[0]["is_honest"]:
        qty += _quantity(a.spec[0], _own_lots_before(a, record))
    return qty


# --- the market's own queues, of a market by order --------------------------------------------------------------------


@internal
def _begin(a):
    """Make room for the market's orders: linked lists, one a level and side."""
    a.links = np.full((a.spec["order_count"][0], 3), _NONE, np.int32)
    a.link_lots = np.zeros(a.spec["order_count"][0], np.int64)
    a.link_ids = np.zeros(a.spec["order_count"][0], np.int64)
    a.ends = np.full((2 * len(a.levels), 2), _NONE, np.int32)


@borrowing
def _append(a, k, place):
    """Put an order at the end of a queue. links : (previous, next, queue) of each order.   ends : (first, last)."""
    links, ends = a.links, a.ends
    last = ends[place, 1]
    links[k, 0], links[k, 1], links[k, 2] = last, _NONE, place
    if last == _NONE:
        ends[place, 0] = k
    else:
        links[last, 1] = k
    ends[place, 1] = k


@borrowing
def _unlink(a, k):
    """Take an order out of its queue, if it stands in one."""
    links, ends = a.links, a.ends
    previous, following, place = links[k, 0], links[k, 1], links[k, 2]
    if place == _NONE:
        return
    if previous == _NONE:
        ends[place, 0] = following
    else:
        links[previous, 1] = following
    if following == _NONE:
        ends[place, 1] = previous
    else:
        links[following, 0] = previous
    links[k, 2] = _NONE


@borrowing
def _clear_queues(a, side):
    for level in range(len(a.levels)):
        place = 2 * level + side
        while a.ends[place, 0] != _NONE:
            _unlink(a, a.ends[place, 0])


@borrowing
def follow_orders(a):
    """Bring the market's queues up to the rows that have reached us; a market by price has none."""
    state = a.state[0]
    if not a.spec["is_by_order"][0]:
        return
    if len(a.links) == 0 and a.spec["order_count"][0] > 0:
        _begin(a)
    for row in range(state["queues_row"], state["local_row"]):
        code = a.op[row]
        if not code & OP_AT_LOCAL:
            continue
        what, k = code & OP_MASK, a.order_no[row]
        side = 0 if code & OP_BID else 1
        place = 2 * a.level[row] + side
        if what == OP_ADD_ORDER:
            a.link_ids[k], a.link_lots[k] = a.order_id[row], a.lots[row]
            _append(a, k, place)
        elif what == OP_CANCEL_ORDER:
            _unlink(a, k)
        elif what == OP_MODIFY_ORDER:
            if place != a.links[k, 2] or a.lots[row] > a.link_lots[k]:
                _unlink(a, k)
                _append(a, k, place)
            a.link_lots[k] = a.lots[row]
        if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
            _clear_queues(a, 0)
        if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
            _clear_queues(a, 1)
    state["queues_row"] = state["local_row"]


@internal
def queue_rows(a, side, tick):
    """Return the market's orders at a price, first come first, as EVENT rows with order id, price and quantity."""
    spec = a.spec[0]
    level = level_of(a.levels, tick)
    count = 0
    if level >= 0 and len(a.ends) > 0:
        k = a.ends[2 * level + (0 if side == BUY else 1), 0]
        while k != _NONE:
            count += 1
            k = a.links[k, 1]
    out = np.zeros(count, EVENT)
    if count > 0:
        k = a.ends[2 * level + (0 if side == BUY else 1), 0]
        for i in range(count):
            out["order_id"][i] = a.link_ids[k]
            out["px"][i] = tick * spec["tick_numerator"] / spec["tick_denominator"]
            out["qty"][i] = _quantity(spec, a.link_lots[k])
            k = a.links[k, 1]
    return out
