"""What can be wrong with a file, and the sources that it is tried on: one entry of `SOURCES` each."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.recfunctions import repack_fields

from queuefront.core import EVENT, LATENCY
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import (
    Conversion,
    convert_binance_history,
    convert_bybit,
    convert_bybit_history,
    convert_databento,
    convert_hyperliquid,
    convert_lines,
    convert_lobster,
    convert_mexc,
    convert_table,
    convert_tardis,
    migrate_version1,
    read_events,
    read_latencies,
    read_parquet,
)
from tests.unit.feed.sources import test_bybit, test_hyperliquid, test_mexc
from tests.unit.feed.sources.dbn_files import DAY, UNDEF, header, level_message
from tests.unit.feed.sources.dbn_files import message as order_message
from tests.unit.feed.sources.raw_files import LATENCY_NS, START, START_MS, raw_line
from tests.unit.feed.sources.test_table_mapping import mapping

__all__ = ["ARCHIVES", "PACKINGS", "SOURCES", "Hostile", "deformed", "packed"]

PACKINGS = ("gzip", "zip", "zstd", "bzip2", "xz")
Made = Conversion | np.ndarray


@dataclass(frozen=True)
class Hostile:
    """A source, and a small file of it.

    name : of the file. data : what the file holds, unpacked. convert : (path, on_bad) to a conversion or rows.
    time, price, qty, symbol : fields of one record as they stand in it, to be replaced by worse; empty: none.
    time_scale : of which the time has this many more digits than seconds; 0: it counts from midnight.
    packings : those of a file that is read. worse : files of records that no record may be, with what they are called.
    """

    source: str
    name: str
    data: bytes
    convert: Callable[[Path, str], Made]
    time: bytes = b""
    price: bytes = b""
    qty: bytes = b""
    symbol: bytes = b""
    time_scale: int = 1000
    packings: tuple[str, ...] = ("gzip", "zip", "zstd")
    worse: Callable[[], Iterator[tuple[str, bytes]]] | None = None

    def __str__(self) -> str:
        return f"{self.source} {self.name}"

    @property
    def is_text(self) -> bool:
        """Whether the file consists of lines."""
        return bool(self.time)

    @property
    def is_json(self) -> bool:
        """Whether every line ends in a brace, so that what is cut off is seen without a newline, too."""
        return self.is_text and self.data.rstrip().endswith(b"}")


GRID = {"tick_size": "0.0001", "lot_size": "0.0001"}


def _tardis(path: Path, on_bad: str) -> Conversion:
    return convert_tardis(path, on_bad=on_bad, **GRID)


def _binance(path: Path, on_bad: str) -> Conversion:
    return convert_binance_history(path, on_bad=on_bad, **GRID)


def _bybit(path: Path, on_bad: str) -> Conversion:
    return convert_bybit_history(path, on_bad=on_bad, **GRID)


def _lobster(path: Path, on_bad: str) -> Conversion:
    return convert_lobster(path, on_bad=on_bad, date="2012-06-21", **GRID)


_HEAD = b"exchange,symbol,timestamp,local_timestamp,"
_AT = b"deribit,BTC-PERP,1585699200245000,1585699200355684,"
_LATER = b"deribit,BTC-PERP,1585699201245000,1585699201355684,"

ARCHIVES = [
    Hostile(
        "tardis",
        "trades.csv",
        _HEAD + b"id,side,price,amount\n" + _AT + b"a,buy,6421.5,18640\n" + _LATER + b"b,sell,6422.5,2.5\n",
        _tardis,
        b"1585699201245000",
        b"6422.5",
        b"2.5",
        b"BTC-PERP",
        1_000_000,
    ),
    Hostile(
        "tardis",
        "incremental_book_L2.csv",
        _HEAD
        + b"is_snapshot,side,price,amount\n"
        + _AT
        + b"true,ask,6421.5,18640\n"
        + _AT
        + b"true,bid,6420.5,1190\n"
        + _LATER
        + b"false,bid,6419.5,0\n"
        + _LATER
        + b"true,ask,6422.5,2.5\n",
        _tardis,
        b"1585699201245000",
        b"6422.5",
        b"2.5",
        b"BTC-PERP",
        1_000_000,
    ),
    Hostile(
        "tardis",
        "book_snapshot_5.csv",
        _HEAD
        + b",".join(b"%s[%d].%s" % (s, i, n) for i in range(5) for s in (b"asks", b"bids") for n in (b"price", b"amount"))
        + b"\n"
        + _AT
        + b",".join([b"6421.5,3,6420.5,7"] + [b",,,"] * 4)
        + b"\n"
        + _LATER
        + b",".join([b"6422.5,2.5,6420.5,7"] + [b",,,"] * 4)
        + b"\n",
        _tardis,
        b"1585699201245000",
        b"6422.5",
        b"2.5",
        b"BTC-PERP",
        1_000_000,
    ),
    Hostile(
        "tardis",
        "quotes.csv",
        _HEAD
        + b"ask_amount,ask_price,bid_price,bid_amount\n"
        + _AT
        + b"5,8629.3,8629.2,806\n"
        + _LATER
        + b"2.5,6422.5,8,9\n",
        _tardis,
        b"1585699201245000",
        b"6422.5",
        b"2.5",
        b"BTC-PERP",
        1_000_000,
    ),
    Hostile(
        "binance-history",
        "BTCUSDT-trades-2024-08-08.csv",
        b"id,price,qty,quote_qty,time,is_buyer_maker\n1,55000.1,0.5,1.0,1723075200001,true\n"
        b"2,55000.2,0.25,1.0,1723075200002,false\n",
        _binance,
        b"1723075200002",
        b"55000.2",
        b"0.25",
    ),
    Hostile(
        "binance-history",
        "depth.csv",
        b"BTCUSDT,1723075200001,1,1,2,b,set,55000.1,0.5\nBTCUSDT,1723075200002,1,3,4,a,set,55000.2,0.25\n",
        _binance,
        b"1723075200002",
        b"55000.2",
        b"0.25",
        b"BTCUSDT",
    ),
    Hostile(
        "bybit-history",
        "ob500.data",
        b'{"topic":"orderbook.500.XRPUSDT","type":"snapshot","ts":1733011200691,"data":{"s":"XRPUSDT","b":[["1.9531","6203"]],'
        b'"a":[["1.9532","5"]],"u":20,"seq":1}}\n{"topic":"orderbook.500.XRPUSDT","type":"delta","ts":1733011200791,"data":'
        b'{"s":"XRPUSDT","b":[["1.9530","2.5"]],"a":[],"u":21,"seq":2}}\n',
        _bybit,
        b"1733011200791",
        b"1.9530",
        b"2.5",
        b"XRPUSDT",
    ),
    Hostile(
        "bybit-history",
        "trades.csv",
        b"timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
        b"1733011200.6912,XRPUSDT,Buy,5,1.9531,PlusTick,x,1,1,1\n1733011201.5,XRPUSDT,Sell,2.5,1.9530,PlusTick,y,1,1,1\n",
        _bybit,
        b"1733011201.5",
        b"1.9530",
        b"2.5",
        b"XRPUSDT",
        1,
    ),
    Hostile(
        "lobster",
        "AAPL_2012-06-21_34200000_57600000_message_10.csv",
        b"34200.004241176,1,16113575,18,5853300,1\n34200.025551909,4,16113575,7,5853300,1\n34200.2,3,16113575,11,5853300,1\n",
        _lobster,
        b"34200.004241176",
        b"5853300",
        b"18",
        time_scale=0,
    ),
]

# --- raw streams ------------------------------------------------------------------------------------------------------
TIME = str(START_MS + 77).encode()
BYBIT_MESSAGES = [
    test_bybit.SNAPSHOT,
    test_bybit.book([["99", "0"]], [], u=2),
    test_bybit.trades(test_bybit.trade("100.25", "7.5", ms=77)),
]
HYPERLIQUID_MESSAGES = [
    test_hyperliquid.FIRST,
    test_hyperliquid.book([("100", "5")], [("102", "1")], ms=1),
    test_hyperliquid.trades(test_hyperliquid.trade("100.25", "7.5", ms=77)),
]
MEXC_MESSAGES = [
    test_mexc.limit(bids=test_mexc.levels(("99", "1"))),
    test_mexc.change("2", bids=test_mexc.levels(("99", "0"))),
    test_mexc.deals({"p": "100.25", "v": "7.5", "S": 1, "t": START_MS + 77}),
]


def raw_text(*messages: Any) -> bytes:
    """Return raw lines, a millisecond apart."""
    return b"".join(raw_line(message, START + i * 1_000_000 + LATENCY_NS) for i, message in enumerate(messages))


def binance_messages(source: str, *, is_combined: bool = True) -> list[Any]:
    """Return a change of the book, a whole book, and a trade."""
    is_spot = source == "binance-spot"
    at = {"E": START_MS, "s": "BTCUSDT"} | ({} if is_spot else {"T": START_MS})
    ids = {"U": 101, "u": 110} | ({} if is_spot else {"pu": 100})
    depth = {"e": "depthUpdate", **at, **ids, "b": [["100.1", "1"]], "a": [["100.2", "2"], ["100.3", "0"]]}
    trade = {"e": "trade", **at, "E": START_MS, "t": 1, "p": "100.25", "q": "7.5", "X": "MARKET", "m": True}
    timed = {} if is_spot else {"E": START_MS, "T": START_MS}
    snapshot = {"lastUpdateId": 100, **timed, "bids": [["100", "1"]], "asks": [["101", "1"]]}
    trade["T"] = START_MS + 77
    events = [depth, trade]
    sent: list[Any] = [{"stream": "btcusdt@x", "data": event} for event in events] if is_combined else events
    return [snapshot, *sent]


def _raw(source: str, messages: list[Any], convert: Callable[..., Conversion], symbol: bytes, **options: Any) -> Hostile:
    """Return a raw stream, whose last message is a trade of 7.5 at 100.25, 77 ms after the start."""
    name = f"{source}{options.get('level', '')}_20231114.txt"

    def run(path: Path, on_bad: str) -> Conversion:
        return convert(path, on_bad=on_bad, tick_size="0.000001", lot_size="0.000001", **options)

    return Hostile(source, name, raw_text(*messages), run, TIME, b"100.25", b"7.5", symbol, packings=("gzip",))


RAW = [
    *(
        _raw(
            source, binance_messages(source, is_combined=is_combined), partial(convert_lines, source), b"BTCUSDT", **options
        )
        for source, is_combined, options in (
            ("binance-usdm", True, {"opt": "mt"}),
            ("binance-coinm", False, {"opt": "mt", "combined_stream": False}),
            ("binance-spot", True, {"opt": "t"}),
        )
    ),
    _raw("bybit", BYBIT_MESSAGES, convert_bybit, b"XYZUSDT"),
    _raw("bybit", BYBIT_MESSAGES, convert_bybit, b"XYZUSDT", level=50),
    _raw("hyperliquid", HYPERLIQUID_MESSAGES, convert_hyperliquid, b"BTC"),
    _raw("mexc", MEXC_MESSAGES, convert_mexc, b"SOLUSDT"),
]


# --- tables -----------------------------------------------------------------------------------------------------------
CSV = b"t,p,q,side,sym\n%d,99,1,b,X\n%s,100.25,7.5,s,X\n" % (START_MS, TIME)
PLAN = mapping(symbol="X", columns={"symbol": "sym"})


def _table(path: Path, on_bad: str) -> Conversion:
    return convert_table(path, PLAN, on_bad=on_bad, **GRID)


def parquet_file(columns: dict[str, Any], **options: Any) -> bytes:
    """Return columns as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


CELLS: dict[str, Any] = {
    "t": [START_MS, START_MS + 77],
    "p": ["99", "100.25"],
    "q": [1.0, 7.5],
    "side": ["b", "s"],
    "sym": ["X", "X"],
}


def _worse_cells() -> Iterator[tuple[str, bytes]]:
    for name, cells in (
        ("p", ["nan", "-1", "inf", "1e999", "x", "0x10", "", None]),
        ("q", [float("nan"), -1.0, float("inf"), None]),
        ("t", [START_MS // 1000, -1, 0, 2**63 - 1, -(2**63), None]),
        ("side", ["buy?", "", None]),
    ):
        for bad in cells:
            yield f"{name} {bad}", parquet_file(CELLS | {name: [CELLS[name][0], bad]})
    for name, column in (
        ("p", pa.array([[1.0], []])),
        ("t", pa.array([b"x", b"y"])),
        ("q", pa.array([True, False])),
        ("t", pa.array([1.7e12, float("nan")])),
        ("side", pa.array([1, 2])),
    ):
        yield f"{name} of {column.type}", parquet_file(CELLS | {name: column})


# --- records in binary ------------------------------------------------------------------------------------------------
_P = 10**9
ORDERS = [order_message("A", order_id=1), order_message("A", side="A", order_id=2), order_message("C", order_id=1)]
LEVELS = [level_message([(100 * _P, i + 1)], [(101 * _P, 1)], action="AT"[i % 2], price=100 * _P) for i in range(3)]


def _databento(path: Path, on_bad: str) -> Conversion:
    return convert_databento(path, on_bad=on_bad, tick_size="0.25", lot_size=1)


_BAD_NS = (0, DAY // 1000, 2**63 - 1, 2**63, 2**64 - 1)


def _worse_orders() -> Iterator[tuple[str, bytes]]:
    changes: list[dict[str, Any]] = [{"action": "X"}, {"side": "S"}, {"price": UNDEF}]
    changes += [{name: ts} for name in ("event_ts", "recv_ts") for ts in _BAD_NS]
    for change in changes:
        yield str(change), header("mbo") + ORDERS[0] + order_message(**{"action": "A", "order_id": 9, **change})


def _worse_levels() -> Iterator[tuple[str, bytes]]:
    p = 100 * _P
    changes: list[dict[str, Any]] = [{"action": "X"}, {"action": "T", "side": "S"}, {"action": "T", "price": UNDEF}]
    changes += [{name: ts} for name in ("event_ts", "recv_ts") for ts in _BAD_NS]
    for change in changes:
        message = level_message([(p, 1)], [(101 * _P, 1)], **{"price": p, **change})
        yield str(change), header("mbp-1") + LEVELS[0] + message


def npy(array: np.ndarray) -> bytes:
    """Return an array as a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(array: np.ndarray, *, is_packed: bool = True) -> bytes:
    """Return an array as the `data` of an `.npz` file."""
    buffer = io.BytesIO()
    (np.savez_compressed if is_packed else np.savez)(buffer, data=array)
    return buffer.getvalue()


def event_rows() -> np.ndarray:
    """Return a change of the book, a trade and a clear."""
    rows = np.zeros(3, EVENT)
    kinds = [DEPTH_EVENT | BUY_EVENT, TRADE_EVENT | SELL_EVENT, DEPTH_CLEAR_EVENT | SELL_EVENT]
    rows["ev"] = np.array(kinds) | EXCH_EVENT | LOCAL_EVENT
    rows["exch_ts"], rows["local_ts"] = START + np.arange(3), START + LATENCY_NS + np.arange(3)
    rows["px"], rows["qty"] = [100.0, 100.5, 101.0], [1.0, 0.5, 0.0]
    return rows


def old_rows() -> np.ndarray:
    """Return rows of version 1."""
    us = START // 1000
    return np.array([(1, us, us + 7, 1, 100.0, 1.0), (2, us + 1, us + 8, -1, 100.5, 0.5), (4, -1, us + 9, 1, 99.0, 2.0)])


def latency_rows() -> np.ndarray:
    """Return two requests."""
    rows = np.zeros(2, LATENCY)
    rows["req_ts"], rows["exch_ts"], rows["resp_ts"] = [1, 5], [2, 6], [3, 8]
    return rows


_NAN, _INF = float("nan"), float("inf")


def _changed(rows: np.ndarray, field: Any, value: Any) -> np.ndarray:
    rows[field][1] = value
    return rows


def _worse_events(save: Callable[[np.ndarray], bytes]) -> Iterator[tuple[str, bytes]]:
    for field, value in (("px", _NAN), ("px", _INF), ("qty", -1.0), ("qty", _NAN), ("qty", _INF), ("ev", 0xE00000FF)):
        yield f"{field} {value}", save(_changed(event_rows(), field, value))
    yield "another type", save(repack_fields(event_rows()[["ev", "exch_ts"]]))
    yield "fields in another order", save(repack_fields(event_rows()[list((EVENT.names or ())[::-1])]))


def _worse_old_rows() -> Iterator[tuple[str, bytes]]:
    columns: list[tuple[int, float]] = [(0, 0.5e300), (0, 300), (0, _NAN), (1, 1e300), (2, _NAN), (4, _NAN), (5, -1.0)]
    for column, value in columns:
        rows = old_rows()
        rows[1, column] = value
        yield f"column {column}: {value}", npz(rows)
    yield "another type", npz(old_rows().astype(np.float32))
    yield "another shape", npz(old_rows()[:, :5].copy())


def _worse_latencies() -> Iterator[tuple[str, bytes]]:
    for field, value in (("req_ts", -1), ("req_ts", 2**63 - 1), ("exch_ts", 4), ("resp_ts", 5), ("resp_ts", -(2**63))):
        yield f"{field} {value}", npz(_changed(latency_rows(), field, value))


def _events_parquet(rows: np.ndarray) -> bytes:
    return parquet_file({name: pa.array(rows[name]) for name in rows.dtype.names or ()})


def _all_or_none(read: Callable[[Path], np.ndarray]) -> Callable[[Path, str], np.ndarray]:
    """Return what reads a file whose records are never skipped."""
    return lambda path, _on_bad: read(path)


def _binary(
    source: str,
    name: str,
    data: bytes,
    convert: Callable[[Path, str], Made],
    worse: Callable[[], Iterator[tuple[str, bytes]]],
    *packings: str,
) -> Hostile:
    return Hostile(source, name, data, convert, packings=packings, worse=worse)


BINARY = [
    Hostile("databento", "mbo.dbn", header("mbo") + b"".join(ORDERS), _databento, packings=("zstd",), worse=_worse_orders),
    Hostile(
        "databento", "mbp.dbn", header("mbp-1") + b"".join(LEVELS), _databento, packings=("zstd",), worse=_worse_levels
    ),
    Hostile("table", "table.parquet", parquet_file(CELLS), _table, packings=(), worse=_worse_cells),
    Hostile(
        "npz", "events.npz", npz(event_rows()), _all_or_none(read_events), packings=(), worse=partial(_worse_events, npz)
    ),
    Hostile(
        "npz", "events.npy", npy(event_rows()), _all_or_none(read_events), packings=(), worse=partial(_worse_events, npy)
    ),
    Hostile("version 1", "old.npz", npz(old_rows()), _all_or_none(migrate_version1), packings=(), worse=_worse_old_rows),
    Hostile(
        "parquet",
        "events.parquet",
        _events_parquet(event_rows()),
        _all_or_none(read_parquet),
        packings=(),
        worse=partial(_worse_events, _events_parquet),
    ),
    Hostile(
        "latencies", "latencies.npz", npz(latency_rows()), _all_or_none(read_latencies), packings=(), worse=_worse_latencies
    ),
]
TABLES = [Hostile("table", "table.csv", CSV, _table, TIME, b"100.25", b"7.5", packings=())]
SOURCES = [*ARCHIVES, *RAW, *TABLES, *BINARY]


# --- what is wrong with them ------------------------------------------------------------------------------------------
def deformed(source: Hostile) -> Iterator[tuple[str, bytes]]:
    """Yield what a record may hold that no record may, with what it is called; each is refused."""
    if source.worse is not None:
        yield from source.worse()
        return
    numbers = [b"nan", b"-1", b"inf", b"-inf", b"1e999", b"x", b"0x10", b"\xff\xfe"]
    if source.is_json or source.source == "table":  # elsewhere a field may be empty
        numbers += [b"", b"1_0", b" 1"]
    for field in ("price", "qty"):
        for bad in numbers:
            yield f"{field} {bad!r}", _put(source, getattr(source, field), bad)
    times = [
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"-1",
        b"0",
        b"x",
        b"nan",
        b"1.5e300",
        b"99999999999999999999",
    ]
    if source.time_scale:  # the second of another unit
        seconds = int(float(source.time)) // source.time_scale
        scales = {1, 1000, 10**6, 10**9} - {source.time_scale}
        times += [str(seconds * scale).encode() for scale in sorted(scales)]
    else:
        times.remove(b"0")  # midnight
    for bad in times:
        yield f"time {bad!r}", _put(source, source.time, bad)
    if source.symbol:
        last = source.data.rindex(source.symbol)
        yield "mixed symbols", source.data[:last] + b"OTHER" + source.data[last + len(source.symbol) :]
    if source.is_json:
        for bad in (b"null", b"true", b"[]", b"{}", b'"\\u0000"'):
            yield f"price {bad!r}", source.data.replace(b'"' + source.price + b'"', bad)


def _put(source: Hostile, good: bytes, bad: bytes) -> bytes:
    assert source.data.count(good) >= 1, (source, good)
    if source.is_json and good == source.time and not bad.lstrip(b"-").isdigit():
        bad = b'"' + bad + b'"'
    place = source.data.rindex(good)
    return source.data[:place] + bad + source.data[place + len(good) :]


def packed(text: bytes, kind: str) -> bytes:
    """Return a text as a packed file."""
    if kind == "gzip":
        return gzip.compress(text, mtime=0)
    if kind == "zstd":
        packed_bytes: bytes = pa.compress(text, "zstd", asbytes=True)
        return packed_bytes
    if kind in ("bzip2", "xz"):
        return bz2.compress(text) if kind == "bzip2" else lzma.compress(text)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", text)
    return buffer.getvalue()
