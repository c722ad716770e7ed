"""A market with stretches of time in which nothing of ours is filled, for data that are not to be believed.

A mask is a property of the tape, so that a replay without one knows nothing of it. From the last row before a stretch to
the first row after it:

- the exchange's book looks empty: the best prices that a replay looks up are those of no bid and no ask, so that none
  reaches an order of ours. After the stretch each side stays so until the first row that tells of this side: by that row
  its best price comes back, as if it had moved there, and reaches the orders that it reaches.
- trades and fills of orders are told, but fill nobody.
- each row carries `OP_MASKED`, by which the exchange half knows that new orders expire.

Quantities at each price, and so the estimates of our queue positions, follow the book as elsewhere. What the strategy sees,
the local half, stays as it was recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_BID,
    OP_BUY_TRADE,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MASKED,
    OP_NOTHING,
    OP_OTHER_TRADE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
)

__all__ = ["masked_columns"]

Columns = dict[str, npt.NDArray[Any]]


def masked_columns(columns: Columns, level_count: int, stretches: npt.NDArray[np.int64]) -> Columns:
    """Return the columns of a tape with a mask over stretches of the exchange's time; those that differ are replaced.

    stretches : int64[n, 2], each from its first time to before its second, ascending and apart from one another.
    """
    op = columns["op"].copy()
    best_bid, best_ask = columns["best_bid_exch"].copy(), columns["best_ask_exch"].copy()
    rows = np.flatnonzero(op & np.uint8(OP_AT_EXCH))  # their times ascend, those of other rows need not
    ts = columns["exch_ts"][rows]
    what = op[rows] & np.uint8(OP_MASK)
    is_order = what >= OP_ADD_ORDER
    is_bid = (what == OP_SET_BID) | (is_order & ((op[rows] & np.uint8(OP_BID)) != 0))
    is_ask = (what == OP_SET_ASK) | (is_order & ~is_bid)
    tells_bid, tells_ask = np.flatnonzero(is_bid), np.flatnonzero(is_ask)
    for start_ts, end_ts in stretches.tolist():
        first, end = int(np.searchsorted(ts, start_ts)), int(np.searchsorted(ts, end_ts))
        first = max(first - 1, 0)  # what the row before left is what a request in the stretch would meet
        begin = _row(rows, first, len(op))
        stop = _row(rows, end, len(op))
        best_bid[begin : _row(rows, _next(tells_bid, end, len(rows)), len(op))] = -1
        best_ask[begin : _row(rows, _next(tells_ask, end, len(rows)), len(op))] = level_count
        _silence(op[begin:stop])
    return columns | {"op": op, "best_bid_exch": best_bid, "best_ask_exch": best_ask}


def _row(rows: npt.NDArray[np.int64], i: int, count: int) -> int:
    return int(rows[i]) if i < len(rows) else count


def _next(tells: npt.NDArray[np.int64], at: int, otherwise: int) -> int:
    """Return the first of ascending positions at or after one."""
    i = int(np.searchsorted(tells, at))
    return int(tells[i]) if i < len(tells) else otherwise


def _silence(op: npt.NDArray[np.uint8]) -> None:
    """Let rows fill nobody, in place."""
    what = op & np.uint8(OP_MASK)
    is_trade = (what == OP_BUY_TRADE) | (what == OP_SELL_TRADE)
    keeps = op & np.uint8(0xFF ^ OP_MASK)
    op[is_trade] = keeps[is_trade] | np.uint8(OP_OTHER_TRADE)
    is_fill = what == OP_FILL_ORDER
    op[is_fill] = keeps[is_fill] | np.uint8(OP_NOTHING)
    op |= np.uint8(OP_MASKED)
