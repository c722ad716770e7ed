"""Changes between whole books as a struct, so that compiled code can make one and compare with it.

The rules are those of `feed.DiffOrderBookSnapshot`, which does the same for Python.
"""

from __future__ import annotations

import numpy as np

from queuefront.book.stream_fuser_compiled import decimal_ratio, steps_of
from queuefront.bot import Struct, method, struct
from queuefront.core.errors import ConfigError, DataError
from queuefront.core.jit import compiled, internal

__all__ = [
    "CHANGED",
    "INSERTED",
    "IN_THE_BOOK_DELETION",
    "OUT_OF_BOOK_DELETION_ABOVE",
    "OUT_OF_BOOK_DELETION_BELOW",
    "UNCHANGED",
    "BookDiff",
    "new_book_diff",
]

# What became of a level, and why one is gone; the values of `feed.snapshot_diff`.
UNCHANGED = 0
CHANGED = 1
INSERTED = 2
IN_THE_BOOK_DELETION = 0
OUT_OF_BOOK_DELETION_BELOW = 1
OUT_OF_BOOK_DELETION_ABOVE = 2

_MANY = 2.0**53


@struct("grid bid_ticks bid_lots ask_ticks ask_lots counts")
class BookDiff(Struct):
    """The last book that was seen.

    grid : float64[4], tick size, lot size, and the tick size as numerator and denominator.
    bid_ticks … ask_lots : int64[levels], in the order in which they were given.
    counts : int64[2], the most levels of a side, and 1 once a book was seen.
    """


@compiled
def new_book_diff(levels, tick_size, lot_size):
    """Return a comparison that has seen no book yet. levels : int64.   tick_size, lot_size : float64."""
    if levels < 1:
        raise ConfigError("levels of a book must be at least 1")
    if not (0.0 < tick_size < np.inf and 0.0 < lot_size < np.inf):
        raise ConfigError("tick_size and lot_size of a book must be positive numbers")
    numerator, denominator = decimal_ratio(tick_size)
    return BookDiff(
        np.array([tick_size, lot_size, numerator, denominator]),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.array([levels, 0]),
    )


@internal
def _counts_of(values, step):
    out = np.zeros(len(values), np.int64)
    for i in range(len(values)):
        if not abs(values[i]) <= step * _MANY:
            raise DataError("a price or quantity is no number, or beyond 2^53 steps; leave the level out")
        out[i] = steps_of(values[i], step)
    return out


@internal
def _place_in(ticks, order, tick):
    """Return the first place in `ticks` of a tick, or -1. order : int64[n], the places by ascending tick, stable."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) >> 1
        if ticks[order[middle]] < tick:
            low = middle + 1
        else:
            high = middle
    return order[low] if low < len(order) and ticks[order[low]] == tick else -1


@internal
def _compare(px, qty, ticks, lots, old_ticks, old_lots, grid, is_first):
    """Return (levels, deletions) of one side: rows of (price, quantity, mark), and of (price, reason)."""
    count, old_count = len(ticks), len(old_ticks)
    levels = np.zeros((count, 3))
    old_order = np.argsort(old_ticks, kind="mergesort")
    for i in range(count):
        levels[i, 0], levels[i, 1], levels[i, 2] = px[i], qty[i], CHANGED
        if not is_first:
            place = _place_in(old_ticks, old_order, ticks[i])
            if place < 0:
                levels[i, 2] = INSERTED
            elif old_lots[place] == lots[i]:
                levels[i, 2] = UNCHANGED
    order = np.argsort(ticks, kind="mergesort")
    gone = np.zeros((old_count, 2))
    gone_count = 0
    for i in range(old_count):
        tick = old_ticks[i]
        if _place_in(ticks, order, tick) < 0:
            why = IN_THE_BOOK_DELETION
            if count == 0 or tick < ticks[order[0]]:
                why = OUT_OF_BOOK_DELETION_BELOW
            elif tick > ticks[order[count - 1]]:
                why = OUT_OF_BOOK_DELETION_ABOVE
            gone[gone_count, 0], gone[gone_count, 1] = tick * grid[2] / grid[3], why
            gone_count += 1
    return levels, gone[:gone_count].copy()


@method(BookDiff)
@compiled
def snapshot(diff, bid_px, bid_qty, ask_px, ask_qty):
    """Return (bids, asks, bid deletions, ask deletions) of a book; new arrays, see `feed.DiffOrderBookSnapshot.snapshot`.

    bid_px … ask_qty : float64[n].   Raises DataError where the book cannot be used; the book before stays what the next is
    compared with.
    """
    if len(bid_px) != len(bid_qty) or len(ask_px) != len(ask_qty):
        raise DataError("a side has another number of prices than of quantities; give one of each a level")
    if len(bid_px) > diff.counts[0] or len(ask_px) > diff.counts[0]:
        raise DataError("the book has more levels than `levels` says; give more levels")
    grid, is_first = diff.grid, diff.counts[1] == 0
    bid_ticks, bid_lots = _counts_of(bid_px, grid[0]), _counts_of(bid_qty, grid[1])
    ask_ticks, ask_lots = _counts_of(ask_px, grid[0]), _counts_of(ask_qty, grid[1])
    bids, bids_gone = _compare(bid_px, bid_qty, bid_ticks, bid_lots, diff.bid_ticks, diff.bid_lots, grid, is_first)
    asks, asks_gone = _compare(ask_px, ask_qty, ask_ticks, ask_lots, diff.ask_ticks, diff.ask_lots, grid, is_first)
    diff.bid_ticks, diff.bid_lots, diff.ask_ticks, diff.ask_lots = bid_ticks, bid_lots, ask_ticks, ask_lots
    diff.counts[1] = 1
    return bids, asks, bids_gone, asks_gone
