"""Read and write event files: hftbacktest's `.npz` and `.npy`, strictly.

A file is read whole or refused; nothing is guessed, cut off or reinterpreted. Sizes are checked before memory is taken, and
an array becomes visible only when all of its bytes are there and, in archives, their checksum is right. What is read is
read-only.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT, LATENCY, REGISTRY
from queuefront.core.errors import ConfigError, DataFormatError, TruncatedFileError
from queuefront.feed.check import validate_events, validate_latencies
from queuefront.feed.files import replacing
from queuefront.feed.npy_header import file_dtype, parse_header, parse_preamble, write_header

__all__ = [
    "BYTES_MAX",
    "as_records",
    "read_events",
    "read_latencies",
    "read_member",
    "read_records",
    "write_npy",
    "write_npz",
]

Records = npt.NDArray[Any]
T = TypeVar("T")

BYTES_MAX: Final = 2**38
"""Largest member that is read, in bytes; more is a damaged or hostile file."""

_log = logging.getLogger(__name__)
_CHUNK: Final = 2**20
_DEFLATE_RATIO_MAX: Final = 1032  # no deflate stream unpacks to more per byte (zlib technical details)
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # so that equal records give equal bytes


def read_events(
    path: str | os.PathLike[str],
    *,
    member: str = "data",
    rename: Mapping[str, str] | None = None,
    strip_padding: bool = False,
    extra_kinds: frozenset[int] = frozenset(),
) -> Records:
    """Read an event file, and check that flags, kinds and numbers can be used (`validate_events`).

    Parameters
    ----------
    path : `.npz` (a zip archive of `.npy` members, stored or deflated) or `.npy`; told by the contents.
    member : which array of an archive.
    rename : the file's field names where they differ, mapped to ours.
    strip_padding : allow zero bytes after the last record.
    extra_kinds : event kinds of your own.

    Returns an `EVENT` array, read-only.

    Raises
    ------
    DataFormatError
        If the bytes are not such a file; TruncatedFileError if it ends early, SchemaMismatchError for other records.
    DataError
        If a row cannot be used.
    """
    events = read_records(path, EVENT, member=member, rename=rename, strip_padding=strip_padding)
    validate_events(events, str(path), extra_kinds=extra_kinds)
    return events


def read_latencies(path: str | os.PathLike[str], *, member: str = "data") -> Records:
    """Read measured order latencies (`LATENCY` rows, read-only), and check them (`validate_latencies`)."""
    rows = read_records(path, LATENCY, member=member)
    validate_latencies(rows, str(path))
    return rows


def read_records(
    path: str | os.PathLike[str],
    dtype: np.dtype[Any],
    *,
    member: str = "data",
    rename: Mapping[str, str] | None = None,
    strip_padding: bool = False,
    swap_bytes: bool = True,
) -> Records:
    """Read an array of a registered record dtype; see `read_events`.

    With `swap_bytes` false, big-endian records are refused instead of converted.
    """
    _check_registered(dtype)
    path = Path(path)
    if rename is None and dtype == LATENCY:
        rename = {"_padding": "padding"}  # as hftbacktest writes them
    options = _Options(dtype, dict(rename or {}), strip_padding=strip_padding, swap_bytes=swap_bytes)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        if is_zip:
            name = member.removesuffix(".npy") + ".npy"
            where = f"{path} ({name})"
            return read_member(file, size, str(path), name, lambda stream, count: _read_npy(stream, count, where, options))
        return _read_npy(file, size, str(path), options)


class _Options:
    def __init__(self, dtype: np.dtype[Any], rename: dict[str, str], *, strip_padding: bool, swap_bytes: bool) -> None:
        self.dtype = dtype
        self.rename = rename
        self.strip_padding = strip_padding
        self.swap_bytes = swap_bytes


def read_member(file: IO[bytes], size: int, path: str, name: str, read: Callable[[IO[bytes], int], T]) -> T:
    """Read one member of a zip archive of `size` bytes, by what takes a stream and how many bytes it declares.

    Raises
    ------
    DataFormatError, TruncatedFileError
        If the archive is damaged, or has not this one member, or it could not be as long as it says.
    """
    where = f"{path} ({name})"
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if info.filename == name]
            if len(infos) != 1:
                there = ", ".join(sorted(info.filename for info in archive.infolist()))[:200] or "nothing"
                count = "no member" if not infos else f"{len(infos)} members"
                raise DataFormatError(
                    f"{path}: the archive has {count} {name!r}; it holds {there}; name the member to read"
                )
            _check_member(infos[0], size, where)
            with archive.open(infos[0]) as stream:
                return read(stream, infos[0].file_size)
    except DataFormatError:
        raise
    except OSError as e:
        if e.errno != errno.EINVAL:  # the disk's own trouble
            raise
        raise DataFormatError(f"{where}: the archive names an impossible offset; fetch the file again") from e
    except EOFError as e:
        raise TruncatedFileError(f"{where}: the compressed data end early; fetch the file again") from e
    except _DAMAGE as e:
        is_cut = isinstance(e, zlib.error) or "CRC" in str(e) or "not a zip file" in str(e)
        error = TruncatedFileError if is_cut else DataFormatError
        raise error(f"{where}: the archive is damaged or incomplete ({str(e)[:120]}); fetch the file again") from e


def _check_member(info: zipfile.ZipInfo, size: int, where: str) -> None:
    if info.flag_bits & 1:
        raise DataFormatError(f"{where}: the member is encrypted; save it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataFormatError(f"{where}: compression method {info.compress_type}; save it stored or deflated")
    if info.header_offset + info.compress_size > size:
        raise TruncatedFileError(
            f"{where}: {info.compress_size:,} bytes at offset {info.header_offset:,} of a file of {size:,}; fetch it again"
        )
    ratio = 1 if info.compress_type == zipfile.ZIP_STORED else _DEFLATE_RATIO_MAX
    if info.file_size > min(info.compress_size * ratio + 64, BYTES_MAX):
        raise DataFormatError(
            f"{where}: {info.compress_size:,} bytes cannot unpack to {info.file_size:,}; the archive is damaged"
        )


def _read_npy(stream: IO[bytes], size: int, where: str, options: _Options) -> Records:
    head = _read_exactly(stream, min(size, 12), 0, where)
    preamble = parse_preamble(head, size, where)
    start = preamble.header_offset
    rest = start + preamble.header_bytes - len(head)
    if rest >= 0:
        text, early = head[start:] + _read_exactly(stream, rest, len(head), where), b""
    else:  # a version 1 header so short that the first read went past it
        text, early = head[start : start + preamble.header_bytes], head[start + preamble.header_bytes :]
    header = parse_header(text, preamble, where)
    stored = file_dtype(header, options.dtype, options.rename, where)
    offset = start + preamble.header_bytes
    payload = size - offset
    declared = header.rows * stored.itemsize
    if declared > payload:
        raise TruncatedFileError(
            f"{where}: offset {offset}: {header.rows:,} records of {stored.itemsize} bytes are declared, "
            f"{payload:,} bytes are there; fetch the file again"
        )
    if payload > declared and not options.strip_padding:
        remainder = payload % stored.itemsize
        what = f"{remainder:,} bytes more than whole records" if remainder else f"{(payload - declared):,} bytes more"
        raise DataFormatError(
            f"{where}: offset {offset + declared:,}: {what} than the {header.rows:,} declared records take; "
            "write the file again, or pass strip_padding=True if they are zeros"
        )
    buffer = np.zeros(declared, np.uint8)
    _fill(stream, buffer, early, offset, where)
    if padding := payload - declared:
        if any(_read_exactly(stream, padding, offset + declared, where)):
            raise DataFormatError(f"{where}: offset {offset + declared:,}: the bytes after the last record are not zeros")
        _log.info("padding stripped path=%s bytes=%d", where, padding)
    if stream.read(1):
        raise DataFormatError(f"{where}: the member is longer than the {size:,} bytes it declares; the archive is damaged")
    records = as_records(buffer, stored, source=where)
    if stored != options.dtype:
        if not options.swap_bytes:
            raise DataFormatError(
                f"{where}: the records are in big-endian byte order; pass swap_bytes=True to convert them"
            )
        _log.info("big-endian records swapped path=%s rows=%d", where, len(records))
        records = records.astype(options.dtype)
    records.setflags(write=False)
    return records


def as_records(buffer: npt.NDArray[np.uint8], dtype: np.dtype[Any], *, offset: int = 0, source: str = "buffer") -> Records:
    """Look at the bytes from `offset` on as records, without a copy.

    Raises
    ------
    DataFormatError
        If the offset lies outside, or the bytes are no whole number of records.
    """
    if not 0 <= offset <= len(buffer):
        raise DataFormatError(f"{source}: offset {offset:,} lies outside the {len(buffer):,} bytes; give one within")
    remainder = (len(buffer) - offset) % dtype.itemsize
    if remainder:
        raise DataFormatError(
            f"{source}: {len(buffer) - offset:,} bytes are {remainder} more than whole records of {dtype.itemsize}"
        )
    if not buffer.flags.c_contiguous or buffer.dtype != np.uint8 or buffer.ndim != 1:
        raise DataFormatError(f"{source}: records are made of contiguous bytes only; copy them first")
    part = buffer[offset:]
    if part.ctypes.data % 8:
        part = part.copy()  # compiled code reads eight bytes at a time
    return part.view(dtype)


def _read_exactly(stream: IO[bytes], count: int, offset: int, where: str) -> bytes:
    parts: list[bytes] = []
    got = 0
    while got < count:
        part = stream.read(min(count - got, _CHUNK))
        if not part:
            raise TruncatedFileError(
                f"{where}: offset {offset + got:,}: {got:,} bytes where {count:,} were wanted; fetch it again"
            )
        parts.append(part)
        got += len(part)
    return b"".join(parts)


def _fill(stream: IO[bytes], buffer: npt.NDArray[np.uint8], early: bytes, offset: int, where: str) -> None:
    """Fill the buffer, of which `early` was read already."""
    target = buffer.data
    early = early[: len(buffer)]
    target[: len(early)] = early
    got = len(early)
    while got < len(buffer):
        part = stream.read(min(len(buffer) - got, _CHUNK))
        if not part:
            raise TruncatedFileError(
                f"{where}: offset {offset + got:,}: {got:,} bytes of records where {len(buffer):,} were due; fetch it again"
            )
        target[got : got + len(part)] = part
        got += len(part)


def write_npz(path: str | os.PathLike[str], records: Records, *, member: str = "data", compress: bool = True) -> None:
    """Write one array as an archive that `numpy.load` and hftbacktest read.

    The name is there when the whole file is; equal records give equal bytes.

    Raises
    ------
    ConfigError
        If the records are of no registered dtype, not contiguous, or the name does not end in `.npz`.
    """
    _check_writable(path, records, ".npz")
    info = zipfile.ZipInfo(f"{member}.npy", _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    head = write_header(records.dtype, len(records))
    info.file_size = len(head) + records.nbytes  # so that zipfile knows whether 64-bit sizes are needed
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive, archive.open(info, "w") as stream:
        stream.write(head)
        _write_bytes(stream, records)


def write_npy(path: str | os.PathLike[str], records: Records) -> None:
    """Write one array as `.npy`; see `write_npz`."""
    _check_writable(path, records, ".npy")
    with replacing(path) as file:
        file.write(write_header(records.dtype, len(records)))
        _write_bytes(file, records)


def _write_bytes(stream: IO[bytes], records: Records) -> None:
    data = records.view(np.uint8).data
    for start in range(0, len(data), _CHUNK):
        stream.write(data[start : start + _CHUNK])


def _check_writable(path: str | os.PathLike[str], records: Records, suffix: str) -> None:
    if Path(path).suffix != suffix:
        raise ConfigError(f"{path}: the name must end in {suffix}")
    if not isinstance(records, np.ndarray) or records.ndim != 1 or not records.flags.c_contiguous:
        raise ConfigError(f"{path}: only a contiguous one-dimensional array is written; pass numpy.ascontiguousarray(...)")
    _check_registered(records.dtype)


def _check_registered(dtype: np.dtype[Any]) -> None:
    if not any(dtype == known for known in REGISTRY.values()):
        names = ", ".join(sorted(REGISTRY))
        raise ConfigError(
            f"the dtype {str(dtype)[:120]} is not registered; use one of {names}, or queuefront.core.register"
        )
