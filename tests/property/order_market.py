"""Random markets of single orders: adds, cancels, modifies, fills and clears that belong together, and gaps if asked.

Strange on purpose: bids through the ask, orders that change side in their rows, fills at other prices than the order's,
bursts of equal times, rows of one half only, rows without a side. With `gaps`, some rows name orders that are unknown or
there already.
"""

from __future__ import annotations

import numpy as np

from queuefront.core import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

__all__ = ["MID_TICK", "order_market"]

MID_TICK = 1_000
_KINDS = (ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT, TRADE_EVENT, DEPTH_EVENT, DEPTH_CLEAR_EVENT)
_WEIGHTS = (0.42, 0.2, 0.15, 0.13, 0.05, 0.03, 0.02)


def order_market(
    seed: int, count: int, *, tick_size: float = 1.0, lot_size: float = 1.0, gaps: bool = False, depth: bool = False
) -> np.ndarray:
    """Return about `count` EVENT rows, in order of time for both halves; with `depth`, some set levels, in vain."""
    rng = np.random.default_rng([seed, 3])
    writer = _Writer(rng, gaps=gaps)
    for kind in rng.choice(_KINDS, count, p=_WEIGHTS):
        if kind != DEPTH_EVENT or depth:
            writer.write(int(kind))
    events = np.array(writer.rows, dtype=EVENT)
    events["px"] *= tick_size
    events["qty"] *= lot_size
    return events


class _Writer:
    """Writes rows and remembers the orders that they leave: id -> (side, tick, lots)."""

    def __init__(self, rng: np.random.Generator, *, gaps: bool) -> None:
        self.rng = rng
        self.gap_share = 0.04 if gaps else 0.0
        self.crossing_share = float(rng.choice([0.0, 0.02, 0.15]))
        self.feed_latency = int(rng.choice([0, 5, 50]))
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.rows: list[tuple[int, int, int, float, float, int, int, float]] = []
        self.now = self.local_ts = 1_000_000
        self.next_id = 1

    def write(self, kind: int) -> None:
        if self.rng.random() < 0.6:
            self.now += int(self.rng.integers(1, 40))
        if kind == DEPTH_CLEAR_EVENT:
            self.clear()
        elif kind in (TRADE_EVENT, DEPTH_EVENT):
            self.put(kind | self.side(), self.tick(BUY_EVENT), 3, 0)
        elif kind == ADD_ORDER_EVENT or not self.orders:
            self.add()
        else:
            self.change(kind)

    def add(self) -> None:
        side, lots = self.side(), int(self.rng.integers(1, 8))
        order_id = self.next_id
        self.next_id += 1
        if self.orders and self.rng.random() < self.gap_share:
            order_id = int(self.rng.choice(list(self.orders)))  # it is there already
            self.put(ADD_ORDER_EVENT | side, self.tick(side), lots, order_id)
            return
        tick = self.tick(side)
        self.orders[order_id] = (side, tick, lots)
        self.put(ADD_ORDER_EVENT | side, tick, lots, order_id)

    def change(self, kind: int) -> None:
        if self.rng.random() < self.gap_share:
            self.put(kind | self.side(), MID_TICK, 1, self.next_id + 1_000)  # unknown
            return
        order_id = int(self.rng.choice(list(self.orders)))
        side, tick, lots = self.orders[order_id]
        if kind == CANCEL_ORDER_EVENT:
            del self.orders[order_id]
        elif kind == MODIFY_ORDER_EVENT:
            lots = max(1, lots + int(self.rng.integers(-3, 4)))
            tick = self.tick(side) if self.rng.random() < 0.4 else tick
            self.orders[order_id] = (side, tick, lots)
        elif self.rng.random() < 0.1:
            tick += int(self.rng.integers(-2, 3))  # a fill at another price
        shown = self.side() if self.rng.random() < 0.05 else side
        self.put(kind | shown, tick, lots, order_id)

    def clear(self) -> None:
        side = int(self.rng.choice([0, BUY_EVENT, SELL_EVENT]))
        self.orders = {i: order for i, order in self.orders.items() if side and order[0] != side}
        self.put(DEPTH_CLEAR_EVENT | side, MID_TICK, 0, 0)

    def side(self) -> int:
        return BUY_EVENT if self.rng.random() < 0.5 else SELL_EVENT

    def tick(self, side: int) -> int:
        low = -3 if self.rng.random() < self.crossing_share else 1
        distance = int(self.rng.integers(low, 6))
        return MID_TICK - distance if side == BUY_EVENT else MID_TICK + distance

    def put(self, ev: int, tick: int, lots: int, order_id: int) -> None:
        self.local_ts = max(self.local_ts, self.now + int(self.rng.integers(0, self.feed_latency + 1)))
        ev |= EXCH_EVENT | LOCAL_EVENT
        self.rows.append((ev, self.now, self.local_ts, float(tick), float(lots), order_id, 0, 0.0))
