from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from queuefront.store import Mark, ParquetSink, StoreError
from queuefront.store import parquet_sink as module
from tests.unit.store.journals import ORIGIN
from tests.unit.store.sink_contract import ledger_row, refuses_after_close, writes_and_continues


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return pl.read_parquet(folder / table).sort("seq").to_dicts()


def test_rows_are_written_and_continued(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    writes_and_continues(lambda: ParquetSink(folder, ORIGIN), lambda table: rows(folder, table))


def test_cash_is_an_exact_decimal_of_the_journals_scale_beyond_64_bits(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "t", ORIGIN)
    sink.write({"ledger": [ledger_row(1, 10**30 + 1)]}, Mark(1, "a"))
    (row,) = rows(tmp_path / "t", "ledger")
    assert row["position"] == Decimal("1000000000000000000.000000000001")
    assert row["slot_id"] is None


def test_cash_beyond_38_digits_is_refused_and_nothing_counts(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    sink = ParquetSink(folder, ORIGIN)
    with pytest.raises(StoreError, match=f"^{folder}: up to row 1: .*; mend it, then follow the journal again$"):
        sink.write({"ledger": [ledger_row(1, 10**40)]}, Mark(1, "a"))
    assert sink.mark() == ParquetSink(folder, ORIGIN).mark() == Mark()


def test_what_a_crash_left_behind_does_not_count_and_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "t"
    sink = ParquetSink(folder, ORIGIN)
    sink.write({"ledger": [ledger_row(1)]}, Mark(1, "a"))
    replace = module._replace

    def dies(path: Path, content: Any) -> None:
        if path.name == module.PROGRESS:
            raise OSError(28, "No space left on device")
        replace(path, content)

    monkeypatch.setattr(module, "_replace", dies)
    with pytest.raises(StoreError, match=r"No space left on device; mend it, then follow the journal again$"):
        sink.write({"ledger": [ledger_row(2)]}, Mark(2, "b"))
    monkeypatch.undo()
    (folder / "ledger" / "000000000003-000000000004.parquet.part").write_bytes(b"torn")
    again = ParquetSink(folder, ORIGIN)
    assert again.mark() == Mark(1, "a")
    assert [path.name for path in (folder / "ledger").iterdir()] == ["000000000001-000000000001.parquet"]
    again.write({"ledger": [ledger_row(2)]}, Mark(2, "b"))
    assert [row["seq"] for row in rows(folder, "ledger")] == [1, 2]


def test_a_crash_in_the_first_stretch_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    (folder / "ledger").mkdir(parents=True)
    (folder / "ledger" / "000000000001-000000000009.parquet").write_bytes(b"torn")
    assert ParquetSink(folder, ORIGIN).mark() == Mark()
    assert not list((folder / "ledger").iterdir())


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match=f"^{tmp_path}: holds other files; give a folder of its own$"):
        ParquetSink(tmp_path, ORIGIN)
    assert (tmp_path / "letter.txt").read_text() == "dear"
    path = tmp_path / "letter.txt"
    with pytest.raises(StoreError, match=f"^{path}: is a file; give a folder, or a path where nothing is yet$"):
        ParquetSink(path, ORIGIN)


def test_the_tables_of_another_journal_or_version_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    ParquetSink(folder, ORIGIN).write({}, Mark(1, "a"))
    with pytest.raises(StoreError, match=f"^{folder}: follows the journal of lease 'demo', this is 'other'$"):
        ParquetSink(folder, ORIGIN._replace(lease="other"))
    progress = folder / "progress.json"
    progress.write_text(progress.read_text().replace("ledger_seq", "older"))
    message = f"^{folder}: has the tables of another version; remove it, the journal makes it anew$"
    with pytest.raises(StoreError, match=message):
        ParquetSink(folder, ORIGIN)
    progress.write_text("{}")
    message = f"^{progress}: not the progress of a store: 'origin'; remove the folder, the journal makes it anew$"
    with pytest.raises(StoreError, match=message):
        ParquetSink(folder, ORIGIN)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"^{tmp_path / 't'}: the store is closed; open it again$"):
        refuses_after_close(lambda: ParquetSink(tmp_path / "t", ORIGIN))
