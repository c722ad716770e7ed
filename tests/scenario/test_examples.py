"""Every example runs against the library as it is, and does what it says (H1.2, H1.3)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.runs import market, qf

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = [EXAMPLES / "kernel_trade.py"]
STRATEGIES = sorted(path for path in EXAMPLES.glob("*.py") if path not in PROGRAMS)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market(tmp_path_factory.mktemp("market"), events=50_000)


def test_there_are_examples() -> None:
    assert [path.name for path in STRATEGIES] == ["grid.py"]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_program_runs_and_ends_as_it_says(path: Path) -> None:
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert "SUBMIT_UNKNOWN" in done.stdout
    assert "CLOSED profit 0.050929650000 USDT" in done.stdout


@pytest.mark.parametrize("path", STRATEGIES, ids=lambda path: path.name)
def test_an_example_runs_with_its_own_defaults(path: Path, tape: Path, tmp_path: Path) -> None:
    ran = qf("backtest", path, "--tape", tape, "--out", tmp_path)
    assert (ran.code, ran.err) == (0, "")


def test_the_grid_of_the_demo_trades_on_both_sides_and_keeps_its_limits(tape: Path, tmp_path: Path) -> None:
    arguments = ("--config", EXAMPLES / "grid.toml", "--set", "strategy.half_spread_ticks=1", "--out", tmp_path)
    ran = qf("backtest", EXAMPLES / "grid.py", "--tape", tape, *arguments)
    assert (ran.code, ran.err) == (0, "")
    fills = pl.read_parquet(tmp_path / "fills.parquet")
    assert fills["side"].n_unique() == 2
    assert fills["is_maker"].all()
    # No bids above 100 lots of 0.001; what rests by then, ten orders of 0.01, may still fill.
    assert fills["position_after"].abs().max() <= 0.1 + 10 * 0.01
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["assets"][0]["fills"] == fills.height
