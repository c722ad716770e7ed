"""The bounded-range book: what lies outside, clears cut to the range, rounding, snapshots, orders, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.book import RangeBook
from queuefront.core import EVENT, ConfigError, CrossedBookError, DataError, Instrument
from queuefront.core.enums import BUY, BUY_EVENT, NO_ASK_TICK, NO_BID_TICK, SELL, SELL_EVENT

INSTRUMENT = Instrument("venue", "SYM", "0.5", "0.001")


def book_of(bids: dict[int, int] | None = None, asks: dict[int, int] | None = None, **options) -> RangeBook:
    book = RangeBook(INSTRUMENT, 1000, 2000, **options)
    for tick, lots in (bids or {}).items():
        book.set_bid(tick, lots)
    for tick, lots in (asks or {}).items():
        book.set_ask(tick, lots)
    return book


def bests(book: RangeBook) -> tuple[int, int]:
    return book.best_bid_tick, book.best_ask_tick


def state(book: RangeBook) -> bytes:
    return book.bid_depth().tobytes() + book.ask_depth().tobytes() + book._state.tobytes()


def snapshot_of(*levels: tuple[int, float, float]) -> np.ndarray:
    rows = np.zeros(len(levels), EVENT)
    for i, (ev, px, qty) in enumerate(levels):
        rows["ev"][i], rows["px"][i], rows["qty"][i] = ev, px, qty
    return rows


# --- the four scenarios (H7.17) ---------------------------------------------------------------------------------------
def test_outside_region_safety():  # H7.1 H7.17
    """Buy at 5000, then sell at 500, in a range of 1000 to 2000: neither is stored, and nothing inside moves."""
    book = book_of({1500: 1}, {1600: 1})
    before = state(book)
    book.set_bid(5000, 3)
    book.set_ask(500, 3)
    book.set_bid(5000, 0)
    book.set_ask(500, 0)
    assert state(book) == before
    assert book.outside_count == 4
    assert (book.bid_lots_at(5000), book.ask_lots_at(500)) == (0, 0)


def test_sell_clear_range():  # H7.5 H7.17, D12
    """Two asks, a clear between them: one is left, and is the best."""
    book = book_of(asks={1100: 1, 1300: 2})
    book.clear_asks(1200)
    assert (book.best_ask_tick, book.ask_lots_at(1100), book.ask_lots_at(1300)) == (1300, 0, 2)


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_sub_lot_deletion(side):  # H7.6 H7.7 H7.17, D13
    """Lots of 0.001: 0.0004 is stored as exactly nothing, and no search finds it again."""
    book = book_of({1400: 5, 1500: 5}, {1600: 5, 1700: 5})
    update, lots_at, tick = (
        (book.update_bid, book.bid_lots_at, 1500) if side == "bid" else (book.update_ask, book.ask_lots_at, 1600)
    )
    assert update(tick * 0.5, 0.0004)
    assert lots_at(tick) == 0
    assert bests(book) == ((1400, 1600) if side == "bid" else (1500, 1700))
    assert update((1450 if side == "bid" else 1650) * 0.5, 0.0004)
    assert bests(book) == ((1400, 1600) if side == "bid" else (1500, 1700))


# The fourth scenario, fused snapshot times, is tests/unit/book/test_fused.py::test_fused_snapshot_times_are_the_snapshots.


# --- the range --------------------------------------------------------------------------------------------------------
def test_the_edges_belong_to_the_range():  # H7.1
    book = book_of({1000: 1}, {2000: 1})
    assert bests(book) == (1000, 2000)
    book.set_bid(999, 1)
    book.set_ask(2001, 1)
    assert (bests(book), book.outside_count) == ((1000, 2000), 2)


@pytest.mark.parametrize("tick", [999, 2001, -(2**62), 2**62, 2**63 - 1, -(2**63)])
def test_any_tick_outside_is_ignored(tick):  # H7.1 H7.2
    book = book_of({1500: 1}, {1600: 1})
    before = state(book)
    book.set_bid(tick, 1)
    book.set_ask(tick, 1)
    assert (state(book), book.outside_count) == (before, 2)


def test_clearing_bids_from_outside_is_cut_to_the_range():  # H7.3
    book = book_of({1000: 1, 1500: 1})
    book.clear_bids(5000)
    assert book.best_bid_tick == 1500
    book.clear_bids(-5000)
    assert (book.best_bid_tick, book.bid_depth().any()) == (NO_BID_TICK, False)


def test_a_bid_above_the_range_is_no_best_that_a_clear_begins_at():  # H7.3
    book = book_of({1500: 1, 1900: 1})
    book.set_bid(5000, 1)
    book.clear_bids(1600)
    assert (book.best_bid_tick, int(book.bid_depth().sum())) == (1500, 1)


def test_clearing_asks_from_outside_is_cut_to_the_range():  # H7.4
    book = book_of(asks={1500: 1, 2000: 1})
    book.clear_asks(500)
    assert book.best_ask_tick == 1500
    book.clear_asks(9000)
    assert (book.best_ask_tick, book.ask_depth().any()) == (NO_ASK_TICK, False)


def test_an_ask_below_the_range_is_no_best_that_a_clear_begins_at():  # H7.4
    book = book_of(asks={1100: 1, 1500: 1})
    book.set_ask(500, 1)
    book.clear_asks(1200)
    assert (book.best_ask_tick, int(book.ask_depth().sum())) == (1500, 1)


def test_a_clear_up_to_the_edge_takes_the_edge_along():
    book = book_of({1000: 1}, {2000: 1})
    book.clear_bids(1000)
    book.clear_asks(2000)
    assert bests(book) == (NO_BID_TICK, NO_ASK_TICK)


def test_a_clear_of_an_empty_book_leaves_it_usable():
    book = book_of()
    for tick in (-9, 1500, 9999, None):
        book.clear_bids(tick)
        book.clear_asks(tick)
    book.set_bid(1500, 1)
    book.set_ask(1600, 1)
    assert bests(book) == (1500, 1600)


def test_the_newer_side_wins_where_prices_cross():  # H7.10
    book = book_of({1500: 1}, {1600: 1, 1700: 1})
    book.set_bid(1650, 1)
    assert bests(book) == (1650, 1700)
    book.set_ask(1400, 1)
    assert bests(book) == (NO_BID_TICK, 1400)


# --- numbers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("price", "qty"),
    [
        (np.nan, 1.0),
        (np.inf, 1.0),
        (-np.inf, 1.0),
        (750.0, -1.0),
        (750.0, np.nan),
        (750.0, np.inf),
        (1e300, 1.0),
        (750.0, 1e300),
    ],
)
def test_numbers_that_are_none_are_refused_and_counted(price, qty):  # H7.9
    book = book_of({1500: 1}, {1600: 1})
    before = state(book)
    assert not book.update_bid(price, qty)
    assert not book.update_ask(price, qty)
    assert (state(book), book.refused_count) == (before, 2)


# --- snapshots --------------------------------------------------------------------------------------------------------
def test_a_snapshot_replaces_the_book_and_is_what_is_listed():
    book = book_of({1500: 7}, {1600: 7})
    rows = snapshot_of(
        (BUY_EVENT, 740.0, 0.002), (BUY_EVENT, 745.0, 0.001), (SELL_EVENT, 760.0, 0.003), (BUY_EVENT, 1.0, 9.0)
    )
    book.apply_snapshot(rows)
    assert bests(book) == (1490, 1520)
    listed = book.snapshot()
    assert list(zip(listed["px"], listed["qty"], strict=True)) == [(745.0, 0.001), (740.0, 0.002), (760.0, 0.003)]
    assert book.outside_count == 1


CROSSED = snapshot_of((BUY_EVENT, 760.0, 0.001), (SELL_EVENT, 750.0, 0.001))


def test_a_crossed_snapshot_raises_and_changes_nothing():  # H7.8
    book = book_of({1500: 1})
    before = state(book)
    with pytest.raises(CrossedBookError) as caught:
        book.apply_snapshot(CROSSED)
    assert str(caught.value) == (
        "the snapshot's best bid 760.0 is not below its best ask 750.0; "
        "fetch the snapshot again, or choose crossed='newer-wins'"
    )
    assert state(book) == before


def test_a_crossed_snapshot_is_resolved_by_its_order_if_asked():  # H7.8
    book = book_of(crossed="newer-wins")
    book.apply_snapshot(CROSSED)
    assert bests(book) == (NO_BID_TICK, 1500)


@pytest.mark.parametrize(("px", "qty"), [(np.nan, 1.0), (750.0, -1.0), (750.0, np.inf)])
def test_a_snapshot_with_a_number_that_is_none_is_refused(px, qty):  # H7.9
    book = book_of({1500: 1})
    before = state(book)
    with pytest.raises(DataError) as caught:
        book.apply_snapshot(snapshot_of((BUY_EVENT, 740.0, 1.0), (SELL_EVENT, px, qty)))
    assert str(caught.value) == f"row 1 of the snapshot: price {px}, quantity {qty} is no level; fetch the snapshot again"
    assert (state(book), book.refused_count) == (before, 1)


# --- orders -----------------------------------------------------------------------------------------------------------
def test_orders_outside_are_remembered_without_weight():  # H7.16 H7.2, D18
    book = book_of()
    assert book.add_order(1, BUY, 5000, 3)
    assert book.add_order(2, BUY, 1500, 1)
    assert (bests(book), book.orders_outside_count, book.outside_count) == ((1500, NO_ASK_TICK), 1, 1)
    assert book.modify_order(1, 1600, 4)  # into the range
    assert (book.best_bid_tick, book.bid_lots_at(1600), book.orders_outside_count) == (1600, 4, 0)
    assert book.modify_order(1, 500, 4)  # out again
    assert (book.best_bid_tick, book.bid_lots_at(1600), book.orders_outside_count) == (1500, 0, 1)
    assert book.delete_order(1)
    assert (book.best_bid_tick, book.orders_outside_count) == (1500, 0)


def test_orders_at_one_tick_add_up_and_the_last_takes_the_level_along():
    book = book_of()
    book.add_order(1, SELL, 1600, 2)
    book.add_order(2, SELL, 1600, 3)
    assert book.ask_lots_at(1600) == 5
    book.modify_order(1, 1600, 1)
    book.delete_order(2)
    assert (book.ask_lots_at(1600), book.best_ask_tick) == (1, 1600)
    book.delete_order(1)
    assert bests(book) == (NO_BID_TICK, NO_ASK_TICK)


def test_a_hidden_level_that_loses_an_order_stays_hidden():
    book = book_of()
    book.add_order(1, BUY, 1500, 1)
    book.add_order(2, BUY, 1500, 1)
    book.add_order(3, SELL, 1400, 1)
    book.delete_order(1)
    assert (bests(book), book.bid_lots_at(1500)) == ((NO_BID_TICK, 1400), 1)


def test_unknown_and_doubled_orders_are_refused_and_counted():
    book = book_of()
    assert book.add_order(1, BUY, 1500, 1)
    assert not book.add_order(1, BUY, 1500, 1)
    assert not book.add_order(2, BUY, 1500, 0)
    assert not book.modify_order(9, 1500, 1)
    assert not book.delete_order(9)
    assert (book.refused_count, book.bid_lots_at(1500)) == (4, 1)


def test_a_clear_forgets_the_orders_of_its_side():
    book = book_of()
    book.add_order(1, BUY, 1500, 1)
    book.add_order(2, SELL, 1600, 1)
    book.clear_bids(1700)
    assert bests(book) == (NO_BID_TICK, 1600)
    assert not book.delete_order(1)
    assert book.delete_order(2)


def test_an_order_whose_level_was_cleared_is_unknown_to_modify_and_delete():  # H7.12 H7.13 H7.14
    """A refusal that is counted; what is left adds up to the orders that are left."""
    book = book_of()
    for order_id, tick, lots in ((1, 1500, 1), (2, 1500, 2), (3, 1490, 4)):
        book.add_order(order_id, BUY, tick, lots)
    book.clear_bids()
    assert bests(book) == (NO_BID_TICK, NO_ASK_TICK)
    assert (book.delete_order(1), book.modify_order(2, 1500, 9), book.modify_order(3, 1400, 9)) == (False, False, False)
    assert book.refused_count == 3
    assert (book.bid_lots_at(1500), book.bid_lots_at(1490), book.bid_lots_at(1400)) == (0, 0, 0)
    assert book.add_order(1, BUY, 1450, 5)  # its id is free again
    assert (bests(book), book.bid_lots_at(1450)) == ((1450, NO_ASK_TICK), 5)


def test_levels_and_orders_do_not_mix():  # H7.15
    by_price, by_order = book_of({1500: 1}), book_of()
    with pytest.raises(DataError) as caught:
        by_price.add_order(1, BUY, 1500, 1)
    assert str(caught.value) == "the book is by price and cannot take orders too; make one book for each feed"
    by_order.add_order(1, BUY, 1500, 1)
    with pytest.raises(DataError) as caught:
        by_order.set_bid(1500, 1)
    assert str(caught.value) == "the book is by order and cannot take levels too; make one book for each feed"


# --- construction and copies ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("low", "high"), [(2, 1), (0, 2**28), (-(2**60), -(2**60)), (0, 2**62)])
def test_a_range_that_is_none_is_refused(low, high):
    with pytest.raises(ConfigError) as caught:
        RangeBook(INSTRUMENT, low, high)
    assert str(caught.value) == (
        f"the range of ticks {low:,} to {high:,} is no book's; give a lower and an upper tick, at most 268,435,456 of them"
    )


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError) as caught:
        RangeBook(INSTRUMENT, 1, 2, crossed="ignore")
    assert str(caught.value) == "crossed is 'ignore'; choose 'raise' or 'newer-wins'"


def test_columns_of_levels_are_copies():  # H5.10
    book = book_of({1500: 1}, {1600: 1})
    book.bid_depth()[500] = 9
    book.ask_depth()[600] = 9
    assert (book.bid_lots_at(1500), book.ask_lots_at(1600)) == (1, 1)
