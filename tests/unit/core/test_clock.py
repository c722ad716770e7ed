"""Times: exact scaling, and text that loses nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core.clock import (
    INT64_MAX,
    INT64_MIN,
    NS_PER,
    format_duration,
    format_ts,
    monotonic_s,
    now_ns,
    to_ns,
)
from queuefront.core.errors import TimestampRangeError


def test_the_present_is_in_nanoseconds() -> None:
    assert abs(now_ns() - time.time_ns()) < 10 * NS_PER["s"]


def test_the_measuring_clock_runs_forward() -> None:
    first = monotonic_s()
    assert monotonic_s() >= first


@pytest.mark.parametrize(("unit", "scale"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)])
def test_scaling_is_exact(unit: str, scale: int) -> None:
    assert to_ns(1_723_161_256, unit) == 1_723_161_256 * scale if unit != "s" else 1_723_161_256_000_000_000


@given(value=st.integers(-(2**70), 2**70), unit=st.sampled_from(sorted(NS_PER)))
def test_a_time_that_does_not_fit_into_int64_is_refused_and_every_other_scaled(value: int, unit: str) -> None:
    """H0.5."""
    ns = value * NS_PER[unit]
    if INT64_MIN <= ns <= INT64_MAX:
        assert to_ns(value, unit) == ns
    else:
        with pytest.raises(TimestampRangeError) as caught:
            to_ns(value, unit)
        assert str(caught.value) == (
            f"{value:,} {unit} does not fit into int64 nanoseconds; check the unit of the timestamps"
        )


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1_723_161_256_298_000_001, "2024-08-08T23:54:16.298000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_time_is_written_with_every_nanosecond(ns: int, text: str) -> None:
    assert format_ts(ns) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (-999, "-999 ns"),
        (1_500, "1.5 µs"),
        (12_500_000, "12.5 ms"),
        (1_000_000_000, "00:00:01.000"),
        (-3_723_004_000_000, "-01:02:03.004"),
        (93_784_500_000_000, "1 d 02:03:04.500"),
        (59_999_999_999, "00:01:00.000"),
    ],
)
def test_a_duration_is_written_for_people(ns: int, text: str) -> None:
    assert format_duration(ns) == text
