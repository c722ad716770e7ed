"""Tables in one SQLite file. Rows and progress are written in one transaction, so a crash leaves both or neither.

Cash stands as whole units of 10^-cash_scale, which `meta` tells: SQLite has no exact decimals, and its sums of integers are
exact.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from queuefront.store.errors import StoreError
from queuefront.store.sinks import Batch, Mark, Origin, schema_text
from queuefront.store.tables import TABLES, ColumnKind, Table

__all__ = ["SqliteSink"]

_TYPES: Final = {
    ColumnKind.INTEGER: "INTEGER",
    ColumnKind.CASH: "INTEGER",
    ColumnKind.TEXT: "TEXT",
    ColumnKind.EXACT: "TEXT",
    ColumnKind.REAL: "REAL",
}


def _create(table: Table) -> str:
    columns = ", ".join(f"{c.name} {_TYPES[c.kind]}{' NOT NULL' if c.name in table.key else ''}" for c in table.columns)
    return f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)})) WITHOUT ROWID"


def _insert(table: Table) -> str:
    names = ", ".join(f":{column.name}" for column in table.columns)
    return f"INSERT OR REPLACE INTO {table.name} VALUES ({names})"  # noqa: S608 names are those of `tables.py`


class SqliteSink:
    """All tables in an SQLite file, made where there is none.

    Raises
    ------
    StoreError
        If the file is no store, another journal's, or one of another version.
    """

    backend_kind = "sqlite"

    def __init__(self, path: Path, origin: Origin) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._prepare(origin)
        except sqlite3.Error as e:
            self.close()
            raise StoreError(f"{path}: {e}; give the path of a store, or of no file yet") from e
        except BaseException:
            self.close()
            raise

    def _prepare(self, origin: Origin) -> None:
        db = self._open()
        wanted = {**{key: str(value) for key, value in origin._asdict().items()}, "schema": schema_text()}
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names:
            db.execute("BEGIN")
            db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            db.execute("CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER, checksum TEXT)")
            for table in TABLES:
                db.execute(_create(table))
            db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(wanted.items()))
            db.execute("COMMIT")
            return
        if "meta" not in names or "progress" not in names:
            raise StoreError(f"{self.path}: an SQLite file, but not a store; give the path of one, or of no file yet")
        found = dict(db.execute("SELECT key, value FROM meta"))
        if found.get("schema") != wanted["schema"]:
            raise StoreError(f"{self.path}: has the tables of another version; remove it, the journal makes it anew")
        if found != wanted:
            raise StoreError(f"{self.path}: follows the journal of lease {found.get('lease')!r}, this is {origin.lease!r}")

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(f"{self.path}: the store is closed; open it again")
        return self._db

    def mark(self) -> Mark:
        """Return how far it is."""
        row = self._open().execute("SELECT seq, checksum FROM progress").fetchone()
        return Mark(*row) if row else Mark()

    def write(self, batch: Batch, mark: Mark) -> None:
        """Keep rows and progress, in one transaction."""
        db = self._open()
        try:
            db.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                rows = batch.get(table.name, ())
                blank = dict.fromkeys(column.name for column in table.columns)
                db.executemany(_insert(table), ({**blank, **row} for row in rows))
            db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?, ?)", mark)
            db.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as e:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise StoreError(f"{self.path}: up to row {mark.seq:,}: {e}; mend it, then follow the journal again") from e

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._db is not None:
            self._db.close()
            self._db = None
