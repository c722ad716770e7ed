"""Places of a market by price: what rests there at the exchange, and when that changes next.

A place is one side of one level. Nothing is stored as rows pass. What rests at a place is what the last row before now set,
unless a clear came after it; such rows are found in the tape's index. Of the places where orders of ours rest, a heap
gives the one whose quantity changes next.

State of an asset that belongs here:

- `place_cursor` : int32[2 × levels], how far into `rows_by_place` a place's rows have been passed; moves forward only.
- `cleared_row` : int32[2 × levels], the last row that cleared the place, or -1.
- `turns` : int32[…], `turn_count` places in use, a binary heap by the row at their cursor: the next change comes first.
- `is_waited` : bool[2 × levels], whether the place is in the heap.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.jit import borrowing, internal, prefetch

__all__ = ["NO_ROW", "await_place", "lots_at", "next_own_row"]

NO_ROW = 2**31 - 1


@borrowing
def _seek(a, place, row):
    """Move the cursor of a place to its first row at or after `row`; returns it, or the end of the place's rows."""
    rows, low, end = a.rows_by_place, np.int64(a.place_cursor[place]), np.int64(a.place_starts[place + 1])
    step = 1
    high = low
    while high < end and rows[high] < row:
        low = high + 1
        high += step
        step *= 2
    high = min(high, end)
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    a.place_cursor[place] = low
    return low


@borrowing
def lots_at(a, place):
    """Return the lots at a place before the exchange's next row, and remember them in `exch_lots`."""
    cursor = _seek(a, place, a.state["exch_row"][0])
    if cursor > a.place_starts[place]:
        row = a.rows_by_place[cursor - 1]
        a.exch_lots[place] = a.lots[row] if row > a.cleared_row[place] and _holds(a, place) else 0
    return a.exch_lots[place]


@borrowing
def _holds(a, place):
    """Whether a bounded book holds the place's price (spec B2.6)."""
    return a.spec["range_low"][0] <= a.levels[place >> 1] <= a.spec["range_high"][0]


@borrowing
def _row_of(a, place):
    return a.rows_by_place[a.place_cursor[place]]


@borrowing
def _fetch_row(a, place):
    """Let the processor fetch the next row of a place: it will be processed soon."""
    row = np.int64(_row_of(a, place))
    prefetch(a.op, row)
    prefetch(a.exch_ts, row)
    prefetch(a.level, row)
    prefetch(a.lots, row)
    prefetch(a.best_bid_exch, row)
    prefetch(a.best_ask_exch, row)


@borrowing
def _sink(a, i, place):
    """Put a place at position `i` of the heap or below, where it belongs."""
    turns, count, row = a.turns, a.state["turn_count"][0], _row_of(a, place)
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and _row_of(a, turns[child + 1]) < _row_of(a, turns[child]):
            child += 1
        if _row_of(a, turns[child]) >= row:
            break
        turns[i] = turns[child]
        i = child
    turns[i] = place


@internal
def _grow_turns(a):
    larger = np.zeros(2 * len(a.turns), np.int32)
    larger[: len(a.turns)] = a.turns
    a.turns = larger


@borrowing
def await_place(a, place):
    """Let `next_own_row` tell of a place, at which an order of ours has come to rest."""
    if a.is_waited[place]:
        return
    if _seek(a, place, a.state["exch_row"][0]) == a.place_starts[place + 1]:
        return
    count = a.state["turn_count"][0]
    if count == len(a.turns):
        _grow_turns(a)
    row = _row_of(a, place)
    i = count
    while i > 0 and _row_of(a, a.turns[(i - 1) >> 1]) > row:
        a.turns[i] = a.turns[(i - 1) >> 1]
        i = (i - 1) >> 1
    a.turns[i] = place
    a.is_waited[place] = True
    _fetch_row(a, place)
    a.state["turn_count"][0] = count + 1


@borrowing
def next_own_row(a, row):
    """Return the first row at or after `row` that changes the quantity at a price of ours, or NO_ROW."""
    state = a.state[0]
    while state["turn_count"] > 0:
        place = np.int64(a.turns[0])
        is_ours = a.own_count[place] > 0
        if is_ours and _row_of(a, place) >= row:
            return np.int64(_row_of(a, place))
        if is_ours and _seek(a, place, row) < a.place_starts[place + 1]:
            _fetch_row(a, place)
            _sink(a, 0, place)
            continue
        a.is_waited[place] = False
        state["turn_count"] -= 1
        if state["turn_count"] > 0:
            _sink(a, 0, np.int64(a.turns[state["turn_count"]]))
    return np.int64(NO_ROW)
