"""The L2 book: levels, bests, hidden quantities, clears and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.book import L2Book
from queuefront.core import ConfigError
from queuefront.core.enums import NO_ASK_TICK, NO_BID_TICK


def book_of(bids: dict[int, int] | None = None, asks: dict[int, int] | None = None) -> L2Book:
    book = L2Book(range(90, 111))
    for tick, lots in (bids or {}).items():
        book.set_bid(tick, lots)
    for tick, lots in (asks or {}).items():
        book.set_ask(tick, lots)
    return book


def bests(book: L2Book) -> tuple[int, int]:
    return book.best_bid_tick, book.best_ask_tick


def test_a_new_book_has_no_bests():
    assert bests(book_of()) == (NO_BID_TICK, NO_ASK_TICK)


def test_a_book_without_ticks_has_no_bests():
    assert bests(L2Book([])) == (NO_BID_TICK, NO_ASK_TICK)


def test_the_highest_bid_and_the_lowest_ask_are_the_bests():
    assert bests(book_of({98: 1, 99: 2, 97: 3}, {103: 1, 101: 2, 102: 3})) == (99, 101)


def test_the_next_level_is_best_when_the_best_is_removed():
    book = book_of({98: 1, 99: 2}, {101: 2, 103: 1})
    book.set_bid(99, 0)
    book.set_ask(101, 0)
    assert bests(book) == (98, 103)


@pytest.mark.parametrize("lots", [0, -1, -(2**62)])
def test_a_quantity_of_zero_or_less_removes_its_level(lots):  # H7.9, D16
    book = book_of({99: 5}, {101: 5})
    book.set_bid(99, lots)
    book.set_ask(101, lots)
    assert (bests(book), book.bid_lots_at(99), book.ask_lots_at(101)) == ((NO_BID_TICK, NO_ASK_TICK), 0, 0)


def test_a_negative_quantity_beyond_the_best_is_no_level():  # D16
    book = book_of({99: 5}, {105: 5})
    book.set_bid(104, -1)
    book.set_ask(100, -1)
    assert bests(book) == (99, 105)


def test_the_newer_side_wins_where_a_bid_crosses():  # H7.8
    book = book_of({99: 1}, {101: 4, 103: 6})
    book.set_bid(102, 2)
    assert bests(book) == (102, 103)
    assert book.ask_lots_at(101) == 4  # hidden, and still there


def test_the_newer_side_wins_where_an_ask_crosses():
    book = book_of({99: 4, 97: 6}, {101: 1})
    book.set_ask(98, 2)
    assert bests(book) == (97, 98)
    assert book.bid_lots_at(99) == 4


def test_a_hidden_level_is_found_again_when_the_best_behind_it_goes():
    book = book_of({99: 1}, {101: 4, 103: 6})
    book.set_bid(102, 2)  # hides the ask at 101
    book.set_bid(102, 0)
    book.set_ask(100, 1)
    book.set_ask(100, 0)
    assert bests(book) == (99, 101)


def test_a_hidden_level_beyond_the_search_limit_is_not_found_again():
    book = book_of(asks={101: 4})
    book.set_bid(102, 2)  # hides the only ask
    book.set_ask(103, 1)
    book.set_ask(103, 0)  # the side is empty now: its limit is forgotten
    book.set_bid(102, 0)
    book.set_ask(100, 1)
    book.set_ask(100, 0)
    assert (book.best_ask_tick, book.ask_lots_at(101)) == (NO_ASK_TICK, 4)


def test_clearing_bids_down_to_a_tick_keeps_those_below():  # H0.1 H7.3, D11
    book = book_of({99: 1, 98: 2, 97: 3, 96: 4})
    book.clear_bids(98)
    assert book.best_bid_tick == 97
    assert [book.bid_lots_at(t) for t in (96, 97, 98, 99)] == [4, 3, 0, 0]


def test_clearing_asks_up_to_a_tick_keeps_those_above():  # H0.1 H7.5, D11
    book = book_of(asks={101: 1, 102: 2, 103: 3, 104: 4})
    book.clear_asks(102)
    assert book.best_ask_tick == 103
    assert [book.ask_lots_at(t) for t in (101, 102, 103, 104)] == [0, 0, 3, 4]


def test_a_clear_short_of_the_best_removes_nothing():
    book = book_of({95: 1}, {105: 1})
    book.clear_bids(96)
    book.clear_asks(104)
    assert bests(book) == (95, 105)


def test_clearing_a_side_whole_leaves_the_other():
    book = book_of({99: 1, 98: 1}, {101: 1, 102: 1})
    book.clear_bids()
    assert bests(book) == (NO_BID_TICK, 101)
    book.clear_asks()
    assert bests(book) == (NO_BID_TICK, NO_ASK_TICK)
    assert [book.bid_lots_at(98), book.ask_lots_at(102)] == [0, 0]


def test_the_outermost_ticks_are_levels_like_any_other():  # H7.1 H7.2
    book = book_of({90: 1}, {110: 1})
    book.set_bid(91, 1)
    book.set_bid(91, 0)
    book.set_ask(109, 1)
    book.set_ask(109, 0)
    assert bests(book) == (90, 110)


@pytest.mark.parametrize("ticks", [[2, 1], [1, 1], [[1, 2], [3, 4]]])
def test_ticks_that_do_not_ascend_are_refused(ticks):
    with pytest.raises(ConfigError) as caught:
        L2Book(ticks)
    assert str(caught.value) == "the ticks of a book must be one strictly ascending column; pass `np.unique(ticks)`"


@pytest.mark.parametrize("tick", [89, 111, -(2**62), 2**62])
@pytest.mark.parametrize("name", ["set_bid", "set_ask", "clear_bids", "clear_asks", "bid_lots_at", "ask_lots_at"])
def test_a_tick_outside_the_book_is_refused_and_changes_nothing(name, tick):  # H7.1 H7.4
    book = book_of({99: 1}, {101: 1})
    arguments = (tick, 5) if name.startswith("set") else (tick,)
    with pytest.raises(ConfigError) as caught:
        getattr(book, name)(*arguments)
    assert str(caught.value) == f"tick {tick:,} is not among the 21 ticks that this book was made for"
    assert bests(book) == (99, 101)


def test_a_tick_between_two_of_the_book_is_refused():
    with pytest.raises(ConfigError):
        L2Book(np.array([1, 3])).set_bid(2, 1)
