"""`hftbacktest.data.utils.feed_order_latency` on our model."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from queuefront.feed import generate_order_latency as _generate_order_latency

__all__ = ["generate_order_latency", "order_latency_dtype"]

order_latency_dtype = np.dtype([("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")])


def generate_order_latency(
    feed_file: str | os.PathLike[str],
    output_file: str | os.PathLike[str] | None = None,
    mul_entry: float = 1,
    offset_entry: float = 0,
    mul_resp: float = 1,
    offset_resp: float = 0,
    resampling_ns: int = 1_000_000_000,
) -> npt.NDArray[np.void]:
    """Return order latencies made up from feed latencies, and write them if a name is given."""
    rows = _generate_order_latency(
        feed_file, output_file, mul_entry, offset_entry, mul_resp, offset_resp, int(resampling_ns)
    )
    return rows.view(order_latency_dtype)
