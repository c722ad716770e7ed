"""Convert the files of Bybit's archive to events. Source: bybit.com, "History Data", read 2026-11.

| file | rows |
| --- | --- |
| `<date>_<SYMBOL>_ob500.data.zip`, JSON lines | depth, asks before bids; of a snapshot, each side is a clear and levels |
| `<SYMBOL><date>.csv.gz`, trades | trades; the side is the taker's |

The book's times are milliseconds, the trades' seconds with decimals; both stay exact. There are no times of receipt; a
local time is the exchange's plus `feed_latency_ns`. Trades come before depth of equal time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import isfinite
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    ContractKind,
)
from queuefront.core.instrument import Number
from queuefront.feed.clean_compiled import merge_ascending
from queuefront.feed.conversion import LIST_MAX, Conversion, Gap
from queuefront.feed.event_order import sorted_blocks
from queuefront.feed.row_spill import BLOCK_ROWS, Rows, RowSpill
from queuefront.feed.sources.archive import Archive, Events, PathLike, later_by
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.bybit_compiled import (
    BOOK_COLUMNS,
    COL_IS_SNAPSHOT,
    COL_TS,
    COL_UPDATE_ID,
    OPT_ASKS_FIRST,
    OPT_CLEARS,
    OPT_WORST_BY_PRICE,
    scan_books,
)
from queuefront.feed.sources.csv_columns import TS_MAX, TS_MIN, Column
from queuefront.feed.sources.csv_records import CsvFile, Layout
from queuefront.feed.sources.message_compiled import STATE_SYMBOL_BYTES, STATE_TIME_MAX, STATE_TIME_MIN
from queuefront.feed.sources.message_scan import ROW_BYTES_MIN, Scan, scan_state
from queuefront.feed.sources.tail import Ending, OnBad
from queuefront.feed.sources.words_compiled import WORD_BYTES

__all__ = ["BYBIT_HISTORY", "convert_bybit_history"]

BYBIT_HISTORY: Final = "bybit-history"

_NS_PER_MS: Final = 1_000_000
_ROWS_HELD: Final = 2**16
_LINE_BYTES_MIN: Final = 40  # of lines that are scanned: their keys alone take more
_INFINITY: Final = float("inf")
_TRADES: Final = Layout(
    "trades",
    (
        Column("timestamp", "seconds"),
        Column("symbol", "same"),
        Column("side", "choice", choices={b"Buy": BUY_EVENT, b"Sell": SELL_EVENT}),
        Column("size", "qty"),
        Column("price", "price"),
    ),
    (
        "timestamp",
        "symbol",
        "side",
        "size",
        "price",
        "tickDirection",
        "trdMatchID",
        "grossValue",
        "homeNotional",
        "foreignNotional",
    ),
)

_Level = tuple[float, float]
_Run = tuple[int, int, int]  # kind and side, time in ns, rows


class _Data(msgspec.Struct):
    s: str
    b: list[_Level] = []
    a: list[_Level] = []
    u: int = -1


class _Message(msgspec.Struct):
    type: Literal["snapshot", "delta"]
    ts: int
    data: _Data


_decode = msgspec.json.Decoder(_Message, strict=False).decode  # levels are decimal text


class _Refused(Exception):  # noqa: N818 - an outcome, which becomes an error or a count
    """A message cannot be used."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def convert_bybit_history(
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
    paths : books and trades; of one kind in the order of their times. Which a file is, its first line says.
    symbol : whose records to take; None: those of the first symbol seen, and another one is refused.
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
        BYBIT_HISTORY, paths, on_bad=on_bad, symbol=symbol, gap_threshold_ns=gap_threshold_ns, progress=progress
    )
    trades, books = RowSpill(), RowSpill()
    for path in archive.paths:
        is_json = _is_json(archive, path)
        for part in _BookFile(archive, path).parts() if is_json else _trade_rows(archive, path):
            part["local_ts"] = later_by(np.ascontiguousarray(part["exch_ts"]), feed_latency_ns, path)
            (books if is_json else trades).take(part)
    ending = Ending(base_latency_ns, always_add_latency, tick_size, lot_size, contract, multiplier)
    return archive.finish(_RowsInTime([trades, books]), ending)


class _RowsInTime(Rows):
    """Trades and books in the order of their times, merged whenever they are read.

    Local times are the exchange's and a constant, so that rows in the order of the one are in that of the other.
    """

    def blocks(self) -> Iterator[Events]:
        """Yield the rows in order, block by block; a block is valid until the next one is asked for."""
        return self._blocks(None)

    def whole(self) -> Events:
        """Return all rows as one new array."""
        rows: Events = np.empty(len(self), EVENT)  # tidy: allow empty: every row is written below
        begin = 0
        for block in self._blocks(rows):
            to = rows[begin : begin + len(block)]
            if not np.may_share_memory(block, to):
                _words(to)[:] = _words(np.ascontiguousarray(block))
            begin += len(block)
        return rows

    def _blocks(self, room: Events | None) -> Iterator[Events]:
        """Yield the rows in order; those that are merged are written into their places in `room`, where it is given."""
        if all(Rows([spill]).is_ascending("exch_ts") for spill in self.spills):
            trades, books = self.spills
            return self._merged(trades, books, room)
        return sorted_blocks(Rows(self.spills), "exch_ts")

    def _merged(self, trades: RowSpill, books: RowSpill, room: Events | None) -> Iterator[Events]:
        trade_blocks, none, made = trades.blocks(), np.zeros(0, EVENT), np.zeros(BLOCK_ROWS, EVENT)
        trade, i, n = none, 0, 0
        for book in books.blocks():
            k = 0
            while k < len(book):
                if i == len(trade):
                    trade, i = next(trade_blocks, none), 0
                if not len(trade):
                    n += len(book) - k
                    yield book[k:]
                    break
                to = made if room is None else room[n:]
                i, k, count = merge_ascending(_words(trade), i, _words(book), k, _words(to))
                n += count
                yield to[:count]
        if i < len(trade):
            yield trade[i:]
        yield from trade_blocks

    def is_ascending(self, key: str) -> bool:
        """Whether all rows ascend by a column."""
        return key in ("exch_ts", "local_ts")


def _words(rows: Events) -> npt.NDArray[np.int64]:
    return rows.view(np.int64).reshape(-1, EVENT.itemsize // 8)


def _is_json(archive: Archive, path: PathLike) -> bool:
    """Tell whether the first line is the beginning of a JSON object."""
    lines = iter(archive.open(path))
    try:
        return next(lines, b"").lstrip()[:1] == b"{"
    finally:
        lines.close()  # type: ignore[attr-defined]


def _trade_rows(archive: Archive, path: PathLike) -> Iterator[Events]:
    for table in CsvFile(archive, path, (_TRADES,)).tables():
        rows = np.zeros(len(table.line), EVENT)
        rows["exch_ts"], rows["ev"] = table.columns["timestamp"], table.columns["side"] | TRADE_EVENT
        rows["px"], rows["qty"] = table.columns["price"], table.columns["size"]
        archive.find_silence(table.columns["timestamp"], table.line)
        yield rows


class _BookScan:
    """The compiled scanner of book messages: it takes plain lines, and leaves all else to `_BookFile`."""

    def __init__(self) -> None:
        self._state = scan_state(Scan(scan_books, OPT_CLEARS | OPT_ASKS_FIRST | OPT_WORST_BY_PRICE))
        self._state[STATE_TIME_MIN], self._state[STATE_TIME_MAX] = -(-TS_MIN // _NS_PER_MS), TS_MAX // _NS_PER_MS
        self._block: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._lines = np.zeros((0, BOOK_COLUMNS), np.int64)
        self._rows = np.zeros(0, EVENT)  # the scanner leaves the spare fields as they are

    def begin(self, block: bytes) -> None:
        """Scan this block from now on."""
        self._block = np.frombuffer(block, np.uint8)
        if len(self._lines) < (line_count := len(block) // _LINE_BYTES_MIN + 1):
            self._lines = np.zeros((line_count, BOOK_COLUMNS), np.int64)
        if len(self._rows) < (row_count := len(block) // ROW_BYTES_MIN):
            self._rows = np.zeros(row_count, EVENT)  # room that is never written costs no memory

    def run(self, begin: int, symbol: str) -> tuple[int, npt.NDArray[np.int64], Events]:
        """Return where the first line begins that was not taken, and what was: a row of COL_ values a line, and rows."""
        text = symbol.encode("utf-8", "replace")
        self._state[STATE_SYMBOL_BYTES] = len(text)
        texts = np.frombuffer(text + b"\0" * WORD_BYTES, np.uint8)
        end, lines, used = scan_books(self._block, begin, texts, self._state, self._lines, self._rows)
        return end, self._lines[:lines], self._rows[:used]


class _BookFile:
    """One file of book messages."""

    def __init__(self, archive: Archive, path: PathLike) -> None:
        self._archive = archive
        self._lines = archive.open(path)
        self._scan = _BookScan()
        self._px: list[float] = []
        self._qty: list[float] = []
        self._runs: list[_Run] = []
        self._last_id = -1
        self._last_ts = -1

    def parts(self) -> Iterator[Events]:
        """Read the file and yield its rows; those of a part are gone when the next one is asked for."""
        number = 0
        for block in self._lines:
            self._scan.begin(block)
            begin = 0
            while begin < len(block):
                begin, scanned, rows = self._scan.run(begin, self._archive.symbol)
                if len(scanned):
                    yield self._rows()
                    yield rows
                    self._account_scanned(scanned, number)
                    number += len(scanned)
                if begin < len(block):
                    end = block.index(b"\n", begin)
                    number += 1
                    self._line(block[begin:end], number)
                    begin = end + 1
            if len(self._px) >= _ROWS_HELD:
                yield self._rows()
            self._archive.report(self._lines)
        yield self._rows()
        self._archive.close(self._lines, number)

    def _line(self, line: bytes, number: int) -> None:
        if not line.strip():
            self._archive.counts["blank"] += 1
            return
        try:
            self._take(line, number)
        except _Refused as e:
            self._archive.refuse(self._lines.path, number, e.field, e.reason, line)

    def _account_scanned(self, lines: npt.NDArray[np.int64], number: int) -> None:
        """Take scanned lines into the account, before which there were `number`."""
        ts, ids, is_whole = lines[:, COL_TS], lines[:, COL_UPDATE_ID], lines[:, COL_IS_SNAPSHOT] != 0
        self._archive.counts.update("snapshot" if whole else "delta" for whole in is_whole.tolist())
        is_late = np.diff(ts) > self._archive.account.gap_threshold_ns
        for i in (0, *(np.flatnonzero(is_late | (np.diff(ids) != 1) & ~is_whole[1:]) + 1).tolist()):
            if i > 0:
                self._last_ts, self._last_id = int(ts[i - 1]), int(ids[i - 1])
            self._find_gaps(number + i + 1, int(ts[i]), int(ids[i]), is_whole=bool(is_whole[i]))
        self._last_ts, self._last_id = int(ts[-1]), int(ids[-1])

    def _rows(self) -> Events:
        """Return the rows that are held, and begin anew."""
        if not self._px:
            return np.zeros(0, EVENT)
        runs = np.array(self._runs, np.int64)
        rows = np.zeros(len(self._px), EVENT)
        rows["ev"], rows["exch_ts"] = np.repeat(runs[:, 0], runs[:, 2]), np.repeat(runs[:, 1], runs[:, 2])
        rows["px"], rows["qty"] = np.array(self._px), np.array(self._qty)
        self._px, self._qty, self._runs = [], [], []
        return rows

    def _take(self, line: bytes, number: int) -> None:
        """Take the rows of a message, all or none."""
        try:
            message = _decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as e:
            raise _Refused("", str(e)) from e
        ts = message.ts * _NS_PER_MS
        if not TS_MIN <= ts <= TS_MAX:
            raise _Refused("ts", f"{message.ts} is no time in ms between 1990-01-01 and 2100-01-01")
        archive, data = self._archive, message.data
        archive.symbol = archive.symbol or data.s
        if data.s != archive.symbol:
            if archive.chooses:
                archive.counts["of other symbols"] += 1
                return
            raise _Refused("s", f"{data.s[:40]!r} is another symbol than {archive.symbol!r}; give symbol to choose one")
        is_whole = message.type == "snapshot"
        sides = [
            (side, _columns(levels, name)) for side, levels, name in ((SELL_EVENT, data.a, "a"), (BUY_EVENT, data.b, "b"))
        ]
        for side, (px, qty) in sides:
            if not px:
                continue
            if is_whole:
                self._runs.append((DEPTH_CLEAR_EVENT | side, ts, 1))
                self._px.append(min(px) if side == BUY_EVENT else max(px))
                self._qty.append(0.0)
            self._runs.append(((DEPTH_SNAPSHOT_EVENT if is_whole else DEPTH_EVENT) | side, ts, len(px)))
            self._px += px
            self._qty += qty
        archive.counts[message.type] += 1
        self._find_gaps(number, ts, data.u, is_whole=is_whole)

    def _find_gaps(self, number: int, ts: int, update_id: int, *, is_whole: bool) -> None:
        account = self._archive.account
        found = []
        if self._last_ts >= 0 and ts - self._last_ts > account.gap_threshold_ns:
            found.append(Gap("time", number, ts, ts - self._last_ts))
        if self._last_id >= 0 and update_id >= 0 and not is_whole and update_id != self._last_id + 1:
            found.append(Gap("sequence", number, ts, update_id - self._last_id - 1))
        self._last_ts, self._last_id = ts, update_id
        account.gap_count += len(found)
        account.gaps += found[: max(LIST_MAX - len(account.gaps), 0)]


def _columns(levels: list[_Level], name: str) -> tuple[list[float], list[float]]:
    """Return prices and quantities; refuse a price that is not positive and finite, a quantity that is negative or not."""
    flat = list(chain.from_iterable(levels))
    px, qty = flat[0::2], flat[1::2]
    if flat and not (isfinite(sum(flat)) and min(px) > 0.0 and min(qty) >= 0.0):
        for i, (price, quantity) in enumerate(levels):
            if not (0.0 < price < _INFINITY and 0.0 <= quantity < _INFINITY):
                raise _Refused(
                    f"{name}[{i}]", f"price {price} and quantity {quantity}; the one is positive, the other not negative"
                )
    return px, qty
