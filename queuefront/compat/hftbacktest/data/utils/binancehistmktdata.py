"""`hftbacktest.data.utils.binancehistmktdata` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.feed import convert_binance_history, convert_binance_snapshot, write_npz

__all__ = ["convert", "convert_snapshot"]


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
    """Convert depth updates and trades, latencies in ns; the buffer size and the headers are found out."""
    del buffer_size, depth_has_header, trades_has_header
    conversion = convert_binance_history(
        [trades_filename, depth_filename],
        feed_latency_ns=int(feed_latency),
        base_latency_ns=int(base_latency),
        **ANY_GRID,
    )
    return converted(conversion, output_filename)


def convert_snapshot(
    snapshot_filename: PathLike,
    output_filename: PathLike | None = None,
    feed_latency: float = 0,
    has_header: bool | None = None,
    ss_buffer_size: int = 1_000_000,
) -> npt.NDArray[np.void]:
    """Convert a depth snapshot, latency in ns; the buffer size and the header are found out."""
    del has_header, ss_buffer_size
    rows = convert_binance_snapshot(snapshot_filename, feed_latency_ns=int(feed_latency))
    if output_filename is not None:
        write_npz(output_filename, rows)
    return rows
