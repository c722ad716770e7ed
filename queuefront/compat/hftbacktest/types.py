"""The constants and records of `hftbacktest.types`."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core.dtypes import EVENT, SAMPLE
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    ALL_ASSETS,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    UNTIL_END_OF_DATA,
)

__all__ = [
    "ADD_ORDER_EVENT",
    "ALL_ASSETS",
    "BUY_EVENT",
    "CANCEL_ORDER_EVENT",
    "DEPTH_BBO_EVENT",
    "DEPTH_CLEAR_EVENT",
    "DEPTH_EVENT",
    "DEPTH_SNAPSHOT_EVENT",
    "EVENT_ARRAY",
    "EXCH_EVENT",
    "FILL_EVENT",
    "LOCAL_EVENT",
    "MODIFY_ORDER_EVENT",
    "SELL_EVENT",
    "TRADE_EVENT",
    "UNTIL_END_OF_DATA",
    "event_dtype",
    "record_dtype",
    "state_values_dtype",
]

event_dtype = EVENT
record_dtype = SAMPLE
state_values_dtype = np.dtype(
    [
        ("position", "f8"),
        ("balance", "f8"),
        ("fee", "f8"),
        ("num_trades", "i8"),
        ("trading_volume", "f8"),
        ("trading_value", "f8"),
    ]
)
EVENT_ARRAY = np.ndarray[Any, Any]
