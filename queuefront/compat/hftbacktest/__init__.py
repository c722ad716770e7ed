"""hftbacktest's surface on our engine: change the import line of a strategy and run it.

Covers backtests by price and by order, with either book; recorder, statistics, and the data utilities. There are no live
bots yet.
"""

from queuefront.bot import Recorder
from queuefront.compat.hftbacktest.asset import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest
from queuefront.compat.hftbacktest.order import (
    BUY,
    CANCELED,
    EXPIRED,
    FILLED,
    GTC,
    GTX,
    LIMIT,
    MARKET,
    NEW,
    NONE,
    SELL,
)
from queuefront.compat.hftbacktest.types import (
    ADD_ORDER_EVENT,
    ALL_ASSETS,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EVENT_ARRAY,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    event_dtype,
)

#: The version of hftbacktest whose surface this is.
__version__ = "2.4.4"

__all__ = [
    "ADD_ORDER_EVENT",
    "ALL_ASSETS",
    "BUY",
    "BUY_EVENT",
    "CANCELED",
    "CANCEL_ORDER_EVENT",
    "DEPTH_BBO_EVENT",
    "DEPTH_CLEAR_EVENT",
    "DEPTH_EVENT",
    "DEPTH_SNAPSHOT_EVENT",
    "EVENT_ARRAY",
    "EXCH_EVENT",
    "EXPIRED",
    "FILLED",
    "FILL_EVENT",
    "GTC",
    "GTX",
    "LIMIT",
    "LOCAL_EVENT",
    "MARKET",
    "MODIFY_ORDER_EVENT",
    "NEW",
    "NONE",
    "SELL",
    "SELL_EVENT",
    "TRADE_EVENT",
    "BacktestAsset",
    "HashMapMarketDepthBacktest",
    "ROIVectorMarketDepthBacktest",
    "Recorder",
    "event_dtype",
]
