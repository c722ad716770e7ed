"""`hftbacktest.data.utils.databento` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.core.errors import ConfigError
from queuefront.feed import convert_databento

__all__ = ["convert"]


def convert(
    input_file: PathLike,
    symbol: str | None,
    output_filename: PathLike | None = None,
    base_latency: float = 0,
    file_type: str = "mbo",
) -> npt.NDArray[np.void]:
    """Convert a file of market by order; a file of several instruments needs the symbol, where hftbacktest mixes them."""
    if file_type != "mbo":
        raise ConfigError(f"file_type is {file_type!r}; only 'mbo' is converted")
    conversion = convert_databento(input_file, symbol=symbol, base_latency_ns=int(base_latency), **ANY_GRID)
    return converted(conversion, output_filename)
