"""Turn a stream of whole books into changes: some venues send every level each time instead of what changed."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.errors import ConfigError, DataError
from queuefront.core.instrument import Instrument, Number

__all__ = [
    "CHANGED",
    "INSERTED",
    "IN_THE_BOOK_DELETION",
    "OUT_OF_BOOK_DELETION_ABOVE",
    "OUT_OF_BOOK_DELETION_BELOW",
    "UNCHANGED",
    "DiffOrderBookSnapshot",
]

Columns = npt.NDArray[np.float64]

# What became of a level; third column of the levels.
UNCHANGED: Final = 0
CHANGED: Final = 1
INSERTED: Final = 2

# Why a level is gone; second column of the deletions. Outside of the book, nobody knows whether it is still there.
IN_THE_BOOK_DELETION: Final = 0
OUT_OF_BOOK_DELETION_BELOW: Final = 1  # below the lowest price of the side
OUT_OF_BOOK_DELETION_ABOVE: Final = 2


class _Side(NamedTuple):
    ticks: npt.NDArray[np.int64]
    lots: npt.NDArray[np.int64]


class DiffOrderBookSnapshot:
    """Compare each book with the one before.

    Parameters
    ----------
    levels : the most levels that one side of a book may have.
    tick_size, lot_size : the grid; levels are the same where their nearest ticks are, and unchanged where their nearest
        lots are.

    Raises
    ------
    ConfigError
        For a grid without steps, or no levels.
    """

    def __init__(self, levels: int, tick_size: Number, lot_size: Number) -> None:
        if levels < 1:
            raise ConfigError(f"levels is {levels}; give at least 1")
        self._instrument = Instrument("snapshot", "book", tick_size, lot_size)  # type: ignore[arg-type]
        self._levels_max = levels
        self._bids: _Side | None = None
        self._asks: _Side | None = None

    def snapshot(
        self, bid_px: Columns, bid_qty: Columns, ask_px: Columns, ask_qty: Columns
    ) -> tuple[Columns, Columns, Columns, Columns]:
        """Return (bids, asks, bid deletions, ask deletions) of a book; new arrays.

        Levels are rows of (price, quantity, UNCHANGED, CHANGED or INSERTED), as many as were given and in their order; all
        levels of the first book are CHANGED. Deletions are rows of (price, IN_THE_BOOK_DELETION or one of the others).

        Raises
        ------
        DataError
            If prices and quantities differ in number, there are more than `levels`, or one is no number; the book before
            stays what the next is compared with.
        """
        bids, asks = self._side(bid_px, bid_qty, "bid"), self._side(ask_px, ask_qty, "ask")
        bid_marks, bid_deletions = self._compare(self._bids, bids)
        ask_marks, ask_deletions = self._compare(self._asks, asks)
        self._bids, self._asks = bids, asks
        return (
            np.column_stack([bid_px, bid_qty, bid_marks]).astype(np.float64),
            np.column_stack([ask_px, ask_qty, ask_marks]).astype(np.float64),
            bid_deletions,
            ask_deletions,
        )

    def _side(self, px: Columns, qty: Columns, name: str) -> _Side:
        px, qty = np.asarray(px, np.float64), np.asarray(qty, np.float64)
        if len(px) != len(qty):
            raise DataError(f"the {name}s have {len(px)} prices and {len(qty)} quantities; give one of each a level")
        if len(px) > self._levels_max:
            raise DataError(f"the book has {len(px):,} {name}s where levels is {self._levels_max:,}; give more levels")
        if not (np.isfinite(px).all() and np.isfinite(qty).all()):
            raise DataError(f"a price or quantity of the {name}s is no number; leave the level out")
        return _Side(self._instrument.ticks(px)[0], self._instrument.lots(qty)[0])

    def _compare(self, old: _Side | None, new: _Side) -> tuple[npt.NDArray[np.int64], Columns]:
        if old is None:
            return np.full(len(new.ticks), CHANGED), np.zeros((0, 2))
        order = np.argsort(old.ticks, kind="stable")
        place = np.searchsorted(old.ticks[order], new.ticks)
        place[place == len(order)] = 0
        is_old = np.isin(new.ticks, old.ticks)
        old_lots = old.lots[order][place] if len(order) else np.zeros(len(new.ticks), np.int64)
        marks = np.where(~is_old, INSERTED, np.where(old_lots == new.lots, UNCHANGED, CHANGED))
        gone = old.ticks[~np.isin(old.ticks, new.ticks)]
        is_below = gone < new.ticks.min() if len(new.ticks) else np.ones(len(gone), np.bool_)
        is_above = gone > new.ticks.max() if len(new.ticks) else np.zeros(len(gone), np.bool_)
        why = np.where(is_below, OUT_OF_BOOK_DELETION_BELOW, np.where(is_above, OUT_OF_BOOK_DELETION_ABOVE, 0))
        return marks, np.column_stack([self._instrument.prices(gone), why.astype(np.float64)])
