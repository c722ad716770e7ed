"""`hftbacktest.data.utils.bybithistmktdata` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.feed import convert_bybit_history

__all__ = ["convert"]


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
        **ANY_GRID,
    )
    return converted(conversion, output_filename)
