"""What a look found: a clock that is off and a question without an answer are problems."""

from __future__ import annotations

from queuefront.venues.checkup import Checkup, note_clock, noted
from queuefront.venues.outcome import Done, Reason, Refused
from queuefront.venues.server_clock import ServerClock

S = 10**9


def clock(offset_ns: int) -> ServerClock:
    told = ServerClock()
    told.observe(0, 2_000_000, 1_000_000 + offset_ns)
    return told


def test_a_clock_within_a_second_is_told_and_is_no_problem() -> None:
    found = Checkup()
    note_clock(found, clock(S // 2))
    assert found.pairs == [("clock, venue minus ours", "+500.0 ms ± 1.0 ms")]
    assert found.problems == []


def test_a_clock_that_is_off_is_a_problem() -> None:
    found = Checkup()
    note_clock(found, clock(-5 * S))
    assert "this machine's clock is 00:00:05.000 ahead" in found.problems[0]


def test_what_is_not_answered_is_a_problem() -> None:
    found = Checkup()
    assert noted(found, "account", Done(1))
    assert not noted(found, "account", Refused(Reason.AUTH, 10003, "invalid key"))
    assert found.problems == ["account: refused, auth: 10003 invalid key"]
