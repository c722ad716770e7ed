"""`hftbacktest.data.FuseMarketDepth` on our fused book."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.book import FusedBook

__all__ = ["FuseMarketDepth"]

Events = npt.NDArray[np.void]


class FuseMarketDepth:
    """Fuse best prices and depth streams; a plain Python class, where hftbacktest's can be used in compiled functions.

    `FusedBook.fuse` does a whole array at once and is the fast way.
    """

    def __init__(self, tick_size: float, lot_size: float) -> None:
        self._book = FusedBook(tick_size, lot_size)

    def process_event(self, ev: Events, index: int, add: bool) -> None:
        """Apply row `index` of `ev`; with `add`, what it makes joins `fused_events`. A useless row raises ValueError."""
        self._book.process_event(ev, int(index), add)

    @property
    def fused_events(self) -> Events:
        """The rows made so far; a copy."""
        return self._book.fused_events

    def close(self) -> None:
        """Let go of the memory."""
        self._book.close()
