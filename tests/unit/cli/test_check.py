"""`qf check`: exit code 0 where nothing is wrong, 1 with a list where something is."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.feed import read_events, write_npz
from tests.unit.cli.runs import market, qf


@pytest.mark.parametrize("suffix", [".tape", ".npz", ".parquet"])
def test_a_sound_file_passes(tmp_path: Path, suffix: str) -> None:
    path = market(tmp_path, suffix=suffix)
    ran = qf("check", path)
    assert (ran.code, ran.out) == (0, f"{path}: nothing is wrong\n")


def test_broken_rules_are_listed_with_their_rows(tmp_path: Path) -> None:
    path = market(tmp_path, suffix=".npz")
    events = read_events(path).copy()
    events["local_ts"][100:103] = events["exch_ts"][100:103] - 5
    write_npz(path, events)
    ran = qf("check", path, "--limit", 2)
    assert ran.code == 1
    listed = [line for line in ran.out.splitlines() if "negative feed latency" in line]
    assert listed == [
        f"{path}: row 100: negative feed latency: local_ts is {events['local_ts'][100]}; run correct_local_timestamp",
        f"{path}: row 101: negative feed latency: local_ts is {events['local_ts'][101]}; run correct_local_timestamp",
        f"{path}: 1 more rows: negative feed latency",
    ]


def test_an_altered_tape_is_found_out(tmp_path: Path) -> None:
    path = market(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"ARROW1", 8) // 2  # amid the columns
    data[at] ^= 1
    path.write_bytes(data)
    ran = qf("check", path)
    assert ran.code == 1
    assert "nothing is wrong" not in ran.out


def test_a_file_that_cannot_be_read_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("no")
    ran = qf("check", path)
    assert ran.code == 1
    assert ran.out.startswith(f"{path}: ")


def test_a_missing_file_is_an_error_and_not_a_finding(tmp_path: Path) -> None:
    ran = qf("check", tmp_path / "none.tape")
    assert (ran.code, ran.err) == (2, f"qf check: {tmp_path}/none.tape: no such file or directory\n")
