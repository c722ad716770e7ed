"""The fused book equals two dictionaries, row for row, and its rows make the book that it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.book import FusedBook
from queuefront.core import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    SELL_EVENT,
)
from tests.naive.fused import NaiveFusedBook

TICKS = range(-3, 9)
KINDS = {"depth": DEPTH_EVENT, "snapshot": DEPTH_SNAPSHOT_EVENT, "best": DEPTH_BBO_EVENT, "clear": DEPTH_CLEAR_EVENT}
NAMES = {code: name for name, code in KINDS.items()}
SIDES = {"bid": BUY_EVENT, "ask": SELL_EVENT, "both": 0}
CHANGES = st.tuples(
    st.sampled_from(["depth", "depth", "depth", "snapshot", "best", "best"]),
    st.sampled_from(["bid", "ask"]),
    st.sampled_from(TICKS),
    st.integers(0, 3),
    st.integers(-3, 6),
)
CLEARS = st.tuples(
    st.just("clear"),
    st.sampled_from(["bid", "ask", "both"]),
    st.none() | st.sampled_from(TICKS),
    st.just(0),
    st.integers(-3, 6),
)
STREAMS = st.lists(CHANGES | CHANGES | CHANGES | CLEARS, max_size=60)


def events_of(rows: list[tuple]) -> np.ndarray:
    """Make rows one apart in time, each moved by a few, so that some are older than what is known."""
    events = np.zeros(len(rows), EVENT)
    for i, (kind, side, tick, lots, late) in enumerate(rows):
        events[i] = (
            KINDS[kind] | SIDES[side],
            100 + i - late,
            200 + i,
            np.nan if tick is None else tick * 0.5,
            lots * 0.25,
            0,
            0,
            0,
        )
    return events


def naive_of(rows: list[tuple]) -> NaiveFusedBook:
    book = NaiveFusedBook()
    for i, (kind, side, tick, lots, late) in enumerate(rows):
        ts = 100 + i - late
        if kind == "clear":
            book.clear(None if side == "both" else side, tick, ts)
        elif kind == "best":
            book.best_price(side, tick, lots * 0.25, ts)
        else:
            book.depth(kind, side, tick, lots * 0.25, lots, ts)
    return book


def told_of(events: np.ndarray) -> list[tuple]:
    told = []
    for row in events:
        ev = int(row["ev"])
        side = "bid" if ev & BUY_EVENT else "ask" if ev & SELL_EVENT else "both"
        tick = 0 if np.isnan(row["px"]) else int(row["px"] * 2)
        told.append((NAMES[ev & KIND_MASK], side, tick, float(row["qty"]), int(row["exch_ts"])))
    return told


def assert_equal(book: FusedBook, naive: NaiveFusedBook) -> None:
    assert (book.best_bid_tick, book.best_ask_tick) == (naive.best_bid, naive.best_ask)
    bids, asks = book.levels()
    assert bids == {tick: qty for tick, (qty, _) in naive.bids.items()}
    assert asks == {tick: qty for tick, (qty, _) in naive.asks.items()}


@settings(deadline=None, max_examples=150)
@given(STREAMS)
def test_the_fused_book_equals_two_dictionaries(rows):  # H7.9
    book, naive = FusedBook("0.5", "0.25"), naive_of(rows)
    assert told_of(book.fuse(events_of(rows))) == naive.told
    assert_equal(book, naive)


@settings(deadline=None, max_examples=60)
@given(STREAMS)
def test_one_row_at_a_time_makes_what_all_at_once_make(rows):
    events, book = events_of(rows), FusedBook("0.5", "0.25")
    for i in range(len(events)):
        book.process_event(events, i, True)
    assert book.fused_events.tobytes() == FusedBook("0.5", "0.25").fuse(events).tobytes()


@settings(deadline=None, max_examples=60)
@given(STREAMS)
def test_the_fused_rows_make_the_book_again(rows):
    """Whoever applies the fused rows in their order, whatever their times, holds the levels of the fused book."""
    book = FusedBook("0.5", "0.25")
    levels: dict[str, dict[int, float]] = {"bid": {}, "ask": {}}
    clears = [row for row in rows if row[0] == "clear" and row[2] is not None]
    rows = [row for row in rows if row not in clears]  # a clear up to a price depends on the best, which is not told
    for kind, side, tick, qty, _ in told_of(book.fuse(events_of(rows))):
        if kind == "clear":
            for name in ("bid", "ask") if side == "both" else (side,):
                levels[name].clear()
        elif qty > 0:
            levels[side][tick] = qty
        else:
            levels[side].pop(tick, None)
    bids, asks = book.levels()
    assert levels["bid"] == {tick: qty for tick, qty in bids.items() if qty > 0}
    assert levels["ask"] == {tick: qty for tick, qty in asks.items() if qty > 0}


def test_the_comparison_sees_a_level_that_differs():
    book = FusedBook("0.5", "0.25")
    book.fuse(events_of([("depth", "bid", 3, 1, 0)]))
    with pytest.raises(AssertionError):
        assert_equal(book, naive_of([("depth", "bid", 3, 2, 0)]))
