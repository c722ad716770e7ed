"""The fused book: what newer rows do to older ones, what is told, snapshots, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.book import FusedBook
from queuefront.core import EVENT, ClosedError, CrossedBookError, DataError, SchemaMismatchError
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    NO_ASK_TICK,
    NO_BID_TICK,
    SELL_EVENT,
    TRADE_EVENT,
)

BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT
BEST_BID, BEST_ASK = DEPTH_BBO_EVENT | BUY_EVENT, DEPTH_BBO_EVENT | SELL_EVENT


def rows_of(*rows: tuple[int, int, float, float]) -> np.ndarray:
    """Make rows of (ev, exch_ts, px, qty)."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, ts, px, qty) in enumerate(rows):
        events[i] = (ev, ts, ts + 5, px, qty, 0, 0, 0)
    return events


def fused(*rows: tuple[int, int, float, float]) -> tuple[FusedBook, list[tuple]]:
    book = FusedBook("0.5", "0.1")
    return book, told(book.fuse(rows_of(*rows)))


def told(events: np.ndarray) -> list[tuple]:
    return [(int(e["ev"]), int(e["exch_ts"]), float(e["px"]), float(e["qty"])) for e in events]


def bests(book: FusedBook) -> tuple[int, int]:
    return book.best_bid_tick, book.best_ask_tick


def test_a_new_book_has_no_bests_and_tells_nothing():
    book = FusedBook("0.5", "0.1")
    assert (bests(book), len(book.fused_events)) == ((NO_BID_TICK, NO_ASK_TICK), 0)


def test_a_best_price_is_told_as_a_depth_row():
    book, rows = fused((BEST_BID, 10, 50.0, 1.0), (BEST_ASK, 10, 51.0, 2.0))
    assert rows == [(BID, 10, 50.0, 1.0), (ASK, 10, 51.0, 2.0)]
    assert bests(book) == (100, 102)


def test_the_same_best_price_again_is_not_told():
    _, rows = fused((BEST_BID, 10, 50.0, 1.0), (BEST_BID, 11, 50.0, 1.0))
    assert rows == [(BID, 10, 50.0, 1.0)]


def test_a_depth_row_older_than_the_best_price_it_would_change_is_dropped():
    book, rows = fused((BEST_BID, 10, 50.0, 1.0), (BID, 9, 50.5, 3.0))
    assert (len(rows), bests(book)[0]) == (1, 100)


def test_a_depth_row_older_than_its_level_is_dropped():
    _, rows = fused((BEST_BID, 10, 50.0, 1.0), (BID, 8, 49.0, 2.0), (BID, 7, 49.0, 3.0))
    assert rows[1:] == [(BID, 8, 49.0, 2.0)]


def test_a_lower_best_bid_removes_the_bids_above_it_from_the_lowest_up():
    book, rows = fused((BID, 1, 49.0, 1.0), (BID, 1, 50.0, 1.0), (BID, 1, 50.5, 1.0), (BEST_BID, 2, 49.5, 4.0))
    assert rows[3:] == [(BID, 2, 49.5, 4.0), (BID, 2, 50.0, 0.0), (BID, 2, 50.5, 0.0)]
    assert bests(book)[0] == 99


def test_a_crossing_bid_removes_the_asks_that_it_passes():
    book, rows = fused((ASK, 1, 50.0, 1.0), (ASK, 1, 50.5, 1.0), (ASK, 1, 51.5, 1.0), (BID, 2, 51.0, 4.0))
    assert rows[3:] == [(BID, 2, 51.0, 4.0), (ASK, 2, 50.0, 0.0), (ASK, 2, 50.5, 0.0)]
    assert bests(book) == (102, 103)


def test_d11_a_clear_finds_the_level_beside_the_cleared_ones():
    book, _ = fused((BID, 1, 49.5, 1.0), (BID, 1, 50.0, 1.0), (DEPTH_CLEAR_EVENT | BUY_EVENT, 2, 50.0, 0.0))
    assert bests(book)[0] == 99


@pytest.mark.parametrize("px", [np.nan, np.inf])
def test_a_clear_without_a_price_empties_its_side(px):
    book, _ = fused((BID, 1, 50.0, 1.0), (ASK, 1, 51.0, 1.0), (DEPTH_CLEAR_EVENT | SELL_EVENT, 2, px, 0.0))
    assert bests(book) == (100, NO_ASK_TICK)


def test_a_quantity_below_half_a_lot_is_none():  # H7.6 H7.7, sub-lot deletion
    book, rows = fused((BID, 1, 50.0, 0.04), (ASK, 1, 51.0, 0.04))
    assert (rows, bests(book)) == ([], (NO_BID_TICK, NO_ASK_TICK))


def test_rows_that_are_not_added_are_applied_and_not_told():
    book = FusedBook("0.5", "0.1")
    book.process_event(rows_of((BID, 1, 50.0, 1.0)), 0, False)
    assert (bests(book)[0], len(book.fused_events)) == (100, 0)


def test_fused_snapshot_times_are_the_snapshots():  # H7.11 H7.17
    """An update at 10, then a snapshot of 5: the bests come from the snapshot, and newer rows are taken from 5 on."""
    book, _ = fused((BID, 10, 50.0, 1.0), (ASK, 10, 50.5, 1.0))
    snapshot = rows_of((BID, 5, 52.0, 1.0), (BID, 5, 51.5, 2.0), (ASK, 5, 52.5, 3.0))
    book.apply_snapshot(snapshot)
    assert bests(book) == (104, 105)
    assert book.levels() == ({103: 2.0, 104: 1.0}, {105: 3.0})
    made = book.fuse(rows_of((BID, 6, 52.0, 7.0)))
    assert told(made) == [(BID, 6, 52.0, 7.0)]


def test_a_snapshot_is_told_as_a_clear_and_its_levels():
    book, _ = fused((BID, 10, 50.0, 1.0))
    book.apply_snapshot(rows_of((BID, 5, 52.0, 1.0)))
    assert [row[0] for row in told(book.fused_events)] == [BID, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT | BUY_EVENT]


def test_an_empty_snapshot_empties_the_book():
    book, _ = fused((BID, 10, 50.0, 1.0))
    book.apply_snapshot(np.zeros(0, EVENT))
    assert bests(book) == (NO_BID_TICK, NO_ASK_TICK)


def test_a_crossed_snapshot_is_refused_and_changes_nothing():  # H7.8
    book, _ = fused((BID, 10, 50.0, 1.0))
    with pytest.raises(CrossedBookError) as caught:
        book.apply_snapshot(rows_of((BID, 5, 52.0, 1.0), (ASK, 5, 51.5, 1.0)))
    assert str(caught.value) == ("the snapshot's best bid 52.0 is not below its best ask 51.5; fetch the snapshot again")
    assert bests(book)[0] == 100


def test_what_was_handed_out_stays_as_it_was():  # H5.11
    book, _ = fused((BID, 1, 50.0, 1.0))
    first = book.fused_events
    before = first.tobytes()
    book.fuse(rows_of(*((BID, 2 + i, 40.0 + i, 1.0) for i in range(50))))
    assert first.tobytes() == before


def test_a_closed_book_refuses_every_call_but_close():  # H5.13 H5.14
    book, _ = fused((BID, 1, 50.0, 1.0))
    book.close()
    book.close()
    calls = (
        lambda: book.process_event(rows_of((BID, 1, 50.0, 1.0)), 0, True),
        lambda: book.fuse(rows_of()),
        lambda: book.apply_snapshot(rows_of()),
        lambda: book.fused_events,
        lambda: book.best_bid_tick,
        lambda: book.best_ask_tick,
        book.levels,
    )
    for call in calls:
        with pytest.raises(ClosedError) as caught:
            call()
        assert str(caught.value) == "the fused book was closed; make a new one"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            (TRADE_EVENT | BUY_EVENT, 1, 50.0, 1.0),
            "row 1: ev 0x20000002 is of no kind that a book is made of; leave the row out",
        ),
        ((DEPTH_EVENT, 1, 50.0, 1.0), "row 1: ev 0x1 has no side; set BUY_EVENT or SELL_EVENT"),
        ((BID, 1, np.nan, 1.0), "row 1: px nan is no price; leave the row out"),
        ((BID, 1, -np.inf, 1.0), "row 1: px -inf is no price; leave the row out"),
        ((BID, 1, 1e300, 1.0), "row 1: px 1e+300 is beyond 2^53 ticks; is the tick size right?"),
        ((BID, 1, 50.0, -1.0), "row 1: qty -1.0 is no quantity; leave the row out"),
        ((BID, 1, 50.0, np.nan), "row 1: qty nan is no quantity; leave the row out"),
        ((BID, 1, 50.0, np.inf), "row 1: qty inf is beyond 2^53 lots; is the lot size right?"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_changes_nothing(row, message):  # H7.9, D16
    book, _ = fused((BID, 1, 50.0, 1.0))
    events = rows_of((BID, 1, 49.0, 1.0), row)
    for call in (lambda: book.fuse(events), lambda: book.process_event(events, 1, True)):
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value) == message
    assert (bests(book), book.levels()) == ((100, NO_ASK_TICK), ({100: 1.0}, {}))


def test_rows_of_another_record_are_refused():
    with pytest.raises(SchemaMismatchError) as caught:
        FusedBook("0.5", "0.1").fuse(np.zeros(2))
    assert str(caught.value) == (
        "float64 is no array of ('ev', 'exch_ts', 'local_ts', 'px', 'qty', 'order_id', 'ival', 'fval'); pass event records"
    )


@pytest.mark.parametrize("index", [-1, 1, 2**62])
def test_a_row_that_is_not_there_is_refused(index):  # H6.8
    with pytest.raises(IndexError) as caught:
        FusedBook("0.5", "0.1").process_event(rows_of((BID, 1, 50.0, 1.0)), index, True)
    assert str(caught.value) == f"row {index:,} of 1 rows; rows count from 0"


def test_rows_of_the_aligned_spelling_of_the_record_are_rows():
    """hftbacktest's records are declared aligned, which changes no byte, but their type in compiled code."""
    events = rows_of((BID, 1, 50.0, 1.0), (BEST_BID, 2, 49.0, 1.0)).astype(np.dtype(EVENT.descr, align=True))
    book = FusedBook("0.5", "0.1")
    book.process_event(events, 0)
    assert told(book.fuse(events[1:])) == [(BID, 2, 49.0, 1.0), (BID, 2, 50.0, 0.0)]
