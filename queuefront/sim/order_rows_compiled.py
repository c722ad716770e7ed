"""Rows of a market by order (L3) that concern our orders (spec B4.11).

- Our order queues behind every market order that was at its price when it came to rest, and before all that come later;
  the tape knows the place of each (`feed.order_index_compiled`), so the queue position is exact.
- A fill of a market order fills, whole, every order of ours with a better price than the fill's, then ours at its price
  that stand before it (D53). The size of the fill does not matter.
- A modification that reaches one of our prices fills it like an addition does (D26).
- A clear expires our orders of the side that it empties.

It assumes that the market would have filled the orders behind us no later for our being there, which holds for orders that
are small against their queue.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.enums import (
    EXPIRED,
    NONE,
    OP_ADD_ORDER,
    OP_BID,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MODIFY_ORDER,
    TRACE_EXPIRE,
    TRACE_QUEUE,
)
from queuefront.core.jit import borrowing
from queuefront.sim.balances_compiled import release
from queuefront.sim.executions_compiled import execute_passive, fill_crossed, quantity, respond, trace
from queuefront.sim.market_compiled import apply_clear, apply_order_row, best_levels_before
from queuefront.sim.resting_compiled import find_turn, remove_resting

__all__ = ["process_order_row"]


@borrowing
def _advance_queue(a, row, is_bid, tick, lots):
    """Take lots of a market order from what is ahead of our orders at a price.

    row : that took them; its market order is ahead of ours that came to rest after its place.
    """
    state = a.state[0]
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    qty, place_row = quantity(a.spec[0], lots), a.prior_row[row]
    i = find_turn(queue, count, tick, 1 if is_bid else -1)
    while i < count and queue[i, 0] == tick:
        order = a.resting[queue[i, 1]]
        if order["rest_row"] > place_row:
            order["qty_ahead"] -= qty
            if a.spec[0]["traces"]:
                trace(a, order, np.int64(TRACE_QUEUE), row, lots, a.exch_ts[row])
        i += 1


@borrowing
def _better_limit(a, is_bid, tick, best_level):
    """Return the best tick up to which hftbacktest fills our orders that are better than a fill (D53)."""
    state = a.state[0]
    has_best = best_level >= 0 if is_bid else best_level < len(a.levels)
    if not has_best:
        return INT64_MAX if is_bid else INT64_MIN
    best = a.levels[best_level]
    width = best - tick if is_bid else tick - best
    if width > 0 and state["resting_bids"] + state["resting_asks"] < width:
        return INT64_MAX if is_bid else INT64_MIN
    return best if width > 0 else tick


@borrowing
def _on_fill(a, row, is_bid, best_level):
    """Fill our orders that would have traded before the market order that did."""
    spec, state = a.spec[0], a.state[0]
    now = a.exch_ts[row]
    tick, order_tick = a.levels[a.level[row]], a.levels[a.prior_level[row]]
    place_row = a.prior_row[row]
    queue = a.bid_queue if is_bid else a.ask_queue
    limit = INT64_MAX if is_bid else INT64_MIN
    if spec["skips_improving"]:
        limit = _better_limit(a, is_bid, tick, best_level)
    i = (state["resting_bids"] if is_bid else state["resting_asks"]) - 1
    while i >= 0 and (queue[i, 0] >= min(tick, order_tick) if is_bid else queue[i, 0] <= max(tick, order_tick)):
        own, place = queue[i, 0], queue[i, 1]
        i -= 1
        is_better = tick < own <= limit if is_bid else limit <= own < tick
        if is_better or (own == order_tick and a.resting["rest_row"][place] <= place_row):
            execute_passive(a, place, a.resting["leaves_lots"][place], row, now)


@borrowing
def _expire_side(a, row, is_bid, now):
    """Expire all our orders of a side, first those that would have filled first."""
    state = a.state[0]
    queue = a.bid_queue if is_bid else a.ask_queue
    while (state["resting_bids"] if is_bid else state["resting_asks"]) > 0:
        count = state["resting_bids"] if is_bid else state["resting_asks"]
        place = queue[count - 1, 1]
        order = a.resting[place]
        release(a, order, order["leaves_lots"])
        order["status"] = EXPIRED
        order["leaves_lots"] = 0
        order["exec_lots"] = 0
        order["is_maker"] = 0
        order["exch_ts"] = now
        order["req"] = NONE
        if a.spec[0]["traces"]:
            trace(a, order, np.int64(TRACE_EXPIRE), row, np.int64(0), now)
        respond(a, order, now)
        remove_resting(a, place)


@borrowing
def process_order_row(a, row):
    """Apply one row that concerns our orders, or clears a side."""
    state = a.state[0]
    code = a.op[row]
    what, is_bid = code & OP_MASK, (code & OP_BID) != 0
    now = a.exch_ts[row]
    bid, ask = best_levels_before(
        a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
    )
    if what == OP_FILL_ORDER:
        _on_fill(a, row, is_bid, bid if is_bid else ask)
    elif what >= OP_ADD_ORDER:
        level, prior, lots, prior_lots = (
            np.int64(a.level[row]),
            np.int64(a.prior_level[row]),
            a.lots[row],
            a.prior_lots[row],
        )
        apply_order_row(a.exch_lots, what, is_bid, level, lots, prior, prior_lots)
        if what == OP_CANCEL_ORDER or (what == OP_MODIFY_ORDER and (level != prior or lots > prior_lots)):
            _advance_queue(a, row, is_bid, a.levels[prior], prior_lots)
        elif what == OP_MODIFY_ORDER:
            _advance_queue(a, row, is_bid, a.levels[prior], prior_lots - lots)
        if is_bid and a.best_bid_exch[row] > bid:
            fill_crossed(a, np.int64(a.best_bid_exch[row]), np.int64(1), row, now)
        elif not is_bid and a.best_ask_exch[row] < ask:
            fill_crossed(a, np.int64(a.best_ask_exch[row]), np.int64(0), row, now)
    else:
        apply_clear(a.exch_lots, what, np.int64(a.level[row]), bid, ask)
        if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
            _expire_side(a, row, np.int64(1), now)
        if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
            _expire_side(a, row, np.int64(0), now)
