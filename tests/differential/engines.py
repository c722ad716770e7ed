"""What is run, declaratively, and how each engine builds it.

A `Case` is a market, its models and a list of actions, all frozen and printable as Python. An `Engine` turns it into a
back-test through the surface that hftbacktest and our compatibility module share, so that one text builds both.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from queuefront.core import LATENCY
from queuefront.core.enums import GTC, LIMIT
from tests.differential.markets import Market, rows_to_events

REFERENCE_MODULE = "hftbacktest"
#: Ours. QF_DIFFERENTIAL_SUBJECT puts another module in its place; the reference itself, to try the harness alone.
SUBJECT_MODULE = os.environ.get("QF_DIFFERENTIAL_SUBJECT", "queuefront.compat.hftbacktest")

# Operations of the driver.
ELAPSE = 0
ELAPSE_BT = 1
WAIT_FEED = 2  # flag: order responses count too
WAIT_RESPONSE = 3
SUBMIT = 4  # whatever the id
SUBMIT_FREE = 5  # only where the id is free
CANCEL = 6  # only a cancellable order
CANCEL_ANYWAY = 7
MODIFY_PRICE = 8  # only a cancellable order; the open quantity stays
MODIFY_QTY = 9  # only a cancellable order; the price stays, `lots` are taken off, one at least remains
MODIFY_ANYWAY = 10  # to this price and to `lots`
CLEAR_INACTIVE = 11
CLEAR_TRADES = 12
QUERY = 13
GOTO_END = 14

OP_NAMES = (
    "ELAPSE",
    "ELAPSE_BT",
    "WAIT_FEED",
    "WAIT_RESPONSE",
    "SUBMIT",
    "SUBMIT_FREE",
    "CANCEL",
    "CANCEL_ANYWAY",
    "MODIFY_PRICE",
    "MODIFY_QTY",
    "MODIFY_ANYWAY",
    "CLEAR_INACTIVE",
    "CLEAR_TRADES",
    "QUERY",
    "GOTO_END",
)

# What a price offset counts from.
AT_TICK = 0  # from zero: the offset is the tick
AT_BID = 1  # from the best bid; from the best ask, or FALLBACK_TICK, if there is none
AT_ASK = 2

#: Orders have the ids 1 … ORDER_IDS in each asset.
ORDER_IDS = 12


class Action(NamedTuple):
    """One call of the driver. Fields that the operation does not use stay zero."""

    op: int
    asset: int = 0
    id: int = 0
    side: int = 0
    at: int = AT_TICK
    offset: int = 0
    lots: int = 0
    tif: int = GTC
    type: int = LIMIT
    flag: int = 0  # wait, or, for WAIT_FEED, whether responses count
    duration: int = 0

    def __repr__(self) -> str:
        parts = [OP_NAMES[self.op]]
        parts += [
            f"{name}={value}"
            for name, value in zip(self._fields[1:], self[1:], strict=True)
            if value != self._field_defaults[name]
        ]
        return f"Action({', '.join(parts)})"


@dataclass(frozen=True)
class AssetCase:
    """One asset: its market and every model of its simulated exchange."""

    market: Market
    tick_size: float = 1.0
    lot_size: float = 1.0
    contract: tuple[str, float] = ("linear", 1.0)
    # Or ("interpolated", ((req, exch, resp), ...)) and an offset; ("sampled", (entries), (responses), seed) is ours alone.
    latency: tuple[Any, ...] = ("constant", 10, 10)
    queue: tuple[Any, ...] = ("risk_adverse",)  # or ("power_prob", n), …2, …3, ("log_prob",), ("log_prob2",)
    exchange: str = "no_partial_fill"
    # Ours alone: ("directional_trading_value" or "directional_trading_qty", maker, taker, buyer, seller) and
    # ("tiered", ((value, maker, taker), …)).
    fee: tuple[Any, ...] = ("trading_value", 0.0, 0.0)
    last_trades_capacity: int = 1000
    splits: tuple[int, ...] = ()  # rows at which the market is cut into parts
    latency_offset: int = 0
    snapshot: tuple[tuple[float, ...], ...] = ()  # rows of an initial snapshot
    funding: tuple[tuple[int, str, str], ...] = ()  # (time, mark price, rate); the reference knows none
    balances: tuple[str, str] | None = None  # of base and quote currency; the reference knows none
    tick_range: tuple[int, int] | None = None  # of the vector book, which all assets of a case have or none

    @property
    def lot_ratio(self) -> tuple[int, int]:
        """Numerator and denominator of the lot: lots × numerator / denominator is the nearest float."""
        return Fraction(str(self.lot_size)).as_integer_ratio()


@dataclass(frozen=True)
class Case:
    """A whole run."""

    assets: tuple[AssetCase, ...]
    actions: tuple[Action, ...] = field(default=())

    @property
    def has_partial_fills(self) -> bool:
        return any(asset.exchange == "partial_fill" for asset in self.assets)

    def action_table(self) -> np.ndarray:
        return np.array([tuple(a) for a in self.actions], dtype=np.int64).reshape(len(self.actions), len(Action._fields))

    def grid_table(self) -> np.ndarray:
        """Tick size, lot numerator and lot denominator, float64, a row an asset."""
        return np.array([(a.tick_size, *a.lot_ratio) for a in self.assets], dtype=np.float64)


@dataclass(frozen=True)
class Engine:
    """A module with hftbacktest's surface."""

    name: str
    module: ModuleType

    @property
    def is_reference(self) -> bool:
        return self.name == REFERENCE_MODULE

    def asset(
        self,
        case: AssetCase,
        keep: list[np.ndarray],
        parts: list[np.ndarray] | None = None,
        *,
        strict_reference: bool = False,
    ) -> Any:
        """Build one asset. The reference reads arrays in place: whoever calls holds `keep` while it lives.

        parts : the arrays to pass instead of fresh copies of the market's rows.
        strict_reference : ask our engine for the reference's accounting of partial fills (rows D1 and D2).
        """
        asset = self.module.BacktestAsset()
        if parts is None:
            parts = [part.copy() for part in np.split(case.market.events(), list(case.splits))]
        keep.extend(parts)
        asset.data(parts)
        if case.snapshot:
            keep.append(rows_to_events(case.snapshot))
            asset.initial_snapshot(keep[-1])
        if case.latency_offset:
            asset.latency_offset(case.latency_offset)
        getattr(asset, f"{case.contract[0]}_asset")(case.contract[1])
        self._set_latency(asset, case.latency, keep)
        queue_name = case.queue[0].rstrip("23")
        is_strict_queue = strict_reference and not self.is_reference and case.queue[0] == "l3_fifo"
        queue_arguments = (True,) if is_strict_queue else case.queue[1:]
        getattr(asset, f"{queue_name}_queue_model{case.queue[0].removeprefix(queue_name)}")(*queue_arguments)
        is_strict = strict_reference and not self.is_reference and case.exchange == "partial_fill"
        getattr(asset, f"{case.exchange}_exchange")(*((True,) if is_strict else ()))
        fee_kind = "flat_per_trade" if case.fee[0] == "flat" else case.fee[0]
        getattr(asset, f"{fee_kind}_fee_model")(*case.fee[1:])
        if case.tick_range is not None:
            asset.roi_lb(case.tick_range[0] * case.tick_size).roi_ub(case.tick_range[1] * case.tick_size)
        return asset.tick_size(case.tick_size).lot_size(case.lot_size).last_trades_capacity(case.last_trades_capacity)

    @staticmethod
    def _set_latency(asset: Any, latency: tuple[Any, ...], keep: list[np.ndarray]) -> None:
        if latency[0] == "constant":
            asset.constant_order_latency(*latency[1:])
            return
        table = np.zeros(len(latency[1]), LATENCY)
        for name, column in zip(("req_ts", "exch_ts", "resp_ts"), zip(*latency[1], strict=True), strict=True):
            table[name] = column
        keep.append(table)
        asset.intp_order_latency(table, *latency[2:])

    @contextmanager
    def open(self, case: Case, *, strict_reference: bool = False) -> Iterator[Any]:
        """Build the back-test of a case; close it afterwards.

        strict_reference : see `asset`.
        """
        keep: list[np.ndarray] = []
        assets = [self.asset(a, keep, strict_reference=strict_reference) for a in case.assets]
        is_bounded = case.assets[0].tick_range is not None
        name = "ROIVectorMarketDepthBacktest" if is_bounded else "HashMapMarketDepthBacktest"
        backtest = getattr(self.module, name)(assets)
        try:
            yield backtest
        finally:
            backtest.close()
            keep.clear()


def load(name: str) -> Engine:
    return Engine(name, importlib.import_module(name))


def subject_is_built() -> bool:
    """Tell whether our engine can be compared yet."""
    if SUBJECT_MODULE == REFERENCE_MODULE or importlib.util.find_spec(SUBJECT_MODULE) is None:
        return False
    return hasattr(importlib.import_module(SUBJECT_MODULE), "HashMapMarketDepthBacktest")
