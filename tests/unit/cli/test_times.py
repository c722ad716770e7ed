"""Times and durations as a user writes them."""

from __future__ import annotations

import pytest

from queuefront.cli.times import duration_of, time_of
from queuefront.core import ConfigError

DAY = 1_723_075_200 * 10**9  # 2024-08-08


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1h", 3600 * 10**9),
        ("90m", 5400 * 10**9),
        ("1.5s", 1_500_000_000),
        ("250ms", 250_000_000),
        ("7ns", 7),
        ("1d", 86_400 * 10**9),
    ],
)
def test_durations_are_a_number_and_a_unit(text: str, ns: int) -> None:
    assert duration_of(text, "--every") == ns


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "0s", "0.5ns", "1 h", "999999999d"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        duration_of(text, "--every")
    assert str(caught.value) == f"--every is {text!r}; give a number and one of ns, us, ms, s, m, h, d, for example 1h"


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2024-08-08", DAY),
        ("2024-08-08T00:00:01Z", DAY + 10**9),
        ("2024-08-08T02:00:00+02:00", DAY),
        ("2024-08-08 00:00:00.123456789", DAY + 123_456_789),
        ("2024-08-08T00:00:00.5Z", DAY + 500_000_000),
        (str(DAY), DAY),
    ],
)
def test_times_are_exact_to_the_nanosecond_and_in_utc(text: str, ns: int) -> None:
    assert time_of(text, "--at") == ns


@pytest.mark.parametrize("text", ["", "noon", "2024-13-01", "-5"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        time_of(text, "--at")
    assert str(caught.value) == f"--at is {text!r}; give a time like 2024-08-08T12:00:00Z, or ns since 1970"


@pytest.mark.parametrize("text", ["9223372036854775808", "9999-01-01"])
def test_times_beyond_int64_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="which does not fit into int64 nanoseconds"):
        time_of(text, "--at")
