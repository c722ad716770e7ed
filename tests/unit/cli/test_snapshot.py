"""`qf snapshot`: the book at the end of the files."""

from __future__ import annotations

from pathlib import Path

from queuefront.feed import Tape, create_last_snapshot, read_events
from tests.unit.cli.runs import market, qf


def test_the_book_at_the_end_of_a_tape_is_written(tmp_path: Path) -> None:
    tape, out = market(tmp_path), tmp_path / "eod.npz"
    ran = qf("snapshot", tape, "-o", out)
    assert (ran.code, ran.err) == (0, "")
    rows = read_events(out)
    assert rows.tobytes() == create_last_snapshot(Tape.open(tape).to_events(), "0.1", "0.001").tobytes()
    bids = int((rows["px"] <= rows["px"][0]).sum())
    assert f"bid levels {bids}" in ran.rows
    assert f"best bid {rows['px'][0]}" in ran.rows
    assert f"best ask {rows['px'][bids]}" in ran.rows


def test_files_are_one_sequence_from_the_initial_snapshot(tmp_path: Path) -> None:
    tape, first, second = market(tmp_path), tmp_path / "first.npz", tmp_path / "second.npz"
    assert qf("snapshot", tape, "-o", first).code == 0
    assert qf("snapshot", tape, tape, "-o", second, "--initial", first).code == 0
    assert len(read_events(second)) >= len(read_events(first)) // 2


def test_an_output_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    ran = qf("snapshot", market(tmp_path), "-o", tmp_path / "eod.tape")
    assert (ran.code, ran.err) == (
        2,
        f"qf snapshot: {tmp_path}/eod.tape: the output is records in a .npz file; choose a name that ends in .npz\n",
    )


def test_a_grid_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    ran = qf("snapshot", market(tmp_path), "-o", tmp_path / "eod.npz", "--tick-size", "7")
    assert ran.code == 4
    assert ran.err.endswith("is no multiple of tick_size 7; give the market's tick_size\n")
