"""The log of a run: which columns it has, and reading it by name."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.differential.engines import ORDER_IDS

#: How many ticks on either side of a best price are read.
REACH = 3

CALL_COLUMNS = ("code", "now")
ASSET_INT_COLUMNS = (
    "best_bid_tick",
    "best_ask_tick",
    "num_trades",
    "has_feed_latency",
    "feed_exch_ts",
    "feed_local_ts",
    "has_order_latency",
    "latency_req_ts",
    "latency_exch_ts",
    "latency_resp_ts",
    "last_trades",
    "last_trades_checksum",
    "orders",
)
ORDER_INT_COLUMNS = (
    "is_known",
    "price_tick",
    "exec_price_tick",
    "exch_timestamp",
    "local_timestamp",
    "req",
    "status",
    "side",
    "time_in_force",
    "order_type",
    "order_id",
)
ASSET_FLOAT_COLUMNS = (
    "best_bid",
    "best_ask",
    "best_bid_qty",
    "best_ask_qty",
    "position",
    "state_position",
    "balance",
    "fee",
    "trading_volume",
    "trading_value",
    "last_trades_px",
    "last_trades_qty",
    *(f"bid_qty_at_best{i:+d}" for i in range(-REACH, REACH + 1)),
    *(f"ask_qty_at_best{i:+d}" for i in range(-REACH, REACH + 1)),
)
ORDER_FLOAT_COLUMNS = ("qty", "leaves_qty", "exec_qty", "price", "exec_price")

CALL_INTS = len(CALL_COLUMNS)
ASSET_INTS = len(ASSET_INT_COLUMNS)
ORDER_INTS = len(ORDER_INT_COLUMNS)
ASSET_FLOATS = len(ASSET_FLOAT_COLUMNS)
ORDER_FLOATS = len(ORDER_FLOAT_COLUMNS)
ASSET_INT_WIDTH = ASSET_INTS + ORDER_IDS * ORDER_INTS
ASSET_FLOAT_WIDTH = ASSET_FLOATS + ORDER_IDS * ORDER_FLOATS


@dataclass(frozen=True)
class Column:
    """Where one column stands and what it is about."""

    name: str
    asset: int = -1
    order: int = 0

    def __str__(self) -> str:
        where = "" if self.asset < 0 else f"asset {self.asset} "
        return f"{where}{f'order {self.order} ' if self.order else ''}{self.name}"


@functools.cache
def int_columns(assets: int) -> tuple[Column, ...]:
    return (*map(Column, CALL_COLUMNS), *_columns(assets, ASSET_INT_COLUMNS, ORDER_INT_COLUMNS))


@functools.cache
def float_columns(assets: int) -> tuple[Column, ...]:
    return tuple(_columns(assets, ASSET_FLOAT_COLUMNS, ORDER_FLOAT_COLUMNS))


def _columns(assets: int, of_asset: tuple[str, ...], of_order: tuple[str, ...]) -> list[Column]:
    columns = []
    for asset in range(assets):
        columns += [Column(name, asset) for name in of_asset]
        columns += [Column(name, asset, order) for order in range(1, ORDER_IDS + 1) for name in of_order]
    return columns


@functools.cache
def _places(assets: int) -> dict[tuple[str, int, int], tuple[bool, int]]:
    """Return, by name, asset and order, whether a column is one of integers, and where it stands."""
    tables = ((True, int_columns(assets)), (False, float_columns(assets)))
    return {(c.name, c.asset, c.order): (is_int, i) for is_int, columns in tables for i, c in enumerate(columns)}


@dataclass(frozen=True)
class Log:
    """What a run showed after each call: integers and floats, a row a call."""

    ints: np.ndarray = field(repr=False)
    floats: np.ndarray = field(repr=False)
    assets: int

    def __len__(self) -> int:
        return len(self.ints)

    @property
    def codes(self) -> list[int]:
        return self.ints[:, 0].tolist()

    @property
    def times(self) -> list[int]:
        return self.ints[:, 1].tolist()

    def head(self, rows: int) -> Log:
        return Log(self.ints[:rows], self.floats[:rows], self.assets)

    def column(self, name: str, asset: int = 0, order: int = 0) -> np.ndarray:
        """Return one column by name."""
        is_int, i = _places(self.assets)[name, -1 if name in CALL_COLUMNS else asset, order]
        return self.ints[:, i] if is_int else self.floats[:, i]

    def order(self, row: int, order: int, asset: int = 0) -> Any:
        """Return an order as it stood after a call."""
        names = (*ORDER_INT_COLUMNS, *ORDER_FLOAT_COLUMNS)
        return SimpleNamespace(**{name: self.column(name, asset, order)[row].item() for name in names})

    def state(self, row: int, asset: int = 0) -> Any:
        """Return what an asset showed after a call."""
        names = (*ASSET_INT_COLUMNS, *ASSET_FLOAT_COLUMNS)
        state = SimpleNamespace(**{name: self.column(name, asset)[row].item() for name in names})
        state.order_latency = (
            (state.latency_req_ts, state.latency_exch_ts, state.latency_resp_ts) if state.has_order_latency else None
        )
        return state

    def to_bytes(self) -> bytes:
        """Write the log canonically: one bit pattern for NaN, no negative zero."""
        floats = np.where(np.isnan(self.floats), np.nan, self.floats) + 0.0
        return self.ints.astype("<i8").tobytes() + floats.astype("<f8").tobytes()
