"""Every rule is found broken where it is, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from queuefront.core import EVENT, LATENCY, DataError, Instrument, SchemaMismatchError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.check import Problem, check_events, validate_events, validate_latencies

START = 1_700_000_000_000_000_000
GOOD = DEPTH_EVENT | BUY_EVENT | EXCH_EVENT | LOCAL_EVENT
MARKET = Instrument("test", "T", "0.5", "0.25")


def rows(count: int = 4) -> np.ndarray:
    events = np.zeros(count, EVENT)
    events["ev"] = GOOD
    events["exch_ts"] = START + np.arange(count)
    events["local_ts"] = START + 5 + np.arange(count)
    events["px"] = 100.5
    events["qty"] = 0.75
    return events


def with_row_2(**values: object) -> np.ndarray:
    events = rows()
    for name, value in values.items():
        events[name][2] = value
    return events


def test_good_events_are_ok():
    report = check_events(rows(), MARKET)
    assert report.ok
    assert report.problems == ()
    assert report.rows == 4
    assert report.to_dict()["ok"] is True


def test_no_events_are_ok():
    assert check_events(rows(0), MARKET).ok


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("unknown flag", {"ev": GOOD | 1 << 27}),
        ("unknown flag", {"ev": GOOD | 1 << 63}),
        ("unknown kind", {"ev": GOOD + 6}),
        ("no half", {"ev": DEPTH_EVENT | BUY_EVENT}),
        ("no side", {"ev": DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT}),
        ("no side", {"ev": ADD_ORDER_EVENT | EXCH_EVENT | LOCAL_EVENT}),
        ("both sides", {"ev": GOOD | SELL_EVENT}),
        ("price is no number", {"px": math.nan}),
        ("price is no number", {"px": math.inf}),
        ("price is not positive", {"px": 0.0}),
        ("quantity is no number", {"qty": math.nan}),
        ("quantity is negative", {"qty": -1.0}),
        ("negative feed latency", {"exch_ts": START + 5, "local_ts": START + 4}),
        ("exchange order", {"exch_ts": START}),
        ("local order", {"local_ts": START + 4}),
        ("price off the grid", {"px": 100.25}),
        ("quantity off the grid", {"qty": 0.3}),
    ],
)
def test_a_broken_rule_is_named_with_its_row(rule, values):
    report = check_events(with_row_2(**values), MARKET)
    assert not report.ok
    assert report.counts[rule] == 1
    assert [p.row for p in report.problems if p.rule == rule] == [2]


@pytest.mark.parametrize("ts", [0, -1, 1_700_000_000_000, 2**62])
def test_times_in_another_unit_are_found(ts):
    report = check_events(with_row_2(exch_ts=ts, local_ts=ts))
    assert report.counts["exch_ts out of range"] == report.counts["local_ts out of range"] == 1


def test_a_clear_needs_no_price_and_a_trade_no_side():
    events = with_row_2(ev=DEPTH_CLEAR_EVENT | EXCH_EVENT | LOCAL_EVENT, px=math.nan)
    events["ev"][1] = TRADE_EVENT | EXCH_EVENT | LOCAL_EVENT
    assert check_events(events, MARKET).ok


def test_a_problem_says_what_where_and_how_to_mend_it():
    assert check_events(with_row_2(qty=-1.0)).problems == (
        Problem("quantity is negative", 2, "qty", "-1.0", "leave the row out"),
    )


def test_problems_are_listed_up_to_the_limit_and_counted_beyond():
    events = rows(50)
    events["qty"] = -1
    report = check_events(events, limit=7)
    assert len(report.problems) == 7
    assert report.counts["quantity is negative"] == 50


def test_rows_of_the_other_half_do_not_disturb_the_order():
    events = with_row_2(ev=DEPTH_EVENT | BUY_EVENT | LOCAL_EVENT, exch_ts=START)
    assert check_events(events).ok


def test_the_door_names_the_first_bad_row_of_any_rule():  # H3.5, H3.33
    events = rows()
    events["px"][3] = math.nan
    events["ev"][2] = GOOD + 6
    with pytest.raises(DataError) as caught:
        validate_events(events, "a.npz")
    assert str(caught.value) == (
        "a.npz: row 2: unknown kind: ev is 0xe0000007; convert the source again, or declare the kind in extra_kinds"
    )


@pytest.mark.parametrize(
    "values", [{"ev": GOOD | 1 << 8}, {"px": math.nan}, {"qty": math.inf}, {"qty": -1.0}, {"ev": GOOD + 6}]
)
def test_the_door_refuses_what_would_be_misread(values):  # H3.33
    with pytest.raises(DataError, match="row 2"):
        validate_events(with_row_2(**values), "a.npz")


def test_the_door_lets_pass_what_is_only_suspicious():
    events = rows()
    events["px"] = -1.0  # a spread
    events["ev"][1] = DEPTH_EVENT
    events["exch_ts"][3] = 0
    validate_events(events, "a.npz")
    validate_events(with_row_2(ev=GOOD + 6), "a.npz", extra_kinds=frozenset({7}))


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros(3, LATENCY), [1], np.zeros((2, 2), EVENT)])
def test_only_events_are_checked(bad):
    with pytest.raises(SchemaMismatchError):
        check_events(bad)
    with pytest.raises(SchemaMismatchError):
        validate_events(bad, "a.npz")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((5, 11, 12, 0), "request order"),
        ((20, 19, 22, 0), "negative entry latency"),
        ((20, 25, 24, 0), "negative response latency"),
        ((20, 0, 19, 0), "response before request"),
    ],
)
def test_impossible_latencies_are_refused(row, reason):  # H3.20
    latencies = np.array([(10, 11, 12, 0), row], LATENCY)
    with pytest.raises(DataError, match=f"a.npz: row 1: {reason}"):
        validate_latencies(latencies, "a.npz")


def test_a_refused_order_has_no_entry_latency():  # H3.20
    validate_latencies(np.array([(10, 0, 12, 0), (11, -1, 13, 0)], LATENCY), "a.npz")
