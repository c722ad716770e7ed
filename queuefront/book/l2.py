"""The L2 book for Python: one object over the compiled rules of `l2_compiled`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.book.l2_compiled import NO_BID, clear_asks, clear_bids, set_ask, set_bid
from queuefront.core.enums import NO_ASK_TICK, NO_BID_TICK
from queuefront.core.errors import ConfigError

__all__ = ["L2Book"]


class L2Book:
    """An L2 book over a known set of ticks.

    Parameters
    ----------
    ticks : int64[n]
        Every tick that may be named, ascending and without repeats.

    Raises
    ------
    ConfigError
        If the ticks are not strictly ascending, or a method names a tick outside them.
    """

    def __init__(self, ticks: npt.ArrayLike) -> None:
        self.ticks: npt.NDArray[np.int64] = np.ascontiguousarray(ticks, dtype=np.int64)
        if self.ticks.ndim != 1 or bool(np.any(np.diff(self.ticks) <= 0)):
            raise ConfigError("the ticks of a book must be one strictly ascending column; pass `np.unique(ticks)`")
        count = len(self.ticks)
        self._bid_lots = np.zeros(count, np.int64)
        self._ask_lots = np.zeros(count, np.int64)
        self._best_bid, self._best_ask = NO_BID, count
        self._low_bid, self._high_ask = count, NO_BID

    def set_bid(self, tick: int, lots: int) -> None:
        """Set the lots bid at a tick; zero or less removes the level."""
        self._best_bid, self._best_ask, self._low_bid = set_bid(
            self._bid_lots,
            self._ask_lots,
            self._level(tick),
            lots,
            self._best_bid,
            self._best_ask,
            self._low_bid,
            self._high_ask,
        )

    def set_ask(self, tick: int, lots: int) -> None:
        """Set the lots offered at a tick; zero or less removes the level."""
        self._best_bid, self._best_ask, self._high_ask = set_ask(
            self._bid_lots,
            self._ask_lots,
            self._level(tick),
            lots,
            self._best_bid,
            self._best_ask,
            self._low_bid,
            self._high_ask,
        )

    def clear_bids(self, down_to_tick: int | None = None) -> None:
        """Remove the bids from the best down to a tick, or all of them."""
        level = -1 if down_to_tick is None else self._level(down_to_tick)
        self._best_bid, self._low_bid = clear_bids(self._bid_lots, level, self._best_bid, self._low_bid)

    def clear_asks(self, up_to_tick: int | None = None) -> None:
        """Remove the asks from the best up to a tick, or all of them."""
        level = -1 if up_to_tick is None else self._level(up_to_tick)
        self._best_ask, self._high_ask = clear_asks(self._ask_lots, level, self._best_ask, self._high_ask)

    @property
    def best_bid_tick(self) -> int:
        """Highest bid, or NO_BID_TICK."""
        return NO_BID_TICK if self._best_bid == NO_BID else int(self.ticks[self._best_bid])

    @property
    def best_ask_tick(self) -> int:
        """Lowest ask, or NO_ASK_TICK."""
        return NO_ASK_TICK if self._best_ask == len(self.ticks) else int(self.ticks[self._best_ask])

    def bid_lots_at(self, tick: int) -> int:
        """Lots bid at a tick, hidden ones included."""
        return int(self._bid_lots[self._level(tick)])

    def ask_lots_at(self, tick: int) -> int:
        """Lots offered at a tick, hidden ones included."""
        return int(self._ask_lots[self._level(tick)])

    def _level(self, tick: int) -> int:
        level = int(np.searchsorted(self.ticks, tick))
        if level == len(self.ticks) or self.ticks[level] != tick:
            raise ConfigError(f"tick {tick:,} is not among the {len(self.ticks):,} ticks that this book was made for")
        return level
