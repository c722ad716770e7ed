"""The local depth that a strategy reads."""

from typing import Any

import numpy as np
import pytest

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, NO_ASK_TICK, NO_BID_TICK, SELL_EVENT
from queuefront.feed import Tape
from queuefront.sim import Asset, build_backtester

BOTH = EXCH_EVENT | LOCAL_EVENT | DEPTH_EVENT


def backtest_of(rows: list[tuple[int, int, float, float]]) -> Any:
    """Return a backtest over depth rows (side flag, time, price, quantity), both times alike."""
    events = np.zeros(len(rows), EVENT)
    for i, (side, ts, px, qty) in enumerate(rows):
        events[i] = (BOTH | side, ts, ts, px, qty, 0, 0, 0)
    asset = Asset(Tape.build(events, Instrument("t", "T", "0.1", "0.01"), source="test"))
    return build_backtester([asset], [asset.load()])[0]


ROWS = [
    (BUY_EVENT, 100, 9.9, 0.05),
    (BUY_EVENT, 100, 9.8, 0.07),
    (SELL_EVENT, 200, 10.1, 0.03),
    (BUY_EVENT, 300, 10.2, 0.02),
    (BUY_EVENT, 400, 9.7, 0.01),
]


def test_an_empty_side_shows_the_sentinel_ticks_nan_and_no_quantity() -> None:
    depth = backtest_of(ROWS).depth(0)
    assert (depth.best_bid_tick, depth.best_ask_tick) == (NO_BID_TICK, NO_ASK_TICK)
    assert np.isnan(depth.best_bid)
    assert np.isnan(depth.best_ask)
    assert (depth.best_bid_qty, depth.best_ask_qty) == (0.0, 0.0)


def test_the_best_prices_and_quantities_are_the_ones_received() -> None:
    hbt = backtest_of(ROWS)
    assert hbt.elapse(100) == 0
    depth = hbt.depth(0)
    assert (depth.best_bid_tick, depth.best_ask_tick) == (99, 101)
    assert (depth.best_bid_qty, depth.best_ask_qty) == (0.05, 0.03)
    assert (depth.tick_size, depth.lot_size) == (0.1, 0.01)


def test_a_hidden_ask_keeps_its_quantity() -> None:
    hbt = backtest_of(ROWS)
    assert hbt.elapse(200) == 0
    depth = hbt.depth(0)
    assert depth.best_bid_tick == 102
    assert depth.best_ask_tick == NO_ASK_TICK
    assert depth.ask_qty_at_tick(101) == 0.03


@pytest.mark.parametrize("tick", [-(2**60), 0, 100, 2**60])
def test_a_tick_that_the_tape_never_names_holds_nothing(tick: int) -> None:
    hbt = backtest_of(ROWS)
    hbt.elapse(100)
    assert hbt.depth(0).bid_qty_at_tick(tick) == 0.0
    assert hbt.depth(0).ask_qty_at_tick(tick) == 0.0


def test_a_snapshot_lists_bids_downward_then_asks_upward_and_is_a_copy() -> None:  # H5.3
    hbt = backtest_of(ROWS)
    hbt.elapse(100)
    rows = hbt.depth(0).snapshot()
    assert [(round(r["px"], 1), r["qty"]) for r in rows] == [(9.9, 0.05), (9.8, 0.07), (10.1, 0.03)]
    rows["qty"] = 0
    assert hbt.depth(0).best_bid_qty == 0.05
