"""The exchange half: the market's rows and our requests, in the order of time (spec B4).

What it assumes, and when that fails:

- Our orders do not move the market: they never change the book, never trade with each other, and each sees the full
quantity of
  every trade. A strategy that is large against the book sees fills that it would not have had.
- *No partial fill*: an order is filled whole or not at all. A marketable order fills whole at the opposite best price,
  whatever rests there.
- *Partial fill*: passive orders fill by what trades beyond the queue ahead; taking orders walk the book's levels, which are
  not consumed. What a crossing GTC order cannot get from the levels executes in full at its limit.
- A resting order is filled whole when the opposite best price reaches it, and when a trade goes through its price.

Orders are visited in price-time priority, so that runs are repeatable (D8). Every execution is one message (D2),
and an order is
taken out of the book when nothing is left of it (D3).
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import EMPTY
from queuefront.core.enums import (
    BUY,
    CANCELED,
    EXCHANGE_NO_PARTIAL_FILL,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTX,
    INVALID_ORDER_REQUEST,
    IOC,
    MARKET,
    NEW,
    NONE,
    OP_BUY_TRADE,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    ORDER_ID_EXISTS,
    PARTIALLY_FILLED,
    REJECTED,
    REPLACED,
)
from queuefront.core.jit import borrowing
from queuefront.sim.bus_compiled import NEVER, due_request, push_response
from queuefront.sim.latency_compiled import response_latency
from queuefront.sim.market_compiled import (
    apply_clear,
    best_levels_before,
    first_level_at_or_above,
    level_of,
    skip_to_own_row,
)
from queuefront.sim.queue_compiled import enter_queue, queue_after_depth, queue_after_trade, take_filled_lots
from queuefront.sim.resting_compiled import add_resting, find_resting, find_turn, remove_resting

__all__ = ["AWAIT_ANY", "AWAIT_NOTHING", "AWAIT_ORDER", "run_exchange"]

# What ends a run early: nothing, a response to one order, or any response.
AWAIT_NOTHING = 0
AWAIT_ORDER = 1
AWAIT_ANY = 2

_MARKET_BUY_TICKS = 99  # a taking MARKET order looks this far beyond the best price (spec B4.4, D27)
_MARKET_SELL_TICKS = 100


@borrowing
def _respond(a, order, now):
    """Send a copy of an ORDER record back; it carries no pending request unless it is a refusal."""
    spec, state = a.spec[0], a.state[0]
    push_response(a, order, now + response_latency(spec, state, a.answered_rows, now))


@borrowing
def _quantity(spec, lots):
    return lots * spec["lot_numerator"] / spec["lot_denominator"]


# --- executions ---------------------------------------------------------------------------------------------------------


@borrowing
def _execute_passive(a, place, lots, now):
    """Fill a resting order by so many lots at its own price; take it out of the book when nothing is left."""
    order = a.resting[place]
    order["is_maker"] = 1
    order["exec_lots"] = lots
    order["exec_price_tick"] = order["price_tick"]
    order["leaves_lots"] -= lots
    order["status"] = FILLED if order["leaves_lots"] == 0 else PARTIALLY_FILLED
    order["exch_ts"] = now
    order["req"] = NONE
    order["is_execution"] = 1
    _respond(a, order, now)
    order["is_execution"] = 0
    if order["leaves_lots"] == 0:
        remove_resting(a, place)


@borrowing
def _execute_taker(a, message, tick, lots, now):
    """Note an execution against the book on a request.

    The message is sent at once, or at the end where fills are lumped.
    """
    message["is_maker"] = 0
    message["exec_lots"] = lots
    message["exec_price_tick"] = tick
    message["leaves_lots"] -= lots
    message["status"] = FILLED if message["leaves_lots"] == 0 else PARTIALLY_FILLED
    message["exch_ts"] = now
    message["is_execution"] = 1
    if not a.spec[0]["books_only_filled"]:
        _respond(a, message, now)


# --- the market's rows ---------------------------------------------------------------------------------------------------


@borrowing
def _fill_crossed(a, best_tick, is_bid_best, now):
    """Fill whole, at their own price, our orders on the other side that a new best price reaches."""
    state = a.state[0]
    if is_bid_best:
        while state["resting_asks"] > 0 and a.ask_queue[state["resting_asks"] - 1, 0] <= best_tick:
            place = a.ask_queue[state["resting_asks"] - 1, 1]
            _execute_passive(a, place, a.resting["leaves_lots"][place], now)
    else:
        while state["resting_bids"] > 0 and a.bid_queue[state["resting_bids"] - 1, 0] >= best_tick:
            place = a.bid_queue[state["resting_bids"] - 1, 1]
            _execute_passive(a, place, a.resting["leaves_lots"][place], now)


@borrowing
def _requeue(a, is_bid, tick, lots_before, lots_after):
    """Let the queue model see a changed quantity at one of our prices."""
    spec, state = a.spec[0], a.state[0]
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    before, after = _quantity(spec, lots_before), _quantity(spec, lots_after)
    i = find_turn(queue, count, tick, 1 if is_bid else -1)
    while i < count and queue[i, 0] == tick:
        queue_after_depth(spec["queue_model"], spec["queue_exponent"], a.resting[queue[i, 1]], before, after)
        i += 1


@borrowing
def _on_depth(a, row, what):
    """Apply a row that sets a level: the book, then the queue at that price, then fills by the new best (spec B4.6)."""
    state = a.state[0]
    level, lots = np.int64(a.level[row]), a.lots[row]
    place = 2 * level + what - 1
    lots_before = a.exch_lots[place]
    a.exch_lots[place] = lots
    now = a.exch_ts[row]
    bid, ask = best_levels_before(
        a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
    )
    if what == OP_SET_BID:
        if a.own_count[place]:
            _requeue(a, np.int64(1), a.levels[level], lots_before, lots)
        if a.best_bid_exch[row] > bid:
            _fill_crossed(a, a.levels[a.best_bid_exch[row]], np.int64(1), now)
    else:
        if a.own_count[place]:
            _requeue(a, np.int64(0), a.levels[level], lots_before, lots)
        if a.best_ask_exch[row] < ask:
            _fill_crossed(a, a.levels[a.best_ask_exch[row]], np.int64(0), now)


@borrowing
def _on_trade(a, row, is_buy):
    """Let our orders that a trade reaches fill (spec B4.7).

    Better-priced ones whole, those at its price by the queue model.
    """
    spec, state = a.spec[0], a.state[0]
    now = a.exch_ts[row]
    tick = a.levels[a.level[row]]
    bid, ask = best_levels_before(
        a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
    )
    qty = _quantity(spec, a.lots[row])
    queue = a.ask_queue if is_buy else a.bid_queue
    i = (state["resting_asks"] if is_buy else state["resting_bids"]) - 1
    while i >= 0 and (queue[i, 0] <= tick if is_buy else queue[i, 0] >= tick):
        own, place = queue[i, 0], queue[i, 1]
        i -= 1
        # Only a clear can leave an order of ours at or beyond the opposite best price; no trade reaches it there.
        if (bid >= 0 and own <= a.levels[bid]) if is_buy else (ask < len(a.levels) and own >= a.levels[ask]):
            continue
        leaves = a.resting["leaves_lots"][place]
        if own != tick:
            _execute_passive(a, place, leaves, now)
            continue
        order = a.resting[place]
        queue_after_trade(spec["queue_model"], order, qty)
        filled = take_filled_lots(order, spec["lot_size"])
        if filled > 0:
            is_whole = spec["exchange_model"] == EXCHANGE_NO_PARTIAL_FILL
            _execute_passive(a, place, leaves if is_whole else min(filled, leaves), now)


@borrowing
def _process_row(a, row):
    """Apply one row that concerns our orders, or clears a side."""
    what = a.op[row] & OP_MASK
    if what == OP_SET_BID or what == OP_SET_ASK:
        _on_depth(a, row, what)
    elif what == OP_BUY_TRADE or what == OP_SELL_TRADE:
        _on_trade(a, row, what == OP_BUY_TRADE)
    elif what >= OP_CLEAR_BIDS:
        state = a.state[0]
        bid, ask = best_levels_before(
            a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
        )
        apply_clear(a.exch_lots, what, np.int64(a.level[row]), bid, ask)


# --- our requests ---------------------------------------------------------------------------------------------------------


@borrowing
def _levels_lots(a, message, start, stop, step):
    """Return the lots that a taking order finds on the levels start, start + step, … before stop."""
    side = 1 if message["side"] == BUY else 0
    found = 0
    v = start
    while v != stop:
        found += max(a.exch_lots[2 * v + side], 0)
        if found >= message["leaves_lots"]:
            break
        v += step
    return found


@borrowing
def _take_levels(a, message, start, stop, step, now):
    """Execute a taking order level by level until it is filled or `stop` is reached."""
    side = 1 if message["side"] == BUY else 0
    v = start
    while v != stop and message["leaves_lots"] > 0:
        lots = min(a.exch_lots[2 * v + side], message["leaves_lots"])
        if lots > 0:
            _execute_taker(a, message, a.levels[v], lots, now)
        v += step


@borrowing
def _level_range(a, is_buy, best, limit_tick):
    """Return (start, stop, step) over the levels from the best to the limit, the limit included."""
    if is_buy:
        return best, max(best, first_level_at_or_above(a.levels, limit_tick + 1)), 1
    return best, min(best, first_level_at_or_above(a.levels, limit_tick) - 1), -1


@borrowing
def _expire(a, message, now):
    """Answer that nothing, or nothing more, of an order was executed."""
    if message["is_execution"] and not a.spec[0]["books_only_filled"]:
        message["exec_lots"] = 0  # the executions before were answered each by itself
    message["is_execution"] = 0
    message["status"] = EXPIRED
    message["exch_ts"] = now
    _respond(a, message, now)


@borrowing
def _take_partially(a, message, best, now):
    """Let a marketable order walk the book (spec B4.4).

    What remains of a GTC executes at its limit, of others it expires.
    """
    is_buy = message["side"] == BUY
    tif = message["time_in_force"]
    is_market = message["order_type"] == MARKET
    if is_market:
        tif = IOC
        limit = a.levels[best] + (_MARKET_BUY_TICKS if is_buy else -_MARKET_SELL_TICKS)
    else:
        limit = message["price_tick"]
        if tif == GTC and is_buy:
            limit -= 1  # hftbacktest leaves the limit's own level to the final execution (D27)
    start, stop, step = _level_range(a, is_buy, best, limit)
    if tif == FOK and _levels_lots(a, message, start, stop, step) < message["leaves_lots"]:
        _expire(a, message, now)
        return
    _take_levels(a, message, start, stop, step, now)
    if message["leaves_lots"] > 0:
        if tif == GTC:
            _execute_taker(a, message, message["price_tick"], message["leaves_lots"], now)
        else:
            _expire(a, message, now)
            return
    if a.spec[0]["books_only_filled"]:
        _respond(a, message, now)


@borrowing
def _take_whole(a, message, best, now):
    """Fill a marketable order whole at the opposite best price (spec B4.3)."""
    _execute_taker(a, message, a.levels[best], message["leaves_lots"], now)
    if a.spec[0]["books_only_filled"]:
        _respond(a, message, now)


@borrowing
def _rest(a, message, now):
    """Put an order into the book behind what rests at its price, and confirm it."""
    spec = a.spec[0]
    level = level_of(a.levels, message["price_tick"])
    ahead = np.int64(0)
    if level >= 0:
        ahead = a.exch_lots[2 * level + (0 if message["side"] == BUY else 1)]
    message["own_level"] = level
    enter_queue(message, _quantity(spec, ahead))
    message["status"] = NEW
    message["exch_ts"] = now
    add_resting(a, message)
    _respond(a, message, now)


@borrowing
def _new_order(a, message, now):
    """Accept, fill, rest or expire an order. Returns an error code."""
    if find_resting(a, message["order_id"]) != EMPTY:
        return ORDER_ID_EXISTS
    state = a.state[0]
    bid, ask = best_levels_before(
        a.best_bid_exch, a.best_ask_exch, state["exch_row"], state["opening_bid_level"], state["opening_ask_level"]
    )
    is_buy = message["side"] == BUY
    best = ask if is_buy else bid
    has_best = best < len(a.levels) if is_buy else best >= 0
    message["is_execution"] = 0
    if message["order_type"] == MARKET:
        is_taking = True
    else:
        tick = message["price_tick"]
        is_taking = has_best and (tick >= a.levels[best] if is_buy else tick <= a.levels[best])
    tif = message["time_in_force"]
    if (is_taking and not has_best) or (is_taking and message["order_type"] != MARKET and tif == GTX):
        _expire(a, message, now)
    elif is_taking and a.spec[0]["exchange_model"] == EXCHANGE_NO_PARTIAL_FILL:
        _take_whole(a, message, best, now)
    elif is_taking:
        _take_partially(a, message, best, now)
    elif tif == FOK or tif == IOC:
        _expire(a, message, now)
    else:
        _rest(a, message, now)
    return 0


@borrowing
def _refuse(a, message, now):
    """Answer a cancel or modify of an order that does not rest here."""
    message["req"] = REJECTED
    message["exch_ts"] = now
    message["is_execution"] = 0
    _respond(a, message, now)


@borrowing
def _cancel_order(a, message, now):
    place = find_resting(a, message["order_id"])
    if place == EMPTY:
        _refuse(a, message, now)
        return
    order = a.resting[place]
    order["status"] = CANCELED
    order["exch_ts"] = now
    order["local_ts"] = message["local_ts"]  # the cancel's own time, for order_latency (D6)
    order["req"] = NONE
    _respond(a, order, now)
    remove_resting(a, place)


@borrowing
def _modify_order(a, message, now):
    """Change an order (spec B4.9).

    Smaller at the same price keeps its place, anything else queues anew. Returns an error code.
    """
    place = find_resting(a, message["order_id"])
    if place == EMPTY:
        _refuse(a, message, now)
        return 0
    order = a.resting[place]
    message["leaves_lots"] = message["order_lots"]  # the new quantity is the new open quantity, in both cases (D4)
    if message["price_tick"] != order["price_tick"] or message["order_lots"] > order["leaves_lots"]:
        remove_resting(a, place)
        return _new_order(a, message, now)
    order["order_lots"] = message["order_lots"]
    order["leaves_lots"] = message["order_lots"]
    order["exch_ts"] = now
    order["req"] = NONE
    placed_ts = order["local_ts"]
    order["local_ts"] = message["local_ts"]
    _respond(a, order, now)
    order["local_ts"] = placed_ts  # later fills answer the placement, as in hftbacktest (D7)
    return 0


# --- the run ------------------------------------------------------------------------------------------------------


@borrowing
def _awaited_ts(a, since, awaits, order_id, until_ts):
    """Return when the first awaited response queued from position `since` on arrives, or `until_ts` if sooner."""
    if awaits == AWAIT_NOTHING:
        return until_ts
    mask = len(a.responses) - 1
    for position in range(since, a.state["response_tail"][0]):
        if awaits == AWAIT_ANY or a.responses["order_id"][position & mask] == order_id:
            return min(until_ts, a.responses["due_ts"][position & mask])
    return until_ts


@borrowing
def _run_rows(a, until_ts, awaits, order_id):
    """Process the market's rows up to a time, or to the awaited response to a fill among them."""
    state = a.state[0]
    op, exch_ts, level, lots = a.op, a.exch_ts, a.level, a.lots
    best_bid, best_ask, book_lots, own_count = a.best_bid_exch, a.best_ask_exch, a.exch_lots, a.own_count
    count = len(op)
    row = state["exch_row"]
    while True:
        row = skip_to_own_row(
            op,
            exch_ts,
            level,
            lots,
            best_bid,
            best_ask,
            book_lots,
            own_count,
            row,
            until_ts,
            state["own_best_bid_level"],
            state["own_best_ask_level"],
        )
        if row >= count or exch_ts[row] > until_ts:
            break
        queued = state["response_tail"]
        _process_row(a, row)
        row += 1
        if state["response_tail"] != queued:
            until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
    state["exch_row"] = row


@borrowing
def _dispatch_due(a, now):
    """Act on every request that arrives at this time."""
    state = a.state[0]
    while due_request(a) == now:
        message = a.requests[state["request_head"] & (len(a.requests) - 1)]
        state["request_head"] += 1
        req = message["req"]
        message["req"] = NONE
        code = 0
        if req == NEW:
            code = _new_order(a, message, now)
        elif req == CANCELED:
            _cancel_order(a, message, now)
        elif req == REPLACED:
            code = _modify_order(a, message, now)
        else:
            code = INVALID_ORDER_REQUEST
        if code != 0 and state["error_code"] == 0:
            state["error_code"] = code


@borrowing
def run_exchange(a, until_ts, awaits, order_id):
    """Run the exchange half up to a time, or until the awaited response is on its way. Returns the time to which it
    may be run.

    a : ReplayAsset.   awaits : AWAIT_NOTHING, AWAIT_ORDER (a response to `order_id`) or AWAIT_ANY.

    While nothing of ours rests there or is on its way, the market's rows are left for later: they change nothing but
    quantities, which are brought up to date when the next order arrives. Within one asset, rows at a request's time come
    before the request (spec B1.5).
    """
    state = a.state[0]
    # A call that ran into the end of the data left the clock where it was, but consumed the rows: they stay consumed.
    reached_ts = state["reached_ts"]
    until_ts = _awaited_ts(a, state["response_head"], awaits, order_id, until_ts)
    while True:
        due = due_request(a)
        if due > until_ts and state["resting_bids"] + state["resting_asks"] == 0:
            break
        queued = state["response_tail"]
        _run_rows(a, max(min(until_ts, due), reached_ts), awaits, order_id)
        until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
        if due > until_ts or due == NEVER:
            break
        queued = state["response_tail"]
        _dispatch_due(a, due)
        until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
    state["reached_ts"] = max(reached_ts, until_ts)
    return until_ts
