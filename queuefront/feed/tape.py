"""The tape: a market made ready for replay.

A tape is one Arrow IPC file with one record batch, so that NumPy maps every column without a copy and Polars, DuckDB and
pandas read it as a table. Its columns:

==================  ==================  =================================================================================
ev                  uint32              flags and kind, see `core.enums`
exch_ts, local_ts   int64               ns UTC
tick                dictionary<int32,   price in ticks; the dictionary is the ascending table of all ticks, so that the
                    int64>              index is the *level* that books use; null where a row names no price of the grid
lots                int64               quantity in lots
op                  uint8               what the row does to a book, and which half sees it (`core.enums.OP_*`)
best_bid_exch, …    int32               best levels after the row, at the exchange and locally: -1 is no bid, the number of
                                        levels is no ask
px, qty             float64, optional   the raw values, present where some row does not lie on the grid
order_no            int32               market by order only: which order, counted by ascending id
prior_level, …      int32, int64,       market by order only: level, lots and place of the order before the row, see
_lots, _row         int32               `order_index_compiled`; -1, 0, -1 where it was not there
order_id, ival,     as in the event     optional, present where some row has one
fval                record
row_by_place        int32               optional, a market by price: the rows that set a quantity, grouped by level and
                                        side, then -1; see `replay_index`
==================  ==================  =================================================================================

The metadata (key ``queuefront.tape``, JSON) carries version, instrument, source, conversion account, counts, time span
and a checksum of the columns; key ``queuefront.places`` how many rows each group of `row_by_place` has. That index is
made anew where a file lacks it or cannot be trusted with it. So are the measures of the tape's quality (`feed.passport`)
of key ``queuefront.passport``; they are read when they are asked for.

What makes tapes is imported where it is used, for the sake of a quick start: a replay only opens them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.errors import ConfigError, DataError, DataFormatError, SchemaMismatchError
from queuefront.core.instrument import Instrument
from queuefront.feed.replay_index import (
    PlaceIndex,
    ReplayIndex,
    place_index_from_file,
    replay_index,
)
from queuefront.feed.tape_columns import HeldColumn, HeldEvents, TapeColumn, whole
from queuefront.feed.tape_index_compiled import find_untrusted_order_row, find_untrusted_row
from queuefront.feed.tape_layout import (
    COLUMNS,
    META_KEY,
    OPTIONAL,
    ORDER_COLUMNS,
    PASSPORT_KEY,
    PLACES_COLUMN,
    PLACES_KEY,
    TAPE_VERSION,
    OffGrid,
    OnGap,
    is_priced,
)
from queuefront.feed.tape_mask import masked_columns

if TYPE_CHECKING:
    from queuefront.feed.passport import Measures

__all__ = ["RANGE_TICKS_MAX", "Tape"]

#: The most ticks of a bounded book: what shows all of them at once needs 16 bytes for each.
RANGE_TICKS_MAX: Final = 2**27

_TIMES: Final = ("first_exch_ts", "last_exch_ts", "first_local_ts", "last_local_ts")


class Tape:
    """A market made ready for replay: read-only columns, their instrument and where they came from.

    Build one with `Tape.build` from events, or map one with `Tape.open`. Columns are attributes of the names in the
    module's table, with `level` for the index of `tick` and `levels` for the table of ticks.
    """

    ev: npt.NDArray[np.uint32]
    exch_ts: npt.NDArray[np.int64]
    local_ts: npt.NDArray[np.int64]
    level: npt.NDArray[np.int32]
    lots: npt.NDArray[np.int64]
    op: npt.NDArray[np.uint8]
    best_bid_exch: npt.NDArray[np.int32]
    best_ask_exch: npt.NDArray[np.int32]
    best_bid_local: npt.NDArray[np.int32]
    best_ask_local: npt.NDArray[np.int32]

    def __init__(
        self,
        columns: dict[str, npt.NDArray[Any]],
        levels: npt.NDArray[np.int64],
        instrument: Instrument,
        meta: dict[str, Any],
        opening: npt.NDArray[np.void] | None = None,
        owner: object = None,
    ) -> None:
        for name, column in columns.items():
            setattr(self, name, _read_only(column))
        self.extra = {name: _read_only(columns[name]) for name in OPTIONAL if name in columns}
        self.levels = _read_only(levels)
        self.instrument = instrument
        self.meta = meta
        self.tick_range: tuple[int, int] | None = None  # of bounded books
        self.opening = opening  # snapshot rows applied to both books before the first event, or None
        self._owner = owner  # the mapping that the columns are views of
        self._places: PlaceIndex | None = None  # from the file, where it has one
        self._index: ReplayIndex | None = None
        self._measures: Measures | bytes | None = None  # bytes: as the file has them, not yet read
        self.is_masked = False

    def __len__(self) -> int:
        return len(self.op)

    @property
    def is_by_order(self) -> bool:
        """Whether the market is told by order (L3) and not by price."""
        return "order_no" in self.extra

    @property
    def index(self) -> ReplayIndex:
        """What a replay looks up."""
        return self.make_index()

    def make_index(self) -> ReplayIndex:
        """Make what a replay looks up, where that is not done yet, and return it: some nanoseconds a row."""
        if self._index is None:
            self._index = replay_index(self, self._places)
        return self._index

    @property
    def measures(self) -> Measures:
        """What its passport is made of: as the file carries it, or measured now, some tens of nanoseconds a row."""
        from queuefront.feed.passport import measure, measures_from_text  # here, for the sake of a quick start

        if isinstance(self._measures, bytes):
            self._measures = measures_from_text(self._measures, str(self.meta.get("checksum", "")))
        if self._measures is None:
            self._measures = measure(self)
        return self._measures

    def __repr__(self) -> str:
        i = self.instrument
        return f"<Tape {i.venue}:{i.symbol}, {len(self):,} events, {len(self.levels):,} price levels>"

    # --- making -------------------------------------------------------------------------------------------------------
    @classmethod
    def build(
        cls,
        events: npt.NDArray[np.void],
        instrument: Instrument,
        *,
        source: str,
        account: dict[str, Any] | None = None,
        off_grid: OffGrid = "refuse",
        on_gap: OnGap = "stop",
        opening: npt.NDArray[np.void] | None = None,
        tick_range: tuple[int, int] | None = None,
        extra_kinds: frozenset[int] = frozenset(),
    ) -> Tape:
        """Make a tape from events.

        Parameters
        ----------
        events : EVENT[n], ordered by exch_ts among exchange rows and by local_ts among local rows; not kept.
        instrument : gives the grid.
        source : what the events are, for messages and the tape's metadata: a path, usually.
        account : the conversion's account, kept in the metadata.
        off_grid : `refuse` a price or quantity that is not a whole number of ticks or lots, or `round` it to the nearest
            and count it in `meta["rounded"]`.
        on_gap : of a market by order: `stop` at a row that names an order which is not there (or adds one that is), or
            `skip` such rows and count them in `meta["gap_rows"]`.
        opening : EVENT rows of a snapshot that both books start from; prices and quantities on the grid.
        tick_range : see `bounded`.
        extra_kinds : event kinds of your own; they wake a strategy that waits for the feed, and change no book.

        Raises
        ------
        DataError
            For rows that are not valid events, out of order, or off the grid; for a market told by price and by order at
            once, and for gaps.
        """
        from queuefront.feed.check import validate_events
        from queuefront.feed.tape_parts import build_columns

        validate_events(events[:0], source)  # of what they are
        built = build_columns(
            HeldEvents(events), instrument, source, HeldColumn,
            off_grid=off_grid, on_gap=on_gap, opening=opening, extra_kinds=extra_kinds,
        )  # fmt: skip
        meta = built.meta(instrument, source, account)
        columns = {name: whole(column) for name, column in built.columns.items()}
        tape = cls(columns, built.levels, instrument, meta, built.opening)
        return tape if tick_range is None else tape.bounded(*tick_range)

    # --- storing ------------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tape; a failure leaves nothing under the final name, or what was there before.

        Raises
        ------
        ConfigError
            If the tape lives in memory only.
        StorageFullError
            If it does not fit on its disk.
        """
        from queuefront.feed.tape_file import PlacedRows, write_tape  # here, for the sake of a quick start

        if self.tick_range is not None:
            raise ConfigError(
                "a tape with a range of ticks lives in memory only; save it without, and bound it when it is used"
            )
        if self.opening is not None:
            raise ConfigError(
                "a tape with an opening snapshot lives in memory only; put the snapshot's rows into the events"
            )
        if self.is_masked:
            raise ConfigError("a masked tape lives in memory only; save it without, and mask it when it is used")
        placed = None
        if not self.is_by_order:
            places = self.index.places
            rest = np.full(len(self) - len(places.rows_by_place), -1, np.int32)
            placed = PlacedRows(places.place_starts, (places.rows_by_place, rest))
        write_tape(path, self._held_columns(), self.levels, self.meta, self.measures, placed)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Tape:
        """Map a tape. Columns are views of the file; indices are verified, contents by `verify` only.

        Raises
        ------
        DataFormatError
            If the file is not a tape of this version, or its columns cannot be trusted.
        """
        import pyarrow as pa

        path = Path(path)
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; make a tape with `qf convert` or `qf synth`")
        try:
            source = pa.memory_map(str(path))
            with pa.ipc.open_file(source) as reader:
                meta = _read_meta(path, reader.schema.metadata)
                if reader.num_record_batches != 1:
                    raise DataFormatError(
                        f"{path}: {reader.num_record_batches} record batches where a tape has one; make it again"
                    )
                batch = reader.get_batch(0)
                batch.validate()
                columns, levels = _map_columns(path, batch)
        except (pa.ArrowInvalid, pa.ArrowException, OSError, UnicodeDecodeError) as e:
            raise DataFormatError(f"{path}: not a readable tape: {e}; make it again with `qf convert`") from e
        try:
            instrument = Instrument.from_dict(meta["instrument"])
        except (ConfigError, TypeError) as e:
            raise DataFormatError(f"{path}: the tape's instrument: {e}; make it again with `qf convert`") from e
        rows_by_place = columns.pop(PLACES_COLUMN, None)
        tape = cls(columns, levels, instrument, meta, owner=(source, batch))
        tape._validate_indices(path)
        tape._measures = reader.schema.metadata.get(PASSPORT_KEY)
        if rows_by_place is not None:
            text = reader.schema.metadata.get(PLACES_KEY)
            tape._places = place_index_from_file(rows_by_place, text, len(tape), len(levels))
        return tape

    def verify(self) -> None:
        """Read every column and compare the checksum.

        Raises
        ------
        DataFormatError
            If the contents are not what was written.
        """
        from queuefront.feed.passport import measure, measures_text
        from queuefront.feed.tape_parts import checksum

        found = checksum(self._held_columns(), self.levels)
        if found != self.meta.get("checksum"):
            raise DataFormatError(
                f"{self.meta.get('source')}: checksum {found} where the tape says {self.meta.get('checksum')}; "
                "the file was altered: make it again with `qf convert`"
            )
        if isinstance(self._measures, bytes) and self._measures != measures_text(measure(self)):
            raise DataFormatError(
                f"{self.meta.get('source')}: the tape's passport is not what its columns come to; the file was altered, or "
                "written by another version: make it again with `qf convert`"
            )
        if self._places is not None and not _is_same_index(self._places, replay_index(self, None).places):
            raise DataFormatError(
                f"{self.meta.get('source')}: column {PLACES_COLUMN} does not group the tape's own rows; the file was "
                "altered: make it again with `qf convert`"
            )

    def with_instrument(self, instrument: Instrument) -> Tape:
        """Return the same market under another instrument of the same grid, sharing the columns.

        Raises
        ------
        ConfigError
            If the tick or lot size differ.
        """
        if (instrument.tick_size, instrument.lot_size) != (self.instrument.tick_size, self.instrument.lot_size):
            raise ConfigError("another tick or lot size changes the tape's columns; build a new tape from its events")
        meta = {**self.meta, "instrument": instrument.to_dict()}
        tape = Tape(dict(self._columns()), self.levels, instrument, meta, self.opening, self._owner)
        tape.tick_range, tape.is_masked = self.tick_range, self.is_masked
        tape._places, tape._index, tape._measures = self._places, self._index, self._measures
        return tape

    def bounded(self, low_tick: int, high_tick: int) -> Tape:
        """Return the same market as books see it that hold the ticks from `low_tick` to `high_tick` only, both included.

        Best prices are those of the range. Levels outside are no part of a book; in a market by order, orders outside are
        remembered without weight, so that a modification can bring them in. Orders of ours may stand outside: trades and
        fills reach them as elsewhere. Columns are shared where nothing lies outside; the tape lives in memory only.

        Raises
        ------
        ConfigError
            If there is no such range, or the tape's books hold less than it already.
        """
        if not low_tick <= high_tick or high_tick - low_tick >= RANGE_TICKS_MAX:
            raise ConfigError(
                f"the books are to hold ticks {low_tick:,} to {high_tick:,}; give a lower and an upper price, "
                f"{RANGE_TICKS_MAX:,} ticks at most"
            )
        if self.tick_range is not None and not self.tick_range[0] <= low_tick <= high_tick <= self.tick_range[1]:
            raise ConfigError(
                f"the tape's books hold ticks {self.tick_range[0]:,} to {self.tick_range[1]:,} and cannot show "
                f"{low_tick:,} to {high_tick:,}; bound the tape that this one was made from"
            )
        from queuefront.feed.tape_build import bounded_columns

        columns, opening = bounded_columns(
            dict(self._columns()), self.levels, self.opening, self.instrument, (low_tick, high_tick)
        )
        tape = Tape(columns, self.levels, self.instrument, self.meta, opening, self._owner)
        tape.tick_range = (int(low_tick), int(high_tick))
        tape.is_masked, tape._measures = self.is_masked, self._measures
        return tape

    def masked(self, stretches: npt.NDArray[np.int64]) -> Tape:
        """Return the same market with a mask over stretches of the exchange's time, in which nothing of ours is filled.

        What exactly happens in them stands in `feed.tape_mask`. The tape lives in memory only.

        Parameters
        ----------
        stretches : int64[n, 2], each from its first time to before its second, ascending and apart from one another.

        Raises
        ------
        ConfigError
            For any other stretches.
        """
        flat = np.ascontiguousarray(stretches, np.int64).reshape(-1)
        if flat.shape != (2 * len(stretches),) or bool(np.any(np.diff(flat) < 0)):
            raise ConfigError("the stretches of a mask are pairs of times, ascending and apart; give int64[n, 2]")
        measures = self.measures  # of the market as it was recorded
        columns = masked_columns(dict(self._columns()), len(self.levels), flat.reshape(-1, 2))
        tape = Tape(columns, self.levels, self.instrument, self.meta, self.opening, self._owner)
        tape.tick_range, tape.is_masked, tape._measures = self.tick_range, True, measures
        tape._places = self._places
        return tape

    # --- the events again ---------------------------------------------------------------------------------------------
    def to_events(self) -> npt.NDArray[np.void]:
        """Return the events that the tape was made from, EVENT[n], a new array."""
        events = np.zeros(len(self), EVENT)
        events["ev"], events["exch_ts"], events["local_ts"] = self.ev, self.exch_ts, self.local_ts
        events["px"] = np.nan
        priced = np.flatnonzero(is_priced(self.op))
        events["px"][priced] = self.instrument.prices(self.levels)[self.level[priced]]
        events["qty"] = self.instrument.quantities(self.lots)
        for name, column in self.extra.items():
            if name not in ORDER_COLUMNS:
                events[name] = column
        return events

    # --- inside -------------------------------------------------------------------------------------------------------
    def _columns(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for name in COLUMNS:
            yield name, getattr(self, name)
        yield from self.extra.items()

    def _held_columns(self) -> dict[str, TapeColumn]:
        return {name: HeldColumn(column.dtype, column) for name, column in self._columns()}

    def _validate_indices(self, path: Path) -> None:
        if bool(np.any(np.diff(self.levels) <= 0)):
            raise DataFormatError(f"{path}: the table of ticks is not ascending; make the tape again with `qf convert`")
        bests = self.best_bid_exch, self.best_ask_exch, self.best_bid_local, self.best_ask_local
        row = find_untrusted_row(self.op, self.level, *bests, len(self.levels), self.is_by_order)
        if row < 0 and self.is_by_order:
            order_columns = self.extra["prior_level"], self.extra["prior_row"], self.extra["order_no"]
            order_count = int(self.meta["orders"])
            row = find_untrusted_order_row(self.op, self.level, *order_columns, order_count, len(self.levels))
        if row >= 0:
            raise DataFormatError(
                f"{path}: row {row:,}: op {self.op[row]}, level {self.level[row]} of {len(self.levels):,} cannot be right; "
                "the file was altered: make it again with `qf convert`"
            )


def _is_same_index(one: PlaceIndex, other: PlaceIndex) -> bool:
    return np.array_equal(one.rows_by_place, other.rows_by_place) and np.array_equal(one.place_starts, other.place_starts)


def _read_meta(path: Path, metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    raw = (metadata or {}).get(META_KEY)
    if raw is None:
        raise SchemaMismatchError(f"{path}: an Arrow file, but not a tape; make one with `qf convert`")
    try:
        meta = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as e:
        raise DataFormatError(f"{path}: the tape's metadata is not JSON: {e}; make it again with `qf convert`") from e
    if meta.get("version") != TAPE_VERSION:
        raise SchemaMismatchError(
            f"{path}: tape version {meta.get('version')}, this Queuefront reads {TAPE_VERSION}; convert the source again"
        )
    if not isinstance(meta.get("instrument"), dict):
        raise DataFormatError(f"{path}: the tape's metadata lacks its instrument; make it again with `qf convert`")
    for name in _TIMES:
        if name not in meta or not isinstance(meta[name], int | None) or isinstance(meta[name], bool):
            raise DataFormatError(f"{path}: the tape's metadata has no time {name}; make it again with `qf convert`")
    return meta


def _map_columns(path: Path, batch: Any) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int64]]:
    import pyarrow as pa

    expected = ["tick" if name == "level" else name for name in COLUMNS]
    names = list(batch.schema.names)
    optional = [name for name in names if name in OPTIONAL or name == PLACES_COLUMN]
    if names != expected + optional:
        raise SchemaMismatchError(
            f"{path}: columns {names} where a tape has {expected} and maybe {[*OPTIONAL, PLACES_COLUMN]}"
        )
    columns: dict[str, npt.NDArray[Any]] = {}
    levels: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    for name, array in zip(names, batch.columns, strict=True):
        if name == "tick":
            if array.type != pa.dictionary(pa.int32(), pa.int64()) or array.dictionary.null_count:
                raise SchemaMismatchError(f"{path}: column tick is {array.type}; a tape has dictionary<int32, int64>")
            columns["level"] = _view(array.indices, np.dtype(np.int32))
            levels = _view(array.dictionary, np.dtype(np.int64))
            continue
        wanted = np.dtype(np.int32 if name == PLACES_COLUMN else COLUMNS.get(name) or OPTIONAL[name])
        if array.null_count or array.type != pa.from_numpy_dtype(wanted):
            raise SchemaMismatchError(
                f"{path}: column {name} is {array.type} with {array.null_count} nulls; a tape has {wanted}"
            )
        columns[name] = _view(array, wanted)
    return columns, levels


def _view(array: Any, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the values of an Arrow array as they lie there.

    Arrow's own `to_numpy` imports pandas where that is installed, a good part of a second of every start.
    """
    if not len(array):
        return np.zeros(0, kind)
    return np.frombuffer(array.buffers()[1], kind, len(array), array.offset * kind.itemsize)


def _read_only(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view
