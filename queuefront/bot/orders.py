"""Our orders as we believe them: a map from order id to record that keeps the order of insertion."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba.extending import overload

from queuefront.bot.id_table_compiled import EMPTY, new_table, table_find, table_insert
from queuefront.bot.order_compiled import copy_order, view_order
from queuefront.bot.order_iterator import OrderIterator, bind_iterator
from queuefront.bot.surface import Id, Struct, id_from_python, method, struct, struct_type
from queuefront.core.dtypes import ORDER
from queuefront.core.enums import CANCELED, EXPIRED, FILLED
from queuefront.core.jit import IS_INTERPRETED, borrowing, compiled, internal, viewing

__all__ = ["Orders", "add_order", "find_order", "new_orders", "remove_inactive"]

FIRST_CAPACITY = 64


@struct("records ids table count grid")
class Orders(Struct):
    """The strategy's orders of one asset: `get(order_id)`, `values()`, `order_id in orders`, `len(orders)`.

    records : ORDER[capacity], `count` in use, oldest first.   ids : int64[capacity], their ids.
    table : int32[…], see `id_table_compiled`.   grid : the asset's ASSET_SPEC array.
    """


@compiled
def new_orders(layout, grid):  # noqa: ARG001 - it is there for its type
    """Return an empty map. layout : LAYOUT, see `surface`."""
    capacity = FIRST_CAPACITY
    return Orders(np.zeros(capacity, ORDER), np.zeros(capacity, np.int64), new_table(capacity), np.int64(0), grid)


@borrowing
def find_order(orders, order_id):
    """Return the position of an order, or EMPTY."""
    return table_find(orders.table, orders.ids, order_id)


@internal
def _grow(orders):
    capacity = len(orders.ids)
    records, ids = np.zeros(2 * capacity, ORDER), np.zeros(2 * capacity, np.int64)
    table = new_table(2 * capacity)
    for k in range(capacity):
        copy_order(records[k], orders.records[k])
        table_insert(table, ids, orders.ids[k], k)
    orders.records = records
    orders.ids = ids
    orders.table = table


@borrowing
def add_order(orders, order_id):
    """Append a record for an id that the map does not hold.

    Return its position. The other fields keep what was there before.
    """
    position = orders.count
    if position == len(orders.ids):
        _grow(orders)
    orders.records["order_id"][position] = order_id
    table_insert(orders.table, orders.ids, order_id, position)
    orders.count = position + 1
    return position


@borrowing
def remove_inactive(orders):
    """Drop the orders that are EXPIRED, FILLED or CANCELED (spec B3.7); return how many."""
    count = orders.count
    records, ids = orders.records, orders.ids
    kept = 0
    for k in range(count):
        state = records["status"][k]
        if state != EXPIRED and state != FILLED and state != CANCELED:
            if kept != k:
                copy_order(records[kept], records[k])
            kept += 1
    if kept != count:
        table = orders.table
        for slot in range(len(table)):
            table[slot] = EMPTY
        for k in range(kept):
            table_insert(table, ids, records["order_id"][k], k)
        orders.count = kept
    return count - kept


@method(Orders, "get")
@viewing
def get_order(orders, order_id: Id):
    """Return a view of an order, or None."""
    position = find_order(orders, order_id)
    if position == EMPTY:
        return None
    return view_order(orders, position)


@viewing
def has_order(orders, order_id):
    """Whether the map holds an id."""
    return find_order(orders, order_id) != EMPTY


@viewing
def order_count(orders):
    """Return how many orders the map holds."""
    return orders.count


def _iterate(self: Any) -> Any:
    iterator = OrderIterator(self)
    while iterator.has_next():
        yield iterator.get()


bind_iterator(Orders)


Orders.__len__ = order_count  # type: ignore[attr-defined]
Orders.__contains__ = lambda self, order_id: bool(has_order(self, id_from_python(order_id)))  # type: ignore[attr-defined,operator]
Orders.__iter__ = _iterate  # type: ignore[attr-defined]

if not IS_INTERPRETED:

    @overload(len)
    def _len(orders):
        if isinstance(orders, struct_type(Orders)):
            return lambda orders: order_count(orders)  # noqa: PLW0108 - Numba wants a function of this name
        return None

    @overload(operator.contains)
    def _contains(orders, order_id):  # noqa: ARG001 - the types decide
        if isinstance(orders, struct_type(Orders)):
            return lambda orders, order_id: find_order(orders, np.int64(order_id)) != EMPTY
        return None
