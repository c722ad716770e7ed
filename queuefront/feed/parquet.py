"""Events as Parquet files, for tools that read tables: one column for each field, exactly as the records have it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import EVENT
from queuefront.core.errors import DataFormatError, SchemaMismatchError
from queuefront.feed.check import validate_events
from queuefront.feed.files import replacing

__all__ = ["read_parquet", "read_parquet_records", "write_parquet"]

Events = npt.NDArray[Any]


def write_parquet(path: str | os.PathLike[str], events: Events) -> None:
    """Write events; a failure leaves nothing under the final name.

    Raises
    ------
    SchemaMismatchError
        If the rows are no events.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if events.dtype != EVENT:
        raise SchemaMismatchError(f"{path}: rows of {events.dtype} are no events; convert them first")
    table = pa.table({name: pa.array(events[name]) for name in EVENT.names or ()})
    with replacing(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_parquet(path: str | os.PathLike[str], *, extra_kinds: frozenset[int] = frozenset()) -> Events:
    """Read events, and check that flags, kinds and numbers can be used; read-only.

    Raises
    ------
    DataFormatError
        If the file is no Parquet file; SchemaMismatchError if its columns are not those of events.
    DataError
        If a row cannot be used.
    """
    events = read_parquet_records(path)
    validate_events(events, str(path), extra_kinds=extra_kinds)
    events.flags.writeable = False
    return events


def read_parquet_records(path: str | os.PathLike[str]) -> Events:
    """Read events as they are, for what looks for faults in them; raises as `read_parquet` but for rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    path.stat()
    try:
        table = pq.read_table(path)
        found = ", ".join(f"{field.name} {field.type}" for field in table.schema)  # names may be no text
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise DataFormatError(f"{path}: not a readable Parquet file: {e}; convert its source again") from e
    names = EVENT.names or ()
    wanted = pa.schema([(name, pa.from_numpy_dtype(EVENT[name])) for name in names])
    if not table.schema.equals(wanted) or any(column.null_count for column in table.columns):
        raise SchemaMismatchError(f"{path}: columns {found}, which are not those of events; convert its source again")
    events = np.zeros(len(table), EVENT)
    for name in names:
        events[name] = table[name].to_numpy()
    return events
