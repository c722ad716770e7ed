"""`hftbacktest.data.utils.databento` on our converter."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.core.errors import ConfigError
from queuefront.feed import convert_databento, write_npz

__all__ = ["convert"]


def convert(
    input_file: str | os.PathLike[str],
    symbol: str | None,
    output_filename: str | os.PathLike[str] | None = None,
    base_latency: float = 0,
    file_type: str = "mbo",
) -> npt.NDArray[np.void]:
    """Convert a file of market by order; a file of several instruments needs the symbol, where hftbacktest mixes them."""
    if file_type != "mbo":
        raise ConfigError(f"file_type is {file_type!r}; only 'mbo' is converted")
    # The rows carry prices and sizes as they are; no grid is needed for them, so any will do.
    conversion = convert_databento(
        input_file, symbol=symbol, base_latency_ns=int(base_latency), tick_size="0.000000001", lot_size=1
    )
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
