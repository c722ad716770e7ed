"""The story of an order says what happened to it, and what would have, had it come earlier."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from queuefront.backtest import Backtest
from queuefront.core import EVENT, ConfigError, Instrument
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    GTX,
    IOC,
    LIMIT,
    LOCAL_EVENT,
    NEW,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape
from queuefront.sim import Asset, ConstantLatency

BOTH = EXCH_EVENT | LOCAL_EVENT
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
INSTRUMENT = Instrument("venue", "SYM", "1", "1")
BID, ASK, SALE = BUY_EVENT | DEPTH_EVENT, SELL_EVENT | DEPTH_EVENT, SELL_EVENT | TRADE_EVENT

#: (ms, what, tick, lots): the bid grows while our order is on its way, so that coming earlier pays.
STORY = (
    (0, BID, 99, 5), (0, ASK, 101, 5), (97, BID, 99, 9), (150, SALE, 99, 6), (150, BID, 99, 3), (200, SALE, 99, 2),
    (200, BID, 99, 1), (300, ASK, 102, 5),
)  # fmt: skip


def asset(story=STORY) -> Asset:
    rows = [(BOTH | what, T0 + ms * MS, T0 + ms * MS, tick, lots, 0, 0, 0.0) for ms, what, tick, lots in story]
    tape = Tape.build(np.array(rows, EVENT), INSTRUMENT, source="story")
    return Asset(tape, latency=ConstantLatency(10 * MS, 10 * MS))


def buy_at_90(hbt):
    hbt.elapse(90 * MS)
    hbt.submit_buy_order(0, 7, 99.0, 1.0, GTC, LIMIT, False)
    hbt.elapse(160 * MS)
    hbt.cancel(0, 7, False)
    hbt.elapse(100 * MS)


def buy_twice(hbt):
    hbt.submit_buy_order(0, 7, 98.0, 1.0, GTC, LIMIT, True)
    hbt.cancel(0, 7, True)
    hbt.clear_inactive_orders(0)
    buy_at_90(hbt)


def test_the_story_of_an_order_that_came_too_late():
    run = Backtest(asset(), trace=True).run(buy_at_90)
    assert str(run.explain(7)) == (
        "Order 7: buy 1 @ 99, LIMIT GTC, sent 2023-11-14T22:13:20.090000000Z\n"
        "  22:13:20.100000000Z  comes to rest behind 9\n"
        "  22:13:20.150000000Z  6 trade at its price: 3 ahead\n"
        "  22:13:20.150000000Z  -6 in the book at its price: 3 ahead\n"
        "  22:13:20.200000000Z  2 trade at its price: 1 ahead\n"
        "  22:13:20.200000000Z  -2 in the book at its price: 1 ahead\n"
        "  22:13:20.260000000Z  is canceled, 1 left\n"
        "In the end: CANCELED, 1 left, as we learned 2023-11-14T22:13:20.270000000Z.\n"
        "\n"
        "Alone in the same market it would have come to:\n"
        "  as it came      behind 9: not filled\n"
        "  1 ms earlier    behind 9: not filled\n"
        "  2 ms earlier    behind 9: not filled\n"
        "  5 ms earlier    behind 5: 1 filled after 55 ms\n"
        "  10 ms earlier   behind 5: 1 filled after 60 ms"
    )


def test_a_table_has_everything_that_happened():
    run = Backtest(asset(), trace=True).run(buy_at_90)
    assert run.traces["what"].to_list()[:2] == ["comes to rest", "trade at its price"]
    assert run.traces["queue_ahead"].to_list() == [9.0, 3.0, 3.0, 1.0, 1.0, 1.0]
    assert run.traces["tape_row"].to_list() == [None, 3, 4, 5, 6, None]


def test_an_id_that_was_used_twice_has_two_stories():
    run = Backtest(asset(), trace=True).run(buy_twice)
    sent = ["LIMIT GTC, sent 2023-11-14T22:13:20.130000000Z", "LIMIT GTC, sent 2023-11-14T22:13:20.000000000Z"]
    assert run.explain(7).title == f"Order 7: buy 1 @ 99, {sent[0]} (use 2 of 2 of this id)"
    assert run.explain(7, occurrence=0).title == f"Order 7: buy 1 @ 98, {sent[1]} (use 1 of 2 of this id)"
    assert len(run.explain(7, occurrence=0).steps) == 2
    with pytest.raises(ConfigError) as caught:
        run.explain(7, occurrence=2)
    assert str(caught.value) == "order id 7 was used 2 times, not 2; count from 0, or back from -1"


def test_a_time_says_which_use_of_an_id_is_meant():
    run = Backtest(asset(), trace=True).run(buy_twice)
    first, second = (run.explain(7, occurrence=i) for i in (0, 1))
    sent = [int(c["local_ts"]) for c in run.results[0].changes if not c["is_response"] and c["req"] == NEW]
    assert run.explain(7, at=sent[0]) == run.explain(7, at=sent[1] - 1) == first
    assert run.explain(7, at=sent[1]) == run.explain(7, at=sent[1] + 10**9) == second
    at = datetime(2023, 11, 14, 22, 13, 20, 130_000, tzinfo=UTC)
    assert run.explain(7, at=at) == run.explain(7, at=at.replace(tzinfo=None)) == second
    assert run.explain(7, at=at.replace(microsecond=129_999)) == first
    with pytest.raises(ConfigError) as caught:
        run.explain(7, at=sent[0] - 1)
    assert str(caught.value) == (
        "order 7 was first sent 2023-11-14T22:13:20.000000000Z, after 2023-11-14T22:13:19.999999999Z; give a later time"
    )


def test_an_order_that_was_changed_is_changed_at_the_same_times_when_it_is_tried_earlier():
    """Behind five it is made smaller at 140, and six that trade at 150 fill it; moved to 98 instead, they do not."""

    def change(price: float, qty: float):
        def strategy(hbt):
            hbt.elapse(85 * MS)
            hbt.submit_buy_order(0, 7, 99.0, 3.0, GTC, LIMIT, False)
            hbt.elapse(45 * MS)
            hbt.modify(0, 7, price, qty, False)
            hbt.elapse(300 * MS)

        return strategy

    smaller = Backtest(asset(), trace=True).run(change(99.0, 1.0)).explain(7)
    assert [o.qty_ahead for o in smaller.outcomes] == [5.0] * 5
    assert {(o.filled_qty, o.filled_ts) for o in smaller.outcomes} == {(1.0, T0 + 150 * MS)}
    moved = Backtest(asset(), trace=True).run(change(98.0, 1.0)).explain(7)
    assert [text for _, text in moved.steps][-1] == "comes to rest behind 0"
    assert {o.filled_ts for o in moved.outcomes} == {None}


@pytest.mark.parametrize(("tif", "end"), [(GTX, "EXPIRED, 1 left"), (IOC, "FILLED, 0 left")])
def test_an_order_that_never_rests_has_a_story_too(tif, end):
    def buy_at_the_ask(hbt):
        hbt.elapse(90 * MS)
        hbt.submit_buy_order(0, 7, 101.0, 1.0, tif, LIMIT, False)
        hbt.elapse(100 * MS)

    explanation = Backtest(asset(), trace=True).run(buy_at_the_ask).explain(7)
    done = "expires, 1 left" if tif == GTX else "executes, taker: 1, 0 left"
    assert explanation.steps == ((T0 + 100 * MS, done),)
    assert explanation.end == f"In the end: {end}, as we learned 2023-11-14T22:13:20.110000000Z."
    assert str(explanation).count("not resting: not filled" if tif == GTX else "not resting: 1 filled after ") == 5


def test_what_is_ahead_outside_of_a_bounded_book_is_unknown():
    bounded = replace(asset(), depth_range=(100, 102))
    explanation = Backtest(bounded, trace=True).run(buy_at_90).explain(7)
    assert [text for _, text in explanation.steps][:2] == ["comes to rest behind ?", "6 trade at its price: ? ahead"]
    assert all(np.isnan(o.qty_ahead) for o in explanation.outcomes)
    assert "  as it came      not known what is ahead: not filled\n" in str(explanation)


def test_a_level_that_is_set_to_what_it_was_changes_nothing():
    story = (*STORY[:3], (120, BID, 99, 9), *STORY[3:])
    run = Backtest(asset(story), trace=True).run(buy_at_90)
    assert run.explain(7).steps[1] == (T0 + 120 * MS, "the book at its price is set to what it was: 9 ahead")


def test_an_order_that_was_refused_on_the_way_has_no_story():
    refusing = Asset(asset().tape, latency=ConstantLatency(-MS, 0))
    run = Backtest(refusing, trace=True).run(buy_at_90)
    explanation = run.explain(7)
    assert (explanation.end, explanation.steps, explanation.outcomes) == ("It never reached the exchange.", (), ())


def test_an_order_that_was_not_sent_is_refused():
    run = Backtest(asset(), trace=True).run(buy_at_90)
    with pytest.raises(ConfigError) as caught:
        run.explain(8)
    assert str(caught.value) == "the strategy sent no order 8; run.orders lists those that it sent"


def test_a_run_without_traces_cannot_explain():
    run = Backtest(asset()).run(buy_at_90)
    assert len(run.traces) == 0
    with pytest.raises(ConfigError) as caught:
        run.explain(7)
    assert str(caught.value) == "this run kept no traces of its orders; make it with Backtest(…, trace=True)"
