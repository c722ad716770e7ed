"""Order books in compiled code."""

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
