"""Small records of a run, boring unless a test says otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core import FILL, ORDER_CHANGE, SAMPLE, Instrument

T0 = 1_700_000_000_000_000_000  # 2023-11-14 22:13:20 UTC
SECOND = 1_000_000_000

LINEAR = Instrument("venue", "BTCUSDT", "0.1", "0.001", multiplier="2", base="BTC", quote="USDT")
OTHER = Instrument("venue", "ETHUSDT", "0.01", "0.01", base="ETH", quote="USDT")
INVERSE = Instrument("venue", "BTCUSD", "0.5", "1", contract="inverse", multiplier="100", base="BTC", quote="USD")


def records(dtype: np.dtype, rows: list[dict[str, Any]], **defaults: Any) -> np.ndarray:
    array = np.zeros(len(rows), dtype)
    for i, row in enumerate(rows):
        for name, value in (defaults | row).items():
            array[name][i] = value
    return array


def samples(*rows: dict[str, Any], every_ns: int = SECOND) -> np.ndarray:
    timed = [{"timestamp": T0 + i * every_ns} | row for i, row in enumerate(rows)]
    return records(SAMPLE, timed, price=100.0)


def fills(*rows: dict[str, Any]) -> np.ndarray:
    timed = [{"exch_ts": T0 + i * SECOND, "local_ts": T0 + i * SECOND + 5} | row for i, row in enumerate(rows)]
    defaults = {"order_id": 1, "price_tick": 1000, "lots": 10, "position_lots": 10, "amount": 200, "fee": 2}
    return records(FILL, timed, **defaults, side=1, is_maker=1, arrival_qty_ahead=4.0)


def changes(*rows: dict[str, Any]) -> np.ndarray:
    defaults = {"order_id": 1, "price_tick": 1000, "order_lots": 10, "leaves_lots": 10, "side": 1, "qty_ahead": np.nan}
    return records(ORDER_CHANGE, list(rows), **defaults, time_in_force=1)


def random_samples(count: int, seed: int, every_ns: int = SECOND, jitter_ns: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    array = np.zeros(count, SAMPLE)
    array["timestamp"] = T0 + np.arange(count) * every_ns + (rng.integers(0, jitter_ns, count) if jitter_ns else 0)
    array["price"] = 100 + np.cumsum(rng.normal(0, 0.01, count))
    array["position"] = np.cumsum(rng.integers(-1, 2, count))
    array["balance"] = np.cumsum(rng.normal(0, 1, count))
    array["fee"] = np.cumsum(rng.random(count) * 0.01)
    array["num_trades"] = np.cumsum(rng.integers(0, 3, count))
    array["trading_volume"] = np.cumsum(rng.random(count))
    array["trading_value"] = np.cumsum(rng.random(count))
    return array
