"""`qf sweep`: a folder of results, the best on the screen, and one line for what went wrong."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.runs import Ran, market, qf

pytestmark = pytest.mark.slow

BUYS = """
from queuefront.core.enums import GTC, LIMIT

def strategy(hbt, lots=2, wakes=1, wait=1.0):
    for k in range(wakes):
        hbt.elapse(int(wait * 1_000_000_000))
        for asset in range(hbt.num_assets):
            depth = hbt.depth(asset)
            hbt.submit_buy_order(asset, k + 1, depth.best_ask, lots * depth.lot_size, GTC, LIMIT, True)
    return 1 // lots
"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market(tmp_path_factory.mktemp("market"), events=5_000)


def sweep(folder: Path, tape: Path, *arguments: object) -> Ran:
    path = folder / "mine.py"
    path.write_text(BUYS, encoding="utf-8")
    return qf("sweep", path, "--tape", tape, "--out", folder / "out", *arguments)


def test_the_best_sets_stand_on_the_screen_and_everything_in_the_folder(tmp_path: Path, tape: Path) -> None:
    arguments = ("--grid", "lots=1,2,3", "--grid", "wakes=1:2:1", "--metric", "volume", "--jobs", "2")
    ran = sweep(tmp_path, tape, *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.rows[0] == "Best of 6 sets by volume"
    assert ran.rows[1] == "lots wakes volume net profit sharpe max drawdown fills"
    assert ran.rows[2].startswith("3 2 0.006 ")
    assert len(ran.rows) == 9
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["heatmap.html", "sets", "summary.parquet"]
    assert pl.read_parquet(tmp_path / "out" / "summary.parquet").height == 6
    again = sweep(tmp_path, tape, *arguments, "--best", "1")
    assert again.rows[0] == "Best of 6 sets by volume; 6 were there already"
    assert len(again.rows) == 4


def test_sets_are_changes_of_the_configuration(tmp_path: Path, tape: Path) -> None:
    ran = sweep(
        tmp_path,
        tape,
        "--grid",
        "lots=1,2",
        "--set",
        "strategy.wakes=3",
        "--set",
        "fees.maker=0",
        "--set",
        "fees.taker=0.5",
    )
    assert (ran.code, ran.err) == (0, "")
    frame = pl.read_parquet(tmp_path / "out" / "summary.parquet")
    assert frame["submitted"].to_list() == [3, 3]
    assert frame["fees"].min() > 0


def test_failed_sets_are_told_and_the_others_are_there(tmp_path: Path, tape: Path) -> None:
    ran = sweep(tmp_path, tape, "--grid", "lots=0,1", "--grid", "wakes=1")
    assert ran.code == 3
    place = f"{tmp_path}/mine.py:10"
    assert ran.err == f"qf sweep: lots=0, wakes=1: {place}: ZeroDivisionError: integer division or modulo by zero\n"
    assert ran.rows[2].startswith("1 1 ")


def test_many_failures_are_told_in_part(tmp_path: Path, tape: Path) -> None:
    ran = sweep(tmp_path, tape, "--grid", "lots=0", "--grid", "wakes=0:11:1")
    assert (ran.code, ran.out) == (3, "")
    lines = ran.err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == f"qf sweep: and 2 more sets failed; column error of {tmp_path}/out/summary.parquet"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "lot=1"), "--grid: strategy.lot: no such parameter; did you mean lots?"),
        (("--grid", "lots=0.5"), "--grid: strategy.lots = 0.5: expected a whole number, like its default 2"),
        (
            ("--grid", "lots=1:2"),
            "--grid lots=1:2: 1:2 is no range of lots; write FIRST:LAST:STEP, for example 0.1:0.5:0.1",
        ),
        (("--grid", "lots=1", "--axes", "wakes"), "--axes wakes: 'wakes' is not in the grid; choose from lots"),
        (
            ("--grid", "lots=1", "--axes", "lots,lots"),
            "--axes lots,lots: expected one parameter, or two different ones, for example --axes lots",
        ),
        (("--grid", "lots=1", "--metric", "profit"), "--metric profit: no such figure; did you mean net_profit?"),
        (
            ("--grid", "lots=1", "--set", "asset.1.queue=log"),
            "1 tapes but 2 [[asset]] tables; give one for each, or one for all",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(tmp_path: Path, tape: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = sweep(tmp_path, tape, *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", f"qf sweep: {message}\n")


def test_assets_of_one_currency_have_a_total(tmp_path: Path, tape: Path) -> None:
    ran = sweep(tmp_path, tape, "--tape", tape, "--grid", "lots=1,2", "--metric", "net_profit_1")
    assert ran.code == 2
    assert ran.err == "qf sweep: --metric net_profit_1: the assets have a total; leave the asset's number out\n"
    assert sweep(tmp_path, tape, "--tape", tape, "--grid", "lots=1,2").code == 0
