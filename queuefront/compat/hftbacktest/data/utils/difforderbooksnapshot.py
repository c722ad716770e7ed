"""`hftbacktest.data.utils.difforderbooksnapshot`: the same names, our code."""

from __future__ import annotations

from typing import Any

from numba.extending import overload

from queuefront.book.book_diff_compiled import BookDiff, new_book_diff
from queuefront.bot import LAYOUT
from queuefront.core.jit import IS_INTERPRETED, compiled
from queuefront.feed import (
    CHANGED,
    IN_THE_BOOK_DELETION,
    INSERTED,
    OUT_OF_BOOK_DELETION_ABOVE,
    OUT_OF_BOOK_DELETION_BELOW,
    UNCHANGED,
)

__all__ = [
    "CHANGED",
    "INSERTED",
    "IN_THE_BOOK_DELETION",
    "OUT_OF_BOOK_DELETION_ABOVE",
    "OUT_OF_BOOK_DELETION_BELOW",
    "UNCHANGED",
    "DiffOrderBookSnapshot",
]


@compiled
def _new(layout, levels, tick_size, lot_size):  # type: ignore[no-untyped-def]  # noqa: ARG001 - the layout is there for its type
    return new_book_diff(levels, tick_size, lot_size)


def DiffOrderBookSnapshot(levels: int, tick_size: float, lot_size: float) -> BookDiff:  # noqa: N802 - hftbacktest's name
    """Return what compares each book with the one before, for Python and for compiled functions, which may call this too.

    It has `snapshot(bid_px, bid_qty, ask_px, ask_qty)`, which returns new arrays.
    """
    made: BookDiff = _new(LAYOUT, int(levels), float(tick_size), float(lot_size))
    return made


if not IS_INTERPRETED:

    @overload(DiffOrderBookSnapshot)  # type: ignore[untyped-decorator]
    def _inside(levels: Any, tick_size: Any, lot_size: Any) -> Any:  # noqa: ARG001 - Numba passes types
        def make(levels: Any, tick_size: Any, lot_size: Any) -> Any:
            return new_book_diff(int(levels), float(tick_size), float(lot_size))

        return make
