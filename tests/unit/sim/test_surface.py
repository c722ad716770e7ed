"""The methods of a running backtest."""

from typing import Any

import numpy as np
import pytest

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import (
    ALL_ASSETS,
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    UNTIL_END_OF_DATA,
)
from queuefront.feed import Tape
from queuefront.sim import Asset, ConstantLatency, build_backtester

BOTH = EXCH_EVENT | LOCAL_EVENT
ROWS = [
    (BOTH | DEPTH_EVENT | BUY_EVENT, 100, 110, 99.0, 5.0),
    (BOTH | DEPTH_EVENT | SELL_EVENT, 100, 110, 101.0, 5.0),
    (BOTH | TRADE_EVENT | SELL_EVENT, 200, 210, 99.0, 2.0),
    (BOTH | TRADE_EVENT | BUY_EVENT, 300, 310, 101.0, 1.0),
    (BOTH | DEPTH_EVENT | BUY_EVENT, 10_000, 10_010, 98.0, 1.0),
]


def backtest(**models: Any) -> Any:
    events = np.zeros(len(ROWS), EVENT)
    for i, row in enumerate(ROWS):
        events[i] = (*row, 0, 0, 0)
    asset = Asset(Tape.build(events, Instrument("t", "T", 1, 1), source="test"), **models)
    return build_backtester([asset], [asset.load()])[0]


def test_the_clock_starts_at_the_first_event() -> None:  # B13 D22
    assert backtest().current_timestamp == 100


@pytest.mark.parametrize("call", ["elapse", "elapse_bt"])
def test_a_negative_duration_is_refused_and_the_clock_stands(call: str) -> None:  # B13 D21
    hbt = backtest()
    assert getattr(hbt, call)(-1) == 13
    assert hbt.current_timestamp == 100


def test_a_duration_beyond_int64_reaches_the_end_of_the_data() -> None:  # B13 D20
    assert backtest().elapse(UNTIL_END_OF_DATA) == 1
    assert backtest().wait_next_feed(False, UNTIL_END_OF_DATA) == 2


def test_each_call_waits_for_the_next_feed() -> None:
    hbt = backtest()
    times = []
    while (code := hbt.wait_next_feed(False, 1_000_000)) == 2:
        times.append(hbt.current_timestamp)
    # The last row is the end of the data, which wins (D23).
    assert (times, code) == ([110, 210, 310], 1)


def test_trades_are_shown_until_they_are_cleared_and_only_with_a_capacity() -> None:  # H5.7
    hbt = backtest(last_trades_capacity=10)
    hbt.elapse(300)
    trades = hbt.last_trades(0)
    assert [(t["exch_ts"], t["local_ts"], t["px"], t["qty"]) for t in trades] == [
        (200, 210, 99.0, 2.0),
        (300, 310, 101.0, 1.0),
    ]
    hbt.clear_last_trades(ALL_ASSETS)
    assert len(hbt.last_trades(0)) == 0
    assert len(trades) == 2
    silent = backtest()
    silent.elapse(300)
    assert len(silent.last_trades(0)) == 0


def test_latencies_are_none_before_there_is_one() -> None:
    hbt = backtest(latency=ConstantLatency(10, 20))
    assert hbt.feed_latency(0) is None
    assert hbt.order_latency(0) is None
    hbt.elapse(20)
    assert hbt.feed_latency(0) == (100, 110)
    assert hbt.submit_buy_order(0, 1, 98.0, 1.0, GTC, LIMIT, True) == 0
    assert hbt.order_latency(0) == (120, 130, 150)


def test_state_values_stay_as_they_were_taken() -> None:  # H5.9
    hbt = backtest(latency=ConstantLatency(1, 1))
    hbt.elapse(20)
    before = hbt.state_values(0)
    assert hbt.submit_buy_order(0, 1, 101.0, 2.0, GTC, LIMIT, True) == 0
    assert before.position == 0.0
    after = hbt.state_values(0)
    assert (after.position, after.balance, after.num_trades) == (2.0, -202.0, 1)
    assert hbt.position(0) == 2.0


def test_keyword_arguments_are_taken() -> None:
    hbt = backtest()
    hbt.elapse(20)
    code = hbt.submit_buy_order(
        asset_no=0, order_id=2**64 - 1, price=98.0, qty=1.0, time_in_force=GTC, order_type=LIMIT, wait=True
    )
    assert code == 0
    assert hbt.orders(0).get(2**64 - 1).order_id == 2**64 - 1
    assert 2**64 - 1 in hbt.orders(0)
