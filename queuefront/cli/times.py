"""Times and durations as a user writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from queuefront.core import ConfigError

__all__ = ["duration_of", "time_of"]

_UNITS: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h|d)")
_FRACTION: Final = re.compile(r"(.*:[0-9]{2})\.([0-9]{1,9})(.*)")


def duration_of(text: str, option: str) -> int:
    """Return the nanoseconds of a duration like `1h` or `250ms`.

    Raises
    ------
    ConfigError
        If it is none, or no whole number of nanoseconds from 1.
    """
    match = _DURATION.fullmatch(text)
    length = Fraction(match[1]) * _UNITS[match[2]] if match else Fraction(0)
    if length < 1 or length.denominator != 1 or length >= 2**63:
        units = ", ".join(_UNITS)
        raise ConfigError(f"{option} is {text!r}; give a number and one of {units}, for example 1h")
    return int(length)


def time_of(text: str, option: str) -> int:
    """Return the ns since 1970 of a time: such a number, or an ISO date and time, UTC where it names no zone.

    Raises
    ------
    ConfigError
        If it is none, or does not fit into int64.
    """
    advice = "give a time like 2024-08-08T12:00:00Z, or ns since 1970"
    if text.isascii() and text.isdigit():
        ns = int(text)
    else:
        match = _FRACTION.fullmatch(text)  # Python's own times end at the microsecond
        whole, fraction = (match[1] + match[3], int(match[2].ljust(9, "0"))) if match else (text, 0)
        try:
            moment = datetime.fromisoformat(whole)
        except ValueError as e:
            raise ConfigError(f"{option} is {text!r}; {advice}") from e
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        ns = (since.days * 86_400 + since.seconds) * 10**9 + fraction
    if not -(2**63) <= ns < 2**63:
        raise ConfigError(f"{option} is {text!r}, which does not fit into int64 nanoseconds; {advice}")
    return ns
