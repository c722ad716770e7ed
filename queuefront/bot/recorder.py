"""A recorder that a compiled strategy calls: the state of every asset, as often as it likes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.bot.surface import LAYOUT, Struct, method, struct
from queuefront.core.dtypes import SAMPLE
from queuefront.core.errors import ConfigError
from queuefront.core.jit import compiled, internal

__all__ = ["Recorder", "RecorderState"]


@struct("records count num_assets")
class RecorderState(Struct):
    """What a strategy calls: `record(hbt)`.

    records : SAMPLE[rows × assets], one row an asset for each call.   count : int64[1], calls so far.
    """


@compiled
def _new_state(layout, num_assets, record_size):  # noqa: ARG001 - it is there for its type
    return RecorderState(np.zeros(num_assets * record_size, SAMPLE), np.zeros(1, np.int64), np.int64(num_assets))


@compiled
def _rows(recorder):
    return recorder.records[: recorder.count[0] * recorder.num_assets].copy()


@internal
def _grow(recorder):
    count = len(recorder.records)
    larger = np.zeros(2 * count, SAMPLE)
    for k in range(count):
        larger[k] = recorder.records[k]
    recorder.records = larger


@method(RecorderState)
@compiled
def record(recorder, hbt):
    """Append the state of every asset at the present time; the store grows when it is full (D37)."""
    if hbt.num_assets != recorder.num_assets:
        raise ValueError("the recorder was made for another number of assets than the backtest has")
    row = recorder.count[0] * recorder.num_assets
    if row + recorder.num_assets > len(recorder.records):
        _grow(recorder)
    now = hbt.current_timestamp
    for asset_no in range(recorder.num_assets):
        depth = hbt.depth(asset_no)
        values = hbt.state_values(asset_no)
        sample = recorder.records[row + asset_no]
        sample["timestamp"] = now
        sample["price"] = (depth.best_bid + depth.best_ask) / 2.0
        sample["position"] = values.position
        sample["balance"] = values.balance
        sample["fee"] = values.fee
        sample["num_trades"] = values.num_trades
        sample["trading_volume"] = values.trading_volume
        sample["trading_value"] = values.trading_value
    recorder.count[0] += 1


class Recorder:
    """Records the state of every asset whenever a strategy calls `recorder.record(hbt)`.

    Parameters
    ----------
    num_assets : of the backtest.
    record_size : calls that the first allocation holds; more are taken.

    Raises
    ------
    ConfigError
        If either is not positive.
    """

    def __init__(self, num_assets: int, record_size: int) -> None:
        for name, value in (("num_assets", num_assets), ("record_size", record_size)):
            if int(value) <= 0:
                raise ConfigError(f"{name} of a recorder is {value}; it must be positive")
        self._num_assets = int(num_assets)
        self._state = _new_state(LAYOUT, int(num_assets), int(record_size))

    @property
    def recorder(self) -> Any:
        """What to pass to a compiled strategy."""
        return self._state

    def get(self, asset_no: int) -> npt.NDArray[np.void]:
        """Return the SAMPLE rows of one asset, a copy. Raises IndexError for a number that is not an asset's."""
        if not 0 <= asset_no < self._num_assets:
            raise IndexError(f"asset number {asset_no} is out of range; the recorder has {self._num_assets} assets")
        rows: npt.NDArray[np.void] = _rows(self._state)
        return rows[asset_no :: self._num_assets].copy()

    def to_npz(self, file: str | os.PathLike[str]) -> None:
        """Write the rows of every asset, compressed, under the names "0", "1", …"""
        tables: dict[str, Any] = {str(k): self.get(k) for k in range(self._num_assets)}
        np.savez_compressed(file, **tables)
