from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from queuefront.store import Mark, SqliteSink, StoreError
from tests.unit.store.journals import ORIGIN
from tests.unit.store.sink_contract import ledger_row, refuses_after_close, writes_and_continues


def rows(path: Path, table: str) -> list[dict[str, Any]]:
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    found = [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
    db.close()
    return found


def test_rows_are_written_and_continued(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    writes_and_continues(lambda: SqliteSink(path, ORIGIN), lambda table: rows(path, table))


def test_writing_the_same_rows_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    sink = SqliteSink(path, ORIGIN)
    for _ in range(2):
        sink.write({"ledger": [ledger_row(1), ledger_row(2)]}, Mark(2, "aa"))
    sink.close()
    assert rows(path, "ledger") == [ledger_row(1), ledger_row(2)]


def test_a_batch_that_fails_leaves_neither_rows_nor_progress(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    sink = SqliteSink(path, ORIGIN)
    message = f"^{path}: up to row 2: .*; mend it, then follow the journal again$"
    with pytest.raises(StoreError, match=message):
        sink.write({"ledger": [ledger_row(1), ledger_row(2, 2**70)]}, Mark(2, "aa"))
    assert sink.mark() == Mark()
    assert rows(path, "ledger") == []
    sink.write({"ledger": [ledger_row(1)]}, Mark(1, "aa"))
    sink.close()
    assert len(rows(path, "ledger")) == 1


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_text("not a database, whatever it is called, and long enough to be looked at as one" * 20)
    message = f"^{path}: file is not a database; give the path of a store, or of no file yet$"
    with pytest.raises(StoreError, match=message):
        SqliteSink(path, ORIGIN)
    other = tmp_path / "b.sqlite"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    message = f"^{other}: an SQLite file, but not a store; give the path of one, or of no file yet$"
    with pytest.raises(StoreError, match=message):
        SqliteSink(other, ORIGIN)


def test_the_tables_of_another_journal_or_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    SqliteSink(path, ORIGIN).close()
    with pytest.raises(StoreError, match=f"^{path}: follows the journal of lease 'demo', this is 'other'$"):
        SqliteSink(path, ORIGIN._replace(lease="other"))
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = 'older' WHERE key = 'schema'")
    db.commit()
    db.close()
    message = f"^{path}: has the tables of another version; remove it, the journal makes it anew$"
    with pytest.raises(StoreError, match=message):
        SqliteSink(path, ORIGIN)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with pytest.raises(StoreError, match=f"^{path}: the store is closed; open it again$"):
        refuses_after_close(lambda: SqliteSink(path, ORIGIN))
