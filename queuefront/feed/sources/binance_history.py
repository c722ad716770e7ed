"""Convert the files of Binance's archive to events. Source: github.com/binance/binance-public-data, read 2026-11.

| file | rows |
| --- | --- |
| `trades`, `aggTrades` | trades; the buyer being the maker, the seller took |
| `bookTicker` | best prices (kinds 103 and 104): ask, then bid |
| depth updates (`T_DEPTH`, by application) | depth |
| depth snapshots, by `convert_binance_snapshot` | snapshot rows |

Files are csv or zip, with a header or without one. `bookDepth` has sums within percentages of the price and no book, and is
refused. Times are milliseconds, of spot since 2025 microseconds: a file's first time decides, and a file that mixes both is
refused. `bookTicker` and depth name the time of the event.

The archive has no times of receipt; a local time is the exchange's plus `feed_latency_ns`. A backtest over such data knows
nothing about feed latencies. Trades come before depth of equal time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.errors import ConfigError, DataFormatError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.archive import Archive, Events, PathLike, later_by
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_records import CsvFile, Layout, Table
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["BINANCE_HISTORY", "convert_binance_history", "convert_binance_snapshot"]

BINANCE_HISTORY: Final = "binance-history"

_UNITS: Final = ("ms", "us")
_BOOL: Final = {b"true": SELL_EVENT, b"True": SELL_EVENT, b"false": BUY_EVENT, b"False": BUY_EVENT}
_MAKER: Final = "is_buyer_maker"

_TRADES: Final = Layout(
    "trades",
    (
        Column("price", "price"),
        Column("qty", "qty"),
        Column("time", "time", units=_UNITS),
        Column(_MAKER, "choice", choices=_BOOL),
    ),
    ("id", "price", "qty", "quote_qty", "time", _MAKER),
)
_SPOT_TRADES: Final = _TRADES._replace(names=(*_TRADES.names, "is_best_match"))
_AGG_TRADES: Final = Layout(
    "aggTrades",
    (
        Column("price", "price"),
        Column("quantity", "qty"),
        Column("transact_time", "time", units=_UNITS),
        Column(_MAKER, "choice", choices=_BOOL),
    ),
    ("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", _MAKER, "is_best_match"),
)
_TICKER: Final = Layout(
    "bookTicker",
    (
        Column("best_bid_price", "price"),
        Column("best_bid_qty", "qty"),
        Column("best_ask_price", "price"),
        Column("best_ask_qty", "qty"),
        Column("transaction_time", "time", units=_UNITS),
    ),
)
_DEPTH: Final = Layout(
    "depth",
    (
        Column("symbol", "same"),
        Column("timestamp", "time", units=_UNITS),
        Column("side", "choice", choices={b"b": BUY_EVENT, b"a": SELL_EVENT}),
        Column("price", "price"),
        Column("qty", "qty"),
    ),
    ("symbol", "timestamp", "trans_id", "first_update_id", "last_update_id", "side", "update_type", "price", "qty"),
)
_NAME: Final = re.compile(r"([A-Z0-9_]+?)(?:-|_)(trades|aggTrades|bookTicker|bookDepth|T_DEPTH|S_DEPTH)")


def convert_binance_history(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    feed_latency_ns: int = 0,
    base_latency_ns: int = 0,
    always_add_latency: bool = False,
    on_bad: OnBad = "stop",
    tick_size: Number | None = None,
    lot_size: Number | None = None,
    contract: ContractKind | str = ContractKind.LINEAR,
    multiplier: Number | None = None,
    gap_threshold_ns: int = 10_000_000_000,
    progress: Progress | None = None,
) -> Conversion:
    """Convert the files of one market.

    Parameters
    ----------
    paths : the files; of one kind in the order of their times.
    symbol : the market, where neither the files nor their names say it.
    feed_latency_ns : from the exchange's time to the local time, for all rows alike.
    on_bad, base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as
        in `convert_lines`.

    Raises
    ------
    ConfigError
        For a negative latency.
    DataFormatError, TruncatedFileError, SchemaMismatchError
        For a file of another kind or market, one that is cut off, or a record that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    archive = Archive(
        BINANCE_HISTORY, paths, on_bad=on_bad, symbol=symbol, gap_threshold_ns=gap_threshold_ns, progress=progress
    )
    trades, others = RowSpill(), RowSpill()
    for path in archive.paths:
        _check_name(archive, path)
        layouts = (_TRADES, _SPOT_TRADES, _AGG_TRADES, _TICKER, _DEPTH)
        for table in CsvFile(archive, path, layouts).tables():
            exch_ts = table.columns[_time_of(table)]
            local_ts = later_by(exch_ts, feed_latency_ns, path)
            archive.find_silence(local_ts, table.line)
            _take(others if table.layout.kind in (_TICKER.kind, _DEPTH.kind) else trades, table, local_ts)
    kinds = {name for name in (_TRADES.kind, _AGG_TRADES.kind) if archive.counts[name]}
    if len(kinds) > 1:
        raise ConfigError("trades and aggTrades are the same trades, one by one and joined; give one kind only")
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    return archive.finish([trades, others], ending)


def convert_binance_snapshot(path: PathLike, *, feed_latency_ns: int = 0, on_bad: OnBad = "stop") -> Events:
    """Convert a depth snapshot to the rows that a backtest starts with: bids, then asks, each from the best on.

    The rows belong to neither half. Raises as `convert_binance_history`.
    """
    archive = Archive(BINANCE_HISTORY, [path], on_bad=on_bad)
    taken = RowSpill()
    for table in CsvFile(archive, path, (_DEPTH,)).tables():
        _take(taken, table, later_by(table.columns[_time_of(table)], feed_latency_ns, path))
    rows = Rows([taken]).whole()
    rows["ev"] = (rows["ev"] - np.uint64(DEPTH_EVENT)) | np.uint64(DEPTH_SNAPSHOT_EVENT)
    is_bid = (rows["ev"] & np.uint64(BUY_EVENT)) != 0
    order = np.lexsort((np.where(is_bid, -rows["px"], rows["px"]), ~is_bid))
    result: Events = rows.take(order)
    return result


def _check_name(archive: Archive, path: PathLike) -> None:
    """Learn the symbol from the file's name, or refuse a name of another one."""
    match = _NAME.match(Path(path).name)
    if match is None:
        return
    if match[2] == "bookDepth":
        raise DataFormatError(
            f"{path}: bookDepth has sums of quantities within percentages of the price and no book; take trades, "
            "aggTrades, bookTicker or depth updates"
        )
    if archive.symbol and archive.symbol != match[1]:
        raise DataFormatError(
            f"{path}: the file is of {match[1]}, and the others are of {archive.symbol}; convert each alone"
        )
    archive.symbol = match[1]


def _time_of(table: Table) -> str:
    return next(column.name for column in table.layout.columns if column.kind == "time")


def _take(rows: RowSpill, table: Table, local_ts: npt.NDArray[np.int64]) -> None:
    """Take the rows of records: of best prices ask and bid, of the others one each."""
    columns, kind = table.columns, table.layout.kind
    exch_ts = columns[_time_of(table)]
    if kind == _TICKER.kind:
        both = np.zeros(2 * len(exch_ts), EVENT)
        both["exch_ts"], both["local_ts"] = np.repeat(exch_ts, 2), np.repeat(local_ts, 2)
        for first, event, side in ((0, BEST_ASK_EVENT, "ask"), (1, BEST_BID_EVENT, "bid")):
            both["ev"][first::2] = event
            both["px"][first::2], both["qty"][first::2] = columns[f"best_{side}_price"], columns[f"best_{side}_qty"]
        rows.take(both)
    elif kind == _DEPTH.kind:
        rows.take_columns(columns["side"], DEPTH_EVENT, exch_ts, local_ts, columns["price"], columns["qty"])
    else:
        qty = columns["quantity" if kind == _AGG_TRADES.kind else "qty"]
        rows.take_columns(columns[_MAKER], TRADE_EVENT, exch_ts, local_ts, columns["price"], qty)
