"""Honest liquidity, told as short stories to the naive engine; the rules stand in `tests/naive/honest.py`."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.core.enums import (
    BUY_EVENT,
    CANCELED,
    DEPTH_CLEAR_EVENT,
    EXPIRED,
    FILLED,
    FOK,
    GTX,
    IOC,
    MARKET,
    NEW,
    PARTIALLY_FILLED,
    SELL_EVENT,
)
from tests.naive.engine import NaiveEngine
from tests.scenario.naive_story import ASK, BID, BOOK, BUYS, LATE, SELLS, buy, fills, sell, story


def market(*rows: tuple[float, ...], **models: Any) -> NaiveEngine:
    """Return a story that has begun: bids 99:5, 98:5, asks 101:5, 102:5; our orders arrive at 110."""
    hbt = story(*BOOK, *rows, LATE, partial_fills=True, honest_liquidity=True, **models)
    assert hbt.elapse(0) == 0
    return hbt


def state(hbt: NaiveEngine, order_id: int) -> tuple[int, float]:
    order = hbt.orders(0).get(order_id)
    return order.status, order.leaves_qty


# --- rules 1 to 3: taking -----------------------------------------------------------------------------------------------
def test_what_we_took_is_gone_until_the_market_sets_the_level_again():
    hbt = market((200, ASK, 101, 5))
    buy(hbt, 1, 101, 4, IOC)
    buy(hbt, 2, 101, 4, IOC)
    hbt.elapse(50)
    assert (state(hbt, 1), state(hbt, 2)) == ((FILLED, 0), (EXPIRED, 3))
    hbt.elapse(100)
    buy(hbt, 3, 101, 4, IOC)
    hbt.elapse(50)
    assert fills(hbt) == [(1, 101, 4), (2, 101, 1), (3, 101, 4)]


def test_an_order_that_finds_the_best_taken_takes_the_next_level():
    hbt = market()
    for order_id in (1, 2):
        buy(hbt, order_id, 0, 5, kind=MARKET)
    hbt.elapse(50)
    assert fills(hbt) == [(1, 101, 5), (2, 102, 5)]


def test_all_or_nothing_counts_what_is_left():
    hbt = market()
    buy(hbt, 1, 102, 6, FOK)
    buy(hbt, 2, 102, 5, FOK)
    buy(hbt, 3, 102, 4, FOK)
    hbt.elapse(50)
    assert [state(hbt, i) for i in (1, 2, 3)] == [(FILLED, 0), (EXPIRED, 5), (FILLED, 0)]
    assert fills(hbt) == [(1, 101, 5), (1, 102, 1), (3, 102, 4)]


def test_what_a_gtc_order_cannot_get_rests_at_its_limit():
    hbt = market((300, SELLS, 100, 2))
    buy(hbt, 1, 101, 7)
    hbt.elapse(50)
    assert (state(hbt, 1), fills(hbt)) == ((PARTIALLY_FILLED, 2), [(1, 101, 5)])
    assert hbt.orders(0).get(1).cancellable
    hbt.elapse(200)  # a seller pays less than our limit, and we are first
    assert (state(hbt, 1), fills(hbt)[1:]) == ((FILLED, 0), [(1, 101, 2)])
    assert [fill.is_maker for fill in hbt.account(0).fills] == [False, True]


def test_a_gtc_order_that_gets_nothing_is_confirmed_and_can_be_canceled():
    hbt = market()
    buy(hbt, 1, 101, 5)
    buy(hbt, 2, 101, 3)
    hbt.elapse(50)
    assert state(hbt, 2) == (NEW, 3)
    hbt.cancel(0, 2, False)
    hbt.elapse(50)
    assert state(hbt, 2) == (CANCELED, 3)


def test_a_post_only_order_expires_at_the_markets_best_even_where_we_took_all_of_it():
    hbt = market()
    buy(hbt, 1, 101, 5)
    buy(hbt, 2, 101, 5, GTX)
    hbt.elapse(50)
    assert state(hbt, 2) == (EXPIRED, 5)


def test_a_clear_forgets_what_we_took_of_its_levels_only():
    rows = [(200, DEPTH_CLEAR_EVENT | SELL_EVENT, 101, 0), (200, DEPTH_CLEAR_EVENT | BUY_EVENT, float("nan"), 0)]
    hbt = market(*rows, (210, ASK, 101, 5))
    buy(hbt, 1, 102, 8, IOC)
    hbt.elapse(150)
    buy(hbt, 2, 102, 9, IOC)
    hbt.elapse(50)
    assert fills(hbt) == [(1, 101, 5), (1, 102, 3), (2, 101, 5), (2, 102, 2)]


# --- rule 4: queueing behind ourselves ----------------------------------------------------------------------------------
def test_own_orders_stand_behind_one_another():
    hbt = market((200, SELLS, 99, 8), (300, SELLS, 99, 4))
    for order_id in (1, 2):
        buy(hbt, order_id, 99, 4)
    hbt.elapse(150)
    assert fills(hbt) == [(1, 99, 3)]  # five were ahead of both; the rest is the first order's
    hbt.elapse(100)
    assert fills(hbt) == [(1, 99, 3), (1, 99, 1), (2, 99, 3)]
    assert [fill.arrival_qty_ahead for fill in hbt.account(0).fills] == [5.0, 5.0, 9.0]


def test_an_order_behind_an_open_one_of_ours_does_not_fill():
    # The level shrinks to 1, so at most 1 is ahead of both; the trade is worth 3 to the first order, which stays open.
    hbt = market((190, BID, 99, 1), (200, SELLS, 99, 4), (300, SELLS, 99, 2))
    for order_id in (1, 2):
        buy(hbt, order_id, 99, 4)
    hbt.elapse(150)
    assert fills(hbt) == [(1, 99, 3)]
    hbt.elapse(100)
    assert fills(hbt) == [(1, 99, 3), (1, 99, 1), (2, 99, 1)]


def test_a_level_that_we_sold_into_is_not_ahead_of_our_bid():
    hbt = market((200, SELLS, 99, 2))
    sell(hbt, 1, 99, 4, IOC)
    buy(hbt, 2, 99, 1)
    hbt.elapse(150)
    assert fills(hbt) == [(1, 99, 4), (2, 99, 1)]


def test_a_smaller_order_keeps_its_place_before_ours_and_a_larger_one_loses_it():
    def played(qty: float) -> list[tuple[int, int, int]]:
        hbt = market((300, SELLS, 99, 7))
        buy(hbt, 1, 99, 3)
        buy(hbt, 2, 99, 3)
        hbt.elapse(50)
        hbt.modify(0, 1, 99, qty, False)
        hbt.elapse(200)
        return fills(hbt)

    assert played(1) == [(1, 99, 1), (2, 99, 1)]
    assert played(4) == [(2, 99, 2)]


# --- rule 5: a trade is shared ------------------------------------------------------------------------------------------
def test_a_trade_through_our_prices_is_shared_in_price_time_priority():
    hbt = market((200, SELLS, 98, 8))
    for order_id, price, qty in ((1, 99, 3), (2, 100, 2), (3, 100, 2), (4, 98, 2)):
        buy(hbt, order_id, price, qty)
    hbt.elapse(150)
    assert fills(hbt) == [(2, 100, 2), (3, 100, 2), (1, 99, 3)]  # one lot is left, and five are ahead at 98
    hbt = market((200, SELLS, 98, 2))
    buy(hbt, 1, 99, 3)
    hbt.elapse(150)
    assert (state(hbt, 1), fills(hbt)) == ((PARTIALLY_FILLED, 1), [(1, 99, 2)])


def test_an_order_that_was_traded_through_has_nothing_ahead_any_more():
    hbt = market((200, BUYS, 103, 1), (300, BUYS, 102, 1))
    sell(hbt, 1, 102, 3)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 102, 1), (1, 102, 1)]


def test_the_trade_that_filled_a_better_order_counts_less_for_the_next():
    hbt = market((200, BUYS, 101, 7))
    sell(hbt, 1, 100, 2)
    sell(hbt, 2, 101, 2)
    hbt.elapse(150)
    assert fills(hbt) == [(1, 100, 2)]  # seven less two is five: just what is ahead at 101


# --- rule 6: levels that reach us ---------------------------------------------------------------------------------------
def test_a_bid_that_reaches_our_asks_fills_no_more_than_it_shows():
    hbt = market((200, BID, 101, 3), (300, BID, 101, 2))
    sell(hbt, 1, 101, 2)
    sell(hbt, 2, 100, 2)
    hbt.elapse(150)
    assert fills(hbt) == [(2, 100, 2), (1, 101, 1)]
    hbt.elapse(100)  # the same level, set again
    assert fills(hbt)[2:] == [(1, 101, 1)]


def test_what_reached_us_is_no_longer_there_to_take():
    hbt = market((200, BID, 101, 3))
    sell(hbt, 1, 101, 2)
    hbt.elapse(150)
    sell(hbt, 2, 101, 2, IOC)
    hbt.elapse(50)
    assert (state(hbt, 2), fills(hbt)) == ((EXPIRED, 1), [(1, 101, 2), (2, 101, 1)])


def test_a_level_behind_the_best_does_not_reach_us():
    hbt = market((200, BID, 98, 9))
    sell(hbt, 1, 99, 7)  # takes all five at 99, and two rest there, at the market's best bid
    hbt.elapse(250)
    assert (state(hbt, 1), fills(hbt)) == ((PARTIALLY_FILLED, 2), [(1, 99, 5)])


# --- the option ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("honest", [False, True])
def test_without_company_and_within_the_market_an_order_fills_as_ever(honest):
    hbt = story(*BOOK, (200, SELLS, 99, 7), (300, ASK, 98, 5), LATE, partial_fills=True, honest_liquidity=honest)
    hbt.elapse(0)
    buy(hbt, 1, 99, 4)
    hbt.elapse(250)
    assert fills(hbt) == [(1, 99, 2), (1, 99, 2)]


def test_sizes_matter_only_with_partial_fills():
    with pytest.raises(ValueError, match="honest_liquidity needs partial_fills"):
        story(*BOOK, honest_liquidity=True)
