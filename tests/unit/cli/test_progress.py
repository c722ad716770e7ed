"""Progress is for terminals; a pipe sees none of it."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from queuefront.cli import progress
from queuefront.cli.progress import byte_progress, count_progress, spinner


def test_nothing_is_written_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with byte_progress("reading") as report:
        report(5, 10)
    with count_progress("counting", 3) as count:
        count(2)
    with spinner("working"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "consoles", lambda: (None, Console(file=screen, force_terminal=True, width=100)))
    with byte_progress("reading feed.gz") as report:
        report(500_000, 1_000_000)
    with count_progress("simulating", 7) as count:
        count(3)
    assert "3/7" in screen.getvalue()
    with spinner("grid.py over btc.tape"):
        pass
    assert "reading feed.gz" in screen.getvalue()
    assert "0.5/1.0 MB" in screen.getvalue()
    assert "grid.py over btc.tape" in screen.getvalue()
    assert sys.stderr.isatty() is False
