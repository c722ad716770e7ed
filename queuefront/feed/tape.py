"""The tape: a market made ready for replay.

A tape is one Arrow IPC file with one record batch, so that NumPy maps every column without a copy and Polars, DuckDB and
pandas read it as a table. Its columns:

==================  ==================  =================================================================================
ev                  uint32              flags and kind, see `core.enums`
exch_ts, local_ts   int64               ns UTC
tick                dictionary<int32,   price in ticks; the dictionary is the ascending table of all ticks, so that
the index is
                    int64>              the *level* that books use; null where a row names no price of the grid
lots                int64               quantity in lots
op                  uint8               what the row does to a book, and which half sees it (`core.enums.OP_*`)
best_bid_exch, …    int32               best levels after the row, at the exchange and locally: -1 is no bid, the number of
                                        levels is no ask
px, qty             float64, optional   the raw values, present where some row does not lie on the grid
order_id, ival,     as in the event     optional, present where some row has one
fval                record
==================  ==================  =================================================================================

The metadata (key ``queuefront.tape``, JSON) carries version, instrument, source, conversion account, counts, time
span and a
checksum of the columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    KIND_NAMES,
    LOCAL_EVENT,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BUY_TRADE,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_NOTHING,
    OP_OTHER_TRADE,
    OP_SELL_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.errors import ConfigError, DataError, DataFormatError, OffGridError, SchemaMismatchError
from queuefront.core.instrument import Instrument
from queuefront.feed.check import validate_events
from queuefront.feed.clean import validate_event_order
from queuefront.feed.files import replacing
from queuefront.feed.tape_index_compiled import find_untrusted_row, trace_best

__all__ = ["TAPE_VERSION", "Tape", "opening_book"]

TAPE_VERSION: Final = 1
_META_KEY: Final = b"queuefront.tape"

_COLUMNS: Final = {
    "ev": np.uint32,
    "exch_ts": np.int64,
    "local_ts": np.int64,
    "level": np.int32,
    "lots": np.int64,
    "op": np.uint8,
    "best_bid_exch": np.int32,
    "best_ask_exch": np.int32,
    "best_bid_local": np.int32,
    "best_ask_local": np.int32,
}
_OPTIONAL: Final = {
    "px": np.float64,
    "qty": np.float64,
    "order_id": np.uint64,
    "ival": np.int64,
    "fval": np.float64,
}

_TIMES: Final = ("first_exch_ts", "last_exch_ts", "first_local_ts", "last_local_ts")

OffGrid = Literal["refuse", "round"]


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
        self.extra = {name: _read_only(columns[name]) for name in _OPTIONAL if name in columns}
        self.levels = _read_only(levels)
        self.instrument = instrument
        self.meta = meta
        self.opening = opening  # snapshot rows applied to both books before the first event, or None
        self._owner = owner  # the mapping that the columns are views of

    def __len__(self) -> int:
        return len(self.op)

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
        opening: npt.NDArray[np.void] | None = None,
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
        opening : EVENT rows of a snapshot that both books start from; prices and quantities on the grid.

        Raises
        ------
        DataError
            For rows that are not valid events, out of order, or off the grid.
        """
        validate_events(events, source)
        validate_event_order(events)
        op = _operations(events["ev"], events["px"])
        ticks, is_priced, rounded_prices = _ticks(events, op, instrument, source, off_grid)
        lots, rounded_quantities = _lots(events, op, instrument, source, off_grid)
        named = ticks[is_priced]
        if opening is not None:
            opening = _snapshot_rows(opening)
            validate_events(opening, f"{source} (opening snapshot)")
            _grid_column(instrument, opening["qty"], "qty", f"{source} (opening)", off_grid)
            named = np.concatenate(
                [named, _grid_column(instrument, opening["px"], "px", f"{source} (opening)", off_grid)[0]]
            )
        levels = _unique(named)
        level = np.where(is_priced, np.searchsorted(levels, ticks), 0).astype(np.int32)
        columns: dict[str, npt.NDArray[Any]] = {
            "ev": events["ev"].astype(np.uint32),
            "exch_ts": events["exch_ts"].copy(),
            "local_ts": events["local_ts"].copy(),
            "level": level,
            "lots": lots,
            "op": op,
        }
        columns |= _best_columns(columns, levels, opening, instrument)
        columns |= _raw_columns(events, ticks, lots, is_priced, instrument)
        meta = _describe(columns, instrument, source, account, len(levels))
        meta["rounded"] = {"px": rounded_prices, "qty": rounded_quantities}
        meta["checksum"] = _checksum(columns, levels)
        return cls(columns, levels, instrument, meta, opening)

    # --- storing ------------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tape; a failure leaves nothing under the final name."""
        import pyarrow as pa

        if self.opening is not None:
            raise ConfigError(
                "a tape with an opening snapshot lives in memory only; put the snapshot's rows into the events"
            )
        arrays, names = [], []
        for name, column in self._columns():
            if name == "level":
                arrays.append(_dictionary(pa, column, self.levels, _is_priced(self.op)))
                names.append("tick")
            else:
                arrays.append(pa.array(column))
                names.append(name)
        schema = pa.schema(
            [pa.field(n, a.type) for n, a in zip(names, arrays, strict=True)],
            metadata={_META_KEY: msgspec.json.encode(self.meta)},
        )
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        with replacing(path) as file, pa.ipc.new_file(file, schema) as writer:
            writer.write_batch(batch)

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
        tape = cls(columns, levels, instrument, meta, owner=(source, batch))
        tape._validate_indices(path)
        return tape

    def verify(self) -> None:
        """Read every column and compare the checksum.

        Raises
        ------
        DataFormatError
            If the contents are not what was written.
        """
        found = _checksum(dict(self._columns()), self.levels)
        if found != self.meta.get("checksum"):
            raise DataFormatError(
                f"{self.meta.get('source')}: checksum {found} where the tape says {self.meta.get('checksum')}; "
                "the file was altered: make it again with `qf convert`"
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
        return Tape(dict(self._columns()), self.levels, instrument, meta, self.opening, self._owner)

    # --- the events again ---------------------------------------------------------------------------------------------
    def to_events(self) -> npt.NDArray[np.void]:
        """Return the events that the tape was made from, EVENT[n], a new array."""
        events = np.zeros(len(self), EVENT)
        events["ev"], events["exch_ts"], events["local_ts"] = self.ev, self.exch_ts, self.local_ts
        events["px"] = np.nan
        priced = np.flatnonzero(_is_priced(self.op))
        events["px"][priced] = self.instrument.prices(self.levels)[self.level[priced]]
        events["qty"] = self.instrument.quantities(self.lots)
        for name, column in self.extra.items():
            events[name] = column
        return events

    # --- inside -------------------------------------------------------------------------------------------------------
    def _columns(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for name in _COLUMNS:
            yield name, getattr(self, name)
        yield from self.extra.items()

    def _validate_indices(self, path: Path) -> None:
        if bool(np.any(np.diff(self.levels) <= 0)):
            raise DataFormatError(f"{path}: the table of ticks is not ascending; make the tape again with `qf convert`")
        row = find_untrusted_row(
            self.op,
            self.level,
            self.best_bid_exch,
            self.best_ask_exch,
            self.best_bid_local,
            self.best_ask_local,
            len(self.levels),
        )
        if row >= 0:
            raise DataFormatError(
                f"{path}: row {row:,}: op {self.op[row]}, level {self.level[row]} of {len(self.levels):,} cannot be right; "
                "the file was altered: make it again with `qf convert`"
            )


def _snapshot_rows(opening: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the rows of a snapshot as such: of `ev` only the side counts (spec B2.8)."""
    rows = opening.copy()
    rows["ev"] = (rows["ev"] & np.uint64(BUY_EVENT | SELL_EVENT)) | np.uint64(DEPTH_SNAPSHOT_EVENT)
    return rows


def _operations(ev: npt.NDArray[np.uint64], px: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    kind = ev & np.uint64(KIND_MASK)
    is_buy = (ev & np.uint64(BUY_EVENT)) != 0
    is_sell = ((ev & np.uint64(SELL_EVENT)) != 0) & ~is_buy  # a row with both bits acts as a buy (spec B1.2)
    is_depth = (kind == DEPTH_EVENT) | (kind == DEPTH_SNAPSHOT_EVENT)
    is_trade, is_clear = kind == TRADE_EVENT, kind == DEPTH_CLEAR_EVENT
    op = np.select(
        [
            is_depth & is_buy,
            is_depth & is_sell,
            is_trade & is_buy,
            is_trade & is_sell,
            is_trade,
            is_clear & is_buy,
            is_clear & is_sell,
            is_clear,
        ],
        [
            OP_SET_BID,
            OP_SET_ASK,
            OP_BUY_TRADE,
            OP_SELL_TRADE,
            OP_OTHER_TRADE,
            OP_CLEAR_BIDS,
            OP_CLEAR_ASKS,
            OP_CLEAR_BOTH,
        ],
        OP_NOTHING,
    ).astype(np.uint8)
    has_no_price = ~np.isfinite(px)
    op[has_no_price & (op == OP_CLEAR_BIDS)] = OP_CLEAR_ALL_BIDS
    op[has_no_price & (op == OP_CLEAR_ASKS)] = OP_CLEAR_ALL_ASKS
    op |= np.where((ev & np.uint64(EXCH_EVENT)) != 0, OP_AT_EXCH, 0).astype(np.uint8)
    op |= np.where((ev & np.uint64(LOCAL_EVENT)) != 0, OP_AT_LOCAL, 0).astype(np.uint8)
    return op


def _is_priced(op: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which rows name a price of the grid."""
    what = _what(op)
    return (what >= OP_SET_BID) & (what <= OP_CLEAR_ASKS)


def _what(op: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return op & np.uint8(0x0F)


def _ticks(
    events: npt.NDArray[np.void], op: npt.NDArray[np.uint8], instrument: Instrument, source: str, off_grid: OffGrid
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], int]:
    what = _what(op)
    is_priced = _is_priced(op)
    ticks = np.zeros(len(events), np.int64)
    rows = np.flatnonzero(is_priced)
    # A clear names a bound, not a price that was traded or quoted, so it need not lie on the grid.
    is_bound = what[rows] >= OP_CLEAR_BIDS
    ticks[rows], rounded = _grid_column(instrument, events["px"][rows], "px", source, off_grid, rows, is_bound)
    return ticks, is_priced, rounded


def _lots(
    events: npt.NDArray[np.void], op: npt.NDArray[np.uint8], instrument: Instrument, source: str, off_grid: OffGrid
) -> tuple[npt.NDArray[np.int64], int]:
    what = _what(op)
    lots = np.zeros(len(events), np.int64)
    rows = np.flatnonzero((what != OP_NOTHING) & (what < OP_CLEAR_BIDS))
    lots[rows], rounded = _grid_column(instrument, events["qty"][rows], "qty", source, off_grid, rows)
    return lots, rounded


def _grid_column(
    instrument: Instrument,
    values: npt.NDArray[np.float64],
    field: str,
    source: str,
    off_grid: OffGrid,
    rows: npt.NDArray[np.int64] | None = None,
    is_exempt: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int64], int]:
    counts, is_on_grid = instrument.ticks(values) if field == "px" else instrument.lots(values)
    if is_exempt is not None:
        is_on_grid |= is_exempt
    rounded = int(len(values) - np.count_nonzero(is_on_grid))
    if rounded and off_grid == "refuse":
        first = int(np.argmin(is_on_grid))
        row = first if rows is None else int(rows[first])
        name, step = ("tick_size", instrument.tick_size) if field == "px" else ("lot_size", instrument.lot_size)
        raise OffGridError(
            f"{source}: row {row:,}: {field} {float(values[first])} is not a multiple of {name} {step}, "
            f"like {rounded:,} rows in all; give the right {name}, or take the nearest with off_grid='round'"
        )
    return counts, rounded


def _unique(ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the ascending distinct ticks; by marking where they lie close together, which is ten times faster."""
    if len(ticks) == 0:
        return np.zeros(0, np.int64)
    low, high = int(ticks.min()), int(ticks.max())
    if high - low > max(8 * len(ticks), 1 << 22):
        return np.unique(ticks)
    mark = np.zeros(high - low + 1, np.bool_)
    mark[ticks - low] = True
    return np.flatnonzero(mark) + np.int64(low)


def opening_book(
    opening: npt.NDArray[np.void] | None, levels: npt.NDArray[np.int64], instrument: Instrument
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (bid_lots, ask_lots, start) of the book before the first event; `start` as in `trace_best` (spec B2.8)."""
    count = len(levels)
    bid_lots, ask_lots = np.zeros(count, np.int64), np.zeros(count, np.int64)
    start = np.array([-1, count, count, -1], np.int64)
    if opening is not None:
        at = np.searchsorted(levels, instrument.ticks(opening["px"])[0])
        lots = instrument.lots(opening["qty"])[0]
        is_bid = (opening["ev"] & np.uint64(BUY_EVENT)) != 0
        is_ask = ((opening["ev"] & np.uint64(SELL_EVENT)) != 0) & ~is_bid
        bid_lots[at[is_bid]], ask_lots[at[is_ask]] = lots[is_bid], lots[is_ask]
        if is_bid.any():
            start[0], start[2] = at[is_bid].max(), at[is_bid].min()
        if is_ask.any():
            start[1], start[3] = at[is_ask].min(), at[is_ask].max()
    return bid_lots, ask_lots, start


def _best_columns(
    columns: dict[str, npt.NDArray[Any]],
    levels: npt.NDArray[np.int64],
    opening: npt.NDArray[np.void] | None,
    instrument: Instrument,
) -> dict[str, npt.NDArray[Any]]:
    out: dict[str, npt.NDArray[Any]] = {}
    op = columns["op"]
    for half, name in ((OP_AT_EXCH, "exch"), (OP_AT_LOCAL, "local")):
        best_bid, best_ask = np.zeros(len(op), np.int32), np.zeros(len(op), np.int32)
        bid_lots, ask_lots, start = opening_book(opening, levels, instrument)
        trace_best(op, columns["level"], columns["lots"], half, bid_lots, ask_lots, start, best_bid, best_ask)
        out[f"best_bid_{name}"], out[f"best_ask_{name}"] = best_bid, best_ask
    return out


def _raw_columns(
    events: npt.NDArray[np.void],
    ticks: npt.NDArray[np.int64],
    lots: npt.NDArray[np.int64],
    is_priced: npt.NDArray[np.bool_],
    instrument: Instrument,
) -> dict[str, npt.NDArray[Any]]:
    """Return what ticks and lots alone would lose."""
    out: dict[str, npt.NDArray[Any]] = {}
    px = np.where(is_priced, instrument.prices(ticks), np.nan)
    if not np.array_equal(px, events["px"], equal_nan=True):
        out["px"] = events["px"].copy()
    if not np.array_equal(instrument.quantities(lots), events["qty"]):
        out["qty"] = events["qty"].copy()
    for name in ("order_id", "ival", "fval"):
        if events[name].any():
            out[name] = events[name].copy()
    return out


def _describe(
    columns: dict[str, npt.NDArray[Any]],
    instrument: Instrument,
    source: str,
    account: dict[str, Any] | None,
    level_count: int,
) -> dict[str, Any]:
    op = columns["op"]
    kinds, counts = np.unique(columns["ev"] & np.uint32(KIND_MASK), return_counts=True)
    span: dict[str, int | None] = {}
    for half, name in ((OP_AT_EXCH, "exch_ts"), (OP_AT_LOCAL, "local_ts")):
        seen = columns[name][(op & np.uint8(half)) != 0]
        span[f"first_{name}"], span[f"last_{name}"] = (int(seen[0]), int(seen[-1])) if len(seen) else (None, None)
    return {
        "version": TAPE_VERSION,
        "instrument": instrument.to_dict(),
        "source": source,
        "events": len(op),
        "levels": level_count,
        "counts": {KIND_NAMES.get(int(k), f"kind {k}"): int(n) for k, n in zip(kinds, counts, strict=True)},
        **span,
        "account": account,
    }


def _checksum(columns: dict[str, npt.NDArray[Any]], levels: npt.NDArray[np.int64]) -> str:
    digest = blake2b(digest_size=16)
    for name in (*_COLUMNS, *_OPTIONAL):
        if name in columns:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(columns[name]).data)
    digest.update(levels.data)
    return digest.hexdigest()


def _dictionary(
    pa: Any, level: npt.NDArray[np.int32], levels: npt.NDArray[np.int64], is_priced: npt.NDArray[np.bool_]
) -> Any:
    validity = None if is_priced.all() else pa.py_buffer(np.packbits(is_priced, bitorder="little").tobytes())
    indices = pa.Array.from_buffers(pa.int32(), len(level), [validity, pa.py_buffer(level)])
    return pa.DictionaryArray.from_arrays(indices, pa.array(levels), safe=False)


def _read_meta(path: Path, metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    raw = (metadata or {}).get(_META_KEY)
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

    expected = ["tick" if name == "level" else name for name in _COLUMNS]
    names = list(batch.schema.names)
    optional = [name for name in names if name in _OPTIONAL]
    if names != expected + optional:
        raise SchemaMismatchError(f"{path}: columns {names} where a tape has {expected} and maybe {list(_OPTIONAL)}")
    columns: dict[str, npt.NDArray[Any]] = {}
    levels = np.zeros(0, np.int64)
    for name, array in zip(names, batch.columns, strict=True):
        if name == "tick":
            if array.type != pa.dictionary(pa.int32(), pa.int64()) or array.dictionary.null_count:
                raise SchemaMismatchError(f"{path}: column tick is {array.type}; a tape has dictionary<int32, int64>")
            columns["level"] = np.frombuffer(array.indices.buffers()[1], np.int32, len(array), array.offset * 4)
            levels = array.dictionary.to_numpy(zero_copy_only=True) if len(array.dictionary) else levels
            continue
        wanted = np.dtype(_COLUMNS.get(name) or _OPTIONAL[name])
        if array.null_count or array.type != pa.from_numpy_dtype(wanted):
            raise SchemaMismatchError(
                f"{path}: column {name} is {array.type} with {array.null_count} nulls; a tape has {wanted}"
            )
        columns[name] = array.to_numpy(zero_copy_only=True)
    return columns, levels


def _read_only(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view
