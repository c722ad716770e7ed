"""The order of events equals the reference's, for any times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT
from queuefront.core.enums import DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT
from queuefront.feed.clean import correct_event_order, correct_local_timestamp, find_order_violations

TIMES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


def rows(times: list[tuple[int, int]]) -> np.ndarray:
    events = np.zeros(len(times), EVENT)
    events["ev"] = DEPTH_EVENT
    events["exch_ts"], events["local_ts"] = np.array(times, np.int64).reshape(-1, 2).T
    events["px"] = np.arange(len(times)) + 1
    return events


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(TIMES.filter(len))
def test_the_order_equals_hftbacktest(times):
    from hftbacktest.data import correct_event_order as reference
    from hftbacktest.types import event_dtype

    events = rows(times).astype(event_dtype)  # the same bytes, declared as aligned
    by_exch = np.argsort(events["exch_ts"], kind="mergesort")
    by_local = np.argsort(events["local_ts"], kind="mergesort")
    # The reference reads one past the end of its index arrays; a spare entry keeps that within bounds.
    wanted = reference(events, np.append(by_exch, 0), np.append(by_local, 0))
    assert correct_event_order(rows(times)).tobytes() == wanted.tobytes()


@given(TIMES)
def test_each_half_sees_every_row_once_and_in_order(times):
    events = correct_event_order(rows(times))
    assert find_order_violations(events) == []
    for flag in (EXCH_EVENT, LOCAL_EVENT):
        assert sorted(events["px"][(events["ev"] & np.uint64(flag)) != 0]) == list(range(1, len(times) + 1))


@given(TIMES.filter(len), st.integers(0, 100), st.booleans())
def test_no_latency_is_below_the_base_after_a_shift(times, base, always):
    events, shift = correct_local_timestamp(rows(times), base, always=always)
    latency = events["local_ts"] - events["exch_ts"]
    assert latency.min() >= (base if shift or always else 0)
