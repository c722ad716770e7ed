"""What all converters of this package share: a conversion of ours as hftbacktest hands it out."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.feed import write_npz
from queuefront.feed.conversion import Conversion

__all__ = ["ANY_GRID", "PathLike", "converted"]

PathLike = str | os.PathLike[str]

ANY_GRID: Final[dict[str, Any]] = {"tick_size": "0.000000000001", "lot_size": "0.000000000001"}
"""For converters without a grid in hftbacktest: rows carry prices and quantities as they are, so any will do."""


def converted(conversion: Conversion, output_filename: PathLike | None) -> npt.NDArray[np.void]:
    """Return the events, and write them if a name is given."""
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
