"""`hftbacktest.data.utils.mexc` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.feed import convert_mexc

__all__ = ["convert"]


def convert(
    input_filename: PathLike,
    output_filename: PathLike | None = None,
    base_latency: float = 0,
    buffer_size: int = 100_000_000,
    exch_ts_multiplier: float = 1e6,
) -> npt.NDArray[np.void]:
    """Convert a raw MEXC feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    conversion = convert_mexc(
        input_filename,
        exch_ts_multiplier=int(exch_ts_multiplier),
        base_latency_ns=int(base_latency),
        **ANY_GRID,
    )
    return converted(conversion, output_filename)
