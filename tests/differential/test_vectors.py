"""The conformance vectors: what both engines show, step by step, and where ours shows something better."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from queuefront.core.enums import (
    BUY,
    BUY_EVENT,
    CANCELED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    IOC,
    MARKET,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    NONE,
    SELL,
    SELL_EVENT,
)
from tests.differential.driver import run
from tests.differential.engines import CANCEL, MODIFY_ANYWAY, WAIT_FEED, WAIT_RESPONSE, Action, Case, Engine
from tests.differential.stories import ask, bid, by_engine, cleared, elapse, sold, story, submit

pytestmark = pytest.mark.slow


PLACED = (elapse(0), submit(1, BUY, 97, 3), elapse(5), elapse(30))
LOWERED = (*PLACED, Action(MODIFY_ANYWAY, id=1, offset=97, lots=2), elapse(30))
RAISED = (*LOWERED, Action(MODIFY_ANYWAY, id=1, offset=97, lots=4), elapse(30))


def test_v1_an_order_travels_to_the_exchange_and_its_answer_back(engine: Engine) -> None:
    log = run(engine, story(*PLACED))
    assert log.times == [100, 100, 105, 135]
    assert (log.order(2, 1).status, log.order(2, 1).req) == (NONE, NEW)
    assert (log.order(3, 1).status, log.order(3, 1).req, log.order(3, 1).exch_timestamp) == (NEW, NONE, 110)
    assert log.state(3).order_latency == (100, 110, 120)


def test_v2_a_lower_quantity_is_taken_in_place(engine: Engine) -> None:
    log = run(engine, story(*LOWERED))
    order = log.order(-1, 1)
    assert log.times[-1] == 165
    assert (order.qty, order.leaves_qty, order.exch_timestamp, order.local_timestamp) == (2, 2, 145, 135)


def test_v3_a_higher_quantity_is_open_in_full(engine: Engine) -> None:
    # B13 D4: the reference keeps what was open before.
    order = run(engine, story(*RAISED)).order(-1, 1)
    assert order.qty == 4
    assert order.leaves_qty == by_engine(engine, reference=2, ours=4)


def test_v4_waiting_ends_with_the_answer(engine: Engine) -> None:
    actions = (elapse(185), submit(2, BUY, 97, 3, flag=1), elapse(100), Action(CANCEL, id=2, flag=1))
    log = run(engine, story(*actions))
    assert log.times == [285, 305, 405, 425]
    assert log.order(-1, 2).status == CANCELED
    # B13 D6: the reference answers a cancel with the placement's request time.
    assert log.state(-1).order_latency == by_engine(engine, reference=(285, 415, 425), ours=(405, 415, 425))


def test_v5_a_negative_entry_latency_refuses_the_order_after_that_time(engine: Engine) -> None:
    actions = (elapse(0), submit(1, BUY, 97, 3), elapse(29), elapse(1))
    log = run(engine, story(*actions, latency=("constant", -30, 10)))
    assert log.order(2, 1).req == NEW
    assert (log.times[-1], log.order(3, 1).status, log.order(3, 1).req) == (130, EXPIRED, NONE)
    assert log.state(-1).order_latency is None


def test_v6_a_fill_under_way_wins_over_a_cancel(engine: Engine) -> None:
    actions = (
        elapse(0),
        submit(1, BUY, 97, 3),
        elapse(95),
        Action(CANCEL, id=1),
        elapse(54),
        elapse(1),
        elapse(5),
        elapse(100),
    )
    log = run(engine, story(*actions, rows=(sold(96, 1, 200),), latency=("constant", 10, 50)))
    assert log.codes == [0] * 8
    assert log.times[-4:] == [249, 250, 255, 355]
    assert log.order(4, 1).status == NEW
    for row in (5, 6, 7):
        assert (log.order(row, 1).status, log.order(row, 1).req) == (FILLED, NONE)
        assert log.state(row).position == 3
    assert log.state(5).order_latency == (100, 200, 250)


def test_v7_rows_of_one_time_are_one_feed(engine: Engine) -> None:
    rows = (bid(98, 4, 200), ask(102, 4, 200), bid(98, 3, 201), bid(98, 2, 10_000))
    log = run(engine, story(*(Action(WAIT_FEED, duration=1000),) * 3, rows=rows))
    assert list(zip(log.codes, log.times, strict=True)) == [(2, 100), (2, 200), (2, 201)]


# Order, quantity and type; then status, leaves, position in the reference, and position in ours (B13 D1, D2).
PARTIAL_FILLS = {
    "BUY 101x7 GTC": (BUY, 101, 7, GTC, FILLED, 0, (7, 101), 7, 7),
    "BUY 102x7 GTC": (BUY, 102, 7, GTC, FILLED, 0, (2, 102), 2, 7),
    "BUY 102x12 FOK": (BUY, 102, 12, FOK, EXPIRED, 12, (0, 0), 0, 0),
    "BUY 102x12 IOC": (BUY, 102, 12, IOC, EXPIRED, 2, (5, 102), 0, 10),
    "SELL 99x7 GTC": (SELL, 99, 7, GTC, FILLED, 0, (2, 99), -2, -7),
    "SELL 98x12 GTC": (SELL, 98, 12, GTC, FILLED, 0, (2, 98), -2, -12),
    "BUY 102x7 FOK": (BUY, 102, 7, FOK, FILLED, 0, (2, 102), 2, 7),
}


def check_partial_fill(
    engine: Engine, case: Case, status: int, leaves: int, last: tuple[int, int], positions: tuple
) -> None:
    log = run(engine, case)
    order = log.order(-1, 1)
    assert (order.status, order.leaves_qty) == (status, leaves)
    if status == EXPIRED and not engine.is_reference:
        assert order.exec_qty == 0  # an order that expires executes nothing more
    else:
        assert (order.exec_qty, order.exec_price_tick) == last
    assert log.state(-1).position == by_engine(engine, reference=positions[0], ours=positions[1])


@pytest.mark.parametrize("name", PARTIAL_FILLS)
def test_a_taker_fills_level_by_level(engine: Engine, name: str) -> None:
    side, tick, lots, tif, status, leaves, last, *positions = PARTIAL_FILLS[name]
    case = story(elapse(0), submit(1, side, tick, lots, tif=tif), elapse(50), exchange="partial_fill")
    check_partial_fill(engine, case, status, leaves, last, tuple(positions))


def test_a_market_order_takes_what_there_is_and_expires(engine: Engine) -> None:
    case = story(elapse(0), submit(1, BUY, 0, 12, type=MARKET), elapse(50), exchange="partial_fill")
    check_partial_fill(engine, case, EXPIRED, 2, (5, 102), (0, 10))


LATENCIES = ((1000, 1010, 1030), (2000, 2030, 2070), (3000, 3010, 3015))
REFUSED = ((1000, 1010, 1030), (2000, 0, 2070), (3000, 3010, 3015))


@pytest.mark.parametrize(
    ("request_ts", "clean", "with_a_refusal"),
    [
        (500, (510, 530), (510, 530)),
        (1500, (1520, 1550), (None, 1550)),
        (1999, (2028, 2067), (None, 2068)),
        (2500, (2520, 2543), (None, 2543)),
        (3000, (3010, 3015), (3010, 3015)),
        (9000, (9010, 9015), (9010, 9015)),
    ],
)
@pytest.mark.parametrize("table", [LATENCIES, REFUSED], ids=["clean", "with a refusal"])
def test_latencies_are_interpolated_between_measured_ones(engine: Engine, table, request_ts, clean, with_a_refusal) -> None:
    exch_ts, response_ts = clean if table is LATENCIES else with_a_refusal
    actions = (elapse(request_ts - 100), submit(1, BUY, 97, 1, flag=1))
    log = run(engine, story(*actions, latency=("interpolated", table)))
    order = log.order(-1, 1)
    assert log.times == [request_ts, response_ts]
    assert (order.status, order.exch_timestamp) == ((NEW, exch_ts) if exch_ts else (EXPIRED, 0))


def test_later_requests_see_later_latencies_in_one_run(engine: Engine) -> None:
    actions, now = [], 100
    for order, ts in enumerate((500, 1500, 1999, 2500, 3000, 9000), start=1):
        actions += [elapse(ts - now), submit(order, BUY, 97, 1), Action(WAIT_RESPONSE, id=order, duration=1000)]
        now = (530, 1550, 2067, 2543, 3015, 9015)[order - 1]
    log = run(engine, story(*actions, latency=("interpolated", LATENCIES)))
    assert log.times[2::3] == [530, 1550, 2067, 2543, 3015, 9015]


BOOK = tuple(bid(tick, 5) for tick in (99, 98, 97, 96)) + tuple(ask(tick, 5) for tick in (101, 102, 103, 104))
BOOKS = {
    "CLEAR BUY 98": ((cleared(BUY_EVENT, 98, 200),), (96, 101), (97, 101)),
    "CLEAR BUY 97": ((cleared(BUY_EVENT, 97, 200),), (NO_BID_TICK, 101), (96, 101)),
    "CLEAR SELL 102": ((cleared(SELL_EVENT, 102, 200),), (99, 104), (99, 103)),
    "BUY 102": ((bid(102, 2, 200),), (102, 103), (102, 103)),
    "BUY 102, SELL 100, SELL 100 away": ((bid(102, 2, 200), ask(100, 1, 200), ask(100, 0, 200)), (99, 101), (99, 101)),
    "BUY 106": ((bid(106, 2, 200),), (106, NO_ASK_TICK), (106, NO_ASK_TICK)),
    "BUY 99 of less than half a lot": ((bid(99, 0.4, 200),), (98, 101), (98, 101)),
}


@pytest.mark.parametrize("name", BOOKS)
def test_the_best_prices_after_a_row(engine: Engine, name: str) -> None:
    # B13 D11: the reference skips the level beside the cleared ones.
    rows, reference, ours = BOOKS[name]
    warns = "half a lot" in name and not engine.is_reference
    with pytest.warns(UserWarning, match="1 quantities are off the grid") if warns else nullcontext():
        state = run(engine, story(elapse(0), elapse(200), rows=rows, book=BOOK)).state(-1)
    assert (state.best_bid_tick, state.best_ask_tick) == by_engine(engine, reference=reference, ours=ours)


@pytest.mark.parametrize(("traded_milli", "fills"), [(3808, False), (3809, True)])
def test_a_queue_advances_by_the_share_that_left_before_us(engine: Engine, traded_milli: int, fills: bool) -> None:
    # Level 10 -> 6 after one traded: 3 left, the power model 3 with n = 3 puts 0.936 of them behind us; 3.808 stay ahead.
    # (The vector with a queue longer than its level is not reachable through a book: a level's change caps the queue.)
    rows = (bid(97, 10, 200), sold(97, 1, 300), bid(97, 6, 400), sold(97, traded_milli / 1000, 500))
    book = (bid(97, 5), ask(101, 5))
    case = story(
        elapse(0), submit(1, BUY, 97, 1), elapse(1000), rows=rows, book=book, lot_size=0.001, queue=("power_prob3", 3.0)
    )
    assert (run(engine, case).order(-1, 1).status == FILLED) is fills
