from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT
from queuefront.core.errors import ConfigError
from queuefront.feed import SynthConfig, Tape, synthesize_orders
from queuefront.paper.replay import MarketTrade, Replay, TopOfBook
from queuefront.sim import Asset, build_backtester
from tests.paper_market import ASK, BID, BOUGHT, SECOND, STORY, T0, USDM, instrument, story, synthetic

CLEAR_BIDS = EXCH_EVENT | LOCAL_EVENT | BUY_EVENT | DEPTH_CLEAR_EVENT
CLEAR_ASKS = EXCH_EVENT | LOCAL_EVENT | SELL_EVENT | DEPTH_CLEAR_EVENT
CLEAR_BOTH = EXCH_EVENT | LOCAL_EVENT | DEPTH_CLEAR_EVENT


def played(rows: Any, seconds: float = 100) -> Replay:
    replay = Replay(story(USDM, rows))
    replay.advance(T0 + round(seconds * SECOND))
    return replay


def test_the_book_is_the_best_first_and_limited() -> None:
    replay = played(STORY, 0)
    assert replay.snapshot(10) == ([(200, 40), (199, 80)], [(202, 40), (203, 80)])
    assert replay.snapshot(1) == ([(200, 40)], [(202, 40)])


def test_trades_and_tops_come_as_they_happened() -> None:
    replay = Replay(story(USDM))
    events = replay.advance(T0 + 8 * SECOND)
    assert [(type(e), (e.ts - T0) // SECOND) for e in events] == [
        (TopOfBook, 0), (MarketTrade, 5), (TopOfBook, 5), (MarketTrade, 7), (TopOfBook, 7),
    ]  # fmt: skip
    assert events[1] == MarketTrade(T0 + 5 * SECOND, 1, 200, 16, is_buyer_maker=True)
    assert (events[2].bid_tick, events[2].bid_lots, events[4].bid_tick) == (200, 24, 199)
    assert list(replay.recent_trades) == [events[1], events[3]]


def test_nothing_is_played_twice_and_the_end_is_known() -> None:
    replay = Replay(story(USDM))
    assert replay.rows == (0, len(STORY))
    replay.advance(T0 + 59 * SECOND)
    assert not replay.is_over
    before = replay.update_id
    assert replay.advance(T0 + 59 * SECOND) == []
    replay.advance(T0 + 60 * SECOND)
    assert (replay.is_over, replay.update_id) == (True, before + 1)


def test_update_ids_step_as_told() -> None:
    assert Replay(story(USDM), 3).update_id == 3
    replay = Replay(story(USDM), 3)
    replay.advance(T0)
    assert replay.update_id == 15


def test_a_hidden_level_is_not_published_until_it_shows_again() -> None:
    rows = ((BID, 0, 100.0, 1), (BID, 0, 99.0, 2), (ASK, 0, 101.0, 1), (ASK, 1, 100.0, 3), (ASK, 2, 100.0, 0))
    assert played(rows, 1).snapshot(5) == ([(198, 8)], [(200, 12), (202, 4)])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((CLEAR_BIDS, 1, 99.5, 0), ([(198, 4)], [(202, 4), (204, 4)])),
        ((CLEAR_ASKS, 1, 101.5, 0), ([(200, 4), (198, 4)], [(204, 4)])),
        ((CLEAR_BOTH, 1, 0.0, 0), ([], [])),
    ],
)
def test_a_clear_empties_what_it_names(row: Any, expected: Any) -> None:
    rows = [(BID, 0, 100.0, 1), (BID, 0, 99.0, 1), (ASK, 0, 101.0, 1), (ASK, 0, 102.0, 1), row]
    assert played([*rows, (BID, 2, 99.5, 1), (ASK, 2, 101.5, 1)], 1).snapshot(9) == expected


def test_an_empty_side_has_no_best_price() -> None:
    top = played(((BOUGHT, 0, 100.0, 1),)).top()
    assert (top.bid_tick, top.bid_lots, top.ask_tick, top.ask_lots) == (None, 0, None, 0)


def test_the_published_book_is_the_backtests_at_every_time() -> None:
    """The engine that matches our orders and the stream that clients see hold the same book."""
    tape = synthetic(USDM, 6_000)
    replay = Replay(tape)
    asset = Asset(tape)
    backtest, _ = build_backtester([asset], [asset.load()])
    local = Tape.build(_as_seen_at_once(tape), tape.instrument, source="no latency")
    asset = Asset(local)
    backtest, _ = build_backtester([asset], [asset.load()])
    start = int(backtest.current_timestamp)
    for step in range(1, 150):
        backtest.elapse(SECOND // 10)
        replay.advance(start + step * SECOND // 10)
        rows = backtest.depth(0).snapshot()
        is_bid = (rows["ev"] & BUY_EVENT) != 0
        bids, asks = replay.snapshot(10_000)
        assert [tick for tick, _ in bids] == np.round(rows["px"][is_bid] / 0.1).astype(int).tolist()
        assert [lots for _, lots in asks] == np.round(rows["qty"][~is_bid] / 0.001).astype(int).tolist()


def _as_seen_at_once(tape: Tape) -> Any:
    events = tape.to_events()
    events = events[(events["ev"] & EXCH_EVENT) != 0].copy()
    events["local_ts"] = events["exch_ts"]
    events["ev"] |= LOCAL_EVENT
    return events


def test_a_market_by_order_is_refused() -> None:
    tape = Tape.build(
        synthesize_orders(SynthConfig(events=500, start_ts=T0)),
        instrument(USDM).override(tick_size="0.1", lot_size="0.001"),
        source="orders",
    )
    with pytest.raises(ConfigError) as caught:
        Replay(tape)
    assert str(caught.value) == f"{tape!r} is told by order, which no venue here publishes; give a tape told by price"
