"""The story of an order says what happened to it, and what would have, had it come earlier."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.backtest import Backtest
from queuefront.core import EVENT, ConfigError, Instrument
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
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


def asset() -> Asset:
    rows = [(BOTH | what, T0 + ms * MS, T0 + ms * MS, tick, lots, 0, 0, 0.0) for ms, what, tick, lots in STORY]
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
    assert run.explain(7).title.startswith("Order 7: buy 1 @ 99,")
    assert run.explain(7, occurrence=0).title.startswith("Order 7: buy 1 @ 98,")
    assert len(run.explain(7, occurrence=0).steps) == 2
    with pytest.raises(ConfigError) as caught:
        run.explain(7, occurrence=2)
    assert str(caught.value) == "order id 7 was used 2 times, not 2; count from 0, or back from -1"


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
