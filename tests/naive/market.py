"""What the market's rows do to an L2 book (spec B1.3, B2.2, B2.5, B2.8)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from queuefront.core.enums import BUY, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, NONE, SELL
from tests.naive.book import NaiveBook
from tests.naive.grid import Grid, Row

__all__ = ["apply_opening", "apply_row", "lots_at", "sets_level"]


def sets_level(row: Row) -> bool:
    """Whether a row sets the quantity of one level: depth or snapshot, with a side."""
    return row.kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT) and row.side != NONE


def apply_row(book: NaiveBook, row: Row, grid: Grid) -> None:
    """Apply a row; those of other kinds do nothing to a book."""
    if sets_level(row):
        put = book.set_bid if row.side == BUY else book.set_ask
        put(grid.tick(row.px), grid.lots(row.qty))
    elif row.kind == DEPTH_CLEAR_EVENT:
        until = grid.tick(row.px) if math.isfinite(row.px) else None
        if row.side == NONE:
            book.clear_bids()
            book.clear_asks()
        elif row.side == BUY:
            book.clear_bids(until)
        else:
            book.clear_asks(until)


def apply_opening(book: NaiveBook, rows: Sequence[Row], grid: Grid) -> None:
    """Start from a snapshot: only side, price and quantity count, and even an empty level can be the best (spec B2.8)."""
    for row in rows:
        tick, lots = grid.tick(row.px), grid.lots(row.qty)
        if row.side == NONE:
            continue
        levels = book.bids if row.side == BUY else book.asks
        levels.pop(tick, None)
        if lots > 0:
            levels[tick] = lots
        if row.side == BUY:
            book.best_bid_tick, book.low_bid = max(book.best_bid_tick, tick), min(book.low_bid, tick)
        else:
            book.best_ask_tick, book.high_ask = min(book.best_ask_tick, tick), max(book.high_ask, tick)


def lots_at(book: NaiveBook, side: int, tick: int) -> int:
    """Return the lots on one side at a tick, hidden ones included (spec B2.4)."""
    return (book.asks if side == SELL else book.bids).get(tick, 0)
