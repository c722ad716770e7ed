"""What is called suspect or bad, and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.feed import Passport, PassportThresholds, Tape, Verdict, correct_event_order, measure, passport_of
from tests.passport_market import MS, SECOND, SPOT, T0, tape_of

#: A hundred rows a second for 60 s: a bid that changes its quantity.
STEADY = tuple((k / 100, "bid", 100, 5 + k % 2) for k in range(6_001))
ASK = (0, "ask", 102, 7)


def told(tape: Tape, limits: PassportThresholds | None = None) -> dict[int, list[tuple[str, str, str]]]:
    passport = passport_of(tape, limits)
    found = {
        k: [(v.word, rule, text) for v, rule, text in passport.reasons_of(k)] for k in range(passport.measures.span_count)
    }
    return {k: reasons for k, reasons in found.items() if reasons}


def steady(*more: tuple[Any, ...], without: tuple[float, float] = (0, 0), **options: Any) -> Tape:
    rows = [row for row in (ASK, *STEADY) if not without[0] < row[0] < without[1]]
    return tape_of(*sorted([*rows, *more], key=lambda row: row[0]), **options)


def test_a_steady_market_is_good() -> None:
    passport = passport_of(steady())
    assert told(steady()) == {}
    assert (passport.verdict, passport.reasons) == (Verdict.GOOD, [])


def test_a_long_silence_is_bad_and_a_shorter_one_suspect() -> None:
    usual = "usually at most 10.5 ms"
    assert told(steady(without=(21, 25))) == {2: [("bad", "silence", f"silent for 00:00:04.000, {usual}")]}
    assert told(steady(without=(21, 23))) == {2: [("suspect", "silence", f"silent for 00:00:02.000, {usual}")]}
    assert told(steady(without=(21, 21.9))) == {}


def test_a_silence_over_a_border_is_bad_on_both_sides() -> None:
    assert list(told(steady(without=(28, 32)))) == [2, 3]


def test_a_quiet_market_may_be_silent_for_longer() -> None:
    quiet = [(10 * k, "bid", 100, 5 + k % 2) for k in range(300)]
    assert told(tape_of(ASK, *quiet)) == {}


def test_trades_over_a_book_that_stands_still_are_bad() -> None:
    trades = [(21 + k / 10, "buy", 102, 1) for k in range(1, 40)]
    found = told(steady(*trades, without=(21, 25)))
    assert found == {
        2: [("bad", "frozen book", "the book stood still for 00:00:04.000 while 39 trades went on")]
    }  # and no silence: the trades are rows


def test_a_crossed_book_is_suspect_and_bad_where_many_levels_cross() -> None:
    back = [(24, "ask", 102, 7), (24, "bid", 100, 5)]
    one = [(21, "ask", 99, 1), (24, "ask", 99, 0), *back]
    assert ("suspect", "crossed book", "crossed for 30.0% of the time, by 1 levels") in told(steady(*one))[2]
    bids = [(0, "bid", 97 + k, 1) for k in range(3)]
    more = [*bids, (21, "ask", 96, 1), (24, "ask", 96, 0), *back]
    assert ("bad", "crossed book", "crossed for 30.0% of the time, by 4 levels") in told(steady(*more))[2]


def test_a_book_without_a_side_is_told() -> None:
    found = told(steady((21, "ask", 102, 0), (22, "ask", 102, 7)))
    assert found == {2: [("suspect", "empty book", "no bid or no ask for 10.0% of the time")]}


@pytest.mark.parametrize(
    ("shifts_ms", "words"),
    [
        ({"inside": 3_000}, "bad: no row took less than 00:00:03.001, usually half take 1.05 ms"),
        ({"inside": 200}, "suspect: no row took less than 201 ms, usually half take 1.05 ms"),
        ({"outside": 3_000}, "bad: nearly all rows took 00:00:03.220 less than usually half take at most"),
    ],
)
def test_a_clock_that_steps_is_told_both_ways(shifts_ms: dict[str, int], words: str) -> None:
    events = steady().to_events()
    is_inside = (events["exch_ts"] >= T0 + 20 * SECOND) & (events["exch_ts"] < T0 + 30 * SECOND)
    for where, shift_ms in shifts_ms.items():
        events["local_ts"][is_inside if where == "inside" else ~is_inside] += shift_ms * MS
    events["ev"] &= ~np.uint64(EXCH_EVENT | LOCAL_EVENT)
    assert told_of(Tape.build(correct_event_order(events), SPOT, source="x"), "clock step", 2) == words


def told_of(tape: Tape, rule: str, k: int) -> str:
    passport = passport_of(tape)
    return next(f"{v.word}: {text}" for v, name, text in passport.reasons_of(k) if name == rule)


def test_rows_that_come_before_they_happen_are_bad() -> None:
    events = steady().to_events()
    events["local_ts"][2_500] = events["exch_ts"][2_500] - 5
    events["local_ts"][2_400:2_500] = np.minimum(events["local_ts"][2_400:2_500], events["local_ts"][2_500])
    assert told_of(Tape.build(events, SPOT, source="x"), "clock inversion", 2).endswith("1 rows came before they happened")


def test_prices_off_the_grid_are_bad_where_they_are_many() -> None:
    many = [(21 + k / 1_000, "bid", 99.5, 1) for k in range(20)]
    tape = steady(*many, off_grid="round")
    assert told(tape)[2] == [("bad", "off the grid", "20 prices or quantities are not whole ticks or lots")]
    assert told(steady(many[0], off_grid="round"))[2][0][0] == "suspect"


def test_a_sequence_gap_is_bad_and_a_repeat_suspect() -> None:
    gaps = [{"kind": "sequence", "line": 1, "local_ts": T0 + at * SECOND, "size": size} for at, size in ((25, 3), (35, -3))]
    found = told(steady(account={"gaps": gaps, "gap_count": 2}))
    assert found == {
        2: [("bad", "sequence gap", "numbers of the sequence are missing at 1 places")],
        3: [("suspect", "sequence repeat", "numbers of the sequence came again at 1 places")],
    }


def test_a_price_that_comes_back_is_bad_and_one_that_stays_suspect() -> None:
    away = [(21, "ask", 102, 0), (21, "ask", 402, 7)]
    back = [(21.5, "ask", 402, 0), (21.5, "ask", 102, 7)]
    usual = [(k, "bid", 101, 1 - k % 2) for k in range(1, 60)]
    found = told(steady(*usual, *away, *back))[2]
    assert ("bad", "price spike", "the price went 149.5 ticks away and came back at once") in found
    assert [(v, rule) for v, rule, _ in told(steady(*usual, *away))[2]] == [("suspect", "price jump")]


def test_a_trade_far_outside_is_bad() -> None:
    found = told(steady((21, "buy", 110, 1)))
    assert found == {2: [("bad", "trade outside", "a trade 8 ticks outside of the best prices")]}


def test_a_thinned_feed_has_a_low_rate() -> None:
    rows = [row for k, row in enumerate(STEADY) if not 20 <= row[0] < 30 or k % 90 == 0]
    assert told(tape_of(ASK, *rows)) == {2: [("suspect", "low rate", "1.10% of the usual rate of messages")]}


@pytest.mark.parametrize(
    ("account", "told_text"),
    [
        ({"damage": "ends in the middle of a line"}, "the source was cut off: ends in the middle of a line"),
        ({"refused_count": 3}, "3 lines or records of the source were left out"),
        ({"gap_count": 1_200}, "1,200 gaps of the source are counted without their place"),
    ],
)
def test_what_the_conversion_left_out_makes_a_tape_suspect(account: dict[str, Any], told_text: str) -> None:
    passport = passport_of(steady(account=account))
    assert passport.reasons == [(Verdict.SUSPECT, told_text)]


def test_one_bad_span_makes_a_tape_suspect_and_a_tenth_of_the_time_makes_it_bad() -> None:
    longer = tuple((k / 20, "bid", 100, 5 + k % 2) for k in range(4_001))
    holed = tape_of(ASK, *[row for row in longer if not 21 < row[0] < 25])
    assert passport_of(holed).reasons == [(Verdict.SUSPECT, "1 of 21 spans are bad, 5.00% of the time")]
    assert passport_of(steady(without=(21, 25))).reasons == [(Verdict.BAD, "16.7% of its time is bad, in 1 of 7 spans")]


def test_a_tape_without_rows_is_bad_and_one_of_no_duration_suspect() -> None:
    assert passport_of(tape_of()).reasons == [(Verdict.BAD, "it holds no rows")]
    assert passport_of(tape_of(ASK)).reasons == [(Verdict.SUSPECT, "it lasts no time, so that little can be judged")]


def test_other_limits_judge_the_same_measures_anew() -> None:
    measures = measure(steady(without=(21, 25)))
    lenient = Passport(measures, PassportThresholds(silence_bad_ms=10_000, silence_suspect_ms=10_000))
    assert (Passport(measures).verdict, lenient.verdict) == (Verdict.BAD, Verdict.GOOD)
