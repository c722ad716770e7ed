"""The passport as a page."""

from __future__ import annotations

from pathlib import Path

from queuefront.core import Instrument
from queuefront.feed import passport_of
from queuefront.report import write_passport
from tests.passport_market import SPOT, tape_of
from tests.unit.report.test_passport_text import HOLED


def page_of(folder: Path, *args: object, title: str = "a.tape") -> str:
    tape, instrument = (*args, SPOT)[:2] if args else (HOLED, SPOT)
    return write_passport(folder / "a.html", passport_of(tape), instrument, title=title).read_text(encoding="utf-8")  # type: ignore[arg-type]


def test_the_page_names_what_is_wrong_and_when(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert '<dd class="figure loss">bad</dd>' in page
    assert "<td>silence: silent for 00:00:12.000, usually at most 50.3 ms</td>" in page
    assert '<div class="chart" data-figure="run-passport"' in page
    assert "<dt>silence_bad_ms</dt><dd>3,000.0</dd>" in page


def test_the_same_passport_gives_the_same_bytes(tmp_path: Path) -> None:
    assert page_of(tmp_path) == page_of(tmp_path)


def test_nothing_from_outside_is_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    page = page_of(tmp_path, HOLED, Instrument(evil, evil, "1", "1"), title=evil)
    assert evil not in page


def test_a_tape_without_rows_and_a_good_one_have_pages(tmp_path: Path) -> None:
    assert "it holds no rows" in page_of(tmp_path, tape_of())
    good = tape_of((0, "ask", 102, 7), *((k, "bid", 100, 5 + k % 2) for k in range(60)))
    assert "Nothing was found." in page_of(tmp_path, good)
