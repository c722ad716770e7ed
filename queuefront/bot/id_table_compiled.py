"""A hash table from order id to position, in one int32 array.

Open addressing with linear probing; removal shifts back, so that there are no tombstones and the table's state depends on
its contents alone. Ids live in an array of their own, `ids[position]`, so that a probe touches little memory.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.jit import borrowing, compiled

__all__ = ["EMPTY", "new_table", "table_find", "table_insert", "table_remove"]

EMPTY = -1


@compiled
def new_table(capacity):
    """Return an empty table for at most `capacity` ids: int32[power of two >= 2 × capacity]."""
    size = 16
    while size < 2 * capacity:
        size *= 2
    return np.full(size, EMPTY, np.int32)


@borrowing
def _home(order_id, mask):
    # Ids are price ticks or counters, so the low bits already spread well; the high ones are folded in for the rest.
    return (order_id ^ (order_id >> 17) ^ (order_id >> 37)) & mask


@borrowing
def table_find(table, ids, order_id):
    """Return the position of an id, or EMPTY.

    table : int32[power of two].   ids : int64[positions].
    """
    mask = len(table) - 1
    slot = _home(order_id, mask)
    while table[slot] != EMPTY:
        if ids[table[slot]] == order_id:
            return np.int64(table[slot])
        slot = (slot + 1) & mask
    return np.int64(EMPTY)


@borrowing
def table_insert(table, ids, order_id, position):
    """Enter an id that is not in the table; `ids[position]` becomes the id. The table has room."""
    mask = len(table) - 1
    slot = _home(order_id, mask)
    while table[slot] != EMPTY:
        slot = (slot + 1) & mask
    table[slot] = position
    ids[position] = order_id


@borrowing
def table_remove(table, ids, order_id):
    """Remove an id that is in the table, and close the gap that it leaves."""
    mask = len(table) - 1
    slot = _home(order_id, mask)
    while ids[table[slot]] != order_id:
        slot = (slot + 1) & mask
    gap = slot
    while True:
        slot = (slot + 1) & mask
        if table[slot] == EMPTY:
            break
        home = _home(ids[table[slot]], mask)
        # An entry may move into the gap unless its home lies cyclically between the gap and itself.
        if ((slot - home) & mask) >= ((slot - gap) & mask):
            table[gap] = table[slot]
            gap = slot
    table[gap] = EMPTY
