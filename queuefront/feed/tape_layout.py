"""What a tape is made of: its columns, the keys of its file, and what they say of its rows and of its first book.

Shared by what makes tapes and what reads them, so that who reads one need not load what makes it.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import BUY_EVENT, OP_ADD_ORDER, OP_CLEAR_ASKS, OP_MASK, OP_SET_BID, SELL_EVENT
from queuefront.core.instrument import Instrument

__all__ = [
    "COLUMNS",
    "META_KEY",
    "OPTIONAL",
    "ORDER_COLUMNS",
    "PASSPORT_KEY",
    "PLACES_COLUMN",
    "PLACES_KEY",
    "TAPE_VERSION",
    "OffGrid",
    "OnGap",
    "is_priced",
    "opening_book",
]

TAPE_VERSION: Final = 2
META_KEY: Final = b"queuefront.tape"
PLACES_KEY: Final = b"queuefront.places"
PASSPORT_KEY: Final = b"queuefront.passport"
PLACES_COLUMN: Final = "row_by_place"

COLUMNS: Final = {
    "ev": np.uint32,
    "exch_ts": np.int64,
    "local_ts": np.int64,
    "level": np.int32,
    "lots": np.int64,
    "op": np.uint8,
    "best_bid_exch": np.int32,
    "best_ask_exch": np.int32,
    "best_bid_local": np.int32,
    "best_ask_local": np.int32,
}
ORDER_COLUMNS: Final = {"order_no": np.int32, "prior_level": np.int32, "prior_lots": np.int64, "prior_row": np.int32}
"""Columns of a market by order."""
OPTIONAL: Final = {
    **ORDER_COLUMNS,
    "px": np.float64,
    "qty": np.float64,
    "order_id": np.uint64,
    "ival": np.int64,
    "fval": np.float64,
}

OffGrid = Literal["refuse", "round"]
OnGap = Literal["stop", "skip"]


def is_priced(op: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which rows name a price of the grid."""
    what = op & np.uint8(OP_MASK)
    return ((what >= OP_SET_BID) & (what <= OP_CLEAR_ASKS)) | (what >= OP_ADD_ORDER)


def opening_book(
    opening: npt.NDArray[np.void] | None, levels: npt.NDArray[np.int64], instrument: Instrument
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (bid_lots, ask_lots, start) of the book before the first event; `start` as in `trace_best` (spec B2.8)."""
    count = len(levels)
    bid_lots, ask_lots = np.zeros(count, np.int64), np.zeros(count, np.int64)
    start = np.array([-1, count, count, -1], np.int64)
    if opening is not None:
        at = np.searchsorted(levels, instrument.ticks(opening["px"])[0])
        lots = instrument.lots(opening["qty"])[0]
        is_bid = (opening["ev"] & np.uint64(BUY_EVENT)) != 0
        is_ask = ((opening["ev"] & np.uint64(SELL_EVENT)) != 0) & ~is_bid
        bid_lots[at[is_bid]], ask_lots[at[is_ask]] = lots[is_bid], lots[is_ask]
        if is_bid.any():
            start[0], start[2] = at[is_bid].max(), at[is_bid].min()
        if is_ask.any():
            start[1], start[3] = at[is_ask].min(), at[is_ask].max()
    return bid_lots, ask_lots, start
