"""The fused book that compiled code can feed, beside FusedBook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from queuefront.book import FusedBook
from queuefront.book.stream_fuser_compiled import decimal_ratio, new_stream_fuser, steps_of
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_BBO_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.core.errors import ClosedError, ConfigError, DataError


def stream(seed: int, count: int = 250, spread: int = 300) -> np.ndarray:
    """Make rows that cross often, of all kinds, over a few hundred ticks, on both sides of zero."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, EVENT)
    kind = rng.choice([DEPTH_EVENT] * 6 + [DEPTH_BBO_EVENT] * 3 + [DEPTH_CLEAR_EVENT], count)
    side = np.where(rng.random(count) < 0.5, BUY_EVENT, SELL_EVENT)
    is_whole = (kind == DEPTH_CLEAR_EVENT) & (rng.random(count) < 0.3)
    events["ev"] = np.where(is_whole, kind, kind | side)
    events["px"] = rng.integers(-spread // 3, spread, count) * 0.1
    events["px"][(kind == DEPTH_CLEAR_EVENT) & (rng.random(count) < 0.3)] = np.nan
    events["qty"] = rng.integers(0, 5, count) * 0.25
    events["exch_ts"] = 1000 + np.arange(count) * 10 + rng.integers(-60, 60, count)
    events["local_ts"] = 2000 + np.arange(count) * 10
    events["order_id"], events["ival"], events["fval"] = 2**63 + 5, -3, 0.5
    return events


@njit
def _fuse(fuser: Any, events: np.ndarray, is_added: np.ndarray) -> np.ndarray:
    for i in range(len(events)):
        fuser.process_event(events, i, is_added[i])
    return fuser.fused_events  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_those_of_a_fused_book_whatever_the_order_in_which_ticks_are_named(seed: int) -> None:  # B2.10
    events = stream(seed)
    is_added = np.random.default_rng(seed).random(len(events)) < 0.9
    book = FusedBook("0.1", "0.25")
    for i in range(len(events)):
        book.process_event(events, i, bool(is_added[i]))
    made = _fuse(new_stream_fuser(0.1, 0.25), events, is_added)
    assert len(made) > 100
    assert made.tobytes() == book.fused_events.tobytes()


def test_records_of_an_aligned_spelling_are_taken() -> None:
    events = stream(1, 50)
    aligned = np.zeros(len(events), np.dtype(EVENT.descr, align=True))
    for name in EVENT.names or ():
        aligned[name] = events[name]
    every = np.ones(len(events), np.bool_)
    made = _fuse(new_stream_fuser(0.1, 0.25), aligned, every)
    assert made.tobytes() == _fuse(new_stream_fuser(0.1, 0.25), events, every).tobytes()


def row(ev: int, px: float = 1.0, qty: float = 1.0) -> np.ndarray:
    events = np.zeros(1, EVENT)
    events["ev"], events["px"], events["qty"] = ev, px, qty
    return events


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (row(TRADE_EVENT | BUY_EVENT), "the row's ev is of no kind that a book is made of; leave the row out"),
        (row(DEPTH_EVENT), "the row's ev has no side; set BUY_EVENT or SELL_EVENT"),
        (row(DEPTH_EVENT | BUY_EVENT, np.nan), "the row's px is no price; leave the row out"),
        (row(DEPTH_EVENT | BUY_EVENT, 1e300), "the row's px is beyond 2^53 ticks; is the tick size right?"),
        (row(DEPTH_EVENT | BUY_EVENT, 1.0, -0.5), "the row's qty is no quantity; leave the row out"),
        (row(DEPTH_EVENT | BUY_EVENT, 1.0, np.nan), "the row's qty is no quantity; leave the row out"),
        (row(DEPTH_EVENT | BUY_EVENT, 1.0, 1e300), "the row's qty is beyond 2^53 lots; is the lot size right?"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_changes_nothing(events: np.ndarray, message: str) -> None:  # D16
    fuser = new_stream_fuser(0.5, 0.1)
    fuser.process_event(row(DEPTH_EVENT | BUY_EVENT), 0, True)
    with pytest.raises(DataError) as caught:
        fuser.process_event(events, 0, True)
    assert str(caught.value) == message
    assert len(fuser.fused_events) == 1


@pytest.mark.parametrize("index", [1, -1, 2**40])
def test_a_row_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(IndexError) as caught:
        new_stream_fuser(0.5, 0.1).process_event(row(DEPTH_EVENT | BUY_EVENT), index, True)
    assert str(caught.value) == "there is no such row; rows count from 0"


def test_a_closed_book_is_used_no_more() -> None:
    fuser = new_stream_fuser(0.5, 0.1)
    fuser.close()
    fuser.close()
    for use in (lambda: fuser.fused_events, lambda: fuser.process_event(row(DEPTH_EVENT | BUY_EVENT), 0, True)):
        with pytest.raises(ClosedError) as caught:
            use()
        assert str(caught.value) == "the fused book was closed; make a new one"


@pytest.mark.parametrize("grid", [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf)])
def test_a_grid_without_steps_is_refused(grid: tuple[float, float]) -> None:
    with pytest.raises(ConfigError) as caught:
        new_stream_fuser(*grid)
    assert str(caught.value) == "tick_size and lot_size of a fused book must be positive numbers"


def test_the_rows_made_are_a_copy() -> None:
    fuser = new_stream_fuser(0.5, 0.1)
    fuser.process_event(row(DEPTH_EVENT | BUY_EVENT), 0, True)
    fuser.fused_events["px"] = 7.0
    assert fuser.fused_events["px"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("step", "ratio"),
    [(0.1, (1.0, 10.0)), (0.25, (25.0, 100.0)), (5.0, (5.0, 1.0)), (1e-8, (1.0, 1e8)), (1 / 3, (1 / 3, 1.0))],
)
def test_a_step_is_the_ratio_of_its_shortest_decimal(step: float, ratio: tuple[float, float]) -> None:  # D54
    found = decimal_ratio(step)
    assert found[0] / found[1] == step
    if step != 1 / 3:
        assert found == ratio


@pytest.mark.parametrize(("value", "count"), [(0.5, 1), (-0.5, -1), (0.49999999999999994, 0), (2.4, 2), (-2.6, -3)])
def test_values_are_taken_to_the_nearest_step_halves_away_from_zero(value: float, count: int) -> None:
    assert steps_of(value, 1.0) == count
