"""The worker's side of a sweep, by its messages."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import pytest

from queuefront.core import ConfigError, code_cache
from queuefront.core.jit import IS_INTERPRETED
from queuefront.sweep import SetResult, worker
from queuefront.sweep.worker import Opened, Order, serve
from tests.unit.sweep.test_recipe import STRATEGY, recipe, tape

__all__ = ["tape"]

COMPILED = "from numba import njit\n@njit\ndef strategy(hbt, lots=2):\n    return lots\n"


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
    assert [second[0], first[0]] == [1, 0]
    assert [result.identity for _, result in (first, second)] == list(opened.identities)
    assert isinstance(first[1], SetResult)
    assert (first[1].parameters, first[1].result, first[1].error) == ({"lots": 1}, "ok", None)


def test_a_worker_says_why_it_refuses(tape: Path, tmp_path: Path) -> None:
    (opened,) = answers(Order(recipe(tape), [{"none": 1}], tmp_path))
    assert isinstance(opened.refusal, ConfigError)
    (opened,) = answers(Order(recipe(tape.parent / "none.tape"), [{}], tmp_path))
    assert str(opened.refusal).startswith(f"{tape.parent / 'none.tape'}: there is no such file")


@pytest.mark.parametrize(("text", "threads"), [(COMPILED, 2), (STRATEGY, 1)])
@pytest.mark.skipif(IS_INTERPRETED, reason="interpreted strategies are plain Python")
def test_a_compiled_strategy_runs_in_threads_and_a_plain_one_does_not(
    tape: Path, tmp_path: Path, text: str, threads: int
) -> None:
    opened, *results = answers(Order(recipe(tape, text), [{"lots": k} for k in (1, 2, 3)], tmp_path, threads=2), 2, 0, 1)
    assert opened.threads == threads
    assert sorted((i, result.identity, result.error) for i, result in results) == [
        (i, identity, None) for i, identity in enumerate(opened.identities)
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_however_many_threads_there_are_the_machine_code_is_the_same(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    released: list[object] = []
    monkeypatch.setattr(code_cache, "release_gil", lambda strategy: released.append(strategy) or True)
    opened, _ = answers(Order(recipe(tape), [{}], tmp_path, threads=threads), 0)
    assert (opened.threads, len(released)) == (threads, 1)


def test_what_is_no_failure_of_a_set_ends_the_process(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    monkeypatch.setattr(worker, "write_result", lambda *_: 1 // 0)
    assert len(answers(Order(recipe(tape), [{}], tmp_path), 0)) == 1
    assert codes == [1]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_failing_run_is_its_sets_error(tape: Path, tmp_path: Path) -> None:
    text = "def strategy(hbt, lots=1):\n    return 1 // lots\n"
    _, (_, failed), (_, done) = answers(Order(recipe(tape, text), [{"lots": 0}, {"lots": 1}], tmp_path), 0, 1)
    assert failed.error == "strategy 'strategy' raised ZeroDivisionError: integer division or modulo by zero"
    assert done.error is None


def test_results_that_cannot_be_written_are_an_error(tape: Path, tmp_path: Path) -> None:
    _, (_, failed) = answers(Order(recipe(tape), [{}], tmp_path / "none"), 0)
    assert failed.error.endswith("no such file or directory")
