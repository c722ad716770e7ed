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
CLIENTS = [
    EXAMPLES / "paper_ccxt.py",
    EXAMPLES / "paper_connector.py",
]  # need a paper exchange to talk to, see test_paper_example.py
STRATEGIES = sorted(path for path in EXAMPLES.glob("*.py") if path not in (*PROGRAMS, *CLIENTS))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market(tmp_path_factory.mktemp("market"), events=50_000)


@pytest.fixture(scope="module")
def tape_by_order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orders") / "orders.tape"
    assert qf("synth", "-o", path, "--events", 30_000, "--seed", 3, "--by-order").code == 0
    return path


@pytest.fixture
def tapes(request: pytest.FixtureRequest, tape: Path) -> dict[str, list[Path]]:
    """The tapes that an example wants, where it does not want the usual one."""
    return {"basis.py": [tape, tape], "l3_making.py": [request.getfixturevalue("tape_by_order")]}


def run(name: str, tapes: list[Path], out: Path, *arguments: object) -> pl.DataFrame:
    """Run an example and return its fills."""
    given = [argument for tape in tapes for argument in ("--tape", tape)]
    ran = qf("backtest", EXAMPLES / name, *given, "--out", out, *arguments)
    assert (ran.code, ran.err) == (0, "")
    return pl.read_parquet(out / "fills.parquet")


def test_there_are_examples_each_with_its_configuration() -> None:
    names = ["basis", "glft", "grid", "l3_making", "order_book_imbalance", "queue_based"]
    assert [path.name for path in STRATEGIES] == [f"{name}.py" for name in names]
    assert sorted(path.name for path in EXAMPLES.glob("*.toml")) == [f"{name}.toml" for name in names]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_program_runs_and_ends_as_it_says(path: Path) -> None:
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert "SUBMIT_UNKNOWN" in done.stdout
    assert "CLOSED profit 0.050929650000 USDT" in done.stdout


@pytest.mark.parametrize("path", STRATEGIES, ids=lambda path: path.name)
def test_an_example_runs_with_its_own_defaults(
    path: Path, tape: Path, tapes: dict[str, list[Path]], tmp_path: Path
) -> None:
    queue = ("--set", "queue=fifo") if path.name == "l3_making.py" else ()
    run(path.name, tapes.get(path.name, [tape]), tmp_path, *queue)


@pytest.mark.parametrize("path", STRATEGIES, ids=lambda path: path.name)
def test_an_example_trades_with_its_configuration(
    path: Path, tape: Path, tapes: dict[str, list[Path]], tmp_path: Path
) -> None:
    fills = run(path.name, tapes.get(path.name, [tape]), tmp_path, "--config", path.with_suffix(".toml"))
    quoted = fills.filter(pl.col("asset") == 0)
    assert quoted.height > 5
    assert quoted["side"].n_unique() == 2
    assert quoted["is_maker"].all()
    # No more is sent above 100 lots of 0.001; what is under way by then may still fill.
    assert quoted["position_after"].abs().max() <= 0.1 + 10 * 0.01


def test_the_grid_of_the_demo_fills_as_it_reports(tape: Path, tmp_path: Path) -> None:
    fills = run("grid.py", [tape], tmp_path, "--config", EXAMPLES / "grid.toml")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["assets"][0]["fills"] == fills.height


def test_what_the_basis_collects_is_hedged_by_taking(tape: Path, tmp_path: Path) -> None:
    fills = run("basis.py", [tape, tape], tmp_path, "--config", EXAMPLES / "basis.toml", "--set", "strategy.edge_ticks=1.0")
    hedges = fills.filter(pl.col("asset") == 1)
    assert hedges.height > 3
    assert not hedges["is_maker"].any()
    last = [table["position_after"][-1] for _, table in sorted(fills.group_by("asset"))]
    assert abs(sum(last)) <= 0.005 + 10 * 0.01  # in lots of 0.001, one order may be under way


def test_without_the_markets_trades_nothing_is_fitted_and_nothing_quoted(tape: Path, tmp_path: Path) -> None:
    assert run("glft.py", [tape], tmp_path).height == 0


def test_a_strategy_that_trusts_its_place_fills_from_the_front(tape: Path, tmp_path: Path) -> None:
    """Leaving whenever the level thins gives up the places that were good."""
    config = ("--config", EXAMPLES / "queue_based.toml", "--set", "strategy.leave_share=0.5")
    trusting = run("queue_based.py", [tape], tmp_path, *config)
    timid = run("queue_based.py", [tape], tmp_path, *config, "--set", "strategy.good_place=-1.0")
    assert trusting.height > timid.height
