"""The index of a tape: what a replay can look up instead of working out.

In a replay our orders do not move the market, so the best bid and ask after each event are the same in every run. They
are computed here, once, for each half.
"""

from __future__ import annotations

from queuefront.book import NO_BID, clear_asks, clear_bids, set_ask, set_bid
from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MASKED,
    OP_SET_ASK,
    OP_SET_BID,
)
from queuefront.core.jit import compiled

__all__ = ["find_untrusted_order_row", "find_untrusted_row", "trace_best"]


@compiled
def trace_best(op, level, lots, half, bid_lots, ask_lots, start, best_bid_out, best_ask_out):
    """Walk the rows that one half sees and note the best levels after each row; rows may come part by part.

    op : uint8[rows], what the row does; half : OP_AT_EXCH or OP_AT_LOCAL, rows without this bit change nothing.
    level : int32[rows], 0 <= level < len(bid_lots) where the row names a price, 0 elsewhere.
    lots : int64[rows].   bid_lots, ask_lots : int64[levels], the book at the start; mutated.
    start : int64[4], best_bid, best_ask, low_bid, high_ask at the start; mutated to those at the end.
    best_bid_out, best_ask_out : int32[rows], filled.
    """
    best_bid, best_ask, low_bid, high_ask = start[0], start[1], start[2], start[3]
    for i in range(len(op)):
        code = op[i]
        if code & half:
            what = code & OP_MASK
            if what == OP_SET_BID:
                best_bid, best_ask, low_bid = set_bid(
                    bid_lots, ask_lots, level[i], lots[i], best_bid, best_ask, low_bid, high_ask
                )
            elif what == OP_SET_ASK:
                best_bid, best_ask, high_ask = set_ask(
                    bid_lots, ask_lots, level[i], lots[i], best_bid, best_ask, low_bid, high_ask
                )
            elif what == OP_CLEAR_BIDS:
                best_bid, low_bid = clear_bids(bid_lots, level[i], best_bid, low_bid)
            elif what == OP_CLEAR_ASKS:
                best_ask, high_ask = clear_asks(ask_lots, level[i], best_ask, high_ask)
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
                best_bid, low_bid = clear_bids(bid_lots, NO_BID, best_bid, low_bid)
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
                best_ask, high_ask = clear_asks(ask_lots, NO_BID, best_ask, high_ask)
        best_bid_out[i] = best_bid
        best_ask_out[i] = best_ask
    start[0], start[1], start[2], start[3] = best_bid, best_ask, low_bid, high_ask


@compiled
def find_untrusted_order_row(op, level, prior_level, prior_row, order_no, order_count, level_count):
    """Return the first row of a market by order whose indices compiled code could not trust, or -1."""
    for i in range(len(op)):
        what = op[i] & OP_MASK
        if order_no[i] < 0 or order_no[i] >= order_count:
            return i
        if prior_level[i] < -1 or prior_level[i] >= level_count or prior_row[i] < -1 or prior_row[i] >= i:
            return i
        if what > OP_ADD_ORDER and prior_level[i] < 0:
            return i
        if what >= OP_ADD_ORDER and (level_count == 0 or level[i] >= level_count):
            return i
    return -1


@compiled
def find_untrusted_row(
    op, level, best_bid_exch, best_ask_exch, best_bid_local, best_ask_local, level_count, is_by_order
):  # fmt: skip
    """Return the first row whose indices compiled code could not trust, or -1.

    A replay indexes arrays by these columns without a check, so a file that was altered must be caught here.
    """
    last_op = OP_FILL_ORDER if is_by_order else OP_CLEAR_ALL_ASKS
    for i in range(len(op)):
        what = op[i] & OP_MASK
        v = level[i]
        is_masked = op[i] & OP_MASKED != 0  # which no file is
        if what > last_op or is_masked or v < 0 or (is_by_order and OP_SET_BID <= what <= OP_SET_ASK):
            return i
        if v >= level_count and (v > 0 or OP_SET_BID <= what <= OP_CLEAR_ASKS):
            return i
        if (
            best_bid_exch[i] < -1
            or best_bid_exch[i] >= level_count
            or best_ask_exch[i] < 0
            or best_ask_exch[i] > level_count
        ):
            return i
        if (
            best_bid_local[i] < -1
            or best_bid_local[i] >= level_count
            or best_ask_local[i] < 0
            or best_ask_local[i] > level_count
        ):
            return i
    return -1
