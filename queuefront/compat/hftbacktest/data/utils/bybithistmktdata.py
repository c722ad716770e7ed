"""`hftbacktest.data.utils.bybithistmktdata` on our converter."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import convert_bybit_history, write_npz

__all__ = ["convert"]

PathLike = str | os.PathLike[str]

_ANY_STEP = "0.000000000001"  # rows carry prices and quantities as they are; no grid is needed for them


def convert(
    depth_filename: PathLike,
    trades_filename: PathLike,
    output_filename: PathLike | None = None,
    buffer_size: int = 100_000_000,
    feed_latency: float = 0,
    base_latency: float = 0,
    depth_has_header: bool | None = None,
    trades_has_header: bool | None = None,
) -> npt.NDArray[np.void]:
    """Convert an ob500 archive and trades; the buffer size and the headers are found out."""
    del buffer_size, depth_has_header, trades_has_header
    conversion = convert_bybit_history(
        [depth_filename, trades_filename],
        feed_latency_ns=int(feed_latency),
        base_latency_ns=int(base_latency),
        tick_size=_ANY_STEP,
        lot_size=_ANY_STEP,
    )
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
