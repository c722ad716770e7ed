"""`qf synth`: the same seed, the same bytes."""

from __future__ import annotations

from pathlib import Path

from queuefront.feed import Tape
from tests.unit.cli.runs import qf


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.npz" for i in range(3)]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        assert qf("synth", "-o", path, "--events", 1000, "--seed", seed).code == 0
    first, second, third = (path.read_bytes() for path in paths)
    assert first == second
    assert first != third


def test_the_options_reach_the_market(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    ran = qf("synth", "-o", path, "--events", 1000, "--tick-size", "0.5", "--lot-size", "0.01", "--levels", 10)
    assert ran.code == 0
    assert "events 1,000" in ran.rows
    tape = Tape.open(path)
    assert (str(tape.instrument.tick_size), str(tape.instrument.lot_size)) == ("0.5", "0.01")
    assert tape.meta["counts"]["snapshot"] == 20
    assert tape.meta["source"] == "synthetic, seed 1"


def test_a_market_by_order_is_drawn_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    ran = qf("synth", "-o", path, "--events", 1000, "--by-order")
    assert (ran.code, ran.err) == (0, "")
    assert Tape.open(path).is_by_order


def test_a_market_that_cannot_be_is_refused(tmp_path: Path) -> None:
    ran = qf("synth", "-o", tmp_path / "a.tape", "--events", 5)
    assert (ran.code, ran.err) == (2, "qf synth: events is 5; the opening snapshot alone takes 62\n")


def test_an_existing_output_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    path.touch()
    assert qf("synth", "-o", path, "--events", 1000).code == 2
    assert qf("synth", "-o", path, "--events", 1000, "-f").code == 0
