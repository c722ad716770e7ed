"""The index by which a replay leaps over rows that do not concern it, see `replay_index_compiled`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.feed.replay_index_compiled import group_rows, is_grouped, summarize_blocks

__all__ = ["PlaceIndex", "ReplayIndex", "place_index_from_file", "place_starts_text", "replay_index"]


@dataclass(frozen=True)
class PlaceIndex:
    """The rows that set a quantity at the exchange, by place, and where each place's begin; see `group_rows`."""

    rows_by_place: npt.NDArray[np.int32]
    place_starts: npt.NDArray[np.int32]


@dataclass(frozen=True)
class ReplayIndex:
    """What a replay looks up; both halves' times and the reach of each block of rows, see `summarize_blocks`."""

    places: PlaceIndex
    block_exch_ts: npt.NDArray[np.int64]
    block_local_ts: npt.NDArray[np.int64]
    block_high: npt.NDArray[np.int32]
    block_low: npt.NDArray[np.int32]


def replay_index(tape: Any, places: PlaceIndex | None) -> ReplayIndex:
    """Return the index of a tape; `places` where its file has them already. A market by order has no rows by place."""
    blocks = summarize_blocks(tape.op, tape.exch_ts, tape.local_ts, tape.level, tape.best_bid_exch, tape.best_ask_exch)
    arrays = [*blocks]
    if places is None:
        places = PlaceIndex(*group_rows(tape.op, tape.level, len(tape.levels)))
    for array in (*arrays, places.rows_by_place, places.place_starts):
        array.flags.writeable = False
    return ReplayIndex(places, *arrays)


def place_starts_text(places: PlaceIndex) -> bytes:
    """Return where each place's rows begin, as text for a file's metadata."""
    return base64.b64encode(np.diff(places.place_starts).astype("<i4").tobytes())


def place_index_from_file(
    rows_by_place: npt.NDArray[np.int32], text: bytes | None, row_count: int, level_count: int
) -> PlaceIndex | None:
    """Return the index that a file holds, or None if it cannot be trusted: the reader then makes it anew."""
    try:
        counts = np.frombuffer(base64.b64decode(text or b"", validate=True), "<i4")
    except (binascii.Error, ValueError):
        return None
    if len(counts) != 2 * level_count or (counts < 0).any() or counts.sum(dtype=np.int64) > len(rows_by_place):
        return None
    place_starts = np.zeros(2 * level_count + 1, np.int32)
    np.cumsum(counts, out=place_starts[1:])
    rows_by_place = rows_by_place[: place_starts[-1]]
    return PlaceIndex(rows_by_place, place_starts) if is_grouped(rows_by_place, place_starts, row_count) else None
