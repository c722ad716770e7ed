"""The map of orders keeps the order of insertion, grows, and drops what is over."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.bot import EMPTY, LAYOUT, Orders, add_order, find_order, new_orders, remove_inactive
from queuefront.bot.orders import FIRST_CAPACITY
from queuefront.core import ASSET_SPEC
from queuefront.core.enums import CANCELED, EXPIRED, FILLED, NEW, NONE, PARTIALLY_FILLED
from queuefront.core.jit import compiled


@compiled
def add(orders, order_id, status):
    position = add_order(orders, order_id)
    orders.records["status"][position] = status
    return position


@compiled
def set_status(orders, position, status):
    orders.records["status"][position] = status


@compiled
def find(orders, order_id):
    return find_order(orders, order_id)


@compiled
def drop(orders):
    return remove_inactive(orders)


@compiled
def compiled_view(orders, order_id):
    """Return (len, whether the id is in the map, sum of the ids seen by a walk, how many it saw)."""
    total, seen = 0, 0
    values = orders.values()
    while values.has_next():
        total += np.int64(values.get().order_id)
        seen += 1
    return len(orders), order_id in orders, total, seen


def orders_of(*statuses: int) -> Orders:
    """Return a map with ids 0, 10, 20, … of these statuses."""
    spec = np.zeros(1, ASSET_SPEC)
    spec["tick_size"], spec["lot_numerator"], spec["lot_denominator"] = 0.5, 1, 4
    orders = new_orders(LAYOUT, spec)
    for k, status in enumerate(statuses):
        assert add(orders, 10 * k, status) == k
    return orders


def ids(orders: Orders) -> list[int]:
    return [int(order.order_id) for order in orders]


def test_a_new_map_is_empty():
    orders = orders_of()
    assert (len(orders), ids(orders), orders.get(1), 1 in orders, find(orders, 1)) == (0, [], None, False, EMPTY)


def test_orders_are_walked_oldest_first():
    orders = orders_of()
    for order_id in (7, -3, 2**40, 5):
        add(orders, order_id, NEW)
    assert ids(orders) == [7, 2**64 - 3, 2**40, 5]


def test_an_order_is_found_by_its_id():
    orders = orders_of(NEW, FILLED, CANCELED)
    assert int(orders.get(10).status) == FILLED
    assert orders.get(10.0).order_id == 10
    assert 20 in orders
    assert 30 not in orders


@pytest.mark.parametrize("count", [FIRST_CAPACITY - 1, FIRST_CAPACITY, FIRST_CAPACITY + 1, 5 * FIRST_CAPACITY])
def test_the_map_grows_and_keeps_what_it_holds(count):
    orders = orders_of(*[NEW] * count)
    assert ids(orders) == [10 * k for k in range(count)]
    assert [find(orders, 10 * k) for k in range(count)] == list(range(count))
    assert find(orders, 5) == EMPTY


def test_what_is_over_is_dropped_and_the_rest_keeps_its_order():
    orders = orders_of(NEW, FILLED, NONE, EXPIRED, CANCELED, PARTIALLY_FILLED)  # D38: NONE stays
    assert drop(orders) == 3
    assert ids(orders) == [0, 20, 50]
    assert [find(orders, 10 * k) for k in range(6)] == [0, EMPTY, 1, EMPTY, EMPTY, 2]
    assert drop(orders) == 0


def test_a_dropped_id_may_be_used_again():
    orders = orders_of(FILLED, NEW)
    drop(orders)
    add(orders, 0, NEW)
    assert ids(orders) == [10, 0]


def test_dropping_many_orders_again_and_again_leaves_no_trace():
    orders = orders_of()
    for turn in range(50):
        for k in range(100):
            add(orders, turn * 100 + k, NEW if k == 0 and turn == 0 else FILLED)
        assert drop(orders) == (99 if turn == 0 else 100)
        assert ids(orders) == [0]


def test_compiled_code_sees_the_same_map():
    orders = orders_of(NEW, NEW, FILLED)
    assert compiled_view(orders, 20) == (3, True, 30, 3)
    assert compiled_view(orders, 21) == (3, False, 30, 3)


# --- views -----------------------------------------------------------------------------------------------------------
def test_a_view_shows_the_order_as_it_is_now():
    orders = orders_of(NEW)
    order = orders.get(0)
    set_status(orders, 0, CANCELED)
    assert int(order.status) == CANCELED
