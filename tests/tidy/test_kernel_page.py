"""The kernel's page shows the transition table as it is, and the page of tables the tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy.kernel_page import TABLE_PARTS, diagram, with_parts
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "kernel.md"


def test_table_and_diagram_of_the_page_are_the_tables(compare_golden: Callable[[Path, str], None]) -> None:
    compare_golden(PAGE, with_parts(PAGE.read_text("utf-8")))


def test_the_page_of_tables_shows_them_as_they_are(compare_golden: Callable[[Path, str], None]) -> None:
    page = ROOT / "docs" / "tables.md"
    compare_golden(page, with_parts(page.read_text("utf-8"), TABLE_PARTS, "docs/tables.md"))


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"docs/kernel\.md lacks the lines"):
        with_parts("nothing")


def test_the_diagram_has_an_arrow_for_each_change_of_stage() -> None:
    assert "    ENTRY_WORKING --> POSITION_OPEN: " in diagram()
    assert diagram().count("-->") > 20
