"""Executions of our orders at the exchange, and the answers to them.

Every execution is one message (D2), and an order is taken out of the book when nothing is left of it (D3).
"""

from __future__ import annotations

import numpy as np

from queuefront.core.dtypes import TRACE
from queuefront.core.enums import FILLED, NONE, PARTIALLY_FILLED, TRACE_EXECUTION, TRACE_TAKING
from queuefront.core.jit import borrowing, internal
from queuefront.sim.balances_compiled import settle
from queuefront.sim.bus_compiled import later, push_response
from queuefront.sim.resting_compiled import remove_resting

__all__ = ["execute_passive", "execute_taker", "fill_crossed", "quantity", "respond", "trace"]


@borrowing
def respond(a, order, now):
    """Send a copy of an ORDER record back; it carries no pending request unless it is a refusal."""
    push_response(a, order, later(now, max(np.int64(a.models.response_latency(a, now)), np.int64(0))))


@borrowing
def quantity(spec, lots):
    """Return lots as a quantity."""
    return lots * spec["lot_numerator"] / spec["lot_denominator"]


@internal
def _grow_traces(a):
    count = len(a.traces)
    larger = np.zeros(max(2 * count, 256), TRACE)
    for k in range(count):
        larger[k] = a.traces[k]
    a.traces = larger


@borrowing
def trace(a, order, what, row, lots, now):
    """Keep what happened to an order. order : ORDER record, as it is afterwards. Call it where the run is traced only."""
    spec, state = a.spec[0], a.state[0]
    count = state["trace_count"]
    if count == len(a.traces):
        _grow_traces(a)
    entry = a.traces[count]
    entry["order_id"], entry["exch_ts"], entry["row"], entry["what"] = order["order_id"], now, row, what
    entry["qty_ahead"], entry["qty"] = order["qty_ahead"], quantity(spec, lots)
    entry["price_tick"], entry["leaves_lots"] = order["price_tick"], order["leaves_lots"]
    state["trace_count"] = count + 1


@borrowing
def execute_passive(a, place, lots, row, now):
    """Fill a resting order by so many lots at its own price; take it out of the book when nothing is left.

    row : of the tape, that filled it.
    """
    order = a.resting[place]
    order["is_maker"] = 1
    order["exec_lots"] = lots
    order["exec_price_tick"] = order["price_tick"]
    order["leaves_lots"] -= lots
    order["status"] = FILLED if order["leaves_lots"] == 0 else PARTIALLY_FILLED
    order["exch_ts"] = now
    order["acted_row"] = row
    order["req"] = NONE
    order["is_execution"] = 1
    settle(a, order, order["price_tick"], lots)
    if a.spec[0]["traces"]:
        trace(a, order, np.int64(TRACE_EXECUTION), row, lots, now)
    respond(a, order, now)
    order["is_execution"] = 0
    if order["leaves_lots"] == 0:
        remove_resting(a, place)


@borrowing
def execute_taker(a, message, tick, lots, now):
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
    settle(a, message, tick, lots)
    if a.spec[0]["traces"]:
        trace(a, message, np.int64(TRACE_TAKING), np.int64(-1), lots, now)
    if not a.spec[0]["books_only_filled"]:
        respond(a, message, now)


@borrowing
def fill_crossed(a, level, is_bid_best, row, now):
    """Fill, at their own price, our orders on the other side that a new best level reaches."""
    state = a.state[0]
    best_tick, level_lots = a.levels[level], a.exch_lots[2 * level + (0 if is_bid_best else 1)]
    queue = a.ask_queue if is_bid_best else a.bid_queue
    i = (state["resting_asks"] if is_bid_best else state["resting_bids"]) - 1
    while i >= 0 and (queue[i, 0] <= best_tick if is_bid_best else queue[i, 0] >= best_tick):
        place = queue[i, 1]
        i -= 1
        order = a.resting[place]
        lots = min(np.int64(a.models.exec_reached(a, order, level_lots)), order["leaves_lots"])
        if lots > 0:
            execute_passive(a, place, lots, row, now)
