"""Walk the JSON messages of a raw collector file: what every source that is decoded message by message does alike.

A source gives a decoder, which turns one message into rows, and a compiled scanner (`message_scan`), which takes the plain
lines; the walk reads the lines, keeps the account and makes arrays. Both give the same, only that the scanner is faster.
Lines are taken whole or not at all. Messages that make no rows are counted under the name that the decoder gives them.
"""

from __future__ import annotations

import os
import re
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.clock import monotonic_s
from queuefront.core.dtypes import EVENT
from queuefront.core.errors import ConfigError, DataFormatError
from queuefront.core.instrument import Instrument
from queuefront.feed.conversion import (
    LIST_MAX,
    QUOTE_MAX,
    Conversion,
    ConversionAccount,
    Gap,
    Refusal,
    VenueMessage,
    quote,
)
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.message_compiled import STATE_GAPS, STATE_LOCAL_TS, USE_COUNT
from queuefront.feed.sources.message_scan import LineScan, Name, Scan
from queuefront.feed.sources.raw import RawLines, split_line
from queuefront.feed.sources.refusal import LineRefused, refusal_of
from queuefront.feed.sources.tail import Ending, OnBad, count_kinds, find_grid, ready_for_replay

__all__ = ["Events", "Message", "MessageWalk", "Run", "finish", "symbol_of_file"]

Events = npt.NDArray[Any]
Run = tuple[int, int, Sequence[tuple[float, float]]]
"""Rows of one kind, side and exchange time in ns: their prices and quantities."""

_PROGRESS_INTERVAL_S: Final = 0.05
_ROWS_HELD: Final = 2**16  # before they become records
_SYMBOL_OF_NAME: Final = re.compile(r"([a-z0-9_-]+?)_[0-9]{8}", re.IGNORECASE)


class Message(NamedTuple):
    """One message, decoded: its rows, in runs, and what the account needs."""

    kind: str
    symbol: str = ""
    runs: Sequence[Run] = ()
    stream: str = ""  # whose update ids follow on one another
    update_id: int = -1  # -1: the message has none
    is_whole: bool = False  # a whole book, after which ids may begin anew
    answer: str = ""  # the venue's own words, where it answers with a failure
    name: str = ""  # by which the scanner knows such messages; empty: it does not
    use: int = USE_COUNT  # what the scanner makes of them


class Decoder(Protocol):
    """What turns the message of a line into rows."""

    scan: Scan

    def decode(self, message: bytes) -> Message:
        """Decode a message; raise LineRefused or msgspec's errors where it cannot be used."""


class MessageWalk:
    """Turn the lines of a file into rows in file order, and keep the account.

    Parameters
    ----------
    source, path, on_bad, gap_threshold_ns : as in `convert_lines`.
    symbol : whose messages to take; None: those of the first symbol in the file, and another one is refused.

    Raises
    ------
    ConfigError
        If `on_bad` is no such word.
    """

    def __init__(
        self,
        source: str,
        path: str | os.PathLike[str],
        *,
        symbol: str | None,
        on_bad: OnBad,
        gap_threshold_ns: int,
    ) -> None:
        if on_bad not in ("stop", "skip"):
            raise ConfigError(f"on_bad is {on_bad!r}; choose 'stop' or 'skip'")
        self._lines = RawLines(path, salvage=on_bad == "skip")
        self.account = ConversionAccount(source, str(self._lines.path), gap_threshold_ns=gap_threshold_ns)
        self.symbol = symbol or ""
        self._chooses = symbol is not None
        self._stops = on_bad == "stop"
        self._counts: Counter[str] = Counter()
        self._last_ids: dict[str, int] = {}
        self._last_local_ts = -1
        self._name: Name | None = None  # of the line that was decoded last
        # Price and quantity by turns. Kept as tuples, so many of them make Python look for garbage all the time.
        self._held = array("d")
        self._held_runs: list[tuple[int, int, int, int]] = []  # kind and side, exchange time, receipt time, rows
        self._rows = RowSpill()

    def run(self, decoder: Decoder, progress: Progress | None) -> RowSpill:
        """Read the whole file; return its rows in file order.

        Raises
        ------
        DataFormatError, TruncatedFileError
            For a file that is no raw file, is cut off, or holds a line that cannot be used.
        """
        account, reported_s, number = self.account, -1.0, 0
        scan = self._new_scan(decoder)
        for block in self._lines:
            number = self._block(block, number, decoder, scan)
            if progress is not None and (now_s := monotonic_s()) - reported_s >= _PROGRESS_INTERVAL_S:
                progress(self._lines.bytes_done, self._lines.bytes_total)
                reported_s = now_s
        if progress is not None:
            progress(self._lines.bytes_total, self._lines.bytes_total)
        self._make_array()
        account.lines, account.damage = number, self._lines.damage
        account.lines_by_kind = dict(sorted(self._counts.items()))
        account.sha256, account.input_bytes = self._lines.digest, self._lines.bytes_done
        return self._rows

    def _new_scan(self, decoder: Decoder) -> LineScan:
        return LineScan(decoder.scan, self.account.gap_threshold_ns)

    def _block(self, block: bytes, number: int, decoder: Decoder, scan: LineScan) -> int:
        """Take whole lines, before which there were `number`; return how many there are now."""
        buf, begin = np.frombuffer(block, np.uint8), 0
        while begin < len(block):
            scan.learn(self.symbol, self._name)
            begin, lines = self._scanned(buf, begin, number, decoder, scan)
            number += lines
            if begin < len(block):
                end = block.index(b"\n", begin)
                number += 1
                self._line(block[begin:end], number, decoder)
                begin = end + 1
        return number

    def _scanned(
        self, buf: npt.NDArray[np.uint8], begin: int, number: int, decoder: Decoder, scan: LineScan
    ) -> tuple[int, int]:
        """Take lines until one is declined; return where it begins, and how many were taken."""
        state, told = scan.state, decoder.scan
        state[STATE_LOCAL_TS] = self._last_local_ts
        if told.before is not None:
            told.before(state, self.symbol)
        begin, lines, rows = scan.run(buf, begin, self._last_ids, self._counts)
        if not lines:
            return begin, lines
        self._last_local_ts = int(state[STATE_LOCAL_TS])
        if told.after is not None:
            told.after(state, self.symbol)
        if len(rows):
            self._make_array()
            self._rows.take(rows)
        gaps = scan.gaps[: state[STATE_GAPS]].tolist()
        for line, is_sequence, local_ts, size in gaps:
            self._gap(Gap("sequence" if is_sequence else "time", number + line + 1, local_ts, size))
        self.account.gap_count += int(state[STATE_GAPS]) - len(gaps)
        return begin, lines

    def _line(self, line: bytes, number: int, decoder: Decoder) -> None:
        if not line or line.isspace():
            self._counts["blank"] += 1
            return
        try:
            local_ts, body = split_line(line)
            message = self._decode(decoder, body)
        except LineRefused as e:
            self._refuse(number, e, line)
            return
        self._counts[message.kind[:40]] += 1
        if message.name:
            self._name = Name(message.name, message.use, message.kind, message.stream)
        if message.answer:
            self.account.venue_message_count += 1
            if len(self.account.venue_messages) < LIST_MAX:
                self.account.venue_messages.append(VenueMessage(number, quote(message.answer.encode("utf-8", "replace"))))
        self._find_gaps(message, number, local_ts)
        for ev, exch_ts, levels in message.runs:
            self._held.extend(chain.from_iterable(levels))
            self._held_runs.append((ev, exch_ts, local_ts, len(levels)))
        if len(self._held) >= 2 * _ROWS_HELD:
            self._make_array()

    def _decode(self, decoder: Decoder, body: bytes) -> Message:
        try:
            message = decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as e:
            raise refusal_of(e) from e
        symbol = message.symbol
        if not symbol or symbol == self.symbol:
            return message
        if self._chooses:
            return Message("of other symbols")
        if self.symbol:
            raise LineRefused(
                f"the message is of {symbol[:40]}, the file of {self.symbol}; give symbol to choose one", "symbol", symbol
            )
        self.symbol = symbol
        return message

    def _make_array(self) -> None:
        if not self._held:
            return
        values = np.frombuffer(self._held)
        rows = np.zeros(len(values) // 2, EVENT)
        rows["px"], rows["qty"] = values[::2], values[1::2]
        runs = np.array(self._held_runs, np.int64)
        for i, name in enumerate(("ev", "exch_ts", "local_ts")):
            rows[name] = np.repeat(runs[:, i], runs[:, 3])
        self._rows.take(rows)
        self._held, self._held_runs = array("d"), []

    def _find_gaps(self, message: Message, number: int, local_ts: int) -> None:
        silence = local_ts - self._last_local_ts
        if self._last_local_ts >= 0 and silence > self.account.gap_threshold_ns:
            self._gap(Gap("time", number, local_ts, silence))
        self._last_local_ts = local_ts
        if message.update_id < 0:
            return
        before = self._last_ids.get(message.stream)
        self._last_ids[message.stream] = message.update_id
        if before is None:
            return
        missing = message.update_id - before - 1
        if missing > 0 or (missing < 0 and not message.is_whole):
            self._gap(Gap("sequence", number, local_ts, missing))

    def _gap(self, gap: Gap) -> None:
        self.account.gap_count += 1
        if len(self.account.gaps) < LIST_MAX:
            self.account.gaps.append(gap)

    def _refuse(self, number: int, refused: LineRefused, line: bytes) -> None:
        if self._stops:
            where = f", field {refused.field}" if refused.field else ""
            raise DataFormatError(
                f"{self._lines.path}: line {number:,}{where}: {refused.reason}; mend the line or convert with "
                f"on_bad='skip'; it reads {quote(line)!r}"
            ) from refused
        self._counts["refused"] += 1
        self.account.refused_count += 1
        if len(self.account.refused) < LIST_MAX:
            self.account.refused.append(Refusal(number, refused.reason[:QUOTE_MAX], quote(line)))


def symbol_of_file(path: str) -> str:
    """Return the symbol that a collector's file name begins with, for a file whose messages name none."""
    match = _SYMBOL_OF_NAME.match(Path(path).name)
    return match[1].upper() if match else "UNKNOWN"


def finish(
    made: RowSpill,
    account: ConversionAccount,
    symbol: str,
    ending: Ending,
    remake: Callable[[Rows, Decimal, Decimal], Rows] | None = None,
) -> Conversion:
    """Name the instrument, inferring its grid where it is not given, and end the conversion.

    Parameters
    ----------
    made : the rows, which are used up.
    remake : makes other rows of the rows, once tick and lot size are known; it uses them up.

    Raises
    ------
    DataError
        If the grid cannot be inferred.
    """
    rows = Rows([made])
    tick, lot = find_grid(rows, account, ending.tick_size, ending.lot_size)
    if remake is not None:
        rows = remake(rows, tick, lot)
        count_kinds(rows, account)
    name = symbol or symbol_of_file(account.path)
    instrument = Instrument(account.source, name, tick, lot, ending.contract)  # type: ignore[arg-type]
    events = ready_for_replay(rows, account, ending.base_latency_ns, always=ending.always_add_latency)
    return Conversion(events, account, instrument.override(multiplier=ending.multiplier))
