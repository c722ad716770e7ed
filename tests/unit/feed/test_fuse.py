"""Streams of one market as one: order of receipt, what is fused, what passes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import EVENT, DataError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    INDEX_PRICE_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import fuse_streams, validate_event_order

BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT


def stream(*rows: tuple[int, int, float, float], halves: int = BOTH) -> np.ndarray:
    """Make rows of (ev, exch_ts, px, qty), received 10 later."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, ts, px, qty) in enumerate(rows):
        events[i] = (ev | halves, ts, ts + 10, px, qty, 0, 0, 0)
    return events


def fused(*streams: np.ndarray):
    return fuse_streams(streams, "0.5", "0.1")


def listed(events: np.ndarray) -> list[tuple[int, int, float, float]]:
    return [(int(e["ev"]) & ~BOTH, int(e["exch_ts"]), float(e["px"]), float(e["qty"])) for e in events]


def test_rows_of_all_streams_stand_in_the_order_of_receipt():
    events, account = fused(
        stream((BID, 1, 50.0, 1.0), (BID, 5, 49.0, 1.0)),
        stream((BEST_BID_EVENT, 3, 50.5, 2.0), (BEST_ASK_EVENT, 4, 51.0, 2.0)),
    )
    assert listed(events) == [(BID, 1, 50.0, 1.0), (BID, 3, 50.5, 2.0), (ASK, 4, 51.0, 2.0), (BID, 5, 49.0, 1.0)]
    assert (account.rows, account.fused_by_kind, account.rows_made) == (4, {"depth": 2, "bbo": 2}, 4)
    validate_event_order(events)


def test_what_a_best_price_supersedes_is_removed():
    events, _ = fused(stream((BID, 1, 50.0, 1.0)), stream((BEST_BID_EVENT, 3, 49.0, 2.0)))
    assert listed(events) == [(BID, 1, 50.0, 1.0), (BID, 3, 49.0, 2.0), (BID, 3, 50.0, 0.0)]


def test_trades_and_marks_pass_before_depth_of_the_same_time():
    events, account = fused(
        stream((BID, 1, 50.0, 1.0), (TRADE_EVENT | BUY_EVENT, 1, 50.0, 3.0), (INDEX_PRICE_EVENT, 2, 50.0, 0.0))
    )
    assert [ev & 0xFF for ev, *_ in listed(events)] == [TRADE_EVENT, DEPTH_EVENT, INDEX_PRICE_EVENT]
    assert account.passed_by_kind == {"trade": 1, "index price": 1}


def test_a_row_that_was_split_counts_once():
    events, account = fused(
        np.concatenate([stream((BID, 1, 50.0, 1.0), halves=LOCAL_EVENT), stream((BID, 1, 50.0, 1.0), halves=EXCH_EVENT)])
    )
    assert listed(events) == [(BID, 1, 50.0, 1.0)]
    assert (account.rows, account.rows_of_exchange_only, account.events) == (2, 1, 1)


def test_the_order_of_the_exchange_is_restored_by_splitting():
    late = stream((ASK, 3, 51.0, 1.0))
    late["local_ts"] = 30
    events, _ = fused(stream((BID, 9, 50.0, 1.0)), late)
    validate_event_order(events)
    assert len(events) == 3


def test_no_streams_make_no_events():
    assert len(fused().events) == 0


def test_progress_counts_the_rows_to_fuse():
    told = []
    fuse_streams([stream((BID, 1, 50.0, 1.0))], "0.5", "0.1", progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]


def test_what_comes_out_cannot_be_written_to_and_is_accounted_as_plain_data():
    events, account = fused(stream((BID, 1, 50.0, 1.0)))
    assert not events.flags.writeable
    assert account.to_dict()["events"] == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            stream((BID, 9, 50.0, 1.0), (BID, 3, 50.0, 1.0)),
            "stream 0: local_ts goes back from 19 to 13; run correct_event_order",
        ),
        (
            stream((ADD_ORDER_EVENT | BUY_EVENT, 9, 50.0, 1.0)),
            "stream 0: the stream is market by order, which holds the whole book already; leave it out",
        ),
        (stream((BID, 9, np.nan, 1.0)), "stream 0: row 0: price is no number: px is nan; leave the row out"),
    ],
)
def test_a_stream_that_cannot_be_used_is_refused(rows, message):
    with pytest.raises(DataError) as caught:
        fused(rows)
    assert str(caught.value) == message
