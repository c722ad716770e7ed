"""`hftbacktest.data.utils.mexc` on our converter."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import convert_mexc, write_npz

__all__ = ["convert"]


def convert(
    input_filename: str | os.PathLike[str],
    output_filename: str | os.PathLike[str] | None = None,
    base_latency: float = 0,
    buffer_size: int = 100_000_000,
    exch_ts_multiplier: float = 1e6,
) -> npt.NDArray[np.void]:
    """Convert a raw MEXC feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    # The rows carry prices and sizes as they are; no grid is needed for them, so any will do.
    conversion = convert_mexc(
        input_filename,
        exch_ts_multiplier=int(exch_ts_multiplier),
        base_latency_ns=int(base_latency),
        tick_size="0.000000001",
        lot_size="0.000000001",
    )
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
