"""Drive the engine with arbitrary valid markets and arbitrary calls: `python -m tests.fuzz.engine --runs 1000 --seed 0`.

A run is drawn from its seed alone: a market by price or by order, models, and calls that no strategy should make. Under
bounds checks (`make fuzz`) every index is looked at. A run fails if anything but a documented exception comes out, if the
clock goes back, or if what was booked does not add up. The seed repeats it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from queuefront.core import Instrument
from queuefront.core.enums import ALL_ASSETS, CODE_NAMES
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    ConstantLatency,
    FifoQueue,
    LogQueue,
    NoPartialFill,
    PartialFill,
    PowerQueue3,
    RiskAverseQueue,
    SampledLatency,
    TieredFees,
    ValueFees,
    build_backtester,
    read_results,
)
from tests.differential.markets import Synthetic
from tests.l3_market import OrderMarket

INSTRUMENT = Instrument("fuzz", "ANY", "1", "1")
EDGES = (0, 1, -1, 7, 2**31, 2**63 - 1, -(2**63), 2**62)
PRICES = (0.0, -1.0, 1.0, 1e300, -1e300, float("nan"), float("inf"), 2.0**53, 999.5)
QUANTITIES = (0.0, -1.0, 0.4, 1e300, float("nan"), float("inf"), 2.0**53, 1e15)


@dataclass
class Player:
    """One backtest and what is known of it."""

    hbt: Any
    rng: np.random.Generator
    now: int = 0

    def number(self, small: int) -> int:
        return int(self.rng.choice(EDGES)) if self.rng.random() < 0.1 else int(self.rng.integers(0, small))

    def price(self) -> float:
        return float(self.rng.choice(PRICES)) if self.rng.random() < 0.1 else float(self.rng.integers(980, 1_021))

    def qty(self) -> float:
        return float(self.rng.choice(QUANTITIES)) if self.rng.random() < 0.1 else float(self.rng.integers(1, 50))

    def order(self) -> tuple[Any, ...]:
        rng = self.rng
        return (
            0,
            self.number(40),
            self.price(),
            self.qty(),
            int(rng.integers(0, 5)),
            int(rng.integers(0, 3)),
            rng.random() < 0.1,
        )

    def call(self) -> Any:
        """Make one call."""
        hbt, asset = self.hbt, int(self.rng.choice([0, 0, 0, 0, 0, 0, ALL_ASSETS, 1, 2**40]))
        name = str(self.rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
        arguments: tuple[Any, ...] = (asset,)
        if name in ("submit_buy_order", "submit_sell_order"):
            arguments = self.order()
        elif name == "modify":
            arguments = (asset, self.number(40), self.price(), self.qty(), bool(self.rng.random() < 0.1))
        elif name == "cancel":
            arguments = (asset, self.number(40), bool(self.rng.random() < 0.1))
        elif name in ("elapse", "elapse_bt"):
            arguments = (self.number(300),)
        elif name == "wait_next_feed":
            arguments = (bool(self.rng.random() < 0.5), self.number(300))
        elif name == "wait_order_response":
            arguments = (asset, self.number(40), self.number(300))
        elif name == "queue_ahead":
            arguments = (asset, self.number(40))
        elif name == "order_queue":
            arguments = (asset, int(self.rng.choice([1, -1])), self.number(2_000))
        elif name == "close":
            arguments = ()
        return getattr(hbt, name)(*arguments)


_COUNTS = {
    "submit_buy_order": 20,
    "submit_sell_order": 20,
    "elapse": 20,
    "cancel": 8,
    "modify": 8,
    "wait_next_feed": 6,
    "wait_order_response": 4,
    "clear_inactive_orders": 6,
    "queue_ahead": 3,
    "order_queue": 2,
    "last_trades": 2,
    "clear_last_trades": 1,
    "depth": 1,
    "orders": 1,
    "state_values": 1,
    "position": 1,
    "feed_latency": 1,
    "order_latency": 1,
    "elapse_bt": 1,
}
WEIGHTS = {name: count / sum(_COUNTS.values()) for name, count in _COUNTS.items()}


def asset_of(rng: np.random.Generator) -> Asset:
    """Draw a market and its models."""
    latency: Any = ConstantLatency(int(rng.choice([-20, 0, 0, 5, 60])), int(rng.choice([0, 5, 60])))
    if rng.random() < 0.2:
        latency = SampledLatency([0, 5, 60], [1, 9], seed=int(rng.integers(0, 1_000)))
    fees: Any = ValueFees("-0.0001", "0.0005") if rng.random() < 0.5 else TieredFees([(0, 0, "0.001"), (5_000, 0, 0)])
    rows = int(rng.choice([0, 1, 2, 40, 400]))
    seed = int(rng.integers(0, 2**20))
    if rng.random() < 0.3:
        events = OrderMarket(seed, max(rows, 1), clears=True).events()[: rows or None]
        events = events if rows else events[:0]
        queue: Any = FifoQueue(bool(rng.random() < 0.3))
        if len(events) == 0 or not np.isin(events["ev"] & 0xFF, (10, 11, 12, 13)).any():
            queue = RiskAverseQueue()
        tape = Tape.build(events, INSTRUMENT, source="fuzz")
        return Asset(tape, latency=latency, queue=queue, fees=fees, last_trades_capacity=1)
    events = Synthetic(seed, max(rows, 1)).events()[: rows or 0]
    if rng.random() < 0.1:
        events["exch_ts"] = events["local_ts"] = 1_000  # everything at once
    tick_range = (995, 1_005) if rng.random() < 0.2 else None
    exchange = (NoPartialFill(), PartialFill(), PartialFill(honest=True))[int(rng.integers(0, 3))]
    queue = (RiskAverseQueue(), PowerQueue3(2.5), LogQueue())[int(rng.integers(0, 3))]
    balances = (1_000, 2_000_000) if rng.random() < 0.2 else None
    tape = Tape.build(events, INSTRUMENT, source="fuzz", tick_range=tick_range)
    return Asset(
        tape, latency=latency, queue=queue, exchange=exchange, fees=fees, balances=balances, last_trades_capacity=1
    )


def check(player: Player, handles: list[Any], asset: Asset) -> None:
    """Look at what must hold after every run, whatever was asked."""
    result = read_results(player.hbt, handles, [asset], [asset.load()])[0]
    state, fills = result.state[0], result.fills
    if int(state["position_lots"]) != int((fills["side"].astype(np.int64) * fills["lots"]).sum()):
        raise AssertionError("the position is not the sum of the fills")
    if int(state["num_trades"]) != len(fills) or int(state["volume_lots"]) != int(fills["lots"].sum()):
        raise AssertionError("the totals are not those of the fills")
    if (fills["lots"] <= 0).any():
        raise AssertionError("a fill of nothing")


def play(seed: int, calls: int = 150) -> Counter[str]:
    """Play one run; return how often each outcome came up."""
    rng = np.random.default_rng([seed, 77])
    asset = asset_of(rng)
    hbt, handles = build_backtester([asset], [asset.load()])
    player = Player(hbt, rng, int(hbt.current_timestamp))
    seen: Counter[str] = Counter()
    for _ in range(calls):
        try:
            returned = player.call()
        except IndexError as e:
            # Numba's own IndexError, of an index past the end of an array, is what this looks for.
            if str(e) != "asset number out of range; assets count from 0":
                raise
            seen["IndexError"] += 1
            continue
        if isinstance(returned, int | np.integer):
            seen[CODE_NAMES.get(int(returned), f"code {returned}")] += 1
        now = int(hbt.current_timestamp)
        if now < player.now:
            raise AssertionError(f"the clock went back from {player.now} to {now}")
        player.now = now
    check(player, handles, asset)
    return seen


def main() -> None:
    """Play so many runs and print what came up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; one run, one seed")
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    for seed in range(options.seed, options.seed + options.runs):
        try:
            seen += play(seed)
        except Exception:
            sys.stderr.write(f"python -m tests.fuzz.engine --runs 1 --seed {seed}\n")
            raise
    print(f"{options.runs:,} runs: " + ", ".join(f"{count:,} {what}" for what, count in seen.most_common()))


if __name__ == "__main__":
    main()
