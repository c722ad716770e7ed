"""The local half: what we know, when we know it (spec B3).

Position and money change when we are told of an execution, not when it happens. Every execution is booked exactly once,
and a refusal books nothing (D1, D5).
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import EMPTY, add_order, add_to_sum, amount_of, divide_product, find_order
from queuefront.core.dtypes import FILL, ORDER_CHANGE
from queuefront.core.enums import (
    CANCELED,
    CONTRACT_LINEAR,
    EXPIRED,
    FILLED,
    GTC,
    INVALID_ORDER_REQUEST,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    NONE,
    OP_AT_LOCAL,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    REJECTED,
    REPLACED,
    REQUEST_IN_PROGRESS,
)
from queuefront.core.jit import borrowing, internal, prefetch
from queuefront.feed import BLOCK_SHIFT
from queuefront.sim.bus_compiled import NEVER, due_response, later, push_request, push_response
from queuefront.sim.queue_compiled import round_half_away
from queuefront.sim.queue_view_compiled import begin_queue, note_own_step

__all__ = [
    "cancel_order",
    "deliver_responses",
    "fetch_feed",
    "modify_order",
    "next_feed_ts",
    "pay_funding",
    "receive_feed",
    "submit_order",
]

_COUNT_MAX = 9007199254740992.0  # 2^53: counts beyond it are not exact as floats
_VOLUME_MAX = 2**62
_INVERSE_TICK_MAX = 90_000_000_000_000  # `bot.amount_of` multiplies ticks by 1e5
_GRID_TOLERANCE = 1e-6  # of a lot: what float arithmetic on a quantity may leave


# --- the feed -----------------------------------------------------------------------------------------------------


@borrowing
def next_feed_ts(a):
    """Return when the local half sees its next row, or NEVER."""
    op = a.op
    row = a.state["local_row"][0]
    while row < len(op):
        if op[row] & OP_AT_LOCAL:
            return a.local_ts[row]
        row += 1
    return NEVER


@borrowing
def fetch_feed(a, until_ts):
    """Let the processor fetch the rows around the one that `receive_feed` will come to."""
    block, blocks = a.state["local_row"][0] >> BLOCK_SHIFT, len(a.block_local_ts)
    while block < blocks and a.block_local_ts[block] <= until_ts:
        block += 1
    if block < blocks:
        row = block << BLOCK_SHIFT
        prefetch(a.op, row)
        for k in range(4):
            prefetch(a.local_ts, row + 8 * k)
            prefetch(a.exch_ts, row + 8 * k)
        for k in range(2):
            prefetch(a.best_bid_local, row + 16 * k)
            prefetch(a.best_ask_local, row + 16 * k)


@borrowing
def receive_feed(a, until_ts):
    """Consume the rows that the local half sees up to a time."""
    op, local_ts = a.op, a.local_ts
    state = a.state[0]
    block_local_ts = a.block_local_ts
    first = row = state["local_row"]
    count = len(op)
    while row < count:
        block = row >> BLOCK_SHIFT
        if block_local_ts[block] > until_ts:
            # The row that is too late stands in this block; only blocks that end in time are leapt over.
            while row < count and (not op[row] & OP_AT_LOCAL or local_ts[row] <= until_ts):
                row += 1
            break
        row = (block + 1) << BLOCK_SHIFT
    row = min(row, count)
    state["local_row"] = row
    while row > first:
        row -= 1
        if op[row] & OP_AT_LOCAL:
            state["local_feed_row"] = row
            break


# --- what is recorded ---------------------------------------------------------------------------------------------


@internal
def _grow_changes(a):
    count = len(a.changes)
    larger = np.zeros(2 * count, ORDER_CHANGE)
    for k in range(count):
        larger[k] = a.changes[k]
    a.changes = larger


@internal
def _grow_fills(a):
    count = len(a.fills)
    larger = np.zeros(2 * count, FILL)
    for k in range(count):
        larger[k] = a.fills[k]
    a.fills = larger


@borrowing
def _record_change(a, order, now, is_response, qty_ahead):
    """Append a change of an order to the record. order : ORDER record, as it is after the change."""
    state = a.state[0]
    count = state["change_count"]
    if count == len(a.changes):
        _grow_changes(a)
    change = a.changes[count]
    change["order_id"] = order["order_id"]
    change["local_ts"] = now
    change["exch_ts"] = order["exch_ts"]
    change["price_tick"] = order["price_tick"]
    change["order_lots"] = order["order_lots"]
    change["leaves_lots"] = order["leaves_lots"]
    change["exec_lots"] = order["exec_lots"]
    change["exec_price_tick"] = order["exec_price_tick"]
    change["qty_ahead"] = qty_ahead
    change["side"] = order["side"]
    change["is_maker"] = order["is_maker"]
    change["order_type"] = order["order_type"]
    change["time_in_force"] = order["time_in_force"]
    change["req"] = order["req"]
    change["status"] = order["status"]
    change["is_response"] = 1 if is_response else 0
    state["change_count"] = count + 1


@borrowing
def _record_fill(a, message, now, amount, fee):
    state = a.state[0]
    count = state["fill_count"]
    if count == len(a.fills):
        _grow_fills(a)
    fill = a.fills[count]
    fill["order_id"] = message["order_id"]
    fill["exch_ts"] = message["exch_ts"]
    fill["local_ts"] = now
    fill["price_tick"] = message["exec_price_tick"]
    fill["lots"] = message["exec_lots"]
    fill["position_lots"] = state["position_lots"]
    fill["amount"] = amount
    fill["fee"] = fee
    fill["arrival_qty_ahead"] = message["arrival_qty_ahead"]
    fill["side"] = message["side"]
    fill["is_maker"] = message["is_maker"]
    state["fill_count"] = count + 1


# --- responses ----------------------------------------------------------------------------------------------------


@borrowing
def _has_reached(state, tier):
    """Whether the value traded so far reaches a fee tier."""
    if state["value_high"] != tier["from_high"]:
        return state["value_high"] > tier["from_high"]
    return state["value_low"] >= tier["from_low"]


@borrowing
def pay_funding(a, until_ts):
    """Pay what is due up to a time, on the position that we know of then."""
    state = a.state[0]
    while state["funding_row"] < len(a.funding) and a.funding["funding_ts"][state["funding_row"]] <= until_ts:
        payment = a.funding[state["funding_row"]]
        lots = state["position_lots"]
        amount = lots * payment["whole"] + divide_product(lots, payment["rest"], payment["base"])
        state["cash_high"], state["cash_low"] = add_to_sum(state["cash_high"], state["cash_low"], -amount)
        state["funding_high"], state["funding_low"] = add_to_sum(state["funding_high"], state["funding_low"], amount)
        state["funding_row"] += 1


@borrowing
def _book_execution(a, message, now):
    """Book one execution: position, cash, fee and totals (spec B3.6)."""
    spec, state = a.spec[0], a.state[0]
    lots = message["exec_lots"]
    amount = amount_of(spec["contract"], message["exec_price_tick"], lots)
    fee = np.int64(a.models.fee(a, message, amount))
    state["position_lots"] += message["side"] * lots
    state["cash_high"], state["cash_low"] = add_to_sum(state["cash_high"], state["cash_low"], -message["side"] * amount)
    state["fee_high"], state["fee_low"] = add_to_sum(state["fee_high"], state["fee_low"], fee)
    state["value_high"], state["value_low"] = add_to_sum(state["value_high"], state["value_low"], amount)
    state["volume_lots"] += lots
    state["num_trades"] += 1
    while state["fee_tier"] + 1 < len(a.fee_tiers) and _has_reached(state, a.fee_tiers[state["fee_tier"] + 1]):
        state["fee_tier"] += 1
    if spec["records_fills"]:
        _record_fill(a, message, now, amount, fee)


@borrowing
def _copy_answer(a, record, message):
    """Take over what the exchange says of an order; the time of our own last request stays."""
    is_honest = a.spec[0]["is_honest"]
    if is_honest:
        note_own_step(a, record, message)
    came_to_rest = message["rest_row"] != record["rest_row"] or message["rest_no"] != record["rest_no"]
    record["price_tick"] = message["price_tick"]
    record["order_lots"] = message["order_lots"]
    record["leaves_lots"] = message["leaves_lots"]
    record["exec_lots"] = message["exec_lots"]
    record["exec_price_tick"] = message["exec_price_tick"]
    record["is_maker"] = message["is_maker"]
    record["order_type"] = message["order_type"]
    record["time_in_force"] = message["time_in_force"]
    record["side"] = message["side"]
    record["status"] = message["status"]
    record["req"] = message["req"]
    record["arrival_qty_ahead"] = message["arrival_qty_ahead"]
    if came_to_rest:
        record["rest_row"], record["rest_no"] = message["rest_row"], message["rest_no"]
        record["rest_lots"], record["rest_ahead_lots"] = message["rest_lots"], message["rest_ahead_lots"]
        begin_queue(a, record)
    if message["is_execution"] and message["is_maker"] and not is_honest:
        record["qty_ahead"] = 0.0  # whoever fills has nobody ahead
    if message["exch_ts"] > 0:
        record["exch_ts"] = message["exch_ts"]


@borrowing
def _take_refusal(record, message):
    """Undo a refused request, unless a later one took its place."""
    if message["local_ts"] != record["local_ts"]:
        return
    if record["req"] == NEW:
        record["status"] = EXPIRED
    elif record["req"] == REPLACED:
        record["price_tick"] = record["prior_price_tick"]  # D10
        record["order_lots"] = record["prior_order_lots"]
    record["req"] = NONE


@borrowing
def _take_response(a, message, now):
    """Handle one response that arrives at `now` (spec B3.5)."""
    spec, state = a.spec[0], a.state[0]
    if message["exch_ts"] > 0 and not message["is_technical"]:
        state["latency_req_ts"] = message["local_ts"]
        state["latency_exch_ts"] = message["exch_ts"]
        state["latency_resp_ts"] = now
        state["has_order_latency"] = 1
    is_refusal = message["req"] == REJECTED
    if message["is_execution"] and not is_refusal and (not spec["books_only_filled"] or message["status"] == FILLED):
        _book_execution(a, message, now)
    position = find_order(a.orders, message["order_id"])
    if position == EMPTY:
        if is_refusal:
            return
        position = add_order(a.orders, message["order_id"])
        a.orders.records["rest_row"][position] = -1
        _copy_answer(a, a.orders.records[position], message)
        a.orders.records["local_ts"][position] = message["local_ts"]
    elif is_refusal:
        _take_refusal(a.orders.records[position], message)
    else:
        _copy_answer(a, a.orders.records[position], message)
    if spec["records_orders"]:
        _record_change(a, a.orders.records[position], now, np.int64(1), message["qty_ahead"])


@borrowing
def deliver_responses(a, until_ts):
    """Handle the responses that arrive up to a time; returns whether there was one."""
    state = a.state[0]
    was_any = False
    while due_response(a) <= until_ts:
        position = state["response_head"]
        if position == state["response_tail"]:
            break
        message = a.responses[position & (len(a.responses) - 1)]
        state["response_head"] = position + 1
        if len(a.funding) > 0:
            pay_funding(a, message["due_ts"] - 1)
        state["last_message_ts"] = max(state["last_message_ts"], message["due_ts"])
        _take_response(a, message, message["due_ts"])
        was_any = True
    return was_any


# --- requests -----------------------------------------------------------------------------------------------------


@borrowing
def _send(a, record, now, req):
    """Send a copy of a record as a request, or back to ourselves where the latency model refuses it (spec B3.4)."""
    record["req"] = req
    record["local_ts"] = now
    record["is_execution"] = 0
    record["is_technical"] = 0
    if a.spec["records_orders"][0]:
        _record_change(a, record, now, np.int64(0), np.nan)
    latency = np.int64(a.models.entry_latency(a, req, now))
    if latency >= 0:
        push_request(a, record, later(now, latency))
    else:
        place = push_response(a, record, later(now, -latency))
        a.responses["req"][place] = REJECTED
        a.responses["is_technical"][place] = 1


@borrowing
def _whole_count(x, step):
    """Return a price or quantity in whole steps, to nearest; NaN where it is not a number of steps that fits."""
    count = x / step
    if abs(count) <= _COUNT_MAX:
        return round_half_away(count)
    return np.nan


@borrowing
def _is_affordable(spec, volume_lots, tick, lots, is_market):
    """Whether no product in booking an order can leave int64, wherever on the tape it executes."""
    if lots > spec["lots_max"] or volume_lots > _VOLUME_MAX:
        return False
    if spec["contract"] == CONTRACT_LINEAR:
        reach = float(max(abs(spec["tick_low"]), abs(spec["tick_high"])))
        if not is_market:
            reach = max(reach, abs(float(tick)))
        return lots * reach <= spec["amount_max"]
    if spec["tick_low"] <= 0 or spec["tick_high"] > _INVERSE_TICK_MAX:
        return False
    if not is_market and (tick <= 0 or tick > _INVERSE_TICK_MAX):
        return False
    reach = float(spec["tick_low"])
    if not is_market:
        reach = min(reach, float(tick))
    return lots / reach <= spec["amount_max"]


@borrowing
def _lots_of(spec, qty):
    """Return a quantity in lots, or 0 where it is not a positive whole number of lots."""
    count = qty / spec["lot_size"]
    lots = _whole_count(qty, spec["lot_size"])
    if lots > 0.0 and abs(count - lots) <= max(_GRID_TOLERANCE, lots * 1e-15):
        return np.int64(lots)
    return np.int64(0)


@borrowing
def submit_order(a, order_id, side, price, qty, time_in_force, order_type, now):
    """Send a new order. Returns a code: 0, ORDER_ID_EXISTS or INVALID_ORDER_REQUEST.

    The price is taken to the nearest tick, as hftbacktest does; a quantity that is not a whole number of lots is
    refused, as venues do. So are NaN, zero or negative quantities, unknown types and times in force, and notionals
    beyond what int64 holds.
    """
    if find_order(a.orders, order_id) != EMPTY:
        return ORDER_ID_EXISTS
    spec = a.spec[0]
    is_market = order_type == MARKET
    if (order_type != LIMIT and not is_market) or time_in_force < GTC or time_in_force > IOC:
        return INVALID_ORDER_REQUEST
    tick = _whole_count(price, spec["tick_size"])
    if tick != tick:
        if not is_market:
            return INVALID_ORDER_REQUEST
        tick = 0.0
    lots = _lots_of(spec, qty)
    if lots == 0 or not _is_affordable(spec, a.state["volume_lots"][0], np.int64(tick), lots, is_market):
        return INVALID_ORDER_REQUEST
    position = add_order(a.orders, order_id)
    record = a.orders.records[position]
    record["price_tick"] = np.int64(tick)
    record["order_lots"] = lots
    record["leaves_lots"] = lots
    record["exec_lots"] = 0
    record["exec_price_tick"] = 0
    record["exch_ts"] = 0
    record["is_maker"] = 0
    record["side"] = side
    record["order_type"] = order_type
    record["time_in_force"] = time_in_force
    record["status"] = NONE
    record["qty_ahead"] = np.nan
    record["arrival_qty_ahead"] = np.nan
    record["rest_row"] = -1
    _send(a, record, now, np.int64(NEW))
    return 0


@borrowing
def modify_order(a, order_id, price, qty, now):
    """Ask for another price and open quantity.

    Returns a code: 0, ORDER_NOT_FOUND, REQUEST_IN_PROGRESS or INVALID_ORDER_REQUEST.
    """
    position = find_order(a.orders, order_id)
    if position == EMPTY:
        return ORDER_NOT_FOUND
    record = a.orders.records[position]
    if record["req"] != NONE:
        return REQUEST_IN_PROGRESS
    spec = a.spec[0]
    tick = _whole_count(price, spec["tick_size"])
    lots = _lots_of(spec, qty)
    if tick != tick or lots == 0 or not _is_affordable(spec, a.state["volume_lots"][0], np.int64(tick), lots, np.bool_(0)):
        return INVALID_ORDER_REQUEST
    record["prior_price_tick"] = record["price_tick"]
    record["prior_order_lots"] = record["order_lots"]
    record["price_tick"] = np.int64(tick)
    record["order_lots"] = lots
    _send(a, record, now, np.int64(REPLACED))
    return 0


@borrowing
def cancel_order(a, order_id, now):
    """Ask for an order to be canceled. Returns a code: 0, ORDER_NOT_FOUND or REQUEST_IN_PROGRESS."""
    position = find_order(a.orders, order_id)
    if position == EMPTY:
        return ORDER_NOT_FOUND
    record = a.orders.records[position]
    if record["req"] != NONE:
        return REQUEST_IN_PROGRESS
    _send(a, record, now, np.int64(CANCELED))
    return 0
