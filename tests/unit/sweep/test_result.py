"""Results in folders: whole or not there, and found by identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.sweep import FIGURES, SetResult, is_better_when_small
from queuefront.sweep.result import identity_of, read_result, write_result
from tests.small_market import SECOND, market

import queuefront as qf  # isort: skip


@pytest.fixture(scope="module")
def run() -> qf.Run:
    return qf.Backtest(qf.Asset(market())).run(lambda hbt: hbt.elapse(SECOND))


def test_a_result_is_read_as_it_was_written(run: qf.Run, tmp_path: Path) -> None:
    written = write_result(run, tmp_path, "abc", {"lots": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["abc"]
    read = read_result(tmp_path, "abc")
    assert read is not None
    assert read.is_kept
    assert (read.figures, read.parameters, read.tables) == (written.figures, {"lots": 1}, written.tables)
    assert tuple(read.figures) == FIGURES


@pytest.mark.parametrize("name", ["result.json", "fills.parquet", "equity.parquet"])
def test_a_damaged_result_is_none_and_is_replaced(run: qf.Run, tmp_path: Path, name: str) -> None:
    write_result(run, tmp_path, "abc", {})
    (tmp_path / "abc" / name).write_bytes(b"{}")
    assert read_result(tmp_path, "abc") is None
    write_result(run, tmp_path, "abc", {})
    assert read_result(tmp_path, "abc") is not None


def test_a_result_under_another_name_is_none(run: qf.Run, tmp_path: Path) -> None:
    write_result(run, tmp_path, "abc", {})
    (tmp_path / "abc").rename(tmp_path / "def")
    assert read_result(tmp_path, "def") is None
    assert read_result(tmp_path, "ghi") is None


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        write_result(object(), tmp_path, "abc", {})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_identities_tell_values_and_their_kinds_apart() -> None:
    cases = [("x", [1]), ("x", [1.0]), ("x", [True]), ("x", [1, 2]), ("y", [1])]
    assert len({identity_of(*case) for case in cases}) == len(cases)
    assert identity_of("x", [1]) == identity_of("x", [1])


def test_less_of_fees_and_drawdown_is_better_and_more_of_profit() -> None:
    assert [is_better_when_small(name) for name in ("fees", "max_drawdown", "net_profit")] == [True, True, False]
    assert SetResult(identity="x", parameters={}).error is None
