"""`BacktestAsset`: hftbacktest's chainable builder, on our engine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.tape_cache import cached_tape
from queuefront.core.clock import INT64_MAX
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import ContractKind
from queuefront.core.errors import ConfigError, DataError, TimestampRangeError
from queuefront.core.instrument import Instrument, exact
from queuefront.feed import RANGE_TICKS_MAX, PassportThresholds, Tape, read_events
from queuefront.sim import (
    Asset,
    Backtester,
    ConstantLatency,
    DirectionalFees,
    DirectionalQtyFees,
    ExchangeModel,
    FeeModel,
    FifoQueue,
    FlatFees,
    InterpolatedLatency,
    LatencyModel,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    QtyFees,
    QueueModel,
    RiskAverseQueue,
    ValueFees,
    build_backtester,
)

__all__ = ["BacktestAsset", "HashMapMarketDepthBacktest", "ROIVectorMarketDepthBacktest"]

#: Rows of kinds that hftbacktest does not know are the user's own.
_ALL_KINDS: Final = frozenset(range(256))

Data = str | os.PathLike[str] | npt.NDArray[np.void]


class BacktestAsset:
    """One asset of a backtest; every setter returns the asset.

    Differences from hftbacktest stand in docs/differences.md. Quantities that are no whole number of lots, and prices
    that are no whole number of ticks, are taken to the nearest, with a warning that counts them.
    """

    def __init__(self) -> None:
        self._parts: list[Data] = []
        self._snapshot: Data | None = None
        self._latency_offset = 0
        self._contract, self._multiplier = ContractKind.LINEAR, 1.0
        self._latency: LatencyModel = ConstantLatency()
        self._queue: QueueModel = LogQueue2()
        self._exchange: ExchangeModel = NoPartialFill()
        self._fees: FeeModel = ValueFees()
        self._tick_size = self._lot_size = 0.0
        self._last_trades_capacity = 0
        self._roi = [0.0, 0.0]
        self._masks_bad_spans = False
        self._passport: PassportThresholds | None = None

    # --- data ---------------------------------------------------------------------------------------------------------
    def data(self, data: Data | Sequence[Data]) -> Self:
        """Append feed data: paths of `.npz` or `.npy` files, event arrays, or a list of them."""
        parts = list(data) if isinstance(data, list | tuple) else [data]
        for part in parts:
            if not isinstance(part, str | os.PathLike | np.ndarray):
                raise ConfigError(f"data is {type(part).__name__!r}; give paths or event arrays")
        self._parts += parts  # type: ignore[arg-type]
        return self

    def add_file(self, data: str) -> Self:
        """Append a file of feed data."""
        return self.data(data)

    def add_data(self, data: npt.NDArray[np.void]) -> Self:
        """Append an array of feed data."""
        return self.data(data)

    def initial_snapshot(self, data: Data) -> Self:
        """Start both books from a snapshot."""
        self._snapshot = data
        return self

    def parallel_load(self, parallel_load: bool) -> Self:
        """Accepted and without effect: data are mapped or in memory."""
        del parallel_load
        return self

    def latency_offset(self, latency_offset: int) -> Self:
        """Add a number of nanoseconds to every local timestamp of the feed."""
        self._latency_offset = int(latency_offset)
        return self

    # --- contract -----------------------------------------------------------------------------------------------------
    def linear_asset(self, contract_size: float) -> Self:
        """Value the asset as contract size × price × quantity."""
        self._contract, self._multiplier = ContractKind.LINEAR, contract_size
        return self

    def inverse_asset(self, contract_size: float) -> Self:
        """Value the asset as contract size × quantity / price."""
        self._contract, self._multiplier = ContractKind.INVERSE, contract_size
        return self

    def tick_size(self, tick_size: float) -> Self:
        """Set the smallest price step."""
        self._tick_size = tick_size
        return self

    def lot_size(self, lot_size: float) -> Self:
        """Set the smallest quantity step."""
        self._lot_size = lot_size
        return self

    # --- latency ------------------------------------------------------------------------------------------------------
    def constant_order_latency(self, entry_latency: int, resp_latency: int) -> Self:
        """Use the same latency for every order."""
        self._latency = ConstantLatency(int(entry_latency), int(resp_latency))
        return self

    def constant_latency(self, entry_latency: int, resp_latency: int) -> Self:
        """Old name of `constant_order_latency`."""
        warnings.warn("use constant_order_latency", DeprecationWarning, stacklevel=2)
        return self.constant_order_latency(entry_latency, resp_latency)

    def intp_order_latency(self, data: Any, latency_offset: int = 0) -> Self:
        """Interpolate between measured round trips."""
        self._latency = InterpolatedLatency(data, int(latency_offset))
        return self

    # --- queue --------------------------------------------------------------------------------------------------------
    def risk_adverse_queue_model(self) -> Self:
        """Advance in the queue by trades only."""
        self._queue = RiskAverseQueue()
        return self

    def power_prob_queue_model(self, n: float) -> Self:
        """See `PowerQueue`."""
        self._queue = PowerQueue(n)
        return self

    def power_prob_queue_model2(self, n: float) -> Self:
        """See `PowerQueue2`."""
        self._queue = PowerQueue2(n)
        return self

    def power_prob_queue_model3(self, n: float) -> Self:
        """See `PowerQueue3`."""
        self._queue = PowerQueue3(n)
        return self

    def log_prob_queue_model(self) -> Self:
        """See `LogQueue`."""
        self._queue = LogQueue()
        return self

    def log_prob_queue_model2(self) -> Self:
        """See `LogQueue2`."""
        self._queue = LogQueue2()
        return self

    def l3_fifo_queue_model(self, skips_improving: bool = False) -> Self:
        """Follow a market by order, see `FifoQueue`.

        `skips_improving` is ours: reproduce hftbacktest's fills at the best price.
        """
        self._queue = FifoQueue(skips_improving)
        return self

    # --- exchange and fees --------------------------------------------------------------------------------------------
    def no_partial_fill_exchange(self) -> Self:
        """Fill orders whole or not at all."""
        self._exchange = NoPartialFill()
        return self

    def partial_fill_exchange(self, books_only_filled: bool = False) -> Self:
        """Fill orders by what trades or rests.

        `books_only_filled` is ours: reproduce hftbacktest's loss of partial fills.
        """
        self._exchange = PartialFill(books_only_filled)
        return self

    def trading_value_fee_model(self, maker_fee: float, taker_fee: float) -> Self:
        """Charge a fraction of the traded value."""
        self._fees = ValueFees(maker_fee, taker_fee)
        return self

    def trading_qty_fee_model(self, maker_fee: float, taker_fee: float) -> Self:
        """Charge per unit of quantity."""
        self._fees = QtyFees(maker_fee, taker_fee)
        return self

    def flat_per_trade_fee_model(self, maker_fee: float, taker_fee: float) -> Self:
        """Charge per execution."""
        self._fees = FlatFees(maker_fee, taker_fee)
        return self

    def directional_trading_value_fee_model(
        self, maker_fee: float, taker_fee: float, buyer_fee: float, seller_fee: float
    ) -> Self:
        """Charge a fraction of the traded value, to which each side adds one of its own.

        hftbacktest has it in Rust only, and no name for it in Python.
        """
        self._fees = DirectionalFees(maker_fee, taker_fee, buyer_fee, seller_fee)
        return self

    def directional_trading_qty_fee_model(
        self, maker_fee: float, taker_fee: float, buyer_fee: float, seller_fee: float
    ) -> Self:
        """Charge per unit of quantity, to which each side adds a fraction of the traded value.

        hftbacktest has it in Rust only, and no name for it in Python.
        """
        self._fees = DirectionalQtyFees(maker_fee, taker_fee, buyer_fee, seller_fee)
        return self

    def last_trades_capacity(self, capacity: int) -> Self:
        """Show the market's trades to the strategy if above 0."""
        self._last_trades_capacity = int(capacity)
        return self

    def roi_lb(self, roi_lb: float) -> Self:
        """Set the lowest price of the vector book."""
        self._roi[0] = roi_lb
        return self

    def roi_ub(self, roi_ub: float) -> Self:
        """Set the highest price of the vector book."""
        self._roi[1] = roi_ub
        return self

    def mask_bad_spans(self, passport: PassportThresholds | None = None) -> Self:
        """Fill no order where the data's passport calls them bad (docs/passport.md); hftbacktest has nothing alike.

        passport : limits of the passport, the default ones where not given.
        """
        self._masks_bad_spans, self._passport = True, passport
        return self

    # --- building -----------------------------------------------------------------------------------------------------
    def build(self, *, is_bounded: bool = False) -> Asset:
        """Return the asset in our own terms.

        A tape of files is made once and kept in the user's cache folder, see `tape_cache`; one of arrays, or with a
        snapshot, is made in memory.

        is_bounded : the books hold the prices from `roi_lb` to `roi_ub` only.

        Raises
        ------
        ConfigError, DataError
            If tick or lot size are not positive, or the data cannot be used.
        """
        for name in ("tick_size", "lot_size"):
            if not getattr(self, f"_{name}") > 0:
                raise ConfigError(f"{name} is {getattr(self, f'_{name}')}; set it with BacktestAsset().{name}(…)")
        instrument = Instrument(
            venue="",
            symbol="",
            tick_size=exact(self._tick_size, "tick_size"),
            lot_size=exact(self._lot_size, "lot_size"),
            contract=self._contract,
            multiplier=exact(self._multiplier, "contract_size"),
        )
        tick_range = self._tick_range(instrument) if is_bounded else None
        tape = self._tape(instrument)
        if tick_range is not None:
            tape = tape.bounded(*tick_range)
        source = tape.meta["source"]
        rounded = tape.meta["rounded"]
        if rounded["px"] or rounded["qty"]:
            warnings.warn(
                f"{source}: {rounded['px']:,} prices and {rounded['qty']:,} quantities are off the grid of tick size "
                f"{instrument.tick_size} and lot size {instrument.lot_size} and were taken to the nearest; check the sizes",
                stacklevel=3,
            )
        return Asset(
            tape,
            latency=self._latency,
            queue=self._queue,
            exchange=self._exchange,
            fees=self._fees,
            last_trades_capacity=self._last_trades_capacity,
            mask_bad_spans=self._masks_bad_spans,
            passport=self._passport,
        )

    def _tick_range(self, instrument: Instrument) -> tuple[int, int]:
        low, high = (int(tick) for tick in instrument.ticks(np.array(self._roi))[0])
        if not low <= high or self._roi[1] <= 0:
            raise ConfigError(
                f"the vector book holds prices from {self._roi[0]} to {self._roi[1]}; set roi_lb(…) and roi_ub(…)"
            )
        if high - low >= RANGE_TICKS_MAX:
            raise ConfigError(
                f"the vector book holds {high - low + 1:,} ticks, from {self._roi[0]} to {self._roi[1]}; set roi_lb(…) and "
                f"roi_ub(…) closer, {RANGE_TICKS_MAX:,} ticks at most"
            )
        return low, high

    def _tape(self, instrument: Instrument) -> Tape:
        def make() -> Tape:
            events, source = self._load()
            opening = None if self._snapshot is None else _events_of(self._snapshot)[0]
            return Tape.build(events, instrument, source=source, off_grid="round", opening=opening, extra_kinds=_ALL_KINDS)

        paths = [Path(part) for part in self._parts if isinstance(part, str | os.PathLike)]
        if not paths or len(paths) < len(self._parts) or self._snapshot is not None:
            return make()
        return cached_tape(paths, instrument, {"latency_offset": self._latency_offset, "off_grid": "round"}, make)

    def _load(self) -> tuple[npt.NDArray[np.void], str]:
        if not self._parts:
            return np.zeros(0, EVENT), "no data"
        loaded = [_events_of(part) for part in self._parts]
        source = ", ".join(name for _, name in loaded)
        events = loaded[0][0] if len(loaded) == 1 else np.concatenate([part for part, _ in loaded])
        if self._latency_offset:
            events = _shifted(events, self._latency_offset, source)
        return events, source


def _events_of(data: Data) -> tuple[npt.NDArray[np.void], str]:
    if isinstance(data, np.ndarray):
        return data, f"array of {len(data):,} rows"
    return read_events(Path(data), extra_kinds=_ALL_KINDS), str(data)


def _shifted(events: npt.NDArray[np.void], offset: int, source: str) -> npt.NDArray[np.void]:
    """Return a copy with all local times moved; the caller's rows stay as they are (D33)."""
    if len(events) and abs(offset) + int(np.abs(events["local_ts"]).max()) > INT64_MAX:
        raise TimestampRangeError(f"{source}: latency_offset {offset:,} ns moves local times out of int64")
    events = events.copy()
    events["local_ts"] += offset
    late = np.flatnonzero(events["local_ts"] <= events["exch_ts"])
    if len(late):
        raise DataError(
            f"{source}: row {late[0]:,}: with latency_offset {offset:,} ns the feed latency is not positive, like "
            f"{len(late):,} rows in all; give a larger offset"
        )
    return events


def ROIVectorMarketDepthBacktest(assets: Sequence[BacktestAsset]) -> Backtester:  # noqa: N802 - hftbacktest's name
    """Return a backtest whose books hold a range of prices only, for compiled strategies and for Python."""
    built = [asset.build(is_bounded=True) for asset in assets]
    hbt, _ = build_backtester(built, [asset.load() for asset in built], records=False)
    return hbt


def HashMapMarketDepthBacktest(assets: Sequence[BacktestAsset]) -> Backtester:  # noqa: N802 - hftbacktest's name
    """Return a backtest of the assets, for compiled strategies and for Python."""
    built = [asset.build() for asset in assets]
    hbt, _ = build_backtester(built, [asset.load() for asset in built], records=False)
    return hbt
