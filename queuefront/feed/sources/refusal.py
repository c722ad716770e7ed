"""How a decoder says that a line cannot be used, and what raw streams refuse in numbers."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

__all__ = [
    "NS_MIN",
    "NS_PER_MS",
    "Level",
    "LineRefused",
    "Price",
    "Qty",
    "check_update_id",
    "ms_to_ns",
    "refusal_of",
]

NS_PER_MS: Final = 1_000_000
NS_MIN: Final = 631_152_000_000_000_000
"""1990-01-01; a time before it is in another unit than is meant."""

_FIELD_OF_PATH: Final = re.compile(r"`\$\.?([A-Za-z0-9_.\[\]…]+)`|field `([^`]+)`")
_FLOAT_MAX: Final = 1.7976931348623157e308

Price = Annotated[float, msgspec.Meta(gt=0.0, le=_FLOAT_MAX)]
"""A field that is positive and finite: the JSON decoder refuses others, NaN too."""

Qty = Annotated[float, msgspec.Meta(ge=0.0, le=_FLOAT_MAX)]
"""A field that is finite and not negative."""

Level = tuple[Price, Qty]


class LineRefused(Exception):  # noqa: N818 - an outcome that the converter turns into an error or a count
    """A line cannot be used; `field` and `value` say why."""

    def __init__(self, reason: str, name: str = "", value: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = name
        self.value = str(value)[:80]


def refusal_of(error: msgspec.MsgspecError | RecursionError | UnicodeDecodeError) -> LineRefused:
    """Return the refusal that a decoder's error amounts to, with the field that the error names."""
    match = _FIELD_OF_PATH.search(str(error))
    return LineRefused(str(error), (match[1] or match[2]) if match else "")


def ms_to_ns(ms: int, name: str, ns_per_step: int = NS_PER_MS) -> int:
    """Return a venue's time in ns; refuse one before 1990, which is of another unit, or beyond int64."""
    ms_min, ms_max = -(-NS_MIN // ns_per_step), (2**63 - 1) // ns_per_step
    if not ms_min <= ms <= ms_max:
        raise LineRefused(
            f"`{name}` is {ms}; a time in steps of {ns_per_step:,} ns is {ms_min:,} (1990) to {ms_max:,}",
            name,
            ms,
        )
    return ms * ns_per_step


def check_update_id(number: int, name: str) -> None:
    """Refuse a number that no venue counts its updates by."""
    if not 0 <= number < 2**63:
        raise LineRefused(f"`{name}` is {number}; an update id is at least 0 and below 2^63", name, number)
