"""Rows of a market by price (L2) that concern our orders (spec B4.6, B4.7)."""

from __future__ import annotations

import numpy as np

from queuefront.core.enums import (
    OP_BID,
    OP_BUY_TRADE,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_OUTSIDE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    TRACE_BOOK,
    TRACE_TRADE,
)
from queuefront.core.jit import borrowing
from queuefront.sim.executions_compiled import execute_passive, fill_crossed, quantity, trace
from queuefront.sim.market_compiled import best_levels_before, clear_ranges
from queuefront.sim.resting_compiled import find_turn

__all__ = ["process_level_row", "requeue"]


@borrowing
def requeue(a, row, is_bid, tick, lots_before, lots_after):
    """Let the queue model see a changed quantity at one of our prices."""
    spec, state = a.spec[0], a.state[0]
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    before, after = quantity(spec, lots_before), quantity(spec, lots_after)
    i = find_turn(queue, count, tick, 1 if is_bid else -1)
    while i < count and queue[i, 0] == tick:
        order = a.resting[queue[i, 1]]
        a.models.queue_depth(a, order, before, after)
        if a.spec[0]["traces"]:
            trace(a, order, np.int64(TRACE_BOOK), row, lots_after - lots_before, a.exch_ts[row])
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
            requeue(a, row, np.int64(1), a.levels[level], lots_before, lots)
        if a.best_bid_exch[row] > bid:
            fill_crossed(a, np.int64(a.best_bid_exch[row]), np.int64(1), row, now)
    else:
        if a.own_count[place]:
            requeue(a, row, np.int64(0), a.levels[level], lots_before, lots)
        if a.best_ask_exch[row] < ask:
            fill_crossed(a, np.int64(a.best_ask_exch[row]), np.int64(0), row, now)


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
    qty = quantity(spec, a.lots[row])
    queue = a.ask_queue if is_buy else a.bid_queue
    i = (state["resting_asks"] if is_buy else state["resting_bids"]) - 1
    while i >= 0 and (queue[i, 0] <= tick if is_buy else queue[i, 0] >= tick):
        own, place = queue[i, 0], queue[i, 1]
        i -= 1
        # Only a clear can leave an order of ours at or beyond the opposite best price; no trade reaches it there.
        if (bid >= 0 and own <= a.levels[bid]) if is_buy else (ask < len(a.levels) and own >= a.levels[ask]):
            continue
        order = a.resting[place]
        lots = np.int64(0)
        if own != tick:
            lots = np.int64(a.models.exec_through(a, order, a.lots[row]))
        else:
            a.models.queue_trade(a, order, qty)
            filled = np.int64(a.models.queue_filled(a, order))
            if a.spec[0]["traces"]:
                trace(a, order, np.int64(TRACE_TRADE), row, a.lots[row], now)
            if filled > 0:
                lots = np.int64(a.models.exec_at_price(a, order, filled))
        lots = min(lots, order["leaves_lots"])
        if lots > 0:
            execute_passive(a, place, lots, row, now)


@borrowing
def _clear(a, row, what, bid, ask):
    """Empty one side or both; bid, ask : the best levels before."""
    ranges = clear_ranges(what, np.int64(a.level[row]), bid, ask, len(a.levels))
    for side in range(2):
        for level in range(ranges[2 * side], ranges[2 * side + 1] + 1):
            place = 2 * level + side
            a.exch_lots[place], a.cleared_row[place] = 0, row


@borrowing
def process_level_row(a, row):
    """Apply one row that concerns our orders, or clears a side."""
    what = a.op[row] & OP_MASK
    if what == OP_SET_BID or what == OP_SET_ASK:
        _on_depth(a, row, what)
    elif what == OP_BUY_TRADE or what == OP_SELL_TRADE:
        _on_trade(a, row, what == OP_BUY_TRADE)
    elif what == OP_OUTSIDE:
        # The book does not hold the level, yet an order of ours there hears of it: from nothing to the new quantity.
        is_bid = np.int64((a.op[row] & OP_BID) != 0)
        requeue(a, row, is_bid, a.levels[a.level[row]], np.int64(0), a.lots[row])
    elif what >= OP_CLEAR_BIDS:
        state = a.state[0]
        bid, ask = best_levels_before(
            a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
        )
        _clear(a, row, what, bid, ask)
