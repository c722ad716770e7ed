"""`hftbacktest.data.utils.snapshot` on our book."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from queuefront.feed import create_last_snapshot as _create_last_snapshot

__all__ = ["create_last_snapshot"]

Source = str | os.PathLike[str] | npt.NDArray[np.void]


def create_last_snapshot(
    data: Source | Sequence[Source],
    tick_size: float,
    lot_size: float,
    initial_snapshot: Source | None = None,
    output_snapshot_filename: str | os.PathLike[str] | None = None,
) -> npt.NDArray[np.void]:
    """Return the book at the end of the data as snapshot rows, and write it if a name is given."""
    return _create_last_snapshot(data, tick_size, lot_size, initial_snapshot, output_snapshot_filename)
