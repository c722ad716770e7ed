"""The file of a tape, written column by column and block by block: memory does not grow with its rows.

It is written aside and takes its name when it is whole, see `files.replacing`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.instrument import Instrument
from queuefront.feed.arrow_frame import FrameColumn, frame, padding
from queuefront.feed.files import replacing
from queuefront.feed.passport.measures import Measures, Measuring
from queuefront.feed.passport.passport import measures_text
from queuefront.feed.replay_index import PlaceIndex, place_starts_text
from queuefront.feed.replay_index_compiled import count_places, fill_places
from queuefront.feed.row_spill import RowSpill, naming_full_disks
from queuefront.feed.tape_columns import EventParts, NewColumn, TapeColumn, blocks_of, read_only
from queuefront.feed.tape_layout import (
    COLUMNS,
    META_KEY,
    OPTIONAL,
    PASSPORT_KEY,
    PLACES_COLUMN,
    PLACES_KEY,
    OffGrid,
    OnGap,
    is_priced,
)
from queuefront.feed.tape_parts import build_columns

__all__ = ["PlacedRows", "measure_columns", "place_rows", "write_events", "write_tape"]

PLACES_AT_ONCE: int = 2**23
"""Rows by place that are gathered in one pass over the columns; 4 bytes each."""

_MEASURED: Final = (
    "op", "exch_ts", "local_ts", "level", "lots", "best_bid_exch", "best_ask_exch", "prior_level", "prior_lots", "px",
    "qty",
)  # fmt: skip


class PlacedRows(NamedTuple):
    """The index `row_by_place`: where each place's rows begin, and the rows part by part."""

    starts: npt.NDArray[np.int32]
    parts: Iterable[npt.NDArray[np.int32]]


def write_events(
    path: str | os.PathLike[str],
    events: EventParts,
    instrument: Instrument,
    *,
    source: str,
    account: dict[str, Any] | None = None,
    off_grid: OffGrid = "refuse",
    on_gap: OnGap = "stop",
    new_column: NewColumn = RowSpill,
) -> None:
    """Write the tape of events that come part by part: the file that `Tape.build(…).save(…)` writes of all of them.

    Arguments and errors as of these; `new_column` as of `tape_parts.build_columns`.
    """
    built = build_columns(events, instrument, source, new_column, off_grid=off_grid, on_gap=on_gap)
    columns, levels, meta = built.columns, built.levels, built.meta(instrument, source, account)
    placed = None if built.facts["is_by_order"] else place_rows(columns["op"], columns["level"], len(levels))
    write_tape(path, columns, levels, meta, measure_columns(columns, levels, meta, instrument), placed)


def measure_columns(
    columns: dict[str, TapeColumn], levels: npt.NDArray[np.int64], meta: dict[str, Any], instrument: Instrument
) -> Measures:
    """Measure the columns of a tape that starts from empty books."""
    nothing = np.zeros(2 * len(levels), np.int64)
    measuring = Measuring(meta, read_only(levels), nothing, instrument, is_by_order="order_no" in columns)
    for block in blocks_of({name: columns[name] for name in _MEASURED if name in columns}):
        measuring.take({name: read_only(column) for name, column in block.items()})
    return measuring.finish()


def place_rows(op: TapeColumn, level: TapeColumn, level_count: int) -> PlacedRows:
    """Return the rows by place of a market by price, `PLACES_AT_ONCE` at one time; a part is valid until the next one."""
    starts = np.zeros(2 * level_count + 1, np.int32)
    both = {"op": op, "level": level}
    for block in blocks_of(both):
        count_places(block["op"], block["level"], starts)
    np.cumsum(starts, out=starts)

    def gathered() -> Iterator[npt.NDArray[np.int32]]:
        row_count, placed_count = len(op), int(starts[-1])
        room = np.zeros(min(PLACES_AT_ONCE, row_count), np.int32)
        for begin in range(0, row_count, PLACES_AT_ONCE):
            part = room[: row_count - begin]
            part[:] = -1
            if begin < placed_count:
                next_free, first_row = starts.copy(), 0
                for block in blocks_of(both):
                    fill_places(block["op"], block["level"], first_row, next_free, begin, part)
                    first_row += len(block["op"])
            yield part

    return PlacedRows(starts, gathered())


def write_tape(
    path: str | os.PathLike[str],
    columns: dict[str, TapeColumn],
    levels: npt.NDArray[np.int64],
    meta: dict[str, Any],
    measures: Measures,
    placed: PlacedRows | None,
) -> None:
    """Write a tape; a failure leaves nothing under the final name, or what was there before.

    placed : the rows by place of a market by price, None of one by order.

    Raises
    ------
    StorageFullError
        If the file does not fit on its disk.
    """
    names = [name for name in (*COLUMNS, *OPTIONAL) if name in columns]
    row_count = len(columns["op"])
    null_count = sum(int(np.count_nonzero(~is_priced(op))) for op in columns["op"].blocks())
    framed = [
        FrameColumn("tick", np.int32, levels, null_count)
        if name == "level"
        else FrameColumn(name, (COLUMNS | OPTIONAL)[name])
        for name in names
    ]
    metadata = {META_KEY: msgspec.json.encode(meta), PASSPORT_KEY: measures_text(measures)}
    if placed is not None:
        framed.append(FrameColumn(PLACES_COLUMN, np.int32))
        metadata[PLACES_KEY] = place_starts_text(PlaceIndex(np.zeros(0, np.int32), placed.starts))
    made = frame(framed, row_count, metadata)
    needed = len(made.head) + made.body_bytes + len(made.tail)
    with (
        naming_full_disks(
            str(Path(path)), f"the tape needs {needed:,} bytes", "make room there, or write it to another disk"
        ),
        replacing(path) as file,
    ):
        file.write(made.head)
        for name in names:
            if name == "level" and null_count:
                _write_validity(file, columns["op"])
            _write_values(file, columns[name].blocks())
        if placed is not None:
            _write_values(file, placed.parts)
        assert file.tell() == len(made.head) + made.body_bytes, "the frame tells of other columns"
        file.write(made.tail)


def _write_values(file: IO[bytes], parts: Iterable[npt.NDArray[Any]]) -> None:
    count = 0
    for part in parts:
        file.write(np.ascontiguousarray(part).data)
        count += part.nbytes
    file.write(padding(count))


def _write_validity(file: IO[bytes], op: TapeColumn) -> None:
    """Write which rows name a price of the grid, a bit each."""
    count, rest = 0, np.zeros(0, np.bool_)
    for block in op.blocks():
        bits = np.concatenate([rest, is_priced(block)])
        whole = len(bits) // 8 * 8
        count += file.write(np.packbits(bits[:whole], bitorder="little").data)
        rest = bits[whole:]
    count += file.write(np.packbits(rest, bitorder="little").data)
    file.write(padding(count))
