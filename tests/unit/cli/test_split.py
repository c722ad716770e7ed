"""`qf split` and `qf concat`."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import format_ts
from queuefront.feed import Tape
from tests.unit.cli.runs import qf
from tests.unit.feed.test_tape_split import market


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    market(1).save(tmp_path / "btc.tape")
    return tmp_path / "btc.tape"


def test_pieces_by_time_are_one_tape_again(tmp_path: Path, tape: Path) -> None:
    local_ts = Tape.open(tape).local_ts
    middle = format_ts(int(local_ts[len(local_ts) // 2]))
    ran = qf("split", tape, "--at", middle, "-o", tmp_path / "pieces")
    assert (ran.code, ran.err) == (0, "")
    assert "pieces 2" in ran.rows
    pieces = sorted((tmp_path / "pieces").iterdir())
    assert [piece.name for piece in pieces] == ["btc.001.tape", "btc.002.tape"]
    ran = qf("concat", *pieces, "-o", tmp_path / "whole.tape")
    assert (ran.code, ran.err) == (0, "")
    assert Tape.open(tmp_path / "whole.tape").to_events().tobytes() == Tape.open(tape).to_events().tobytes()


def test_pieces_by_interval_begin_at_its_multiples(tmp_path: Path, tape: Path) -> None:
    assert qf("split", tape, "--every", "500ns", "-o", tmp_path).code == 0
    pieces = sorted(tmp_path.glob("btc.0*.tape"))
    assert len(pieces) > 2
    assert len({Tape.open(piece).meta["first_local_ts"] // 500 for piece in pieces}) == len(pieces)
    ran = qf("split", tape, "--every", "500ns", "-o", tmp_path)
    assert ran.code == 2
    assert "btc.001.tape exists; choose another name" in ran.err
    assert qf("split", tape, "--every", "500ns", "-o", tmp_path, "-f").code == 0


@pytest.mark.parametrize("options", [(), ("--at", "5", "--every", "1h")])
def test_where_to_split_is_said_in_one_way(tmp_path: Path, tape: Path, options: tuple[str, ...]) -> None:
    ran = qf("split", tape, "-o", tmp_path, *options)
    assert (ran.code, ran.err) == (2, "qf split: say where to split: --at TIME, or --every DURATION\n")


def test_other_files_are_refused(tmp_path: Path, tape: Path) -> None:
    ran = qf("concat", tape, "-o", tmp_path / "a.npz")
    assert ran.err == (
        f"qf concat: {tmp_path / 'a.npz'}: only tapes are split and put together; make one with `qf convert`\n"
    )
