"""Columns of CSV files, and what their fields may hold.

Fields are not quoted and hold no commas. Whole numbers stay whole: no time or id passes through float64. Decimal text
becomes the nearest float64. Spaces around numbers are taken off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from queuefront.core.clock import INT64_MAX, NS_PER, format_ts
from queuefront.feed.sources.refusal import NS_MIN

__all__ = ["TS_MAX", "TS_MIN", "Column", "Fault", "Taken"]

Kind = Literal["time", "seconds", "price", "qty", "number", "whole", "choice", "same"]
Array = npt.NDArray[Any]
Fault = tuple[npt.NDArray[np.bool_], str]  # which records, and what is wrong with them
Taken = tuple[Array, list[Fault]]

TS_MIN: Final = NS_MIN
"""1990-01-01. A time before it, or after `TS_MAX`, is in another unit than its column says."""
TS_MAX: Final = 4_102_444_800_000_000_000
"""2100-01-01."""

_WHOLE: Final = re.compile(rb" *-?[0-9]+ *")
_DECIMAL: Final = re.compile(rb" *-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})? *")
_NANOS: Final = 9
_DECIMAL_DIGITS: Final = 20


@dataclass(frozen=True)
class Column:
    """One column.

    kind : `time` a whole number of `units`, `seconds` a decimal number of them with up to 9 decimals, both made ns;
        `price` positive, `qty` not negative, `number` of any sign, all finite; `whole` an integer; `choice` one of
        `choices`; `same` the same text in all records, which is the symbol or the exchange.
    units : of a time, the likeliest first; a file's first time decides which one it is.
    is_optional : the field may be empty, and is NaN then.
    """

    name: str
    kind: Kind
    units: tuple[str, ...] = ("us",)
    choices: Mapping[bytes, int] = field(default_factory=dict)
    is_optional: bool = False
    is_since_midnight: bool = False

    @property
    def arrow_type(self) -> Any:
        """The type that Arrow reads the column as."""
        if self.kind in ("time", "whole"):
            return pa.int64()
        if self.kind == "seconds":
            return pa.decimal128(_DECIMAL_DIGITS, _NANOS)
        if self.kind in ("choice", "same"):
            return pa.dictionary(pa.int32(), pa.binary())
        return pa.float64()

    def fault_of(self, text: bytes) -> str:
        """Say what is wrong with the form of one field; empty if nothing is."""
        shown = repr(text[:40].decode("utf-8", "replace"))
        if self.kind in ("choice", "same"):
            return ""
        if not text.strip():
            return "" if self.is_optional else "the field is empty"
        if self.kind in ("time", "whole"):
            if not _WHOLE.fullmatch(text):
                return f"{shown} is no whole number"
            number = text.strip()
            return "" if len(number) < 30 and -(2**63) <= int(number) < 2**63 else f"{shown} does not fit into int64"
        return "" if _DECIMAL.fullmatch(text) else f"{shown} is no decimal number"

    def take(self, array: Any, unit: str) -> Taken:
        """Return the values of an Arrow array without chunks, and the faults in them."""
        if self.kind == "seconds":
            return self._seconds(array)
        if self.kind in ("time", "whole"):
            return self._whole(array.to_numpy(zero_copy_only=False), unit)
        return self._float(array)

    def codes(self, array: Any) -> Taken:
        """Return the codes of a column of choices, -1 where a text is none of them, and the faults."""
        known = array.dictionary.to_pylist()
        table = np.array([self.choices.get(text.strip(), -1) for text in known] or [-1], np.int64)
        codes = table[array.indices.to_numpy(zero_copy_only=False)]
        wanted = ", ".join(text.decode() for text in self.choices)
        return codes, [(codes < 0, f"is none of {wanted}")]

    def unit_of(self, first: int) -> str:
        """Return the unit in which a time lies between `TS_MIN` and `TS_MAX`; the first one if it does in none."""
        return next((unit for unit in self.units if TS_MIN <= first * NS_PER[unit] <= TS_MAX), self.units[0])

    def _whole(self, values: Array, unit: str) -> Taken:
        if self.kind == "whole":
            return values, []
        scale = NS_PER[unit]
        is_far = (values < TS_MIN // scale) | (values > TS_MAX // scale)
        # A time out of range would overflow when it is scaled; its record is refused anyway.
        ns = np.where(is_far, 0, values) * np.int64(scale)
        return ns, [(is_far, f"is no time in {unit} between {format_ts(TS_MIN)[:10]} and {format_ts(TS_MAX)[:10]}")]

    def _seconds(self, array: Any) -> Taken:
        pairs = np.frombuffer(array.buffers()[1], np.int64)[2 * array.offset : 2 * (array.offset + len(array))].reshape(
            -1, 2
        )
        ns = pairs[:, 0].copy()
        does_fit = pairs[:, 1] == (ns >> np.int64(63))  # the upper half is but the sign
        if self.is_since_midnight:
            is_far = ~does_fit | (ns < 0) | (ns >= 86_400 * NS_PER["s"])
            return ns, [(is_far, "is no time of a day in seconds")]
        is_far = ~does_fit | (ns < TS_MIN) | (ns > min(TS_MAX, INT64_MAX))
        return ns, [(is_far, f"is no time in s between {format_ts(TS_MIN)[:10]} and {format_ts(TS_MAX)[:10]}")]

    def _float(self, array: Any) -> Taken:
        values = array.to_numpy(zero_copy_only=False)
        is_absent = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else np.zeros(len(values), np.bool_)
        faults = [(~np.isfinite(values) & ~is_absent, "is not finite")]
        if self.kind == "price":
            faults.append((values <= 0.0, "is no price; a price is positive"))
        elif self.kind == "qty":
            faults.append((values < 0.0, "is no quantity; a quantity is not negative"))
        return values, faults
