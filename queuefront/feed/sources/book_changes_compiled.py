"""The compiled loop of `book_changes`."""

from __future__ import annotations

import numpy as np

from queuefront.book import BookDiff, new_book_diff
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT
from queuefront.core.jit import compiled

__all__ = ["BookDiff", "changes_of_books", "new_book_diff"]

_BID = DEPTH_EVENT | BUY_EVENT
_ASK = DEPTH_EVENT | SELL_EVENT


@compiled
def changes_of_books(diff, bid_px, bid_qty, ask_px, ask_qty, ev, book, px, qty):
    """Write what changes from each book to the next; return how many rows that is.

    diff : BookDiff, changed.   bid_px … ask_qty : float64[n, levels], NaN where a side has no such level.
    ev, book : int64[4 * n * levels], written: kind and side, and the place of the book.   px, qty : float64, likewise.
    """
    count = 0
    for i in range(len(bid_px)):
        is_bid, is_ask = np.isfinite(bid_px[i]), np.isfinite(ask_px[i])
        bids, asks, bids_gone, asks_gone = diff.snapshot(
            bid_px[i][is_bid], bid_qty[i][is_bid], ask_px[i][is_ask], ask_qty[i][is_ask]
        )
        for side, levels in ((_BID, bids), (_ASK, asks)):
            for k in range(len(levels)):
                if levels[k, 2] != 0:
                    ev[count], book[count], px[count], qty[count] = side, i, levels[k, 0], levels[k, 1]
                    count += 1
        for side, gone in ((_BID, bids_gone), (_ASK, asks_gone)):
            for k in range(len(gone)):
                ev[count], book[count], px[count], qty[count] = side, i, gone[k, 0], 0.0
                count += 1
    return count
