"""Seeded random markets by order (L3): valid feeds of additions, cancels, modifications and fills around a moving price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queuefront.core import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

BOTH = EXCH_EVENT | LOCAL_EVENT
T0 = 1_000


@dataclass(frozen=True)
class OrderMarket:
    """A random market by order of about so many rows around tick 1,000; the same for the same numbers."""

    seed: int
    rows_wanted: int = 300
    tick_size: float = 1.0
    lot_size: float = 1.0
    clears: bool = False

    def events(self) -> np.ndarray:
        rng = np.random.default_rng([self.seed, 31])
        maker = _Maker(self, rng)
        while len(maker.rows) < self.rows_wanted:
            maker.step()
        return np.array(maker.rows, dtype=EVENT)


class _Maker:
    def __init__(self, market: OrderMarket, rng: np.random.Generator) -> None:
        self.market, self.rng = market, rng
        self.rows: list[tuple] = []
        self.live: dict[int, list[int]] = {}  # id: side, tick, lots
        self.next_id = 10_000
        self.exch_ts, self.local_ts = T0, T0
        self.middle = 1_000

    def step(self) -> None:
        rng = self.rng
        self.exch_ts += int(rng.choice([0, 0, 1, 5, 40]))
        self.middle += int(rng.choice([-1, 0, 0, 0, 1])) * int(rng.random() < 0.1)
        kind = rng.random()
        if kind < 0.45 or len(self.live) < 12:
            self.add()
        elif kind < 0.6:
            self.cancel(int(rng.choice(list(self.live))))
        elif kind < 0.75:
            self.modify(int(rng.choice(list(self.live))))
        elif kind < 0.97 or not self.market.clears:
            self.trade()
        else:
            side = int(rng.choice([1, -1, 0]))
            self.emit(DEPTH_CLEAR_EVENT, side, 0, 0, 0)
            self.live = {k: v for k, v in self.live.items() if side != 0 and v[0] != side}

    def emit(self, kind: int, side: int, tick: int, lots: int, order_id: int) -> None:
        self.local_ts = max(self.local_ts, self.exch_ts + int(self.rng.choice([1, 2, 10])))
        flags = BOTH | (BUY_EVENT if side > 0 else SELL_EVENT if side < 0 else 0)
        price, qty = round(tick * self.market.tick_size, 9), round(lots * self.market.lot_size, 9)
        self.rows.append((flags | kind, self.exch_ts, self.local_ts, price, qty, order_id, 0, 0.0))

    def best(self, side: int) -> int | None:
        ticks = [tick for own, tick, _ in self.live.values() if own == side]
        if not ticks:
            return None
        return max(ticks) if side > 0 else min(ticks)

    def passive_tick(self, side: int) -> int:
        other = self.best(-side)
        tick = self.middle - side * int(self.rng.integers(0, 6))
        if other is not None:
            tick = min(tick, other - 1) if side > 0 else max(tick, other + 1)
        return tick

    def add(self) -> None:
        side = int(self.rng.choice([1, -1]))
        tick, lots = self.passive_tick(side), int(self.rng.integers(1, 10))
        self.next_id += 1
        self.live[self.next_id] = [side, tick, lots]
        self.emit(ADD_ORDER_EVENT, side, tick, lots, self.next_id)

    def cancel(self, order_id: int) -> None:
        side, tick, lots = self.live.pop(order_id)
        self.emit(CANCEL_ORDER_EVENT, side, tick, lots, order_id)

    def modify(self, order_id: int) -> None:
        side, tick, lots = self.live[order_id]
        if self.rng.random() < 0.5:
            del self.live[order_id]
            tick = self.passive_tick(side)
        lots = max(1, lots + int(self.rng.integers(-4, 5)))
        self.live[order_id] = [side, tick, lots]
        self.emit(MODIFY_ORDER_EVENT, side, tick, lots, order_id)

    def trade(self) -> None:
        """Let a taker eat into the best price, first come first served."""
        side = int(self.rng.choice([1, -1]))
        tick = self.best(side)
        if tick is None:
            return
        queue = [k for k, (own, at, _) in self.live.items() if own == side and at == tick]
        left = int(self.rng.integers(1, 15))
        self.emit(TRADE_EVENT, -side, tick, left, 0)
        for order_id in queue:
            lots = self.live[order_id][2]
            done = min(lots, left)
            self.emit(FILL_EVENT, side, tick, done, order_id)
            if done == lots:
                del self.live[order_id]
                self.emit(CANCEL_ORDER_EVENT, side, tick, lots, order_id)
            else:
                self.live[order_id][2] = lots - done
                self.emit(MODIFY_ORDER_EVENT, side, tick, lots - done, order_id)
            left -= done
            if left == 0:
                break
