"""The frame of an Arrow IPC file of one record batch whose columns are too long for memory.

Arrow itself writes the frame, of a batch of one row. The numbers that depend on how many rows there are stand at fixed
places in it, as integers of 64 bits, and are set here: the batch's length, that of its columns and buffers, and where the
buffers begin. Who writes the file puts the buffers between `head` and `tail`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Frame", "FrameColumn", "frame", "padding"]

_ALIGNMENT: Final = 8  # of buffers, as Arrow writes them
_TAIL_BYTES: Final = 10  # length of the footer and the magic word
_PREFIX_BYTES: Final = 8  # of a message: a mark, and its length
_HEADER, _BODY_LENGTH = 2, 3  # fields of a Message
_LENGTH, _NODES, _BUFFERS = 0, 1, 2  # of a RecordBatch
_RECORD_BATCHES: Final = 3  # of a Footer


class FrameColumn(NamedTuple):
    """A column: its name, the type of its values, the dictionary that they are places in, and how many are null."""

    name: str
    dtype: npt.DTypeLike
    dictionary: npt.NDArray[np.int64] | None = None
    null_count: int = 0


class Frame(NamedTuple):
    """What stands before and behind the buffers, and how many bytes these take."""

    head: bytes
    tail: bytes
    body_bytes: int


def padding(count: int) -> bytes:
    """Return the zeros behind a buffer of so many bytes."""
    return bytes(-count % _ALIGNMENT)


def frame(columns: Sequence[FrameColumn], row_count: int, metadata: dict[bytes, bytes]) -> Frame:
    """Return the frame of a file; its buffers are, of each column, bits of validity if some are null, and values."""
    written = _written(columns, min(row_count, 1), metadata)
    footer = len(written) - _TAIL_BYTES - struct.unpack_from("<i", written, len(written) - _TAIL_BYTES)[0]
    block = _vector(written, _table(written, footer), _RECORD_BATCHES)[0]
    offset, message_bytes = struct.unpack_from("<qi", written, block)
    old_body = struct.unpack_from("<q", written, block + 16)[0]
    if row_count <= 1:
        return Frame(
            bytes(written[: offset + message_bytes]), bytes(written[offset + message_bytes + old_body :]), old_body
        )
    message = _table(written, offset + _PREFIX_BYTES)
    batch = _field(written, message, _HEADER)
    batch += struct.unpack_from("<I", written, batch)[0]
    nodes, buffers = _vector(written, batch, _NODES), _vector(written, batch, _BUFFERS)
    struct.pack_into("<q", written, _field(written, batch, _LENGTH), row_count)
    place = 0
    for k, column in enumerate(columns):
        struct.pack_into("<qq", written, nodes[0] + 16 * k, row_count, column.null_count)
        validity_bytes = -(-row_count // 8) if column.null_count else 0
        for i, count in enumerate((validity_bytes, row_count * np.dtype(column.dtype).itemsize)):
            struct.pack_into("<qq", written, buffers[0] + 16 * (2 * k + i), place, count)
            place += count + len(padding(count))
    struct.pack_into("<q", written, _field(written, message, _BODY_LENGTH), place)
    struct.pack_into("<q", written, block + 16, place)
    body = offset + message_bytes
    return Frame(bytes(written[:body]), bytes(written[body + old_body :]), place)


def _written(columns: Sequence[FrameColumn], row_count: int, metadata: dict[bytes, bytes]) -> bytearray:
    """Return a file of one row, or of none, null where some row is."""
    import pyarrow as pa

    arrays: list[Any] = []
    for column in columns:
        values = np.zeros(row_count, column.dtype)
        validity = pa.py_buffer(b"\0") if column.null_count and row_count else None
        array = pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), row_count, [validity, pa.py_buffer(values)])
        if column.dictionary is not None:
            array = pa.DictionaryArray.from_arrays(array, pa.array(column.dictionary), safe=False)
        arrays.append(array)
    schema = pa.schema([pa.field(c.name, a.type) for c, a in zip(columns, arrays, strict=True)], metadata=metadata)
    sink = BytesIO()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return bytearray(sink.getvalue())


# --- flatbuffers ------------------------------------------------------------------------------------------------------
def _table(data: bytearray, root: int) -> int:
    """Return where the table begins that a root refers to."""
    place: int = root + struct.unpack_from("<I", data, root)[0]
    return place


def _field(data: bytearray, table: int, index: int) -> int:
    """Return where a field of a table stands; it must be there."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    place = 0
    if 4 + 2 * index < struct.unpack_from("<H", data, vtable)[0]:
        place = struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
    assert place, (index, "is not there: this Arrow writes other files than are known")
    return table + place


def _vector(data: bytearray, table: int, index: int) -> tuple[int, int]:
    """Return (where the items of a vector begin, how many there are)."""
    place = _field(data, table, index)
    place += struct.unpack_from("<I", data, place)[0]
    return place + 4, struct.unpack_from("<I", data, place)[0]
