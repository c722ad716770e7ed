"""Made-up files of every source, one seed each, and what converts them: ours, and hftbacktest's where there is one."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import importlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from queuefront.core.enums import DEPTH_SNAPSHOT_EVENT, TRADE_EVENT
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
)
from queuefront.feed.sources.dbn import MBO

__all__ = ["LOADS", "Known", "Load"]

GRID = {"tick_size": "0.1", "lot_size": "0.001"}
HEAD = "exchange,symbol,timestamp,local_timestamp,"
START_MS = 1_700_000_000_000


class Known(NamedTuple):
    """Where hftbacktest's rows are known to differ (`docs/differences.md`).

    ns_per_step : what one step of its times is. ts_error_ns : how far its times are off, as it computes them in float64.
    px_error : the same of prices, of the price itself. sideless : kinds whose rows have no side there, or always the same.
    by_kind : rows of different kinds stand in another order, so each kind is compared alone.
    """

    ns_per_step: int = 1
    ts_error_ns: int = 0
    px_error: float = 0.0
    sideless: tuple[int, ...] = ()
    by_kind: bool = False
    why: str = ""


class Load(NamedTuple):
    """A source: the bytes of its text, unpacked, and what converts it."""

    name: str
    text_bytes: int
    ours: Callable[[], Conversion]
    theirs: Callable[[], np.ndarray] | None = None
    known: Known = Known()


def reference(module: str, function: str, *arguments: object, **named: object) -> np.ndarray:
    """Run a converter of hftbacktest without its talk."""
    convert: Callable[..., np.ndarray] = getattr(importlib.import_module(f"hftbacktest.data.utils.{module}"), function)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it calls pandas by, for one
        return convert(*arguments, **named)


def _tardis(folder: Path, rows: int) -> Load:
    """Depth with a snapshot at its beginning, and trades; gzip, as Tardis delivers."""
    rng = np.random.default_rng(1)
    half = min(1000, rows // 4)  # levels of a side in the snapshot, from the best on
    ts = (1_700_000_000_000_000 + np.cumsum(rng.integers(0, 900, rows) * (np.arange(rows) >= 2 * half))).tolist()
    px, qty = (rng.integers(300_000, 301_000, rows) / 10).tolist(), (rng.integers(0, 90_000, rows) / 1000).tolist()
    side = rng.choice(["bid", "ask"], rows).tolist()
    px[: 2 * half] = [(300_500 - i) / 10 for i in range(half)] + [(300_501 + i) / 10 for i in range(half)]
    side[: 2 * half] = ["bid"] * half + ["ask"] * half
    depth = [HEAD + "is_snapshot,side,price,amount"]
    depth += [
        f"binance-futures,BTCUSDT,{t},{t + 4321},{str(i < 2 * half).lower()},{s},{p},{q}"
        for i, (t, s, p, q) in enumerate(zip(ts, side, px, qty, strict=True))
    ]
    trades = [HEAD + "id,side,price,amount"]
    trades += [f"binance-futures,BTCUSDT,{t},{t + 4321},{i},{'buysell'[:3]},{px[i]},1.5" for i, t in enumerate(ts[::10])]
    paths, text_bytes = [], 0
    for name, lines in (("trades", trades), ("incremental_book_L2", depth)):
        text = ("\n".join(lines) + "\n").encode()
        path = folder / f"{name}.csv.gz"
        path.write_bytes(gzip.compress(text, 1))
        paths.append(str(path))
        text_bytes += len(text)
    room = {"buffer_size": 2 * rows, "ss_buffer_size": 10_000}
    return Load(
        "tardis (csv.gz)",
        text_bytes,
        lambda: convert_tardis(paths, **GRID),
        lambda: reference("tardis", "convert", paths, **room),
    )


def _binance_history(folder: Path, rows: int) -> Load:
    """Depth updates and trades, csv; hftbacktest reads no zip."""
    rng = np.random.default_rng(2)
    ts = (1_700_000_000_000 + np.cumsum(rng.integers(0, 2, rows))).tolist()
    px, qty = (rng.integers(300_000, 301_000, rows) / 10).tolist(), (rng.integers(0, 90_000, rows) / 1000).tolist()
    depth, trades = folder / "depth.csv", folder / "trades.csv"
    depth.write_text(
        "".join(f"BTCUSDT,{t},1,{i},{i},{'ab'[i % 2]},set,{px[i]},{qty[i]}\n" for i, t in enumerate(ts)), newline="\n"
    )
    trades.write_text("".join(f"{i},{px[i]},{qty[i]},1.5,{t},true\n" for i, t in enumerate(ts[::10])), newline="\n")
    return Load(
        "binance-history (csv)",
        depth.stat().st_size + trades.stat().st_size,
        lambda: convert_binance_history([depth, trades], **GRID),
        lambda: reference("binancehistmktdata", "convert", str(depth), str(trades), buffer_size=2 * rows),
        Known(ns_per_step=1_000_000, sideless=(TRADE_EVENT,), by_kind=True, why="D44, D45"),
    )


def _bybit_history(folder: Path, rows: int) -> Load:
    """Books of 20 changes a message, zip, and trades, csv.gz."""
    rng = np.random.default_rng(3)
    messages = []
    for i in range(rows // 20):
        bids, asks = np.sort(rng.choice(450, (2, 10), replace=False))  # from the best on, as the venue sends them
        px = [*(9_449 - bids).tolist(), *(9_450 + asks).tolist()]
        levels = [f'["{p / 10}","{q}"]' for p, q in zip(px, rng.integers(0, 99, 20), strict=True)]
        sides = f'"b":[{",".join(levels[:10])}],"a":[{",".join(levels[10:])}]'
        kind = "delta" if i else "snapshot"
        messages.append(
            f'{{"topic":"orderbook.500.XRPUSDT","type":"{kind}","ts":{1_700_000_000_000 + 100 * i},'
            f'"data":{{"s":"XRPUSDT",{sides},"u":{i + 1},"seq":{i}}},"cts":{1_700_000_000_000 + 100 * i}}}\n'
        )
    head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
    trades = head + "".join(f"{1_700_000_000 + i}.1234,XRPUSDT,Buy,5,950.5,PlusTick,m,1,1,1\n" for i in range(rows // 100))
    books = "".join(messages)
    depth_path, trades_path = folder / "ob500.data.zip", folder / "bybit.csv.gz"
    with zipfile.ZipFile(depth_path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("ob500.data", books)
    trades_path.write_bytes(gzip.compress(trades.encode(), 1))
    return Load(
        "bybit-history (zip, csv.gz)",
        len(books) + len(trades),
        lambda: convert_bybit_history([depth_path, trades_path], **GRID),
        lambda: reference("bybithistmktdata", "convert", str(depth_path), str(trades_path), buffer_size=2 * rows),
        Known(ts_error_ns=256, sideless=(DEPTH_SNAPSHOT_EVENT,), by_kind=True, why="D48, D49"),
    )


def _lobster(folder: Path, rows: int) -> Load:
    """Orders that are entered, filled in part and deleted; hftbacktest has no such converter."""
    path = folder / "AAPL_2012-06-21_34200000_57600000_message_10.csv"
    kinds = ((1, 18), (4, 7), (3, 11))
    path.write_text(
        "".join(
            f"{34200 + i // 1000}.{i % 1000:03d}456789,{kind},{i // 3 + 1},{size},{5853300 + i % 7 * 100},1\n"
            for i, (kind, size) in enumerate(islice(cycle(kinds), rows))
        ),
        newline="\n",
    )
    return Load("lobster (csv)", path.stat().st_size, lambda: convert_lobster(path))


# --- raw streams ------------------------------------------------------------------------------------------------------
def _raw(folder: Path, name: str, messages: Iterable[object]) -> tuple[Path, int]:
    """Write raw lines, gzip, a millisecond apart and 5 ms under way; return the file and the bytes of its text."""
    lines = (
        b"%019d %s\n" % ((START_MS + i + 5) * 1_000_000, json.dumps(message, separators=(",", ":")).encode())
        for i, message in enumerate(messages)
    )
    text = b"".join(lines)
    path = folder / f"{name}_20231114.gz"
    path.write_bytes(gzip.compress(text, 1))
    return path, len(text)


def _levels(rng: np.random.Generator, count: int, *, is_ask: bool) -> list[list[str]]:
    """Return prices, from the best on, and quantities of 0.001 to 8.999."""
    ticks = np.sort(rng.choice(400, count, replace=False))
    px = 30_000 + (ticks + 1 if is_ask else -ticks)
    qty = rng.integers(1, 9_000, count)
    return [[f"{p / 10:.1f}", f"{q / 1000:.3f}"] for p, q in zip(px.tolist(), qty.tolist(), strict=True)]


def _binance_raw(folder: Path, rows: int, *, source: str) -> Load:
    """Depth updates of ten levels a side, and a trade after each tenth."""
    rng = np.random.default_rng(4)
    is_spot = source == "binance-spot"

    def messages() -> Iterable[object]:
        for i in range(rows // 20):
            ms, first = START_MS + 11 * i // 10, 10 * i + 1
            at = {"E": ms, "s": "BTCUSDT"} | ({} if is_spot else {"T": ms})
            ids = {"U": first, "u": first + 9} | ({} if is_spot else {"pu": first - 1})
            sides = {"b": _levels(rng, 10, is_ask=False), "a": _levels(rng, 10, is_ask=True)}
            yield {"stream": "btcusdt@depth", "data": {"e": "depthUpdate", **at, **ids, **sides}}
            if i % 10 == 9:
                trade = {"e": "trade", "T": ms, **at, "t": i, "p": "3000.1", "q": "0.5", "X": "MARKET", "m": bool(i % 3)}
                yield {"stream": "btcusdt@trade", "data": trade}

    path, text_bytes = _raw(folder, source, messages())
    theirs = None if is_spot else partial(reference, "binancefutures", "convert", str(path), buffer_size=2 * rows)
    return Load(f"{source} (raw, gz)", text_bytes, lambda: convert_lines(source, path, **GRID), theirs)


def _bybit_raw(folder: Path, rows: int, *, level: int | None) -> Load:
    """Changes of the book of 50 levels and, fused with it, the best prices; and trades."""
    rng = np.random.default_rng(5)

    def messages() -> Iterable[object]:
        for i in range(rows // 20):
            at = {"ts": START_MS + i}
            sides = {"b": _levels(rng, 10, is_ask=False), "a": _levels(rng, 10, is_ask=True)}
            book = {"s": "BTCUSDT", **sides, "u": i + 1}
            yield {"topic": "orderbook.50.BTCUSDT", "type": "delta" if i else "snapshot", **at, "data": book}
            if i % 10 == 9:
                trade = {"T": START_MS + i, "s": "BTCUSDT", "S": ("Buy", "Sell")[i % 3 == 0], "v": "0.5", "p": "3000.1"}
                yield {"topic": "publicTrade.BTCUSDT", "type": "snapshot", **at, "data": [{**trade, "BT": False}]}

    path, text_bytes = _raw(folder, f"bybit{level or ''}", messages())
    if level is None:
        return Load(
            "bybit, fused (raw, gz)",
            text_bytes,
            lambda: convert_bybit(path, **GRID),
            lambda: reference("bybit", "convert_fused", str(path), tick_size=0.1, lot_size=0.001, buffer_size=4 * rows),
            Known(px_error=1e-15, why="D54"),
        )
    return Load(
        f"bybit, {level} levels (raw, gz)",
        text_bytes,
        lambda: convert_bybit(path, level=level, **GRID),
        lambda: reference("bybit", "convert_depth", str(path), single_depth_level=level, buffer_size=2 * rows),
    )


def _hyperliquid(folder: Path, rows: int) -> Load:
    """Books of 20 levels a side, of which few change, and trades."""
    rng = np.random.default_rng(6)

    def messages() -> Iterable[object]:
        bids, asks = (_levels(rng, 20, is_ask=is_ask) for is_ask in (False, True))
        for i in range(rows // 8):
            ms = START_MS + i
            for side in (bids, asks):
                for level in rng.integers(0, 20, 3).tolist():
                    side[level] = [side[level][0], f"{rng.integers(1, 9_000) / 1000:.3f}"]
            sides = [[{"px": px, "sz": qty, "n": 1} for px, qty in side] for side in (bids, asks)]
            yield {"channel": "l2Book", "data": {"coin": "BTC", "levels": sides, "time": ms}}
            if i % 10 == 9:
                trade = {
                    "coin": "BTC",
                    "side": "AB"[i % 2],
                    "px": "3000.1",
                    "sz": "0.5",
                    "hash": "0x",
                    "time": ms,
                    "tid": i,
                }
                yield {"channel": "trades", "data": [trade]}

    path, text_bytes = _raw(folder, "btc", messages())
    return Load(
        "hyperliquid (raw, gz)",
        text_bytes,
        lambda: convert_hyperliquid(path, **GRID),
        lambda: reference("hyperliquid", "convert", str(path), 0.1, 0.001, buffer_size=4 * rows),
    )


def _mexc(folder: Path, rows: int) -> Load:
    """Changes of ten levels a side, and deals."""
    rng = np.random.default_rng(7)

    def messages() -> Iterable[object]:
        for i in range(rows // 20):
            at = {"s": "BTCUSDT", "t": START_MS + i}
            sides = {
                name: [{"p": px, "v": qty} for px, qty in _levels(rng, 10, is_ask=name == "asks")]
                for name in ("bids", "asks")
            }
            yield {"c": "spot@public.increase.depth.v3.api@BTCUSDT", "d": {**sides, "r": str(i)}, **at}
            if i % 10 == 9:
                deals = [{"p": "3000.1", "v": "0.5", "S": 1 + i % 2, "t": START_MS + i}]
                yield {"c": "spot@public.deals.v3.api@BTCUSDT", "d": {"deals": deals}, **at}

    path, text_bytes = _raw(folder, "mexc", messages())
    return Load(
        "mexc (raw, gz)",
        text_bytes,
        lambda: convert_mexc(path, **GRID),
        lambda: reference("mexc", "convert", str(path), buffer_size=2 * rows),
        Known(ts_error_ns=256, why="D48"),
    )


# --- others -----------------------------------------------------------------------------------------------------------
def _databento(folder: Path, rows: int) -> Load:
    """Orders that are added, changed and cancelled; zstd, as Databento delivers."""
    import databento_dbn as dbn
    import pyarrow as pa

    start = START_MS * 1_000_000
    records = np.zeros(rows, MBO)
    records["length"], records["rtype"], records["publisher_id"], records["instrument_id"] = MBO.itemsize // 4, 160, 1, 5602
    index = np.arange(rows)
    records["ts_event"], records["ts_recv"] = start + 10_000 * index, start + 10_000 * index + 15_000
    records["order_id"], records["sequence"] = index // 3 + 1, index
    records["price"] = (50_000 + index // 3 % 40 * 25 + (index // 3 % 2) * 1000) * 10**7
    records["size"] = 1 + index % 3 % 2
    records["action"] = np.frombuffer(b"AMC", np.uint8)[index % 3]
    records["side"] = np.frombuffer(b"BA", np.uint8)[index // 3 % 2]
    records["flags"] = 128
    day = dt.datetime.fromtimestamp(START_MS / 1000, dt.UTC).date()
    interval = SimpleNamespace(start_date=day, end_date=day + dt.timedelta(1), symbol="5602")
    head = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=start,
        end=start + 10**12,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.MBO,
        symbols=["ESM4"],
        partial=[],
        not_found=[],
        mappings=[SimpleNamespace(raw_symbol="ESM4", intervals=[interval])],
    )
    path = folder / "es.mbo.dbn.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(bytes(head) + records.tobytes())
    return Load(
        "databento, by order (dbn.zst)",
        records.nbytes,
        lambda: convert_databento(path, tick_size="0.25", lot_size=1),
        lambda: reference("databento", "convert", str(path), None),
        Known(ts_error_ns=1100, why="D48"),
    )


def _table(folder: Path, rows: int) -> Load:
    """Trades in columns; hftbacktest has no such converter."""
    path = folder / "table.csv"
    lines = (f"{START_MS + i // 3},{3000 + i % 50 / 10},{1 + i % 9},{'bs'[i % 2]}\n" for i in range(rows))
    path.write_text("t,p,q,side\n" + "".join(lines), newline="\n")
    columns: dict[str, Any] = {
        "exch_ts": {"name": "t", "unit": "ms"},
        "px": "p",
        "qty": "q",
        "side": {"name": "side", "buy": ["b"], "sell": ["s"]},
        "kind": "trade",
    }
    return Load("table (csv)", path.stat().st_size, lambda: convert_table(path, {"columns": columns}, **GRID))


LOADS: tuple[Callable[[Path, int], Load], ...] = (
    partial(_binance_raw, source="binance-usdm"),
    partial(_binance_raw, source="binance-coinm"),
    partial(_binance_raw, source="binance-spot"),
    _binance_history,
    partial(_bybit_raw, level=50),
    partial(_bybit_raw, level=None),
    _bybit_history,
    _hyperliquid,
    _mexc,
    _tardis,
    _databento,
    _lobster,
    _table,
)
"""Each makes its files in a folder, of about so many rows."""
