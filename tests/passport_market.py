"""Small markets written by hand, one row a tuple, for figures that can be computed in one's head."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core import EVENT, Instrument
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
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape

SECOND = 1_000_000_000
MS = 1_000_000
T0 = 1_700_000_000 * SECOND  # a multiple of 10 s, so that spans begin here
BOTH = EXCH_EVENT | LOCAL_EVENT
SPOT = Instrument("venue", "X", "1", "1")
KINDS = {
    "bid": BUY_EVENT | DEPTH_EVENT,
    "ask": SELL_EVENT | DEPTH_EVENT,
    "buy": BUY_EVENT | TRADE_EVENT,
    "sell": SELL_EVENT | TRADE_EVENT,
    "clear": DEPTH_CLEAR_EVENT,
    "add bid": BUY_EVENT | ADD_ORDER_EVENT,
    "add ask": SELL_EVENT | ADD_ORDER_EVENT,
    "cancel": CANCEL_ORDER_EVENT,
    "modify": MODIFY_ORDER_EVENT,
    "fill": FILL_EVENT,
}


def tape_of(*rows: tuple[Any, ...], latency_ms: float = 1.0, **options: Any) -> Tape:
    """Return a tape of rows (seconds, kind, price, quantity[, order id]) that reach us after the same latency."""
    events = np.zeros(len(rows), EVENT)
    for i, (seconds, kind, price, qty, *order_id) in enumerate(rows):
        flags = options.get("flags", {}).get(i, BOTH)
        ts = T0 + round(seconds * SECOND)
        events[i] = (flags | KINDS[kind], ts, ts + round(latency_ms * MS), price, qty, *(order_id or [0]), 0, 0.0)
    for name, value in options.get("late_ms", {}).items():
        events["local_ts"][name] += round(value * MS)
    build = {name: value for name, value in options.items() if name not in ("flags", "late_ms")}
    return Tape.build(events, build.pop("instrument", SPOT), source="by hand", **build)
