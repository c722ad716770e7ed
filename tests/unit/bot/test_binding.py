"""Methods and attributes are found by compiled code as Python finds them, and entries are called by address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from queuefront.bot import Struct, attribute, entry, link_entries, method, struct
from queuefront.core.jit import IS_INTERPRETED, compiled

ROOT = Path(__file__).parents[3]


@struct("value")
class Counter(Struct):
    """Counts."""


@compiled
def new_counter(value):
    return Counter(value)


@entry(Counter)
@compiled
def add(counter, x: int, is_wanted: bool):
    """Add, where wanted."""
    if x > 100:
        raise ValueError("too much")
    if is_wanted:
        counter.value += x
    return counter.value


@entry(Counter)
@compiled
def value_or_none(counter):
    return counter.value if counter.value > 0 else None


@entry(Counter)
@compiled
def itself(counter):
    return counter


@method(Counter)
@compiled
def plus(counter, other):
    return counter.value + other


@attribute(Counter)
@compiled
def negative(counter):
    return -counter.value


@compiled
def add_twice(counter):
    counter.add(is_wanted=True, x=2.9)
    return counter.add(3, False)


@compiled
def add_too_much(counter):
    return counter.add(101, True)


@compiled
def kept(counter):
    for _ in range(1_000):
        counter = counter.itself()
    value = counter.value_or_none()
    return -1 if value is None else value


@compiled
def mixed(counter):
    return counter.plus(0.5) + counter.negative


@pytest.fixture
def counter():
    counter = new_counter(10)
    link_entries(counter)
    return counter


def test_an_entry_takes_what_a_method_takes(counter):
    assert add_twice(counter) == 12
    assert counter.add(1, True) == 13
    assert (Counter.add.__name__, Counter.add.__doc__) == ("add", "Add, where wanted.")


def test_an_exception_of_an_entry_reaches_the_caller(counter):
    with pytest.raises(ValueError, match=r"^too much$"):
        add_too_much(counter)
    assert counter.value_or_none() == 10


def test_an_entry_returns_optional_values_and_structs(counter):
    assert kept(counter) == 10
    assert kept(new_counter(-3)) == -1


def test_an_argument_without_annotation_keeps_its_type(counter):
    assert mixed(counter) == 0.5


@pytest.mark.skipif(IS_INTERPRETED, reason="without compiling, Python says it")
@pytest.mark.parametrize("call", ["counter.add()", "counter.add(1, 2, 3)", "counter.add('x', True)", "counter.sub(1)"])
def test_a_call_that_cannot_be_is_refused_when_it_is_compiled(counter, call):
    from numba import njit
    from numba.core.errors import TypingError

    namespace: dict = {}
    exec(f"def strategy(counter):\n    return {call}\n", namespace)
    with pytest.raises(TypingError):
        njit(namespace["strategy"])(counter)


STRATEGY = """
from numba import njit
import queuefront as qf
from tests.small_market import market

@njit(cache=True)
def strategy(hbt):
    code = 0
    while code == 0:
        code = hbt.elapse(1_000)
    return code, hbt.current_timestamp

print(qf.Backtest([qf.Asset(market())]).run(strategy).returned, len(strategy.stats.cache_hits))
"""


@pytest.mark.slow
@pytest.mark.skipif(IS_INTERPRETED, reason="nothing is compiled, so nothing is cached")
def test_cached_machine_code_finds_the_entries_in_another_process(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(STRATEGY)
    said = []
    for _ in range(2):
        # The engine is cached already; the strategy's file is new, so its code is not.
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, str(file)], capture_output=True, text=True, check=True, env=environment, timeout=300
        )
        said.append(run.stdout.rsplit(maxsplit=1))
    assert said[0][0] == said[1][0]
    assert [hits for _, hits in said] == ["0", "1"]
