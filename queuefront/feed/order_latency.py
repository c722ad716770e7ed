"""Make up order latencies from feed latencies, where none were measured.

Of each interval of `resampling_ns` by local time the last row that both halves see counts. Its feed latency f gives the
entry latency `mul_entry`·f + `offset_entry` and the response latency `mul_resp`·f + `offset_resp`. It is a model and no
measurement: orders are slower than feeds where the venue is busy, and nothing here knows of that.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import INT64_MAX
from queuefront.core.dtypes import LATENCY
from queuefront.core.enums import EXCH_EVENT, LOCAL_EVENT
from queuefront.core.errors import ConfigError, DataError, TimestampRangeError
from queuefront.core.instrument import Number, exact
from queuefront.feed.check import validate_events, validate_latencies
from queuefront.feed.npz import read_events, write_npz

__all__ = ["generate_order_latency"]

Rows = npt.NDArray[Any]

_BOTH: Final = EXCH_EVENT | LOCAL_EVENT
_INT64_SAFE: Final = 2**62


def generate_order_latency(
    feed: str | os.PathLike[str] | Rows,
    output: str | os.PathLike[str] | None = None,
    mul_entry: Number = 1,
    offset_entry: Number = 0,
    mul_resp: Number = 1,
    offset_resp: Number = 0,
    resampling_ns: int = 1_000_000_000,
) -> Rows:
    """Return one `LATENCY` row an interval: `req_ts` is the feed row's local time, the others follow by the model.

    Factors and offsets are decimals, taken exactly; times are rounded down to the nanosecond.

    Parameters
    ----------
    feed : events, or the path of an event file.
    output : an `.npz` file to write the rows to.
    mul_entry, mul_resp : factors of the feed latency.
    offset_entry, offset_resp : what is added, ns.
    resampling_ns : length of an interval.

    Raises
    ------
    ConfigError
        For an interval that is not positive, or a factor that is no number.
    DataError
        If the feed cannot be used, is out of order, or gives a latency below zero.
    TimestampRangeError
        If a time does not fit into int64.
    """
    if resampling_ns < 1:
        raise ConfigError(f"resampling_ns is {resampling_ns:,}; give at least 1")
    factors = [
        Fraction(exact(value, name))
        for name, value in (
            ("mul_entry", mul_entry),
            ("offset_entry", offset_entry),
            ("mul_resp", mul_resp),
            ("offset_resp", offset_resp),
        )
    ]
    events, source = (feed, "events") if isinstance(feed, np.ndarray) else (read_events(feed), str(feed))
    if isinstance(feed, np.ndarray):
        validate_events(feed, source)
    req_ts, latency = _sample(events, source, int(resampling_ns))
    mul, offset, mul_back, offset_back = factors
    rows = np.zeros(len(req_ts), LATENCY)
    rows["req_ts"] = req_ts
    rows["exch_ts"] = _later(req_ts, latency, mul, offset, source)
    rows["resp_ts"] = _later(req_ts, latency, mul + mul_back, offset + offset_back, source)
    validate_latencies(rows, f"latencies of {source}")
    if output is not None:
        write_npz(output, rows)
    return rows


def _sample(events: Rows, source: str, resampling_ns: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return local time and feed latency of the last row that both halves see in each interval."""
    seen = events[(events["ev"] & np.uint64(_BOTH)) == np.uint64(_BOTH)]
    exch_ts, local_ts = np.ascontiguousarray(seen["exch_ts"]), np.ascontiguousarray(seen["local_ts"])
    back = np.flatnonzero(local_ts[1:] < local_ts[:-1])
    if len(back):
        raise DataError(
            f"{source}: local_ts goes back from {local_ts[back[0]]:,} to {local_ts[back[0] + 1]:,}; run correct_event_order"
        )
    interval = local_ts // resampling_ns
    is_last = np.ones(len(seen), np.bool_)
    is_last[:-1] = interval[1:] != interval[:-1]
    return local_ts[is_last], local_ts[is_last] - exch_ts[is_last]


def _later(
    ts: npt.NDArray[np.int64], latency: npt.NDArray[np.int64], mul: Fraction, offset: Fraction, source: str
) -> npt.NDArray[np.int64]:
    """Return `ts` + ⌊`mul`·`latency` + `offset`⌋, exactly."""
    if not len(ts):
        return ts
    common = Fraction(mul.denominator * offset.denominator)
    mul_steps, offset_steps, steps = int(mul * common), int(offset * common), int(common)
    latency_max = max(abs(int(latency.min())), abs(int(latency.max())))
    added: Any
    if latency_max * abs(mul_steps) + abs(offset_steps) < _INT64_SAFE and steps < _INT64_SAFE:
        added = (latency * np.int64(mul_steps) + np.int64(offset_steps)) // np.int64(steps)
    else:  # Python's integers have no limit
        added = (latency.astype(object) * mul_steps + offset_steps) // steps
    low, high = int(ts.min()) + int(added.min()), int(ts.max()) + int(added.max())
    if low < -INT64_MAX or high > INT64_MAX:
        raise TimestampRangeError(f"{source}: latencies of {int(added.max()):,} ns end beyond int64; give smaller factors")
    later: npt.NDArray[np.int64] = ts + added.astype(np.int64)
    return later
