"""Worker processes end with their pool, whatever they are doing."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import InvariantError, StrategyError
from queuefront.core.jit import IS_INTERPRETED
from queuefront.sweep.pool import Pool
from queuefront.sweep.worker import Order
from tests.unit.sweep.test_recipe import recipe, tape

__all__ = ["tape"]

pytestmark = pytest.mark.slow


def test_results_come_with_the_numbers_of_their_sets(tape: Path, tmp_path: Path) -> None:
    order = Order(recipe(tape), [{"lots": k} for k in range(5)], tmp_path, threads=2)
    with Pool(order) as pool:
        results = dict(pool.run([1, 2, 4], pool.open()))
    assert {i: result.parameters["lots"] for i, result in results.items()} == {1: 1, 2: 2, 4: 4}


#: Ends its process for two lots, from machine code.
ENDING = """
from numba import njit, types
leave = types.ExternalFunction("_exit", types.void(types.int32))
@njit
def strategy(hbt, lots=1):
    if lots == 2:
        leave(7)
    return lots
"""


@pytest.mark.skipif(IS_INTERPRETED, reason="interpreted strategies run in processes of their own")
def test_a_set_that_ends_the_process_of_all_takes_no_other_with_it(tape: Path, tmp_path: Path) -> None:
    order = Order(recipe(tape, ENDING), [{"lots": k} for k in range(6)], tmp_path, threads=3)
    with Pool(order) as pool:
        identities = pool.open()
        assert pool._workers[0].threads == 3
        results = dict(pool.run(range(6), identities))
    assert {i: result.error for i, result in sorted(results.items())} == {
        i: "the worker ended with exit code 7" if i == 2 else None for i in range(6)
    }
    assert [results[i].identity for i in range(6)] == list(identities)


def test_leaving_ends_what_never_returns(tape: Path, tmp_path: Path) -> None:
    order = Order(
        recipe(tape, "def strategy(hbt, lots=1):\n    while lots:\n        pass\n"),
        [{"lots": 0}, {"lots": 1}],
        tmp_path,
        threads=2,
    )
    with Pool(order) as pool:
        processes = [worker._process for worker in pool._workers]
        next(pool.run([0, 1], pool.open()))
    assert all(process.poll() is not None for process in processes)


def test_what_the_first_worker_refuses_is_raised(tape: Path, tmp_path: Path) -> None:
    bad = "from numba import njit\n@njit\ndef strategy(hbt, lots=1):\n    return hbt.dept(0)\n"
    with (
        Pool(Order(recipe(tape, bad), [{}], tmp_path)) as pool,
        pytest.raises(StrategyError, match="raised TypingError"),
    ):
        pool.open()


def test_a_worker_that_dies_before_it_opened_is_a_contradiction(
    tape: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    order = Order(recipe(tape, "import os\nos._exit(5)\n"), [{}], tmp_path)
    with Pool(order) as pool, pytest.raises(InvariantError) as caught:
        pool.open()
    assert str(caught.value) == (
        "a sweep's worker ended with exit code 5 before it had opened the strategy; see its output above"
    )
