"""Small valid inputs of every decoder, from which fuzzing begins."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from queuefront.core import EVENT
from queuefront.feed import Conversion, write_parquet
from tests.property import hostile
from tests.property.hostile import (
    BYBIT_MESSAGES,
    CELLS,
    CSV,
    HYPERLIQUID_MESSAGES,
    LEVELS,
    MEXC_MESSAGES,
    PLAN,
    event_rows,
    latency_rows,
    npy,
    npz,
    old_rows,
    parquet_file,
    raw_text,
)
from tests.unit.feed.sources.dbn_files import header, level_message
from tests.unit.feed.sources.dbn_files import message as order_message
from tests.unit.feed.sources.raw_files import START, START_MS

__all__ = [
    "BINANCE_USER",
    "BYBIT",
    "BYBIT_PRIVATE",
    "DATABENTO",
    "EVENTS",
    "EVENTS_1",
    "HYPERLIQUID",
    "LATENCIES",
    "MEXC",
    "PACKED",
    "PARQUET",
    "TABLE",
    "TABLE_MAPPING",
    "TABLE_PARQUET",
    "archives",
    "binance_lines",
    "convert_of",
]


def binance_lines(*, is_spot: bool, is_combined: bool) -> list[bytes]:
    """Return raw files of each kind of message."""
    at = {"E": START_MS, "T": START_MS, "s": "BTCUSDT"}
    ids = {"U": 101, "u": 110} | ({} if is_spot else {"pu": 100})
    depth = {"e": "depthUpdate", **at, **ids, "b": [["100.1", "1"]], "a": [["100.2", "2"], ["100.3", "0"]]}
    trade = {"e": "trade", **at, "t": 1, "p": "100.2", "q": "0.5", "X": "MARKET", "m": True}
    ticker = {"u": 111, **at, "b": "100.1", "B": "1", "a": "100.2", "A": "2"}
    mark = {"e": "markPriceUpdate", **at, "p": "100.15", "i": "100.14", "P": "100.1", "r": "0.0001", "T": START_MS + 9}
    other = {"e": "kline", **at, "k": {"o": "1"}}
    if is_spot:
        for message in (depth, ticker):
            del message["T"]
        del ticker["E"]
    else:
        ticker = {"e": "bookTicker", **ticker}
    timed = {} if is_spot else {"E": START_MS, "T": START_MS}
    snapshot = {"lastUpdateId": 100, **timed, "bids": [["100", "1"]], "asks": [["101", "1"]]}
    events = [depth, trade, ticker, mark, other]
    sent = [{"stream": "btcusdt@x", "data": event} for event in events] if is_combined else events
    later = {**depth, **{name: value + 10 for name, value in ids.items()}}
    last = {"stream": "btcusdt@depth", "data": later} if is_combined else later
    error = {"code": -1121, "msg": "Invalid symbol."}
    return [raw_text(*[snapshot, *sent, last]), *(raw_text(*[message, sent[1]]) for message in (*sent, snapshot, error))]


BYBIT = [
    raw_text(*BYBIT_MESSAGES),
    raw_text(*[*BYBIT_MESSAGES[:1], {"op": "subscribe", "success": False, "ret_msg": "no"}]),
]
HYPERLIQUID = [raw_text(*HYPERLIQUID_MESSAGES), raw_text(*[HYPERLIQUID_MESSAGES[0], {"channel": "error", "data": "no"}])]
MEXC = [raw_text(*MEXC_MESSAGES)]


def archives(source: str) -> list[bytes]:
    """Return the small files of a source of archives."""
    return [file.data for file in hostile.SOURCES if file.source == source]


def convert_of(source: str) -> Callable[[Path, str], Conversion]:
    """Return how files of this source are converted."""
    return next(file.convert for file in hostile.SOURCES if file.source == source)


# --- records in binary ------------------------------------------------------------------------------------------------
_P = 10**9
_ORDERS = [order_message(action, order_id=i // 2 + 1, sequence=i) for i, action in enumerate("AMACTFRAN")]
_TRADES = [level_message([], [], action="T", price=100 * _P, level_count=0)]
DATABENTO = [
    header("mbo") + b"".join(_ORDERS),
    header(None) + b"".join(_ORDERS[:2]),
    header("mbp-1") + b"".join(LEVELS),
    header("mbp-10") + level_message([(100 * _P, 1)], [(101 * _P, 1)], level_count=10),
    header("trades") + b"".join(_TRADES),
]


def _in_every_packing(array: np.ndarray) -> list[bytes]:
    return [npy(array), npy(array[:1]), npz(array, is_packed=False), npz(array)]


EVENTS = _in_every_packing(event_rows())
EVENTS_1 = _in_every_packing(old_rows())
LATENCIES = _in_every_packing(latency_rows())


# --- tables -----------------------------------------------------------------------------------------------------------
TABLE_MAPPING = PLAN
TABLE = [CSV, CSV.replace(b"\n", b"\r\n")]


def _parquet(changes: dict[str, Any], **options: Any) -> bytes:
    return parquet_file(CELLS | changes, **options)


TABLE_PARQUET = [
    _parquet({}),
    _parquet({}, compression="none", use_dictionary=False, write_statistics=False),
    _parquet({"t": pa.array([START, START + 1], pa.timestamp("ns")), "q": pa.array([1, None], pa.int64())}),
    _parquet({"t": pa.array([1.7e12, 1.7e12]), "p": pa.array([99.0, float("nan")]), "sym": pa.array([1, 2])}),
    _parquet({"p": pa.array([[1.0], []]), "side": pa.array([b"b", b"s"]), "q": pa.array([True, False])}),
    _parquet({"p": pa.array([None, None]), "q": pa.array(["1", "x"]).dictionary_encode()}),
]


def _event_parquet() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_parquet(path, event_rows())
        made = path.read_bytes()
    columns = {name: pa.array(event_rows()[name]) for name in EVENT.names or ()}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="none", use_dictionary=False, write_statistics=False)
    return [made, buffer.getvalue()]


PARQUET = _event_parquet()
_TEXT = archives("binance-history")[0]
PACKED = [
    hostile.packed(_TEXT, "gzip"),
    hostile.packed(_TEXT, "gzip") + b"\0" * 8 + hostile.packed(_TEXT, "gzip"),
    hostile.packed(_TEXT, "zip"),
    hostile.packed(_TEXT, "zstd"),
    _TEXT,
]

# --- messages about the account ---------------------------------------------------------------------------------------
_ORDER = {
    "s": "BTCUSDT",
    "c": "qf-1",
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTX",
    "q": "0.5",
    "p": "100.1",
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "i": 7,
    "l": "0.1",
    "z": "0.1",
    "L": "100.1",
    "n": "0.001",
    "N": "USDT",
    "T": START_MS,
    "t": 9,
    "m": True,
}
_ACCOUNT = {
    "m": "ORDER",
    "B": [{"a": "USDT", "wb": "1000", "cw": "1000", "bc": "0"}],
    "P": [{"s": "BTCUSDT", "pa": "0.5", "ep": "100", "cr": "0", "up": "0", "mt": "cross", "iw": "0", "ps": "BOTH"}],
}
_USER = [
    {"e": "ORDER_TRADE_UPDATE", "E": START_MS, "T": START_MS, "o": _ORDER},
    {"e": "executionReport", "E": START_MS, **_ORDER, "C": "qf-0", "Z": "10.01"},
    {"e": "TRADE_LITE", "E": START_MS, "T": START_MS, **_ORDER},
    {"e": "ACCOUNT_UPDATE", "E": START_MS, "T": START_MS, "a": _ACCOUNT},
    {"e": "outboundAccountPosition", "E": START_MS, "u": START_MS, "B": [{"a": "BTC", "f": "1", "l": "0"}]},
    {"e": "balanceUpdate", "E": START_MS, "a": "BTC", "d": "0.5", "T": START_MS},
    {"e": "ACCOUNT_CONFIG_UPDATE", "E": START_MS, "T": START_MS, "ac": {"s": "BTCUSDT", "l": 25}},
    {"e": "ALGO_UPDATE", "E": START_MS, "T": START_MS, "o": {"caid": "qf-1", "aid": 1, "s": "BTCUSDT", "X": "NEW"}},
    {"e": "listenKeyExpired", "E": START_MS},
    {"id": 1, "result": None},
    {"id": 1, "status": 200, "result": {}},
    {"id": 2, "error": {"code": -1, "msg": "no"}},
]
BINANCE_USER = [
    *(json.dumps(message).encode() for message in _USER),
    json.dumps({"stream": "key", "data": _USER[0]}).encode(),
    json.dumps({"subscriptionId": 0, "event": _USER[1]}).encode(),
]
_PRIVATE = [
    {"topic": "order", "data": [{"symbol": "BTCUSDT", "orderId": "a", "orderLinkId": "qf-1", "side": "Buy", "qty": "1"}]},
    {"topic": "execution", "data": [{"symbol": "BTCUSDT", "orderId": "a", "execId": "b", "execQty": "1", "execFee": "0"}]},
    {"topic": "position", "data": [{"symbol": "BTCUSDT", "side": "Buy", "size": "1", "positionIdx": 0}]},
    {"topic": "wallet", "data": [{"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "1"}]}]},
    {"topic": "greeks", "data": []},
    {"op": "auth", "success": True, "ret_msg": "", "conn_id": "x"},
    {"op": "pong", "retCode": 0, "retMsg": "OK", "req_id": "1"},
]
BYBIT_PRIVATE = [json.dumps(message).encode() for message in _PRIVATE]
