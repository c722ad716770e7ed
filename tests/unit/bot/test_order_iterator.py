"""Walking over orders, in Python and compiled: what a walk sees, and where an iterator may live."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.bot import LAYOUT, Orders, add_order, new_orders, remove_inactive
from queuefront.core import ASSET_SPEC
from queuefront.core.enums import FILLED, NEW
from queuefront.core.jit import IS_INTERPRETED, compiled

NO_ORDER = "there is no current order; call get() only after has_next() returned True"


@compiled
def add(orders, order_id, status):
    position = add_order(orders, order_id)
    orders.records["status"][position] = status
    return position


def orders_of(*statuses: int) -> Orders:
    """Return a map with ids 0, 10, 20, … of these statuses."""
    spec = np.zeros(1, ASSET_SPEC)
    spec["tick_size"], spec["lot_numerator"], spec["lot_denominator"] = 0.5, 1, 4
    orders = new_orders(LAYOUT, spec)
    for k, status in enumerate(statuses):
        add(orders, 10 * k, status)
    return orders


def past_the_end(orders):
    values = orders.values()
    seen = 0
    while values.next() is not None:
        seen += 1
    for _ in range(10):
        seen += 100 * values.has_next()
        if values.next() is not None:
            seen += 1000
    return seen


def before_the_first(orders):
    return orders.values().get()


def after_the_last(orders):
    values = orders.values()
    while values.has_next():
        pass
    return values.get()


def while_adding(orders):
    values = orders.values()
    seen = 0
    while values.has_next():
        seen += np.int64(values.get().order_id)
        add_order(orders, 1000 + len(orders))
    return seen


def while_dropping(orders):
    values = orders.values()
    seen = 0
    while values.has_next():
        seen += 1
        remove_inactive(orders)
    return seen


def pairs(orders):
    """Return the sum of id × other id over all pairs, by one walk inside another."""
    total = 0
    outer = orders.values()
    while outer.has_next():
        inner = orders.values()
        while inner.has_next():
            total += np.int64(outer.get().order_id) * np.int64(inner.get().order_id)
    return total


@compiled
def rest_of(values):
    """Return the sum of the ids that a walk has still to see."""
    total = 0
    while values.has_next():
        total += np.int64(values.get().order_id)
    return total


def handed_on(orders):
    values = orders.values()
    values.has_next()
    return rest_of(values)


def kept_beyond_its_turn(orders):
    """Use the iterator of an earlier turn of a loop after the same place has made another."""
    values = orders.values()
    seen = 0
    for _ in range(3):
        earlier = values
        values = orders.values()
        if earlier.has_next():
            seen += 1
    return seen


@pytest.fixture(params=["python", "compiled"])
def walk(request):
    """Return what runs a function: as it is, or compiled."""
    return compiled if request.param == "compiled" else lambda function: function


def test_a_walk_past_its_end_keeps_ending(walk):  # H5.17
    assert walk(past_the_end)(orders_of(NEW, NEW)) == 2


@pytest.mark.parametrize("function", [before_the_first, after_the_last])
def test_there_is_no_current_order_before_and_after_a_walk(walk, function):
    with pytest.raises(IndexError) as caught:
        walk(function)(orders_of(NEW))
    assert str(caught.value) == NO_ORDER


def test_orders_added_during_a_walk_are_not_part_of_it():  # H5.16
    assert compiled(while_adding)(orders_of(NEW, NEW)) == 10


def test_orders_dropped_during_a_walk_end_it():
    assert compiled(while_dropping)(orders_of(FILLED, FILLED, FILLED)) == 1


def test_a_walk_inside_another_is_one_of_its_own(walk):
    assert walk(pairs)(orders_of(NEW, NEW, NEW)) == 900


def test_a_walk_goes_on_in_a_function_that_it_is_passed_to():
    assert compiled(handed_on)(orders_of(NEW, NEW, NEW)) == 30


def test_an_iterator_of_an_earlier_turn_is_refused_and_not_taken_for_the_later_one():
    if IS_INTERPRETED:
        assert kept_beyond_its_turn(orders_of(NEW, NEW)) == 3
        return
    with pytest.raises(RuntimeError) as caught:
        compiled(kept_beyond_its_turn)(orders_of(NEW, NEW))
    assert str(caught.value) == "this iterator over orders was replaced by a later one from the same place in a loop"


def returned(orders):
    return orders.values()


def in_a_list(orders):
    return len([orders.values()])


def in_a_tuple(orders):
    return (orders.values(), 1)


@pytest.mark.skipif(IS_INTERPRETED, reason="a plain object may live anywhere")
@pytest.mark.parametrize("function", [returned, in_a_list, in_a_tuple])
def test_an_iterator_that_would_outlive_its_function_does_not_compile(function):
    with pytest.raises(Exception, match="an iterator over orders lives in the function that called values") as caught:
        compiled(function)(orders_of(NEW))
    assert "it can be passed on, but not be returned or kept" in str(caught.value)
