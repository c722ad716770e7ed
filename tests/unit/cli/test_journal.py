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


def test_a_journal_is_exported_as_inputs_or_as_ledger(journal: Path, tmp_path: Path) -> None:
    assert qf("journal", "export", journal, "-o", tmp_path / "a.jsonl").code == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert qf("journal", "export", journal, "--ledger", "-o", tmp_path / "b.jsonl").code == 0
    entries = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    # Each entry holds capital before and after, and they chain (E20, E22, A5).
    assert all(a["capital_after"] == b["capital_before"] for a, b in pairwise(entries))
    assert qf("journal", "export", journal, "-o", tmp_path / "a.jsonl").code == 2


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
