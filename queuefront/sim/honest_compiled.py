"""Honest liquidity: no quantity is had twice (an option of partial fills, beyond the specification).

The plain exchanges let every order of ours see all of the market's quantity, again and again (D27). Here they share it:

1. *What we have taken.* For each side and level of the exchange's book the lots are counted that our orders have had of the
   displayed ones. Available is what the book displays less what we have taken, at least 0. A row that sets the level, to
   whatever quantity, and a clear that removes it, set the count back to 0. The book itself, its best prices, and what queue
   models are told of it stay the market's.
2. *Crossing* is judged by the market's best prices, whatever is left there.
3. *Taking.* A marketable order takes what is available on the levels up to its limit, the limit included on both sides.
   What is left of a GTC order then rests at its limit; of other orders it expires. FOK counts what is available.
4. *Queueing behind ourselves.* What is ahead begins with what is available at our price. Own orders that came to rest there
   earlier are ahead too: an order fills only when none of them is open.
5. *A trade's lots are shared* by our orders from the best to the trade's price, in price-time priority. Better-priced ones
   get what is left, up to their leaves, and have nothing ahead any more. Those at its price let the queue model count a
   trade of what is left; one that has an own order ahead does not fill, and is not let past the front of its queue.
6. *Levels that reach us.* A row that sets a level offers it to our orders of the other side whose price it reaches, as
   makers, at their own prices, up to what is available there.
7. An order that gets less than its leaves stays, at the place that the rules leave it.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.enums import (
    BUY,
    OP_AT_EXCH,
    OP_BID,
    OP_BUY_TRADE,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_MASKED,
    OP_OUTSIDE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    TRACE_BOOK,
    TRACE_TRADE,
)
from queuefront.core.jit import borrowing
from queuefront.sim.executions_compiled import execute_passive, quantity, trace
from queuefront.sim.level_rows_compiled import requeue
from queuefront.sim.market_compiled import apply_clear, best_levels_before
from queuefront.sim.place_compiled import lots_at
from queuefront.sim.resting_compiled import find_turn

__all__ = ["available_lots", "note_taken", "own_lots_at", "process_honest_row", "skip_to_own_row_honest"]


@borrowing
def available_lots(a, place):
    """Return the lots that an order of ours could have of a level and side."""
    spec = a.spec[0]
    if spec["is_honest"]:
        return max(a.exch_lots[place] - a.taken_lots[place], np.int64(0))
    lots = a.exch_lots[place] if spec["is_by_order"] else lots_at(a, place)
    return max(lots, np.int64(0))


@borrowing
def note_taken(a, place, lots):
    """Count lots that an order of ours had of a level and side."""
    if a.spec[0]["is_honest"]:
        a.taken_lots[place] += lots


@borrowing
def own_lots_at(a, side, tick):
    """Return the open lots of our orders that rest at a price."""
    state = a.state[0]
    is_bid = side == BUY
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    lots = np.int64(0)
    i = find_turn(queue, count, tick, 1 if is_bid else -1)
    while i < count and queue[i, 0] == tick:
        lots += a.resting["leaves_lots"][queue[i, 1]]
        i += 1
    return lots


@borrowing
def skip_to_own_row_honest(a, row, until_ts):
    """Apply exchange rows up to a time, stopping before the first that concerns us. Returns the next row.

    Beyond what `market_compiled.skip_to_own_row` stops at, every level that is set within reach of our orders concerns us,
    and every level that we have taken from.
    """
    state = a.state[0]
    own_bid, own_ask = state["own_best_bid_level"], state["own_best_ask_level"]
    op, exch_ts, level, lots = a.op, a.exch_ts, a.level, a.lots
    book_lots, taken_lots, own_count = a.exch_lots, a.taken_lots, a.own_count
    while row < len(op):
        code = op[row]
        if code & OP_AT_EXCH:
            if exch_ts[row] > until_ts:
                break
            what = code & OP_MASK
            if what == OP_SET_BID or what == OP_SET_ASK:
                place = 2 * level[row] + what - 1
                is_reaching = level[row] >= own_ask if what == OP_SET_BID else level[row] <= own_bid
                if own_count[place] != 0 or taken_lots[place] != 0 or is_reaching:
                    break
                book_lots[place] = lots[row]
            elif what == OP_BUY_TRADE:
                if level[row] >= own_ask:
                    break
            elif what == OP_SELL_TRADE:
                if level[row] <= own_bid:
                    break
            elif what == OP_OUTSIDE:
                if own_count[2 * level[row] + (0 if code & OP_BID else 1)] != 0:
                    break
            elif OP_CLEAR_BIDS <= what <= OP_CLEAR_ALL_ASKS:
                break
        row += 1
    return row


@borrowing
def _on_level(a, row, what):
    """Apply a row that sets a level, then offer the level to our orders that it reaches (rules 1 and 6)."""
    spec, state = a.spec[0], a.state[0]
    level, lots, now = np.int64(a.level[row]), a.lots[row], a.exch_ts[row]
    place, tick, is_bid = 2 * level + what - 1, a.levels[level], what == OP_SET_BID
    before, after = quantity(spec, a.exch_lots[place]), quantity(spec, lots)
    change = lots - a.exch_lots[place]
    a.exch_lots[place] = lots
    queue = a.bid_queue if is_bid else a.ask_queue
    count = state["resting_bids"] if is_bid else state["resting_asks"]
    i = find_turn(queue, count, tick, 1 if is_bid else -1)
    while i < count and queue[i, 0] == tick:
        order = a.resting[queue[i, 1]]
        a.models.queue_depth(a, order, before, after)
        if a.spec[0]["traces"]:
            trace(a, order, np.int64(TRACE_BOOK), row, change, now)
        i += 1
    a.taken_lots[place] = 0
    if a.op[row] & OP_MASKED:
        return  # the level reaches nobody, see `feed.tape_mask`
    queue = a.ask_queue if is_bid else a.bid_queue
    i = (state["resting_asks"] if is_bid else state["resting_bids"]) - 1
    while i >= 0 and (queue[i, 0] <= tick if is_bid else queue[i, 0] >= tick):
        own = queue[i, 1]
        i -= 1
        got = min(a.resting["leaves_lots"][own], available_lots(a, place))
        if got > 0:
            note_taken(a, place, got)
            execute_passive(a, own, got, row, now)


@borrowing
def _on_trade(a, row, is_buy):
    """Share a trade among our orders that it reaches (rule 5)."""
    spec, state = a.spec[0], a.state[0]
    now, tick, left = a.exch_ts[row], a.levels[a.level[row]], a.lots[row]
    queue = a.ask_queue if is_buy else a.bid_queue
    i = (state["resting_asks"] if is_buy else state["resting_bids"]) - 1
    while i >= 0 and (queue[i, 0] <= tick if is_buy else queue[i, 0] >= tick):
        own, place = queue[i, 0], queue[i, 1]
        count = state["resting_asks"] if is_buy else state["resting_bids"]
        is_behind_own = i + 1 < count and queue[i + 1, 0] == own
        i -= 1
        order = a.resting[place]
        if own != tick:
            order["qty_ahead"] = 0.0
            lots = min(order["leaves_lots"], left)
        else:
            a.models.queue_trade(a, order, quantity(spec, left))
            lots = np.int64(0)
            if is_behind_own:
                order["qty_ahead"] = max(order["qty_ahead"], 0.0)
            else:
                lots = min(np.int64(a.models.queue_filled(a, order)), order["leaves_lots"], left)
            if a.spec[0]["traces"]:
                trace(a, order, np.int64(TRACE_TRADE), row, left, now)
        if lots > 0:
            left -= lots
            execute_passive(a, place, lots, row, now)


@borrowing
def process_honest_row(a, row):
    """Apply one row that concerns us, or clears a side."""
    what = a.op[row] & OP_MASK
    if what == OP_SET_BID or what == OP_SET_ASK:
        _on_level(a, row, what)
    elif what == OP_BUY_TRADE or what == OP_SELL_TRADE:
        _on_trade(a, row, what == OP_BUY_TRADE)
    elif what == OP_OUTSIDE:  # see `level_rows_compiled.process_level_row`
        is_bid = np.int64((a.op[row] & OP_BID) != 0)
        requeue(a, row, is_bid, a.levels[a.level[row]], np.int64(0), a.lots[row])
    elif what >= OP_CLEAR_BIDS:
        state = a.state[0]
        bid, ask = best_levels_before(
            a.best_bid_exch, a.best_ask_exch, row, state["opening_bid_level"], state["opening_ask_level"]
        )
        apply_clear(a.exch_lots, what, np.int64(a.level[row]), bid, ask)
        for place in range(len(a.taken_lots)):
            if a.exch_lots[place] == 0:
                a.taken_lots[place] = 0
