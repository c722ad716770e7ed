"""What a strategy sees of queues and of the book near its best prices, held to a naive computation.

Where nothing takes time and both halves see every row, our own estimate of a queue is the exchange's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from queuefront.core import Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    GTX,
    KIND_MASK,
    LIMIT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    PARTIALLY_FILLED,
    SELL,
    SELL_EVENT,
)
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    ConstantLatency,
    FifoQueue,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    RiskAverseQueue,
    build_backtester,
    read_results,
)
from tests.differential.markets import Synthetic
from tests.l3_market import OrderMarket
from tests.property.storm import LINEAR

QUEUES = (RiskAverseQueue(), PowerQueue(2.0), PowerQueue2(2.0), PowerQueue3(3.0), LogQueue(), LogQueue2())
BY_ORDER = Instrument("venue", "MBO", "1", "1")


class Play:
    """A run that quotes at random near the best prices, and is looked at after every step.

    beside : another engine, of which the same is asked.
    """

    def __init__(self, seed: int, asset: Asset, beside: Any = None) -> None:
        self.rng = np.random.default_rng([seed, 9])
        self.assets, self.tapes = [asset], [asset.load()]
        self.tick = float(self.tapes[0].instrument.tick_size)
        self.lot = float(self.tapes[0].instrument.lot_size)
        self.hbt, self.handles = build_backtester(self.assets, self.tapes, traces=True)
        self.engines = [self.hbt] if beside is None else [self.hbt, beside]
        self.next_id = 1

    def step(self, longest: int) -> bool:
        """Let time pass, then send, modify or cancel. Returns whether there is more."""
        rng, hbt = self.rng, self.hbt
        wait = int(rng.integers(0, longest))
        is_over = {engine.elapse(wait) != 0 for engine in self.engines} == {True}
        side = int(rng.choice([BUY, SELL]))
        depth = hbt.depth(0)
        best = int(depth.best_bid_tick if side == BUY else depth.best_ask_tick)
        if best not in (NO_BID_TICK, NO_ASK_TICK) and rng.random() < 0.6:
            tick, lots = best - side * int(rng.integers(-1, 3)), int(rng.integers(1, 9))
            for engine in self.engines:
                send = engine.submit_buy_order if side == BUY else engine.submit_sell_order
                assert send(0, self.next_id, tick * self.tick, lots * self.lot, GTX, LIMIT, False) == 0
            self.next_id += 1
        elif self.next_id > 1:
            recent = max(1, self.next_id - int(rng.integers(1, 5)))
            for engine in self.engines:
                engine.cancel(0, recent, False)
        for engine in self.engines:
            engine.elapse(0)
        return not is_over

    def shown(self) -> dict[int, float]:
        """Return what we take to be ahead of each of our resting orders."""
        orders = [o for o in self.hbt.orders(0) if o.status in (NEW, PARTIALLY_FILLED)]
        return {int(o.order_id): float(self.hbt.queue_ahead(0, o.order_id)) for o in orders}

    def true(self) -> dict[int, float]:
        """Return what the exchange takes to be ahead of each order that it ever had."""
        (result,) = read_results(self.hbt, self.handles, self.assets, self.tapes)
        return {int(t["order_id"]): max(float(t["qty_ahead"]), 0.0) for t in result.traces}


def by_price(seed: int) -> Tape:
    """Return a random market whose rows all reach both halves, at the same time and in the same order."""
    events = Synthetic(seed, 3_000, float(LINEAR.tick_size), float(LINEAR.lot_size)).events()
    events = events[events["ev"] & np.uint64(EXCH_EVENT) != 0].copy()
    events["ev"] |= np.uint64(LOCAL_EVENT)
    events["exch_ts"] = events["local_ts"] = np.maximum.accumulate(events["exch_ts"])
    return Tape.build(events, LINEAR, source=f"seed {seed}")


def by_order(seed: int, *, clears: bool = True) -> tuple[Tape, np.ndarray]:
    events = OrderMarket(seed, 600, clears=clears).events()
    events["local_ts"] = events["exch_ts"]
    return Tape.build(events, BY_ORDER, source=f"seed {seed}"), events


@pytest.mark.parametrize("seed", range(12))
def test_without_latencies_we_see_the_exchanges_own_estimate_of_our_queues(seed):
    exchange = NoPartialFill() if seed % 2 else PartialFill()
    play = Play(seed, Asset(by_price(seed), queue=QUEUES[seed % len(QUEUES)], exchange=exchange))
    looked = ahead = 0
    for _ in range(120):
        if not play.step(30):
            break
        true, shown = play.true(), play.shown()
        assert shown == {order_id: true[order_id] for order_id in shown}
        looked, ahead = looked + len(shown), ahead + sum(qty > 0 for qty in shown.values())
    assert looked > 30
    assert ahead > 10


@pytest.mark.parametrize("seed", range(6))
def test_looking_more_often_changes_nothing(seed):
    def seen(every: int) -> dict[int, float]:
        play = Play(seed, Asset(by_price(seed), queue=QUEUES[seed % len(QUEUES)], latency=ConstantLatency(5, 7)))
        for i in range(60):
            play.step(40)
            if i % every == 0:
                play.shown()
        return play.shown()

    assert seen(1) == seen(1_000)


@pytest.mark.parametrize("seed", range(8))
def test_the_queue_of_a_market_by_order_is_exact(seed):
    tape, _ = by_order(seed)
    play = Play(seed, Asset(tape, queue=FifoQueue()))
    looked = 0
    while play.step(60):
        true, shown = play.true(), play.shown()
        assert shown == {order_id: true[order_id] for order_id in shown}
        looked += len(shown)
    assert looked > 50


class Queues:
    """The market's orders at each price, first come first: lists, and a walk over all of them."""

    def __init__(self, events: np.ndarray) -> None:
        self.events, self.row = events, 0
        self.queues: dict[tuple[int, int], list[list[int]]] = defaultdict(list)

    def follow(self, now: int) -> None:
        while self.row < len(self.events) and self.events["local_ts"][self.row] <= now:
            self.apply(self.events[self.row])
            self.row += 1

    def apply(self, event: np.void) -> None:
        kind, ev = int(event["ev"]) & KIND_MASK, int(event["ev"])
        sides = [s for flag, s in ((BUY_EVENT, BUY), (SELL_EVENT, SELL)) if ev & flag] or [BUY, SELL]
        order_id, lots = int(event["order_id"]), int(event["qty"])
        place = sides[0], int(event["px"])
        old = next(((p, e) for p, queue in self.queues.items() for e in queue if e[0] == order_id), None)
        if kind == DEPTH_CLEAR_EVENT:
            for p in list(self.queues):
                if p[0] in sides:
                    del self.queues[p]
        elif kind == ADD_ORDER_EVENT:
            self.queues[place].append([order_id, lots])
        elif kind == CANCEL_ORDER_EVENT:
            self.queues[old[0]].remove(old[1])
        elif kind == MODIFY_ORDER_EVENT and old[0] == place and lots <= old[1][1]:
            old[1][1] = lots
        elif kind == MODIFY_ORDER_EVENT:
            self.queues[old[0]].remove(old[1])
            self.queues[place].append([order_id, lots])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("stride", [1, 7])
def test_the_orders_at_a_price_are_listed_first_come_first(seed, stride):
    tape, events = by_order(seed)
    naive = Queues(events)
    asset = Asset(tape, queue=FifoQueue())
    hbt, _ = build_backtester([asset], [asset.load()])
    listed = 0
    for i in range(200):
        is_over = hbt.elapse(11) != 0
        naive.follow(int(hbt.current_timestamp))
        if is_over:
            break
        if i % stride:
            continue
        for side in (BUY, SELL):
            for tick in range(990, 1_011):
                rows = hbt.order_queue(0, side, tick)
                expected = naive.queues.get((side, tick), [])
                assert [(int(r["order_id"]), float(r["px"]), float(r["qty"])) for r in rows] == [
                    (order_id, float(tick), float(lots)) for order_id, lots in expected
                ]
                listed += len(rows)
    assert listed > 100


@pytest.mark.parametrize("seed", range(8))
def test_quantities_near_the_best_prices_are_those_of_the_visible_levels(seed):
    tape = by_price(seed) if seed % 2 else by_order(seed)[0]
    asset = Asset(tape, queue=FifoQueue() if tape.is_by_order else RiskAverseQueue())
    tick_size, lot_size = float(tape.instrument.tick_size), float(tape.instrument.lot_size)
    hbt, _ = build_backtester([asset], [asset.load()])
    two_sided = 0
    while hbt.elapse(17) == 0:
        depth = hbt.depth(0)
        rows = depth.snapshot()
        is_bid = rows["ev"] & np.uint64(BUY_EVENT) != 0
        ticks, lots = np.rint(rows["px"] / tick_size), np.rint(rows["qty"] / lot_size)
        for reach in (0, 1, 4, 10**9):
            near = [abs(ticks - best) <= reach for best in (depth.best_bid_tick, depth.best_ask_tick)]
            bid, ask = (lots[side & at].sum() * lot_size for side, at in zip((is_bid, ~is_bid), near, strict=True))
            assert depth.bid_qty_within(reach) == pytest.approx(bid, rel=1e-12)
            assert depth.ask_qty_within(reach) == pytest.approx(ask, rel=1e-12)
            expected = (bid - ask) / (bid + ask) if bid + ask > 0 else math.nan
            assert depth.imbalance(reach) == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)
        micro = math.nan
        if is_bid.any() and not is_bid.all():
            (bid, bid_qty), (ask, ask_qty) = rows[["px", "qty"]][is_bid][0], rows[["px", "qty"]][~is_bid][0]
            micro = (bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty)
            assert bid < micro < ask
            two_sided += 1
        assert depth.micro_price == pytest.approx(micro, rel=1e-12, nan_ok=True)
    assert two_sided > 20


def test_a_negative_reach_reaches_nothing() -> None:
    hbt: Any = Play(1, Asset(by_price(1))).hbt
    hbt.elapse(200)
    depth = hbt.depth(0)
    assert (depth.bid_qty_within(-1), depth.ask_qty_within(-1)) == (0.0, 0.0)
    assert math.isnan(depth.imbalance(-1))
