"""The frame of a file of one batch: with any bytes of the right length inside, Arrow reads it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from queuefront.feed.arrow_frame import FrameColumn, frame, padding


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 64, 1001])
@pytest.mark.parametrize("has_nulls", [False, True])
def test_arrow_reads_columns_that_were_put_into_the_frame(rows: int, has_nulls: bool) -> None:
    ticks, place = np.array([5, 7, 9], np.int64), np.arange(rows, dtype=np.int32) % 3
    is_there = np.arange(rows) % 4 != 0 if has_nulls else np.ones(rows, np.bool_)
    null_count = int(rows - is_there.sum())
    flags = np.arange(rows, dtype=np.uint32)
    made = frame(
        [FrameColumn("flags", np.uint32), FrameColumn("tick", np.int32, ticks, null_count)], rows, {b"key": b"value"}
    )
    bits = np.packbits(is_there, bitorder="little").tobytes() if null_count else b""
    parts = [flags.tobytes(), bits, place.tobytes()]
    body = b"".join(part + padding(len(part)) for part in parts)
    assert len(body) == made.body_bytes
    with pa.ipc.open_file(pa.py_buffer(made.head + body + made.tail)) as reader:
        assert reader.num_record_batches == 1
        batch = reader.get_batch(0)
        batch.validate(full=True)
        assert reader.schema.metadata == {b"key": b"value"}
    assert batch["flags"].to_pylist() == flags.tolist()
    assert batch["tick"].to_pylist() == [int(ticks[p]) if there else None for p, there in zip(place, is_there, strict=True)]


def test_buffers_are_padded_to_eight_bytes() -> None:
    assert [len(padding(count)) for count in (0, 1, 7, 8, 9)] == [0, 7, 1, 0, 7]
