"""The digest of a model's code changes with everything that the code does, and with nothing else."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba import njit, typeof

from queuefront.core.jit import IS_INTERPRETED
from queuefront.sim.builtin_compiled import BUILTIN
from queuefront.sim.hooks import HOOKS, ModelFunctions, ModelsType, code_digest

SOURCE = """
STEP = 2.0
TABLE = np.array([1.0, 2.0])

def helper(x):
    return x + 1.0

def model(x, scale=3.0):
    return helper(x) * STEP * scale + TABLE[0]
"""


def digest_of(source: str, name: str = "model", **names: Any) -> str:
    values = {"np": np, **names}
    exec(compile(source, "anywhere.py", "exec"), values)
    return code_digest(values[name])


def test_the_same_code_has_the_same_digest_whatever_its_file_is_called():
    values: dict[str, Any] = {"np": np}
    exec(compile("\n\n\n" + SOURCE, "elsewhere.py", "exec"), values)
    assert code_digest(values["model"]) == digest_of(SOURCE)


def test_the_digest_is_the_same_in_another_process():
    root = Path(__file__).parents[3]
    script = (
        "from tests.unit.sim.test_hooks import SOURCE, digest_of, maker_of\nprint(digest_of(SOURCE), maker_of(2.0, [1.0]))"
    )
    seen = {
        subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert seen == {f"{digest_of(SOURCE)} {maker_of(2.0, [1.0])}\n"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("helper(x) * STEP", "helper(x) / STEP"),  # an operation
        ("x + 1.0", "x + 1.5"),  # a constant of a called function
        ("STEP = 2.0", "STEP = 2.5"),  # a global
        ("STEP = 2.0", "STEP = 2"),  # another type
        ("[1.0, 2.0]", "[1.0, 3.0]"),  # an array, even where only part of it is read
        ("[1.0, 2.0]", "[1, 2]"),
        ("scale=3.0", "scale=4.0"),  # a default
        ("TABLE[0]", "TABLE[1]"),
    ],
)
def test_the_digest_changes_with_the_code(old, new):
    assert SOURCE.replace(old, new) != SOURCE
    assert digest_of(SOURCE.replace(old, new)) != digest_of(SOURCE)


def test_what_a_model_does_not_use_does_not_matter():
    assert digest_of(SOURCE + "\nOTHER = 5\ndef other():\n    return OTHER\n") == digest_of(SOURCE)


def maker_of(step: float, table: list[float]) -> str:
    return code_digest(scaled(step, np.array(table)))


def scaled(step: float, table: Any) -> Callable[[float], float]:
    def model(x):
        return x * step + table[0]

    return model


def test_the_digest_changes_with_what_a_closure_holds():
    assert maker_of(2.0, [1.0]) == maker_of(2.0, [1.0])
    assert len({maker_of(2.0, [1.0]), maker_of(3.0, [1.0]), maker_of(2.0, [2.0])}) == 3


def test_two_closures_of_one_maker_are_told_apart():
    def pair(first: float, second: float) -> str:
        a, b = scaled(first, np.ones(1)), scaled(second, np.ones(1))

        def model(x):
            return a(x) + b(x)

        return code_digest(model)

    assert len({pair(1.0, 2.0), pair(1.0, 3.0), pair(2.0, 2.0)}) == 3


def test_the_digest_follows_into_modules_of_ones_own():
    def with_limit(limit: float) -> str:
        module = ModuleType("settings")
        module.LIMIT, module.itself, module.unused = limit, module, object()
        return digest_of("def model(x):\n    return min(x, settings.LIMIT) + settings.itself.LIMIT", settings=module)

    assert with_limit(1.0) == with_limit(1.0)
    assert with_limit(1.0) != with_limit(2.0)


def test_compiling_does_not_change_the_digest():
    model = scaled(2.0, np.ones(1))
    assert code_digest(njit(model)) == code_digest(model)


def test_a_function_that_calls_itself_has_a_digest():
    source = "def model(x):\n    return 0.0 if x < 1.0 else model(x - 1.0)"
    assert digest_of(source) == digest_of(source)
    assert digest_of(source) != digest_of(source.replace("1.0)", "2.0)"))


def test_what_is_not_given_is_built_in():
    models = ModelFunctions()
    assert set(models.functions) == set(HOOKS)
    assert (models.functions, models.key) == (BUILTIN, "built in")


def test_the_key_names_which_function_stands_where():
    a, b = scaled(1.0, np.ones(1)), scaled(2.0, np.ones(1))
    keys = [ModelFunctions(own).key for own in ({"fee": a}, {"fee": b}, {"exec_taking": a}, {"fee": a, "exec_taking": b})]
    assert len({*keys, "built in"}) == 5
    assert ModelFunctions({"fee": scaled(1.0, np.ones(1))}).key == keys[0]


@pytest.mark.skipif(IS_INTERPRETED, reason="there are no types in interpreted code")
def test_the_numba_type_is_named_by_the_key():
    assert typeof(ModelFunctions()) == ModelsType("built in")
    assert ModelsType("built in").name == "Models(built in)"
    assert ModelsType("built in").functions == BUILTIN
    assert ModelsType("a") != ModelsType("b")


@pytest.mark.skipif(IS_INTERPRETED, reason="there are no types in interpreted code")
def test_a_type_is_written_without_the_functions_which_another_process_may_lack():
    module = ModuleType("nobody_elses")
    exec("def fee(a, message, amount):\n    return amount\n", vars(module))
    written = pickle.dumps(typeof(ModelFunctions({"fee": module.fee})))
    assert b"nobody_elses" not in written
    assert pickle.loads(written) == typeof(ModelFunctions({"fee": module.fee}))
