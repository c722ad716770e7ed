"""The passport in words."""

from __future__ import annotations

from queuefront.feed import Verdict, passport_of
from queuefront.report import figures_of, stretches_of, verdict_text
from tests.passport_market import SECOND, SPOT, T0, tape_of

ROWS = tuple((k / 20, "bid", 100, 5 + k % 2) for k in range(1_201) if not 420 < k < 660)  # silent from 21 to 33 s
HOLED = tape_of((0, "ask", 102, 7), *ROWS)


def test_the_verdict_comes_with_its_reasons() -> None:
    assert verdict_text(passport_of(HOLED)) == "bad: 33.3% of its time is bad, in 2 of 7 spans"
    assert (
        verdict_text(passport_of(tape_of((0, "ask", 102, 7), *((k, "bid", 100, 5 + k % 2) for k in range(60))))) == "good"
    )


def test_neighbouring_spans_are_one_stretch() -> None:
    (stretch,) = stretches_of(passport_of(HOLED))
    assert (stretch.start_ts, stretch.end_ts) == (T0 + 20 * SECOND, T0 + 40 * SECOND)
    assert stretch.verdict is Verdict.BAD
    assert stretch.reasons == ("silence: silent for 00:00:12.000, usually at most 50.3 ms",)


def test_figures_are_told_in_groups() -> None:
    told = {group: dict(rows) for group, rows in figures_of(passport_of(HOLED), SPOT)}
    assert list(told) == ["Time", "Rows", "Book", "Feed latency"]
    assert told["Time"]["Spans"] == "7 of 00:00:10.000"
    assert told["Time"]["Longest silence"] == "00:00:12.000"
    assert told["Time"]["Bad spans"] == "2, 33.33% of the time"
    assert told["Rows"]["Rows at the exchange"] == "963"
    assert told["Book"]["Spread, mean, ticks"] == "2"
    assert told["Feed latency"]["50 % within"] == "1.049 ms"


def test_a_tape_that_lasts_no_time_has_no_rate() -> None:
    told = {group: dict(rows) for group, rows in figures_of(passport_of(tape_of((0, "ask", 102, 7))), SPOT)}
    assert told["Rows"]["Rows a second, mean"] == "–"


def test_a_tape_without_rows_has_figures_too() -> None:
    told = {group: dict(rows) for group, rows in figures_of(passport_of(tape_of()), SPOT)}
    assert (
        told["Time"]["First span (UTC)"] == told["Book"]["Spread, mean, ticks"] == told["Feed latency"]["All within"] == "–"
    )
