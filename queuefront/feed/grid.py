"""Find the price and quantity steps of a market from its prices and quantities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from queuefront.core.errors import DataError

__all__ = ["infer_step", "infer_step_of"]

Blocks = Callable[[], Iterable[npt.NDArray[np.float64]]]
"""Values, block by block, from the beginning each time that it is called."""

_DECIMALS_MAX: Final = 12
_MANTISSAS: Final = (50, 25, 20, 10)  # tenths: a step is 5, 2.5, 2 or 1 times a power of ten
_PEEK: Final = 1024
_BLOCK: Final = 2**16


def infer_step(x: npt.NDArray[np.float64], name: str, source: str) -> tuple[Decimal, int]:
    """Return the largest of {1, 2, 2.5, 5} × 10^k that divides every value exactly, and from how many values.

    Values are taken as the decimals that they are the nearest float64 to; zeros say nothing and are left out. The step is
    an upper bound of the market's own, and equal to it where enough different values were seen.

    Raises
    ------
    DataError
        If there is no value, or one that is no decimal of at most 12 places.
    """
    return infer_step_of(lambda: (x[begin : begin + _BLOCK] for begin in range(0, len(x), _BLOCK)), name, source)


def infer_step_of(blocks: Blocks, name: str, source: str) -> tuple[Decimal, int]:
    """Do `infer_step` on values that are read block by block, more than once where some need more decimals than others."""
    places = 0
    while True:
        divisor = value_count = 0
        for x in _values(blocks):
            begun_with = places
            while (counts := _counts(x, places)) is None:
                places += 1
                if places > _DECIMALS_MAX:
                    raise DataError(f"{source}: some value is no decimal of at most {_DECIMALS_MAX} places; give {name}")
            if places != begun_with and value_count:
                break  # the blocks before are to be counted with as many places
            divisor = _common_divisor(counts, divisor)
            value_count += len(x)
        else:
            if not value_count:
                raise DataError(f"{source}: there is no value to infer {name} from; give {name}")
            return _round_step(divisor, places), value_count


def _values(blocks: Blocks) -> Iterator[npt.NDArray[np.float64]]:
    for block in blocks():
        x = np.abs(block[block != 0.0])
        if len(x):
            yield x


def _counts(x: npt.NDArray[np.float64], places: int) -> npt.NDArray[np.int64] | None:
    scale = 10.0**places
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(x * scale)
    if not np.isfinite(scaled).all() or scaled.max() > 2.0**53 or not np.array_equal(scaled / scale, x):
        return None
    return scaled.astype(np.int64)


def _common_divisor(counts: npt.NDArray[np.int64], divisor: int) -> int:
    """Return the greatest common divisor of counts and of a number, 0 for none."""
    # np.gcd.reduce over the whole column is ten times slower than testing one candidate with a remainder.
    divisor = divisor or int(np.gcd.reduce(counts[:_PEEK]))
    while divisor > 1:
        rest = counts % divisor
        misfits = rest[rest != 0]
        if not len(misfits):
            break
        divisor = int(np.gcd.reduce(np.append(misfits[:_PEEK], divisor)))
    return divisor


def _round_step(divisor: int, places: int) -> Decimal:
    tenths = divisor * 10  # so that 2.5 is a whole number too
    power = 10 ** len(str(divisor))
    while True:
        for mantissa in _MANTISSAS:
            if tenths % (mantissa * power) == 0:
                return Decimal(mantissa * power).scaleb(-places - 1).normalize()
        power //= 10
