"""A sweep's results are those of single runs, whatever the order and the number of processes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

import queuefront as qf
from queuefront.core import ConfigError
from queuefront.feed import SynthConfig, Tape, synthesize, synthetic_instrument
from queuefront.sweep import FunctionRecipe, Sweep, parameter_sets, run_sweep

pytestmark = pytest.mark.slow

FILE = Path(__file__).with_name("strategies.py")
SETS = parameter_sets({"lots": [1, 2, 3], "wakes": [2, 4]})


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("market") / "market.tape"
    config = SynthConfig(events=5_000, seed=3)
    Tape.build(synthesize(config), synthetic_instrument(config), source="synthetic").save(path)
    return path


def strategies() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sweep_strategies", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recipe(tape: Path, name: str = "strategy", **options: Any) -> FunctionRecipe:
    return FunctionRecipe.of(getattr(strategies(), name), [qf.Asset(tape)], **options)


def files(sweep: Sweep) -> dict[str, bytes]:
    return {p.relative_to(sweep.folder).as_posix(): p.read_bytes() for p in sorted(sweep.folder.rglob("*")) if p.is_file()}


def test_results_are_those_of_single_runs_whatever_the_order_and_the_processes(tape: Path, tmp_path: Path) -> None:
    one = run_sweep(recipe(tape), SETS, tmp_path / "one", jobs=1)
    two = run_sweep(recipe(tape), SETS, tmp_path / "two", jobs=2)
    back = run_sweep(recipe(tape), SETS[::-1], tmp_path / "back", jobs=2)
    assert files(one) == files(two)
    assert one.frame().equals(back.frame().reverse())
    for parameters, result in zip(SETS, one.results, strict=True):
        run = qf.Backtest(qf.Asset(tape)).run(strategies().strategy, *parameters.values())
        folder = one.folder / "sets" / result.identity
        assert pl.read_parquet(folder / "fills.parquet").equals(run.fills)
        assert pl.read_parquet(folder / "equity.parquet").equals(run.equity)
        total = run.summary().total
        assert total is not None
        assert total.orders is not None
        assert result.figures["net_profit"] == total.net_profit
        assert result.figures["submitted"] == total.orders.submitted == parameters["wakes"]
    assert pl.read_parquet(one.folder / "summary.parquet").equals(one.frame())


def test_an_interrupted_sweep_goes_on_where_it_was(tape: Path, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(recipe(tape), SETS, tmp_path / "out", jobs=2, progress=stop)
    told: list[tuple[int, int]] = []
    sweep = run_sweep(recipe(tape), SETS, tmp_path / "out", jobs=2, progress=lambda *it: told.append(it))
    kept = sum(result.is_kept for result in sweep.results)
    assert 3 <= kept <= 5
    assert told == [(0, 6), *((done, 6) for done in range(kept, 7))]
    assert files(sweep) == files(run_sweep(recipe(tape), SETS, tmp_path / "anew", jobs=1))


def test_a_result_of_another_model_or_a_damaged_one_is_not_kept(tape: Path, tmp_path: Path) -> None:
    first = run_sweep(recipe(tape), SETS[:2], tmp_path, jobs=1)
    other = FunctionRecipe.of(strategies().strategy, [qf.Asset(tape, latency=qf.ConstantLatency(5, 5))])
    assert not any(result.is_kept for result in run_sweep(other, SETS[:2], tmp_path, jobs=1).results)
    (tmp_path / "sets" / first.results[0].identity / "fills.parquet").write_bytes(b"PAR1")
    assert [r.is_kept for r in run_sweep(recipe(tape), SETS[:2], tmp_path, jobs=1).results] == [False, True]
    assert [r.is_kept for r in run_sweep(recipe(tape), SETS[:2], tmp_path, jobs=1).results] == [True, True]


def test_a_failing_set_is_told_and_the_others_stay(tape: Path, tmp_path: Path) -> None:
    sweep = run_sweep(recipe(tape), parameter_sets({"lots": [0, 1]}), tmp_path, jobs=2)
    (failed,) = sweep.failed
    assert (failed.parameters, failed.error) == (
        {"lots": 0},
        "strategy 'strategy' raised ZeroDivisionError: integer division by zero",
    )
    frame = sweep.frame()
    assert frame["net_profit"].is_null().to_list() == [True, False]
    assert frame["folder"].to_list() == [None, f"sets/{sweep.results[1].identity}"]
    assert sweep.best()["lots"].to_list() == [1]


def test_a_process_that_dies_takes_its_own_set_only(tape: Path, tmp_path: Path) -> None:
    sweep = run_sweep(recipe(tape, "dies"), parameter_sets({"lots": [1, 2, 3, 4]}), tmp_path, jobs=1)
    assert [result.error for result in sweep.results] == [None, "the worker ended with exit code 7", None, None]


def test_fixed_parameters_hold_for_every_set(tape: Path, tmp_path: Path) -> None:
    sweep = run_sweep(recipe(tape, fixed={"wakes": 5}), [{"lots": 1}], tmp_path)
    assert sweep.results[0].figures["submitted"] == 5


def test_the_best_come_first_and_small_fees_are_better(tape: Path, tmp_path: Path) -> None:
    sweep = run_sweep(recipe(tape), SETS, tmp_path)
    volumes, fees = sweep.best("volume")["volume"].to_list(), sweep.best("max_position")["max_position"].to_list()
    assert volumes == sorted(volumes, reverse=True)
    assert fees == sorted(fees)
    with pytest.raises(ConfigError) as caught:
        sweep.best("profit")
    assert str(caught.value).startswith(
        "metric 'profit' is no figure of the sweep; choose one of net_profit, gross_profit, "
    )


def test_a_parameter_that_is_called_like_a_figure_has_another_column(tmp_path: Path) -> None:
    from queuefront.sweep import SetResult

    frame = Sweep(tmp_path, [SetResult(identity="x", parameters={"fills": 2}, figures={"fills": 7})]).frame()
    assert frame.columns == ["parameter_fills", "fills", "result", "error", "folder"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, to: run_sweep(r, [], to), "a sweep needs parameter sets; give at least one"),
        (lambda r, to: run_sweep(r, SETS, to, jobs=0), "jobs is 0; give at least 1, or leave it out for all cores"),
        (
            lambda r, to: run_sweep(r, [{"lot": 1}], to),
            "strategy: got an unexpected keyword argument 'lot'; its parameters are: lots, wakes",
        ),
    ],
)
def test_what_cannot_be_swept_is_refused(tape: Path, tmp_path: Path, call: Callable[..., Sweep], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call(recipe(tape), tmp_path)
    assert str(caught.value) == message
