"""A synthetic market, for tests, examples and measurements: seeded, and the same bytes everywhere.

It looks like an L2 feed (a snapshot, then depth changes and trades, each with two times) and obeys its rules: the book
never crosses in exchange order, prices and quantities lie on the grid, and both times never go back. It is no model of any
market; nothing learned on it carries over. The rules are those of `synth_compiled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.core.dtypes import EVENT
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument
from queuefront.feed.clean import correct_event_order
from queuefront.feed.synth_compiled import M1, M2, PARAMETER_SLOTS, simulate

__all__ = ["SynthConfig", "seed_words", "synthesize", "synthetic_instrument"]

_TICKS: Final = 2**16  # the market's room; the efficient price is held within
_LEVELS_MAX: Final = 1000
_MASK: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class SynthConfig:
    """What market to draw.

    `events` counts rows, the opening snapshot included. Sizes are means; a `market_share` of the steps are market orders,
    the rest are limit orders and cancellations at 6 to 5.
    """

    seed: int = 1
    events: int = 100_000
    tick_size: str = "0.1"
    lot_size: str = "0.001"
    mid_price: str = "60000"
    start_ts: int = 1_700_000_000 * NS_PER["s"]
    levels: int = 30
    steps_per_s: float = 250.0
    excitement: float = 0.05  # share of the base rate that a market order adds for a while
    excitement_ms: float = 100.0
    volatility_ticks: float = 3.0  # per square root of a second
    market_share: float = 0.08
    level_lots: float = 400.0
    trade_lots: float = 150.0
    latency_us: float = 2_000.0
    jitter_us: float = 500.0

    def __post_init__(self) -> None:
        if not 2 <= self.levels <= _LEVELS_MAX:
            raise ConfigError(f"levels is {self.levels}; give 2 to {_LEVELS_MAX:,}")
        opening = 2 * self.levels + 2
        if self.events < opening:
            raise ConfigError(f"events is {self.events:,}; the opening snapshot alone takes {opening:,}")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; give a whole number from 0")
        for name in ("steps_per_s", "excitement_ms", "level_lots", "trade_lots"):
            if not 0.0 < getattr(self, name) < 1e9:
                raise ConfigError(f"{name} is {getattr(self, name)}; give a positive number below 1e9")
        for name in ("excitement", "volatility_ticks", "latency_us", "jitter_us"):
            if not 0.0 <= getattr(self, name) < 1e9:
                raise ConfigError(f"{name} is {getattr(self, name)}; give a number from 0 to 1e9")
        if not 0.0 <= self.market_share <= 0.5:
            raise ConfigError(f"market_share is {self.market_share}; give 0 to 0.5")
        if not 0 < self.start_ts < 2**62:
            raise ConfigError(f"start_ts is {self.start_ts:,}; give nanoseconds since 1970")


def synthetic_instrument(config: SynthConfig | None = None) -> Instrument:
    """Return the instrument that is traded: `synthetic:SYN`."""
    config = config or SynthConfig()
    return Instrument("synthetic", "SYN", Decimal(config.tick_size), Decimal(config.lot_size), base="SYN", quote="USD")


def synthesize(config: SynthConfig) -> npt.NDArray[Any]:
    """Draw the market; return `EVENT` rows ready for replay, read-only.

    Raises
    ------
    ConfigError
        If the market's room of prices would reach down to zero.
    """
    instrument = synthetic_instrument(config)
    mid_tick = instrument.price_to_tick(config.mid_price)
    base_tick = mid_tick - _TICKS // 2
    if base_tick < 1:
        raise ConfigError(f"mid_price {config.mid_price} is {mid_tick:,} ticks; give at least {_TICKS // 2 + 1:,} ticks")
    out = np.zeros((5, config.events), np.int64)
    simulate(seed_words(config.seed), _parameters(config), config.levels, _TICKS, config.start_ts, out)
    ev, exch_ts, local_ts, tick, lots = out
    rows = np.zeros(config.events, EVENT)
    rows["ev"] = ev
    rows["exch_ts"] = exch_ts
    rows["local_ts"] = local_ts
    rows["px"] = instrument.prices(tick + base_tick)
    rows["qty"] = instrument.quantities(lots)
    events = correct_event_order(rows)
    events.setflags(write=False)
    return events


def _parameters(config: SynthConfig) -> npt.NDArray[np.float64]:
    rate = config.steps_per_s / NS_PER["s"]
    limit_share = (1.0 - config.market_share) * 6.0 / 11.0
    parameters = np.array(
        [
            rate,
            rate * config.excitement,
            1.0 / (config.excitement_ms * NS_PER["ms"]),
            config.volatility_ticks / float(NS_PER["s"]) ** 0.5,
            config.level_lots,
            config.trade_lots,
            config.latency_us * NS_PER["us"],
            config.jitter_us * NS_PER["us"],
            limit_share,
            1.0 - config.market_share - limit_share,
        ]
    )
    assert len(parameters) == PARAMETER_SLOTS
    return parameters


def seed_words(seed: int) -> npt.NDArray[np.int64]:
    """Spread a seed over the six words of the generator (SplitMix64, Steele 2014)."""
    words = []
    state = seed & _MASK
    for modulus in (M1, M1, M1, M2, M2, M2):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        words.append((z ^ (z >> 31)) % (modulus - 1) + 1)
    return np.array(words, np.int64)
