"""What the exchange does about our requests (spec B4.2 to B4.4, B4.8, B4.9)."""

from __future__ import annotations

import numpy as np

from queuefront.bot import EMPTY
from queuefront.core.enums import (
    BUY,
    CANCELED,
    EXCHANGE_NO_PARTIAL_FILL,
    EXPIRED,
    FOK,
    GTC,
    GTX,
    INVALID_ORDER_REQUEST,
    IOC,
    MARKET,
    NEW,
    NONE,
    OP_MASKED,
    ORDER_ID_EXISTS,
    REJECTED,
    REPLACED,
    TRACE_CANCEL,
    TRACE_EXPIRE,
    TRACE_MODIFY,
    TRACE_REST,
)
from queuefront.core.jit import borrowing
from queuefront.sim.balances_compiled import hold, release
from queuefront.sim.bus_compiled import due_request
from queuefront.sim.executions_compiled import execute_taker, quantity, respond, trace
from queuefront.sim.honest_compiled import available_lots, note_taken, own_lots_at
from queuefront.sim.market_compiled import best_levels_before, first_level_at_or_above, level_of
from queuefront.sim.resting_compiled import add_resting, find_resting, remove_resting

__all__ = ["dispatch_due"]

_MARKET_BUY_TICKS = 99  # a taking MARKET order looks this far beyond the best price (spec B4.4, D27)
_MARKET_SELL_TICKS = 100


@borrowing
def _levels_lots(a, message, start, stop, step):
    """Return the lots that a taking order finds on the levels start, start + step, … before stop."""
    side = 1 if message["side"] == BUY else 0
    found = 0
    v = start
    while v != stop:
        found += available_lots(a, 2 * v + side)
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
        here = available_lots(a, 2 * v + side)
        if here > 0:
            lots = min(np.int64(a.models.exec_taking(a, message, a.levels[v], here)), message["leaves_lots"])
            if lots > 0:
                note_taken(a, 2 * v + side, lots)
                execute_taker(a, message, a.levels[v], lots, now)
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
    if a.spec[0]["traces"]:
        trace(a, message, np.int64(TRACE_EXPIRE), np.int64(-1), np.int64(0), now)
    respond(a, message, now)


@borrowing
def _take_partially(a, message, best, now):
    """Let a marketable order walk the book (spec B4.4).

    What remains of a GTC executes at its limit, or rests there where liquidity is honest; of others it expires.
    """
    spec = a.spec[0]
    is_buy = message["side"] == BUY
    tif = message["time_in_force"]
    is_market = message["order_type"] == MARKET
    if is_market:
        tif = IOC
        limit = a.levels[best] + (_MARKET_BUY_TICKS if is_buy else -_MARKET_SELL_TICKS)
    else:
        limit = message["price_tick"]
        if tif == GTC and is_buy and not spec["is_honest"]:
            limit -= 1  # hftbacktest leaves the limit's own level to the final execution (D27)
    start, stop, step = _level_range(a, is_buy, best, limit)
    if tif == FOK and _levels_lots(a, message, start, stop, step) < message["leaves_lots"]:
        release(a, message, message["leaves_lots"])
        _expire(a, message, now)
        return
    _take_levels(a, message, start, stop, step, now)
    if message["leaves_lots"] > 0:
        if tif == GTC and spec["is_honest"]:
            _rest(a, message, now)
            return
        if tif == GTC:
            execute_taker(a, message, message["price_tick"], message["leaves_lots"], now)
        else:
            release(a, message, message["leaves_lots"])
            _expire(a, message, now)
            return
    if spec["books_only_filled"]:
        respond(a, message, now)


@borrowing
def _take_whole(a, message, best, now):
    """Fill a marketable order whole at the opposite best price (spec B4.3)."""
    execute_taker(a, message, a.levels[best], message["leaves_lots"], now)
    if a.spec[0]["books_only_filled"]:
        respond(a, message, now)


@borrowing
def _rest(a, message, now):
    """Put an order into the book behind what rests at its price, and confirm it unless an execution did."""
    spec = a.spec[0]
    level = level_of(a.levels, message["price_tick"])
    state = a.state[0]
    ahead = np.int64(0)
    message["rest_lots"] = 0
    if level >= 0:
        place = 2 * level + (0 if message["side"] == BUY else 1)
        ahead, message["rest_lots"] = available_lots(a, place), a.exch_lots[place]
    message["rest_ahead_lots"] = ahead
    message["own_level"] = level
    message["rest_row"], message["rest_no"] = state["exch_row"], state["request_head"]
    message["memory_0"] = message["memory_1"] = message["traded_qty"] = 0.0
    qty = quantity(spec, ahead)
    if not spec["range_low"] <= message["price_tick"] <= spec["range_high"]:
        qty = np.nan  # outside of a bounded book nobody knows what rests
    a.models.queue_enter(a, message, qty)
    message["arrival_qty_ahead"] = message["qty_ahead"]
    if spec["is_honest"]:
        message["arrival_qty_ahead"] += quantity(spec, own_lots_at(a, message["side"], message["price_tick"]))
    if a.spec[0]["traces"]:
        trace(a, message, np.int64(TRACE_REST), np.int64(-1), message["leaves_lots"], now)
    is_confirmed = message["is_execution"] != 0
    message["is_execution"] = 0
    if not is_confirmed:
        message["status"] = NEW
        message["exch_ts"] = now
    add_resting(a, message)
    if is_confirmed:
        _tell_rest(a.responses[(state["response_tail"] - 1) & (len(a.responses) - 1)], message)
    else:
        respond(a, message, now)


@borrowing
def _tell_rest(answer, message):
    """Let the answer of the last execution, which is under way, say where the order came to rest then."""
    answer["rest_row"], answer["rest_no"] = message["rest_row"], message["rest_no"]
    answer["rest_lots"], answer["rest_ahead_lots"] = message["rest_lots"], message["rest_ahead_lots"]


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
    message["rest_row"] = -1  # if it rests, it does so anew
    if message["order_type"] == MARKET:
        is_taking = True
    else:
        tick = message["price_tick"]
        is_taking = has_best and (tick >= a.levels[best] if is_buy else tick <= a.levels[best])
    is_market, tif = message["order_type"] == MARKET, message["time_in_force"]
    is_refused = (not has_best or (tif == GTX and not is_market)) if is_taking else (tif == FOK or tif == IOC)
    if bid < 0 and ask == len(a.levels) and state["exch_row"] > 0:
        # A masked exchange shows an empty book; only then is it worth asking whether it is one.
        is_refused = is_refused or (a.op[state["exch_row"] - 1] & OP_MASKED) != 0
    if is_refused or not hold(a, message, a.levels[best] if is_market else message["price_tick"]):
        _expire(a, message, now)
    elif is_taking and a.spec[0]["exchange_model"] == EXCHANGE_NO_PARTIAL_FILL:
        _take_whole(a, message, best, now)
    elif is_taking:
        _take_partially(a, message, best, now)
    else:
        _rest(a, message, now)
    return 0


@borrowing
def _refuse(a, message, now):
    """Answer a cancel or modify of an order that does not rest here."""
    message["req"] = REJECTED
    message["exch_ts"] = now
    message["is_execution"] = 0
    respond(a, message, now)


@borrowing
def _cancel_order(a, message, now):
    place = find_resting(a, message["order_id"])
    if place == EMPTY:
        _refuse(a, message, now)
        return
    order = a.resting[place]
    release(a, order, order["leaves_lots"])
    order["status"] = CANCELED
    order["exch_ts"] = now
    order["acted_row"] = message["acted_row"]
    order["local_ts"] = message["local_ts"]  # the cancel's own time, for order_latency (D6)
    order["req"] = NONE
    if a.spec[0]["traces"]:
        trace(a, order, np.int64(TRACE_CANCEL), np.int64(-1), np.int64(0), now)
    respond(a, order, now)
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
        release(a, order, order["leaves_lots"])
        remove_resting(a, place)
        return _new_order(a, message, now)
    release(a, order, order["leaves_lots"] - message["order_lots"])
    order["order_lots"] = message["order_lots"]
    order["leaves_lots"] = message["order_lots"]
    order["exch_ts"] = now
    order["req"] = NONE
    if a.spec[0]["traces"]:
        trace(a, order, np.int64(TRACE_MODIFY), np.int64(-1), order["leaves_lots"], now)
    placed_ts = order["local_ts"]
    order["local_ts"] = message["local_ts"]
    respond(a, order, now)
    order["local_ts"] = placed_ts  # later fills answer the placement, as in hftbacktest (D7)
    return 0


@borrowing
def dispatch_due(a, now):
    """Act on every request that arrives at this time."""
    state = a.state[0]
    state["last_message_ts"] = max(state["last_message_ts"], now)
    while due_request(a) == now:
        message = a.requests[state["request_head"] & (len(a.requests) - 1)]
        state["request_head"] += 1
        message["acted_row"] = state["exch_row"]
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
