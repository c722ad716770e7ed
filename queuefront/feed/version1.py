"""Read and write hftbacktest's event files of version 1: six columns of float64 instead of records.

The columns are event, exchange time, local time, side, price and quantity. A time that is not positive means that the half
does not see the row; the flags of today's records say the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.enums import BUY_EVENT, EXCH_EVENT, KIND_MASK, LOCAL_EVENT, SELL_EVENT
from queuefront.core.errors import ConfigError, DataError, DataFormatError, SchemaMismatchError, TimestampRangeError
from queuefront.feed.check import validate_events
from queuefront.feed.files import replacing
from queuefront.feed.npy_header import parse_keys, parse_preamble, show
from queuefront.feed.npz import read_member, write_npz

__all__ = ["migrate_version1", "write_version1"]

_COLUMNS: Final = ("event", "exch_timestamp", "local_timestamp", "side", "price", "qty")
_FLOAT_EXACT: Final = 2.0**53
_ANY_KIND: Final = frozenset(range(KIND_MASK + 1))


def migrate_version1(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    ts_mul: float = 1000,
    *,
    member: str = "data",
) -> npt.NDArray[Any]:
    """Return the rows of a version 1 file as `EVENT` records.

    Parameters
    ----------
    path : an `.npz` file of version 1, or the `.npy` of its columns.
    output : an `.npz` file to write the records to.
    ts_mul : ns in one step of the file's times, which are microseconds by custom.
    member : which array of an archive.

    Raises
    ------
    ConfigError
        If `ts_mul` is no positive whole number.
    DataFormatError
        If the file cannot be read; SchemaMismatchError if it does not hold six columns of float64.
    TimestampRangeError
        If a time does not fit into int64 nanoseconds.
    DataError
        Naming a row whose price or quantity cannot be used.
    """
    if ts_mul < 1 or ts_mul != int(ts_mul):
        raise ConfigError(f"ts_mul is {ts_mul}; give the nanoseconds of one step, a whole number from 1")
    ns = int(ts_mul)
    columns = _read(Path(path), member)
    numbers = {name: columns[:, i] for i, name in enumerate(_COLUMNS)}
    kind = _whole(numbers["event"], "event", path)
    if len(kind) and not 0 <= int(kind.min()) <= int(kind.max()) <= KIND_MASK:
        row = int(np.argmax((kind < 0) | (kind > KIND_MASK)))
        raise DataFormatError(f"{path}: row {row:,}: event {kind[row]} is none of version 1; write the file again")
    events = np.zeros(len(columns), EVENT)
    events["ev"] = kind
    events["ev"] |= np.where(numbers["side"] == 1, np.uint64(BUY_EVENT), np.uint64(0))
    events["ev"] |= np.where(numbers["side"] == -1, np.uint64(SELL_EVENT), np.uint64(0))
    for name, source, flag in (("exch_ts", "exch_timestamp", EXCH_EVENT), ("local_ts", "local_timestamp", LOCAL_EVENT)):
        ts = _whole(numbers[source], source, path)
        if len(ts) and max(-int(ts.min()), int(ts.max())) * ns >= 2**63:
            raise TimestampRangeError(f"{path}: {source} times {ns:,} does not fit into int64; give a smaller ts_mul")
        events[name] = ts * np.int64(ns)
        events["ev"] |= np.where(ts > 0, np.uint64(flag), np.uint64(0))
    events["px"], events["qty"] = numbers["price"], numbers["qty"]
    validate_events(events, str(path), extra_kinds=_ANY_KIND)
    if output is not None:
        write_npz(output, events)
    return events


def write_version1(
    path: str | os.PathLike[str], events: npt.NDArray[Any], ts_mul: float = 1000, *, round_times: bool = False
) -> None:
    """Write events as a file of version 1, whose times are multiples of `ts_mul` ns.

    A half that does not see a row has the time -1 there. `migrate_version1` gives back every other field as it was.

    Parameters
    ----------
    path : an `.npz` file.
    round_times : round times down to the file's step, instead of refusing those that lie between.

    Raises
    ------
    ConfigError
        If `ts_mul` is no positive whole number.
    DataError
        Naming the row that version 1 cannot hold: one with an order id or other extra field, or a time between two steps.
    """
    if ts_mul < 1 or ts_mul != int(ts_mul):
        raise ConfigError(f"ts_mul is {ts_mul}; give the nanoseconds of one step, a whole number from 1")
    ns = np.int64(ts_mul)
    validate_events(events, str(path))
    for name in ("order_id", "ival", "fval"):
        if events[name].any():
            row = int(np.flatnonzero(events[name])[0])
            raise DataError(f"{path}: row {row:,}: version 1 has no {name}, and it is {events[name][row]}; leave it out")
    columns = np.zeros((len(events), len(_COLUMNS)))
    ev = np.ascontiguousarray(events["ev"]).astype(np.int64)
    columns[:, 0] = ev & KIND_MASK
    for column, name, flag in ((1, "exch_ts", EXCH_EVENT), (2, "local_ts", LOCAL_EVENT)):
        steps, rest = np.divmod(events[name], ns)
        is_seen = (ev & flag) != 0
        if not round_times and (rest[is_seen] != 0).any():
            row = int(np.flatnonzero(is_seen & (rest != 0))[0])
            raise DataError(
                f"{path}: row {row:,}: {name} {events[name][row]} is no multiple of {ns:,} ns; give a smaller ts_mul, or "
                "round_times=True"
            )
        if is_seen.any() and not 0 < int(steps[is_seen].min()) <= int(steps[is_seen].max()) <= 2**53:
            raise TimestampRangeError(f"{path}: {name} is not positive or beyond 2^53 steps of {ns:,} ns; check its unit")
        columns[:, column] = np.where(is_seen, steps, -1)
    columns[:, 3] = np.where(ev & BUY_EVENT, 1, np.where(ev & SELL_EVENT, -1, 0))
    columns[:, 4], columns[:, 5] = events["px"], events["qty"]
    with replacing(path) as file:
        np.savez_compressed(file, data=columns)


def _whole(x: npt.NDArray[np.float64], name: str, path: object) -> npt.NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        is_whole = np.abs(x) <= _FLOAT_EXACT  # false for NaN
    if not is_whole.all():
        row = int(np.argmin(is_whole))
        raise DataFormatError(f"{path}: row {row:,}: {name} {x[row]} is no whole number; write the file again")
    return np.trunc(x).astype(np.int64)


def _read(path: Path, member: str) -> npt.NDArray[np.float64]:
    """Return the columns of a file, of which no more is read than its bytes can hold."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        if not is_zip:
            return _columns(file.read(), str(path))
        name = member.removesuffix(".npy") + ".npy"
        return read_member(
            file, size, str(path), name, lambda stream, count: _columns(stream.read(count), f"{path} ({name})")
        )


def _columns(data: bytes, where: str) -> npt.NDArray[np.float64]:
    """Return the array of a whole `.npy` file."""
    preamble = parse_preamble(data[:12], len(data), where)
    begin = preamble.header_offset + preamble.header_bytes
    header = parse_keys(data[preamble.header_offset : begin], preamble, where)
    descr, is_fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    is_table = isinstance(shape, tuple) and len(shape) == 2 and all(type(count) is int and count >= 0 for count in shape)
    if not is_table or shape[1] != len(_COLUMNS) or descr != np.dtype(np.float64).str:
        raise SchemaMismatchError(
            f"{where}: {show(descr)} of shape {show(shape)} is not version 1, six columns of float64 "
            f"({', '.join(_COLUMNS)}); newer files need no migration"
        )
    if type(is_fortran) is not bool or 8 * shape[0] * shape[1] != len(data) - begin:
        raise DataFormatError(
            f"{where}: {shape[0]:,} rows are declared, {len(data) - begin:,} bytes of them are there; fetch it again"
        )
    flat = np.frombuffer(data, np.float64, offset=begin)
    return flat.reshape(shape, order="F" if is_fortran else "C")
