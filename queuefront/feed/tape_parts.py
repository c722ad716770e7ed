"""The columns of a tape, built from events that come part by part; events in memory are the case of one part.

What a column of the whole depends on is worked out in passes over the parts:

1. events: validity, operations, ticks and lots, the table of ticks, which of the optional columns are needed;
2. columns: levels, best prices, orders.

Columns are kept in memory or on the disk, as the caller chooses. On the disk, memory grows with the levels and, in a market
by order, with the orders that are there at one time, not with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import OP_AT_EXCH, OP_AT_LOCAL, OP_NOTHING
from queuefront.core.errors import DataError
from queuefront.core.instrument import Instrument
from queuefront.feed.check import validate_events
from queuefront.feed.clean import EventOrderCheck
from queuefront.feed.order_stream import OrderTrace, order_numbers
from queuefront.feed.tape_build import (
    Description,
    GridFaults,
    differing_columns,
    has_order_rows,
    lots_of,
    names_a_tick,
    opening_ticks,
    operations,
    refuse_two_tellings,
    ticks_of,
    unique_ticks,
)
from queuefront.feed.tape_columns import Columns, EventParts, NewColumn, TapeColumn, blocks_of
from queuefront.feed.tape_index_compiled import trace_best
from queuefront.feed.tape_layout import (
    COLUMNS,
    OPTIONAL,
    ORDER_COLUMNS,
    TAPE_VERSION,
    OffGrid,
    OnGap,
    is_priced,
    opening_book,
)

__all__ = ["ROWS_MAX", "BuiltColumns", "build_columns", "checksum"]

ROWS_MAX: Final = 2**31 - 1
"""Most rows of a tape: places of rows are int32."""

_NOT_NAMED: Final = np.int64(-(2**63))  # below every tick, so that its level is 0
_BESTS: Final = tuple((f"best_bid_{half}", f"best_ask_{half}") for half in ("exch", "local"))


@dataclass(frozen=True)
class BuiltColumns:
    """Columns of a tape, in its file's order, the table of ticks, the rows it starts from, and facts of its metadata."""

    columns: dict[str, TapeColumn]
    levels: npt.NDArray[np.int64]
    opening: npt.NDArray[np.void] | None
    facts: dict[str, Any]

    def meta(self, instrument: Instrument, source: str, account: dict[str, Any] | None) -> dict[str, Any]:
        """Return the tape's metadata."""
        about = {"version": TAPE_VERSION, "instrument": instrument.to_dict(), "source": source}
        return {**about, **self.facts, "account": account}


def build_columns(
    events: EventParts,
    instrument: Instrument,
    source: str,
    new_column: NewColumn,
    *,
    off_grid: OffGrid = "refuse",
    on_gap: OnGap = "stop",
    opening: npt.NDArray[np.void] | None = None,
    extra_kinds: frozenset[int] = frozenset(),
) -> BuiltColumns:
    """Build the columns of a tape; arguments and errors as of `Tape.build`.

    new_column : makes a column of a type, in memory or on the disk.

    Raises
    ------
    DataError
        As `Tape.build`, and for more rows than a tape can have.
    """
    if len(events) > ROWS_MAX:
        raise DataError(f"{source}: {len(events):,} events are more than a tape's {ROWS_MAX:,}; convert shorter files")
    building = _Building(events, instrument, source, new_column)
    building.survey(off_grid, opening, extra_kinds)
    building.trace(on_gap)
    return building.finish()


def checksum(columns: dict[str, TapeColumn], levels: npt.NDArray[np.int64]) -> str:
    """Return a hash of the columns and of the table of ticks."""
    digest = blake2b(digest_size=16)
    for name in (*COLUMNS, *OPTIONAL):
        if name in columns:
            digest.update(name.encode())
            for block in columns[name].blocks():
                digest.update(np.ascontiguousarray(block).data)
    digest.update(levels.data)
    return digest.hexdigest()


class _Building:
    def __init__(self, events: EventParts, instrument: Instrument, source: str, new_column: NewColumn) -> None:
        self._events, self._instrument, self._source, self._new = events, instrument, source, new_column
        self._kind_counts = events.kind_counts
        self._is_by_order = has_order_rows(self._kind_counts)
        self._columns = {name: new_column(COLUMNS[name]) for name in ("ev", "exch_ts", "local_ts", "lots", "op")}
        self._ticks = new_column(np.int64)
        self._levels: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._opening: npt.NDArray[np.void] | None = None
        self._order_id: TapeColumn | None = None
        self._facts: dict[str, Any] = {"is_by_order": self._is_by_order}
        self._described = Description()
        self._rounded: dict[str, int] = {}

    # --- first pass: events -------------------------------------------------------------------------------------------
    def survey(self, off_grid: OffGrid, opening: npt.NDArray[np.void] | None, extra_kinds: frozenset[int]) -> None:
        """Work out the columns that depend on one row only, and what the others depend on."""
        instrument, source = self._instrument, self._source
        prices, quantities = GridFaults("px", instrument, source), GridFaults("qty", instrument, source)
        levels, in_order, first_row = _Ticks(), EventOrderCheck(), 0
        differing: set[str] = set()
        for block in self._events.blocks():
            validate_events(block, source, extra_kinds=extra_kinds, first_row=first_row)
            in_order.take(block)
            op = operations(block["ev"], block["px"], is_by_order=self._is_by_order)
            named = names_a_tick(op, block["px"])
            ticks, lots = ticks_of(block, op, named, prices), lots_of(block, op, quantities)
            differing.update(differing_columns(block, ticks, lots, is_priced(op), instrument))
            levels.take(ticks[named])
            ticks[~named] = _NOT_NAMED
            columns: Columns = {"ev": block["ev"].astype(np.uint32), "lots": lots, "op": op}
            columns |= {name: block[name].copy() for name in ("exch_ts", "local_ts")}
            for name, column in columns.items():
                self._columns[name].take(column)
            self._ticks.take(ticks)
            first_row += len(block)
        if self._is_by_order:
            refuse_two_tellings(self._kind_counts, self._events.blocks, source)
        self._rounded = {"px": prices.settle(off_grid), "qty": quantities.settle(off_grid)}
        if opening is not None:
            self._opening, more = opening_ticks(opening, instrument, source, off_grid, is_by_order=self._is_by_order)
            levels.take(more)
        self._levels = levels.all()
        self._take_raw([name for name in OPTIONAL if name in differing])

    def _take_raw(self, names: list[str]) -> None:
        """Keep what ticks and lots alone would lose, and the ids that orders are traced by."""
        added = {name: self._new(OPTIONAL[name]) for name in names}
        self._columns |= added
        if self._is_by_order:
            self._order_id = added.setdefault("order_id", self._new(OPTIONAL["order_id"]))
        if added:
            for block in self._events.blocks():
                for name, column in added.items():
                    column.take(block[name].copy())

    # --- second pass: columns -----------------------------------------------------------------------------------------
    def trace(self, on_gap: OnGap) -> None:
        """Work out what depends on the rows before: levels, best prices, orders."""
        if self._is_by_order:
            self._trace_orders(on_gap)
        else:
            self._trace_prices()
        self._ticks.drop()

    def _trace_prices(self) -> None:
        made = {name: self._new(COLUMNS[name]) for name in ("level", *sum(_BESTS, ()))}
        books = [
            (half, *opening_book(self._opening, self._levels, self._instrument), names)
            for half, names in zip((OP_AT_EXCH, OP_AT_LOCAL), _BESTS, strict=True)
        ]
        for columns in self._blocks():
            op, lots, out = columns["op"], columns["lots"], {"level": columns["level"]}
            for half, bid_lots, ask_lots, start, (bid, ask) in books:
                out[bid], out[ask] = np.zeros(len(op), np.int32), np.zeros(len(op), np.int32)
                trace_best(op, columns["level"], lots, half, bid_lots, ask_lots, start, out[bid], out[ask])
            self._described.take(columns)
            for name, column in made.items():
                column.take(out[name])
        self._columns |= made

    def _trace_orders(self, on_gap: OnGap) -> None:
        assert self._order_id is not None
        self._columns["order_no"], self._facts["orders"] = order_numbers(self._order_id, self._new)
        self._facts["gap_rows"] = 0
        while True:
            # A row that names no order is left out for both halves, which may leave others without theirs.
            trace, without_gaps = OrderTrace(len(self._levels), self._source), self._new(COLUMNS["op"])
            made = self._traced(trace, without_gaps)
            if not trace.gap_count:
                break
            if on_gap == "stop":
                trace.refuse_gaps()
            self._facts["gap_rows"] += trace.gap_count
            self._columns["op"].drop()
            self._columns["op"] = without_gaps
        trace.refuse_splits()
        self._columns["op"].drop()
        self._columns |= made

    def _traced(self, trace: OrderTrace, without_gaps: TapeColumn) -> dict[str, TapeColumn]:
        names = ("level", "op", *(name for name in ORDER_COLUMNS if name != "order_no"), *sum(_BESTS, ()))
        made = {name: self._new((COLUMNS | ORDER_COLUMNS)[name]) for name in names}
        self._described = Description()
        for columns in self._blocks():
            out, is_gap = trace.take(columns)
            if trace.gap_count:  # these columns are made again, or nothing is
                without_gaps.take(np.where(is_gap, np.uint8(OP_NOTHING), columns["op"]))
                continue
            without_gaps.take(columns["op"].copy())
            out["level"] = columns["level"]
            self._described.take(columns | out)
            for name, column in made.items():
                column.take(out[name])
        return made

    def _blocks(self) -> Iterator[Columns]:
        columns = self._columns | {"tick": self._ticks}
        if self._order_id is not None:
            columns["order_id"] = self._order_id
        for block in blocks_of(columns):
            block["level"] = np.searchsorted(self._levels, block["tick"]).astype(np.int32)
            yield block

    # --- the end ------------------------------------------------------------------------------------------------------
    def finish(self) -> BuiltColumns:
        """Return what was made."""
        columns = {name: self._columns[name] for name in (*COLUMNS, *OPTIONAL) if name in self._columns}
        self._facts |= self._described.facts(len(self._levels)) | {"rounded": self._rounded}
        self._facts["checksum"] = checksum(columns, self._levels)
        return BuiltColumns(columns, self._levels, self._opening, self._facts)


class _Ticks:
    """The distinct ticks of rows that come part by part."""

    def __init__(self) -> None:
        self._known: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._new: list[npt.NDArray[np.int64]] = []
        self._new_count = 0

    def take(self, ticks: npt.NDArray[np.int64]) -> None:
        """Take ticks of some rows."""
        found = unique_ticks(ticks)
        if len(self._known):
            at = np.minimum(np.searchsorted(self._known, found), len(self._known) - 1)
            found = found[self._known[at] != found]
        if len(found):
            self._new.append(found)
            self._new_count += len(found)
        if self._new_count > max(len(self._known), 2**12):
            self.all()

    def all(self) -> npt.NDArray[np.int64]:
        """Return all of them, ascending."""
        self._known = np.unique(np.concatenate([self._known, *self._new]))
        self._new, self._new_count = [], 0
        return self._known
