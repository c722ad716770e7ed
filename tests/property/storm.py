"""Random order storms: drawn from a seed, driven from Python, and logged call by call.

Run as a module it prints a digest of everything that some storms left behind, for comparison between processes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from queuefront.core import Instrument
from queuefront.core.enums import ALL_ASSETS, FOK, GTC, GTX, IOC, LIMIT, MARKET, NO_ASK_TICK, NO_BID_TICK
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    AssetResult,
    ConstantLatency,
    FlatFees,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    QtyFees,
    RiskAverseQueue,
    ValueFees,
    build_backtester,
    read_results,
)
from tests.differential.markets import Synthetic

LINEAR = Instrument("venue", "LIN", "0.5", "0.25", multiplier="3", base="A", quote="B")
INVERSE = Instrument("venue", "INV", "0.5", "1", contract="inverse", multiplier="100", base="A", quote="B")
CONTRACTS = {"linear": LINEAR, "inverse": INVERSE}
EXCHANGES = {"no partial fill": NoPartialFill(), "partial fill": PartialFill()}
FEES = {"value": ValueFees("-0.00005", "0.000753"), "quantity": QtyFees("0.02", "0.05"), "flat": FlatFees("0.1", "-0.25")}
QUEUES = (RiskAverseQueue(), PowerQueue(2.0), LogQueue2())

Action = tuple[Any, ...]


@lru_cache(maxsize=32)
def tape_of(seed: int, contract: str, rows: int | None = None) -> Tape:
    """Return a random market on a contract's grid; with `rows`, only its first ones."""
    instrument = CONTRACTS[contract]
    grid = float(instrument.tick_size), float(instrument.lot_size)
    return Tape.build(Synthetic(seed, 800, *grid).events()[:rows], instrument, source=f"seed {seed}")


def asset_of(seed: int, contract: str, exchange: str, fees: str, *, rows: int | None = None) -> Asset:
    """Return the asset that a seed stands for: its market, its latencies and its queue model."""
    rng = np.random.default_rng([seed, 1])
    entry_ns, response_ns = (int(x) for x in rng.choice([0, 3, 40], 2))
    return Asset(
        tape_of(seed, contract, rows),
        latency=ConstantLatency(entry_ns, response_ns),
        queue=QUEUES[seed % len(QUEUES)],
        exchange=EXCHANGES[exchange],
        fees=FEES[fees],
    )


def storm_of(seed: int, length: int, *, waits_for_feed: bool = True) -> list[Action]:
    """Draw actions. Submissions count their order ids up from 1; other actions name an order by how recent it is."""
    rng = np.random.default_rng([seed, 2])
    names = ["elapse", "submit", "cancel", "modify", "wait response", "clear", "wait feed"]
    weights = np.array([0.34, 0.34, 0.08, 0.08, 0.05, 0.05, 0.06 if waits_for_feed else 0.0])
    actions: list[Action] = [("elapse", 1)]
    for name in rng.choice(names, length, p=weights / weights.sum()):
        recent, offset, lots = int(rng.integers(0, 6)), int(rng.integers(-3, 4)), int(rng.integers(1, 12))
        duration = int(rng.choice([0, 1, 10, 60, 250]))
        waits = bool(rng.random() < 0.15)
        if name == "submit":
            side = int(rng.choice([-1, 1]))
            tif = int(rng.choice([GTC, GTC, GTC, GTX, FOK, IOC]))
            kind = MARKET if rng.random() < 0.06 else LIMIT
            actions.append(("submit", side, offset, lots, tif, kind, waits))
        elif name == "modify":
            actions.append(("modify", recent, offset, lots, waits))
        elif name == "cancel":
            actions.append(("cancel", recent, waits))
        elif name == "wait response":
            actions.append(("wait response", recent, duration))
        elif name == "wait feed":
            actions.append(("wait feed", waits, duration))
        else:
            actions.append((str(name), duration))
    return actions


@dataclass
class Outcome:
    """What a storm left behind."""

    results: list[AssetResult]
    log: list[tuple[Any, ...]] = field(default_factory=list)  # after each call: code, time, bests, money, orders
    lots_asked: dict[int, int] = field(default_factory=dict)  # order id: lots of its submission and of its modifications
    modified: set[int] = field(default_factory=set)

    def digest(self) -> str:
        """Return a hash of every byte of it."""
        parts = [repr(self.log).encode()]
        for result in self.results:
            parts += [table.tobytes() for table in (result.fills, result.changes, result.samples, result.state)]
        return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()


def play(assets: Sequence[Asset], actions: Sequence[Action]) -> Outcome:
    """Play a storm on the first asset."""
    tapes = [asset.load() for asset in assets]
    hbt, handles = build_backtester(assets, tapes)
    outcome = Outcome([])
    instrument = tapes[0].instrument
    for action in actions:
        code = _act(hbt, instrument, action, outcome)
        depth = hbt.depth(0)
        bests = int(depth.best_bid_tick), int(depth.best_ask_tick)
        orders = [(int(o.order_id), int(o.status), int(o.req), float(o.leaves_qty)) for o in hbt.orders(0)]
        outcome.log.append((code, int(hbt.current_timestamp), bests, tuple(hbt.state_values(0)), orders))
    outcome.results = read_results(hbt, handles, assets, tapes)
    return outcome


def _act(hbt: Any, instrument: Instrument, action: Action, outcome: Outcome) -> int:
    name, *arguments = action
    newest = len(outcome.lots_asked)
    if name == "elapse":
        return int(hbt.elapse(arguments[0]))
    if name == "wait feed":
        return int(hbt.wait_next_feed(*arguments))
    if name == "clear":
        hbt.clear_inactive_orders(ALL_ASSETS)
        return 0
    if name == "submit":
        side, offset, lots, tif, kind, waits = arguments
        outcome.lots_asked[newest + 1] = lots
        send = hbt.submit_buy_order if side > 0 else hbt.submit_sell_order
        price, qty = _price(hbt, instrument, side, offset), float(instrument.lots_to_qty(lots))
        return int(send(0, newest + 1, price, qty, tif, kind, waits))
    order_id = newest - arguments[0]
    if name == "cancel":
        return int(hbt.cancel(0, order_id, arguments[1]))
    if name == "wait response":
        return int(hbt.wait_order_response(0, order_id, arguments[1]))
    _, offset, lots, waits = arguments
    if order_id in outcome.lots_asked:
        outcome.lots_asked[order_id] += lots
        outcome.modified.add(order_id)
    price, qty = _price(hbt, instrument, 1 if order_id % 2 else -1, offset), float(instrument.lots_to_qty(lots))
    return int(hbt.modify(0, order_id, price, qty, waits))


def _price(hbt: Any, instrument: Instrument, side: int, offset: int) -> float:
    depth = hbt.depth(0)
    tick = int(depth.best_bid_tick if side > 0 else depth.best_ask_tick)
    if tick in (NO_BID_TICK, NO_ASK_TICK):
        tick = 1_000
    return float(instrument.tick_to_price(tick + offset))


def digests() -> list[str]:
    """Return the digest of a storm of each contract and exchange model."""
    kinds = itertools.product(CONTRACTS, EXCHANGES)
    return [
        play([asset_of(seed, contract, exchange, "value")], storm_of(seed, 120)).digest()
        for seed, (contract, exchange) in enumerate(kinds)
    ]


if __name__ == "__main__":
    print("\n".join(digests()))
