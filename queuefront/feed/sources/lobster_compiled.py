"""The compiled loop over LOBSTER's messages: what is left of each order."""

from __future__ import annotations

from numba import types
from numba.typed import Dict

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    FILL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.jit import compiled

__all__ = ["CANCEL_PART", "CROSS", "DELETE", "EXECUTE", "EXECUTE_HIDDEN", "HALT", "SUBMIT", "no_orders", "order_rows"]

# Types of messages.
SUBMIT = 1
CANCEL_PART = 2
DELETE = 3
EXECUTE = 4
EXECUTE_HIDDEN = 5
CROSS = 6
HALT = 7


@compiled
def no_orders():
    """Return a map of what is left of each order, of none yet."""
    return Dict.empty(types.int64, types.int64)


@compiled
def order_rows(kind, order_id, size, side, left, record, ev, qty):
    """Write the rows of messages; return (rows, messages of unknown orders, place of a fault, place of another).

    kind, order_id, size : int64[n].   side : int64[n], BUY_EVENT or SELL_EVENT, of the resting order.
    left : what is left of each order before, changed.
    record, ev, qty : int64[3 * n], written: the place of the message, kind and side, and the quantity.
    The first fault is an order that is entered twice, the second one of which more is taken than is left; -1 is none.
    """
    count = unknown_count = 0
    for i in range(len(kind)):
        k = kind[i]
        taker = SELL_EVENT if side[i] == BUY_EVENT else BUY_EVENT
        if k == SUBMIT:
            if order_id[i] in left:
                return count, unknown_count, i, -1
            left[order_id[i]] = size[i]
            record[count], ev[count], qty[count] = i, ADD_ORDER_EVENT | side[i], size[i]
            count += 1
            continue
        if k == EXECUTE or k == EXECUTE_HIDDEN or k == CROSS:
            record[count], qty[count] = i, size[i]
            ev[count] = TRADE_EVENT if k == CROSS else TRADE_EVENT | taker
            count += 1
        if k != EXECUTE and k != CANCEL_PART and k != DELETE:
            continue
        if order_id[i] not in left:
            unknown_count += 1
            continue
        if k == EXECUTE:
            record[count], ev[count], qty[count] = i, FILL_EVENT | side[i], size[i]
            count += 1
        rest = 0 if k == DELETE else left[order_id[i]] - size[i]
        if rest < 0:
            return count, unknown_count, -1, i
        if rest == 0:
            del left[order_id[i]]
            record[count], ev[count], qty[count] = i, CANCEL_ORDER_EVENT | side[i], size[i]
        else:
            left[order_id[i]] = rest
            record[count], ev[count], qty[count] = i, MODIFY_ORDER_EVENT | side[i], rest
        count += 1
    return count, unknown_count, -1, -1
