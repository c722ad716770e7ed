"""The fused book in compiled code: one book out of best prices (L1) and several depth streams (L2).

Rules (those of hftbacktest's `FuseMarketDepth`, spec B2.10; D11, D16 mended):

- The time of a row is its `exch_ts`. Each level knows the time of its last change, each side the time of its best.
- A row older than what it would change changes nothing: a depth row at or beyond its side's best is compared with that
  best's time, one at or beyond the other side's best with that one's, and any with its level's.
- A best-price row makes its price the best whatever the depth stream said: the levels that stood before it are removed.
- The newer side wins. A price at or through the other side's best removes the levels that it passed over.
- What is removed in this way is told by a depth row with quantity zero, so that the fused rows make the same book.

Both sides are one code: a side counts *places* from 0, so that a higher place is a better price. The place of a bid is the
level (the index of its tick in the sorted table), the place of an ask is `levels - 1 - level`; so a place of one side is
turned into that of the other by the same expression. No best is place -1.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    KIND_MASK,
    SELL_EVENT,
)
from queuefront.core.jit import borrowing, compiled

__all__ = ["ASK_SIDE", "BEST", "BEST_TS", "BID_SIDE", "LOW", "FusedSides", "fuse_rows"]

BID_SIDE: Final = 0
ASK_SIDE: Final = 1

# Slots of `FusedSides.best`.
BEST: Final = 0  # place of the best; -1: none
BEST_TS: Final = 1  # when it became so
LOW: Final = 2  # a search looks no lower; the number of levels: the side is empty

_BBO_TO_DEPTH: Final = DEPTH_BBO_EVENT ^ DEPTH_EVENT  # turns one kind into the other; flags stay


class FusedSides(NamedTuple):
    """The state of a fused book; all arrays are mutated but `px`."""

    qty: Any  # float64[2, levels], by side and place
    ts: Any  # int64[2, levels], time of the last change
    is_held: Any  # bool[2, levels]; a level of a best-price row is held even with quantity 0
    best: Any  # int64[2, 3], the slots above
    px: Any  # float64[levels], price by level


@borrowing
def highest_below(fused, side, place):
    """Return the highest place below `place`, not below the side's limit, that holds a quantity; -1 if there is none."""
    v = place - 1
    low = fused.best[side, LOW]
    while v >= low and v >= 0:
        if fused.qty[side, v] > 0.0:
            return v
        v -= 1
    return -1


@borrowing
def settle(fused, side, place):
    """Make `place` the best of its side, -1 for none."""
    fused.best[side, BEST] = place
    if place < 0:
        fused.best[side, LOW] = fused.qty.shape[1]


@borrowing
def drop(fused, side, place):
    """Forget one level."""
    fused.is_held[side, place] = False
    fused.qty[side, place] = 0.0


@borrowing
def tell(row, is_added, out, m):
    """Copy a row to the output as a depth row; return the rows used."""
    if is_added:
        out[m] = row
        ev = row["ev"]
        if ev & KIND_MASK == DEPTH_BBO_EVENT:
            out[m]["ev"] = ev ^ _BBO_TO_DEPTH
        return m + 1
    return m


@borrowing
def remove_between(fused, side, low, high, row, is_added, out, m):
    """Remove the levels of the places `low` to `high`, telling each in ascending order of price; return the rows used."""
    count = fused.qty.shape[1]
    for step in range(high - low + 1):
        place = low + step if side == BID_SIDE else high - step
        if not fused.is_held[side, place]:
            continue
        drop(fused, side, place)
        if is_added:
            target = out[m]
            target["ev"] = DEPTH_EVENT | (BUY_EVENT if side == BID_SIDE else SELL_EVENT)
            target["exch_ts"] = row["exch_ts"]
            target["local_ts"] = row["local_ts"]
            target["px"] = fused.px[place if side == BID_SIDE else count - 1 - place]
            target["qty"] = 0.0
            target["order_id"] = 0
            target["ival"] = 0
            target["fval"] = 0.0
            m += 1
    return m


@borrowing
def cross(fused, side, row, is_added, out, m):
    """Let the new best of `side` pass over the other side's levels; return the rows used."""
    other = 1 - side
    old = fused.best[other, BEST]
    reached = fused.qty.shape[1] - 1 - fused.best[side, BEST]
    place = highest_below(fused, other, reached)
    settle(fused, other, place)
    fused.best[other, BEST_TS] = row["exch_ts"]
    return remove_between(fused, other, place + 1 if place >= 0 else reached, old, row, is_added, out, m)


@borrowing
def is_stale(fused, side, place, ts, reaches_best):
    """Tell whether something newer is known about the best that a row would change."""
    other = 1 - side
    reaches_other = place >= fused.qty.shape[1] - 1 - fused.best[other, BEST]
    return (reaches_best and ts < fused.best[side, BEST_TS]) or (reaches_other and ts < fused.best[other, BEST_TS])


@borrowing
def change_level(fused, side, place, lots, row, is_added, out, m):
    """Apply a depth row; return the rows used."""
    best = fused.best
    ts = row["exch_ts"]
    if is_stale(fused, side, place, ts, place >= best[side, BEST]):
        return m
    is_held = fused.is_held[side, place]
    if (is_held and ts >= fused.ts[side, place]) or (not is_held and lots > 0):
        if lots > 0:
            fused.qty[side, place] = row["qty"]
            fused.ts[side, place] = ts
            fused.is_held[side, place] = True
        else:
            drop(fused, side, place)
        m = tell(row, is_added, out, m)
    if lots <= 0:
        if place == best[side, BEST]:
            settle(fused, side, highest_below(fused, side, place))
            best[side, BEST_TS] = ts
        return m
    if place >= best[side, BEST]:
        best[side, BEST] = place
        best[side, BEST_TS] = ts
        if place >= fused.qty.shape[1] - 1 - best[1 - side, BEST]:
            m = cross(fused, side, row, is_added, out, m)
    best[side, LOW] = min(best[side, LOW], place)
    return m


@borrowing
def change_best(fused, side, place, row, is_added, out, m):
    """Apply a best-price row; return the rows used."""
    best = fused.best
    ts = row["exch_ts"]
    old = best[side, BEST]
    if is_stale(fused, side, place, ts, reaches_best=True):
        return m
    if place == old and row["qty"] == fused.qty[side, place]:
        best[side, BEST_TS] = ts
        return m
    fused.qty[side, place] = row["qty"]
    fused.ts[side, place] = ts
    fused.is_held[side, place] = True
    m = tell(row, is_added, out, m)
    best[side, BEST] = place
    best[side, BEST_TS] = ts
    best[side, LOW] = min(best[side, LOW], place)
    if place >= fused.qty.shape[1] - 1 - best[1 - side, BEST]:
        m = cross(fused, side, row, is_added, out, m)
    if place < old:
        m = remove_between(fused, side, place + 1, old, row, is_added, out, m)
    return m


@borrowing
def clear_side(fused, side, place, ts):
    """Remove a side's levels from its best down to a place; all of them where `place` is -1."""
    count = fused.qty.shape[1]
    first = max(place, 0)
    last = fused.best[side, BEST] if place >= 0 else count - 1
    for v in range(first, last + 1):
        drop(fused, side, v)
    settle(fused, side, highest_below(fused, side, place) if place >= 0 else -1)
    fused.best[side, BEST_TS] = ts


@compiled
def fuse_rows(rows, level, lots, begin, end, is_added, fused, out, m):
    """Apply the rows `begin` to `end`, and write the fused ones from row `m` of `out` on.

    rows : EVENT[n]; kinds depth, snapshot, best price or clear, with a side unless it is a clear (callers check).
    level : int64[n], index of the row's tick in the table; -1 where a clear names no price.
    lots : int64[n], quantity in lots, which only decides whether there is a level.
    is_added : whether the rows are written, or only applied.
    fused : FusedSides, mutated.   out : EVENT[m + k], written; each row takes one, and one for each level it removes.
    Returns the rows used in `out`.
    """
    count = fused.qty.shape[1]
    for i in range(begin, end):
        row = rows[i]
        ev = row["ev"]
        kind = ev & KIND_MASK
        side = BID_SIDE if ev & BUY_EVENT != 0 else ASK_SIDE
        place = level[i] if side == BID_SIDE or level[i] < 0 else count - 1 - level[i]
        if kind == DEPTH_CLEAR_EVENT:
            ts = row["exch_ts"]
            if ev & (BUY_EVENT | SELL_EVENT) == 0:
                clear_side(fused, BID_SIDE, -1, ts)
                clear_side(fused, ASK_SIDE, -1, ts)
            else:
                clear_side(fused, side, place, ts)
            m = tell(row, is_added, out, m)
        elif kind == DEPTH_BBO_EVENT:
            m = change_best(fused, side, place, row, is_added, out, m)
        else:
            m = change_level(fused, side, place, lots[i], row, is_added, out, m)
    return m
