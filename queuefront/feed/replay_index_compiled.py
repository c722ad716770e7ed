"""What lets a replay leap over the rows that do not concern it.

Two indices, both properties of the tape:

- *Rows by place*: a place is one side of one level, 2 × level for bids and 2 × level + 1 for asks. The rows that set its
  quantity at the exchange stand together, so that the quantity at any time, and the next change, are found by a search.
- *Blocks* of `BLOCK_ROWS` rows: how far each block reaches in time and in price. A replay leaves out a block that ends in
  time and reaches none of our orders.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.clock import INT64_MIN
from queuefront.core.enums import (
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BID,
    OP_BUY_TRADE,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_BIDS,
    OP_MASK,
    OP_OUTSIDE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
)
from queuefront.core.jit import borrowing, compiled

__all__ = ["BLOCK_SHIFT", "count_places", "fill_places", "group_rows", "is_grouped", "summarize_blocks"]

BLOCK_SHIFT = 5
_FAR_ABOVE = 2**31 - 1
_FAR_BELOW = -(2**31)


@borrowing
def _place_of(code, level):
    """Return the place whose quantity a row sets at the exchange, or -1. code : its `op`."""
    if code & OP_AT_EXCH:
        what = code & OP_MASK
        if what == OP_SET_BID:
            return 2 * level
        if what == OP_SET_ASK:
            return 2 * level + 1
        if what == OP_OUTSIDE:
            return 2 * level + (0 if code & OP_BID else 1)
    return -1


@compiled
def group_rows(op, level, level_count):
    """Return (rows_by_place, place_starts): the rows that set a quantity at the exchange, ascending within each place.

    op : uint8[rows].   level : int32[rows].
    rows_by_place : int32[…]; those of place p are rows_by_place[place_starts[p]:place_starts[p + 1]].
    place_starts : int32[2 × levels + 1].
    """
    place_starts = np.zeros(2 * level_count + 1, np.int32)
    count_places(op, level, place_starts)
    for place in range(2 * level_count):
        place_starts[place + 1] += place_starts[place]
    rows_by_place = np.zeros(place_starts[-1], np.int32)
    fill_places(op, level, 0, place_starts.copy(), 0, rows_by_place)
    return rows_by_place, place_starts


@compiled
def count_places(op, level, counts):
    """Count the rows of each place; rows may come part by part. counts : int32[2 × levels + 1], of place p at p + 1."""
    for row in range(len(op)):
        place = _place_of(op[row], np.int64(level[row]))
        if place >= 0:
            counts[place + 1] += 1


@compiled
def fill_places(op, level, first_row, next_free, begin, rows_by_place):
    """Write the part of `group_rows` from its place `begin` on for which there is room; rows may come part by part.

    first_row : number of the first row.   next_free : int32[…], where the next row of each place belongs; mutated.
    """
    end = begin + len(rows_by_place)
    for row in range(len(op)):
        place = _place_of(op[row], np.int64(level[row]))
        if place >= 0:
            at = np.int64(next_free[place])
            if begin <= at < end:
                rows_by_place[at - begin] = first_row + row
            next_free[place] += 1


@compiled
def is_grouped(rows_by_place, place_starts, row_count):
    """Whether a replay can trust the indices: starts ascend from 0 to the end, rows exist and ascend within each place."""
    if place_starts[0] != 0 or place_starts[-1] != len(rows_by_place):
        return False
    for place in range(len(place_starts) - 1):
        start, stop = np.int64(place_starts[place]), np.int64(place_starts[place + 1])
        if stop < start or stop > len(rows_by_place):
            return False
        last = np.int64(-1)
        for k in range(start, stop):
            row = np.int64(rows_by_place[k])
            if row <= last:
                return False
            last = row
        if last >= row_count:
            return False
    return True


@compiled
def summarize_blocks(op, exch_ts, local_ts, level, best_bid, best_ask):
    """Return (exch_ts, local_ts, high, low) of each block of rows; best_bid, best_ask : int32[rows], at the exchange.

    exch_ts, local_ts : int64[blocks], of the last row of each half in the block or before it; INT64_MIN where none was.
    high, low : int32[blocks], the highest level at which an ask of ours, and the lowest at which a bid of ours, could fill
        by a row of the block: a new best price or a trade. A clear reaches all.
    """
    count = len(op)
    blocks = (count + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT
    last_exch, last_local = np.zeros(blocks, np.int64), np.zeros(blocks, np.int64)
    highs, lows = np.zeros(blocks, np.int32), np.zeros(blocks, np.int32)
    now_exch = now_local = INT64_MIN
    for block in range(blocks):
        high, low = np.int64(_FAR_BELOW), np.int64(_FAR_ABOVE)
        for row in range(block << BLOCK_SHIFT, min((block + 1) << BLOCK_SHIFT, count)):
            code = op[row]
            if code & OP_AT_LOCAL:
                now_local = local_ts[row]
            if code & OP_AT_EXCH:
                now_exch = exch_ts[row]
                what = code & OP_MASK
                if what == OP_SET_BID or what == OP_SET_ASK:
                    high, low = max(high, np.int64(best_bid[row])), min(low, np.int64(best_ask[row]))
                elif what == OP_BUY_TRADE:
                    high = max(high, np.int64(level[row]))
                elif what == OP_SELL_TRADE:
                    low = min(low, np.int64(level[row]))
                elif OP_CLEAR_BIDS <= what <= OP_CLEAR_ALL_ASKS:
                    high, low = np.int64(_FAR_ABOVE), np.int64(_FAR_BELOW)
        last_exch[block], last_local[block] = now_exch, now_local
        highs[block], lows[block] = high, low
    return last_exch, last_local, highs, lows
