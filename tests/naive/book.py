"""A slow, obvious L2 book: two dictionaries and two searches, written from spec B2 with D11, D13 and D16 mended.

- A quantity of zero or fewer lots removes its level (D13, D16), a positive one sets it.
- The newer side wins: a bid at or through the best ask moves the best ask to the nearest ask above it. What was passed over
  stays in the dictionary, hidden.
- A search looks no further than the lowest bid, or the highest ask, set since that side's best was last found to be
missing.
- A clear up to a price removes the levels from the best to that price, and the nearest one that is left is the best (D11).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queuefront.core.enums import NO_ASK_TICK, NO_BID_TICK

__all__ = ["NaiveBook"]

_NO_LOW_BID = 2**63 - 1
_NO_HIGH_ASK = -(2**63)


@dataclass
class NaiveBook:
    """Quantities by tick, the best tick of each side, and how far a search looks."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    best_bid_tick: int = NO_BID_TICK
    best_ask_tick: int = NO_ASK_TICK
    low_bid: int = _NO_LOW_BID
    high_ask: int = _NO_HIGH_ASK

    def set_bid(self, tick: int, lots: int) -> None:
        if lots <= 0:
            self.bids.pop(tick, None)
            if tick == self.best_bid_tick:
                self._find_bid_below(tick)
            return
        self.bids[tick] = lots
        if tick > self.best_bid_tick:
            self.best_bid_tick = tick
            if tick >= self.best_ask_tick:
                self.best_ask_tick = self._ask_above(tick)
        self.low_bid = min(self.low_bid, tick)

    def set_ask(self, tick: int, lots: int) -> None:
        if lots <= 0:
            self.asks.pop(tick, None)
            if tick == self.best_ask_tick:
                self._find_ask_above(tick)
            return
        self.asks[tick] = lots
        if tick < self.best_ask_tick:
            self.best_ask_tick = tick
            if self.best_bid_tick >= tick:
                self.best_bid_tick = self._bid_below(tick)
        self.high_ask = max(self.high_ask, tick)

    def clear_bids(self, down_to_tick: int | None = None) -> None:
        if down_to_tick is None:
            self.bids.clear()
            self.best_bid_tick, self.low_bid = NO_BID_TICK, _NO_LOW_BID
            return
        for tick in [t for t in self.bids if down_to_tick <= t <= self.best_bid_tick]:
            del self.bids[tick]
        self._find_bid_below(down_to_tick)

    def clear_asks(self, up_to_tick: int | None = None) -> None:
        if up_to_tick is None:
            self.asks.clear()
            self.best_ask_tick, self.high_ask = NO_ASK_TICK, _NO_HIGH_ASK
            return
        for tick in [t for t in self.asks if self.best_ask_tick <= t <= up_to_tick]:
            del self.asks[tick]
        self._find_ask_above(up_to_tick)

    def _bid_below(self, tick: int) -> int:
        return max((t for t in self.bids if self.low_bid <= t < tick), default=NO_BID_TICK)

    def _ask_above(self, tick: int) -> int:
        return min((t for t in self.asks if tick < t <= self.high_ask), default=NO_ASK_TICK)

    def _find_bid_below(self, tick: int) -> None:
        self.best_bid_tick = self._bid_below(tick)
        if self.best_bid_tick == NO_BID_TICK:
            self.low_bid = _NO_LOW_BID

    def _find_ask_above(self, tick: int) -> None:
        self.best_ask_tick = self._ask_above(tick)
        if self.best_ask_tick == NO_ASK_TICK:
            self.high_ask = _NO_HIGH_ASK
