"""A book by price for one live market: any price, two sides, best first; crossed only if the venue says so.

Prices and quantities are those of the event records. A level is removed by quantity zero. What lies beyond the snapshot
that the book began with is unknown, not empty.
"""

from __future__ import annotations

import heapq
from typing import Any, Final

import numpy.typing as npt

from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    KIND_MASK,
    SELL_EVENT,
)

__all__ = ["LevelBook"]

#: Stale entries that a heap may carry before it is built anew, beyond four for each level.
_SLACK: Final = 1024


class _Side:
    """Levels of one side; the best is found by a heap that forgets removed levels when it meets them."""

    def __init__(self, sign: int) -> None:
        self.levels: dict[float, float] = {}
        self.sign = sign  # -1: highest first
        self.heap: list[float] = []

    def trim(self) -> None:
        """Build the heap anew where most of it is stale."""
        if len(self.heap) > 4 * len(self.levels) + _SLACK:
            self.heap = [self.sign * level for level in self.levels]
            heapq.heapify(self.heap)

    def clear(self) -> None:
        self.levels.clear()
        self.heap.clear()

    def clear_up_to(self, px: float) -> None:
        """Remove the levels from the best up to a price, included."""
        for level in [level for level in self.levels if self.sign * level <= self.sign * px]:
            del self.levels[level]

    def best(self) -> float | None:
        heap, levels = self.heap, self.levels
        while heap:
            px = self.sign * heap[0]
            if px in levels:
                return px
            heapq.heappop(heap)
        return None

    def top(self, count: int) -> list[tuple[float, float]]:
        chosen = heapq.nsmallest(count, self.levels, key=lambda px: self.sign * px)
        return [(px, self.levels[px]) for px in chosen]


class LevelBook:
    """Both sides; see the module."""

    def __init__(self) -> None:
        self._bids = _Side(-1)
        self._asks = _Side(1)

    def clear(self) -> None:
        """Forget all levels."""
        self._bids.clear()
        self._asks.clear()

    def apply(self, rows: npt.NDArray[Any]) -> None:
        """Apply depth, snapshot and clear rows in order, EVENT[n]; rows of other kinds change no book."""
        bids, asks = self._bids, self._asks
        push = heapq.heappush
        for ev, px, qty in zip(rows["ev"].tolist(), rows["px"].tolist(), rows["qty"].tolist(), strict=True):
            kind = ev & KIND_MASK
            if kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT):
                side = bids if ev & BUY_EVENT else asks
                levels = side.levels
                if qty <= 0.0:
                    levels.pop(px, None)
                    continue
                if px not in levels:
                    push(side.heap, side.sign * px)
                levels[px] = qty
            elif kind == DEPTH_CLEAR_EVENT:
                self._clear(ev, px)
        bids.trim()
        asks.trim()

    def _clear(self, ev: int, px: float) -> None:
        if not ev & (BUY_EVENT | SELL_EVENT):
            self.clear()
        if ev & BUY_EVENT:
            self._bids.clear_up_to(px)
        if ev & SELL_EVENT:
            self._asks.clear_up_to(px)

    @property
    def best_bid(self) -> tuple[float, float] | None:
        """Highest bid and its quantity, or None."""
        px = self._bids.best()
        return None if px is None else (px, self._bids.levels[px])

    @property
    def best_ask(self) -> tuple[float, float] | None:
        """Lowest ask and its quantity, or None."""
        px = self._asks.best()
        return None if px is None else (px, self._asks.levels[px])

    @property
    def is_crossed(self) -> bool:
        """Whether somebody bids as much as another asks, which a continuous market never shows."""
        bid, ask = self._bids.best(), self._asks.best()
        return bid is not None and ask is not None and bid >= ask

    def bids(self, count: int) -> list[tuple[float, float]]:
        """Return the best bids, highest first."""
        return self._bids.top(count)

    def asks(self, count: int) -> list[tuple[float, float]]:
        """Return the best asks, lowest first."""
        return self._asks.top(count)

    @property
    def level_count(self) -> int:
        """How many levels it holds."""
        return len(self._bids.levels) + len(self._asks.levels)
