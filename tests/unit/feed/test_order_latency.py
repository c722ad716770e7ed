"""Latencies made up from a feed: exact, one an interval, and refused where they cannot be."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT, ConfigError, DataError, TimestampRangeError
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT, TRADE_EVENT
from queuefront.feed import generate_order_latency, read_latencies, write_npz

S = 10**9
START = 1_700_000_000 * S


def feed_of(*rows: tuple[int, int], flags: int = EXCH_EVENT | LOCAL_EVENT) -> np.ndarray:
    """Make rows of (local time behind the start, feed latency)."""
    events = np.zeros(len(rows), EVENT)
    events["ev"] = TRADE_EVENT | flags
    for i, (late, latency) in enumerate(rows):
        events["local_ts"][i], events["exch_ts"][i] = START + late, START + late - latency
    events["px"] = events["qty"] = 1.0
    return events


def test_the_last_row_of_each_interval_counts():
    rows = generate_order_latency(feed_of((0, 5), (S - 1, 7), (S, 9), (3 * S, 11), (3 * S + 1, 13)))
    assert (rows["req_ts"] - START).tolist() == [S - 1, S, 3 * S + 1]
    assert (rows["exch_ts"] - rows["req_ts"]).tolist() == [7, 9, 13]
    assert (rows["resp_ts"] - rows["exch_ts"]).tolist() == [7, 9, 13]


def test_rows_that_one_half_sees_do_not_count():
    assert len(generate_order_latency(feed_of((0, 5), flags=LOCAL_EVENT))) == 0


def test_factors_and_offsets_shape_both_ways():
    (row,) = generate_order_latency(feed_of((0, 1000)), None, 4, 50, "0.5", 7, 10)
    assert row.tolist() == (START, START + 4050, START + 4050 + 507, 0)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**12)), min_size=1, max_size=20),
    st.decimals(0, 1000, places=9),
    st.integers(0, 10**9),
    st.decimals(0, 1000, places=9),
)
def test_times_are_those_of_exact_arithmetic(steps, mul, offset, mul_back):
    late = np.cumsum([step for step, _ in steps]).tolist()
    feed = feed_of(*zip(late, [latency for _, latency in steps], strict=True))
    rows = generate_order_latency(feed, None, mul, offset, mul_back, 3, 1)
    for row, event in zip(rows, feed, strict=True):
        latency = int(event["local_ts"] - event["exch_ts"])
        entry = Fraction(mul) * latency + offset
        assert int(row["exch_ts"]) == int(event["local_ts"]) + entry.__floor__()
        assert int(row["resp_ts"]) == int(event["local_ts"]) + (entry + Fraction(mul_back) * latency + 3).__floor__()


def test_a_file_is_read_and_the_rows_are_written(tmp_path):
    feed, out = tmp_path / "feed.npz", tmp_path / "latency.npz"
    write_npz(feed, feed_of((0, 5), (S, 9)))
    rows = generate_order_latency(feed, out)
    assert read_latencies(out).tobytes() == rows.tobytes()


def test_an_interval_that_is_none_is_refused():
    with pytest.raises(ConfigError) as caught:
        generate_order_latency(feed_of((0, 5)), resampling_ns=0)
    assert str(caught.value) == "resampling_ns is 0; give at least 1"


def test_a_factor_that_is_no_number_is_refused():
    with pytest.raises(ConfigError) as caught:
        generate_order_latency(feed_of((0, 5)), mul_resp=float("nan"))
    assert str(caught.value) == "mul_resp is nan; give a finite decimal number, for example '0.01'"


def test_a_feed_out_of_order_is_refused():
    with pytest.raises(DataError) as caught:
        generate_order_latency(feed_of((9, 5), (3, 5)))
    assert str(caught.value) == (f"events: local_ts goes back from {START + 9:,} to {START + 3:,}; run correct_event_order")


def test_a_latency_below_zero_is_refused():
    with pytest.raises(DataError) as caught:
        generate_order_latency(feed_of((0, 5)), offset_entry=-6)
    assert str(caught.value) == (
        f"latencies of events: row 0: negative entry latency: exch_ts is {START - 1}; shift the exchange's clock"
    )


def test_a_time_beyond_int64_is_refused():  # H0.5
    with pytest.raises(TimestampRangeError) as caught:
        generate_order_latency(feed_of((0, 10**12)), mul_entry=10**9)
    assert str(caught.value) == (
        "events: latencies of 1,000,000,000,000,000,000,000 ns end beyond int64; give smaller factors"
    )
