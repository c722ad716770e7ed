"""The compiled L2 book, and the best columns of a tape, equal a dictionary book for any sequence of updates (H0.1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.book import L2Book
from queuefront.core import EVENT, Instrument
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    NO_ASK_TICK,
    NO_BID_TICK,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape
from tests.naive.book import NaiveBook

TICKS = range(-4, 9)  # few, so that levels meet; below zero too, as the prices of spreads are
INSTRUMENT = Instrument("venue", "SYM", "0.5", "0.25")

SETS = st.tuples(st.sampled_from(["set_bid", "set_ask"]), st.sampled_from(TICKS), st.integers(-2, 4))
INSERTIONS = st.tuples(st.sampled_from(["set_bid", "set_ask"]), st.sampled_from(TICKS), st.integers(1, 4))
CLEARS = st.tuples(st.sampled_from(["clear_bids", "clear_asks"]), st.none() | st.sampled_from(TICKS))


def apply(book: L2Book | NaiveBook, operation: tuple) -> None:
    name, *arguments = operation
    getattr(book, name)(*arguments)


def both_books() -> tuple[L2Book, NaiveBook]:
    return L2Book(TICKS), NaiveBook()


def assert_equal(book: L2Book, naive: NaiveBook) -> None:
    assert (book.best_bid_tick, book.best_ask_tick) == (naive.best_bid_tick, naive.best_ask_tick)
    assert {t: lots for t in TICKS if (lots := book.bid_lots_at(t))} == naive.bids
    assert {t: lots for t in TICKS if (lots := book.ask_lots_at(t))} == naive.asks


@settings(deadline=None, max_examples=80)
@given(st.lists(SETS | CLEARS, max_size=60))
def test_the_book_equals_a_dictionary_after_every_operation(operations):  # H0.1 H7.3 H7.4 H7.5 H7.9
    book, naive = both_books()
    for operation in operations:
        apply(book, operation)
        apply(naive, operation)
        assert_equal(book, naive)


@settings(deadline=None, max_examples=80)
@given(st.lists(SETS | CLEARS, max_size=60))
def test_a_best_level_holds_a_quantity(operations):
    book, _ = both_books()
    for operation in operations:
        apply(book, operation)
        assert book.best_bid_tick == NO_BID_TICK or book.bid_lots_at(book.best_bid_tick) > 0
        assert book.best_ask_tick == NO_ASK_TICK or book.ask_lots_at(book.best_ask_tick) > 0


@settings(deadline=None, max_examples=80)
@given(st.lists(SETS | st.tuples(st.sampled_from(["clear_bids", "clear_asks"])), max_size=60))
def test_the_best_bid_stays_below_the_best_ask(operations):  # H7.8 H7.10
    book, _ = both_books()
    for operation in operations:
        apply(book, operation)
        assert book.best_bid_tick < book.best_ask_tick


@settings(deadline=None, max_examples=60)
@given(st.lists(SETS, max_size=30), INSERTIONS)
def test_what_is_set_is_what_is_read(operations, last):
    book, _ = both_books()
    for operation in (*operations, last):
        apply(book, operation)
    name, tick, lots = last
    assert (book.bid_lots_at(tick) if name == "set_bid" else book.ask_lots_at(tick)) == lots
    # The newer side wins: nothing of the other side is seen at or beyond it.
    assert book.best_ask_tick > tick if name == "set_bid" else book.best_bid_tick < tick


# --- the best columns of a tape ---------------------------------------------------------------------------------------
KINDS = st.sampled_from([DEPTH_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT])
SIDES = st.sampled_from([0, BUY_EVENT, SELL_EVENT, BUY_EVENT | SELL_EVENT])
HALVES = st.sampled_from([EXCH_EVENT, LOCAL_EVENT, EXCH_EVENT | LOCAL_EVENT, EXCH_EVENT | LOCAL_EVENT])
ROWS = st.lists(st.tuples(KINDS, SIDES, HALVES, st.sampled_from(TICKS) | st.none(), st.integers(0, 4)), max_size=60)


def events_of(rows: list[tuple]) -> np.ndarray:
    """Make events, one a nanosecond; a clear without a tick is of the whole side."""
    events = np.zeros(len(rows), EVENT)
    for i, (kind, side, halves, tick, lots) in enumerate(rows):
        is_whole_side = tick is None and kind == DEPTH_CLEAR_EVENT
        events["ev"][i] = kind | side | halves
        events["px"][i] = np.nan if is_whole_side else (tick or 0) * 0.5
        events["qty"][i] = lots * 0.25
    events["exch_ts"] = events["local_ts"] = np.arange(len(rows))
    return events


def bests_of(events: np.ndarray, half: int) -> list[tuple[int, int]]:
    """Return the best ticks after each row, by a dictionary book that sees one half's rows."""
    book, bests = NaiveBook(), []
    for row in events:
        ev, lots = int(row["ev"]), int(row["qty"] * 4)
        tick = None if np.isnan(row["px"]) else int(row["px"] * 2)
        kind, is_bid, is_ask = ev & KIND_MASK, bool(ev & BUY_EVENT), bool(ev & SELL_EVENT) and not ev & BUY_EVENT
        if ev & half and kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT) and (is_bid or is_ask):
            (book.set_bid if is_bid else book.set_ask)(tick, lots)
        elif ev & half and kind == DEPTH_CLEAR_EVENT and (is_bid or is_ask):
            (book.clear_bids if is_bid else book.clear_asks)(tick)
        elif ev & half and kind == DEPTH_CLEAR_EVENT:
            book.clear_bids()
            book.clear_asks()
        bests.append((book.best_bid_tick, book.best_ask_tick))
    return bests


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_the_best_columns_of_a_tape_are_those_of_a_replayed_dictionary(rows):
    events = events_of(rows)
    tape = Tape.build(events, INSTRUMENT, source="rows")
    for half, bids, asks in (
        (EXCH_EVENT, tape.best_bid_exch, tape.best_ask_exch),
        (LOCAL_EVENT, tape.best_bid_local, tape.best_ask_local),
    ):
        ticks = [
            (
                NO_BID_TICK if bid == -1 else int(tape.levels[bid]),
                NO_ASK_TICK if ask == len(tape.levels) else int(tape.levels[ask]),
            )
            for bid, ask in zip(bids, asks, strict=True)
        ]
        assert ticks == bests_of(events, half)


# --- the comparison itself --------------------------------------------------------------------------------------------
def test_the_comparison_sees_a_quantity_that_differs():
    book, naive = both_books()
    book.set_bid(3, 1)
    naive.set_bid(3, 2)
    with pytest.raises(AssertionError):
        assert_equal(book, naive)


def test_the_comparison_sees_a_level_that_only_the_dictionary_has():
    book, naive = both_books()
    naive.asks[8] = 1
    with pytest.raises(AssertionError):
        assert_equal(book, naive)
