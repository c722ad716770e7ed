"""What is measured of a tape, against figures computed by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.feed import SynthConfig, Tape, synthesize, synthetic_instrument
from queuefront.feed.passport.measure_compiled import BUCKETS, bucket_top
from queuefront.feed.passport.measures import COLUMNS, MEANS, SPANS_MAX, measure, span_of
from tests.passport_market import MS, SECOND, SPOT, T0, tape_of

BOOK = ((0, "bid", 100, 5), (0, "ask", 102, 7))


def of(tape: Tape, name: str) -> list[int]:
    return measure(tape).columns[name]


def test_rows_trades_and_book_rows_are_counted_by_span() -> None:
    tape = tape_of(*BOOK, (3, "buy", 102, 1), (12, "bid", 100, 6), (25, "sell", 100, 1))
    assert of(tape, "events") == [3, 1, 1]
    assert of(tape, "trades") == [1, 0, 1]
    assert of(tape, "book_changes") == [2, 1, 0]
    assert of(tape, "covered_ns") == [10 * SECOND, 10 * SECOND, 5 * SECOND]


def test_spans_begin_at_multiples_of_their_length() -> None:
    measures = measure(tape_of((13, "bid", 100, 5), (21, "bid", 100, 6)))
    assert (measures.first_ts, measures.span_ns, measures.span_count) == (T0 + 10 * SECOND, 10 * SECOND, 2)
    assert measures.columns["covered_ns"] == [7 * SECOND, 1 * SECOND]


def test_a_silence_is_told_of_every_span_that_it_touches() -> None:
    tape = tape_of(*BOOK, (1, "bid", 100, 6), (24, "bid", 100, 7), (24.5, "bid", 100, 8))
    assert of(tape, "silence_ns") == [23 * SECOND] * 3
    assert [(s.start_ts, s.ns) for s in measure(tape).silences] == [(T0, SECOND), (T0 + SECOND, 23 * SECOND)]


def test_spread_depth_and_price_are_means_over_time() -> None:
    tape = tape_of(*BOOK, (2, "ask", 101, 3), (10, "bid", 100, 5))
    measures = measure(tape)
    # Two seconds at 100 to 102 with 5 and 7 lots, then eight at 100 to 101 with 5 and 3.
    assert measures.means["spread_ticks"] == [1.2, None]
    assert measures.means["bid_lots"] == [5.0, None]
    assert measures.means["ask_lots"] == [3.8, None]
    assert measures.means["mid_ticks"] == [100.6, None]
    assert (measures.columns["spread_min_ticks"][0], measures.columns["spread_max_ticks"][0]) == (1, 2)


def test_a_bid_above_the_ask_crosses_the_book_until_one_of_them_goes() -> None:
    tape = tape_of(*BOOK, (2, "bid", 103, 1), (5, "bid", 103, 0), (9, "bid", 100, 5))
    assert of(tape, "crossed_ns") == [3 * SECOND]
    assert of(tape, "hidden_levels") == [1]
    assert of(tape, "locked_ns") == [0]


def test_an_ask_below_the_bid_crosses_too_and_levels_are_counted() -> None:
    tape = tape_of(*BOOK, (1, "bid", 99, 5), (2, "ask", 98, 1), (6, "ask", 98, 0), (9, "bid", 99, 4))
    assert of(tape, "crossed_ns") == [4 * SECOND]
    assert of(tape, "hidden_levels") == [2]


def test_a_bid_at_the_ask_locks_the_book() -> None:
    tape = tape_of(*BOOK, (2, "bid", 102, 1), (6, "bid", 102, 0), (9, "bid", 100, 5))
    assert of(tape, "locked_ns") == [4 * SECOND]
    assert of(tape, "crossed_ns") == [0]


def test_what_crosses_inside_one_message_takes_no_time() -> None:
    tape = tape_of(*BOOK, (2, "bid", 103, 1), (2, "ask", 102, 0), (2, "ask", 104, 1), (9, "bid", 103, 5))
    assert of(tape, "crossed_ns") == [0]


def test_a_clear_leaves_the_book_empty_and_uncrossed() -> None:
    tape = tape_of(*BOOK, (2, "bid", 103, 1), (4, "clear", np.nan, 0), (9, "bid", 100, 5))
    assert of(tape, "crossed_ns") == [2 * SECOND]
    # Two seconds with hidden asks only, then five with nothing.
    assert of(tape, "empty_ns") == [7 * SECOND]


def test_latencies_are_told_by_the_shortest_and_the_longest_and_inversions_are_counted() -> None:
    tape = tape_of(*BOOK, (3, "bid", 100, 6), (4, "bid", 100, 7), latency_ms=2.0, late_ms={2: 40.0, 3: -3.0})
    assert of(tape, "latency_min_ns") == [-1 * MS]
    assert of(tape, "latency_max_ns") == [42 * MS]
    assert of(tape, "inversions") == [1]
    assert of(tape, "latencies") == [4]


def test_a_row_that_repeats_a_place_at_the_same_time_is_a_duplicate() -> None:
    tape = tape_of(*BOOK, (0, "bid", 100, 5), (1, "bid", 100, 5), (1, "bid", 100, 6), (1, "bid", 100, 6))
    assert of(tape, "duplicates") == [2]  # the third row and the last; a second later is another time


def test_a_trade_equal_to_the_one_before_is_counted() -> None:
    rows = [(1, "buy", 102, 1), (1, "buy", 102, 1), (1, "buy", 102, 2), (1, "sell", 102, 2), (2, "sell", 102, 2)]
    assert of(tape_of(*BOOK, *rows), "repeated_trades") == [1]


def test_rows_of_one_half_are_counted() -> None:
    tape = tape_of(*BOOK, (1, "bid", 100, 6), (1, "bid", 100, 6), flags={2: EXCH_EVENT, 3: LOCAL_EVENT})
    assert of(tape, "one_sided_rows") == [2]
    assert of(tape, "events") == [3]


def test_trades_without_a_change_of_the_book_freeze_it() -> None:
    trades = [(1 + k, "buy", 102, 1) for k in range(4)]
    tape = tape_of(*BOOK, *trades, (4, "buy", 102, 2), (6, "bid", 100, 6), (8, "buy", 102, 1), (9, "bid", 100, 7))
    assert of(tape, "frozen_trades") == [4]  # times of trades, so that a sweep counts once
    assert of(tape, "frozen_ns") == [6 * SECOND]


def test_trades_outside_of_the_best_prices_are_counted_with_their_distance() -> None:
    tape = tape_of(*BOOK, (1, "buy", 102, 1), (2, "buy", 107, 1), (3, "sell", 99, 1), (4, "sell", 101, 1))
    assert of(tape, "outside_trades") == [2]
    assert of(tape, "outside_max_ticks") == [5]


def test_jumps_are_of_the_mid_price_and_spikes_are_those_that_come_back() -> None:
    up = [(2, "ask", 102, 0), (2, "ask", 112, 1), (3, "ask", 104, 1), (4, "bid", 101, 1)]
    tape = tape_of(*BOOK, *up)
    assert of(tape, "jump_half_ticks") == [10]  # 202 to 212 half ticks
    assert of(tape, "spike_half_ticks") == [8]  # and back to 204
    totals = measure(tape).totals.move_half_ticks
    assert (totals["p50"], totals["max"]) == (8, 10)


def test_a_market_by_order_is_measured_alike() -> None:
    tape = tape_of(
        (0, "add bid", 100, 5, 1), (0, "add bid", 100, 2, 2), (0, "add ask", 102, 7, 3),
        (2, "modify", 100, 3, 1), (2, "modify", 100, 3, 1), (4, "add bid", 103, 1, 4), (7, "cancel", np.nan, 0, 4),
        (9, "fill", 102, 1, 3), (10, "cancel", np.nan, 0, 3),
    )  # fmt: skip
    measures = measure(tape)
    assert measures.is_by_order
    assert measures.columns["crossed_ns"] == [3 * SECOND, 0]
    assert measures.columns["duplicates"] == [1, 0]
    assert measures.columns["events"] == [8, 1]
    assert measures.means["spread_ticks"][0] == 2.0
    # Two seconds with 7 lots, two with 5; then the bid hides the ask, which no row brings back.
    assert measures.means["bid_lots"] == [6.0, None]
    assert measures.columns["empty_ns"] == [6 * SECOND, 0]


def test_prices_off_the_grid_are_counted_where_they_were_rounded() -> None:
    tape = tape_of(*BOOK, (1, "bid", 100.4, 6), (12, "ask", 102, 7.5), off_grid="round")
    assert of(tape, "off_grid") == [1, 1]
    account = measure(tape).account
    assert (account.rounded_prices, account.rounded_quantities) == (1, 1)


def test_gaps_of_the_conversion_stand_in_the_spans_of_their_time() -> None:
    gaps = [
        {"kind": "sequence", "line": 3, "local_ts": T0 + 11 * SECOND, "size": 4},
        {"kind": "sequence", "line": 4, "local_ts": T0 + 1 * SECOND, "size": -2},
        {"kind": "time", "line": 5, "local_ts": T0 + 99 * SECOND, "size": 12 * SECOND},
    ]
    account = {"gaps": gaps, "gap_count": 5, "refused_count": 2, "damage": "cut", "local_ts_shift_ns": 2 * SECOND}
    measures = measure(tape_of(*BOOK, (15, "bid", 100, 6), account=account))
    assert measures.columns["sequence_gaps"] == [0, 1]
    assert measures.columns["sequence_repeats"] == [1, 0]
    assert measures.columns["time_gaps"] == [0, 1]  # beyond the end: of the last span
    assert (measures.account.gaps_unlisted, measures.account.refused, measures.account.damage) == (2, 2, "cut")


def test_a_tape_of_one_row_lasts_no_time() -> None:
    measures = measure(tape_of((0, "bid", 100, 5)))
    assert measures.span_count == 1
    assert measures.columns["covered_ns"] == [0]
    assert measures.means["spread_ticks"] == [None]
    assert measures.totals.interval_ns == {}


def test_a_tape_without_rows_has_no_spans() -> None:
    measures = measure(tape_of())
    assert (measures.span_count, measures.rows, measures.silences) == (0, 0, [])
    assert set(measures.columns) == set(COLUMNS)
    assert set(measures.means) == set(MEANS)


def test_a_tape_of_trades_only_has_an_empty_book_all_the_time() -> None:
    tape = tape_of((0, "buy", 100, 1), (4, "buy", 100, 1), (9, "buy", 100, 1))
    assert of(tape, "empty_ns") == [9 * SECOND]
    assert of(tape, "outside_trades") == [0]


def test_a_tape_that_only_we_saw_is_measured_by_its_latencies() -> None:
    tape = tape_of(*BOOK, flags={0: LOCAL_EVENT, 1: LOCAL_EVENT})
    assert of(tape, "events") == [0]
    assert of(tape, "latencies") == [2]


def test_times_at_the_limits_of_their_range_are_measured() -> None:
    events = tape_of(*BOOK).to_events()
    events["exch_ts"] = events["local_ts"] = [-(2**63), 2**63 - 1]
    measures = measure(Tape.build(events, SPOT, source="extremes"))
    assert 0 < measures.span_count <= SPANS_MAX
    assert sum(measures.columns["events"]) == 2


def test_the_same_tape_gives_the_same_measures() -> None:
    events = synthesize(SynthConfig(seed=4, events=5_000))
    one, two = (measure(Tape.build(events, synthetic_instrument(), source="s")) for _ in range(2))
    assert one == two


def test_hidden_levels_are_those_that_a_plain_count_finds() -> None:
    rng = np.random.default_rng(7)
    rows = [
        (k, str(rng.choice(["bid", "ask"])), int(rng.integers(95, 106)), int(rng.choice([0, 1, 2]))) for k in range(400)
    ]
    tape = tape_of(*rows)
    books: dict[str, dict[int, int]] = {"bid": {}, "ask": {}}
    most, crossed = 0, 0
    for i, (_, side, tick, lots) in enumerate(rows[:-1]):
        books[side][tick] = lots
        bid, ask = int(tape.best_bid_exch[i]), int(tape.best_ask_exch[i])
        best_bid = int(tape.levels[bid]) if bid >= 0 else -1
        best_ask = int(tape.levels[ask]) if ask < len(tape.levels) else 10**9
        asks = [t for t, held in books["ask"].items() if held and t <= best_bid]
        bids = [t for t, held in books["bid"].items() if held and t >= best_ask]
        most = max(most, len(asks) + len(bids))
        crossed += any(t < best_bid for t in asks) or any(t > best_ask for t in bids)
    assert max(of(tape, "hidden_levels")) == most > 3
    assert sum(of(tape, "crossed_ns")) == crossed * SECOND


@pytest.mark.parametrize(
    ("seconds", "length_s"), [(60, 10), (15_000, 30), (86_400, 60), (7 * 86_400, 900), (400 * 86_400, 86_400)]
)
def test_spans_grow_with_the_tape(seconds: int, length_s: int) -> None:
    assert span_of(T0, T0 + seconds * SECOND) == length_s * SECOND


def test_spans_of_many_years_are_still_few() -> None:
    span_ns = span_of(0, 2**62)
    assert 2**62 // span_ns + 1 <= SPANS_MAX


def test_a_length_of_spans_may_be_given() -> None:
    assert measure(tape_of(*BOOK, (3, "bid", 100, 6)), span_ns=SECOND).span_count == 4


@pytest.mark.parametrize(
    ("span_ns", "told"), [(0, "the spans are to last 0 ns"), (1_000, "spans of 1,000 ns would be 3,000,001")]
)
def test_a_length_that_makes_no_sense_is_refused(span_ns: int, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        measure(tape_of(*BOOK, (3, "bid", 100, 6)), span_ns=span_ns)


def test_buckets_are_an_eighth_of_an_octave_and_meet() -> None:
    tops = [bucket_top(k) for k in range(BUCKETS)]
    assert tops[:18] == [*range(16), 17, 19]
    assert all(low < high for low, high in pairwise(tops))
    assert tops[-1] == 2**63 - 1


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ({"gaps": [{"kind": "time"}]}, r"missing required field `local_ts` - at `\$\.account\.gaps\[0\]`"),
        ({"gaps": 3}, r"Expected `array`, got `int` - at `\$\.account\.gaps`"),
        ({"refused_count": "x"}, r"Expected `int`, got `str` - at `\$\.account\.refused_count`"),
    ],
)
def test_an_account_that_is_none_is_refused(account: dict[str, object], told: str) -> None:
    with pytest.raises(DataFormatError, match=rf"^by hand: the tape's account of its conversion: .*{told}; make it again"):
        measure(tape_of(*BOOK, account=account))
