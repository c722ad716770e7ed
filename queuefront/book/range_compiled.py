"""The bounded-range book in compiled code: an L2 book over every tick from a lowest to a highest one.

Rules (spec B2.6 with D12, D13 and D18 mended): those of `l2_compiled`, where a level is `tick - low_tick`; and

- What lies outside the range is unknown to the book: it is not stored, never the best, and removes nothing.
- Bests are regional: the best of what lies inside the range, or none.
- Every range of ticks is intersected with the book's before it becomes levels, at both ends: a clear from outside acts on
  what of it lies inside, and a search begins no further out than one beyond the edge.
"""

from __future__ import annotations

from queuefront.book.l2_compiled import (
    NO_BID,
    clear_asks,
    clear_bids,
    highest_bid_below,
    lowest_ask_above,
    set_ask,
    set_bid,
)
from queuefront.core.jit import compiled

__all__ = ["OUTSIDE", "apply_operations", "clear_asks_in_range", "clear_bids_in_range", "level_in_range"]

OUTSIDE = -1

#: What `apply_operations` does with a row; the first column.
SET_BID = 0
SET_ASK = 1
CLEAR_BIDS = 2
CLEAR_ASKS = 3


@compiled
def level_in_range(tick, low_tick, count):
    """Return the level of a tick, OUTSIDE for one that is not in the range of `count` ticks; no tick overflows."""
    if tick < low_tick or tick > low_tick + (count - 1):
        return OUTSIDE
    return tick - low_tick


@compiled
def clear_bids_in_range(bid_lots, tick, low_tick, best_bid, low_bid):
    """Remove the bids from the best down to a tick, which may lie outside. Returns (best_bid, low_bid).

    bid_lots : int64[levels], mutated.   best_bid, low_bid : levels, as in `l2_compiled`.
    """
    count = len(bid_lots)
    if tick <= low_tick:
        return clear_bids(bid_lots, 0, best_bid, low_bid)
    if tick <= low_tick + (count - 1):
        return clear_bids(bid_lots, tick - low_tick, best_bid, low_bid)
    best_bid = highest_bid_below(bid_lots, count, low_bid)
    if best_bid == NO_BID:
        low_bid = count
    return best_bid, low_bid


@compiled
def clear_asks_in_range(ask_lots, tick, low_tick, best_ask, high_ask):
    """Remove the asks from the best up to a tick, which may lie outside. Returns (best_ask, high_ask)."""
    count = len(ask_lots)
    if tick >= low_tick + (count - 1):
        return clear_asks(ask_lots, count - 1, best_ask, high_ask)
    if tick >= low_tick:
        return clear_asks(ask_lots, tick - low_tick, best_ask, high_ask)
    best_ask = lowest_ask_above(ask_lots, NO_BID, high_ask)
    if best_ask == count:
        high_ask = NO_BID
    return best_ask, high_ask


@compiled
def apply_operations(operations, low_tick, bid_lots, ask_lots, state):
    """Apply many operations; return how many named a tick outside, which a setting ignores and a clear is cut to.

    operations : int64[n, 3], what (SET_BID …), tick, lots.   bid_lots, ask_lots : int64[levels], mutated.
    state : int64[4], best_bid, best_ask, low_bid, high_ask; mutated.
    """
    bid, ask, low, high = state[0], state[1], state[2], state[3]
    count = len(bid_lots)
    outside = 0
    for i in range(len(operations)):
        what, tick, lots = operations[i, 0], operations[i, 1], operations[i, 2]
        level = level_in_range(tick, low_tick, count)
        if level == OUTSIDE:
            outside += 1
        if what == CLEAR_BIDS:
            bid, low = clear_bids_in_range(bid_lots, tick, low_tick, bid, low)
        elif what == CLEAR_ASKS:
            ask, high = clear_asks_in_range(ask_lots, tick, low_tick, ask, high)
        elif level != OUTSIDE and what == SET_BID:
            bid, ask, low = set_bid(bid_lots, ask_lots, level, lots, bid, ask, low, high)
        elif level != OUTSIDE:
            bid, ask, high = set_ask(bid_lots, ask_lots, level, lots, bid, ask, low, high)
    state[0], state[1], state[2], state[3] = bid, ask, low, high
    return outside
