"""A random market by price (L2) for tests of tapes: rows of every kind, of one half or both, on the grid or off it."""

from __future__ import annotations

import numpy as np

from queuefront.core import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

_KINDS = (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT)
_WEIGHTS = (0.7, 0.05, 0.2, 0.05)
_STEPS_NS = (0, 1, 1_000, 40_000_000, 3_000_000_000)  # within a message, a stream, and silences


def price_market(seed: int, count: int, *, off_grid: bool = False) -> np.ndarray:
    """Return `count` EVENT rows, in order of time for both halves, of tick and lot size 1."""
    rng = np.random.default_rng([seed, 5])
    rows = np.zeros(count, EVENT)
    kinds = rng.choice(_KINDS, count, p=_WEIGHTS).astype(np.uint64)
    sides = rng.choice([BUY_EVENT, SELL_EVENT], count).astype(np.uint64)
    sides[(kinds == TRADE_EVENT) | (kinds == DEPTH_CLEAR_EVENT)] &= rng.choice(np.array([0, 2**64 - 1], np.uint64))
    halves = rng.choice([EXCH_EVENT | LOCAL_EVENT, EXCH_EVENT, LOCAL_EVENT], count, p=[0.8, 0.1, 0.1]).astype(np.uint64)
    rows["ev"] = kinds | sides | halves
    rows["exch_ts"] = 10**18 + np.cumsum(rng.choice(_STEPS_NS, count))
    rows["local_ts"] = rows["exch_ts"] + int(rng.choice([0, 7, 5_000_000]))
    around = np.where(sides == BUY_EVENT, 100, 104) + rng.integers(-5, 6, count)
    rows["px"] = around + np.cumsum(rng.integers(-1, 2, count))
    rows["qty"] = rng.integers(0, 6, count)
    is_clear = kinds == DEPTH_CLEAR_EVENT
    rows["qty"][is_clear] = 0
    rows["px"][is_clear & (rng.random(count) < 0.5)] = np.nan
    for i in np.flatnonzero(rng.random(count) < 0.1)[1:]:  # what repeats the row before is counted in a passport
        rows[i] = rows[i - 1]
    if off_grid:
        rows["px"][rng.random(count) < 0.05] += 0.25
        rows["qty"][(rng.random(count) < 0.05) & ~is_clear] += 0.25
    return rows
