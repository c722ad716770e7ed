"""Make depth updates out of whole books: the levels that are new or changed, then those that are gone.

A level that left the visible part of the book is gone, too: nothing tells whether it is still there, and a level that is
kept for ever would be wrong for longer. The order within one book is bids, asks, bids gone, asks gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.errors import DataError
from queuefront.feed.sources.book_changes_compiled import changes_of_books, new_book_diff

__all__ = ["BookChanges", "BookColumns"]

Events = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_BOOKS_AT_ONCE: Final = 4096
_STEPS_MAX: Final = 2.0**53


class BookColumns(NamedTuple):
    """Whole books: times int64[n], and prices and quantities float64[n, levels], NaN where there is no such level."""

    exch_ts: npt.NDArray[np.int64]
    local_ts: npt.NDArray[np.int64]
    bid_px: Floats
    bid_qty: Floats
    ask_px: Floats
    ask_qty: Floats


class BookChanges:
    """The changes from book to book, by the rules of `DiffOrderBookSnapshot`; books come part by part."""

    def __init__(self, levels: int, tick_size: Decimal, lot_size: Decimal, path: str) -> None:
        self._steps = tick_size, lot_size
        self._path = path
        self._book_count = 0
        self._diff = new_book_diff(levels, float(tick_size), float(lot_size))
        room = 4 * levels * _BOOKS_AT_ONCE
        self._ev, self._book = np.zeros(room, np.int64), np.zeros(room, np.int64)
        self._px, self._qty = np.zeros(room), np.zeros(room)

    def rows(self, books: BookColumns) -> Iterator[Events]:
        """Yield the changes as depth rows.

        Raises
        ------
        DataError
            If a price or quantity is more than 2^53 steps.
        """
        self._refuse_large(books)
        for begin in range(0, len(books.exch_ts), _BOOKS_AT_ONCE):
            some = slice(begin, begin + _BOOKS_AT_ONCE)
            sides = (books.bid_px[some], books.bid_qty[some], books.ask_px[some], books.ask_qty[some])
            out = self._ev, self._book, self._px, self._qty
            count = changes_of_books(self._diff, *(np.ascontiguousarray(side) for side in sides), *out)
            rows = np.zeros(count, EVENT)
            rows["ev"], rows["px"], rows["qty"] = self._ev[:count], self._px[:count], self._qty[:count]
            rows["exch_ts"] = books.exch_ts[begin + self._book[:count]]
            rows["local_ts"] = books.local_ts[begin + self._book[:count]]
            yield rows
        self._book_count += len(books.exch_ts)

    def _refuse_large(self, books: BookColumns) -> None:
        tick_size, lot_size = self._steps
        for name, values, step in (
            ("price", books.bid_px, tick_size),
            ("price", books.ask_px, tick_size),
            ("quantity", books.bid_qty, lot_size),
            ("quantity", books.ask_qty, lot_size),
        ):
            is_large = values > float(step) * _STEPS_MAX
            if is_large.any():
                i, k = (int(place[0]) for place in np.nonzero(is_large))
                raise DataError(
                    f"{self._path}: book {self._book_count + i + 1:,} has a {name} of {values[i, k]}, beyond 2^53 steps of "
                    f"{step}; check the step"
                )
