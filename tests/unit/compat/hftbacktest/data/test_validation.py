"""The preparation functions under the reference's names."""

import numpy as np
import pytest

from queuefront.compat.hftbacktest.data import correct_event_order, correct_local_timestamp, validate_event_order
from queuefront.core import EVENT


def rows_of(*times: tuple[int, int]) -> np.ndarray:
    events = np.zeros(len(times), EVENT)
    events["ev"] = 1
    events["exch_ts"], events["local_ts"] = np.array(times).T
    return events


def test_local_times_are_moved_in_place() -> None:
    events = rows_of((10, 8), (20, 25))
    assert correct_local_timestamp(events, 3.0) is events
    assert events["local_ts"].tolist() == [13, 30]


def test_the_order_is_worked_out_whatever_the_indices() -> None:
    events = correct_event_order(rows_of((20, 21), (10, 22)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    validate_event_order(events)
    assert len(events) == 3


def test_rows_out_of_order_raise_a_value_error() -> None:
    events = rows_of((20, 21), (10, 22))
    events["ev"] |= np.uint64(3 << 30)
    with pytest.raises(ValueError, match="exch_ts of the exchange half goes back 10 ns"):
        validate_event_order(events)
