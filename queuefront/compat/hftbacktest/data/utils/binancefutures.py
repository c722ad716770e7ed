"""`hftbacktest.data.utils.binancefutures` on our converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from queuefront.compat.hftbacktest.data.utils.converted import PathLike, converted
from queuefront.feed import convert_lines

__all__ = ["convert"]


def convert(
    input_filename: PathLike,
    output_filename: PathLike | None = None,
    opt: str = "",
    base_latency: float = 0,
    combined_stream: bool = True,
    buffer_size: int = 100_000_000,
) -> npt.NDArray[np.void]:
    """Convert a raw Binance futures feed to events; `buffer_size` is accepted and not needed."""
    del buffer_size
    conversion = convert_lines(
        "binance-usdm", input_filename, opt=opt, base_latency_ns=int(base_latency), combined_stream=combined_stream
    )
    return converted(conversion, output_filename)
