"""Delays grow with the failures in a row, and end with a connection that stood."""

from __future__ import annotations

from queuefront.venues.backoff import Backoff, delay_ns

S = 10**9


def test_the_delay_is_monotone_in_the_failures_with_steps_at_3_10_and_20() -> None:
    """H9.21: one table for every market, none of whose rows is out of reach."""
    table = [delay_ns(count) for count in range(31)]
    assert table == sorted(table)
    assert [i for i in range(1, 31) if table[i] != table[i - 1]] == [1, 3, 10, 20]
    assert table[0] == 0
    assert table[30] == 60 * S == delay_ns(10**6)


def test_jitter_adds_up_to_half() -> None:
    """H9.21."""
    assert Backoff(lambda: 0.0).lost() == S // 2
    assert Backoff(lambda: 0.999).lost() < S * 3 // 4
    assert [Backoff(lambda: 1.0).lost()] == [S * 3 // 4]


def test_a_connection_that_stood_ends_the_count_and_a_short_one_does_not() -> None:
    """H9.21."""
    backoff = Backoff(lambda: 0.0, stable_ns=60 * S)
    for _ in range(12):
        backoff.lost(stood_ns=59 * S)
    assert backoff.failures == 12
    assert backoff.lost(stood_ns=60 * S) == S // 2
    assert backoff.failures == 1
