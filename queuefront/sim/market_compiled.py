"""The recorded market at the exchange and as we see it.

The exchange half stops only at rows that concern an order of ours. The best prices are looked up in the tape, and so are
quantities in a market by price; in a market by order they are stored as rows pass.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.enums import (
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
    OP_FILL_ORDER,
    OP_MASK,
    OP_MODIFY_ORDER,
    OP_SELL_TRADE,
    OP_SET_ASK,
)
from queuefront.core.jit import borrowing
from queuefront.feed import BLOCK_SHIFT

__all__ = [
    "apply_clear",
    "apply_local_rows",
    "apply_order_row",
    "best_levels_before",
    "clear_ranges",
    "first_level_at_or_above",
    "level_of",
    "skip_to_own_row",
    "skip_to_own_row_by_order",
]


@borrowing
def first_level_at_or_above(levels, tick):
    """Return the first level whose tick is >= `tick`; the number of levels if there is none. levels : int64, ascending."""
    low, high = 0, len(levels)
    while low < high:
        middle = (low + high) >> 1
        if levels[middle] < tick:
            low = middle + 1
        else:
            high = middle
    return low


@borrowing
def level_of(levels, tick):
    """Return the level of a tick, or -1 where the tape never names it."""
    v = first_level_at_or_above(levels, tick)
    if v < len(levels) and levels[v] == tick:
        return v
    return -1


@borrowing
def clear_ranges(what, level, best_bid, best_ask, count):
    """Return (low_bid, high_bid, low_ask, high_ask), the levels that a clear empties, both ends included.

    best_bid, best_ask : the best levels before.   count : number of levels.
    """
    low_bid, high_bid, low_ask, high_ask = 0, -1, 0, -1
    if what == OP_CLEAR_BIDS:
        low_bid, high_bid = level, best_bid
    elif what == OP_CLEAR_ASKS:
        low_ask, high_ask = best_ask, level
    if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
        high_bid = count - 1
    if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
        high_ask = count - 1
    return low_bid, high_bid, low_ask, high_ask


@borrowing
def apply_clear(book_lots, what, level, best_bid, best_ask):
    """Empty one side or both as `book.clear_bids` does; `best_bid`, `best_ask` are the best levels before."""
    low_bid, high_bid, low_ask, high_ask = clear_ranges(what, level, best_bid, best_ask, len(book_lots) // 2)
    for v in range(low_bid, high_bid + 1):
        book_lots[2 * v] = 0
    for v in range(low_ask, high_ask + 1):
        book_lots[2 * v + 1] = 0


@borrowing
def best_levels_before(best_bid, best_ask, row, opening_bid, opening_ask):
    """Return the (best_bid, best_ask) levels before a row. best_bid, best_ask : int32[rows], after each row."""
    if row == 0:
        return opening_bid, opening_ask
    return np.int64(best_bid[row - 1]), np.int64(best_ask[row - 1])


@borrowing
def skip_to_own_row(
    op, exch_ts, level, best_bid, best_ask, block_exch_ts, block_high, block_low,
    row, until_ts, own_best_bid, own_best_ask, own_row,
):  # fmt: skip
    """Pass exchange rows up to a time, stopping before the first that concerns an order of ours. Returns the next row.

    row : the first row not yet passed.   until_ts : rows at this time are still passed.
    own_best_bid, own_best_ask : levels of our best orders, see ASSET_STATE.
    own_row : the next row that changes the quantity at one of our prices, see `place_compiled`.
    block_exch_ts … block_low : see `feed.replay_index_compiled`; blocks that reach none of our orders are leapt over.

    A row concerns us if it changes the quantity at one of our prices, brings the other side's best price to one of ours, or
    is a trade that reaches one. Rows that clear a side are left to the caller too.
    """
    count = len(op)
    while row < count:
        block = row >> BLOCK_SHIFT
        end = (block + 1) << BLOCK_SHIFT
        if (
            end <= own_row
            and block_exch_ts[block] <= until_ts
            and block_high[block] < own_best_ask
            and block_low[block] > own_best_bid
        ):
            row = end
            continue
        end = min(end, count)
        while row < end:
            code = op[row]
            if code & OP_AT_EXCH:
                if exch_ts[row] > until_ts or row == own_row:
                    return row
                what = code & OP_MASK
                if 0 < what <= OP_SET_ASK:
                    if best_bid[row] >= own_best_ask or best_ask[row] <= own_best_bid:
                        return row
                elif what == OP_BUY_TRADE:
                    if level[row] >= own_best_ask:
                        return row
                elif what == OP_SELL_TRADE:
                    if level[row] <= own_best_bid:
                        return row
                elif what >= OP_CLEAR_BIDS:
                    return row
            row += 1
    return count


@borrowing
def skip_to_own_row_by_order(
    op,
    exch_ts,
    level,
    lots,
    prior_level,
    prior_lots,
    best_bid,
    best_ask,
    book_lots,
    own_count,
    row,
    until_ts,
    own_best_bid,
    own_best_ask,
):  # fmt: skip
    """Do what `skip_to_own_row` does, in a market by order.

    prior_level, prior_lots : level and lots of the order before each row, see `feed.order_index_compiled`.

    A row concerns us if it takes an order from one of our prices, fills one at our price or a worse one, or brings the
    other side's best price to one of ours.
    """
    count = len(op)
    while row < count:
        code = op[row]
        if code & OP_AT_EXCH:
            if exch_ts[row] > until_ts:
                break
            what = code & OP_MASK
            side = 0 if code & OP_BID else 1
            if what >= OP_ADD_ORDER:
                if what == OP_FILL_ORDER:
                    # A fill may be at another price than its order's; the worse of the two reaches further.
                    if side == 0 and min(level[row], prior_level[row]) <= own_best_bid:
                        break
                    if side == 1 and max(level[row], prior_level[row]) >= own_best_ask:
                        break
                else:
                    if best_bid[row] >= own_best_ask or best_ask[row] <= own_best_bid:
                        break
                    place, prior = 2 * level[row] + side, 2 * prior_level[row] + side
                    if what != OP_ADD_ORDER:
                        if own_count[prior] != 0:
                            break
                        book_lots[prior] -= prior_lots[row]
                    if what != OP_CANCEL_ORDER:
                        book_lots[place] += lots[row]
            elif what >= OP_CLEAR_BIDS:
                break
        row += 1
    return row


@borrowing
def apply_order_row(book_lots, what, is_bid, level, lots, prior_level, prior_lots):
    """Apply a row that adds, cancels or modifies an order. book_lots : int64[2 × levels], mutated."""
    side = 0 if is_bid else 1
    if what == OP_CANCEL_ORDER or what == OP_MODIFY_ORDER:
        book_lots[2 * prior_level + side] -= prior_lots
    if what == OP_ADD_ORDER or what == OP_MODIFY_ORDER:
        book_lots[2 * level + side] += lots


@borrowing
def apply_local_rows(a):
    """Bring the local quantities up to the rows that the local half has consumed.

    Nobody needs them until a strategy asks for a quantity, so they follow on demand.
    """
    state = a.state[0]
    op, level, lots, book_lots = a.op, a.level, a.lots, a.local_lots
    for i in range(state["local_book_row"], state["local_row"]):
        code = op[i]
        if code & OP_AT_LOCAL:
            what = code & OP_MASK
            if 0 < what <= OP_SET_ASK:
                book_lots[2 * level[i] + what - 1] = lots[i]
            elif OP_ADD_ORDER <= what <= OP_FILL_ORDER:
                is_bid = (code & OP_BID) != 0
                apply_order_row(book_lots, what, is_bid, level[i], lots[i], a.prior_level[i], a.prior_lots[i])
            elif OP_CLEAR_BIDS <= what <= OP_CLEAR_ALL_ASKS:
                bid, ask = best_levels_before(
                    a.best_bid_local, a.best_ask_local, i, state["opening_bid_level"], state["opening_ask_level"]
                )
                apply_clear(book_lots, what, np.int64(level[i]), bid, ask)
    state["local_book_row"] = state["local_row"]
