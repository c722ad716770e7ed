"""Rows of any number in little memory: blocks stay in memory as long as there is room, the rest goes to a temporary file.

The file has no name: the system frees it when the process ends, however it ends. It lies in the folder that `TMPDIR` names,
else in /var/tmp, which unlike /tmp is not memory anywhere.
"""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import KIND_MASK
from queuefront.core.errors import StorageFullError
from queuefront.feed.event_rows_compiled import fill_events, note_events

__all__ = ["BLOCK_ROWS", "BlockSpan", "RowSpill", "Rows", "naming_full_disks", "spill_folder"]

Records = npt.NDArray[Any]

BLOCK_ROWS: int = 2**16
"""Rows of a block, the unit in which they are written and read; a multiple of 8."""
BLOCK_BYTES: int = 2**22
"""Most bytes of a block; wide rows make shorter ones."""
HELD_BYTES: int = 2**26
"""What all spills together keep in memory; what is beyond it goes to files."""

_EVENT_KEYS: Final = ("exch_ts", "local_ts")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BlockSpan(NamedTuple):
    """What a block holds of one column of times or ids."""

    low: int
    high: int
    first: int
    last: int
    is_ascending: bool


def spill_folder() -> Path:
    """Return where temporary files go."""
    if named := os.environ.get("TMPDIR"):
        return Path(named)
    usual = Path("/var/tmp")  # noqa: S108 - files without a name
    return usual if os.access(usual, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


@contextmanager
def naming_full_disks(what: str, needed: str, mend: str) -> Iterator[None]:
    """Say of a disk that is full which file was written, how much it needs, and what to do.

    Raises
    ------
    StorageFullError
        In place of the system's error.
    """
    try:
        yield
    except OSError as e:
        if e.errno not in _FULL:
            raise
        reason = (e.strerror or str(e)).lower()
        raise StorageFullError(f"{what}: {reason}; {needed}, {mend}") from e


class RowSpill:
    """Rows that are taken batch by batch and read block by block.

    Parameters
    ----------
    dtype : of the rows.
    keys : columns whose span is noted for each block, so that they can be sorted by.
    """

    def __init__(self, dtype: npt.DTypeLike = EVENT, *, keys: Sequence[str] | None = None) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        is_event = self.dtype == EVENT
        self.keys = tuple(keys) if keys is not None else (_EVENT_KEYS if is_event else ())
        self.spans: dict[str, list[BlockSpan]] = {key: [] for key in self.keys}
        self.block_lengths: list[int] = []
        self._latencies: list[int] = []  # the smallest of each block
        self._kinds = np.zeros(KIND_MASK + 1, np.int64) if is_event else None
        self._blocks: list[Records | int] = []  # those in memory, and the places of the others in the file, bytes
        self._block_rows = min(BLOCK_ROWS, max(8, BLOCK_BYTES // self.dtype.itemsize // 8 * 8))
        self._budget = _Budget()
        weakref.finalize(self, self._budget.give_back)
        self._file: int | None = None  # its descriptor
        self._close: weakref.finalize[Any, RowSpill] | None = None
        self._file_bytes = 0
        self._open: Records = np.zeros(0, self.dtype)  # the block that is being filled; made when rows come
        self._open_count = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    # --- taking -------------------------------------------------------------------------------------------------------
    def take(self, batch: Records) -> None:
        """Take rows; they are copied.

        Raises
        ------
        StorageFullError
            If the temporary file does not fit on its disk.
        """
        begin = 0
        while begin < len(batch):
            room = self.room()
            count = min(len(batch) - begin, len(room))
            _copy(batch[begin : begin + count], room[:count])
            self.added(count)
            begin += count

    def take_columns(self, ev: Records, kind: int, exch_ts: Records, local_ts: Records, px: Records, qty: Records) -> None:
        """Take events by their columns, int64[n] but for the last two, float64[n]; `kind` is joined to each `ev`.

        Raises as `take`.
        """
        begin = 0
        while begin < len(ev):
            room = self.room()
            words, numbers = (room.view(kind_of).reshape(len(room), -1) for kind_of in (np.int64, np.float64))
            count = int(fill_events(words, numbers, begin, ev, kind, exch_ts, local_ts, px, qty))
            self.added(count)
            begin += count

    def room(self) -> Records:
        """Return where the next rows go, of at least one; whoever writes there says so by `added`."""
        if not len(self._open):
            self._open = np.empty(self._block_rows, self.dtype)  # tidy: allow empty: what was not written is not read
        return self._open[self._open_count :]

    def added(self, count: int) -> None:
        """Take the first rows of `room`, which were written there; raises as `take`."""
        self._open_count += count
        self._count += count
        if self._open_count == len(self._open):
            self.end_block()

    def end_block(self) -> None:
        """End the block that is being filled, so that what comes begins another one."""
        if not self._open_count:
            return
        block = self._open[: self._open_count]
        self._note(block)
        if self._budget.has(block.nbytes):
            self._blocks.append(block if len(block) == len(self._open) else block.copy())
            self._open = np.zeros(0, self.dtype)
        else:
            self._write(block)
        self._open_count = 0

    def _note(self, block: Records) -> None:
        self.block_lengths.append(len(block))
        if self._kinds is not None and self.keys == _EVENT_KEYS:
            facts = np.zeros((len(_EVENT_KEYS), 3), np.int64)
            words = block.view(np.int64).reshape(len(block), -1)
            self._latencies.append(int(note_events(words, self._kinds, facts)))
            for side, key in enumerate(_EVENT_KEYS):
                low, high, is_ascending = (int(fact) for fact in facts[side])
                first, last = int(block[key][0]), int(block[key][-1])
                self.spans[key].append(BlockSpan(low, high, first, last, is_ascending=bool(is_ascending)))
            return
        columns = {key: np.ascontiguousarray(block[key]) for key in self.keys}
        for key, column in columns.items():
            self.spans[key].append(_span_of(column))
        if self._kinds is not None:
            kinds = np.ascontiguousarray(block["ev"]).astype(np.int64) & KIND_MASK
            self._kinds += np.bincount(kinds, minlength=len(self._kinds))
            self._latencies.append(int((columns["local_ts"] - columns["exch_ts"]).min()))

    def _write(self, block: Records) -> None:
        folder = spill_folder()
        with self._naming(folder):
            if self._file is None:
                self._file = _nameless_file(folder)
                self._close = weakref.finalize(self, os.close, self._file)
            self._pwrite(block, self._file_bytes)
        self._blocks.append(self._file_bytes)
        self._file_bytes += block.nbytes

    def _pwrite(self, block: Records, place: int) -> None:
        assert self._file is not None
        data = np.ascontiguousarray(block).view(np.uint8).data
        while data:
            written = os.pwrite(self._file, data, place)
            data, place = data[written:], place + written

    def _naming(self, folder: Path) -> Any:
        mend = "make room there, or name a folder on a larger disk in TMPDIR"
        needed = f"{self._file_bytes:,} bytes were written and more are to come"
        return naming_full_disks(f"{folder} (temporary file of {self._count:,} rows)", needed, mend)

    # --- changing -----------------------------------------------------------------------------------------------------
    def amend(self, first_row: int, count: int, name: str, value: int | str) -> None:
        """Set one column of rows that were taken, to a value or, given as text, to another column's values."""
        row = 0
        for k in range(self.block_count):
            length = self.block_lengths[k] if k < len(self.block_lengths) else self._open_count
            begin, end = max(first_row - row, 0), min(first_row + count - row, length)
            row += length
            if begin >= end:
                continue
            is_open = k == len(self.block_lengths)
            block = self._open[: self._open_count] if is_open else self.read(k).copy()
            part = block[begin:end]
            part[name] = part[value] if isinstance(value, str) else value
            if not is_open:
                self._replace(k, block)

    def _replace(self, k: int, block: Records) -> None:
        place = self._blocks[k]
        if isinstance(place, int):
            self._pwrite(block, place)
        else:
            self._blocks[k] = block
        columns = {key: np.ascontiguousarray(block[key]) for key in self.keys}
        for key, column in columns.items():
            self.spans[key][k] = _span_of(column)
        if self._kinds is not None:
            self._latencies[k] = int((columns["local_ts"] - columns["exch_ts"]).min())

    # --- reading ------------------------------------------------------------------------------------------------------
    @property
    def block_count(self) -> int:
        """How many blocks there are, with the one that is being filled."""
        return len(self.block_lengths) + (self._open_count > 0)

    def read(self, k: int) -> Records:
        """Return a block, which belongs to the spill: copy it before you change it."""
        if k == len(self.block_lengths):
            return self._open[: self._open_count]
        place = self._blocks[k]
        if not isinstance(place, int):
            return place
        assert self._file is not None
        block: Records = np.empty(self.block_lengths[k], self.dtype)  # tidy: allow empty: it is read whole below
        data = block.view(np.uint8).data
        while data:
            count = os.preadv(self._file, [data], place)
            if count == 0:
                raise OSError(errno.EIO, "the temporary file is shorter than what was written", str(spill_folder()))
            data, place = data[count:], place + count
        return block

    def blocks(self) -> Iterator[Records]:
        """Yield the rows, block by block; see `read`."""
        for k in range(self.block_count):
            yield self.read(k)

    @property
    def kind_counts(self) -> npt.NDArray[np.int64]:
        """How many events there are of each kind; ends the open block."""
        self.end_block()
        assert self._kinds is not None
        return self._kinds

    @property
    def latency_min_ns(self) -> int | None:
        """The smallest difference of the two times of events; ends the open block."""
        self.end_block()
        return min(self._latencies, default=None)

    def release(self, k: int) -> None:
        """Let go of the memory of a block that is not read again."""
        block = self._blocks[k]
        if not isinstance(block, int):
            self._budget.give_back(block.nbytes)
            self._blocks[k] = np.zeros(0, self.dtype)

    def drop(self) -> None:
        """Let go of the rows and of their room on the disk."""
        if self._close is not None:
            self._close()
        self._budget.give_back()
        self._open, self._open_count, self._count = np.zeros(0, self.dtype), 0, 0
        self.block_lengths, self._blocks = [], []


def _copy(rows: Records, to: Records) -> None:
    """Copy rows as bytes; NumPy copies records one by one."""
    if rows.dtype == to.dtype and rows.flags.c_contiguous:
        to.view(np.uint8)[:] = rows.view(np.uint8)
    else:
        to[:] = rows


class _Budget:
    """What a spill holds of the memory that all of them may."""

    total_bytes = 0

    def __init__(self) -> None:
        self._mine_bytes = 0

    def has(self, count: int) -> bool:
        """Take so many bytes if they are there."""
        if _Budget.total_bytes + count > HELD_BYTES:
            return False
        _Budget.total_bytes += count
        self._mine_bytes += count
        return True

    def give_back(self, count: int | None = None) -> None:
        """Give so many bytes back, or all."""
        count = self._mine_bytes if count is None else count
        _Budget.total_bytes -= count
        self._mine_bytes -= count


def _nameless_file(folder: Path) -> int:
    handle, name = tempfile.mkstemp(prefix="queuefront-", dir=folder)
    Path(name).unlink()
    return handle


def _span_of(column: npt.NDArray[Any]) -> BlockSpan:
    is_ascending = bool((column[1:] >= column[:-1]).all())
    first, last = int(column[0]), int(column[-1])
    if is_ascending:
        return BlockSpan(first, last, first, last, is_ascending=True)
    return BlockSpan(int(column.min()), int(column.max()), first, last, is_ascending=False)


class Rows:
    """Spills read one after the other as one."""

    def __init__(self, spills: Sequence[RowSpill]) -> None:
        self.spills = list(spills)
        for spill in self.spills:
            spill.end_block()
        self._at = [(spill, k) for spill in self.spills for k in range(spill.block_count)]

    @classmethod
    def of(cls, *parts: RowSpill | Records) -> Rows:
        """Return the rows of spills and of arrays, in their order."""
        spills = []
        for part in parts:
            if isinstance(part, RowSpill):
                spills.append(part)
                continue
            spill = RowSpill(part.dtype)
            spill.take(part)
            spills.append(spill)
        return cls(spills)

    def __len__(self) -> int:
        return sum(len(spill) for spill in self.spills)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        return self.spills[0].dtype if self.spills else EVENT

    @property
    def block_count(self) -> int:
        """How many blocks there are."""
        return len(self._at)

    def read(self, k: int) -> Records:
        """Return a block, which belongs to the rows: copy it before you change it."""
        spill, place = self._at[k]
        return spill.read(place)

    def blocks(self) -> Iterator[Records]:
        """Yield the rows, block by block; see `read`."""
        for k in range(self.block_count):
            yield self.read(k)

    def whole(self) -> Records:
        """Return all rows as one new array."""
        rows: Records = np.empty(len(self), self.dtype)  # tidy: allow empty: every row is written below
        begin = 0
        for block in self.blocks():
            _copy(block, rows[begin : begin + len(block)])
            begin += len(block)
        return rows

    def spans(self, key: str) -> list[BlockSpan]:
        """Return the span of each block."""
        return [span for spill in self.spills for span in spill.spans[key]]

    def is_ascending(self, key: str) -> bool:
        """Whether all rows ascend by a column."""
        spans = self.spans(key)
        return all(span.is_ascending for span in spans) and all(
            before.last <= after.first for before, after in pairwise(spans)
        )

    @property
    def kind_counts(self) -> npt.NDArray[np.int64]:
        """How many events there are of each kind, int64[256]."""
        return sum((spill.kind_counts for spill in self.spills), np.zeros(KIND_MASK + 1, np.int64))

    @property
    def latency_min_ns(self) -> int | None:
        """The smallest difference of the two times of an event, None without events."""
        return min((least for spill in self.spills if (least := spill.latency_min_ns) is not None), default=None)

    def drop(self) -> None:
        """Let go of the rows."""
        for spill in self.spills:
            spill.drop()
        self._at = []
