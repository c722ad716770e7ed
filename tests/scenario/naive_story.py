"""A short market for the naive engine, told row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from tests.naive.engine import AssetConfig, NaiveEngine
from tests.naive.latency import ConstantLatency

#: Ticks and lots are prices and quantities.
PLAIN = Instrument("venue", "PLAIN", "1", "1")

BID = BUY_EVENT | DEPTH_EVENT
ASK = SELL_EVENT | DEPTH_EVENT
BUYS = BUY_EVENT | TRADE_EVENT
SELLS = SELL_EVENT | TRADE_EVENT

#: Bids 99:5, 98:5 and asks 101:5, 102:5 at time 100, and a late row that keeps the data alive.
BOOK = ((100, BID, 99, 5), (100, BID, 98, 5), (100, ASK, 101, 5), (100, ASK, 102, 5))
LATE = (100_000, BID, 50, 1)


def events_of(*rows: tuple[float, ...]) -> np.ndarray:
    """Return EVENT rows of (time, side and kind, price, quantity[, order id]), seen by both halves at once."""
    events = np.zeros(len(rows), EVENT)
    for event, (ts, ev, px, qty, *order_id) in zip(events, rows, strict=True):
        event["ev"] = int(ev) | EXCH_EVENT | LOCAL_EVENT
        event["exch_ts"] = event["local_ts"] = ts
        event["px"], event["qty"] = px, qty
        event["order_id"] = order_id[0] if order_id else 0
    return events


def story(*rows: tuple[float, ...], **models: Any) -> NaiveEngine:
    """Return a backtest of a story in time order, before its first event; latencies are 10 and 10 unless said otherwise."""
    models = {"latency": ConstantLatency(10, 10), "instrument": PLAIN, **models}
    return NaiveEngine([AssetConfig(events_of(*sorted(rows, key=lambda row: row[0])), **models)])


def buy(hbt: NaiveEngine, order_id: int, price: float, qty: float, tif: int = GTC, kind: int = LIMIT) -> int:
    return hbt.submit_buy_order(0, order_id, price, qty, tif, kind, False)


def sell(hbt: NaiveEngine, order_id: int, price: float, qty: float, tif: int = GTC, kind: int = LIMIT) -> int:
    return hbt.submit_sell_order(0, order_id, price, qty, tif, kind, False)


def fills(hbt: NaiveEngine) -> list[tuple[int, int, int]]:
    """Return (order id, tick, lots) of each fill we know of, in order."""
    return [(fill.order_id, fill.price_tick, fill.lots) for fill in hbt.account(0).fills]
