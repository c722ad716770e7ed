"""The worker's side of a sweep, by its messages."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from queuefront.core import ConfigError
from queuefront.sweep import SetResult
from queuefront.sweep.worker import Opened, Order, serve
from tests.unit.sweep.test_recipe import recipe, tape

__all__ = ["tape"]


def answers(*messages: object) -> list[Any]:
    requests, out = io.BytesIO(b"".join(map(pickle.dumps, messages))), io.BytesIO()
    serve(requests, out)
    out.seek(0)
    read = []
    while out.tell() < len(out.getvalue()):
        read.append(pickle.load(out))
    return read


def test_a_worker_without_work_says_nothing() -> None:
    assert answers() == []


def test_a_worker_opens_and_runs_what_it_is_told(tape: Path, tmp_path: Path) -> None:
    opened, second, first = answers(Order(recipe(tape), [{"lots": 1}, {"lots": 2}], tmp_path), 1, 0)
    assert isinstance(opened, Opened)
    assert [r.identity for r in (first, second)] == list(opened.identities)
    assert isinstance(first, SetResult)
    assert (first.parameters, first.result, first.error) == ({"lots": 1}, "ok", None)


def test_a_worker_says_why_it_refuses(tape: Path, tmp_path: Path) -> None:
    (opened,) = answers(Order(recipe(tape), [{"none": 1}], tmp_path))
    assert isinstance(opened.refusal, ConfigError)
    (opened,) = answers(Order(recipe(tape.parent / "none.tape"), [{}], tmp_path))
    assert str(opened.refusal).startswith(f"{tape.parent / 'none.tape'}: there is no such file")


def test_a_failing_run_is_its_sets_error(tape: Path, tmp_path: Path) -> None:
    text = "def strategy(hbt, lots=1):\n    return 1 // lots\n"
    _, failed, done = answers(Order(recipe(tape, text), [{"lots": 0}, {"lots": 1}], tmp_path), 0, 1)
    assert failed.error == "strategy 'strategy' raised ZeroDivisionError: integer division or modulo by zero"
    assert done.error is None


def test_results_that_cannot_be_written_are_an_error(tape: Path, tmp_path: Path) -> None:
    _, failed = answers(Order(recipe(tape), [{}], tmp_path / "none"), 0)
    assert failed.error.endswith("no such file or directory")
