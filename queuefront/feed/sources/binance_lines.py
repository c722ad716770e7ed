"""Turn raw Binance lines into rows: the scanner does what it can, the decoder the rest, and every line is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import monotonic_s
from queuefront.core.dtypes import EVENT
from queuefront.core.errors import DataFormatError
from queuefront.feed.conversion import LIST_MAX, QUOTE_MAX, ConversionAccount, Gap, Refusal, VenueMessage, quote
from queuefront.feed.row_spill import RowSpill
from queuefront.feed.sources.binance import Decoded, Wanted, decode_message
from queuefront.feed.sources.binance_compiled import (
    COL_EXCH_TS,
    COL_FIRST_ID,
    COL_KIND,
    COL_LAST_ID,
    COL_LOCAL_TS,
    COL_PREV_ID,
    LINE_BLANK,
    LINE_BOOK_TICKER,
    LINE_COLUMNS,
    LINE_DEPTH,
    LINE_ERROR,
    LINE_MARK_PRICE,
    LINE_OTHER,
    LINE_REFUSED,
    LINE_SNAPSHOT,
    LINE_TRADE,
    LINE_TRADE_OFF_MARKET,
    OPT_BOOK_TICKER,
    OPT_COMBINED,
    OPT_MARK_PRICE,
    OPT_SPOT,
    scan_lines,
)
from queuefront.feed.sources.raw import RawLines, split_line
from queuefront.feed.sources.refusal import LineRefused

__all__ = ["LineConverter", "Progress"]

Progress = Callable[[int, int], None]
Table = npt.NDArray[np.int64]
Events = npt.NDArray[Any]

_LINE_NAMES: Final = {
    LINE_TRADE: "trade",
    LINE_TRADE_OFF_MARKET: "trade off market",
    LINE_DEPTH: "depthUpdate",
    LINE_BOOK_TICKER: "bookTicker",
    LINE_MARK_PRICE: "markPriceUpdate",
    LINE_SNAPSHOT: "snapshot",
    LINE_ERROR: "error",
    LINE_BLANK: "blank",
    LINE_REFUSED: "refused",
}
_PROGRESS_INTERVAL_S: Final = 0.05
_ROW_BYTES_MIN: Final = 5  # no row takes fewer bytes of its line: `[1,1]`


class _Snapshot(NamedTuple):
    """A spot snapshot, whose time the next depth update decides."""

    line: int
    last_id: int
    first_row: int  # in all rows
    row_count: int
    exch_ts: int  # of the last event before; after it is decided, its time


class LineConverter:
    """Turn lines into rows in file order, and keep the account."""

    def __init__(self, lines: RawLines, wanted: Wanted, account: ConversionAccount, *, stops: bool) -> None:
        self.symbol = ""
        self._lines = lines
        self._wanted = wanted
        self._account = account
        self._stops = stops
        self._options = (
            OPT_SPOT * wanted.is_spot
            | OPT_COMBINED * wanted.is_combined
            | OPT_BOOK_TICKER * wanted.book_ticker
            | OPT_MARK_PRICE * wanted.mark_price
        )
        self._symbol_bytes: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._spill = RowSpill()  # the rows of the blocks before
        self._rows: Events = np.zeros(0, EVENT)  # those of the block, and room
        self._table = np.zeros((0, LINE_COLUMNS), np.int64)
        self._row_count = 0  # in the block
        self._last_exch_ts = 0
        self._last_id = -1
        self._last_local_ts = -1
        self._counts = np.zeros(LINE_REFUSED + 1, np.int64)
        self._other: Counter[str] = Counter()
        self._pending: list[_Snapshot] = []

    def run(self, progress: Progress | None) -> RowSpill:
        """Read the whole file; return its rows in file order."""
        reported_s = -1.0
        for block in self._lines:
            self._block(block)
            if progress is not None and (now_s := monotonic_s()) - reported_s >= _PROGRESS_INTERVAL_S:
                progress(self._lines.bytes_done, self._lines.bytes_total)
                reported_s = now_s
        if progress is not None:
            progress(self._lines.bytes_total, self._lines.bytes_total)
        for snapshot in self._pending:
            self._set_time(snapshot)
        account = self._account
        account.lines = int(self._counts.sum())
        account.lines_by_kind = {name: int(self._counts[k]) for k, name in _LINE_NAMES.items() if self._counts[k]}
        account.lines_by_kind.update(sorted(self._other.items()))
        account.damage = self._lines.damage
        return self._spill

    def _block(self, block: bytes) -> None:
        buf = np.frombuffer(block, np.uint8)
        self._make_room(len(block))
        begin = line_count = 0
        while begin < len(block):
            begin, scanned, used, self._last_exch_ts = scan_lines(
                buf,
                begin,
                self._options,
                self._symbol_bytes,
                self._last_exch_ts,
                self._table[line_count:],
                self._rows[self._row_count :],
            )
            line_count += scanned
            self._row_count += used
            if begin < len(block):
                end = block.index(b"\n", begin)
                self._row_count += self._declined(block[begin:end], line_count)
                line_count += 1
                begin = end + 1
        self._spill.take(self._rows[: self._row_count])
        self._row_count = 0
        self._take_account(self._table[:line_count])

    def _make_room(self, block_bytes: int) -> None:
        if len(self._table) < block_bytes:
            self._table = np.zeros((block_bytes, LINE_COLUMNS), np.int64)
        if len(self._rows) < (need := block_bytes // _ROW_BYTES_MIN + 1):
            self._rows = np.zeros(need, EVENT)  # room that is never written costs no memory

    def _declined(self, line: bytes, line_index: int) -> int:
        """Decode a line that was not scanned; return how many rows it made."""
        entry = self._table[line_index]
        entry[:] = 0
        number = int(self._counts.sum()) + line_index + 1
        try:
            local_ts, decoded = self._decode(line)
        except LineRefused as e:
            if self._stops:
                where = f", field {e.field}" if e.field else ""
                raise DataFormatError(
                    f"{self._lines.path}: line {number:,}{where}: {e.reason}; mend the line or convert with on_bad='skip'; "
                    f"it reads {quote(line)!r}"
                ) from e
            self._refuse(number, e.reason, line)
            entry[COL_KIND] = LINE_REFUSED
            return 0
        if decoded is None:
            entry[COL_KIND] = LINE_BLANK
            return 0
        if decoded.kind == LINE_ERROR:
            self._account.venue_message_count += 1
            if len(self._account.venue_messages) < LIST_MAX:
                self._account.venue_messages.append(VenueMessage(number, quote(decoded.message.encode())))
        elif decoded.kind == LINE_OTHER:
            self._other[decoded.name] += 1
        entry[:] = (decoded.kind, local_ts, decoded.exch_ts, decoded.first_id, decoded.last_id, decoded.prev_id)
        return self._place(decoded, number, local_ts)

    def _decode(self, line: bytes) -> tuple[int, Decoded | None]:
        if not line.strip():
            return 0, None
        local_ts, message = split_line(line)
        decoded = decode_message(message, self._wanted)
        if decoded.symbol and decoded.kind != LINE_OTHER:
            if self.symbol and decoded.symbol != self.symbol:
                raise LineRefused(
                    f"the message is of {decoded.symbol[:40]}, the file of {self.symbol}; convert one symbol at a time",
                    "s",
                    decoded.symbol,
                )
            self.symbol = decoded.symbol
            self._symbol_bytes = np.frombuffer(bytearray(decoded.symbol, "utf-8"), np.uint8)  # writable, like the first
        return local_ts, decoded

    def _place(self, decoded: Decoded, line: int, local_ts: int) -> int:
        exch_ts = decoded.exch_ts
        count = len(decoded.rows)
        if exch_ts and decoded.kind != LINE_TRADE_OFF_MARKET:
            self._last_exch_ts = exch_ts
        if decoded.kind == LINE_BOOK_TICKER and not exch_ts:
            exch_ts = self._last_exch_ts
            count = count if exch_ts else 0
        if decoded.kind == LINE_SNAPSHOT and not exch_ts and count:
            first_row = len(self._spill) + self._row_count
            self._pending.append(_Snapshot(line, decoded.last_id, first_row, count, self._last_exch_ts))
        if count:
            part = self._rows[self._row_count : self._row_count + count]
            part["ev"], part["px"], part["qty"] = np.array(decoded.rows).T
            part["exch_ts"] = exch_ts
            part["local_ts"] = local_ts
        return count

    def _take_account(self, table: Table) -> None:
        kinds = table[:, COL_KIND]
        first_line = int(self._counts.sum()) + 1
        is_depth = kinds == LINE_DEPTH
        self._sequence_gaps(table[is_depth], np.flatnonzero(is_depth) + first_line)
        is_timed = table[:, COL_LOCAL_TS] > 0
        self._time_gaps(table[is_timed, COL_LOCAL_TS], np.flatnonzero(is_timed) + first_line)
        if self._pending:
            self._decide_times(table[is_depth], np.flatnonzero(is_depth) + first_line)
        self._counts += np.bincount(kinds, minlength=len(self._counts))

    def _decide_times(self, depth: Table, numbers: Table) -> None:
        """Give the snapshots that waited for a depth update their time (see `convert`)."""
        waiting = []
        for snapshot in self._pending:
            i = int(np.searchsorted(numbers, snapshot.line))
            if i == len(numbers):
                waiting.append(snapshot)
                continue
            reaches_beyond = depth[i, COL_LAST_ID] >= snapshot.last_id
            exch_ts = int(depth[i, COL_EXCH_TS]) if reaches_beyond or not snapshot.exch_ts else snapshot.exch_ts
            self._set_time(snapshot._replace(exch_ts=exch_ts))
        self._pending = waiting

    def _set_time(self, snapshot: _Snapshot) -> None:
        # A file that tells no time at all has only that of receipt.
        self._spill.amend(snapshot.first_row, snapshot.row_count, "exch_ts", snapshot.exch_ts or "local_ts")

    def _sequence_gaps(self, depth: Table, numbers: Table) -> None:
        """Compare each update's own idea of its predecessor with the one that came before."""
        depth, numbers = depth[depth[:, COL_LAST_ID] > 0], numbers[depth[:, COL_LAST_ID] > 0]
        if not len(depth):
            return
        before = np.concatenate(([self._last_id], depth[:-1, COL_LAST_ID]))
        expected = depth[:, COL_FIRST_ID] - 1 if self._wanted.is_spot else depth[:, COL_PREV_ID]
        for i in np.flatnonzero((before != expected) & (before >= 0)):
            self._gap(Gap("sequence", int(numbers[i]), int(depth[i, COL_LOCAL_TS]), int(expected[i] - before[i])))
        self._last_id = int(depth[-1, COL_LAST_ID])

    def _time_gaps(self, local_ts: Table, numbers: Table) -> None:
        if not len(local_ts):
            return
        before = np.concatenate(([self._last_local_ts if self._last_local_ts >= 0 else local_ts[0]], local_ts[:-1]))
        silence = local_ts - before
        for i in np.flatnonzero(silence > self._account.gap_threshold_ns):
            self._gap(Gap("time", int(numbers[i]), int(local_ts[i]), int(silence[i])))
        self._last_local_ts = int(local_ts[-1])

    def _gap(self, gap: Gap) -> None:
        self._account.gap_count += 1
        if len(self._account.gaps) < LIST_MAX:
            self._account.gaps.append(gap)

    def _refuse(self, number: int, reason: str, line: bytes) -> None:
        self._account.refused_count += 1
        if len(self._account.refused) < LIST_MAX:
            self._account.refused.append(Refusal(number, reason[:QUOTE_MAX], quote(line)))
