"""The book at the end of any rows, in any parts, is that of a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT
from queuefront.feed import create_last_snapshot
from tests.naive.book import NaiveBook

TICKS = st.integers(-4, 9)
SETS = st.tuples(st.sampled_from(["set_bid", "set_ask"]), TICKS, st.integers(0, 4))
CLEARS = st.tuples(st.sampled_from(["clear_bids", "clear_asks"]), TICKS | st.none(), st.just(0))
HALVES = st.sampled_from([LOCAL_EVENT, LOCAL_EVENT | EXCH_EVENT, EXCH_EVENT])
ROWS = st.lists(st.tuples(SETS | SETS | SETS | CLEARS, HALVES), max_size=50)


def events_of(rows: list[tuple]) -> np.ndarray:
    events = np.zeros(len(rows), EVENT)
    for i, ((call, tick, lots), halves) in enumerate(rows):
        kind = DEPTH_CLEAR_EVENT if call.startswith("clear") else DEPTH_EVENT
        side = BUY_EVENT if "bid" in call else SELL_EVENT
        events[i] = (kind | side | halves, i, i, np.nan if tick is None else tick * 0.5, lots * 0.25, 0, 0, 0)
    return events


def naive_of(rows: list[tuple]) -> NaiveBook:
    book = NaiveBook()
    for (call, tick, lots), halves in rows:
        if halves & LOCAL_EVENT:
            getattr(book, call)(*((tick,) if call.startswith("clear") else (tick, lots)))
    return book


@settings(deadline=None, max_examples=120)
@given(ROWS, st.lists(st.integers(0, 50), max_size=3))
def test_the_last_snapshot_lists_what_a_dictionary_shows(rows, cuts):
    book = naive_of(rows)
    bids = [(t, book.bids[t]) for t in sorted(book.bids, reverse=True) if t <= book.best_bid_tick]
    asks = [(t, book.asks[t]) for t in sorted(book.asks) if t >= book.best_ask_tick]
    parts = np.split(events_of(rows), sorted(min(cut, len(rows)) for cut in cuts))
    snapshot = create_last_snapshot(parts, "0.5", "0.25")
    is_bid = (snapshot["ev"] & np.uint64(BUY_EVENT)) != 0
    listed = [(int(px * 2), int(qty * 4)) for px, qty in zip(snapshot["px"], snapshot["qty"], strict=True)]
    assert listed == bids + asks
    assert is_bid.tolist() == [True] * len(bids) + [False] * len(asks)
