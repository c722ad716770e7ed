"""What the files of one conversion of archives share: the account, the symbol, what a bad record does, and the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import INT64_MAX, monotonic_s
from queuefront.core.enums import FUNDING_RATE_EVENT, INDEX_PRICE_EVENT, MARK_PRICE_EVENT
from queuefront.core.errors import ConfigError, DataFormatError, TimestampRangeError
from queuefront.core.instrument import Instrument
from queuefront.feed.conversion import LIST_MAX, QUOTE_MAX, Conversion, ConversionAccount, Gap, InputFile, Refusal, quote
from queuefront.feed.grid import Blocks
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources.binance_lines import Progress
from queuefront.feed.sources.packed import PackedLines
from queuefront.feed.sources.tail import ALL_KINDS, Ending, OnBad, count_kinds, find_grid, ready_for_replay, steps_of

__all__ = ["Archive", "Events", "PathLike", "later_by", "paths_of"]

Events = npt.NDArray[Any]
PathLike = str | os.PathLike[str]

_PROGRESS_INTERVAL_S: Final = 0.05
_GRID_KINDS: Final = tuple(set(ALL_KINDS) - {INDEX_PRICE_EVENT, MARK_PRICE_EVENT, FUNDING_RATE_EVENT})


class Archive:
    """The files of one conversion.

    Parameters
    ----------
    source : the source's name.
    paths : the file or the files, in the order in which they are read; the attribute is a list.
    symbol : whose records to take; None: those of the first symbol seen, and another one is refused.
    on_bad, gap_threshold_ns, progress : as in `convert_lines`; progress counts the bytes of all files.

    Raises
    ------
    ConfigError
        If there is no file, or `on_bad` is no such word.
    """

    def __init__(
        self,
        source: str,
        paths: PathLike | Sequence[PathLike],
        *,
        on_bad: OnBad = "stop",
        symbol: str | None = None,
        gap_threshold_ns: int = 10_000_000_000,
        progress: Progress | None = None,
    ) -> None:
        if on_bad not in ("stop", "skip"):
            raise ConfigError(f"on_bad is {on_bad!r}; choose 'stop' or 'skip'")
        self.paths = paths_of(paths)
        if not self.paths:
            raise ConfigError(f"{source} has no input; give at least one file")
        self.stops = on_bad == "stop"
        self.symbol = symbol or ""
        self.chooses = symbol is not None
        self.exchange = ""
        self.counts: Counter[str] = Counter()
        names = ", ".join(str(Path(path)) for path in self.paths)
        self.account = ConversionAccount(source, names, gap_threshold_ns=gap_threshold_ns)
        self._has_several = len(self.paths) > 1
        self._progress = progress
        self._bytes_total = sum(Path(path).stat().st_size for path in self.paths)
        self._bytes_before = 0
        self._reported_s = -1.0
        self._steps: tuple[Decimal, Decimal] | None = None
        self._last_local_ts: int | None = None

    def open(self, path: PathLike, member: str | None = None) -> PackedLines:
        """Return the lines of one file."""
        return PackedLines(path, member=member, salvage=not self.stops)

    def report(self, lines: PackedLines) -> None:
        """Report progress, at most 20 times a second."""
        if self._progress is not None and (now_s := monotonic_s()) - self._reported_s >= _PROGRESS_INTERVAL_S:
            self._progress(self._bytes_before + lines.bytes_done, self._bytes_total)
            self._reported_s = now_s

    def close(self, lines: PackedLines, line_count: int) -> None:
        """Take a file that was read to its end into the account."""
        account = self.account
        account.lines += line_count
        account.input_bytes += lines.bytes_total
        account.inputs.append(InputFile(str(lines.path), lines.digest, lines.bytes_total))
        account.sha256 = "" if self._has_several else lines.digest
        if lines.damage is not None:
            account.damage = lines.damage if account.damage is None else f"{account.damage}; {lines.damage}"
        self._bytes_before += lines.bytes_total
        self._last_local_ts = None
        if self._progress is not None:
            self._progress(self._bytes_before, self._bytes_total)

    def refuse(self, path: Path, number: int, field: str, reason: str, line: bytes) -> None:
        """Raise at a record that cannot be used, or count and list it.

        Raises
        ------
        DataFormatError
            If the conversion stops at bad records.
        """
        if self.stops:
            where = f", field {field}" if field else ""
            raise DataFormatError(
                f"{path}: line {number:,}{where}: {reason}; mend the line or convert with on_bad='skip'; "
                f"it reads {quote(line)!r}"
            )
        self.counts["refused"] += 1
        self.account.refused_count += 1
        if len(self.account.refused) < LIST_MAX:
            named = f"{field}: {reason}" if field else reason
            named = f"{path.name}: {named}" if self._has_several else named
            self.account.refused.append(Refusal(number, named[:QUOTE_MAX], quote(line)))

    def find_silence(self, local_ts: npt.NDArray[np.int64], number: npt.NDArray[np.int64]) -> None:
        """List where nothing came for longer than the threshold; a call goes on where the one before it in the file ended.

        number : counts the file's lines from 1.
        """
        if not len(local_ts):
            return
        first = int(local_ts[0]) - (int(local_ts[0]) if self._last_local_ts is None else self._last_local_ts)
        self._last_local_ts = int(local_ts[-1])
        threshold = self.account.gap_threshold_ns
        steps = local_ts[1:] - local_ts[:-1]
        if first <= threshold and (not len(steps) or int(steps.max()) <= threshold):
            return
        silence = np.concatenate([np.array([first], np.int64), steps])
        late = np.flatnonzero(silence > threshold)
        self.account.gap_count += len(late)
        for i in late[: max(LIST_MAX - len(self.account.gaps), 0)]:
            self.account.gaps.append(Gap("time", int(number[i]), int(local_ts[i]), int(silence[i])))

    def grid(self, rows: Rows, ending: Ending) -> tuple[Decimal, Decimal]:
        """Return tick and lot size, inferred from prices and quantities of the rows where not given; the same ever after.

        Raises
        ------
        DataError
            If a step cannot be inferred.
        """
        if self._steps is None:
            self._steps = find_grid(rows, self.account, ending.tick_size, ending.lot_size, _GRID_KINDS)
        else:
            count_kinds(rows, self.account)
        return self._steps

    def grid_of(self, px: Blocks, qty: Blocks, ending: Ending) -> tuple[Decimal, Decimal]:
        """Do `grid` on prices and quantities that are no rows yet."""
        if self._steps is None:
            self._steps = steps_of(px, qty, self.account, ending.tick_size, ending.lot_size)
        return self._steps

    def finish(self, parts: Sequence[RowSpill] | Rows, ending: Ending) -> Conversion:
        """Name the instrument, inferring its grid where it is not given, and end the conversion.

        Parameters
        ----------
        parts : the rows, one part after the other; they are used up.

        Raises
        ------
        DataError
            If the grid cannot be inferred.
        """
        account, rows = self.account, parts if isinstance(parts, Rows) else Rows(parts)
        tick, lot = self.grid(rows, ending)
        account.lines_by_kind = {name: count for name, count in self.counts.items() if count}
        venue = self.exchange or account.source
        instrument = Instrument(venue, self.symbol or "UNKNOWN", tick, lot, ending.contract)  # type: ignore[arg-type]
        events = ready_for_replay(rows, account, ending.base_latency_ns, always=ending.always_add_latency)
        return Conversion(events, account, instrument.override(multiplier=ending.multiplier))


def paths_of(paths: PathLike | Sequence[PathLike]) -> list[PathLike]:
    """Return the files of a source, which may be given as one path."""
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def later_by(exch_ts: npt.NDArray[np.int64], feed_latency_ns: int, path: PathLike) -> npt.NDArray[np.int64]:
    """Return local times of data that have none: a constant latency after the exchange's.

    Raises
    ------
    ConfigError, TimestampRangeError
        For a negative latency; if a time does not fit into int64.
    """
    if feed_latency_ns < 0:
        raise ConfigError(f"feed_latency_ns is {feed_latency_ns:,}; nothing is received before it is sent, give 0 or more")
    if len(exch_ts) and int(exch_ts.max()) > INT64_MAX - feed_latency_ns:
        raise TimestampRangeError(
            f"{path}: times {feed_latency_ns:,} ns later do not fit into int64; check feed_latency_ns"
        )
    return exch_ts + np.int64(feed_latency_ns)
