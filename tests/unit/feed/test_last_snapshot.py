"""The book at the end of the data: what is seen of it, across files, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT, CrossedBookError, DataError, OffGridError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import create_last_snapshot, read_events, write_npz

BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = BOTH | DEPTH_EVENT | BUY_EVENT, BOTH | DEPTH_EVENT | SELL_EVENT
SNAPSHOT_BID, SNAPSHOT_ASK = BOTH | DEPTH_SNAPSHOT_EVENT | BUY_EVENT, BOTH | DEPTH_SNAPSHOT_EVENT | SELL_EVENT


def rows_of(*rows: tuple[int, float, float]) -> np.ndarray:
    events = np.zeros(len(rows), EVENT)
    for i, (ev, px, qty) in enumerate(rows):
        events[i] = (ev, 100 + i, 200 + i, px, qty, 0, 0, 0)
    return events


def listed(snapshot: np.ndarray) -> list[tuple[int, float, float]]:
    assert not snapshot["exch_ts"].any()
    assert not snapshot["local_ts"].any()
    return [(int(row["ev"]), float(row["px"]), float(row["qty"])) for row in snapshot]


def last(*rows: tuple[int, float, float], **options) -> list[tuple[int, float, float]]:
    return listed(create_last_snapshot(rows_of(*rows), "0.1", "0.5", **options))


def test_bids_stand_from_the_best_down_and_asks_from_the_best_up():
    rows = last((BID, 0.1, 1.0), (BID, 0.3, 2.0), (ASK, 0.7, 1.5), (ASK, 0.6, 0.5))
    assert rows == [
        (SNAPSHOT_BID, 0.3, 2.0),
        (SNAPSHOT_BID, 0.1, 1.0),
        (SNAPSHOT_ASK, 0.6, 0.5),
        (SNAPSHOT_ASK, 0.7, 1.5),
    ]


def test_no_events_leave_an_empty_book():
    assert last() == []


def test_what_only_the_exchange_sees_and_what_is_no_depth_does_not_count():
    hidden = EXCH_EVENT | DEPTH_EVENT | BUY_EVENT
    assert last((BID, 0.1, 1.0), (hidden, 0.2, 1.0), (BOTH | TRADE_EVENT | BUY_EVENT, 0.5, 0.7)) == [
        (SNAPSHOT_BID, 0.1, 1.0)
    ]


def test_a_level_that_was_crossed_is_left_out():
    assert last((ASK, 0.5, 1.0), (ASK, 0.7, 1.0), (BID, 0.6, 2.0)) == [(SNAPSHOT_BID, 0.6, 2.0), (SNAPSHOT_ASK, 0.7, 1.0)]


@pytest.mark.parametrize(("side", "left"), [(BUY_EVENT, [0.1, 0.6]), (SELL_EVENT, [0.3, 0.1]), (0, [])])
def test_clears_are_applied(side, left):
    px = 0.2 if side == BUY_EVENT else np.nan
    rows = last((BID, 0.1, 1.0), (BID, 0.3, 1.0), (ASK, 0.6, 1.0), (BOTH | DEPTH_CLEAR_EVENT | side, px, 0.0))
    assert [px for _, px, _ in rows] == left


def test_parts_are_one_sequence_of_arrays_and_files(tmp_path):
    path = tmp_path / "two.npz"
    write_npz(path, rows_of((ASK, 9.0, 1.0), (BID, 0.3, 0.0)))
    parts = [rows_of((BID, 0.1, 1.0), (BID, 0.3, 1.0)), str(path), rows_of((ASK, 0.2, 1.0))]
    snapshot = create_last_snapshot(iter(parts), "0.1", "0.5")
    assert listed(snapshot) == [(SNAPSHOT_BID, 0.1, 1.0), (SNAPSHOT_ASK, 0.2, 1.0), (SNAPSHOT_ASK, 9.0, 1.0)]


def test_the_book_starts_from_the_initial_snapshot():
    start = rows_of(
        (DEPTH_EVENT | BUY_EVENT, 0.1, 1.0),
        (DEPTH_EVENT | BUY_EVENT, 0.1, 4.0),
        (DEPTH_EVENT | SELL_EVENT, 0.9, 1.0),
        (DEPTH_EVENT | BUY_EVENT, 0.2, 0.0),
    )
    rows = last((ASK, 0.9, 0.0), (ASK, 0.8, 1.0), initial_snapshot=start)
    assert rows == [(SNAPSHOT_BID, 0.1, 4.0), (SNAPSHOT_ASK, 0.8, 1.0)]


def test_a_snapshot_is_the_next_days_start(tmp_path):
    out = tmp_path / "eod.npz"
    made = create_last_snapshot(rows_of((BID, 0.1, 1.0), (ASK, 0.3, 2.0)), "0.1", "0.5", output=out)
    assert read_events(out).tobytes() == made.tobytes()
    assert create_last_snapshot([], "0.1", "0.5", initial_snapshot=out).tobytes() == made.tobytes()


def test_d54_prices_are_the_floats_nearest_to_their_decimals():
    assert last((BID, 0.3, 1.0))[0][1] == 0.3
    assert 3 * 0.1 != 0.3


def test_a_crossed_initial_snapshot_is_refused():  # H7.8
    with pytest.raises(CrossedBookError) as caught:
        last(initial_snapshot=rows_of((DEPTH_EVENT | BUY_EVENT, 0.5, 1.0), (DEPTH_EVENT | SELL_EVENT, 0.4, 1.0)))
    assert str(caught.value) == ("initial_snapshot: best bid 0.5 is not below best ask 0.4; take the snapshot again")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((BID, 0.15, 1.0), "events: px 0.15 is no multiple of tick_size 0.1; give the market's tick_size"),
        ((BID, 0.1, 0.7), "events: qty 0.7 is no multiple of lot_size 0.5; give the market's lot_size"),
    ],
)
def test_a_row_off_the_grid_is_refused(row, message):
    with pytest.raises(OffGridError) as caught:
        last(row)
    assert str(caught.value) == message


def test_a_row_that_is_no_event_is_refused_with_its_part():
    with pytest.raises(DataError) as caught:
        create_last_snapshot([rows_of(), rows_of((BID, np.nan, 1.0))], "0.1", "0.5")
    assert str(caught.value) == "events, part 1: row 0: price is no number: px is nan; leave the row out"


def test_market_by_order_is_refused():
    with pytest.raises(DataError) as caught:
        last((BOTH | ADD_ORDER_EVENT | BUY_EVENT, 0.1, 1.0))
    assert str(caught.value) == "events: the events are market by order; a snapshot is made of depth rows only"
