"""`hftbacktest.data.utils.tardis` on our converter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import ANY_GRID, PathLike, converted
from queuefront.core.errors import ConfigError
from queuefront.feed import convert_tardis
from queuefront.feed.sources.snapshot_blocks import SnapshotMode

__all__ = ["convert", "convert_fuse"]


def convert(
    input_files: Sequence[PathLike],
    output_filename: PathLike | None = None,
    buffer_size: int = 100_000_000,
    ss_buffer_size: int = 1_000_000,
    base_latency: float = 0,
    snapshot_mode: SnapshotMode = "process",
) -> npt.NDArray[np.void]:
    """Convert trades and incremental books to events; the buffer sizes are accepted and not needed."""
    del buffer_size, ss_buffer_size
    conversion = convert_tardis(
        list(input_files),
        base_latency_ns=int(base_latency),
        snapshot_mode=snapshot_mode,
        **ANY_GRID,
    )
    if "best bid" in conversion.account.events_by_kind:
        raise ConfigError("book tickers are put into the depth by convert_fuse; leave them out or use that")
    return converted(conversion, output_filename)


def convert_fuse(
    trades_filename: PathLike,
    depth_filename: PathLike,
    book_ticker_filename: PathLike,
    tick_size: float,
    lot_size: float,
    output_filename: PathLike | None = None,
    ss_buffer_size: int = 1_000_000,
    base_latency: float = 0,
    snapshot_mode: SnapshotMode = "process",
) -> npt.NDArray[np.void]:
    """Convert trades, and one book of incremental book and book ticker; the buffer size is accepted and not needed."""
    del ss_buffer_size
    conversion = convert_tardis(
        [trades_filename, depth_filename, book_ticker_filename],
        fuse=True,
        base_latency_ns=int(base_latency),
        snapshot_mode=snapshot_mode,
        tick_size=tick_size,
        lot_size=lot_size,
    )
    return converted(conversion, output_filename)
