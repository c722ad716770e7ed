"""The bounded-range book beside hftbacktest's vector book, where both keep one rule and where they differ."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.book import RangeBook
from queuefront.core import EVENT, Instrument
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT

BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = BOTH | DEPTH_EVENT | BUY_EVENT, BOTH | DEPTH_EVENT | SELL_EVENT
CLEAR_ASKS = BOTH | DEPTH_CLEAR_EVENT | SELL_EVENT
LOW, HIGH = 1000, 1100
INSTRUMENT = Instrument("venue", "SYM", "0.5", "0.25")


def rows_of(*rows: tuple[int, int, float]) -> np.ndarray:
    """Make rows of (ev, tick, qty), one a second."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, tick, qty) in enumerate(rows):
        events[i] = (ev, (i + 1) * 10**9, (i + 1) * 10**9, tick * 0.5, qty, 0, 0, 0)
    return events


def ours(events: np.ndarray) -> RangeBook:
    book = RangeBook(INSTRUMENT, LOW, HIGH)
    for ev, tick, qty in zip(events["ev"], INSTRUMENT.ticks(events["px"])[0], events["qty"], strict=True):
        if ev == CLEAR_ASKS:
            book.clear_asks(int(tick))
        else:
            (book.update_bid if ev == BID else book.update_ask)(tick * 0.5, qty)
    return book


def theirs(events: np.ndarray) -> dict[str, object]:
    from hftbacktest import BacktestAsset, ROIVectorMarketDepthBacktest

    # A last row that changes nothing, so that the time of the one before can be reached.
    end = rows_of((BOTH | DEPTH_EVENT, LOW, 0.0))
    end["exch_ts"] = end["local_ts"] = (len(events) + 9) * 10**9
    data = np.concatenate([events, end])
    asset = BacktestAsset().data(data).tick_size(0.5).lot_size(0.25).roi_lb(LOW * 0.5).roi_ub(HIGH * 0.5)
    asset.linear_asset(1.0).constant_order_latency(0, 0).risk_adverse_queue_model().no_partial_fill_exchange()
    asset.trading_value_fee_model(0.0, 0.0)
    backtest = ROIVectorMarketDepthBacktest([asset])
    for _ in events:
        backtest.wait_next_feed(False, 10**12)
    depth = backtest.depth(0)
    found = {
        "bests": (int(depth.best_bid_tick), int(depth.best_ask_tick)),
        "bids": depth.bid_depth.copy().tolist(),
        "asks": depth.ask_depth.copy().tolist(),
    }
    backtest.close()
    return found


def shown(book: RangeBook) -> dict[str, object]:
    return {
        "bests": (book.best_bid_tick, book.best_ask_tick),
        "bids": INSTRUMENT.quantities(book.bid_depth()).tolist(),
        "asks": INSTRUMENT.quantities(book.ask_depth()).tolist(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_updates_make_the_references_book(seed):
    """Levels in and around the range, crossing often, without clears and odd lots."""
    rng = np.random.default_rng(seed)
    rows = [
        (BID if rng.random() < 0.5 else ASK, int(rng.integers(LOW - 20, HIGH + 21)), int(rng.integers(0, 4)) * 0.25)
        for _ in range(400)
    ]
    events = rows_of(*rows)
    assert shown(ours(events)) == theirs(events)


@pytest.mark.slow
def test_d12_a_clear_of_asks_removes_them():
    events = rows_of((ASK, 1010, 1.0), (ASK, 1030, 1.0), (CLEAR_ASKS, 1020, 0.0))
    book, reference = ours(events), theirs(events)
    assert (book.best_ask_tick, book.ask_lots_at(1010)) == (1030, 0)
    assert reference["asks"][10] == 1.0


@pytest.mark.slow
def test_d13_a_quantity_below_half_a_lot_is_not_kept():
    events = rows_of((BID, 1010, 1.0), (BID, 1020, 1.0), (BID, 1015, 0.1), (BID, 1020, 0.0))
    book, reference = ours(events), theirs(events)
    assert (book.best_bid_tick, book.bid_lots_at(1015)) == (1010, 0)
    assert (reference["bests"][0], reference["bids"][15]) == (1015, 0.1)


@pytest.mark.slow
def test_d14_quantities_at_the_best_prices_are_quantities():
    import hftbacktest

    from queuefront.compat import hftbacktest as compat

    def found(module) -> tuple[float, float]:
        events = rows_of((BID, 1010, 1.0), (ASK, 1020, 2.0), (BOTH | DEPTH_EVENT, LOW, 0.0))
        asset = module.BacktestAsset().data(events).tick_size(0.5).lot_size(0.25).roi_lb(LOW * 0.5).roi_ub(HIGH * 0.5)
        backtest = module.ROIVectorMarketDepthBacktest([asset])
        backtest.wait_next_feed(False, 10**12)
        backtest.wait_next_feed(False, 10**12)
        depth = backtest.depth(0)
        quantities = float(depth.best_bid_qty), float(depth.best_ask_qty)
        backtest.close()
        return quantities

    assert found(compat) == (1.0, 2.0)
    assert found(hftbacktest) == (505.0, 510.0)
