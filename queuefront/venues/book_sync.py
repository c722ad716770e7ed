"""Join a stream of book changes with a snapshot, and know at every moment whether the result is the venue's book.

The stream is opened first and buffered; the snapshot is fetched; changes that it contains already are dropped; the first
one left must overlap it, and each later one must continue its predecessor. Until then, and from any gap on, the book is not
valid and nothing of it is published. Source: Binance developer documentation, "How to manage a local order book correctly",
of spot and of futures, whose rules differ.

No input or output: messages in, publications out. The caller opens streams and fetches snapshots when `wants_snapshot`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import DEPTH_CLEAR_EVENT
from queuefront.venues.level_book import LevelBook

__all__ = ["BookSync", "Diff", "Notice", "Publication", "Rule", "SyncCounts"]

Events = npt.NDArray[Any]

#: Changes that wait for a snapshot: more than three minutes of ten a second.
_BUFFER_MAX: Final = 2048


class Rule(Enum):
    """How changes continue one another."""

    SPOT = "each begins one after the last id of the one before"
    FUTURES = "each names the last id of the one before"
    IN_STREAM = "each is the number after the one before, and whole books come in the stream itself"


class Diff(Protocol):
    """What is needed of a change or a snapshot."""

    @property
    def first_id(self) -> int:
        """First update that it contains."""

    @property
    def last_id(self) -> int:
        """Last update that it contains."""

    @property
    def prev_id(self) -> int:
        """Last update of the change before (futures)."""

    @property
    def local_ts(self) -> int:
        """When we received it."""

    @property
    def exch_ts(self) -> int:
        """When the venue made it."""

    @property
    def rows(self) -> Events:
        """Its levels."""


class Notice(Enum):
    """What happened to the book as a whole."""

    SYNCED = "the rows that follow are a whole book, and it is valid from here on"
    LOST = "the book is not valid any more"


@dataclass(frozen=True, slots=True)
class Publication:
    """What consumers may see, in order: rows of a valid book, or a notice. SYNCED comes with the whole book."""

    rows: Events
    notice: Notice | None = None
    reason: str = ""


@dataclass(slots=True)
class SyncCounts:
    """What went wrong so far, and how long it took to mend."""

    gaps: int = 0
    duplicates: int = 0
    overflows: int = 0
    late_snapshots: int = 0  # of a connection that was gone when they came
    old_snapshots: int = 0
    crossed: int = 0
    top_mismatches: int = 0
    disconnects: int = 0
    syncs: int = 0
    last_sync_ns: int = 0  # from the loss, or the connection, to the valid book
    longest_sync_ns: int = 0


class BookSync:
    """One symbol's book.

    Parameters
    ----------
    rule : how changes continue one another.
    buffer_max : changes that may wait for a snapshot; beyond, the oldest is dropped, and continuity decides.
    """

    def __init__(self, rule: Rule, buffer_max: int = _BUFFER_MAX) -> None:
        self.book = LevelBook()
        self.counts = SyncCounts()
        self.generation = 0
        self.is_valid = False
        self._rule = rule
        self._buffer: deque[Diff] = deque()
        self._buffer_max = buffer_max
        self._is_connected = False
        self._last_id = -1  # of the book; -1: no snapshot
        self._is_bridged = False  # a change has overlapped the snapshot
        self._since_ns = 0
        self._opening: list[Events] = []  # rows since the snapshot, until the book is valid

    # --- the connection -----------------------------------------------------------------------------------------------
    def connect(self, now_ns: int) -> int:
        """Begin with a new connection; return its generation, which snapshots must carry."""
        self._forget(now_ns)
        self.generation += 1
        self._is_connected = True
        return self.generation

    def disconnect(self, now_ns: int) -> list[Publication]:
        """The connection is gone: so is the book."""
        if not self._is_connected:
            return []
        self._is_connected = False
        self.counts.disconnects += 1
        return self._lose("disconnected", now_ns)

    @property
    def wants_snapshot(self) -> bool:
        """Whether a snapshot should be fetched: changes come in, and none is there that they could continue."""
        return self._is_connected and self._last_id < 0 and bool(self._buffer)

    @property
    def last_id(self) -> int:
        """Last update that the book contains; -1 without a book."""
        return self._last_id

    # --- messages -----------------------------------------------------------------------------------------------------
    def receive(self, diff: Diff) -> list[Publication]:
        """Take one change of the stream; return what may be published."""
        if not self._is_connected:
            return []
        if self._last_id < 0:
            self._wait(diff)
            return []
        return self._continue([diff])

    def take_snapshot(self, snapshot: Diff, generation: int) -> list[Publication]:
        """Take a snapshot that was fetched for a generation; one of a connection that is gone is discarded."""
        if generation != self.generation or not self._is_connected:
            self.counts.late_snapshots += 1
            return []
        if self._last_id >= 0:
            return []  # a book is there; nobody asked
        self.book.clear()
        self.book.apply(snapshot.rows)
        self._last_id = snapshot.last_id
        self._is_bridged = False
        self._opening = [_clear_row(snapshot), snapshot.rows]
        if self.book.is_crossed:
            self.counts.crossed += 1
            return self._lose("crossed snapshot", snapshot.local_ts)
        waiting = sorted(self._buffer, key=lambda diff: diff.last_id)
        self._buffer.clear()
        return self._continue(waiting)

    def replace(self, snapshot: Diff) -> list[Publication]:
        """Take a whole book of the stream itself: it takes the place of whatever was there, and is valid at once."""
        if not self._is_connected:
            return []
        self._buffer.clear()
        self.book.clear()
        self.book.apply(snapshot.rows)
        self._last_id = snapshot.last_id
        if self.book.is_crossed:
            self.counts.crossed += 1
            return self._lose("crossed snapshot", snapshot.local_ts)
        self._is_bridged = True
        rows = np.concatenate([_clear_row(snapshot), snapshot.rows])
        if self.is_valid:
            return [Publication(rows)]
        self._opening = [rows]
        return [self._become_valid(snapshot.local_ts)]

    def check_top(self, update_id: int, bid_px: float, ask_px: float, now_ns: int) -> list[Publication]:
        """Compare with the best prices that the venue tells of the same update (R): another top means a wrong book."""
        if not self.is_valid or update_id != self._last_id:
            return []
        bid, ask = self.book.best_bid, self.book.best_ask
        if bid is not None and ask is not None and (bid[0], ask[0]) == (bid_px, ask_px):
            return []
        self.counts.top_mismatches += 1
        return self._lose("the best prices are others than the venue's", now_ns)

    # --- rules --------------------------------------------------------------------------------------------------------
    def _continue(self, diffs: list[Diff]) -> list[Publication]:
        published: list[Publication] = []
        for i, diff in enumerate(diffs):
            if self._is_contained(diff):
                self.counts.duplicates += self._is_bridged
                continue
            if not self._continues(diff):
                if self._is_bridged:
                    self.counts.gaps += 1
                    reason = "gap"
                else:
                    self.counts.old_snapshots += 1
                    reason = "the snapshot is older than the changes"
                published += self._lose(reason, diff.local_ts)
                for later in diffs[i:]:
                    self._wait(later)
                return published
            self.book.apply(diff.rows)
            self._last_id = diff.last_id
            self._is_bridged = True
            if self.book.is_crossed:
                self.counts.crossed += 1
                published += self._lose("crossed", diff.local_ts)
                for later in diffs[i:]:
                    self._wait(later)
                return published
            if self.is_valid:
                published.append(Publication(diff.rows))
            else:
                self._opening.append(diff.rows)
        if self._is_bridged and not self.is_valid:
            published.append(self._become_valid(diffs[-1].local_ts))
        return published

    def _is_contained(self, diff: Diff) -> bool:
        if self._rule is Rule.FUTURES and not self._is_bridged:
            return diff.last_id < self._last_id
        return diff.last_id <= self._last_id

    def _continues(self, diff: Diff) -> bool:
        if self._rule is not Rule.FUTURES:
            # One that begins earlier and ends later overlaps what we have, and its quantities are absolute.
            return diff.first_id <= self._last_id + 1 <= diff.last_id
        if self._is_bridged:
            return diff.prev_id == self._last_id
        return diff.first_id <= self._last_id <= diff.last_id or diff.prev_id == self._last_id

    def _wait(self, diff: Diff) -> None:
        if len(self._buffer) >= self._buffer_max:
            self._buffer.popleft()
            self.counts.overflows += 1
        self._buffer.append(diff)

    def _become_valid(self, now_ns: int) -> Publication:
        self.is_valid = True
        self.counts.syncs += 1
        self.counts.last_sync_ns = max(now_ns - self._since_ns, 0)
        self.counts.longest_sync_ns = max(self.counts.longest_sync_ns, self.counts.last_sync_ns)
        rows, self._opening = np.concatenate(self._opening), []
        return Publication(rows, Notice.SYNCED)

    def _lose(self, reason: str, now_ns: int) -> list[Publication]:
        was_valid = self.is_valid
        self._forget(now_ns if was_valid or self._last_id < 0 else self._since_ns)
        return [Publication(np.zeros(0, EVENT), Notice.LOST, reason)] if was_valid else []

    def _forget(self, since_ns: int) -> None:
        self.is_valid = False
        self.book.clear()
        self._buffer.clear()
        self._opening = []
        self._last_id = -1
        self._is_bridged = False
        self._since_ns = since_ns


def _clear_row(snapshot: Diff) -> Events:
    clear: Events = np.zeros(1, EVENT)
    clear["ev"], clear["exch_ts"], clear["local_ts"] = DEPTH_CLEAR_EVENT, snapshot.exch_ts, snapshot.local_ts
    return clear
