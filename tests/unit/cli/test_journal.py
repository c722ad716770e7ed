from __future__ import annotations

import json
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from queuefront.kernel.demo import run_demo
from tests.unit.cli.runs import qf


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    list(run_demo(tmp_path / "demo.journal"))
    return tmp_path / "demo.journal"


def test_a_journal_verifies_is_shown_and_replayed(journal: Path) -> None:
    ran = qf("journal", "verify", journal)
    assert (ran.code, ran.err) == (0, "")
    assert "demo" in ran.out
    ran = qf("journal", "show", journal, "--from", "3", "--count", "1")
    assert ran.code == 0
    assert "Enter" in ran.out
    assert "trade_id=t1" in "".join(ran.out.split())
    ran = qf("journal", "replay", journal)
    assert ran.code == 0
    assert ["equal", "to", "its", "snapshot", "yes"] in [line.split() for line in ran.out.splitlines()]


def test_a_table_is_exported_as_lines_once(journal: Path, tmp_path: Path) -> None:
    assert qf("journal", "export", journal, "-o", tmp_path / "a.jsonl").code == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    ran = qf("journal", "export", journal, "--table", "ledger", "-o", tmp_path / "b.jsonl")
    assert (ran.code, ran.rows[1:]) == (0, ["table ledger", "lines 12"])
    entries = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    # Each entry holds capital before and after, and they chain (E20, E22, A5).
    assert all(a["capital_after"] == b["capital_before"] for a, b in pairwise(entries))
    assert entries[1]["cash"] == "-0.01251"
    assert qf("journal", "export", journal, "-o", tmp_path / "a.jsonl").code == 2


def test_all_tables_are_exported_and_continued(journal: Path, tmp_path: Path) -> None:
    for name, kind in (("t.sqlite", "sqlite"), ("tables", "parquet")):
        ran = qf("journal", "export", journal, "-o", tmp_path / name)
        assert (ran.code, ran.rows[1:]) == (0, [f"format {kind}", "journal rows added 41", "up to row 41"])
        assert "journal rows added 0" in qf("journal", "export", journal, "-o", tmp_path / name).rows
    db = sqlite3.connect(tmp_path / "t.sqlite")
    assert db.execute("SELECT trade_id, pnl FROM trades ORDER BY seq").fetchall() == [
        ("t1", 281_370_000_000), ("t2", -42_000_000_000),
    ]  # fmt: skip
    db.close()


def test_the_tables_are_listed_and_a_wrong_name_is_refused(journal: Path, tmp_path: Path) -> None:
    assert "trade_events" in qf("journal", "export", journal, "--table", "help").out
    ran = qf("journal", "export", journal, "-o", tmp_path / "a.jsonl", "--table", "fills")
    names = "inputs, outcomes, order_events, position_state, trade_events, trades, ledger, system_events"
    assert (ran.code, ran.err) == (2, f"qf journal export: --table 'fills' is no table; choose of {names}\n")
    ran = qf("journal", "export", journal, "-o", tmp_path / "a.sqlite", "--table", "ledger")
    where = tmp_path / "a.sqlite"
    assert (ran.code, ran.err) == (
        2, f"qf journal export: {where}: holds all tables; leave --table ledger out, or end the name in .jsonl\n",
    )  # fmt: skip


def test_a_damaged_journal_is_named_with_its_row(journal: Path) -> None:
    db = sqlite3.connect(journal)
    db.execute("DROP TRIGGER inputs_stay")
    db.execute("UPDATE inputs SET payload = x'00' WHERE seq = 5")
    db.commit()
    db.close()
    for command in ("verify", "show", "replay"):
        ran = qf("journal", command, journal)
        assert ran.code == 5
        assert ran.err == (
            f"qf journal {command}: {journal}: row 5 was torn or altered; restore a copy, nothing after it can be trusted\n"
        )


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ran = qf("journal", "verify", tmp_path / "none")
    assert ran.code == 2


def test_rows_beyond_the_end_are_refused(journal: Path) -> None:
    ran = qf("journal", "show", journal, "--from", "42")
    assert (ran.code, ran.err) == (2, f"qf journal show: {journal}: has 41 rows; give --from a number up to that\n")


def test_an_export_without_place_or_with_an_unknown_ending_is_refused(journal: Path, tmp_path: Path) -> None:
    csv, lost = tmp_path / "x.csv", tmp_path / "no" / "x.sqlite"
    for arguments, message in (
        ((), "say where to; -o FILE.jsonl, -o FILE.sqlite, or -o FOLDER"),
        (("-o", csv), f"{csv}: ends in .csv; end it in .jsonl, .sqlite, or nothing for a folder of Parquet"),
        (("-o", lost), f"{lost}: there is no folder {tmp_path / 'no'}; make it, or give another path"),
    ):
        ran = qf("journal", "export", journal, *arguments)
        assert (ran.code, ran.err) == (2, f"qf journal export: {message}\n")
