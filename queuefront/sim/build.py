"""From a tape and models to a backtest that is ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.bot import LAYOUT, link_entries
from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.dtypes import ASSET_SPEC, ASSET_STATE, CLOCK, FEE_TIER, FILL, LATENCY, ORDER_CHANGE, SAMPLE, SERIES
from queuefront.core.enums import CONTRACT_LINEAR, FEE_DIRECTIONAL_QTY, FEE_QTY, FEE_VALUE
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number, exact
from queuefront.core.jit import compiled
from queuefront.core.money import E18, INVERSE_SCALE, amount_unit
from queuefront.feed import ORDER_COLUMNS, Tape, opening_book
from queuefront.sim import surface  # noqa: F401 - gives Backtester its methods
from queuefront.sim.asset import Asset
from queuefront.sim.depth import ReplayDepth
from queuefront.sim.fees import FeeModel, FlatFees, fee_table
from queuefront.sim.funding import funding_table
from queuefront.sim.hooks import ModelFunctions
from queuefront.sim.latencies import ConstantLatency, InterpolatedLatency, SampledLatency
from queuefront.sim.loop_compiled import Backtester, record_samples
from queuefront.sim.models import FifoQueue
from queuefront.sim.own import OwnFees, hooks_of
from queuefront.sim.replay_asset import new_asset

__all__ = [
    "ASSET_COUNT_MAX",
    "AssetResult",
    "build_backtester",
    "read_changes",
    "read_error_code",
    "read_results",
    "read_series",
]

ASSET_COUNT_MAX: Final = 4096
_AMOUNT_MAX: Final = 4.0e18
_LOTS_MAX: Final = 2.0**43  # sums of half a million orders in flight stay far within int64
_FEE_MAX: Final = 7.0e18


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
    traces: npt.NDArray[np.void]


def _spec(asset: Asset, tape: Tape, tables: Tables) -> npt.NDArray[np.void]:
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
        row["cancel_latency_ns"] = _or(latency.cancel_ns, latency.entry_ns)
        row["modify_latency_ns"] = _or(latency.modify_ns, latency.entry_ns)
    row["queue_model"], row["queue_exponent"] = asset.queue.code, asset.queue.n
    row["skips_improving"] = isinstance(asset.queue, FifoQueue) and asset.queue.skips_improving
    row["exchange_model"], row["books_only_filled"] = asset.exchange.code, asset.exchange.books_only_filled
    row["is_honest"], row["keeps_balances"] = asset.exchange.honest, asset.balances is not None
    row["fee_model"] = asset.fees.code
    row["amount_unit"], row["fee_unit"] = float(tables.amount_unit), float(tables.fee_unit)
    if len(tape.levels):
        row["tick_low"], row["tick_high"] = tape.levels[0], tape.levels[-1]
    row["amount_max"], row["lots_max"] = _limits(asset.fees, instrument, tables.fee_tiers)
    row["range_low"], row["range_high"] = tape.tick_range or (INT64_MIN, INT64_MAX)
    row["is_by_order"], row["order_count"] = tape.is_by_order, tape.meta.get("orders", 0)
    row["trades_capacity"] = asset.last_trades_capacity
    row["last_exch_ts"] = _or(tape.meta["last_exch_ts"], INT64_MIN)
    row["last_local_ts"] = _or(tape.meta["last_local_ts"], INT64_MIN)
    return spec


@dataclass(frozen=True)
class Tables:
    """What an asset's money is computed from."""

    fee_tiers: npt.NDArray[np.void]
    funding: npt.NDArray[np.void]
    amount_unit: Fraction
    fee_unit: Fraction


def _tables(asset: Asset, instrument: Instrument) -> Tables:
    fees = FlatFees() if isinstance(asset.fees, OwnFees) else asset.fees
    fee_tiers, fee_unit = fee_table(fees, instrument)
    return Tables(fee_tiers, funding_table(asset.funding, instrument), amount_unit(instrument), fee_unit)


def _limits(fees: FeeModel | OwnFees, instrument: Instrument, tiers: npt.NDArray[np.void]) -> tuple[float, float]:
    """Return the largest (notional, lots) of an order, so that no product in booking it leaves int64."""
    rates = [int(abs(tier[name])) for tier in tiers for name in FEE_TIER.names or () if name.endswith("_e9")]
    worst_rate = max(1, *rates)
    if instrument.contract_code == CONTRACT_LINEAR:
        amount_max = _AMOUNT_MAX / (worst_rate if fees.code == FEE_VALUE else 1)
    else:
        # A fee is amount × rate / 1e5 and must fit as well.
        amount_max = min(_AMOUNT_MAX, _AMOUNT_MAX * 1e5 / (worst_rate if fees.code == FEE_VALUE else 1)) / INVERSE_SCALE
    if fees.code == FEE_DIRECTIONAL_QTY:  # half of what fits for each of the two parts
        scale = 1 if instrument.contract_code == CONTRACT_LINEAR else INVERSE_SCALE
        added = max(abs(int(tiers[name][0])) + 1 for name in ("buyer_whole", "seller_whole"))
        return min(amount_max, _FEE_MAX / 2 / added / scale), min(_LOTS_MAX, _FEE_MAX / 2 / worst_rate)
    return amount_max, min(_LOTS_MAX, _FEE_MAX / worst_rate) if fees.code == FEE_QTY else _LOTS_MAX


def _or(value: Any, default: int) -> int:
    return default if value is None else int(value)


@compiled
def _new_depth(asset):
    return ReplayDepth(asset)


@compiled
def _new_backtester(clock, assets, depths):
    return Backtester(clock, assets, depths, np.zeros(0, SERIES))


@compiled
def _records_of(a):
    state = a.state[0]
    return (
        a.state.copy(),
        a.fills[: state["fill_count"]],
        a.changes[: state["change_count"]],
        a.samples[: state["sample_count"]],
        a.traces[: state["trace_count"]],
    )


def _range_views(tape: Tape) -> tuple[npt.NDArray[np.float64], ...]:
    """Return what shows a bounded book's quantities, to write and to read: bids, asks, bids, asks. Empty without bounds."""
    count = 0 if tape.tick_range is None else tape.tick_range[1] - tape.tick_range[0] + 1
    written = np.zeros(count), np.zeros(count)  # the system gives memory to a page when it is first written
    return (*written, *(_read_only_view(array) for array in written))


def _read_only_view(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    view = array.view()
    view.flags.writeable = False
    return view


def _room(count: int) -> tuple[npt.NDArray[np.void], ...]:
    """Return room for fills, order changes and samples of one of `count` assets; it grows as needed.

    NumPy takes large arrays from the machine in huge pages, and untouched ones cost nothing. Growing from small ones in
    compiled code took a tenth of a run.
    """
    many = 2**18 if count <= 8 else 2**10  # 30 MB of addresses each
    return np.zeros(many // 4, FILL), np.zeros(many, ORDER_CHANGE), np.zeros(many // 4, SAMPLE)


def _prepare(asset: Asset, tape: Tape, room: tuple[npt.NDArray[np.void], ...], *, records: bool, traces: bool) -> Any:
    tables = _tables(asset, tape.instrument)
    spec, state = _spec(asset, tape, tables), np.zeros(1, ASSET_STATE)
    spec["records_orders"], spec["records_fills"], spec["traces"] = records, records, traces
    bid_lots, ask_lots, start = opening_book(tape.opening, tape.levels, tape.instrument)
    exch_lots = np.zeros(2 * len(tape.levels), np.int64)
    exch_lots[0::2], exch_lots[1::2] = bid_lots, ask_lots
    row = state[0]
    row["local_feed_row"] = row["own_best_bid_level"] = -1
    row["own_best_ask_level"] = 2**31 - 1
    row["reached_ts"], row["range_row"] = INT64_MIN, -1
    row["opening_bid_level"], row["opening_ask_level"] = start[0], start[1]
    if asset.balances is not None:
        _open_balances(row, asset.balances, tape.instrument, tables.amount_unit)
    index = tape.index
    hooks, params = hooks_of(asset.queue, asset.latency, asset.fees, asset.exchange)
    return new_asset(
        LAYOUT,
        spec,
        state,
        ModelFunctions(hooks),
        (tables.fee_tiers, tables.funding),
        (tape.ev, tape.op, tape.exch_ts, tape.local_ts, tape.level, tape.lots),
        (tape.best_bid_exch, tape.best_ask_exch, tape.best_bid_local, tape.best_ask_local),
        tape.levels,
        _prior_columns(tape),
        (
            index.places.rows_by_place,
            index.places.place_starts,
            index.block_exch_ts,
            index.block_local_ts,
            index.block_high,
            index.block_low,
        ),
        (exch_lots, np.zeros(len(exch_lots) if asset.exchange.honest else 0, np.int64), exch_lots.copy()),
        _latency_tables(asset.latency, row),
        room,
        params,
        _range_views(tape),
    )


def _open_balances(row: Any, balances: tuple[Number, Number], instrument: Instrument, unit: Fraction) -> None:
    if instrument.contract_code != CONTRACT_LINEAR:
        raise ConfigError(f"{instrument.venue}:{instrument.symbol} is no spot market and has no balances; leave them out")
    base = instrument.qty_to_lots(balances[0])
    quote = Fraction(exact(balances[1], "the quote balance")) // unit
    if base < 0 or quote < 0:
        raise ConfigError(f"the balances are {balances[0]} and {balances[1]}; none can be negative")
    row["free_base_lots"] = base
    row["free_quote_high"], row["free_quote_low"] = divmod(int(quote), E18)


def _latency_tables(latency: Any, row: Any) -> tuple[npt.NDArray[Any], ...]:
    """Return (rows, answered rows, entry samples, response samples), and set the seeds of the draws."""
    if isinstance(latency, InterpolatedLatency):
        return latency.rows, latency.answered_rows, _NO_SAMPLES, _NO_SAMPLES
    if isinstance(latency, SampledLatency):
        # Both seeds must lie between 1 and the generator's moduli.
        row["random_0"], row["random_1"] = latency.seed + 1, latency.seed + 2
        return _NO_ROUNDS, _NO_ROUNDS, np.asarray(latency.entry_ns), np.asarray(latency.response_ns)
    return _NO_ROUNDS, _NO_ROUNDS, _NO_SAMPLES, _NO_SAMPLES


def _prior_columns(tape: Tape) -> tuple[npt.NDArray[Any], ...]:
    """Return the tape's columns of orders; empty, of the same types, unless it is by order."""
    count = len(tape) if tape.is_by_order else 0
    columns = []
    for name, kind in _PRIOR.items():
        column = tape.extra.get(name, np.zeros(count, kind)) if tape.is_by_order else np.zeros(0, kind)
        column = column.view(kind)  # an order id by its bits: compiled code has no unsigned integers
        column.flags.writeable = False
        columns.append(column)
    return tuple(columns)


@compiled
def read_series(hbt):
    """Return what the strategy recorded for itself, SERIES[n], a copy."""
    return hbt.series[: hbt.clock["series_count"][0]].copy()


@compiled
def read_changes(handle, since):
    """Return the order changes that an asset recorded from number `since` on, ORDER_CHANGE[n], a copy.

    handle : one of those that `build_backtester` gave.   since : int64, 0 for all of them.
    """
    return handle.changes[since : handle.state["change_count"][0]].copy()


@compiled
def read_error_code(hbt):
    """Return the first error inside the engine, 0 for none."""
    return hbt.clock["error_code"][0]


_PRIOR: Final = {
    "order_no": np.int32,
    "order_id": np.int64,
    **{name: kind for name, kind in ORDER_COLUMNS.items() if name != "order_no"},
}
_NO_ROUNDS: Final = np.zeros(0, LATENCY)
_NO_ROUNDS.flags.writeable = False
_NO_SAMPLES: Final = np.zeros(0, np.int64)
_NO_SAMPLES.flags.writeable = False


def build_backtester(
    assets: Sequence[Asset],
    tapes: Sequence[Tape],
    *,
    records: bool = True,
    sample_every_ns: int = 0,
    traces: bool = False,
    charges_compute: bool = False,
) -> tuple[Backtester, list[Any]]:
    """Return a backtest before its first event, and the handles of its assets for `read_results`.

    Parameters
    ----------
    assets, tapes : the assets and the tapes that `Asset.load` gave.
    records : keep every fill and order change.
    sample_every_ns : keep the state of every asset at the first call that ends this much later; 0 for never.
    traces : keep everything that happens to our orders at the exchange.
    charges_compute : let the processor time that the strategy spends between its calls pass in the simulation.

    Raises
    ------
    ConfigError
        For no assets, or too many.
    """
    if not 0 < len(assets) <= ASSET_COUNT_MAX:
        raise ConfigError(f"a backtest has {len(assets)} assets; give between 1 and {ASSET_COUNT_MAX}")
    handles = [
        _prepare(asset, tape, _room(len(assets)), records=records, traces=traces)
        for asset, tape in zip(assets, tapes, strict=True)
    ]
    clock = np.zeros(1, CLOCK)
    starts = [t for tape in tapes for t in (tape.meta["first_exch_ts"], tape.meta["first_local_ts"]) if t is not None]
    clock["now"] = clock["next_sample_ts"] = min(starts, default=INT64_MAX)
    clock["sample_every_ns"] = sample_every_ns
    clock["charges_compute"], clock["compute_mark_us"] = charges_compute, -1
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
        state, fills, changes, samples, traces = _records_of(handle)
        tables = _tables(asset, tape.instrument)
        units = float(tables.amount_unit), float(tables.fee_unit)
        results.append(AssetResult(tape.instrument, fills, changes, samples, state, *units, traces))
    return results
