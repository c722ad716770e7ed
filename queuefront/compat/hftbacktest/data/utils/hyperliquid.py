"""`hftbacktest.data.utils.hyperliquid` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import PathLike, converted
from queuefront.feed import convert_hyperliquid

__all__ = ["convert"]


def convert(
    input_filename: PathLike,
    tick_size: float,
    lot_size: float,
    num_levels: int = 20,
    output_filename: PathLike | None = None,
    base_latency: float = 0,
    buffer_size: int = 100_000_000,
    exch_ts_multiplier: float = 1e6,
    delete_out_of_book: bool = True,
) -> npt.NDArray[np.void]:
    """Convert a raw Hyperliquid feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    conversion = convert_hyperliquid(
        input_filename,
        levels_max=num_levels,
        exch_ts_multiplier=int(exch_ts_multiplier),
        delete_out_of_book=delete_out_of_book,
        base_latency_ns=int(base_latency),
        tick_size=tick_size,
        lot_size=lot_size,
    )
    return converted(conversion, output_filename)
