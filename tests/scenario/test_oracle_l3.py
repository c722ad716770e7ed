"""Markets of single orders, told as short stories to the naive engine (spec B2.9, B4.11)."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    CANCELED,
    DEPTH_CLEAR_EVENT,
    EXPIRED,
    FILL_EVENT,
    FILLED,
    FOK,
    GTX,
    IOC,
    MARKET,
    MODIFY_ORDER_EVENT,
    NEW,
    NO_BID_TICK,
    NONE,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    SELL_EVENT,
)
from tests.naive.engine import NaiveEngine
from tests.scenario.naive_story import BID, BUYS, PLAIN, buy, fills, sell, story

ADD_BID, ADD_ASK = BUY_EVENT | ADD_ORDER_EVENT, SELL_EVENT | ADD_ORDER_EVENT
CANCEL_BID, CANCEL_ASK = BUY_EVENT | CANCEL_ORDER_EVENT, SELL_EVENT | CANCEL_ORDER_EVENT
MODIFY_BID, MODIFY_ASK = BUY_EVENT | MODIFY_ORDER_EVENT, SELL_EVENT | MODIFY_ORDER_EVENT
FILL_BID, FILL_ASK = BUY_EVENT | FILL_EVENT, SELL_EVENT | FILL_EVENT

#: Bids 99: order 11 of 5 lots before order 12 of 3; 98: order 13 of 4. Asks 101: order 21 of 5; 102: order 22 of 4.
ORDERS = (
    (100, ADD_BID, 99, 5, 11),
    (100, ADD_BID, 99, 3, 12),
    (100, ADD_BID, 98, 4, 13),
    (100, ADD_ASK, 101, 5, 21),
    (100, ADD_ASK, 102, 4, 22),
)
LATE = (100_000, ADD_BID, 50, 1, 99)


def market(*rows: tuple[float, ...], **models: Any) -> NaiveEngine:
    """Return a story that has begun: the book stands, and our orders arrive at 110."""
    hbt = story(*ORDERS, *rows, LATE, market_by_order=True, **models)
    assert hbt.elapse(0) == 0
    return hbt


def book(hbt: NaiveEngine) -> tuple[int, int, dict[int, float], dict[int, float]]:
    depth = hbt.depth(0)
    bids = {t: depth.bid_qty_at_tick(t) for t in range(95, 106) if depth.bid_qty_at_tick(t)}
    asks = {t: depth.ask_qty_at_tick(t) for t in range(95, 106) if depth.ask_qty_at_tick(t)}
    return depth.best_bid_tick, depth.best_ask_tick, bids, asks


def status(hbt: NaiveEngine, order_id: int) -> int:
    return hbt.orders(0).get(order_id).status


# --- the book -----------------------------------------------------------------------------------------------------------
def test_orders_add_up_to_levels():
    assert book(market()) == (99, 101, {99: 8, 98: 4}, {101: 5, 102: 4})


def test_a_cancel_takes_an_order_off_its_level_and_the_last_one_moves_the_best():
    hbt = market((200, CANCEL_BID, 0, 0, 11), (300, CANCEL_BID, 0, 0, 12))
    hbt.elapse(100)
    assert book(hbt)[::2] == (99, {99: 3, 98: 4})
    hbt.elapse(100)
    assert book(hbt)[::2] == (98, {98: 4})


def test_a_modify_changes_a_level_or_moves_to_another():
    hbt = market((200, MODIFY_BID, 99, 1, 12), (300, MODIFY_BID, 100, 2, 12), (400, MODIFY_BID, 97, 2, 12))
    seen = []
    for _ in range(3):
        hbt.elapse(100)
        seen.append(book(hbt)[::2])
    assert seen == [(99, {99: 6, 98: 4}), (100, {100: 2, 99: 5, 98: 4}), (99, {99: 5, 98: 4, 97: 2})]


def test_a_modify_keeps_the_side_of_the_order_whatever_its_row_says():
    hbt = market((200, MODIFY_ASK, 98, 2, 12))
    hbt.elapse(100)
    assert book(hbt) == (99, 101, {99: 5, 98: 6}, {101: 5, 102: 4})


def test_a_bid_that_crosses_hides_asks_and_they_are_found_again():
    hbt = market(
        (200, ADD_BID, 101, 2, 14), (300, CANCEL_ASK, 0, 0, 22), (400, CANCEL_BID, 0, 0, 14), (500, ADD_ASK, 100, 1, 23)
    )
    seen = []
    for _ in range(4):
        hbt.elapse(100)
        seen.append(book(hbt)[:2])
    assert seen[0] == (101, 102)
    assert seen[2:] == [(99, 2**63 - 1), (99, 100)]
    assert book(hbt)[3] == {100: 1, 101: 5}


def test_a_hidden_level_that_loses_an_order_stays_hidden():
    hbt = market((200, ADD_ASK, 98, 1, 23), (300, CANCEL_BID, 0, 0, 12))
    hbt.elapse(100)
    assert hbt.depth(0).best_bid_tick == NO_BID_TICK  # 99 and 98 are crossed
    hbt.elapse(100)
    assert book(hbt) == (NO_BID_TICK, 98, {99: 5, 98: 4}, {98: 1, 101: 5, 102: 4})


def test_a_clear_empties_its_side_whatever_its_price_and_forgets_its_orders():
    hbt = market((200, DEPTH_CLEAR_EVENT | BUY_EVENT, 99, 0), (300, ADD_BID, 97, 1, 11), (400, DEPTH_CLEAR_EVENT, 0, 0))
    hbt.elapse(100)
    assert book(hbt) == (NO_BID_TICK, 101, {}, {101: 5, 102: 4})
    hbt.elapse(100)  # the id is free again
    assert book(hbt)[::2] == (97, {97: 1})
    hbt.elapse(100)
    assert book(hbt)[2:] == ({}, {})


def test_depth_rows_rows_without_a_side_and_fills_leave_the_book_alone():
    rows = [(200, BID, 99, 1), (200, ADD_ORDER_EVENT, 100, 1, 30), (200, FILL_BID, 99, 5, 11), (200, BUYS, 101, 5)]
    hbt = market(*rows, last_trades_capacity=10)
    hbt.elapse(100)
    assert book(hbt) == book(market())
    assert hbt.feed_latency(0) == (200, 200)
    assert [row.px for row in hbt.last_trades(0)] == [101]


# --- first in, first out ------------------------------------------------------------------------------------------------
def test_our_order_fills_when_an_order_behind_it_does_and_not_before():
    rows = [(200, FILL_BID, 99, 5, 11), (300, FILL_BID, 99, 1, 12), (300, ADD_BID, 99, 1, 14), (400, FILL_BID, 99, 1, 14)]
    hbt = market(*rows)
    buy(hbt, 1, 99, 2)
    hbt.elapse(250)
    assert (status(hbt, 1), fills(hbt)) == (NEW, [])
    hbt.elapse(60)
    assert (status(hbt, 1), fills(hbt), hbt.order_latency(0)) == (FILLED, [(1, 99, 2)], (100, 400, 410))
    fill = hbt.account(0).fills[0]
    assert (fill.is_maker, fill.arrival_qty_ahead) == (True, 8.0)


def test_a_trade_row_fills_nobody():
    hbt = market((200, BUYS, 105, 50))
    sell(hbt, 1, 101, 2)
    hbt.elapse(200)
    assert status(hbt, 1) == NEW


def test_a_fill_takes_all_of_ours_in_turn_whatever_its_size():
    hbt = market((200, ADD_ASK, 101, 1, 23), (300, FILL_ASK, 101, 1, 23))
    for order_id, qty in ((1, 50), (2, 7)):
        sell(hbt, order_id, 101, qty)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 101, 50), (2, 101, 7)]


def test_an_order_that_grows_or_moves_goes_to_the_tail_and_one_that_shrinks_stays():
    rows = [
        (200, MODIFY_BID, 99, 1, 11),  # stays ahead of ours
        (210, FILL_BID, 99, 1, 11),
        (300, MODIFY_BID, 99, 4, 12),  # grows: now behind ours
        (310, FILL_BID, 99, 1, 12),
    ]
    hbt = market(*rows)
    buy(hbt, 1, 99, 2)
    hbt.elapse(190)
    assert fills(hbt) == []
    hbt.elapse(100)
    assert fills(hbt) == [(1, 99, 2)]


def test_an_order_that_moves_away_and_back_is_behind_ours():
    hbt = market((200, MODIFY_BID, 98, 5, 11), (210, MODIFY_BID, 99, 5, 11), (300, FILL_BID, 99, 1, 11))
    buy(hbt, 1, 99, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 99, 2)]


def test_a_canceled_order_is_no_longer_ahead():
    hbt = market((200, CANCEL_BID, 0, 0, 12), (210, ADD_BID, 99, 1, 12), (300, FILL_BID, 99, 1, 12))
    buy(hbt, 1, 99, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 99, 2)]


def test_our_modify_keeps_its_place_only_if_it_asks_for_less_at_the_same_price():
    rows = [(150, ADD_BID, 99, 1, 14), (300, FILL_BID, 99, 1, 14)]
    shrinks, grows = market(*rows), market(*rows)
    for hbt, qty in ((shrinks, 1), (grows, 3)):
        buy(hbt, 1, 99, 2)
        hbt.elapse(100)
        hbt.modify(0, 1, 99, qty, False)
        hbt.elapse(150)
    assert fills(shrinks) == [(1, 99, 1)]
    assert fills(grows) == []
    assert grows.orders(0).get(1).leaves_qty == 3


def test_a_cancel_of_ours_takes_it_out_of_the_queue():
    hbt = market((300, ADD_BID, 99, 1, 14), (400, FILL_BID, 99, 1, 14))
    buy(hbt, 1, 99, 2)
    hbt.elapse(50)
    hbt.cancel(0, 1, False)
    hbt.elapse(300)
    assert (status(hbt, 1), fills(hbt)) == (CANCELED, [])


@pytest.mark.parametrize("price", [100, 101, 102])
def test_a_fill_at_another_price_than_its_orders_fills_those_ahead_of_it_all_the_same(price):
    hbt = market((200, ADD_ASK, 101, 1, 23), (300, FILL_ASK, price, 1, 23))
    sell(hbt, 1, 101, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 101, 2)]


# --- prices -------------------------------------------------------------------------------------------------------------
def test_an_order_priced_better_than_the_market_fills_before_it():
    # D53
    hbt = market((200, FILL_BID, 99, 1, 11))
    buy(hbt, 1, 100, 2)
    buy(hbt, 2, 99, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 100, 2)]
    assert status(hbt, 2) == NEW  # order 11 was ahead of it


def test_better_prices_fill_first_then_those_ahead_in_the_queue():
    # D53
    hbt = market((200, ADD_BID, 98, 1, 14), (300, FILL_BID, 98, 1, 14))
    for order_id, price in ((1, 98), (2, 97), (3, 100), (4, 99), (5, 100)):
        buy(hbt, order_id, price, 1)
    hbt.elapse(250)
    assert fills(hbt) == [(3, 100, 1), (5, 100, 1), (4, 99, 1), (1, 98, 1)]


def test_a_bid_that_reaches_our_ask_fills_it_at_our_price():
    hbt = market((200, ADD_BID, 101, 1, 14))
    sell(hbt, 1, 101, 2)
    sell(hbt, 2, 100, 2)
    sell(hbt, 3, 102, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(2, 100, 2), (1, 101, 2)]


def test_a_modify_of_the_markets_that_improves_the_best_fills_too():
    hbt = market((200, MODIFY_ASK, 99, 1, 22))
    buy(hbt, 1, 99, 2)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 99, 2)]


@pytest.mark.parametrize(
    ("tif", "expected", "known"), [(0, FILLED, [(1, 101, 2)]), (GTX, EXPIRED, []), (FOK, FILLED, [(1, 101, 2)])]
)
def test_an_order_that_crosses_is_answered_as_in_l2(tif, expected, known):
    hbt = market()
    buy(hbt, 1, 103, 2, tif)
    buy(hbt, 2, 100, 2, IOC)
    hbt.elapse(50)
    assert (status(hbt, 1), fills(hbt), status(hbt, 2)) == (expected, known, EXPIRED)


def test_a_market_order_takes_the_best_price_and_expires_where_there_is_none():  # D15
    hbt = market((200, DEPTH_CLEAR_EVENT | SELL_EVENT, 0, 0))
    buy(hbt, 1, 0, 2, kind=MARKET)
    hbt.elapse(150)
    buy(hbt, 2, 0, 2, kind=MARKET)
    hbt.elapse(50)
    assert (fills(hbt), status(hbt, 2)) == ([(1, 101, 2)], EXPIRED)


@pytest.mark.parametrize(("tif", "expected"), [(0, FILLED), (GTX, EXPIRED)])
def test_a_modify_to_a_crossing_price_is_tested_like_a_new_order(tif, expected):
    # D26
    hbt = market()
    buy(hbt, 1, 98, 2, tif)
    hbt.elapse(50)
    hbt.modify(0, 1, 101, 2, False)
    hbt.elapse(50)
    assert status(hbt, 1) == expected
    assert fills(hbt) == ([(1, 101, 2)] if expected == FILLED else [])


# --- clears and gaps ----------------------------------------------------------------------------------------------------
def test_a_clear_expires_our_orders_of_its_side():
    hbt = market((200, DEPTH_CLEAR_EVENT | BUY_EVENT, 0, 0))
    buy(hbt, 1, 98, 2)
    sell(hbt, 2, 102, 2)
    hbt.elapse(200)
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.leaves_qty, order.exec_qty, order.exch_timestamp) == (EXPIRED, NONE, 0, 0, 200)
    assert hbt.order_latency(0) == (100, 200, 210)
    assert (status(hbt, 2), fills(hbt)) == (NEW, [])


GAPS = [
    ((200, ADD_BID, 99, 1, 11), ORDER_ID_EXISTS),
    ((200, CANCEL_BID, 0, 0, 77), ORDER_NOT_FOUND),
    ((200, MODIFY_BID, 99, 1, 77), ORDER_NOT_FOUND),
]


@pytest.mark.parametrize(("row", "code"), GAPS)
def test_a_gap_stops_the_run_with_its_code_and_the_clock_stays(row, code):
    # D24, D25: the local half meets the row first, the exchange half in the next call.
    hbt = market(row)
    assert [(hbt.elapse(100), hbt.current_timestamp) for _ in range(3)] == [(code, 100), (code, 100), (0, 200)]
    assert hbt.error_code == code


def test_a_fill_of_an_unknown_order_stops_the_exchange_only():
    # D25
    hbt = market((200, FILL_BID, 99, 1, 77))
    assert [hbt.elapse(100) for _ in range(2)] == [ORDER_NOT_FOUND, 0]


@pytest.mark.parametrize(("row", "_code"), GAPS)
def test_gaps_are_skipped_and_counted_if_asked(row, _code):
    # D25
    hbt = market(row, (300, ADD_BID, 100, 1, 14), skips_gaps=True)
    assert hbt.elapse(300) == 0
    asset = hbt.assets[0]
    assert (asset.local.gap_count, asset.exchange.gap_count) == (1, 1)
    assert book(hbt)[::2] == (100, {100: 1, 99: 8, 98: 4})


def test_a_market_by_order_has_no_partial_fills():
    with pytest.raises(ValueError, match="partial_fills and honest_liquidity must be off"):
        story(*ORDERS, market_by_order=True, partial_fills=True, instrument=PLAIN)
