"""Read Databento's DBN files: what they hold, whose records they are, and the records: by order, by price, or trades.

A DBN file is a header (`DBN`, a version, the length of the metadata, the metadata) and records, usually inside zstd. The
metadata are read by Databento's own `databento-dbn`; records are taken as the bytes that they are, since making an object
of each would take longer than all the rest. Source: Databento documentation, "Databento Binary Encoding" and "Fields by
schema: MBO", read 2024-08; the records read here are the same in versions 1 to 3.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import monotonic_s
from queuefront.core.errors import ConfigError, DataFormatError, TruncatedFileError
from queuefront.feed.sources.databento_compiled import MBO_RTYPE, take_records
from queuefront.feed.sources.raw import check_expansion

__all__ = ["MBO", "SCHEMAS", "DbnFile", "Interval", "Schema"]

_HEADER: Final = [
    ("length", "u1"),
    ("rtype", "u1"),
    ("publisher_id", "<u2"),
    ("instrument_id", "<u4"),
    ("ts_event", "<u8"),
]
MBO: Final = np.dtype(
    [
        *_HEADER,
        ("order_id", "<u8"),
        ("price", "<i8"),  # 1e-9
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
_TRADE: Final = [
    *_HEADER,
    ("price", "<i8"),  # 1e-9
    ("size", "<u4"),
    ("action", "u1"),
    ("side", "u1"),
    ("flags", "u1"),
    ("depth", "u1"),
    ("ts_recv", "<u8"),
    ("ts_in_delta", "<i4"),
    ("sequence", "<u4"),
]
_LEVEL: Final = np.dtype(
    [("bid_px", "<i8"), ("ask_px", "<i8"), ("bid_sz", "<u4"), ("ask_sz", "<u4"), ("bid_ct", "<u4"), ("ask_ct", "<u4")]
)


class Schema(NamedTuple):
    """What a file's records are: their name, the type that they carry, their fields."""

    name: str
    rtype: int
    record: np.dtype[Any]


SCHEMAS: Final = {
    schema.name: schema
    for schema in (
        Schema("mbo", MBO_RTYPE, MBO),
        Schema("mbp-1", 1, np.dtype([*_TRADE, ("levels", _LEVEL, (1,))])),
        Schema("mbp-10", 10, np.dtype([*_TRADE, ("levels", _LEVEL, (10,))])),
        Schema("trades", 0, np.dtype(_TRADE)),
    )
}
"""The schemas that are read."""

_MARKET_RTYPES: Final = np.array(sorted(schema.rtype for schema in SCHEMAS.values()), np.uint8)
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_METADATA_BYTES_MAX: Final = 256 * 2**20
_CHUNK_BYTES: Final = 2**22
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_PROGRESS_INTERVAL_S: Final = 0.05


class Interval(NamedTuple):
    """One instrument id that a symbol had, from `first_day` to the day before `end_day`, counted from 1970-01-01."""

    symbol: str
    instrument_id: int
    first_day: int
    end_day: int


@dataclass(frozen=True, slots=True)
class _Header:
    dataset: str
    schema: str | None
    intervals: tuple[Interval, ...]


class DbnFile:
    """One DBN file, plain or zstd, of one of `SCHEMAS`; a file that names none is taken for market by order.

    Parameters
    ----------
    path : the file.
    salvage : where the file is cut off or damaged, give the records before that point and note it in `damage`, instead of
        raising.

    Raises
    ------
    ConfigError
        If `databento-dbn` is not installed.
    DataFormatError
        If the file is no DBN file, or holds another schema, or several; TruncatedFileError if it ends early.
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self._salvage = salvage
        self.other_count = 0  # records of other types
        self._stream, self._file = _open(self.path)
        self.input_bytes = self.path.stat().st_size
        header = _read_header(self._stream, str(self.path))
        if header.schema is not None and header.schema not in SCHEMAS:
            raise DataFormatError(
                f"{self.path}: the schema is {header.schema}; fetch the data with one of {', '.join(SCHEMAS)}"
            )
        self.schema = SCHEMAS[header.schema or "mbo"]
        self.dataset, self.intervals = header.dataset, header.intervals

    def digest(self) -> str:
        """Return the file's SHA-256."""
        with self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def read(self, progress: Callable[[int, int], None] | None = None) -> npt.NDArray[Any]:
        """Return all records of the schema in the order of the file."""
        parts = list(self.parts(progress))
        records: npt.NDArray[Any] = np.concatenate(parts) if parts else np.zeros(0, self.schema.record)
        return records

    def parts(self, progress: Callable[[int, int], None] | None = None) -> Iterator[npt.NDArray[Any]]:
        """Yield the records of the schema in the order of the file, some megabytes at a time."""
        rest, told, offset, size = b"", monotonic_s(), 0, self.schema.record.itemsize
        while chunk := self._chunk():
            buf = np.frombuffer(rest + chunk, np.uint8)
            taken = np.zeros((len(buf) // size + 1, size), np.uint8)
            end, count, others, is_wrong = take_records(buf, 0, self.schema.rtype, _MARKET_RTYPES, taken, 0)
            self.other_count += others
            if is_wrong:
                self._cut(DataFormatError(f"{self.path}: byte {offset + end:,} of the records: {self._wrong(buf, end)}"))
                yield taken[:count].reshape(-1).view(self.schema.record)
                return
            rest, offset = buf[end:].tobytes(), offset + end
            check_expansion(self.path, self.input_bytes, offset)
            if progress is not None and monotonic_s() - told >= _PROGRESS_INTERVAL_S:
                told = monotonic_s()
                progress(min(self._file.tell(), self.input_bytes), self.input_bytes)
            yield taken[:count].reshape(-1).view(self.schema.record)
        if rest:
            self._cut(
                TruncatedFileError(f"{self.path}: the last record is cut off after {len(rest)} bytes; fetch the file again")
            )
        if progress is not None:
            progress(self.input_bytes, self.input_bytes)

    def _wrong(self, buf: npt.NDArray[np.uint8], place: int) -> str:
        rtype = int(buf[place + 1])
        if rtype != self.schema.rtype and int(buf[place]) * 4 >= 16:
            name = next(schema.name for schema in SCHEMAS.values() if schema.rtype == rtype)
            return f"a record of {name} in a file of {self.schema.name}; fetch each schema as a file of its own"
        return f"a record of {int(buf[place]) * 4} bytes cannot be; fetch the file again"

    def _chunk(self) -> bytes:
        try:
            return _read(self._stream, _CHUNK_BYTES, str(self.path))
        except TruncatedFileError as e:
            self._cut(e)
            return b""

    def _cut(self, error: DataFormatError) -> None:
        if not self._salvage:
            raise error
        self.damage = self.damage or str(error)


def _open(path: Path) -> tuple[Any, Any]:
    import pyarrow as pa

    with path.open("rb") as head:
        magic = head.read(4)
    if magic[:3] != b"DBN" and magic != _ZSTD_MAGIC:
        raise DataFormatError(f"{path}: the bytes are neither DBN nor zstd; convert files that Databento delivered as dbn")
    file = pa.OSFile(str(path), "rb")
    return (pa.CompressedInputStream(file, "zstd") if magic == _ZSTD_MAGIC else file), file


def _read(stream: Any, count: int, path: str) -> bytes:
    try:
        data: bytes = stream.read(count)
    except OSError as e:
        raise TruncatedFileError(f"{path}: the zstd data are damaged or end early ({e}); fetch the file again") from e
    return data


def _read_exactly(stream: Any, count: int, path: str) -> bytes:
    data = b""
    while len(data) < count:
        part = _read(stream, count - len(data), path)
        if not part:
            raise TruncatedFileError(
                f"{path}: the metadata end after {len(data):,} of {count:,} bytes; fetch the file again"
            )
        data += part
    return data


def _read_header(stream: Any, path: str) -> _Header:
    try:
        import databento_dbn
    except ImportError as e:
        raise ConfigError(
            "reading Databento's files needs databento-dbn; install it with `pip install 'queuefront[databento]'`"
        ) from e
    prelude = _read_exactly(stream, 8, path)
    size = int.from_bytes(prelude[4:], "little")
    if prelude[:3] != b"DBN" or size > _METADATA_BYTES_MAX:
        raise DataFormatError(f"{path}: the contents do not begin like DBN; convert files that Databento delivered as dbn")
    head = prelude + _read_exactly(stream, size, path)
    decoder = databento_dbn.DBNDecoder()
    try:
        decoder.write(head)
        metadata: Any = decoder.decode()[0]
        intervals = tuple(_intervals(metadata))  # days are made when they are asked for
    except (databento_dbn.DBNError, ValueError, IndexError, OverflowError) as e:
        raise DataFormatError(f"{path}: the metadata cannot be read ({str(e)[:120]}); fetch the file again") from e
    schema = None if metadata.schema is None else str(metadata.schema)
    return _Header(str(metadata.dataset), schema, intervals)


def _intervals(metadata: Any) -> Iterator[Interval]:
    """Yield the ids that symbols had; the metadata map symbols to ids, or ids to symbols where ids were asked for."""
    for name, intervals in metadata.mappings.items():
        for interval in intervals:
            mapped = str(interval["symbol"])
            symbol, number = (mapped, name) if str(metadata.stype_in) == "instrument_id" else (name, mapped)
            if number.isdigit():
                first_day, end_day = (interval[key].toordinal() - _EPOCH_DAY for key in ("start_date", "end_date"))
                yield Interval(symbol, int(number), first_day, end_day)
