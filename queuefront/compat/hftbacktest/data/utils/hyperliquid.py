"""`hftbacktest.data.utils.hyperliquid` on our converter."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import convert_hyperliquid, write_npz

__all__ = ["convert"]


def convert(
    input_filename: str | os.PathLike[str],
    tick_size: float,
    lot_size: float,
    num_levels: int = 20,
    output_filename: str | os.PathLike[str] | None = None,
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
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
