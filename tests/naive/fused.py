"""A slow, obvious fused book: dictionaries by tick, written from spec B2.10 with D11 and D16 mended.

Each side has a dictionary tick -> (qty, time), a best tick with its time, and the limit of its searches. Bids and asks are
written out one after the other, not mirrored, so that a mistake in mirroring shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queuefront.core.enums import NO_ASK_TICK, NO_BID_TICK

__all__ = ["NaiveFusedBook"]

_MAX = 2**63 - 1
Told = tuple[str, str, int, float, int]  # kind, side, tick, qty, time


@dataclass
class NaiveFusedBook:
    bids: dict[int, tuple[float, int]] = field(default_factory=dict)
    asks: dict[int, tuple[float, int]] = field(default_factory=dict)
    best_bid: int = NO_BID_TICK
    best_ask: int = NO_ASK_TICK
    best_bid_ts: int = 0
    best_ask_ts: int = 0
    low_bid: int = _MAX
    high_ask: int = -_MAX - 1
    told: list[Told] = field(default_factory=list)

    def _below(self, tick: int) -> int:
        return max((t for t, (qty, _) in self.bids.items() if self.low_bid <= t < tick and qty > 0), default=NO_BID_TICK)

    def _above(self, tick: int) -> int:
        return min((t for t, (qty, _) in self.asks.items() if tick < t <= self.high_ask and qty > 0), default=NO_ASK_TICK)

    def _settle_bid(self, tick: int) -> None:
        self.best_bid = tick
        if tick == NO_BID_TICK:
            self.low_bid = _MAX

    def _settle_ask(self, tick: int) -> None:
        self.best_ask = tick
        if tick == NO_ASK_TICK:
            self.high_ask = -_MAX - 1

    def _remove(self, side: str, ticks: list[int], ts: int) -> None:
        for tick in sorted(ticks):
            del (self.bids if side == "bid" else self.asks)[tick]
            self.told.append(("depth", side, tick, 0.0, ts))

    def _bid_crosses(self, ts: int) -> None:
        old = self.best_ask
        self._settle_ask(self._above(self.best_bid))
        self.best_ask_ts = ts
        last = self.best_bid if self.best_ask == NO_ASK_TICK else self.best_ask - 1
        self._remove("ask", [t for t in self.asks if old <= t <= last], ts)

    def _ask_crosses(self, ts: int) -> None:
        old = self.best_bid
        self._settle_bid(self._below(self.best_ask))
        self.best_bid_ts = ts
        last = self.best_ask if self.best_bid == NO_BID_TICK else self.best_bid + 1
        self._remove("bid", [t for t in self.bids if last <= t <= old], ts)

    def depth(self, kind: str, side: str, tick: int, qty: float, lots: int, ts: int) -> None:
        is_bid = side == "bid"
        reaches_bid = tick >= self.best_bid if is_bid else tick <= self.best_bid
        reaches_ask = tick >= self.best_ask if is_bid else tick <= self.best_ask
        if (reaches_bid and ts < self.best_bid_ts) or (reaches_ask and ts < self.best_ask_ts):
            return
        levels = self.bids if is_bid else self.asks
        if (tick in levels and ts >= levels[tick][1]) or (tick not in levels and lots > 0):
            self.told.append((kind, side, tick, qty, ts))
            if lots > 0:
                levels[tick] = (qty, ts)
            else:
                del levels[tick]
        if is_bid and lots <= 0 and tick == self.best_bid:
            self._settle_bid(self._below(tick))
            self.best_bid_ts = ts
        elif is_bid and lots > 0:
            if tick >= self.best_bid:
                self.best_bid, self.best_bid_ts = tick, ts
                if reaches_ask:
                    self._bid_crosses(ts)
            self.low_bid = min(self.low_bid, tick)
        elif not is_bid and lots <= 0 and tick == self.best_ask:
            self._settle_ask(self._above(tick))
            self.best_ask_ts = ts
        elif not is_bid and lots > 0:
            if tick <= self.best_ask:
                self.best_ask, self.best_ask_ts = tick, ts
                if reaches_bid:
                    self._ask_crosses(ts)
            self.high_ask = max(self.high_ask, tick)

    def best_price(self, side: str, tick: int, qty: float, ts: int) -> None:
        is_bid = side == "bid"
        if is_bid and (ts < self.best_bid_ts or (tick >= self.best_ask and ts < self.best_ask_ts)):
            return
        if not is_bid and (ts < self.best_ask_ts or (tick <= self.best_bid and ts < self.best_bid_ts)):
            return
        levels, old = (self.bids, self.best_bid) if is_bid else (self.asks, self.best_ask)
        is_unchanged = tick == old and levels.get(tick, (0.0, 0))[0] == qty
        if not is_unchanged:
            levels[tick] = (qty, ts)
            self.told.append(("depth", side, tick, qty, ts))
        if is_bid:
            self.best_bid_ts = ts
            if not is_unchanged:
                self.best_bid, self.low_bid = tick, min(self.low_bid, tick)
                if tick >= self.best_ask:
                    self._bid_crosses(ts)
                self._remove("bid", [t for t in self.bids if tick < t <= old], ts)
        else:
            self.best_ask_ts = ts
            if not is_unchanged:
                self.best_ask, self.high_ask = tick, max(self.high_ask, tick)
                if tick <= self.best_bid:
                    self._ask_crosses(ts)
                self._remove("ask", [t for t in self.asks if old <= t < tick], ts)

    def clear(self, side: str | None, tick: int | None, ts: int) -> None:
        """Clear a side up to a tick, all of it without one (D11: the nearest level that is left is the best), or both."""
        self.told.append(("clear", side or "both", 0 if tick is None else tick, 0.0, ts))
        if side in ("bid", None):
            whole = side is None or tick is None
            self.bids = {t: v for t, v in self.bids.items() if not whole and not tick <= t <= self.best_bid}
            self._settle_bid(NO_BID_TICK if whole else self._below(tick))
            self.best_bid_ts = ts
        if side in ("ask", None):
            whole = side is None or tick is None
            self.asks = {t: v for t, v in self.asks.items() if not whole and not self.best_ask <= t <= tick}
            self._settle_ask(NO_ASK_TICK if whole else self._above(tick))
            self.best_ask_ts = ts
