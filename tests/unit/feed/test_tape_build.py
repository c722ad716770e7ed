"""A market by order becomes a tape that knows where every order stood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import EVENT, DataError, DataFormatError, Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    OP_BID,
    OP_MASK,
    OP_NOTHING,
    SELL_EVENT,
)
from queuefront.feed import Tape
from tests.l3_market import OrderMarket

INSTRUMENT = Instrument("venue", "SYM", "1", "1")
BOTH = EXCH_EVENT | LOCAL_EVENT
ADD, CANCEL, MODIFY, FILL = ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT


def events_of(*rows: tuple) -> np.ndarray:
    """Make events of (kind, side, tick, lots, order id[, halves]), one a nanosecond."""
    events = np.zeros(len(rows), EVENT)
    for i, (kind, side, tick, lots, order_id, *halves) in enumerate(rows):
        flags = halves[0] if halves else BOTH
        events[i] = (flags | side | kind, 100 + i, 100 + i, tick, lots, order_id, 0, 0.0)
    return events


STORY = events_of(
    (ADD, BUY_EVENT, 99, 5, 1),
    (ADD, BUY_EVENT, 99, 3, 2),
    (ADD, SELL_EVENT, 101, 4, 3),
    (MODIFY, BUY_EVENT, 99, 4, 1),  # smaller: keeps its place
    (MODIFY, BUY_EVENT, 99, 6, 1),  # larger: to the end
    (FILL, BUY_EVENT, 99, 3, 2),
    (CANCEL, BUY_EVENT, 99, 3, 2),
    (MODIFY, BUY_EVENT, 98, 6, 1),
    (CANCEL, SELL_EVENT, 101, 4, 3),
)


def build(events: np.ndarray, **options) -> Tape:
    return Tape.build(events, INSTRUMENT, source="test", **options)


def test_every_row_knows_the_order_as_it_was_before():
    tape = build(STORY)
    assert tape.is_by_order
    assert tape.meta["is_by_order"] is True
    assert (tape.meta["orders"], tape.meta["gap_rows"]) == (3, 0)
    assert tape.extra["prior_lots"].tolist() == [0, 0, 0, 5, 4, 3, 3, 6, 4]
    assert tape.extra["prior_row"].tolist() == [-1, -1, -1, 0, 0, 1, 1, 4, 2]
    ticks = [tape.levels[level] if level >= 0 else None for level in tape.extra["prior_level"]]
    assert ticks == [None, None, None, 99, 99, 99, 99, 99, 101]


def test_the_best_prices_follow_the_orders():
    tape = build(STORY)
    bids = [tape.levels[v] if v >= 0 else None for v in tape.best_bid_exch]
    asks = [tape.levels[v] if v < len(tape.levels) else None for v in tape.best_ask_exch]
    assert bids == [99, 99, 99, 99, 99, 99, 99, 98, 98]
    assert asks == [None, None, 101, 101, 101, 101, 101, 101, None]
    assert tape.best_bid_local.tolist() == tape.best_bid_exch.tolist()


def test_the_side_is_that_of_the_order_whatever_the_row_says():
    events = STORY.copy()
    events["ev"][[3, 5, 6]] &= ~np.uint64(BUY_EVENT)
    tape = build(events)
    assert (tape.op & OP_BID != 0).tolist() == [True, True, False, True, True, True, True, True, False]


def test_a_clear_forgets_the_orders_of_its_side_at_every_price():  # spec B2.9
    events = events_of(
        (ADD, BUY_EVENT, 99, 5, 1), (ADD, SELL_EVENT, 101, 4, 2), (DEPTH_CLEAR_EVENT, BUY_EVENT, 50, 0, 0),
        (ADD, BUY_EVENT, 97, 1, 1), (DEPTH_CLEAR_EVENT, 0, 0, 0, 0), (ADD, SELL_EVENT, 103, 1, 2),
    )  # fmt: skip
    tape = build(events)
    assert [tape.levels[v] if v >= 0 else None for v in tape.best_bid_exch] == [99, 99, None, 97, None, None]
    assert tape.extra["prior_level"].tolist() == [-1] * 6


def test_a_hidden_order_that_shrinks_does_not_come_back_as_the_best():  # spec B2.9: the best is unchanged
    events = events_of(
        (ADD, BUY_EVENT, 99, 5, 1), (ADD, BUY_EVENT, 99, 5, 2), (ADD, SELL_EVENT, 98, 4, 3), (ADD, BUY_EVENT, 96, 1, 4),
        (MODIFY, BUY_EVENT, 99, 3, 1), (CANCEL, BUY_EVENT, 99, 5, 2),
    )  # fmt: skip
    tape = build(events)
    assert [tape.levels[v] if v >= 0 else None for v in tape.best_bid_exch][3:] == [96, 96, 96]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            STORY[1:],
            (
                "test: row 2: modify order of order 1, which is not there, like 3 rows in all; the feed has a gap: begin "
                "where it is whole, or leave such rows out with on_gap='skip'"
            ),
        ),
        (
            np.concatenate([STORY[:1], STORY[:1]]),
            (
                "test: row 1: add order of order 1, which is there already, like 1 rows in all; the feed has a gap: begin "
                "where it is whole, or leave such rows out with on_gap='skip'"
            ),
        ),
        (
            events_of((ADD, BUY_EVENT, 99, 5, 1), (DEPTH_EVENT, BUY_EVENT, 98, 5, 0)),
            (
                "test: row 1: depth in a market by order; a book is told by price or by order, not both: leave the rows of "
                "one kind out"
            ),
        ),  # H7.15
    ],
)
def test_a_market_that_contradicts_itself_is_refused(events, message):  # D25, H7.15
    events = events.copy()
    events["exch_ts"] = events["local_ts"] = 100 + np.arange(len(events))
    with pytest.raises(DataError) as caught:
        build(events)
    assert str(caught.value) == message


def test_gaps_can_be_skipped_and_are_counted():  # D25
    tape = build(STORY[1:], on_gap="skip")
    assert tape.meta["gap_rows"] == 3
    assert (tape.op & OP_MASK == OP_NOTHING).tolist() == [False, False, True, True, False, False, True, False]
    whole = build(np.delete(STORY, [0, 3, 4, 7]))
    assert [tape.levels[v] if v >= 0 else None for v in tape.best_bid_exch][-1] is None
    assert whole.best_bid_exch[-1] == -1


def test_an_order_that_arrives_in_another_state_than_it_had_is_refused():
    events = events_of(
        (ADD, BUY_EVENT, 99, 5, 1), (MODIFY, BUY_EVENT, 99, 4, 1, EXCH_EVENT), (MODIFY, BUY_EVENT, 99, 2, 1),
        (MODIFY, BUY_EVENT, 99, 4, 1, LOCAL_EVENT),
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        build(events)
    assert str(caught.value) == (
        "test: row 2: order 1 reached us in another state than it had at the exchange; split the row in two with "
        "correct_event_order"
    )


def test_a_snapshot_of_levels_cannot_open_a_market_by_order():
    with pytest.raises(DataError) as caught:
        build(STORY, opening=events_of((DEPTH_EVENT, BUY_EVENT, 99, 5, 0)))
    assert str(caught.value) == (
        "test: a market by order cannot start from a snapshot of levels; begin with rows that add orders"
    )


@pytest.mark.parametrize("price", [np.nan, 98.5])
def test_a_cancel_may_name_no_price_of_the_grid(price):
    events = STORY.copy()
    events["px"][6] = price
    tape = build(events)
    assert tape.best_bid_exch.tolist() == build(STORY).best_bid_exch.tolist()
    assert tape.to_events().tobytes() == events.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_a_saved_market_by_order_is_the_same_market(tmp_path: Path, seed):
    events = OrderMarket(seed, clears=True).events()
    tape = build(events)
    tape.save(tmp_path / "market.tape")
    again = Tape.open(tmp_path / "market.tape")
    again.verify()
    assert again.to_events().tobytes() == events.tobytes()
    for name in ("order_no", "prior_level", "prior_lots", "prior_row"):
        assert again.extra[name].tolist() == tape.extra[name].tolist()


@pytest.mark.parametrize(
    ("name", "row", "value"),
    [("prior_level", 3, 99), ("prior_level", 3, -2), ("prior_level", 3, -1), ("prior_row", 3, 3), ("order_no", 0, 3)],
)
def test_an_index_of_orders_that_compiled_code_could_not_trust_is_refused(tmp_path: Path, name, row, value):  # H6.8
    tape = build(STORY)
    assert tape.measures  # taken now: a file carries those of the tape that it was
    column = tape.extra[name].copy()
    column[row] = value
    tape.extra[name] = column
    tape.save(tmp_path / "market.tape")
    with pytest.raises(DataFormatError) as caught:
        Tape.open(tmp_path / "market.tape")
    assert f"row {row}: " in str(caught.value)
