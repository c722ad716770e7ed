"""From a tape and models to a backtest that is ready to run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.bot import INVERSE_SCALE, LAYOUT, link_entries
from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.dtypes import ASSET_SPEC, ASSET_STATE, CLOCK, LATENCY
from queuefront.core.enums import CONTRACT_LINEAR, FEE_QTY, FEE_VALUE
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number
from queuefront.core.jit import compiled
from queuefront.feed import Tape, opening_book
from queuefront.sim.asset import new_asset
from queuefront.sim.depth import ReplayDepth
from queuefront.sim.loop_compiled import Backtester, record_samples
from queuefront.sim.models import (
    ConstantLatency,
    ExchangeModel,
    FeeModel,
    InterpolatedLatency,
    LatencyModel,
    NoPartialFill,
    QueueModel,
    RiskAverseQueue,
    ValueFees,
)

__all__ = ["ASSET_COUNT_MAX", "Asset", "AssetResult", "build_backtester", "read_error_code", "read_results"]

ASSET_COUNT_MAX: Final = 4096
_AMOUNT_MAX: Final = 4.0e18
_LOTS_MAX: Final = 2.0**43  # sums of half a million orders in flight stay far within int64
_FEE_MAX: Final = 7.0e18


@dataclass(frozen=True)
class Asset:
    """One asset of a backtest: its market, and the models of the exchange that it is replayed on.

    Parameters
    ----------
    tape : a `Tape`, or the path of one.
    latency, queue, exchange, fees : models, see docs/models.md.
    tick_size, lot_size, contract, multiplier : override the tape's instrument. Another grid makes the tape anew, in memory.
    last_trades_capacity : above 0, the strategy sees the market's trades.
    """

    tape: Tape | str | os.PathLike[str]
    latency: LatencyModel = field(default_factory=ConstantLatency)
    queue: QueueModel = field(default_factory=RiskAverseQueue)
    exchange: ExchangeModel = field(default_factory=NoPartialFill)
    fees: FeeModel = field(default_factory=ValueFees)
    tick_size: Number | None = None
    lot_size: Number | None = None
    contract: str | None = None
    multiplier: Number | None = None
    last_trades_capacity: int = 0

    def load(self) -> Tape:
        """Return the tape with the overrides applied.

        Raises
        ------
        ConfigError, DataError
            If the tape cannot be read or an override does not fit it.
        """
        tape = self.tape if isinstance(self.tape, Tape) else Tape.open(Path(self.tape))
        changed = tape.instrument.override(
            tick_size=self.tick_size, lot_size=self.lot_size, contract=self.contract, multiplier=self.multiplier
        )
        if changed == tape.instrument:
            return tape
        if (changed.tick_size, changed.lot_size) != (tape.instrument.tick_size, tape.instrument.lot_size):
            source = str(tape.meta.get("source", self.tape))
            return Tape.build(
                tape.to_events(), changed, source=source, account=tape.meta.get("account"), opening=tape.opening
            )
        return tape.with_instrument(changed)


@dataclass(frozen=True)
class AssetResult:
    """What one asset's run left behind: raw records, see `core.dtypes`, and the units of their money."""

    instrument: Instrument
    fills: npt.NDArray[np.void]
    changes: npt.NDArray[np.void]
    samples: npt.NDArray[np.void]
    state: npt.NDArray[np.void]
    amount_unit: float
    fee_unit: float


def _spec(asset: Asset, tape: Tape) -> npt.NDArray[np.void]:
    instrument = tape.instrument
    spec = np.zeros(1, ASSET_SPEC)
    row = spec[0]
    row["tick_size"], row["lot_size"] = float(instrument.tick_size), float(instrument.lot_size)
    row["tick_numerator"], row["tick_denominator"] = instrument.tick_ratio
    row["lot_numerator"], row["lot_denominator"] = instrument.lot_ratio
    row["contract"] = instrument.contract_code
    latency = asset.latency
    row["latency_model"] = latency.code
    if isinstance(latency, ConstantLatency):
        row["entry_latency_ns"], row["response_latency_ns"] = latency.entry_ns, latency.response_ns
    row["queue_model"], row["queue_exponent"] = asset.queue.code, asset.queue.n
    row["exchange_model"], row["books_only_filled"] = asset.exchange.code, asset.exchange.books_only_filled
    row["fee_model"] = asset.fees.code
    row["maker_fee_rate_e9"], row["taker_fee_rate_e9"] = rates = _fee_rates(asset.fees, instrument)[:2]
    amount_unit, fee_unit = _money_units(instrument, asset.fees)
    row["amount_unit"], row["fee_unit"] = float(amount_unit), float(fee_unit)
    if len(tape.levels):
        row["tick_low"], row["tick_high"] = tape.levels[0], tape.levels[-1]
    worst_rate = max(1, *(abs(r) for r in rates))
    if instrument.contract_code == CONTRACT_LINEAR:
        row["amount_max"] = _AMOUNT_MAX / (worst_rate if asset.fees.code == FEE_VALUE else 1)
    else:
        # A fee is amount × rate / 1e5 and must fit as well.
        row["amount_max"] = min(_AMOUNT_MAX, _AMOUNT_MAX * 1e5 / worst_rate) / INVERSE_SCALE
    row["lots_max"] = min(_LOTS_MAX, _FEE_MAX / worst_rate) if asset.fees.code == FEE_QTY else _LOTS_MAX
    row["trades_capacity"] = asset.last_trades_capacity
    row["last_exch_ts"] = _or(tape.meta["last_exch_ts"], INT64_MIN)
    row["last_local_ts"] = _or(tape.meta["last_local_ts"], INT64_MIN)
    return spec


def _fee_rates(fees: FeeModel, instrument: Instrument) -> tuple[int, int, int]:
    """Return (maker, taker, step): rates as multiples of step × 1e-9.

    On a linear notional the step is the rates' greatest common divisor, so that fees stay exact and large orders still fit.
    """
    maker, taker = fees.rates_e9()
    if fees.code != FEE_VALUE or instrument.contract_code != CONTRACT_LINEAR:
        return maker, taker, 1
    step = gcd(maker, taker) or 1
    return maker // step, taker // step, step


def _money_units(instrument: Instrument, fees: FeeModel) -> tuple[Fraction, Fraction]:
    """Return (amount unit, fee unit) in currency, see `bot.money_compiled`."""
    tick, lot, multiplier = (Fraction(x) for x in (instrument.tick_size, instrument.lot_size, instrument.multiplier))
    is_linear = instrument.contract_code == CONTRACT_LINEAR
    amount_unit = multiplier * tick * lot if is_linear else multiplier * lot / tick / INVERSE_SCALE
    if fees.code == FEE_VALUE:
        step = _fee_rates(fees, instrument)[2]
        return amount_unit, amount_unit * step / 10**9 if is_linear else amount_unit / 10**4
    return amount_unit, lot / 10**9 if fees.code == FEE_QTY else Fraction(1, 10**9)


def _or(value: Any, default: int) -> int:
    return default if value is None else int(value)


@compiled
def _new_depth(asset):
    return ReplayDepth(asset)


@compiled
def _new_backtester(clock, assets, depths):
    return Backtester(clock, assets, depths)


@compiled
def _records_of(a):
    state = a.state[0]
    return (
        a.state.copy(),
        a.fills[: state["fill_count"]].copy(),
        a.changes[: state["change_count"]].copy(),
        a.samples[: state["sample_count"]].copy(),
    )


def _prepare(asset: Asset, tape: Tape, *, records: bool) -> Any:
    spec, state = _spec(asset, tape), np.zeros(1, ASSET_STATE)
    spec["records_orders"], spec["records_fills"] = records, records
    bid_lots, ask_lots, start = opening_book(tape.opening, tape.levels, tape.instrument)
    exch_lots = np.zeros(2 * len(tape.levels), np.int64)
    if tape.opening is not None:
        exch_lots[0::2], exch_lots[1::2] = bid_lots, ask_lots
    row = state[0]
    row["local_feed_row"] = row["own_best_bid_level"] = -1
    row["own_best_ask_level"] = 2**31 - 1
    row["reached_ts"] = INT64_MIN
    row["opening_bid_level"], row["opening_ask_level"] = start[0], start[1]
    latency = asset.latency
    rows = latency.rows if isinstance(latency, InterpolatedLatency) else _NO_ROUNDS
    answered = latency.answered_rows if isinstance(latency, InterpolatedLatency) else _NO_ROUNDS
    return new_asset(
        LAYOUT,
        spec,
        state,
        (tape.ev, tape.op, tape.exch_ts, tape.local_ts, tape.level, tape.lots),
        (tape.best_bid_exch, tape.best_ask_exch, tape.best_bid_local, tape.best_ask_local),
        tape.levels,
        exch_lots,
        exch_lots.copy() if tape.opening is not None else np.zeros_like(exch_lots),
        rows,
        answered,
    )


@compiled
def read_error_code(hbt):
    """Return the first error inside the engine, 0 for none."""
    return hbt.clock["error_code"][0]


_NO_ROUNDS: Final = np.zeros(0, LATENCY)
_NO_ROUNDS.flags.writeable = False


def build_backtester(
    assets: Sequence[Asset], tapes: Sequence[Tape], *, records: bool = True, sample_every_ns: int = 0
) -> tuple[Backtester, list[Any]]:
    """Return a backtest before its first event, and the handles of its assets for `read_results`.

    Parameters
    ----------
    assets, tapes : the assets and the tapes that `Asset.load` gave.
    records : keep every fill and order change.
    sample_every_ns : keep the state of every asset at the first call that ends this much later; 0 for never.

    Raises
    ------
    ConfigError
        For no assets, or too many.
    """
    if not 0 < len(assets) <= ASSET_COUNT_MAX:
        raise ConfigError(f"a backtest has {len(assets)} assets; give between 1 and {ASSET_COUNT_MAX}")
    handles = [_prepare(asset, tape, records=records) for asset, tape in zip(assets, tapes, strict=True)]
    clock = np.zeros(1, CLOCK)
    starts = [t for tape in tapes for t in (tape.meta["first_exch_ts"], tape.meta["first_local_ts"]) if t is not None]
    clock["now"] = clock["next_sample_ts"] = min(starts, default=INT64_MAX)
    clock["sample_every_ns"] = sample_every_ns
    depths = tuple(_new_depth(a) for a in handles)
    hbt = _new_backtester(clock, tuple(handles), depths)
    link_entries(hbt)
    return hbt, handles


def read_results(
    hbt: Backtester, handles: Sequence[Any], assets: Sequence[Asset], tapes: Sequence[Tape]
) -> list[AssetResult]:
    """Return what a run left behind, with a last sample of the state as it is now."""
    record_samples(hbt)
    results = []
    for handle, asset, tape in zip(handles, assets, tapes, strict=True):
        state, fills, changes, samples = _records_of(handle)
        amount_unit, fee_unit = _money_units(tape.instrument, asset.fees)
        results.append(AssetResult(tape.instrument, fills, changes, samples, state, float(amount_unit), float(fee_unit)))
    return results
