"""What looks odd and is the same on purpose, so that nobody mends it in one engine only."""

from __future__ import annotations

import pytest

from queuefront.core.enums import (
    BUY,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    EXPIRED,
    FILLED,
    MARKET,
    NEW,
    OK,
    PARTIALLY_FILLED,
    REQUEST_IN_PROGRESS,
    SELL,
    SELL_EVENT,
    TRADE_EVENT,
)
from tests.differential.driver import run
from tests.differential.engines import (
    CANCEL_ANYWAY,
    CLEAR_INACTIVE,
    MODIFY_ANYWAY,
    WAIT_FEED,
    WAIT_RESPONSE,
    Action,
    Engine,
)
from tests.differential.markets import BOTH
from tests.differential.stories import BOOK, LATE, ask, bid, elapse, sold, story, submit

pytestmark = pytest.mark.slow


def test_d7_a_passive_fill_names_the_placement_as_its_request(engine: Engine) -> None:
    log = run(engine, story(elapse(0), submit(1, BUY, 97, 3), elapse(200), rows=(sold(96, 1, 200),)))
    assert log.state(-1).order_latency == (100, 200, 210)


def test_d7_an_order_modified_in_place_keeps_the_time_of_its_placement(engine: Engine) -> None:
    modify = Action(MODIFY_ANYWAY, id=1, offset=97, lots=2)
    log = run(
        engine,
        story(elapse(0), submit(1, BUY, 97, 3), elapse(35), modify, elapse(30), elapse(100), rows=(sold(96, 1, 200),)),
    )
    assert log.state(4).order_latency == (135, 145, 155)
    assert log.state(5).order_latency == (100, 200, 210)
    assert log.order(5, 1).local_timestamp == 135  # answers never change it


def test_d7_an_order_that_lost_its_place_has_the_time_of_the_modify(engine: Engine) -> None:
    modify = Action(MODIFY_ANYWAY, id=1, offset=98, lots=3)
    log = run(
        engine,
        story(elapse(0), submit(1, BUY, 97, 3), elapse(35), modify, elapse(30), elapse(100), rows=(sold(96, 1, 200),)),
    )
    assert log.state(5).order_latency == (135, 200, 210)


def test_d9_a_fill_lets_a_second_cancel_through(engine: Engine) -> None:
    cancel = Action(CANCEL_ANYWAY, id=1)
    # The order rests from 200; a cancel sent at 245 would arrive at 345, a part is filled at 250 and known at 260.
    actions = (elapse(0), submit(1, BUY, 99, 5), elapse(145), cancel, cancel, elapse(20), cancel)
    log = run(engine, story(*actions, rows=(sold(99, 7, 250),), exchange="partial_fill", latency=("constant", 100, 10)))
    assert log.times[5] == 265
    assert log.order(5, 1).status == PARTIALLY_FILLED
    assert (log.codes[4], log.codes[6]) == (REQUEST_IN_PROGRESS, OK)


def test_d19_levels_that_were_crossed_are_queue_ahead(engine: Engine) -> None:
    # An ask at 97 hides the bids above it; when it is gone they are not the best again, but they are there.
    rows = (ask(97, 1, 200), ask(97, 0, 210), sold(98, 5, 400), sold(98, 1, 500))
    actions = (elapse(200), submit(1, BUY, 98, 1), elapse(150), elapse(100))
    log = run(engine, story(*actions, rows=rows, book=(*BOOK, bid(96, 5))))
    assert log.state(0).best_bid_tick == 96
    assert log.state(0).__dict__["bid_qty_at_best+2"] == 5
    assert [log.order(row, 1).status for row in (2, 3)] == [NEW, FILLED]


def test_d23_the_end_of_the_data_wins_over_the_last_feed(engine: Engine) -> None:
    log = run(engine, story(elapse(0), Action(WAIT_FEED, duration=2 * LATE)))
    assert (log.codes[1], log.times[1], log.state(1).feed_local_ts) == (1, 100, LATE)


@pytest.mark.parametrize(("tick", "leaves"), [(200, 0), (201, 2)])
def test_d27_a_market_order_looks_a_hundred_ticks_deep(engine: Engine, tick: int, leaves: int) -> None:
    actions = (elapse(0), submit(1, BUY, 0, 7, type=MARKET), elapse(50))
    log = run(engine, story(*actions, book=(bid(99, 5), ask(101, 5), ask(tick, 5)), exchange="partial_fill"))
    order = log.order(-1, 1)
    assert (order.leaves_qty, order.status) == (leaves, EXPIRED if leaves else FILLED)


def test_d27_a_trade_through_our_price_fills_all_of_it(engine: Engine) -> None:
    for exchange in ("no_partial_fill", "partial_fill"):
        case = story(elapse(0), submit(1, BUY, 97, 50), elapse(200), rows=(sold(96, 1, 200),), exchange=exchange)
        assert run(engine, case).state(-1).position == 50


def test_d27_orders_of_ours_do_not_share_a_trade(engine: Engine) -> None:
    actions = (elapse(0), submit(1, BUY, 97, 3), submit(2, BUY, 97, 3), elapse(200))
    log = run(engine, story(*actions, rows=(sold(97, 4, 200),), exchange="partial_fill"))
    assert (log.order(-1, 1).status, log.order(-1, 2).status) == (FILLED, FILLED)


def test_d38_an_unconfirmed_order_is_not_inactive(engine: Engine) -> None:
    log = run(engine, story(elapse(0), submit(1, BUY, 97, 3), Action(CLEAR_INACTIVE), elapse(50)))
    assert (log.order(2, 1).is_known, log.order(3, 1).status) == (1, NEW)


def test_d39_a_time_out_and_an_answer_return_the_same(engine: Engine) -> None:
    wait = Action(WAIT_RESPONSE, id=1, duration=15)
    log = run(engine, story(elapse(0), submit(1, BUY, 97, 3), wait, wait))
    assert (log.codes[2:], log.times[2:]) == ([OK, OK], [115, 120])


def test_d40_best_price_rows_do_nothing_to_the_book(engine: Engine) -> None:
    row = (DEPTH_BBO_EVENT | BUY_EVENT | BOTH, 200, 200, 100.0, 9.0)
    log = run(engine, story(elapse(0), Action(WAIT_FEED, duration=500), rows=(row,)))
    assert (log.codes[1], log.times[1], log.state(1).best_bid_tick) == (2, 200, 99)


def test_a_trade_row_of_both_sides_is_a_buyers(engine: Engine) -> None:
    # B1.2
    row = (TRADE_EVENT | BUY_EVENT | SELL_EVENT | BOTH, 200, 200, 103.0, 1.0)
    actions = (elapse(0), submit(1, BUY, 97, 1), submit(2, SELL, 102, 1), elapse(200))
    log = run(engine, story(*actions, rows=(row,)))
    assert (log.order(-1, 1).status, log.order(-1, 2).status) == (NEW, FILLED)


def test_a_partial_fill_keeps_its_status_through_a_modify_in_place(engine: Engine) -> None:
    # B4.9
    modify = Action(MODIFY_ANYWAY, id=1, offset=99, lots=1)
    actions = (elapse(0), submit(1, BUY, 99, 5), elapse(100), modify, elapse(50))
    order = run(engine, story(*actions, rows=(sold(99, 7, 150),), exchange="partial_fill")).order(-1, 1)
    assert (order.status, order.qty, order.leaves_qty) == (PARTIALLY_FILLED, 1, 1)
