"""What a sweep runs: loadable by workers, and with an identity that changes with whatever changes its results."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import queuefront as qf
from queuefront.core import ConfigError
from queuefront.sweep import FunctionRecipe
from tests.small_market import market

STRATEGY = "def strategy(hbt, lots=2, *, wait=1.5):\n    return lots\n"


@pytest.fixture(autouse=True)
def _keep_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    market().save(tmp_path / "small.tape")
    return tmp_path / "small.tape"


def recipe(tape: Path, text: str = STRATEGY, sample_every_ns: int | None = None, **models: Any) -> FunctionRecipe:
    path = tape.parent / "mine.py"
    path.write_text(text, encoding="utf-8")
    return FunctionRecipe(path, "strategy", [qf.Asset(tape, **models)], {}, sample_every_ns)


def digest(*arguments: Any, **models: Any) -> str:
    return recipe(*arguments, **models).open().digest


def test_an_opened_recipe_runs_and_survives_pickling(tape: Path) -> None:
    session = pickle.loads(pickle.dumps(recipe(tape))).open()
    assert session.backtest.run(session.strategy, *session.bind({"lots": 5})).returned == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda t: digest(t, STRATEGY + "# edited\n"),
        lambda t: digest(t, sample_every_ns=7),
        lambda t: digest(t, latency=qf.ConstantLatency(1, 2)),
        lambda t: digest(t, queue=qf.LogQueue()),
        lambda t: digest(t, queue=qf.PowerQueue(2.0)),
        lambda t: digest(t, exchange=qf.PartialFill()),
        lambda t: digest(t, fees=qf.ValueFees("0.1", "0.2")),
        lambda t: digest(t, multiplier=3),
        lambda t: digest(t, last_trades_capacity=1),
    ],
)
def test_whatever_changes_a_result_changes_the_digest(tape: Path, change: Callable[[Path], str]) -> None:
    assert change(tape) != digest(tape)
    assert digest(tape) == digest(tape)


def test_a_tape_in_memory_is_refused() -> None:
    from tests.unit.sweep.test_run import strategies

    with pytest.raises(ConfigError) as caught:
        FunctionRecipe.of(strategies().strategy, [qf.Asset(market())])
    assert str(caught.value) == "asset 0 has its tape in memory, and workers map theirs; save it, and give its path"


def test_a_function_inside_of_another_is_refused(tape: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        FunctionRecipe.of(lambda hbt: None, [qf.Asset(tape)])
    assert str(caught.value).endswith("does not stand at the top of a file, where workers find it; move it there")
