"""Depth updates with whole books among them: each block of snapshot records becomes, side by side, a clear and its levels.

A block is a run of snapshot records of one receipt time. Its bids come before its asks. A side's clear reaches to its worst
price and carries the time of its first record. A block at the end of a file is a block too.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT

__all__ = ["SNAPSHOT_MODES", "DepthBlocks", "DepthRows", "SnapshotMode", "depth_rows"]

SnapshotMode = Literal["process", "ignore_sod", "ignore"]
SNAPSHOT_MODES: Final = ("process", "ignore_sod", "ignore")

Events = npt.NDArray[Any]


class DepthRows(NamedTuple):
    """Rows in order, and which of them stand in a snapshot that is to be ignored."""

    rows: Events
    is_ignored: npt.NDArray[np.bool_]


class DepthBlocks:
    """Do `depth_rows` on the records of one file as they come, table by table; a block that goes on is held back."""

    def __init__(self, mode: SnapshotMode) -> None:
        self._mode = mode
        self._held: Events = np.zeros(0, EVENT)

    def take(self, updates: Events, is_snapshot: npt.NDArray[np.bool_]) -> DepthRows:
        """Return the rows of what is complete; arguments as of `depth_rows`."""
        if len(self._held):
            updates = np.concatenate([self._held, updates])
            is_snapshot = np.concatenate([np.ones(len(self._held), np.bool_), is_snapshot])
        goes_on = is_snapshot & (updates["local_ts"] == updates["local_ts"][-1]) if len(updates) else is_snapshot
        cut = 0 if goes_on.all() else len(goes_on) - int(np.argmin(goes_on[::-1]))
        self._held = updates[cut:].copy()
        return self._rows(updates[:cut], is_snapshot[:cut])

    def lets_pass(self, is_snapshot: npt.NDArray[np.bool_]) -> bool:
        """Whether records are but updates, and their rows what `take` would return; the mode learns of them."""
        if len(self._held) or not len(is_snapshot) or is_snapshot.any():
            return False
        self._mode = "process" if self._mode == "ignore_sod" else self._mode
        return True

    def end(self) -> DepthRows:
        """Return the rows of what is held back."""
        held, self._held = self._held, np.zeros(0, EVENT)
        return self._rows(held, np.ones(len(held), np.bool_))

    def _rows(self, updates: Events, is_snapshot: npt.NDArray[np.bool_]) -> DepthRows:
        rows = depth_rows(updates, is_snapshot, self._mode)
        if self._mode == "ignore_sod" and not is_snapshot.all():
            self._mode = "process"  # the day has begun
        return rows


def depth_rows(updates: Events, is_snapshot: npt.NDArray[np.bool_], mode: SnapshotMode) -> DepthRows:
    """Return the rows of depth updates.

    Parameters
    ----------
    updates : one row for each record, in file order, with a side and no kind in `ev`; its kinds are set, in place.
    is_snapshot : which records are of a snapshot.
    mode : `process` ignores no snapshot, `ignore` all of them, `ignore_sod` those that precede the first other record.
    """
    updates["ev"] |= np.where(is_snapshot, DEPTH_SNAPSHOT_EVENT, DEPTH_EVENT).astype(np.uint64)
    if not is_snapshot.any():
        return DepthRows(updates, np.zeros(len(updates), np.bool_))
    n = len(updates)
    place = np.flatnonzero(is_snapshot)
    part = updates.take(place)
    is_start = np.ones(len(part), np.bool_)
    is_start[1:] = (np.diff(place) > 1) | (part["local_ts"][1:] != part["local_ts"][:-1])
    is_ask = (part["ev"] & np.uint64(BUY_EVENT)) == 0
    key = 2 * np.cumsum(is_start) + is_ask
    order = np.argsort(key, kind="stable")
    part, key = part.take(order), key[order]  # blocks stay where they are, and their bids come first
    opens = np.ones(len(part), np.bool_)
    opens[1:] = key[1:] != key[:-1]
    begin = np.flatnonzero(opens)
    clears = part[begin]
    clears["ev"] = (clears["ev"] - np.uint64(DEPTH_SNAPSHOT_EVENT)) | np.uint64(DEPTH_CLEAR_EVENT)
    clears["px"], clears["qty"] = _worst(part, begin), 0.0
    target = place + np.cumsum(opens)
    made = np.empty(n + len(begin), EVENT)  # tidy: allow empty: every row is written below
    made[target] = part
    made[target[begin] - 1] = clears
    is_of_snapshot = np.zeros(len(made), np.bool_)
    is_of_snapshot[target], is_of_snapshot[target[begin] - 1] = True, True
    # Runs of updates are moved as they lie; row by row would take most of the time of a conversion.
    edges = np.flatnonzero(np.diff(np.concatenate([[True], is_snapshot, [True]])))
    made_edges = np.flatnonzero(np.diff(np.concatenate([[True], is_of_snapshot, [True]])))
    for first, last, made_first in zip(edges[0::2], edges[1::2], made_edges[0::2], strict=True):
        made[made_first : made_first + last - first] = updates[first:last]
    if mode == "process":
        return DepthRows(made, np.zeros(len(made), np.bool_))
    if mode == "ignore_sod":
        others = np.flatnonzero(~is_of_snapshot)
        is_of_snapshot[others[0] if len(others) else len(made) :] = False
    return DepthRows(made, is_of_snapshot)


def _worst(rows: Events, begin: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the worst price of each side of a block, which begins at the given rows."""
    sign = np.where((rows["ev"] & np.uint64(BUY_EVENT)) != 0, 1.0, -1.0)
    worst: npt.NDArray[np.float64] = np.minimum.reduceat(rows["px"] * sign, begin) * sign[begin]
    return worst
