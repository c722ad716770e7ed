"""Limit order books: by price, over a range of ticks, and fused from several streams.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queuefront.core.lazy import lazily

if TYPE_CHECKING:
    from queuefront.book.book_diff_compiled import BookDiff, new_book_diff
    from queuefront.book.fused import FusedBook
    from queuefront.book.l2 import L2Book
    from queuefront.book.l2_compiled import NO_BID, clear_asks, clear_bids, set_ask, set_bid
    from queuefront.book.range import RangeBook

__all__ = [
    "NO_BID",
    "BookDiff",
    "FusedBook",
    "L2Book",
    "RangeBook",
    "clear_asks",
    "clear_bids",
    "new_book_diff",
    "set_ask",
    "set_bid",
]

_HOMES: Final = {
    "book_diff_compiled": (
        "BookDiff",
        "new_book_diff",
    ),
    "fused": ("FusedBook",),
    "l2": ("L2Book",),
    "l2_compiled": (
        "NO_BID",
        "clear_asks",
        "clear_bids",
        "set_ask",
        "set_bid",
    ),
    "range": ("RangeBook",),
}

__getattr__, __dir__ = lazily(__name__, _HOMES)
