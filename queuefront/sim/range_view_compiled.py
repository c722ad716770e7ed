"""All quantities of a bounded book at once, as we see it: an array over the ticks of its range for each side.

The arrays follow on demand, like the quantities by level (`market_compiled.apply_local_rows`): they take in the rows that
came since they were last asked for. A strategy that looks at thousands of ticks in one step pays for that once.
"""

from __future__ import annotations

from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_AT_LOCAL,
    OP_BID,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_BIDS,
    OP_FILL_ORDER,
    OP_MASK,
    OP_SET_ASK,
)
from queuefront.core.jit import borrowing
from queuefront.sim.market_compiled import apply_local_rows, first_level_at_or_above

__all__ = ["apply_range_rows"]


@borrowing
def _show(a, level, side):
    """Write the quantity of a level as it is now; levels outside of the range are not shown."""
    spec = a.spec[0]
    tick = a.levels[level]
    if spec["range_low"] <= tick <= spec["range_high"]:
        shown = a.range_asks if side else a.range_bids
        shown[tick - spec["range_low"]] = a.local_lots[2 * level + side] * spec["lot_numerator"] / spec["lot_denominator"]


@borrowing
def _show_all(a):
    level = first_level_at_or_above(a.levels, a.spec["range_low"][0])
    while level < len(a.levels) and a.levels[level] <= a.spec["range_high"][0]:
        _show(a, level, 0)
        _show(a, level, 1)
        level += 1


@borrowing
def apply_range_rows(a):
    """Bring the arrays of a bounded book up to the rows that the local half has consumed."""
    state = a.state[0]
    start, end = state["range_row"], state["local_row"]
    if start == end:
        return
    apply_local_rows(a)
    is_whole = start < 0
    for i in range(max(start, 0), end):
        code = a.op[i]
        what = code & OP_MASK
        if is_whole or not code & OP_AT_LOCAL:
            continue
        if 0 < what <= OP_SET_ASK:
            _show(a, a.level[i], what - 1)
        elif OP_ADD_ORDER <= what <= OP_FILL_ORDER:
            side = 0 if code & OP_BID else 1
            _show(a, a.level[i], side)
            if what != OP_ADD_ORDER:
                _show(a, a.prior_level[i], side)
        elif OP_CLEAR_BIDS <= what <= OP_CLEAR_ALL_ASKS:
            is_whole = True  # rare, and may concern any level
    if is_whole:
        _show_all(a)
    state["range_row"] = end
