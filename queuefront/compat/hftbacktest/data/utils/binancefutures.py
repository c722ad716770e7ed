"""`hftbacktest.data.utils.binancefutures` on our converter."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import convert_lines, write_npz

__all__ = ["convert"]


def convert(
    input_filename: str | os.PathLike[str],
    output_filename: str | os.PathLike[str] | None = None,
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
    if output_filename is not None:
        write_npz(output_filename, conversion.events)
    return conversion.events
