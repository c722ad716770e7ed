"""Cells become exact times and numbers, or are bad."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from queuefront.feed.sources.table_columns import TS_MAX, TS_MIN, as_codes, as_numbers, as_order_ids, as_text, as_times

S = 1_700_000_000


def times(array, digits):
    cells = as_times(array, digits)
    return [None if bad else int(value) for value, bad in zip(cells.values, cells.is_bad, strict=True)]


def test_times_in_text_are_exact_to_the_nanosecond():
    assert times(pa.array([f"{S}.123456789", str(S), "1.7e9"]), 9) == [S * 10**9 + 123_456_789, S * 10**9, S * 10**9]
    assert times(pa.array([f"{S}123.456789"]), 6) == [S * 10**9 + 123_456_789]
    assert times(pa.array([f"{S}123456.789"]), 3) == [S * 10**9 + 123_456_789]
    assert times(pa.array([f"{S}123456789"]), 0) == [S * 10**9 + 123_456_789]


@pytest.mark.parametrize("text", ["", "x", "nan", f"{S}.1234567891", "-1", "9" * 19, "9" * 30, "0", f"{S}123"])
def test_times_in_text_that_cannot_be_are_bad_and_others_stay(text):
    """H0.5."""
    assert times(pa.array([str(S), text, str(S + 1)]), 9) == [S * 10**9, None, (S + 1) * 10**9]


def test_whole_times_are_scaled_within_int64():
    """H0.5."""
    assert times(pa.array([S, 0, -S, 2**63 - 1, -(2**63), None]), 9) == [S * 10**9, None, None, None, None, None]
    assert times(pa.array([TS_MIN, TS_MAX, TS_MIN - 1, TS_MAX + 1]), 0) == [TS_MIN, TS_MAX, None, None]
    assert times(pa.array([2**64 - 1, S * 1000], pa.uint64()), 6) == [None, S * 10**9]


def test_times_in_floats_are_what_the_float_is():
    values = [S + 0.5, float("nan"), float("inf"), -1.0, 1e300, None]
    assert times(pa.array(values, pa.float64()), 9) == [S * 10**9 + 500_000_000, None, None, None, None, None]
    assert times(pa.array([1_700_000_000.123_456]), 9) == [1_700_000_000_123_456_001]


def test_timestamps_are_taken_as_ns():
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    ns = int(moment.timestamp()) * 10**9
    for unit in ("s", "ms", "us", "ns"):
        assert times(pa.array([moment], pa.timestamp(unit, "UTC")), 9) == [ns]
    assert times(pa.array([dt.datetime(1960, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")), 9) == [None, None]


def test_numbers_are_the_nearest_floats_or_bad():
    cells = as_numbers(pa.array(["0.1", "nan", "inf", "1e999", "", "x", "-2"]))
    assert cells.is_bad.tolist() == [False, True, True, True, True, True, False]
    assert (cells.values[0], cells.values[-1]) == (0.1, -2.0)
    assert as_numbers(pa.array([1, None])).is_bad.tolist() == [False, True]


def test_order_ids_are_whole_and_not_negative():
    cells = as_order_ids(pa.array(["18446744073709551615", "-1", "1.5", "x"]))
    assert cells.is_bad.tolist() == [False, True, True, True]
    assert cells.values[0] == np.uint64(2**64 - 1)


def test_codes_are_looked_up_by_the_text_of_the_cell():
    codes = {"1": 7, "buy": 8}
    assert as_codes(pa.array(["buy", "other", None]), codes).values.tolist() == [8, -1, -1]
    assert as_codes(pa.array([1, 2]), codes).is_bad.tolist() == [False, True]
    assert as_text(pa.array(["a", "b", "a"]).dictionary_encode()) == ["a", "b", "a"]


def test_a_column_that_is_no_text_and_no_number_is_bad():
    lists = pa.array([[1], [2, 3]])
    assert as_times(lists, 9).is_bad.all()
    assert as_numbers(lists).is_bad.all()
    assert as_codes(lists, {"a": 1}).is_bad.all()
