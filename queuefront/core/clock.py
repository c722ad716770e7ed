"""Nanosecond times: UTC, int64, since the epoch.

This is the one module that reads the wall clock; everything else is given its time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from queuefront.core.errors import TimestampRangeError

__all__ = [
    "INT64_MAX",
    "INT64_MIN",
    "NS_PER",
    "format_duration",
    "format_ts",
    "monotonic_s",
    "now_ns",
    "processor_time_us",
    "to_ns",
]

INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)

NS_PER: Final[dict[str, int]] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def now_ns() -> int:
    """Return the present time, ns UTC."""
    return time.time_ns()


def monotonic_s() -> float:
    """Return a clock that only runs forward, for measuring durations, in seconds."""
    return time.perf_counter()


def processor_time_us() -> int:
    """Return the processor time of this process, microseconds."""
    return time.process_time_ns() // 1_000


def to_ns(value: int, unit: str) -> int:
    """Scale a whole number of `unit` (s, ms, us, ns) to nanoseconds.

    Raises
    ------
    TimestampRangeError
        If the result does not fit into int64.
    """
    ns = value * NS_PER[unit]
    if not INT64_MIN <= ns <= INT64_MAX:
        raise TimestampRangeError(f"{value:,} {unit} does not fit into int64 nanoseconds; check the unit of the timestamps")
    return ns


def format_ts(ns: int) -> str:
    """Write a time as ISO 8601 UTC with nanoseconds, exactly."""
    seconds, rest = divmod(ns, NS_PER["s"])
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def format_duration(ns: int) -> str:
    """Write a duration for people: `1 d 02:03:04.500`, `12.5 ms`."""
    if abs(ns) < NS_PER["us"]:
        return f"{ns} ns"
    if abs(ns) < NS_PER["ms"]:
        return f"{ns / 1e3:g} µs"
    if abs(ns) < NS_PER["s"]:
        return f"{ns / 1e6:g} ms"
    sign = "-" if ns < 0 else ""
    ms = round(abs(ns) / 1e6)
    days, ms = divmod(ms, 86_400_000)
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    seconds, ms = divmod(ms, 1000)
    return f"{sign}{f'{days} d ' if days else ''}{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
