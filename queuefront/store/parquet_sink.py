"""Tables as folders of Parquet files, one file a stretch of the journal; Polars and DuckDB read a folder as a table.

A file is written beside its place and renamed; `progress.json`, renamed last, says which files count. What a crash left
behind is not counted, and is removed when the folder is opened again. Cash is decimal128 with the journal's scale.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from queuefront.kernel import cash_decimal
from queuefront.store.errors import StoreError
from queuefront.store.sinks import Batch, Mark, Origin, schema_text
from queuefront.store.tables import TABLES, ColumnKind, Table

__all__ = ["ParquetSink"]

PROGRESS: Final = "progress.json"
_FILE: Final = re.compile(r"(\d{12})-(\d{12})\.parquet")


class ParquetSink:
    """All tables in a folder, made where there is none.

    Raises
    ------
    StoreError
        If the folder is something else, another journal's, or one of another version.
    """

    backend_kind = "parquet"

    def __init__(self, folder: Path, origin: Origin) -> None:
        self.folder = folder
        self._origin = origin
        self._is_open = True
        self._mark = Mark()
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; give a folder, or a path where nothing is yet")
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / PROGRESS).exists():
            self._mark = self._read_progress()
        elif any(folder.iterdir()) and not self._is_ours():
            raise StoreError(f"{folder}: holds other files; give a folder of its own")
        self._remove_uncounted()

    def _is_ours(self) -> bool:
        """Whether nothing but files of a first stretch lies here, whose progress was never written."""
        return {path.name for path in self.folder.iterdir()} <= {table.name for table in TABLES}

    def _read_progress(self) -> Mark:
        path = self.folder / PROGRESS
        try:
            found = json.loads(path.read_bytes())
            origin, schema, mark = Origin(**found["origin"]), found["schema"], Mark(found["seq"], found["checksum"])
        except (ValueError, KeyError, TypeError) as e:
            raise StoreError(
                f"{path}: not the progress of a store: {e}; remove the folder, the journal makes it anew"
            ) from e
        if schema != schema_text():
            raise StoreError(f"{self.folder}: has the tables of another version; remove it, the journal makes it anew")
        if origin != self._origin:
            raise StoreError(
                f"{self.folder}: follows the journal of lease {origin.lease!r}, this is {self._origin.lease!r}"
            )
        return mark

    def _remove_uncounted(self) -> None:
        for table in TABLES:
            for path in sorted((self.folder / table.name).glob("*")):
                found = _FILE.fullmatch(path.name)
                if found is None or int(found[2]) > self._mark.seq:
                    path.unlink()

    def mark(self) -> Mark:
        """Return how far it is."""
        return self._mark

    def write(self, batch: Batch, mark: Mark) -> None:
        """Write one file a table, then say that they count."""
        if not self._is_open:
            raise StoreError(f"{self.folder}: the store is closed; open it again")
        try:
            for table in TABLES:
                rows = batch.get(table.name, ())
                if rows:
                    self._write_table(table, [dict(row) for row in rows], mark)
            text = {**mark._asdict(), "origin": self._origin._asdict(), "schema": schema_text()}
            _replace(self.folder / PROGRESS, json.dumps(text, indent=1).encode())
        except (OSError, ValueError) as e:
            raise StoreError(f"{self.folder}: up to row {mark.seq:,}: {e}; mend it, then follow the journal again") from e
        self._mark = mark

    def _write_table(self, table: Table, rows: list[dict[str, Any]], mark: Mark) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        scale = self._origin.cash_scale
        columns = []
        for column in table.columns:
            values = [row.get(column.name) for row in rows]
            if column.kind is ColumnKind.CASH:
                values = [None if value is None else cash_decimal(value, scale) for value in values]
            columns.append(pa.array(values, _arrow_type(column.kind, scale)))
        made = pa.table(dict(zip((column.name for column in table.columns), columns, strict=True)))
        folder = self.folder / table.name
        folder.mkdir(exist_ok=True)
        buffer = pa.BufferOutputStream()
        pq.write_table(made, buffer)
        _replace(folder / f"{self._mark.seq + 1:012}-{mark.seq:012}.parquet", buffer.getvalue())

    def close(self) -> None:
        """Take nothing more; a second time does nothing."""
        self._is_open = False


def _arrow_type(kind: ColumnKind, scale: int) -> Any:
    import pyarrow as pa

    return {
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.CASH: pa.decimal128(38, scale),
        ColumnKind.TEXT: pa.string(),
        ColumnKind.EXACT: pa.string(),
        ColumnKind.REAL: pa.float64(),
    }[kind]


def _replace(path: Path, content: Any) -> None:
    """Put a file in its place whole, and on disk before it counts."""
    beside = path.with_name(f"{path.name}.part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
