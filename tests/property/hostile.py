"""What can be wrong with a file, and the sources that it is tried on: one entry of `SOURCES` each."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from queuefront.feed import (
    Conversion,
    convert_binance_history,
    convert_bybit_history,
    convert_lobster,
    convert_tardis,
)

__all__ = ["SOURCES", "Hostile", "deformed", "packed"]


@dataclass(frozen=True)
class Hostile:
    """A source, and a small file of it.

    name : of the file. text : what the file holds, unpacked. convert : (path, on_bad) to a conversion.
    time, price, qty, symbol : fields of one record as they stand in it, to be replaced by worse; empty: none.
    is_packed : the source reads packed files, too.
    """

    source: str
    name: str
    text: bytes
    convert: Callable[[Path, str], Conversion]
    time: bytes
    price: bytes
    qty: bytes
    symbol: bytes = b""
    time_scale: int = 1000  # of which the time has this many more digits than seconds; 0: it counts from midnight
    is_packed: bool = True

    def __str__(self) -> str:
        return f"{self.source} {self.name}"


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

SOURCES = [
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


def deformed(source: Hostile) -> Iterator[tuple[str, bytes]]:
    """Yield what a record may hold that no record may, with what it is called; each is refused."""
    for field in ("price", "qty"):
        good = getattr(source, field)
        for bad in (b"nan", b"-1", b"inf", b"-inf", b"1e999", b"x", b"0x10", b"\xff\xfe"):
            yield f"{field} {bad!r}", _put(source, good, bad)
    times = [
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"-1",
        b"x",
        b"nan",
        b"99999999999999999999",
    ]
    if source.time_scale:  # the second of another unit
        seconds = int(float(source.time)) // source.time_scale
        times += [str(seconds * scale).encode() for scale in (1, 1000, 10**6, 10**9) if scale != source.time_scale]
    for bad in times:
        yield f"time {bad!r}", _put(source, source.time, bad)
    if source.symbol:
        last = source.text.rindex(source.symbol)
        yield "mixed symbols", source.text[:last] + b"OTHER" + source.text[last + len(source.symbol) :]


def _put(source: Hostile, good: bytes, bad: bytes) -> bytes:
    assert source.text.count(good) >= 1, (source, good)
    if source.text.lstrip()[:1] == b"{" and good == source.time and not bad.lstrip(b"-").isdigit():
        bad = b'"' + bad + b'"'
    place = source.text.rindex(good)
    return source.text[:place] + bad + source.text[place + len(good) :]


def packed(text: bytes, kind: str) -> bytes:
    """Return a text as a packed file."""
    if kind == "gzip":
        return gzip.compress(text, mtime=0)
    if kind == "zstd":
        import pyarrow as pa

        return pa.compress(text, "zstd", asbytes=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", text)
    return buffer.getvalue()
