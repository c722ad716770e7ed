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

__all__ = ["SNAPSHOT_MODES", "DepthRows", "SnapshotMode", "depth_rows"]

SnapshotMode = Literal["process", "ignore_sod", "ignore"]
SNAPSHOT_MODES: Final = ("process", "ignore_sod", "ignore")

Events = npt.NDArray[Any]


class DepthRows(NamedTuple):
    """Rows in order, and which of them stand in a snapshot that is to be ignored."""

    rows: Events
    is_ignored: npt.NDArray[np.bool_]


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
    place = np.arange(n)
    local_ts = np.ascontiguousarray(updates["local_ts"])
    is_start = np.ones(n, np.bool_)
    is_start[1:] = ~(is_snapshot[1:] & is_snapshot[:-1] & (local_ts[1:] == local_ts[:-1]))
    block = np.maximum.accumulate(np.where(is_start, place, 0))
    is_ask = is_snapshot & ((updates["ev"] & np.uint64(BUY_EVENT)) == 0)
    key = 2 * block + is_ask
    order = np.argsort(key, kind="stable")
    rows, key = updates.take(order), key[order]
    in_snapshot = is_snapshot[order]
    opens = in_snapshot.copy()
    opens[1:] &= key[1:] != key[:-1]
    begin = np.flatnonzero(opens)
    made = np.zeros(n + len(begin), EVENT)
    target = place + np.cumsum(opens)
    made[target] = rows
    is_of_snapshot = np.zeros(len(made), np.bool_)
    is_of_snapshot[target] = in_snapshot
    clears = rows[begin]
    clears["ev"] = (clears["ev"] - np.uint64(DEPTH_SNAPSHOT_EVENT)) | np.uint64(DEPTH_CLEAR_EVENT)
    clears["px"], clears["qty"] = _worst(rows, in_snapshot, begin), 0.0
    clear_at = target[begin] - 1
    made[clear_at] = clears
    is_of_snapshot[clear_at] = True
    if mode == "process":
        return DepthRows(made, np.zeros(len(made), np.bool_))
    if mode == "ignore_sod":
        others = np.flatnonzero(~is_of_snapshot)
        is_of_snapshot[others[0] if len(others) else len(made) :] = False
    return DepthRows(made, is_of_snapshot)


def _worst(rows: Events, in_snapshot: npt.NDArray[np.bool_], begin: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the worst price of each side of a block, which begins at the given rows."""
    is_bid = (rows["ev"] & np.uint64(BUY_EVENT)) != 0
    sign = np.where(is_bid, 1.0, -1.0)
    # Rows of no snapshot, which may follow a block before the next one, must not count.
    px = np.where(in_snapshot, rows["px"] * sign, np.inf)
    worst: npt.NDArray[np.float64] = np.minimum.reduceat(px, begin) * sign[begin]
    return worst
