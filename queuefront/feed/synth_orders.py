"""A synthetic market by order (L3), for tests and examples: seeded, and the same bytes everywhere.

It looks like an exchange's feed of single orders: each is added, may be modified, and is canceled or filled; a fill is
told before the change that it makes. As with `synth`, nothing learned on it carries over to a real market.

Rules of a step
1. Time moves on by a uniform delay. The efficient price makes a step of a random walk.
2. A best price on the wrong side of the efficient price is taken whole. Otherwise chance picks a new order, a cancellation,
   a modification or a market order.
3. A market order takes from the best price only, first come first served, and leaves the last order of its side alone.
4. Orders too far behind the best are canceled.

The generator is that of `synth_compiled`, and only operations are used that IEEE 754 rounds alike everywhere.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.synth import SynthConfig, seed_words, synthetic_instrument
from queuefront.feed.synth_compiled import draw

__all__ = ["synthesize_orders"]

_ORDERS_A_LEVEL: Final = 3  # at the start
_FIRST_ID: Final = 1_001

_draw: Final = getattr(draw, "py_func", draw)


def synthesize_orders(config: SynthConfig) -> npt.NDArray[Any]:
    """Draw a market by order; return `EVENT` rows ready for replay, read-only.

    Of the configuration, `excitement` plays no part; `level_lots` is the mean size of `_ORDERS_A_LEVEL` orders. Each
    `levels` price levels a side are there at the start.
    """
    instrument = synthetic_instrument(config)
    market = _Market(config, instrument.price_to_tick(config.mid_price))
    market.open_book()
    while len(market.rows) < config.events:
        market.step()
    table = np.array(market.rows[: config.events], np.int64)
    events = np.zeros(config.events, EVENT)
    events["ev"], events["exch_ts"], events["local_ts"] = table[:, 0], table[:, 1], table[:, 2]
    events["px"], events["qty"] = instrument.prices(table[:, 3]), instrument.quantities(table[:, 4])
    events["order_id"] = table[:, 5]
    events.setflags(write=False)
    return events


class _Market:
    """The orders of both sides, and the rows that told of them."""

    def __init__(self, config: SynthConfig, mid_tick: int) -> None:
        self.config = config
        self.seed = seed_words(config.seed).tolist()
        self.rows: list[tuple[int, int, int, int, int, int]] = []
        self.queues: dict[int, dict[int, dict[int, int]]] = {BUY: {}, SELL: {}}  # side: tick: order id: lots
        self.live: list[tuple[int, int, int]] = []  # (side, tick, order id), in no order
        self.places: dict[int, int] = {}  # order id: where it stands in `live`
        self.fair = float(mid_tick)
        self.exch_ts = self.local_ts = config.start_ts
        self.next_id = _FIRST_ID

    # --- the book -----------------------------------------------------------------------------------------------------
    def best(self, side: int) -> int:
        return max(self.queues[BUY]) if side == BUY else min(self.queues[SELL])

    def put(self, kind: int, side: int, tick: int, lots: int, order_id: int) -> None:
        flags = EXCH_EVENT | LOCAL_EVENT | (BUY_EVENT if side == BUY else SELL_EVENT)
        self.rows.append((flags | kind, self.exch_ts, self.local_ts, tick, lots, order_id))

    def insert(self, side: int, tick: int, lots: int, order_id: int) -> None:
        self.queues[side].setdefault(tick, {})[order_id] = lots
        self.places[order_id] = len(self.live)
        self.live.append((side, tick, order_id))

    def remove(self, side: int, tick: int, order_id: int) -> None:
        del self.queues[side][tick][order_id]
        if not self.queues[side][tick]:
            del self.queues[side][tick]
        place, last = self.places.pop(order_id), self.live.pop()
        if last[2] != order_id:
            self.live[place], self.places[last[2]] = last, place

    # --- what traders do ----------------------------------------------------------------------------------------------
    def add(self, side: int, tick: int) -> None:
        lots, order_id = self.lots(self.config.level_lots / _ORDERS_A_LEVEL), self.next_id
        self.next_id += 1
        self.insert(side, tick, lots, order_id)
        self.put(ADD_ORDER_EVENT, side, tick, lots, order_id)

    def cancel(self, side: int, tick: int, order_id: int) -> None:
        lots = self.queues[side][tick][order_id]
        self.remove(side, tick, order_id)
        self.put(CANCEL_ORDER_EVENT, side, tick, lots, order_id)

    def modify(self, side: int, tick: int, order_id: int) -> None:
        """Make an order smaller, which keeps its place, or larger or send it elsewhere, which does not."""
        before, chance = self.queues[side][tick][order_id], self.draw()
        lots = max(1, before // 2) if chance < 0.5 else before + self.lots(0.5 * before)
        to_tick = self.passive_tick(side) if chance > 0.75 else tick
        if to_tick == tick and lots <= before:
            self.queues[side][tick][order_id] = lots
        else:
            self.remove(side, tick, order_id)
            self.insert(side, to_tick, lots, order_id)
        self.put(MODIFY_ORDER_EVENT, side, to_tick, lots, order_id)

    def take(self, side: int, lots: int) -> None:
        """Let a market order take so many lots from the best price of a side."""
        tick = self.best(side)
        queue = self.queues[side][tick]
        is_last_level = len(self.queues[side]) == 1
        lots = min(lots, sum(queue.values()) - (1 if is_last_level else 0))
        if lots > 0:
            self.put(TRADE_EVENT, -side, tick, lots, 0)
        for order_id, open_lots in list(queue.items()):
            done = min(lots, open_lots)
            if done == 0:
                break
            lots -= done
            self.put(FILL_EVENT, side, tick, done, order_id)
            if done == open_lots:
                self.cancel(side, tick, order_id)
            else:
                queue[order_id] = open_lots - done
                self.put(MODIFY_ORDER_EVENT, side, tick, open_lots - done, order_id)

    def trim(self) -> None:
        for side in (BUY, SELL):
            limit = self.best(side) - side * 2 * self.config.levels
            for tick in [tick for tick in self.queues[side] if side * (tick - limit) < 0]:
                for order_id in list(self.queues[side][tick]):
                    self.cancel(side, tick, order_id)

    # --- chance -------------------------------------------------------------------------------------------------------
    def draw(self) -> float:
        return _draw(self.seed)  # type: ignore[no-any-return]

    def lots(self, mean: float) -> int:
        """Return a positive number of lots: more small ones than large ones."""
        return 1 + int(3.0 * mean * self.draw() * self.draw() * (0.5 + self.draw()))

    def passive_tick(self, side: int) -> int:
        """Return a tick that neither crosses nor passes the efficient price, nearer ones more often."""
        fair = math.floor(self.fair)
        foremost = min(self.best(SELL) - 1, fair) if side == BUY else max(self.best(BUY) + 1, fair + 1)
        return foremost - side * int(self.config.levels * self.draw() * self.draw() * self.draw())

    def open_book(self) -> None:
        fair = math.floor(self.fair)
        self.stamp()
        for distance in range(self.config.levels):
            for _ in range(_ORDERS_A_LEVEL):
                self.add(BUY, fair - distance)
                self.add(SELL, fair + 1 + distance)

    def stamp(self) -> None:
        """Let the message of this step arrive: never before the one ahead of it."""
        jitter = self.config.jitter_us * (self.draw() + self.draw())
        latency_ns = int((self.config.latency_us + jitter) * NS_PER["us"])
        self.local_ts = max(self.local_ts, self.exch_ts + latency_ns)

    def step(self) -> None:
        config = self.config
        delay_s = 2.0 * self.draw() / config.steps_per_s
        self.exch_ts += int(delay_s * NS_PER["s"])
        normal = (self.draw() + self.draw() + self.draw() + self.draw() - 2.0) * 1.7320508075688772
        self.fair += config.volatility_ticks * math.sqrt(delay_s) * normal
        self.stamp()
        chance, side = self.draw(), BUY if self.draw() < 0.5 else SELL
        if self.best(BUY) > self.fair + 1.0 or self.best(SELL) < self.fair:
            side = BUY if self.best(BUY) > self.fair + 1.0 else SELL
            if len(self.queues[side]) < 3:
                self.add(side, self.best(side) - side)
            self.take(side, 2**40)
        elif chance < config.market_share:
            self.take(side, self.lots(config.trade_lots))
        elif chance < 0.55 or len(self.queues[side]) < config.levels // 2 + 2:
            self.add(side, self.passive_tick(side))
        else:
            order = self.live[int(self.draw() * len(self.live))]
            (self.cancel if chance < 0.9 else self.modify)(*order)
        self.trim()
