"""`hftbacktest.data.utils.bybit` on our converter."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.feed import convert_bybit

__all__ = ["BybitDepthLevel", "convert_depth", "convert_fused"]


class BybitDepthLevel(IntEnum):
    """How many levels a topic of the order book has."""

    LEVEL_1 = 1
    LEVEL_25 = 25
    LEVEL_50 = 50
    LEVEL_100 = 100
    LEVEL_200 = 200
    LEVEL_1000 = 1000


def convert_depth(
    input_filename: PathLike,
    output_filename: PathLike | None = None,
    base_latency: float = 0,
    buffer_size: int = 100_000_000,
    single_depth_level: BybitDepthLevel | int = BybitDepthLevel.LEVEL_50,
) -> npt.NDArray[np.void]:
    """Convert one level of a raw Bybit feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    conversion = convert_bybit(
        input_filename,
        level=int(single_depth_level),
        base_latency_ns=int(base_latency),
        **ANY_GRID,
    )
    return converted(conversion, output_filename)


def convert_fused(
    input_filename: PathLike,
    output_filename: PathLike | None = None,
    base_latency: float = 0,
    buffer_size: int = 100_000_000,
    tick_size: float = 0.01,
    lot_size: float = 0.001,
) -> npt.NDArray[np.void]:
    """Fuse all levels of a raw Bybit feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    conversion = convert_bybit(input_filename, base_latency_ns=int(base_latency), tick_size=tick_size, lot_size=lot_size)
    return converted(conversion, output_filename)
