"""Walk the records of a DBN stream: each begins with its length in words of four bytes, and its type."""

from __future__ import annotations

from typing import Final

from queuefront.core.jit import compiled

__all__ = ["MBO_BYTES", "MBO_RTYPE", "take_records"]

MBO_BYTES: Final = 56
MBO_RTYPE: Final = 0xA0  # market by order

_HEADER_BYTES: Final = 16


@compiled
def take_records(buf, begin, mbo, n):
    """Copy the market-by-order records of whole records from `begin` on, until the bytes or the room end.

    buf : uint8[k].   mbo : uint8[m, MBO_BYTES], rows from `n` on are written.
    A record may be longer than the fields that are known: a time of sending stands behind them where it was asked for.
    Returns (begin of the first record not taken, rows used, records of other types, whether a length cannot be).
    """
    i = begin
    others = 0
    while i + 2 <= len(buf) and n < len(mbo):
        size = int(buf[i]) * 4
        is_mbo = buf[i + 1] == MBO_RTYPE
        if size < _HEADER_BYTES or (is_mbo and size < MBO_BYTES):
            return i, n, others, True
        if i + size > len(buf):
            break
        if is_mbo:
            for k in range(MBO_BYTES):
                mbo[n, k] = buf[i + k]
            n += 1
        else:
            others += 1
        i += size
    return i, n, others, False
