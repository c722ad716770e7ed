"""Walk the records of a DBN stream, and compare the levels of each record with those of the one before."""

from __future__ import annotations

from typing import Final

from queuefront.core.jit import compiled

__all__ = ["MBO_RTYPE", "diff_levels", "take_records"]

MBO_RTYPE: Final = 0xA0  # market by order

_HEADER_BYTES: Final = 16
_UNDEF_PRICE: Final = 2**63 - 1


@compiled
def take_records(buf, begin, rtype, market_rtypes, taken, n):
    """Copy the records of one type out of whole records from `begin` on, until the bytes or the room end.

    Each record begins with its length in words of four bytes, and its type. A record may be longer than the fields that
    are known: a time of sending stands behind them where it was asked for.

    buf : uint8[k].   market_rtypes : uint8[m], types of which a file may hold one only.
    taken : uint8[r, bytes of a record], rows from `n` on are written.
    Returns (begin of the first record not taken, rows used, records of other types, whether that record cannot be).
    """
    i = begin
    others = 0
    size_min = taken.shape[1]
    while i + 2 <= len(buf) and n < len(taken):
        size = int(buf[i]) * 4
        is_wanted = buf[i + 1] == rtype
        if size < _HEADER_BYTES or (is_wanted and size < size_min):
            return i, n, others, True
        if i + size > len(buf):
            break
        if is_wanted:
            for k in range(size_min):
                taken[n, k] = buf[i + k]
            n += 1
        else:
            for k in range(len(market_rtypes)):
                if buf[i + 1] == market_rtypes[k]:
                    return i, n, others, True
            others += 1
        i += size
    return i, n, others, False


@compiled
def diff_levels(px, size, old_px, old_size, out, out_px):
    """Write what changed from each record's levels to the next: levels that are gone, then those that are new or changed.

    px : int64[n, side, level], in 1e-9, undefined where there is no level; side 0 is the bids.   size : int64, likewise.
    old_px, old_size : int64[side, level] before the first record; mutated to those of the last.
    out : int64[r, 3] of (record, side, size) and out_px : int64[r]; mutated, r is at least 4 * levels a record.
    Returns the rows used.
    """
    n = 0
    levels = px.shape[2]
    for i in range(len(px)):
        for side in range(2):
            for k in range(levels):
                old = old_px[side, k]
                if old == _UNDEF_PRICE:
                    continue
                is_there = False
                for j in range(levels):
                    if px[i, side, j] == old and size[i, side, j] > 0:
                        is_there = True
                if not is_there:
                    out[n, 0], out[n, 1], out[n, 2], out_px[n] = i, side, 0, old
                    n += 1
        for side in range(2):
            for k in range(levels):
                price = px[i, side, k]
                if price == _UNDEF_PRICE or size[i, side, k] == 0:
                    continue
                before = 0
                for j in range(levels):
                    if old_px[side, j] == price:
                        before = old_size[side, j]
                if before != size[i, side, k]:
                    out[n, 0], out[n, 1], out[n, 2], out_px[n] = i, side, size[i, side, k], price
                    n += 1
        for side in range(2):
            for k in range(levels):
                is_level = size[i, side, k] > 0
                old_px[side, k] = px[i, side, k] if is_level else _UNDEF_PRICE
                old_size[side, k] = size[i, side, k] if is_level else 0
    return n
