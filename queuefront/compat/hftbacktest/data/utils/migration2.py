"""`hftbacktest.data.utils.migration2`: files of version 1 as today's records."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import migrate_version1

__all__ = ["convert"]


def convert(
    input_file: str | os.PathLike[str], output_filename: str | os.PathLike[str] | None = None, ts_mul: float = 1000
) -> npt.NDArray[np.void]:
    """Return the rows of a version 1 file, and write them if a name is given."""
    return migrate_version1(input_file, output_filename, ts_mul)
