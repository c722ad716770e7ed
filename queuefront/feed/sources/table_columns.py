"""Read the cells of a table: exact times and numbers out of text, integers, decimals and floats, and which cells are bad.

Times in text are cast to decimals of as many places as nanoseconds have, so that nothing passes through float64; more
places than that are refused. Times in float64 are taken for what the float is, to the nearest nanosecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TS_MAX", "TS_MIN", "Cells", "as_codes", "as_numbers", "as_order_ids", "as_text", "as_times"]

TS_MIN: Final = 631_152_000_000_000_000  # 1990-01-01
TS_MAX: Final = 7_258_118_400_000_000_000  # 2200-01-01
"""Times outside of these are in another unit than the mapping says."""

_DECIMAL_DIGITS: Final = 28


class Cells(NamedTuple):
    """Values of a column, and which of them are bad (their values mean nothing)."""

    values: npt.NDArray[Any]
    is_bad: npt.NDArray[np.bool_]


def as_text(array: pa.Array) -> list[str | None]:
    """Return cells as text; numbers as they are written."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
    text: list[str | None] = (array if pa.types.is_string(array.type) else _cast(array, pa.string())[0]).to_pylist()
    return text


def as_codes(array: pa.Array, codes: dict[str, int]) -> Cells:
    """Return the code of each cell; a cell that has none is bad."""
    text = as_text(array)
    values = np.array([-1 if cell is None else codes.get(cell, -1) for cell in text], np.int64)
    return Cells(values, values < 0)


def as_times(array: pa.Array, digits: int) -> Cells:
    """Return ns of a column of times, counted in a unit of which ns have `digits` more places."""
    import pyarrow as pa

    kind, step = array.type, 10**digits
    if pa.types.is_timestamp(kind):
        array, is_bad = _cast(array, pa.timestamp("ns"))
        return _in_range(Cells(_integers(array.cast(pa.int64())), is_bad))
    if pa.types.is_integer(kind):
        values = _integers(_cast(array, pa.int64())[0])
        is_bad = _nulls(array) | (values < TS_MIN // step) | (values > TS_MAX // step)
        return Cells(np.where(is_bad, 0, values) * np.int64(step), is_bad)
    if pa.types.is_floating(kind):
        seconds = _floats(array)
        with np.errstate(invalid="ignore"):
            is_bad = ~((seconds >= TS_MIN / step) & (seconds <= TS_MAX / step))
        whole = np.floor(np.where(is_bad, 0.0, seconds))
        fraction = np.where(is_bad, 0.0, seconds) - whole
        return Cells(whole.astype(np.int64) * np.int64(step) + np.rint(fraction * step).astype(np.int64), is_bad)
    decimals, is_bad = _cast(array, pa.decimal128(_DECIMAL_DIGITS, digits))
    pairs = np.frombuffer(decimals.buffers()[1], np.int64)[2 * decimals.offset :][: 2 * len(decimals)].reshape(-1, 2)
    low, high = pairs[:, 0].copy(), pairs[:, 1]
    return _in_range(Cells(low, is_bad | (high != np.where(low < 0, -1, 0))))


def as_numbers(array: pa.Array) -> Cells:
    """Return float64, the nearest of each decimal; what is missing or not finite is bad."""
    import pyarrow as pa

    cast, is_bad = _cast(array, pa.float64())
    values = _floats(cast)
    return Cells(values, is_bad | ~np.isfinite(values))


def as_order_ids(array: pa.Array) -> Cells:
    """Return uint64."""
    import pyarrow as pa

    cast, is_bad = _cast(array, pa.uint64())
    return Cells(cast.fill_null(0).to_numpy(zero_copy_only=False), is_bad)


def _in_range(cells: Cells) -> Cells:
    is_bad = cells.is_bad | (cells.values < TS_MIN) | (cells.values > TS_MAX)
    return Cells(np.where(is_bad, 0, cells.values), is_bad)


def _cast(array: pa.Array, kind: pa.DataType) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Cast what can be cast; cells that cannot are null, and bad like those that were."""
    import pyarrow as pa

    if pa.types.is_boolean(array.type) and not pa.types.is_string(kind):  # Arrow takes them for 1 and 0
        array = pa.nulls(len(array), kind)
    try:
        made = array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(array) <= 1:
            made = pa.nulls(len(array), kind)
        else:  # halves, so that a bad cell costs a few casts and a good block one
            middle = len(array) // 2
            made = pa.concat_arrays([_cast(array[:middle], kind)[0], _cast(array[middle:], kind)[0]])
    return made, _nulls(made)


def _nulls(array: pa.Array) -> npt.NDArray[np.bool_]:
    is_null: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return is_null


def _integers(array: pa.Array) -> npt.NDArray[np.int64]:
    values: npt.NDArray[np.int64] = array.fill_null(0).to_numpy(zero_copy_only=False)
    return values


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    import pyarrow as pa

    values: npt.NDArray[np.float64] = array.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    return values
