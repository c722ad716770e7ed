"""Shifted clocks and orders that both halves can follow."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT, DataError, TimestampRangeError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT
from queuefront.feed.clean import (
    OrderViolation,
    correct_event_order,
    correct_local_timestamp,
    find_order_violations,
    validate_event_order,
)

BOTH = EXCH_EVENT | LOCAL_EVENT


def rows(*times: tuple[int, int], flags: int = 0) -> np.ndarray:
    """Rows of (exch_ts, local_ts), told apart by their price."""
    events = np.zeros(len(times), EVENT)
    for i, (exch_ts, local_ts) in enumerate(times):
        events[i] = (DEPTH_EVENT | BUY_EVENT | flags, exch_ts, local_ts, i + 1.0, 1.0, 0, 0, 0)
    return events


def seen(events: np.ndarray) -> list[tuple[int, str]]:
    """(price, halves) of each row."""
    names = {EXCH_EVENT: "exch", LOCAL_EVENT: "local", BOTH: "both"}
    return [(int(e["px"]), names[int(e["ev"]) & BOTH]) for e in events]


def test_a_clock_that_runs_behind_is_shifted_by_its_worst_latency_and_the_base():
    events, shift = correct_local_timestamp(rows((100, 90), (200, 210)), 7)
    assert shift == 17
    assert events["local_ts"].tolist() == [107, 227]


def test_a_clock_in_order_is_left_alone_the_base_latency_included():  # D43
    events, shift = correct_local_timestamp(rows((100, 100), (200, 210)), 7)
    assert shift == 0
    assert events["local_ts"].tolist() == [100, 210]


def test_the_base_latency_is_added_in_every_case_on_request():  # D43
    assert correct_local_timestamp(rows((100, 100)), 7, always=True)[1] == 7
    assert correct_local_timestamp(rows((100, 90)), 7, always=True)[1] == 17


def test_the_given_rows_are_not_touched():
    events = rows((100, 90))
    correct_local_timestamp(events)
    correct_event_order(events)
    assert events.tobytes() == rows((100, 90)).tobytes()


def test_no_rows_need_no_shift():
    events, shift = correct_local_timestamp(rows(), 7)
    assert (len(events), shift) == (0, 0)
    assert len(correct_event_order(rows())) == 0


@pytest.mark.parametrize("times", [(2**63 - 1, 0), (0, -(2**63)), (2**62 + 1, 0)])
def test_times_without_room_for_a_difference_are_refused(times):  # H0.5
    with pytest.raises(TimestampRangeError, match="do not fit into int64, check their unit"):
        correct_local_timestamp(rows(times))


def test_a_shift_beyond_the_range_is_refused():  # H0.5
    with pytest.raises(TimestampRangeError, match="check base_latency_ns"):
        correct_local_timestamp(rows((100, 90)), 2**63 - 1)


def test_rows_in_both_orders_stand_once_for_both_halves():
    assert seen(correct_event_order(rows((1, 2), (1, 2), (3, 4)))) == [(1, "both"), (2, "both"), (3, "both")]


def test_a_row_that_was_overtaken_stands_twice():
    # The second row happened before the first, and arrived after it.
    assert seen(correct_event_order(rows((20, 30), (10, 40)))) == [(2, "exch"), (1, "both"), (2, "local")]


def test_a_row_that_arrived_out_of_turn_stands_twice():
    assert seen(correct_event_order(rows((10, 50), (20, 40)))) == [(1, "exch"), (2, "both"), (1, "local")]


def test_of_one_exchange_time_the_earlier_arrival_is_first():
    assert seen(correct_event_order(rows((10, 50), (10, 40)))) == [(2, "local"), (1, "both"), (2, "exch")]


def test_violations_are_found_in_each_half():
    events = rows((10, 50), (20, 40), (15, 60), flags=BOTH)
    assert find_order_violations(events) == [
        OrderViolation("exchange", 2, 15, 20),
        OrderViolation("local", 1, 40, 50),
    ]
    assert find_order_violations(correct_event_order(rows((10, 50), (20, 40), (15, 60)))) == []


def test_at_most_so_many_violations_are_listed_a_half():
    events = rows(*((100 - i, i) for i in range(20)), flags=BOTH)
    assert len(find_order_violations(events, limit=3)) == 3


def test_rows_of_the_other_half_do_not_disturb_the_order():
    events = rows((10, 50), (5, 60), (20, 70))
    events["ev"] |= np.array([BOTH, LOCAL_EVENT, BOTH], np.uint64)
    assert find_order_violations(events) == []


def test_the_first_violation_is_named():
    events = rows((10, 50), (20, 40), (15, 60), flags=BOTH)
    with pytest.raises(DataError) as caught:
        validate_event_order(events, "btc.npz")
    assert str(caught.value) == (
        "btc.npz: row 1: local_ts of the local half goes back 10 ns, to 40; "
        "put the rows in order with queuefront.feed.correct_event_order"
    )
    validate_event_order(correct_event_order(rows((10, 50), (20, 40))))
