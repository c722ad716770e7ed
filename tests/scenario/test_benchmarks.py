"""The benchmark still runs, on small inputs, and refuses results that differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import convert, kernel, own_models, venues
from benchmarks.convert_loads import LOADS, Known
from benchmarks.data import PAUSE_NS, tile
from benchmarks.run import BEGIN, END, Row, agreed, main, write_between_marks
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import SynthConfig, synthesize, validate_event_order


@pytest.mark.slow
def test_a_tiny_run_writes_a_row_for_every_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    main(["--tiny", "--repeats", "1", "--folder", str(tmp_path / "markets"), "--write", str(page)])
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\nMarket: synthetic, seed 1, tiled.")
    assert text.endswith(f"{END}\nafter\n")
    loads = [line.split("|")[1].strip().partition(";")[0] for line in text.splitlines() if line.startswith("| ")]
    assert loads == [
        "load",
        "---",
        "no orders, waking every 100 ms",
        "one quote pair at the touch",
        "20-order grid, every 100 ms",
        "two assets, 20-order grid on each",
        "two-sided quote, market by order",
        "16 parameter sets, 2 at once, whole job",
        "cold process, unchanged strategy: start to result",
        "cold process, edited strategy: start to result",
        "private memory above the interpreter",
    ]
    assert capsys.readouterr().out in text + "\n"


def test_the_kernels_figures_are_measured_and_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    kernel.main(["--scale", "1000", "--repeats", "1", "--memory", "700", "--write", str(page)])
    assert page.read_text().count("\n| ") == 12


@pytest.mark.slow
def test_every_source_is_measured_beside_hftbacktests_converter_and_written(tmp_path: Path) -> None:
    """That both make the same rows is part of the measurement."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{convert.BEGIN}\nold\n{convert.END}\nafter\n")
    convert.main(["--rows", "3000", "--runs", "1", "--write", str(page)])
    text = page.read_text()
    assert text.startswith(f"before\n{convert.BEGIN}\n\nMade-up files of about 3,000 rows")
    assert text.endswith(f"{convert.END}\nafter\n")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    made, kept = rows[2 : 2 + len(LOADS)], rows[4 + len(LOADS) :]
    assert [row[0] for row in made] == [row[0] for row in kept]
    assert len(kept) == len({row[0] for row in kept}) == len(LOADS)
    alone = {row[0] for row in made if row[4] == "none"}
    assert alone == {"binance-spot (raw, gz)", "lobster (csv)", "table (csv)"}
    assert all(row[6].startswith("equal") for row in made if row[0] not in alone)
    assert all(float(cell) > 0 for row in kept for cell in row[1:])


def test_rows_of_a_converter_that_differ_are_an_error_and_not_a_figure() -> None:
    ours = np.zeros(2, EVENT)
    ours["ev"], ours["exch_ts"], ours["px"] = [DEPTH_EVENT | BUY_EVENT, TRADE_EVENT | SELL_EVENT], [1000, 2000], 3.5
    assert convert.compare("a", ours, ours.copy(), Known()) == "equal"
    with pytest.raises(RuntimeError, match=r"^a: 2 rows, and hftbacktest's are 1$"):
        convert.compare("a", ours, ours[:1], Known())
    for field in EVENT.names or ():
        theirs = ours.copy()
        theirs[field][1] += 1
        with pytest.raises(RuntimeError, match=rf"^a: {field} of row 1 is "):
            convert.compare("a", ours, theirs, Known(sideless=(DEPTH_EVENT,), why="D1"))
    theirs = ours[::-1].copy()
    theirs["exch_ts"] = [2, 1]
    theirs["ev"][0] = TRADE_EVENT | BUY_EVENT
    known = Known(ns_per_step=1000, sideless=(TRADE_EVENT,), by_kind=True, why="D2")
    assert convert.compare("a", ours, theirs, known) == "equal but for D2"
    theirs["exch_ts"][1] = 3
    with pytest.raises(RuntimeError, match="exch_ts of row 0 is 1000, and hftbacktest's is 3"):
        convert.compare("a", ours, theirs, known)


def test_the_best_pieces_of_several_runs_make_a_rate_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of two pieces of 10 inputs: 1 s + 4 s, then 2 s + 2 s."""
    clock = iter([0, 1, 1, 5, 5, 7, 7, 9])
    monkeypatch.setattr(kernel.time, "perf_counter", lambda: next(clock))
    pieces = kernel.Pieces()
    for _ in range(2):
        pieces.run([[None] * 10, [None] * 10], lambda piece: None)  # type: ignore[list-item]
    assert pieces.run_rate == 20 / 4
    assert pieces.piece_rate == 20 / (1 + 2)


def test_the_connectors_figures_are_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venues, "FEED", tmp_path / "absent")
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    venues.main(["--scale", "1000", "--repeats", "1", "--memory", "10000", "--write", str(page)])
    text = page.read_text()
    assert text.count("\n| ") == 9
    assert capsys.readouterr().out in text + "\n"
    assert "20,000 diffs a second by WebSocket" in text
    assert " of 20 diffs published" in text
    assert " 0 of 20" not in text
    assert "in sync" in text


def test_the_connectors_memory_is_measured_alone_at_ten_moments(capsys: pytest.CaptureFixture[str]) -> None:
    venues.main(["--only-memory", "--memory", "3000"])
    said = capsys.readouterr()
    assert said.out.startswith("| memory after each 300 of 3,000 diffs | ")
    assert len(said.err.splitlines()) == 10


@pytest.mark.slow
@pytest.mark.soak
def test_a_queue_of_ones_own_is_measured_beside_the_built_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    """That it comes to the same fills is part of the measurement."""
    own_models.main(["--tiny", "--repeats", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["built-in", "own", "own"]
    assert lines[2].endswith("of the time, 20,000 events, medians of 1")


def test_tiling_repeats_the_market_later_and_keeps_it_in_order() -> None:
    events = synthesize(SynthConfig(events=1_000, seed=1))
    tiled = tile(events, 2_500)
    validate_event_order(tiled)
    span = max(events["exch_ts"].max(), events["local_ts"].max()) - min(events["exch_ts"].min(), events["local_ts"].min())
    np.testing.assert_array_equal(tiled[:1_000], events[:1_000])
    np.testing.assert_array_equal(tiled["px"][1_000:2_000], events["px"])
    assert tiled["exch_ts"][2_000] - tiled["exch_ts"][1_000] == span + PAUSE_NS


def test_results_that_differ_are_an_error_and_not_a_figure() -> None:
    with pytest.raises(RuntimeError, match=r"^grid: the runs came to different results: \['1', '2'\]$"):
        agreed("grid", {1, 2})


@pytest.mark.parametrize(("is_met", "text"), [(True, "met"), (False, "**missed**"), (None, "")])
def test_a_row_says_whether_its_target_is_met(is_met: bool | None, text: str) -> None:
    row = Row("load", "2 s", "4 s", 2.0, "3×", is_met, "0 fills", "1 s, 2 s: 2.0×")
    assert row.markdown() == f"| load | 2 s | 4 s | 2.0× | 3× | {text} | 1 s, 2 s: 2.0× | 0 fills |"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(RuntimeError, match="lacks the lines"):
        write_between_marks(page, "text")
