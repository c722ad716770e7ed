"""Convert Tardis' CSV files to events. Source: docs.tardis.dev, "Downloadable CSV files", read 2026-11.

| data type | rows |
| --- | --- |
| `trades` | trades; side `unknown` is none |
| `incremental_book_L2` | depth, and snapshots as in `snapshot_blocks` |
| `book_snapshot_5`, `book_snapshot_25` | what changed since the book before, as depth (`book_changes`) |
| `quotes`, `book_ticker` | best prices (kinds 103 and 104); or, with `fuse`, what they correct in the depth |
| `derivative_ticker` | index price, mark price, funding rate (kinds 100 to 102), where they are given |

Which type a file is, its header says. Both times are microseconds and stay exact. Trades come before book updates of equal
time, whatever the order of the files: a depth update already lacks what a trade took. For Binance futures, Tardis gives the
time of sending and not of the transaction, so that latencies look a little too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.book import FusedBook
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Number
from queuefront.feed.conversion import Conversion
from queuefront.feed.sources.archive import Archive, Events, PathLike
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.book_changes import BookColumns, book_changes
from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_records import CsvFile, Layout, Table
from queuefront.feed.sources.snapshot_blocks import SNAPSHOT_MODES, DepthRows, SnapshotMode, depth_rows
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["TARDIS", "convert_tardis"]

TARDIS: Final = "tardis"

_FUSED_AT_ONCE: Final = 2**18
_HEAD: Final = (
    Column("exchange", "same"),
    Column("symbol", "same"),
    Column("timestamp", "time"),
    Column("local_timestamp", "time"),
)
_LEVEL: Final = (Column("price", "price"), Column("amount", "qty"))
_SIDES: Final = {b"bid": BUY_EVENT, b"buy": BUY_EVENT, b"ask": SELL_EVENT, b"sell": SELL_EVENT}
_DEPTH: Final = Layout(
    "incremental_book_L2",
    (
        *_HEAD,
        Column("is_snapshot", "choice", choices={b"true": 1, b"false": 0}),
        Column("side", "choice", choices=_SIDES),
        *_LEVEL,
    ),
)
_TRADES: Final = Layout(
    "trades",
    (*_HEAD, Column("side", "choice", choices={b"buy": BUY_EVENT, b"sell": SELL_EVENT, b"unknown": 0}), *_LEVEL),
)
_QUOTES: Final = Layout(
    "quotes",
    (
        *_HEAD,
        Column("ask_amount", "qty", is_optional=True),
        Column("ask_price", "price", is_optional=True),
        Column("bid_price", "price", is_optional=True),
        Column("bid_amount", "qty", is_optional=True),
    ),
)
_TICKER: Final = Layout(
    "derivative_ticker",
    (
        *_HEAD,
        Column("funding_rate", "number", is_optional=True),
        Column("index_price", "price", is_optional=True),
        Column("mark_price", "price", is_optional=True),
    ),
)


def _book_layout(levels: int) -> Layout:
    columns = [
        Column(f"{side}[{i}].{name}", kind, is_optional=True)  # type: ignore[arg-type]
        for i in range(levels)
        for side in ("asks", "bids")
        for name, kind in (("price", "price"), ("amount", "qty"))
    ]
    return Layout(f"book_snapshot_{levels}", (*_HEAD, *columns))


_BOOKS: Final = {f"book_snapshot_{levels}": levels for levels in (5, 25)}
_LAYOUTS: Final = (_TRADES, _DEPTH, _QUOTES, _TICKER, *(_book_layout(levels) for levels in _BOOKS.values()))


def convert_tardis(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    snapshot_mode: SnapshotMode = "process",
    fuse: bool = False,
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
    """Convert the files of one market, plain, gzip, zip or zstd.

    Parameters
    ----------
    paths : the files; of one type in the order of their times.
    symbol : whose records to take, where files hold several markets (`PERPETUALS`, `OPTIONS`).
    snapshot_mode : `process` takes all snapshots of `incremental_book_L2`, `ignore_sod` leaves out the one that Tardis puts
        at the start of a day, `ignore` all of them.
    fuse : put quotes and depth into one book, in the order of receipt; the rows are what changes in it.
    on_bad, base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier, gap_threshold_ns, progress : as
        in `convert_lines`.

    Raises
    ------
    ConfigError
        For an unknown option, or `fuse` without both depth and quotes.
    DataFormatError, TruncatedFileError, SchemaMismatchError
        For a file of none of these types, one that is cut off, or a record that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    if snapshot_mode not in SNAPSHOT_MODES:
        raise ConfigError(f"snapshot_mode is {snapshot_mode!r}; choose one of {', '.join(SNAPSHOT_MODES)}")
    files = [paths] if isinstance(paths, str | Path) or not isinstance(paths, Sequence) else list(paths)
    archive = Archive(TARDIS, files, on_bad=on_bad, symbol=symbol, gap_threshold_ns=gap_threshold_ns, progress=progress)
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    parts = _Parts()
    for path in files:
        parts.take(_paired(archive, CsvFile(archive, path, _LAYOUTS).read()), archive, snapshot_mode, fuse=fuse)
    trades, depth, quotes, others, books = parts.trades, parts.depth, parts.quotes, parts.others, parts.books
    if fuse:
        if not (depth and quotes):
            raise ConfigError(
                "fuse puts quotes into depth; give files of both incremental_book_L2 and quotes (book_ticker)"
            )
        updates = [_fused(archive, ending, depth, quotes)]
    else:
        updates = [part.rows[~part.is_ignored] if part.is_ignored.any() else part.rows for part in depth]
    if books and depth:
        raise ConfigError("the files hold both updates and snapshots of one book; give one kind only")
    rows = np.concatenate([np.zeros(0, EVENT), *trades, *updates, *_changes(archive, ending, books), *others])
    del parts, trades, depth, updates, books, quotes, others  # rows are many
    return archive.finish(rows, ending)


@dataclass
class _Parts:
    """What the files hold, by what becomes of it; columns are dropped when their rows are made."""

    trades: list[Events] = field(default_factory=list)
    depth: list[DepthRows] = field(default_factory=list)
    quotes: list[Events] = field(default_factory=list)  # to be fused
    others: list[Events] = field(default_factory=list)  # quotes that are not, and tickers
    books: list[Table] = field(default_factory=list)

    def take(self, table: Table, archive: Archive, mode: SnapshotMode, *, fuse: bool) -> None:
        """Make the rows of one file."""
        archive.find_silence(table.columns["local_timestamp"], table.line)
        if table.layout.kind == _TRADES.kind:
            self.trades.append(_trade_rows(table))
        elif table.layout.kind == _DEPTH.kind:
            self.depth.append(_depth_of(table, mode))
        elif table.layout.kind == _QUOTES.kind:
            (self.quotes if fuse else self.others).append(_quote_rows(table, as_bbo=fuse))
        elif table.layout.kind == _TICKER.kind:
            self.others.append(_ticker_rows(table))
        else:
            self.books.append(table)


def _paired(archive: Archive, table: Table) -> Table:
    """Refuse records that give a price without its amount, or the other way round."""
    for name in [name for name in table.columns if name.endswith("price")]:
        amount = name.removesuffix("price") + "amount"
        if amount in table.columns:
            is_odd = np.isfinite(table.columns[name]) != np.isfinite(table.columns[amount])
            table = table.without(archive, is_odd, name, f"only one of {name} and {amount} is given")
    return table


def _rows(table: Table) -> Events:
    """Return a row for each record, with its times."""
    rows = np.zeros(len(table.line), EVENT)
    rows["exch_ts"], rows["local_ts"] = table.columns["timestamp"], table.columns["local_timestamp"]
    return rows


def _trade_rows(table: Table) -> Events:
    rows = _rows(table)
    rows["ev"] = table.columns["side"] | TRADE_EVENT
    rows["px"], rows["qty"] = table.columns["price"], table.columns["amount"]
    return rows


def _depth_of(table: Table, mode: SnapshotMode) -> DepthRows:
    rows = _rows(table)
    rows["ev"], rows["px"], rows["qty"] = table.columns["side"], table.columns["price"], table.columns["amount"]
    return depth_rows(rows, table.columns["is_snapshot"] == 1, mode)


def _quote_rows(table: Table, *, as_bbo: bool) -> Events:
    """Return the best ask and then the best bid of each record, where there are some."""
    rows = np.repeat(_rows(table), 2)
    asks, bids = rows[0::2], rows[1::2]
    asks["ev"] = DEPTH_BBO_EVENT | SELL_EVENT if as_bbo else BEST_ASK_EVENT
    bids["ev"] = DEPTH_BBO_EVENT | BUY_EVENT if as_bbo else BEST_BID_EVENT
    for part, name in ((asks, "ask"), (bids, "bid")):
        part["px"], part["qty"] = table.columns[f"{name}_price"], table.columns[f"{name}_amount"]
    given: Events = rows[np.isfinite(rows["px"]) & np.isfinite(rows["qty"])]
    return given


def _ticker_rows(table: Table) -> Events:
    kinds = (("index_price", INDEX_PRICE_EVENT), ("mark_price", MARK_PRICE_EVENT), ("funding_rate", FUNDING_RATE_EVENT))
    rows = np.repeat(_rows(table), len(kinds))
    for i, (name, kind) in enumerate(kinds):
        rows["ev"][i :: len(kinds)], rows["px"][i :: len(kinds)] = kind, table.columns[name]
    given: Events = rows[np.isfinite(rows["px"])]
    return given


def _changes(archive: Archive, ending: Ending, books: Sequence[Table]) -> list[Events]:
    """Return what changes from book to book."""
    if not books:
        return []
    if len({table.layout.kind for table in books}) > 1:
        raise ConfigError("the files hold snapshots of 5 and of 25 levels of one book; give one kind only")
    levels = _BOOKS[books[0].layout.kind]
    names = [[f"{side}[{i}].{name}" for i in range(levels)] for side in ("bids", "asks") for name in ("price", "amount")]
    bid_px, bid_qty, ask_px, ask_qty = (
        np.concatenate([np.column_stack([table.columns[name] for name in group]) for table in books]) for group in names
    )
    rows = np.concatenate([_rows(table) for table in books])
    columns = BookColumns(rows["exch_ts"], rows["local_ts"], bid_px, bid_qty, ask_px, ask_qty)
    sample = np.zeros(bid_px.size + ask_px.size, EVENT)  # of levels, from which the grid is inferred
    sample["ev"] = DEPTH_EVENT
    for name, sides in (("px", (bid_px, ask_px)), ("qty", (bid_qty, ask_qty))):
        sample[name] = np.concatenate([np.nan_to_num(side).ravel() for side in sides])
    return [book_changes(columns, *archive.grid(sample, ending), archive.account.path)]


def _fused(archive: Archive, ending: Ending, depth: Sequence[DepthRows], quotes: Sequence[Events]) -> Events:
    """Merge quotes into depth by receipt, depth first where times are equal, and return what changes in their book.

    A snapshot that is ignored makes no rows, but the book knows it.
    """
    books = np.concatenate([part.rows for part in depth])
    tickers = np.concatenate(quotes)
    every = np.concatenate([books, tickers])
    tick, lot = archive.grid(every, ending)
    is_ignored = np.concatenate([*(part.is_ignored for part in depth), np.zeros(len(tickers), np.bool_)])
    received = np.concatenate([_running_max(books["local_ts"]), _running_max(tickers["local_ts"])])
    order = np.argsort(received, kind="stable")
    every, is_ignored = every.take(order), is_ignored[order]
    turns = np.flatnonzero(np.diff(is_ignored)) + 1
    bounds = np.union1d(np.append(turns, len(every)), np.arange(0, len(every), _FUSED_AT_ONCE))
    book = FusedBook(tick, lot)
    made = [np.zeros(0, EVENT)]
    for begin, end in pairwise(bounds):
        part = book.fuse(every[begin:end], add=not is_ignored[begin])
        made.append(part)
    return np.concatenate(made)


def _running_max(ts: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.maximum.accumulate(np.ascontiguousarray(ts)) if len(ts) else np.zeros(0, np.int64)
