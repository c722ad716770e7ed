from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import ConfigError
from queuefront.kernel.demo import run_demo


def test_the_demo_loses_nothing_and_says_so(tmp_path: Path) -> None:
    before, after = run_demo(tmp_path / "demo.journal")
    assert [line.rpartition(": ")[2] for line in after.lines[-3:]] == ["equal"] * 3
    assert any("SUBMIT_UNKNOWN" in line for line in before.lines)
    assert [table.title for table in before.tables] == ["slots", "ledger", "journal"]
    assert [row[1] for row in after.tables[0].rows] == ["CLOSED", "CLOSED"]


def test_the_demo_does_not_touch_a_journal_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.journal"
    path.write_text("")
    with pytest.raises(ConfigError, match="exists; the demo begins a journal of its own, give another path"):
        list(run_demo(path))
