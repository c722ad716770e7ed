"""The models of one's own in `examples/models` do what they say, stand in the docs as they are, and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from queuefront.cli.model_files import load_model
from queuefront.core import ORDER
from queuefront.core.enums import BUY, CANCELED, NEW
from queuefront.sim import OwnFees, OwnLatency, OwnQueue
from tests.tidy.pages import blocks
from tests.unit.cli.runs import market, qf

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "examples" / "models"
MS = 1_000_000


def test_the_models_are_the_ones_that_the_page_shows() -> None:
    shown = [block.code for block in blocks((ROOT / "docs" / "own-models.md").read_text("utf-8")) if block.is_run]
    files = sorted(MODELS.glob("*.py"))
    assert [path.name for path in files] == ["congestion.py", "share_queue.py", "ticket_fees.py"]
    for path in files:
        code = path.read_text("utf-8").split('"""\n\n', 1)[1]
        body = code.partition("\n\n\n@njit")[0].partition("\n\n")[2].split("\n\n")[-1] + code[code.index("\n\n\n@njit") :]
        name = path.stem.rpartition("_")[2].replace("congestion", "latency")
        assert any(body.replace("\nmodel = ", f"\n{name} = ") in block for block in shown), path.name


def test_the_share_queue_moves_by_its_share_of_cancels_and_by_all_trades() -> None:
    model = load_model(MODELS / "share_queue.py", "model", OwnQueue)
    order, params = np.zeros(1, ORDER)[0], np.array([0.25])
    order["qty_ahead"] = 100.0
    call(model.trade, order, 10.0, params)
    assert order["qty_ahead"] == 90.0
    call(model.depth, order, 200.0, 150.0, params)  # ten of the fifty were traded
    assert order["qty_ahead"] == 80.0
    call(model.depth, order, 150.0, 170.0, params)
    assert order["qty_ahead"] == 80.0
    call(model.depth, order, 170.0, 30.0, params)
    assert order["qty_ahead"] == 30.0


def test_a_burst_of_requests_queues_up_at_the_gateway() -> None:
    model = load_model(MODELS / "congestion.py", "model", OwnLatency)
    memory, params, t0 = np.zeros(16), np.array(model.params, np.float64), 1_700_000_000_123_456_789
    burst = [call(model.entry, t0, NEW, memory, params) for _ in range(3)]
    assert [latency / MS for latency in burst] == pytest.approx([2.05, 2.10, 2.15], abs=1e-3)  # float64 since 1970
    later = call(model.entry, t0 + 100_000, CANCELED, memory, params)
    assert later / MS == pytest.approx(2.10, abs=1e-3)
    assert call(model.entry, t0 + 10**9, NEW, memory, params) / MS == pytest.approx(2.05, abs=1e-3)
    assert call(model.response, t0, memory, params) == 2 * MS


@pytest.mark.parametrize(("price", "qty", "fee"), [(100.0, 1.0, 1.0), (1_000.0, 0.001, 0.01), (10_000.0, 0.001, 0.05)])
def test_a_ticket_costs_its_minimum_unless_that_is_too_much(price: float, qty: float, fee: float) -> None:
    model = load_model(MODELS / "ticket_fees.py", "model", OwnFees)
    assert call(model.fee, BUY, True, price, qty, 0.0, np.array(model.params)) == pytest.approx(fee, rel=1e-15)


def call(function: Any, *arguments: Any) -> Any:
    """Call the Python function, which takes records that Numba only sees inside of the engine."""
    return getattr(function, "py_func", function)(*arguments)


PLAIN = """
from queuefront import OwnFees

def fee(side, is_maker, price, qty, volume, params):
    return params[0]

model = OwnFees(fee, params=[0.5])
"""


@pytest.mark.slow
@pytest.mark.soak
def test_a_plain_function_serves_and_runs_without_it_go_on(tmp_path: Path) -> None:
    """What is compiled is kept on disk, where processes without the file must be able to read on."""
    tape, path = market(tmp_path), tmp_path / "plain_fees.py"
    path.write_text(PLAIN, encoding="utf-8")
    own = "--set", f'fees={{kind="own", file="{path}"}}'
    for arguments in (own, (), own):
        ran = qf("backtest", ROOT / "examples" / "grid.py", "--tape", tape, "--out", tmp_path / "out", *arguments)
        assert (ran.code, ran.err) == (0, "")


@pytest.mark.slow
def test_a_run_uses_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = market(tmp_path, events=50_000)
    monkeypatch.chdir(ROOT)
    arguments = ("--tape", tape, "--out", tmp_path / "out", "--config", MODELS / "models.toml")
    ran = qf("backtest", "examples/grid.py", *arguments)
    assert (ran.code, ran.err) == (0, "")
    fills = pl.read_parquet(tmp_path / "out" / "fills.parquet")
    assert fills.height > 10
    assert (fills["fee"] >= 0.0349).all()  # ten lots of 0.001 at 3.5, or the minimum
    orders = pl.read_parquet(tmp_path / "out" / "orders.parquet")
    requests = orders.filter(pl.col("event") == "request").group_by("local_ts").len()["len"].max()
    assert requests > 5  # a burst
    answers = orders.filter((pl.col("event") == "response") & (pl.col("status") == "NEW"))
    assert answers.group_by("local_ts").len()["len"].max() == 1  # which the gateway spread out
