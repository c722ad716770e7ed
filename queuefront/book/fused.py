"""The fused book for Python: best prices and depth streams in, one stream of depth rows out (rules: `fused_compiled`)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.book.fused_compiled import ASK_SIDE, BEST, BEST_TS, BID_SIDE, LOW, FusedSides, fuse_rows
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    NO_ASK_TICK,
    NO_BID_TICK,
    SELL_EVENT,
)
from queuefront.core.errors import ClosedError, CrossedBookError, DataError, SchemaMismatchError
from queuefront.core.instrument import Instrument, Number

__all__ = ["FusedBook"]

Events = npt.NDArray[Any]

_SIDES: Final = BUY_EVENT | SELL_EVENT
_NEIGHBOURS: Final = 64
_PLAIN: Final = frozenset((DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_BBO_EVENT))
_KINDS: Final = (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_BBO_EVENT, DEPTH_CLEAR_EVENT)


class FusedBook:
    """A book made of one stream of best prices and any number of depth streams, and the stream that makes the same book.

    Rows are given in the order in which they were received. Prices are taken to the nearest tick; quantities are kept as
    they are, and a quantity below half a lot is none.

    Parameters
    ----------
    tick_size, lot_size : the grid.

    Raises
    ------
    ConfigError
        For a grid without steps.
    """

    def __init__(self, tick_size: Number, lot_size: Number) -> None:
        self._instrument = Instrument("fused", "book", tick_size, lot_size)  # type: ignore[arg-type]
        self._ticks: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._sides = _empty_sides(0)
        self._tick, self._lot = float(self._instrument.tick_size), float(self._instrument.lot_size)
        self._px_max, self._qty_max = self._tick * 2.0**53, self._lot * 2.0**53
        self._one_level, self._one_lots = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._out = np.zeros(16, EVENT)
        self._out_count = 0
        self._is_open = True

    def process_event(self, events: Events, index: int, add: bool = True) -> None:
        """Apply one row of `events`; with `add`, what it makes joins `fused_events`.

        Raises
        ------
        IndexError
            If there is no such row.
        DataError
            If the row is no depth, snapshot, best-price or clear row, lacks a side, or holds a number that is none.
        """
        self._require_open()
        if not 0 <= index < len(events):
            raise IndexError(f"row {index:,} of {len(events):,} rows; rows count from 0")
        rows = events[index : index + 1]
        if events.dtype != EVENT or not self._apply_plain(rows, is_added=add):
            self._apply(rows, is_added=add, first_row=int(index))

    def fuse(self, events: Events, *, add: bool = True, keep: bool = True, first_row: int = 0) -> Events:
        """Apply all rows; return a copy of what they make, which also joins `fused_events`. Raises as `process_event`.

        Without `keep` it does not join them, so that a stream of rows needs no more memory than its book. `first_row` is
        the number of the first row in errors.
        """
        self._require_open()
        before = self._out_count
        self._apply(events, is_added=add, first_row=first_row)
        made: Events = self._out[before : self._out_count].copy()
        if not keep:
            self._out_count = before
        return made

    def apply_snapshot(self, rows: Events, *, add: bool = True) -> None:
        """Replace the whole book by a snapshot, however old: levels, bests and their times are the snapshot's.

        The time of a side's best is the latest of the side's rows. With `add`, a clear of both sides and the rows
        join `fused_events`.

        Raises
        ------
        CrossedBookError
            If the snapshot's best bid is not below its best ask; the book is unchanged.
        DataError
            As `process_event`.
        """
        self._require_open()
        snapshot = rows.copy()
        snapshot["ev"] = (rows["ev"] & np.uint64(2**64 - 1 - KIND_MASK)) | np.uint64(DEPTH_SNAPSHOT_EVENT)
        ticks, lots = self._steps(snapshot, 0)
        is_bid = (snapshot["ev"] & np.uint64(BUY_EVENT)) != 0
        bids, asks = ticks[is_bid & (lots > 0)], ticks[~is_bid & (lots > 0)]
        if len(bids) and len(asks) and bids.max() >= asks.min():
            raise CrossedBookError(
                f"the snapshot's best bid {self._price(int(bids.max()))} is not below its best ask "
                f"{self._price(int(asks.min()))}; fetch the snapshot again"
            )
        clear = np.zeros(1, EVENT)
        clear["ev"], clear["px"] = DEPTH_CLEAR_EVENT, np.nan
        if len(rows):
            clear["exch_ts"], clear["local_ts"] = rows["exch_ts"].min(), rows["local_ts"].min()
        self._apply(clear, is_added=add, first_row=0)
        self._apply(snapshot, is_added=add, first_row=0)
        for side, is_side in ((BID_SIDE, is_bid), (ASK_SIDE, ~is_bid)):
            if is_side.any():
                self._sides.best[side, BEST_TS] = snapshot["exch_ts"][is_side].max()

    @property
    def fused_events(self) -> Events:
        """All rows made so far, EVENT[n]; a copy, which later rows leave alone."""
        self._require_open()
        return self._out[: self._out_count].copy()

    @property
    def best_bid_tick(self) -> int:
        """Highest bid, or NO_BID_TICK."""
        self._require_open()
        place = int(self._sides.best[BID_SIDE, BEST])
        return NO_BID_TICK if place < 0 else int(self._ticks[place])

    @property
    def best_ask_tick(self) -> int:
        """Lowest ask, or NO_ASK_TICK."""
        self._require_open()
        place = int(self._sides.best[ASK_SIDE, BEST])
        return NO_ASK_TICK if place < 0 else int(self._ticks[len(self._ticks) - 1 - place])

    def levels(self) -> tuple[dict[int, float], dict[int, float]]:
        """Return the quantities by tick, of the bids and of the asks; a copy."""
        self._require_open()
        bids, asks = (
            {int(t): float(q) for t, q, h in zip(ticks, self._sides.qty[side], self._sides.is_held[side], strict=True) if h}
            for side, ticks in ((BID_SIDE, self._ticks), (ASK_SIDE, self._ticks[::-1]))
        )
        return bids, asks

    def close(self) -> None:
        """Let go of the memory; closing again is nothing, every other call raises ClosedError from now on."""
        self._is_open = False
        self._ticks, self._sides = np.zeros(0, np.int64), _empty_sides(0)
        self._out, self._out_count = np.zeros(0, EVENT), 0

    def _require_open(self) -> None:
        if not self._is_open:
            raise ClosedError("the fused book was closed; make a new one")

    def _apply(self, rows: Events, *, is_added: bool, first_row: int) -> None:
        ticks, lots = self._steps(rows, first_row)
        is_priced = np.isfinite(rows["px"])
        self._grow(ticks[is_priced])
        level = np.where(is_priced, np.searchsorted(self._ticks, ticks), -1).astype(np.int64)
        self._make_room(len(rows))
        rows = np.ascontiguousarray(rows).view(EVENT)  # an aligned spelling of the record is another type to compiled code
        self._out_count = fuse_rows(rows, level, lots, 0, len(rows), is_added, self._sides, self._out, self._out_count)

    def _apply_plain(self, rows: Events, *, is_added: bool) -> bool:
        """Apply one plain row without the cost of columns; return whether it was one."""
        ev, px, qty = int(rows["ev"][0]), float(rows["px"][0]), float(rows["qty"][0])
        is_plain = (ev & KIND_MASK) in _PLAIN and ev & _SIDES and abs(px) <= self._px_max and 0.0 <= qty <= self._qty_max
        if not is_plain:
            return False
        tick = _nearest(px / self._tick)
        level = int(np.searchsorted(self._ticks, tick))
        if level == len(self._ticks) or self._ticks[level] != tick:
            # Rows that come alone name new ticks again and again, and making room is dear: a neighbourhood at once.
            self._grow(np.arange(tick - tick % _NEIGHBOURS, tick - tick % _NEIGHBOURS + _NEIGHBOURS))
            level = int(np.searchsorted(self._ticks, tick))
        self._one_level[0], self._one_lots[0] = level, _nearest(qty / self._lot)
        self._make_room(1)
        self._out_count = fuse_rows(
            rows.view(EVENT), self._one_level, self._one_lots, 0, 1, is_added, self._sides, self._out, self._out_count
        )
        return True

    def _steps(self, rows: Events, first_row: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return ticks and lots of rows that are known to be usable."""
        if not isinstance(rows, np.ndarray) or rows.dtype != EVENT or rows.ndim != 1:
            what = getattr(rows, "dtype", type(rows).__name__)
            raise SchemaMismatchError(f"{what} is no array of {EVENT.names}; pass event records")
        kind = rows["ev"] & np.uint64(KIND_MASK)
        is_clear = kind == DEPTH_CLEAR_EVENT
        is_finite = np.isfinite(rows["px"])
        ticks, _ = self._instrument.ticks(rows["px"])
        lots, _ = self._instrument.lots(rows["qty"])
        with np.errstate(invalid="ignore"):
            faults = (
                (~np.isin(kind, _KINDS), "ev", "is of no kind that a book is made of; leave the row out"),
                (~is_clear & ((rows["ev"] & np.uint64(_SIDES)) == 0), "ev", "has no side; set BUY_EVENT or SELL_EVENT"),
                (~is_clear & ~is_finite, "px", "is no price; leave the row out"),
                (is_finite & (np.abs(rows["px"]) > self._px_max), "px", "is beyond 2^53 ticks; is the tick size right?"),
                (~is_clear & ~(rows["qty"] >= 0.0), "qty", "is no quantity; leave the row out"),
                (~is_clear & (rows["qty"] > self._qty_max), "qty", "is beyond 2^53 lots; is the lot size right?"),
            )
        for is_faulty, name, text in faults:
            if is_faulty.any():
                row = int(np.argmax(is_faulty))
                value = rows[name][row]
                shown = f"{int(value):#x}" if name == "ev" else str(value)
                raise DataError(f"row {first_row + row:,}: {name} {shown} {text}")
        return ticks, lots

    def _price(self, tick: int) -> str:
        return format(self._instrument.tick_to_price(tick), "f")

    def _grow(self, ticks: npt.NDArray[np.int64]) -> None:
        """Give every tick a level, and move what is there to its new place."""
        new = np.setdiff1d(ticks, self._ticks)
        if not len(new):
            return
        old_ticks, old = self._ticks, self._sides
        self._ticks = np.union1d(old_ticks, new).astype(np.int64)
        count, old_count = len(self._ticks), len(old_ticks)
        self._sides = _empty_sides(count)
        self._sides.px[:] = self._instrument.prices(self._ticks)
        to = np.searchsorted(self._ticks, old_ticks)
        for side, places in ((BID_SIDE, to), (ASK_SIDE, (count - 1 - to)[::-1])):
            for mine, theirs in ((self._sides.qty, old.qty), (self._sides.ts, old.ts), (self._sides.is_held, old.is_held)):
                mine[side, places] = theirs[side]
            best, best_ts, low = (int(x) for x in old.best[side])
            self._sides.best[side, BEST] = -1 if best < 0 else places[best]
            self._sides.best[side, BEST_TS] = best_ts
            self._sides.best[side, LOW] = count if low >= old_count else places[low]

    def _make_room(self, row_count: int) -> None:
        """Make sure that `row_count` rows can be written, and a removal of every level that is or will be there."""
        held = int(np.count_nonzero(self._sides.is_held)) if row_count > 1 else 2 * len(self._ticks)
        needed = self._out_count + 2 * row_count + held
        if needed > len(self._out):
            out = np.zeros(max(needed, 2 * len(self._out)), EVENT)
            out[: self._out_count] = self._out[: self._out_count]
            self._out = out


def _nearest(x: float) -> int:
    """Round to nearest, halves away from zero, as `round_half_away` does."""
    whole = int(x)
    return whole + (0 if abs(x - whole) < 0.5 else 1 if x > 0.0 else -1)


def _empty_sides(count: int) -> FusedSides:
    best = np.zeros((2, 3), np.int64)
    best[:, BEST], best[:, LOW] = -1, count
    return FusedSides(
        np.zeros((2, count)), np.zeros((2, count), np.int64), np.zeros((2, count), np.bool_), best, np.zeros(count)
    )
