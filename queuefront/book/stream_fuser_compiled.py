"""The fused book as a struct, so that compiled code can make and feed one row by row (rules: `fused_compiled`).

`FusedBook` keeps the same book for Python and takes whole arrays. Here the table of ticks grows by blocks, whenever a row
names a tick that is not in it.
"""

from __future__ import annotations

import numpy as np

from queuefront.book.fused_compiled import BEST, BID_SIDE, LOW, FusedSides, fuse_rows
from queuefront.bot import Struct, attribute, method, struct
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    SELL_EVENT,
)
from queuefront.core.errors import ClosedError, ConfigError, DataError
from queuefront.core.jit import compiled, internal

__all__ = ["StreamFuser", "decimal_ratio", "new_stream_fuser", "steps_of"]

_BLOCK = 64  # ticks that join the table at once
_MANY = 2.0**53


@struct("grid ticks qty ts is_held best px row out counts")
class StreamFuser(Struct):
    """A fused book and the rows that it has made.

    grid : float64[4], tick size, lot size, and the tick size as numerator and denominator.
    ticks : int64[levels], ascending.   qty, ts, is_held, best, px : see `FusedSides`.
    row : EVENT[1], the row at hand.   out : EVENT[capacity], grown as needed.   counts : int64[2], rows made, 1 if closed.
    """


@compiled
def steps_of(value, step):
    """Return value / step to the nearest integer, halves away from zero. |value| <= 2^53 × step."""
    x = value / step
    whole = np.trunc(x)
    if abs(x - whole) >= 0.5:
        whole += 1.0 if x > 0.0 else -1.0
    return np.int64(whole)


@compiled
def decimal_ratio(step):
    """Return (numerator, denominator) of the shortest decimal that reads as `step`; a price is ticks × one / the other."""
    denominator = 1.0
    for _ in range(18):
        numerator = np.round(step * denominator)
        if numerator > 0.0 and numerator / denominator == step:
            return numerator, denominator
        denominator *= 10.0
    return step, 1.0


@compiled
def new_stream_fuser(tick_size, lot_size):
    """Return an empty fused book of a grid, float64 each."""
    if not (0.0 < tick_size < np.inf and 0.0 < lot_size < np.inf):
        raise ConfigError("tick_size and lot_size of a fused book must be positive numbers")
    numerator, denominator = decimal_ratio(tick_size)
    best = np.zeros((2, 3), np.int64)
    best[:, BEST] = -1
    return StreamFuser(
        np.array([tick_size, lot_size, numerator, denominator]),
        np.zeros(0, np.int64),
        np.zeros((2, 0), np.float64),
        np.zeros((2, 0), np.int64),
        np.zeros((2, 0), np.bool_),
        best,
        np.zeros(0, np.float64),
        np.zeros(1, EVENT),
        np.zeros(0, EVENT),
        np.zeros(2, np.int64),
    )


@internal
def _grow(fuser, tick):
    """Give the block of a tick its levels, and move what is there to its new place."""
    block = tick - tick % _BLOCK
    old_count = len(fuser.ticks)
    at = np.searchsorted(fuser.ticks, block)
    count = old_count + _BLOCK
    ticks, px = np.zeros(count, np.int64), np.zeros(count, np.float64)
    ticks[:at], ticks[at + _BLOCK :] = fuser.ticks[:at], fuser.ticks[at:]
    ticks[at : at + _BLOCK] = block + np.arange(_BLOCK)
    for v in range(count):
        px[v] = ticks[v] * fuser.grid[2] / fuser.grid[3]
    qty, ts, is_held = np.zeros((2, count)), np.zeros((2, count), np.int64), np.zeros((2, count), np.bool_)
    for side in range(2):
        # Places of asks are counted from the highest tick downwards.
        split = at if side == BID_SIDE else old_count - at
        qty[side, :split], qty[side, split + _BLOCK :] = fuser.qty[side, :split], fuser.qty[side, split:]
        ts[side, :split], ts[side, split + _BLOCK :] = fuser.ts[side, :split], fuser.ts[side, split:]
        is_held[side, :split], is_held[side, split + _BLOCK :] = fuser.is_held[side, :split], fuser.is_held[side, split:]
        best, low = fuser.best[side, BEST], fuser.best[side, LOW]
        fuser.best[side, BEST] = best + _BLOCK if best >= split else best
        fuser.best[side, LOW] = low + _BLOCK if low >= split else low
    fuser.ticks, fuser.px, fuser.qty, fuser.ts, fuser.is_held = ticks, px, qty, ts, is_held


@internal
def _make_room(fuser):
    """Make sure that one more row fits, and the removal of every level of a side."""
    needed = fuser.counts[0] + 1 + len(fuser.ticks)
    if needed > len(fuser.out):
        out = np.zeros(2 * needed, EVENT)
        for i in range(fuser.counts[0]):
            out[i] = fuser.out[i]
        fuser.out = out


@compiled
def _require_usable(ev, px, qty, grid):
    kind = ev & KIND_MASK
    if kind != DEPTH_EVENT and kind != DEPTH_SNAPSHOT_EVENT and kind != DEPTH_BBO_EVENT and kind != DEPTH_CLEAR_EVENT:
        raise DataError("the row's ev is of no kind that a book is made of; leave the row out")
    if np.isfinite(px) and abs(px) > grid[0] * _MANY:
        raise DataError("the row's px is beyond 2^53 ticks; is the tick size right?")
    if kind != DEPTH_CLEAR_EVENT:
        if ev & (BUY_EVENT | SELL_EVENT) == 0:
            raise DataError("the row's ev has no side; set BUY_EVENT or SELL_EVENT")
        if not np.isfinite(px):
            raise DataError("the row's px is no price; leave the row out")
        if not qty >= 0.0:
            raise DataError("the row's qty is no quantity; leave the row out")
        if qty > grid[1] * _MANY:
            raise DataError("the row's qty is beyond 2^53 lots; is the lot size right?")


@method(StreamFuser)
@compiled
def process_event(fuser, ev, index: int, add: bool):
    """Apply row `index` of the event records `ev`; with `add`, what it makes joins `fused_events`.

    Raises DataError, a ValueError, for a row that no book is made of, and IndexError where there is no such row.
    """
    if fuser.counts[1] != 0:
        raise ClosedError("the fused book was closed; make a new one")
    if not 0 <= index < len(ev):
        raise IndexError("there is no such row; rows count from 0")
    given, row = ev[index], fuser.row[0]
    row["ev"], row["exch_ts"], row["local_ts"] = given["ev"], given["exch_ts"], given["local_ts"]
    row["px"], row["qty"], row["order_id"] = given["px"], given["qty"], given["order_id"]
    row["ival"], row["fval"] = given["ival"], given["fval"]
    px, qty, grid = row["px"], row["qty"], fuser.grid
    _require_usable(np.int64(row["ev"]), px, qty, grid)
    level, lots = np.full(1, -1, np.int64), np.zeros(1, np.int64)
    if np.isfinite(px):
        tick = steps_of(px, grid[0])
        level[0] = np.searchsorted(fuser.ticks, tick)
        if level[0] == len(fuser.ticks) or fuser.ticks[level[0]] != tick:
            _grow(fuser, tick)
            level[0] = np.searchsorted(fuser.ticks, tick)
    if np.isfinite(qty) and abs(qty) <= grid[1] * _MANY:
        lots[0] = steps_of(qty, grid[1])
    _make_room(fuser)
    sides = FusedSides(fuser.qty, fuser.ts, fuser.is_held, fuser.best, fuser.px)
    fuser.counts[0] = fuse_rows(fuser.row, level, lots, 0, 1, add, sides, fuser.out, fuser.counts[0])


@attribute(StreamFuser)
@compiled
def fused_events(fuser):
    """The rows made so far, EVENT[n]; a copy."""
    if fuser.counts[1] != 0:
        raise ClosedError("the fused book was closed; make a new one")
    return fuser.out[: fuser.counts[0]].copy()


@method(StreamFuser)
@compiled
def close(fuser):
    """Let go of the rows; closing again is nothing, every other call raises ClosedError from now on."""
    fuser.counts[0], fuser.counts[1] = 0, 1
    fuser.out = np.zeros(0, EVENT)
