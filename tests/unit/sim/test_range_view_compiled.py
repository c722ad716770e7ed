"""The arrays that show a bounded book, and everything else that a bounded book shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from queuefront.book import RangeBook
from queuefront.core import EVENT, Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    NO_BID_TICK,
    SELL,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.errors import ConfigError, OffGridError
from queuefront.feed import Tape
from queuefront.sim import Asset, FifoQueue, build_backtester

BOTH = EXCH_EVENT | LOCAL_EVENT
INSTRUMENT = Instrument("t", "T", "0.5", "0.25")
LOW, HIGH = 100, 109


def events_of(rows: list[tuple[int, int, float, int]]) -> np.ndarray:
    """Make rows of (flags and kind, tick, quantity, order id), one a nanosecond from 1."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, tick, qty, order_id) in enumerate(rows):
        events[i] = (BOTH | ev, i + 1, i + 1, tick * 0.5, qty, order_id, 0, 0)
    return events


def backtest_of(events: np.ndarray, bounds: tuple[int, int] | None = (LOW, HIGH), **options: Any) -> Any:
    depth_range = None if bounds is None else (bounds[0] * 0.5, bounds[1] * 0.5)
    asset = Asset(Tape.build(events, INSTRUMENT, source="test"), depth_range=depth_range, **options)
    return build_backtester([asset], [asset.load()])[0]


def random_levels(seed: int, count: int = 300) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        side = BUY_EVENT if rng.random() < 0.5 else SELL_EVENT
        kind = DEPTH_CLEAR_EVENT if rng.random() < 0.03 else DEPTH_EVENT
        rows.append((side | kind, int(rng.integers(LOW - 8, HIGH + 9)), 0.25 * int(rng.integers(0, 4)), 0))
    return events_of(rows)


def random_orders(seed: int, count: int = 300) -> np.ndarray:
    """Make a market by order, a third of whose orders lie outside of the range; some move in or out."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, float, int]] = []
    live: dict[int, int] = {}
    for order_id in range(1, count + 1):
        tick, qty = int(rng.integers(LOW - 4, HIGH + 5)), 0.25 * int(rng.integers(1, 5))
        if live and rng.random() < 0.5:
            old = int(rng.choice(list(live)))
            if rng.random() < 0.5:
                rows.append((live.pop(old) | CANCEL_ORDER_EVENT, tick, 0.0, old))
            else:
                rows.append((live[old] | MODIFY_ORDER_EVENT, tick, qty, old))
        else:
            live[order_id] = BUY_EVENT if rng.random() < 0.5 else SELL_EVENT
            rows.append((live[order_id] | ADD_ORDER_EVENT, tick, qty, order_id))
    return events_of(rows)


def range_book(events: np.ndarray) -> RangeBook:
    """Return the book by RangeBook, which the engine does not use."""
    book = RangeBook(INSTRUMENT, LOW, HIGH)
    for row in events:
        kind, is_bid = int(row["ev"]) & 0xFF, bool(int(row["ev"]) & BUY_EVENT)
        tick, lots, order_id = round(row["px"] / 0.5), round(row["qty"] / 0.25), int(row["order_id"])
        if kind == DEPTH_EVENT:
            (book.set_bid if is_bid else book.set_ask)(tick, lots)
        elif kind == DEPTH_CLEAR_EVENT:
            (book.clear_bids if is_bid else book.clear_asks)(tick)
        elif kind == ADD_ORDER_EVENT:
            book.add_order(order_id, BUY if is_bid else SELL, tick, lots)
        elif kind == MODIFY_ORDER_EVENT:
            book.modify_order(order_id, tick, lots)
        else:
            book.delete_order(order_id)
    return book


def assert_shows(depth: Any, book: RangeBook) -> None:
    assert (depth.best_bid_tick, depth.best_ask_tick) == (book.best_bid_tick, book.best_ask_tick)
    assert depth.bid_depth.tolist() == (0.25 * book.bid_depth()).tolist()
    assert depth.ask_depth.tolist() == (0.25 * book.ask_depth()).tolist()
    ours, theirs = depth.snapshot(), book.snapshot()
    assert [(r["px"], r["qty"]) for r in ours] == [(r["px"], r["qty"]) for r in theirs]


@pytest.mark.parametrize("seed", range(3))
def test_a_book_by_price_shows_the_range_after_every_row_as_a_range_book_does(seed: int) -> None:  # H7.1 H7.3 H7.4
    events = random_levels(seed)
    hbt = backtest_of(events)
    for i in range(0, len(events), 7):
        hbt.elapse(i + 1 - hbt.current_timestamp)
        assert_shows(hbt.depth(0), range_book(events[: i + 1]))


@pytest.mark.parametrize("seed", range(3))
def test_a_book_by_order_shows_the_range_after_every_row_as_a_range_book_does(seed: int) -> None:  # D18 H7.2 H7.16
    events = random_orders(seed)
    hbt = backtest_of(events, queue=FifoQueue())
    for i in range(0, len(events), 7):
        hbt.elapse(i + 1 - hbt.current_timestamp)
        assert_shows(hbt.depth(0), range_book(events[: i + 1]))


def test_an_order_that_is_modified_into_the_range_has_weight_there() -> None:  # H7.16
    events = events_of(
        [
            (BUY_EVENT | ADD_ORDER_EVENT, LOW - 5, 1.0, 1),
            (BUY_EVENT | MODIFY_ORDER_EVENT, LOW + 2, 0.5, 1),
            (BUY_EVENT | MODIFY_ORDER_EVENT, HIGH + 3, 0.5, 1),
        ]
    )
    hbt = backtest_of(events, queue=FifoQueue())
    hbt.elapse(0)
    assert hbt.depth(0).best_bid_tick == NO_BID_TICK
    hbt.elapse(1)
    assert (hbt.depth(0).best_bid_tick, hbt.depth(0).best_bid_qty) == (LOW + 2, 0.5)
    hbt.elapse(1)
    assert hbt.depth(0).best_bid_tick == NO_BID_TICK
    assert hbt.depth(0).bid_depth.tolist() == [0.0] * 10


def test_what_lies_outside_is_no_number_and_no_neighbour() -> None:
    rows = [(BUY_EVENT | ADD_ORDER_EVENT, LOW - 1, 1.0, 1), (BUY_EVENT | ADD_ORDER_EVENT, LOW, 0.5, 2)]
    hbt = backtest_of(events_of(rows), queue=FifoQueue())
    hbt.elapse(1)
    depth = hbt.depth(0)
    assert np.isnan(depth.bid_qty_at_tick(LOW - 1))
    assert depth.bid_qty_within(5) == 0.5
    assert len(depth.snapshot()) == 1


def test_an_order_of_ours_outside_of_the_range_is_filled_by_a_trade_through_it() -> None:  # H7.16
    rows = [
        (BUY_EVENT | DEPTH_EVENT, LOW, 1.0, 0),
        (SELL_EVENT | DEPTH_EVENT, HIGH, 1.0, 0),
        *[(BUY_EVENT | DEPTH_EVENT, LOW, 1.0, 0)] * 5,
        (SELL_EVENT | TRADE_EVENT, LOW - 5, 1.0, 0),
        (BUY_EVENT | DEPTH_EVENT, LOW, 1.0, 0),
    ]
    hbt = backtest_of(events_of(rows))
    hbt.elapse(1)
    assert hbt.submit_buy_order(0, 1, (LOW - 3) * 0.5, 0.25, GTC, LIMIT, False) == 0
    hbt.elapse(6)
    assert hbt.position(0) == 0.25


def test_the_arrays_cannot_be_written() -> None:  # H5.10
    hbt = backtest_of(random_levels(0))
    hbt.elapse(50)
    with pytest.raises(ValueError, match="read-only"):
        hbt.depth(0).bid_depth[0] = 1.0


@njit
def _sum_of_depth(hbt: Any) -> tuple[float, float]:
    bids = asks = 0.0
    while hbt.elapse(1) == 0:
        depth = hbt.depth(0)
        for i in range(depth.roi_ub_tick - depth.roi_lb_tick + 1):
            bids += depth.bid_depth[i]
            asks += depth.ask_depth[i]
    return bids, asks


def test_a_compiled_strategy_reads_the_arrays_level_by_level() -> None:
    events = random_levels(1)
    hbt = backtest_of(events)
    bids = asks = 0.0
    while hbt.elapse(1) == 0:
        bids += float(hbt.depth(0).bid_depth.sum())
        asks += float(hbt.depth(0).ask_depth.sum())
    assert _sum_of_depth(backtest_of(events)) == (bids, asks)
    assert bids > 0.0


def test_a_book_without_bounds_has_no_arrays() -> None:
    depth = backtest_of(random_levels(0), None).depth(0)
    with pytest.raises(ValueError, match=r"^this book is not bounded; it has no array of levels$"):
        depth.bid_depth  # noqa: B018 - the attribute raises


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        backtest_of(random_levels(0), (HIGH, LOW))
    assert str(caught.value) == (
        "the books are to hold ticks 109 to 100; give a lower and an upper price, 134,217,728 ticks at most"
    )


def test_a_range_off_the_grid_is_refused() -> None:
    asset = Asset(Tape.build(random_levels(0), INSTRUMENT, source="test"), depth_range=(50.1, 60.0))
    with pytest.raises(OffGridError) as caught:
        asset.load()
    assert str(caught.value) == "price 50.1 of t:T is not a multiple of tick_size 0.5"


def test_bounds_are_narrowed_and_not_widened() -> None:
    tape = Tape.build(random_levels(0), INSTRUMENT, source="test").bounded(LOW, HIGH)
    assert tape.bounded(LOW + 1, HIGH).tick_range == (LOW + 1, HIGH)
    with pytest.raises(ConfigError) as caught:
        tape.bounded(LOW - 1, HIGH)
    assert str(caught.value) == (
        "the tape's books hold ticks 100 to 109 and cannot show 99 to 109; bound the tape that this one was made from"
    )
