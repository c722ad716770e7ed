"""Make depth updates out of whole books: the levels that are new or changed, then those that are gone.

A level that left the visible part of the book is gone, too: nothing tells whether it is still there, and a level that is
kept for ever would be wrong for longer. The order within one book is bids, asks, bids gone, asks gone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.errors import DataError
from queuefront.feed.sources.book_changes_compiled import changes_of_books, new_book_diff

__all__ = ["BookColumns", "book_changes"]

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


def book_changes(books: BookColumns, tick_size: Decimal, lot_size: Decimal, path: str) -> Events:
    """Return the changes as depth rows, by the rules of `DiffOrderBookSnapshot`.

    Raises
    ------
    DataError
        If a price or quantity is more than 2^53 steps.
    """
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
                f"{path}: book {i + 1:,} has a {name} of {values[i, k]}, beyond 2^53 steps of {step}; check the step"
            )
    levels = books.bid_px.shape[1]
    diff = new_book_diff(levels, float(tick_size), float(lot_size))
    room = 4 * levels * _BOOKS_AT_ONCE
    ev, book = np.zeros(room, np.int64), np.zeros(room, np.int64)
    px, qty = np.zeros(room), np.zeros(room)
    parts = [np.zeros(0, EVENT)]
    for begin in range(0, len(books.exch_ts), _BOOKS_AT_ONCE):
        some = slice(begin, begin + _BOOKS_AT_ONCE)
        sides = (books.bid_px[some], books.bid_qty[some], books.ask_px[some], books.ask_qty[some])
        count = changes_of_books(diff, *(np.ascontiguousarray(side) for side in sides), ev, book, px, qty)
        rows = np.zeros(count, EVENT)
        rows["ev"], rows["px"], rows["qty"] = ev[:count], px[:count], qty[:count]
        rows["exch_ts"] = books.exch_ts[begin + book[:count]]
        rows["local_ts"] = books.local_ts[begin + book[:count]]
        parts.append(rows)
    return np.concatenate(parts)
