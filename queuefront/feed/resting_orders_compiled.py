"""Which orders of a market by order rest, and where in their queues (spec B2.9); the rules are those of `trace_orders`."""

from __future__ import annotations

from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_BID,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_BOTH,
    OP_MASK,
    OP_MODIFY_ORDER,
)
from queuefront.core.jit import compiled

__all__ = ["follow_orders"]


@compiled
def follow_orders(op, level, lots, order_no, begin, end, half, is_live, is_bid, order_level, order_lots, place, era, eras):
    """Follow the orders through the rows [begin, end) of a tape that one half sees.

    op, level, lots, order_no : columns of the tape; its rows name only orders that are there.
    half : OP_AT_EXCH or OP_AT_LOCAL.
    is_live, is_bid, order_level, order_lots : bool, bool, int32, int64 [orders], the orders so far; mutated.
    place : int64[orders], the row at which an order joined the end of its queue; mutated.
    era, eras : int32[orders], int32[2]; an order is gone if its side's era, (asks, bids), is not the one of its addition.
    """
    for i in range(begin, end):
        if not op[i] & half:
            continue
        what, k = op[i] & OP_MASK, order_no[i]
        if what == OP_ADD_ORDER:
            is_live[k], is_bid[k] = True, (op[i] & OP_BID) != 0
            order_level[k], order_lots[k], place[k] = level[i], lots[i], i
            era[k] = eras[1 if is_bid[k] else 0]
        elif what == OP_CANCEL_ORDER:
            is_live[k] = False
        elif what == OP_MODIFY_ORDER:
            if level[i] != order_level[k] or lots[i] > order_lots[k]:
                place[k] = i
            order_level[k], order_lots[k] = level[i], lots[i]
        else:
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
                eras[0] += 1
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
                eras[1] += 1
