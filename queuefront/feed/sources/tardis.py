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

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

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
from queuefront.feed.event_order import sorted_blocks
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.archive import Archive, Events, PathLike
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.book_changes import BookChanges, BookColumns
from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_records import CsvFile, Layout, Table
from queuefront.feed.sources.snapshot_blocks import SNAPSHOT_MODES, DepthBlocks, DepthRows, SnapshotMode
from queuefront.feed.sources.tail import Ending, OnBad

__all__ = ["TARDIS", "convert_tardis"]

TARDIS: Final = "tardis"

_FUSED_KEYS: Final = ("exch_ts", "local_ts", "order_id")
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
    archive = Archive(TARDIS, paths, on_bad=on_bad, symbol=symbol, gap_threshold_ns=gap_threshold_ns, progress=progress)
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    parts = _Parts(archive, snapshot_mode, fuse=fuse)
    for path in archive.paths:
        parts.read(CsvFile(archive, path, _LAYOUTS))
    if fuse:
        if not {_DEPTH.kind, _QUOTES.kind} <= parts.kinds:
            raise ConfigError(
                "fuse puts quotes into depth; give files of both incremental_book_L2 and quotes (book_ticker)"
            )
        parts.depth = _fused(archive, ending, parts.depth, parts.quotes)
    if parts.books is not None and _DEPTH.kind in parts.kinds:
        raise ConfigError("the files hold both updates and snapshots of one book; give one kind only")
    changes = [_changes(archive, ending, parts.books)] if parts.books is not None else []
    return archive.finish([parts.trades, parts.depth, *changes, parts.others], ending)


class _Parts:
    """What the files hold, by what becomes of it."""

    def __init__(self, archive: Archive, mode: SnapshotMode, *, fuse: bool) -> None:
        self.kinds: set[str] = set()  # of files
        self.trades, self.others = RowSpill(), RowSpill()  # others: quotes that are not fused, and tickers
        # Rows to be fused have the greatest time of receipt so far in `order_id`; those to be ignored have 1 in `ival`.
        self.depth, self.quotes = (RowSpill(keys=_FUSED_KEYS), RowSpill(keys=_FUSED_KEYS)) if fuse else (RowSpill(),) * 2
        self.books: RowSpill | None = None
        self._archive, self._mode, self._fuses = archive, mode, fuse
        self._received = {_DEPTH.kind: 0, _QUOTES.kind: 0}

    def read(self, file: CsvFile) -> None:
        """Make the rows of one file."""
        depth = DepthBlocks(self._mode)
        for given in file.tables():
            table = _paired(self._archive, given)
            kind = table.layout.kind
            self.kinds.add(kind)
            self._archive.find_silence(table.columns["local_timestamp"], table.line)
            if kind == _TRADES.kind:
                _take(self.trades, table, TRADE_EVENT)
            elif kind == _DEPTH.kind and not self._fuses and depth.lets_pass(table.columns["is_snapshot"] == 1):
                _take(self.depth, table, DEPTH_EVENT)
            elif kind == _DEPTH.kind:
                self._take_depth(depth.take(*_updates(table)))
            elif kind == _QUOTES.kind and self._fuses:
                self.quotes.take(self._marked(_quote_rows(table, as_bbo=True), kind))
            elif kind == _QUOTES.kind:
                self.others.take(_quote_rows(table, as_bbo=False))
            elif kind == _TICKER.kind:
                self.others.take(_ticker_rows(table))
            else:
                self._take_books(table)
        self._take_depth(depth.end())

    def _take_depth(self, part: DepthRows) -> None:
        if self._fuses:
            rows = self._marked(part.rows, _DEPTH.kind)
            rows["ival"] = part.is_ignored
            self.depth.take(rows)
        else:
            self.depth.take(part.rows[~part.is_ignored] if part.is_ignored.any() else part.rows)

    def _marked(self, rows: Events, kind: str) -> Events:
        if len(rows):
            received = np.maximum.accumulate(np.maximum(rows["local_ts"], self._received[kind]))
            rows["order_id"], self._received[kind] = received, int(received[-1])
        return rows

    def _take_books(self, table: Table) -> None:
        levels = _BOOKS[table.layout.kind]
        if len(self.kinds & set(_BOOKS)) > 1:
            raise ConfigError("the files hold snapshots of 5 and of 25 levels of one book; give one kind only")
        if self.books is None:
            sides = [(f"{side}_{name}", "f8", (levels,)) for side in ("bid", "ask") for name in ("px", "qty")]
            self.books = RowSpill([("exch_ts", "i8"), ("local_ts", "i8"), *sides])
        books = np.zeros(len(table.line), self.books.dtype)
        books["exch_ts"], books["local_ts"] = table.columns["timestamp"], table.columns["local_timestamp"]
        for side in ("bid", "ask"):
            for name, column in (("px", "price"), ("qty", "amount")):
                for i in range(levels):
                    books[f"{side}_{name}"][:, i] = table.columns[f"{side}s[{i}].{column}"]
        self.books.take(books)


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


def _take(rows: RowSpill, table: Table, kind: int) -> None:
    """Take a row for each record of trades or of depth."""
    columns = table.columns
    rows.take_columns(
        columns["side"], kind, columns["timestamp"], columns["local_timestamp"], columns["price"], columns["amount"]
    )


def _updates(table: Table) -> tuple[Events, npt.NDArray[np.bool_]]:
    """Return a row for each record of depth, without its kind, and which are of a snapshot."""
    rows = _rows(table)
    rows["ev"], rows["px"], rows["qty"] = table.columns["side"], table.columns["price"], table.columns["amount"]
    return rows, table.columns["is_snapshot"] == 1


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


def _changes(archive: Archive, ending: Ending, books: RowSpill) -> RowSpill:
    """Return what changes from book to book."""

    def values(name: str) -> Iterator[npt.NDArray[np.float64]]:
        for block in books.blocks():
            yield np.nan_to_num(np.concatenate([block[f"bid_{name}"], block[f"ask_{name}"]])).ravel()

    tick, lot = archive.grid_of(lambda: values("px"), lambda: values("qty"), ending)
    levels = books.dtype["bid_px"].shape[0]
    changes, made = BookChanges(levels, tick, lot, archive.account.path), RowSpill()
    for block in books.blocks():
        for rows in changes.rows(BookColumns(*(block[name] for name in BookColumns._fields))):
            made.take(rows)
    books.drop()
    return made


def _fused(archive: Archive, ending: Ending, depth: RowSpill, quotes: RowSpill) -> RowSpill:
    """Merge quotes into depth by receipt, depth first where times are equal, and return what changes in their book.

    A snapshot that is ignored makes no rows, but the book knows it.
    """
    rows = Rows([depth, quotes])
    book, made = FusedBook(*archive.grid(rows, ending)), RowSpill()
    for block in sorted_blocks(rows, "order_id"):
        every = block.copy()
        is_ignored = every["ival"] != 0
        every["order_id"], every["ival"] = 0, 0
        turns = np.flatnonzero(np.diff(is_ignored)) + 1
        for begin, end in pairwise([0, *turns.tolist(), len(every)]):
            made.take(book.fuse(every[begin:end], add=not is_ignored[begin], keep=False))
    rows.drop()
    return made
