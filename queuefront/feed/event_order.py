"""The order of events for both halves, in bounded memory: what `clean.correct_event_order` does, block by block.

Feeds are nearly in order, so that a block overlaps with few others in time. Blocks are read when the merge comes to their
first time, and let go of behind their last one. Where more of them overlap than fit into memory, neighbours are first
merged into longer runs, as often as it takes. Rows of equal time keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.feed.clean_compiled import merge_pair, merge_streams
from queuefront.feed.row_spill import BlockSpan, Rows, RowSpill

__all__ = ["EventBlocks", "order_events", "sort_rows", "sorted_blocks"]

Records = npt.NDArray[Any]

OVERLAP_MAX: int = 8
"""Most blocks that are held at once."""

_WORDS: Final = EVENT.itemsize // 8
_PAIR: Final = 2
_NO_TIMES: Final[npt.NDArray[Any]] = np.zeros(0, np.int64)


class EventBlocks:
    """Events in the order of both halves, read block by block.

    Parameters
    ----------
    rows : EVENT rows in order.
    local_shift_ns : what is added to their local times.
    flags : what every row's `ev` is to have.
    """

    def __init__(self, rows: Rows, local_shift_ns: int = 0, flags: int = 0) -> None:
        self._rows, self._shift, self._flags = rows, np.int64(local_shift_ns), np.uint64(flags)

    def __len__(self) -> int:
        return len(self._rows)

    def blocks(self) -> Iterator[Records]:
        """Yield the events; each block is a new array."""
        for block in self._rows.blocks():
            yield self._finished(block.copy())

    def whole(self) -> Records:
        """Return all events as one array."""
        return self._finished(self._rows.whole())

    @property
    def kind_counts(self) -> npt.NDArray[np.int64]:
        """How many events there are of each kind."""
        return self._rows.kind_counts

    def spans(self, key: str) -> tuple[int, int] | None:
        """Return the first and the last time, None without events."""
        spans = self._rows.spans(key)
        shift = int(self._shift) if key == "local_ts" else 0
        return (min(span.low for span in spans) + shift, max(span.high for span in spans) + shift) if spans else None

    def drop(self) -> None:
        """Let go of the events."""
        self._rows.drop()

    def _finished(self, block: Records) -> Records:
        if self._flags:
            block["ev"] |= self._flags
        if self._shift:
            block["local_ts"] += self._shift
        return block


def order_events(rows: Rows, local_shift_ns: int = 0) -> EventBlocks:
    """Return the rows in the order of `clean.correct_event_order`, and let go of them where they are not in it already."""
    if rows.is_ascending("exch_ts") and rows.is_ascending("local_ts"):
        return EventBlocks(rows, local_shift_ns, EXCH_EVENT | LOCAL_EVENT)
    made = RowSpill()
    groups = [spill for spill in rows.spills if len(spill)]
    if len(groups) == _PAIR and all(Rows([spill]).is_ascending(key) for spill in groups for key in ("exch_ts", "local_ts")):
        _merge_groups(groups, made)
        rows.drop()
        return EventBlocks(Rows([made]), local_shift_ns)
    for block in _merged(sorted_blocks(rows, "exch_ts"), sorted_blocks(rows, "local_ts")):
        made.take(block)
    rows.drop()
    return EventBlocks(Rows([made]), local_shift_ns)


def _merged(by_exch: Iterator[Records], by_local: Iterator[Records]) -> Iterator[Records]:
    """Give every row its place in exchange order and in local order; a block is valid until the next one is asked for."""
    none = np.zeros(0, EVENT)
    exch, local, e, i, made = none, none, 0, 0, none
    while True:
        if e == len(exch):
            exch, e = next(by_exch, none), 0
        if i == len(local):
            local, i = next(by_local, none), 0
        if not len(exch) or not len(local):
            break
        if len(made) < (room := len(exch) - e + len(local) - i):
            made = np.zeros(room, EVENT)  # used again and again, so that its memory is asked for once
        e, i, count = merge_streams(_words(exch), e, _words(local), i, _words(made))
        yield made[:count]
    for rest, place, others, flag in ((exch, e, by_exch, EXCH_EVENT), (local, i, by_local, LOCAL_EVENT)):
        block = rest[place:]
        while len(block):
            block = block.copy()
            block["ev"] |= np.uint64(flag)
            yield block
            block = next(others, none)


class _Walk:
    """The blocks of a spill, read one after the other by exchange and by local order, each of which has its place."""

    def __init__(self, spill: RowSpill) -> None:
        self._spill = spill
        self._next = [0, 0]
        self._loaded: dict[int, Records] = {}

    def next(self, order: int) -> npt.NDArray[np.int64]:
        """Return the next block of an order, none at the end; let go of those that both are through with."""
        k = self._next[order]
        self._next[order] += 1
        done = min(self._next) - 2
        if done >= 0 and self._loaded.pop(done, None) is not None:
            self._spill.release(done)
        if k >= self._spill.block_count:
            self._next[order] = self._spill.block_count + 1
            return _words(np.zeros(0, EVENT))
        if k not in self._loaded:
            self._loaded[k] = self._spill.read(k)
        return _words(self._loaded[k])


def _merge_groups(groups: list[RowSpill], made: RowSpill) -> None:
    """Bring two groups that are each in order by both times in the order of both halves; they are used up."""
    walks = [_Walk(spill) for spill in groups]
    blocks = [walks[place % _PAIR].next(place // _PAIR) for place in range(2 * _PAIR)]
    at = np.zeros(2 * _PAIR, np.int64)
    while any(len(block) for block in blocks):
        made.added(merge_pair(*blocks, at, _words(made.room())))
        for place, block in enumerate(blocks):
            if len(block) and at[place] == len(block):
                blocks[place], at[place] = walks[place % _PAIR].next(place // _PAIR), 0


def _words(rows: Records) -> npt.NDArray[np.int64]:
    return np.ascontiguousarray(rows).view(np.int64).reshape(-1, _WORDS)


# --- sorting ----------------------------------------------------------------------------------------------------------
def sort_rows(rows: Rows, key: str) -> Rows:
    """Return the rows in ascending order of a column, and let go of them where they are not in it already."""
    if rows.is_ascending(key):
        return rows
    made = RowSpill(rows.dtype, keys=rows.spills[0].keys)
    for block in sorted_blocks(rows, key):
        made.take(block)
    rows.drop()
    return Rows([made])


def sorted_blocks(rows: Rows, key: str) -> Iterator[Records]:
    """Yield the rows in ascending order of a column; do not change what comes, it may belong to `rows`."""
    if rows.is_ascending(key):
        yield from rows.blocks()
        return
    spans = rows.spans(key)
    runs = [_Run(rows, (k, k + 1), spans, key, k) for k in range(rows.block_count)]
    made: list[Rows] = []
    while _overlap(runs) > OVERLAP_MAX:
        spill = RowSpill(rows.dtype, keys=rows.spills[0].keys)
        ends = [0]
        for begin in range(0, len(runs), OVERLAP_MAX):
            for block in _merge(runs[begin : begin + OVERLAP_MAX]):
                spill.take(block)
            spill.end_block()
            ends.append(spill.block_count)
        for before in made:
            before.drop()
        longer = Rows([spill])
        made = [longer]
        spans = longer.spans(key)
        runs = [_Run(longer, place, spans, key, n) for n, place in enumerate(pairwise(ends))]
    yield from _merge(runs)
    for before in made:
        before.drop()


class _Run:
    """Blocks that ascend from one to the next; a single one may be in any order."""

    def __init__(self, rows: Rows, place: tuple[int, int], spans: list[BlockSpan], key: str, number: int) -> None:
        first, end = place
        self.low, self.high = min(span.low for span in spans[first:end]), max(span.high for span in spans[first:end])
        self.number = number  # its place among equals
        self._none: Records = np.zeros(0, rows.dtype)
        self.rows, self.ts = self._none, _NO_TIMES
        self._from, self._key, self._next, self._end = rows, key, first, end

    @property
    def has_more(self) -> bool:
        return self._next < self._end

    def load(self) -> None:
        """Read the next block."""
        block = self._from.read(self._next)
        self._next += 1
        ts = np.ascontiguousarray(block[self._key])
        if not bool((ts[1:] >= ts[:-1]).all()):
            order = np.argsort(ts, kind="stable")
            block, ts = block.take(order), ts[order]
        self.rows, self.ts = block, ts

    def cut(self, bound: tuple[int, int] | None) -> tuple[Records, npt.NDArray[Any]]:
        """Take off what comes before (time, number of the run), or at it."""
        if bound is None:
            count = len(self.ts)
        else:
            side: Any = "right" if self.number <= bound[1] else "left"
            count = int(np.searchsorted(self.ts, self.ts.dtype.type(bound[0]), side))
        part = self.rows[:count], self.ts[:count]
        is_done = count == len(self.ts)  # what is left is no view then: it would keep the block in memory
        self.rows, self.ts = (self._none, _NO_TIMES) if is_done else (self.rows[count:], self.ts[count:])
        return part


def _overlap(runs: list[_Run]) -> int:
    """Return how many runs overlap at most."""
    lows, highs = sorted(run.low for run in runs), sorted(run.high for run in runs)
    most = ended = 0
    for begun, low in enumerate(lows, 1):
        while highs[ended] < low:
            ended += 1
        most = max(most, begun - ended)
    return most


def _merge(runs: list[_Run]) -> Iterator[Records]:
    waiting = sorted(runs, key=lambda run: (run.low, run.number), reverse=True)
    active: list[_Run] = []
    while waiting or active:
        bounds = [(int(run.ts[-1]), run.number) for run in active if run.has_more]
        bounds += [(run.low, run.number) for run in waiting[-1:]]
        bound = min(bounds, default=None)
        parts = [run.cut(bound) for run in active]
        parts = [part for part in parts if len(part[0])]
        if len(parts) == 1:
            yield parts[0][0]
        elif parts:
            order = np.argsort(np.concatenate([ts for _, ts in parts]), kind="stable")
            yield np.concatenate([rows for rows, _ in parts]).take(order)
        elif waiting:
            active.append(waiting.pop())
            active[-1].load()
            active.sort(key=lambda run: run.number)
        for run in active:
            if not len(run.ts) and run.has_more:
                run.load()
        active = [run for run in active if len(run.ts)]
