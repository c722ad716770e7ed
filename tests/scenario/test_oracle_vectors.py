"""The naive engine gives the numbers written down from hftbacktest, or what its defects should have given (B13.6)."""

from __future__ import annotations

import math

import pytest

from queuefront.core.enums import (
    BUY,
    BUY_EVENT,
    CANCELED,
    DEPTH_CLEAR_EVENT,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    INVALID_ORDER_REQUEST,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    NONE,
    SELL,
    SELL_EVENT,
)
from tests.naive.book import NaiveBook
from tests.naive.engine import NaiveEngine
from tests.naive.grid import Grid, read_rows, round_half_away
from tests.naive.latency import ConstantLatency, TableLatency
from tests.naive.market import apply_row
from tests.naive.queue import QueueModel, QueuePosition
from tests.scenario.naive_story import ASK, BID, BOOK, LATE, PLAIN, SELLS, buy, events_of, sell, story


def test_v1_an_order_is_sent_accepted_and_confirmed():
    hbt = story(*BOOK, LATE)
    assert hbt.elapse(0) == 0
    assert hbt.current_timestamp == 100
    assert buy(hbt, 1, 97, 3) == 0
    hbt.elapse(5)
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.exch_timestamp) == (NONE, NEW, 0)
    hbt.elapse(30)
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.exch_timestamp) == (NEW, NONE, 110)
    assert hbt.order_latency(0) == (100, 110, 120)


def confirmed(price: float = 97, qty: float = 3, **models) -> NaiveEngine:
    hbt = story(*BOOK, LATE, **models)
    hbt.elapse(0)
    buy(hbt, 1, price, qty)
    hbt.elapse(35)
    return hbt


def test_v2_v3_a_modify_asks_for_the_open_quantity_in_both_directions():  # D4
    hbt = confirmed()
    for now, qty in ((135, 2.0), (165, 4.0)):
        hbt.modify(0, 1, 97, qty, False)
        hbt.elapse(30)
        order = hbt.orders(0).get(1)
        assert (order.qty, order.leaves_qty) == (qty, qty)
        assert (order.exch_timestamp, order.local_timestamp) == (now + 10, now)


def test_v4_calls_that_wait_end_with_the_answer():  # D6
    hbt = story(*BOOK, LATE)
    hbt.elapse(185)
    assert hbt.submit_buy_order(0, 1, 97, 3, GTC, LIMIT, True) == 0
    assert hbt.current_timestamp == 305
    hbt.elapse(100)
    assert hbt.cancel(0, 1, True) == 0
    assert hbt.current_timestamp == 425
    assert hbt.orders(0).get(1).status == CANCELED
    assert hbt.order_latency(0) == (405, 415, 425)


def test_v5_a_request_that_is_refused_on_the_way_expires():
    hbt = story(*BOOK, LATE, latency=ConstantLatency(-30, 10))
    hbt.elapse(0)
    buy(hbt, 1, 97, 3)
    hbt.elapse(29)
    assert hbt.orders(0).get(1).req == NEW
    hbt.elapse(1)
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.exch_timestamp) == (EXPIRED, NONE, 0)
    assert hbt.order_latency(0) is None


def test_v6_a_cancel_that_comes_too_late_changes_nothing():  # D5
    hbt = story(*BOOK, (200, SELLS, 96, 1), LATE, latency=ConstantLatency(10, 50))
    hbt.elapse(0)
    buy(hbt, 1, 97, 3)
    hbt.elapse(95)
    hbt.cancel(0, 1, False)
    hbt.elapse(55)
    order = hbt.orders(0).get(1)
    assert (hbt.current_timestamp, order.status, order.req) == (250, FILLED, NONE)
    assert hbt.order_latency(0) == (100, 200, 250)
    hbt.elapse(5)
    assert hbt.orders(0).get(1).status == FILLED
    assert (hbt.position(0), hbt.account(0).num_trades) == (3.0, 1)


def test_v7_each_wait_ends_with_the_next_feed():
    rows = [(200, BID, 99, 5), (200, BID, 98, 5), (201, BID, 99, 5), (10_000, BID, 99, 5)]
    hbt = story(*BOOK, *rows)
    assert [(hbt.wait_next_feed(False, 1_000), hbt.current_timestamp) for _ in range(3)] == [(2, 100), (2, 200), (2, 201)]


@pytest.mark.parametrize(
    ("side", "price", "qty", "tif", "status", "leaves", "last", "position"),
    [
        (BUY, 101, 7, GTC, FILLED, 0, (7, 101), 7),
        (BUY, 102, 7, GTC, FILLED, 0, (2, 102), 7),
        (BUY, 102, 12, FOK, EXPIRED, 12, (0, 0), 0),
        (BUY, 102, 7, FOK, FILLED, 0, (2, 102), 7),
        (BUY, 102, 12, IOC, EXPIRED, 2, (0, 102), 10),
        (SELL, 99, 7, GTC, FILLED, 0, (2, 99), -7),
        (SELL, 98, 12, GTC, FILLED, 0, (2, 98), -12),
        (BUY, None, 12, GTC, EXPIRED, 2, (0, 102), 10),
    ],
)
def test_a_taker_walks_the_levels_and_every_leg_is_booked(side, price, qty, tif, status, leaves, last, position):  # D1, D2
    hbt = story(*BOOK, LATE, partial_fills=True)
    hbt.elapse(0)
    send = buy if side == BUY else sell
    send(hbt, 1, price or math.nan, qty, tif, LIMIT if price else MARKET)
    hbt.elapse(30)
    order = hbt.orders(0).get(1)
    assert (order.status, order.leaves_qty, (order.exec_qty, order.exec_price_tick)) == (status, leaves, last)
    assert hbt.position(0) == position


LATENCIES = [(1_000, 1_010, 1_030), (2_000, 2_030, 2_070), (3_000, 3_010, 3_015)]


@pytest.mark.parametrize(
    ("now", "exch_ts", "resp_ts"),
    [(500, 510, 530), (1_500, 1_520, 1_550), (1_999, 2_028, 2_067), (2_500, 2_520, 2_543), (3_000, 3_010, 3_015)],
)
def test_latencies_are_interpolated_between_round_trips(now, exch_ts, resp_ts):
    latency = TableLatency(LATENCIES)
    assert now + latency.entry(NEW, now) == exch_ts
    assert exch_ts + latency.response(exch_ts) == resp_ts
    assert TableLatency(LATENCIES).entry(NEW, 9_000) == 10


@pytest.mark.parametrize(("now", "resp_ts"), [(1_500, 1_550), (1_999, 2_068), (2_500, 2_543)])
def test_requests_beside_a_refused_round_trip_are_refused(now, resp_ts):
    latency = TableLatency([LATENCIES[0], (2_000, 0, 2_070), LATENCIES[2]])
    assert now - latency.entry(NEW, now) == resp_ts


def test_refused_round_trips_at_the_ends_refuse_and_answers_skip_them():  # D28, D29
    latency = TableLatency(
        [(1_000, 0, 1_030), (2_000, 2_010, 2_020), (2_500, 0, 2_570), (3_000, 3_010, 3_040), (4_000, 0, 4_009)]
    )
    assert (latency.entry(NEW, 500), latency.entry(NEW, 9_000)) == (-30, -9)
    assert (latency.response(2_510), latency.response(100)) == (20, 10)


@pytest.mark.parametrize(
    ("rows", "best_bid", "best_ask"),
    [
        ([(DEPTH_CLEAR_EVENT | BUY_EVENT, 98, 0)], 97, 101),
        ([(DEPTH_CLEAR_EVENT | BUY_EVENT, 97, 0)], 96, 101),
        ([(DEPTH_CLEAR_EVENT | SELL_EVENT, 102, 0)], 99, 103),
        ([(BID, 102, 2)], 102, 103),
        ([(BID, 102, 2), (ASK, 100, 1), (ASK, 100, 0)], 99, 101),
        ([(BID, 106, 2)], 106, NO_ASK_TICK),
        ([(BID, 99, 0.4)], 98, 101),
        ([(DEPTH_CLEAR_EVENT, 0, 0)], NO_BID_TICK, NO_ASK_TICK),
    ],
)
def test_the_best_prices_after_a_row(rows, best_bid, best_ask):  # D11, D13, D19
    book = NaiveBook(dict.fromkeys(range(96, 100), 5), dict.fromkeys(range(101, 105), 5), 99, 101, 96, 104)
    for row in read_rows(events_of(*((100, *row) for row in rows))):
        apply_row(book, row, Grid(PLAIN))
    assert (book.best_bid_tick, book.best_ask_tick) == (best_bid, best_ask)


def test_a_queue_position_splits_a_decrease_by_its_probability():
    position = QueuePosition(QueueModel("power_prob3", 3.0), 4.0, 1.0)
    position.depth(10.0, 6.0)
    assert position.front == pytest.approx(3.808, abs=1e-12)
    position = QueuePosition(QueueModel("log_prob"), 5.0)
    position.depth(2.0, 1.0)
    assert position.front == 1.0


@pytest.mark.parametrize(("x", "count"), [(0.5, 1), (-0.5, -1), (2.5, 3), (0.49999999999999994, 0), (-2.4, -2)])
def test_halves_are_rounded_away_from_zero(x, count):
    assert round_half_away(x) == count


def test_time_does_not_run_backwards_and_nothing_is_no_quantity():  # D21, D41
    hbt = story(*BOOK, LATE)
    assert hbt.elapse(-1) == INVALID_ORDER_REQUEST
    assert [buy(hbt, 1, 97, qty) for qty in (0, -1, math.nan, 0.5)] == [INVALID_ORDER_REQUEST] * 4
    assert len(hbt.orders(0)) == 0
