"""A market small enough to know by heart, and a backtest of it that has received the book."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import Tape
from queuefront.sim import Asset, Backtester, build_backtester

BOTH = EXCH_EVENT | LOCAL_EVENT
T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
LINEAR = Instrument("venue", "LIN", "0.5", "0.25")
INVERSE = Instrument("venue", "INV", "0.5", "1", contract="inverse", multiplier="100")


def market(instrument: Instrument = LINEAR) -> Tape:
    """Return ten seconds of a market at 100 to 101 that trades once, after five."""
    rows = [
        (BOTH | BUY_EVENT | DEPTH_EVENT, 0, 100.0),
        (BOTH | SELL_EVENT | DEPTH_EVENT, 0, 101.0),
        (BOTH | SELL_EVENT | TRADE_EVENT, 5, 100.0),
        (BOTH | BUY_EVENT | DEPTH_EVENT, 10, 100.0),
    ]
    events = np.zeros(len(rows), EVENT)
    for i, (ev, seconds, px) in enumerate(rows):
        events["ev"][i], events["exch_ts"][i], events["px"][i], events["qty"][i] = ev, T0 + seconds * SECOND, px, 10.0
    events["local_ts"] = events["exch_ts"]
    return Tape.build(events, instrument, source="small market")


def running(instrument: Instrument = LINEAR, **models: Any) -> Backtester:
    """Return a backtest that has received the book."""
    asset = Asset(market(instrument), last_trades_capacity=10, **models)
    hbt, _ = build_backtester([asset], [asset.load()])
    assert hbt.elapse(SECOND) == 0
    return hbt
