"""A live book by price: its best prices are those of a sorted dictionary, whatever comes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.venues.level_book import LevelBook

Row = tuple[int, float, float]


def rows(*levels: Row) -> np.ndarray:
    table = np.zeros(len(levels), EVENT)
    for i, (ev, px, qty) in enumerate(levels):
        table["ev"][i], table["px"][i], table["qty"][i] = ev, px, qty
    return table


BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT


def book_of(*levels: Row) -> LevelBook:
    book = LevelBook()
    book.apply(rows(*levels))
    return book


def test_best_prices_and_depth_are_in_order() -> None:
    book = book_of((BID, 1.0, 5.0), (BID, 2.0, 6.0), (ASK, 4.0, 7.0), (DEPTH_SNAPSHOT_EVENT | SELL_EVENT, 3.0, 8.0))
    assert (book.best_bid, book.best_ask, book.is_crossed) == ((2.0, 6.0), (3.0, 8.0), False)
    assert (book.bids(5), book.asks(1)) == ([(2.0, 6.0), (1.0, 5.0)], [(3.0, 8.0)])
    assert book.level_count == 4


def test_quantity_zero_removes_and_of_an_unknown_level_is_nothing() -> None:
    book = book_of((BID, 1.0, 5.0), (BID, 2.0, 6.0), (BID, 2.0, 0.0), (ASK, 9.0, 0.0))
    assert (book.best_bid, book.best_ask) == ((1.0, 5.0), None)


def test_a_level_that_left_and_came_back_is_there_once() -> None:
    book = book_of((BID, 2.0, 6.0), (BID, 2.0, 0.0), (BID, 2.0, 1.0))
    assert book.bids(9) == [(2.0, 1.0)]


def test_a_crossed_book_is_shown_as_it_is() -> None:
    assert book_of((BID, 3.0, 1.0), (ASK, 3.0, 1.0)).is_crossed
    assert not book_of((BID, 3.0, 1.0)).is_crossed


def test_clears_are_up_to_a_price_or_whole() -> None:
    book = book_of((BID, 1.0, 1.0), (BID, 2.0, 1.0), (BID, 3.0, 1.0), (ASK, 4.0, 1.0), (ASK, 5.0, 1.0))
    book.apply(rows((DEPTH_CLEAR_EVENT | BUY_EVENT, 2.0, 0.0), (DEPTH_CLEAR_EVENT | SELL_EVENT, 4.0, 0.0)))
    assert (book.bids(9), book.asks(9)) == ([(1.0, 1.0)], [(5.0, 1.0)])
    book.apply(rows((DEPTH_CLEAR_EVENT, 0.0, 0.0)))
    assert book.level_count == 0


def test_trades_change_no_book() -> None:
    assert book_of((TRADE_EVENT | BUY_EVENT, 1.0, 1.0)).level_count == 0


@given(st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 12), st.integers(0, 3)), max_size=80))
def test_it_is_a_sorted_dictionary(levels: list[tuple[int, int, int]]) -> None:
    naive: dict[int, dict[float, float]] = {BID: {}, ASK: {}}
    book = LevelBook()
    for ev, px, qty in levels:
        book.apply(rows((ev, px / 4, float(qty))))
        naive[ev][px / 4] = float(qty)
        bids = sorted(((p, q) for p, q in naive[BID].items() if q), reverse=True)
        asks = sorted((p, q) for p, q in naive[ASK].items() if q)
        assert (book.bids(99), book.asks(99)) == (bids, asks)
        assert (book.best_bid, book.best_ask) == (bids[0] if bids else None, asks[0] if asks else None)


def test_levels_that_come_and_go_for_ever_take_no_more_memory() -> None:
    book = book_of((BID, 100.0, 1.0))
    for _ in range(3000):
        book.apply(rows((BID, 1.0, 1.0), (BID, 1.0, 0.0), (BID, 2.0, 1.0), (BID, 2.0, 0.0)))
    assert len(book._bids.heap) < 1100
    assert book.best_bid == (100.0, 1.0)
