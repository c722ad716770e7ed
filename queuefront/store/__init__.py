"""Tables that follow the kernel's journal: defined once, written to SQLite or Parquet, resumed where they stopped."""

from queuefront.store.errors import StoreError
from queuefront.store.follow import Follower, journal_rows, origin_of
from queuefront.store.parquet_sink import ParquetSink
from queuefront.store.rows import input_row, rows_of
from queuefront.store.sinks import Mark, Origin, Sink
from queuefront.store.sqlite_sink import SqliteSink
from queuefront.store.tables import TABLES, Column, ColumnKind, Table

__all__ = [
    "TABLES",
    "Column",
    "ColumnKind",
    "Follower",
    "Mark",
    "Origin",
    "ParquetSink",
    "Sink",
    "SqliteSink",
    "StoreError",
    "Table",
    "input_row",
    "journal_rows",
    "origin_of",
    "rows_of",
]
