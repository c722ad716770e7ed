"""How functions are compiled: cached, with IEEE division, and some only for compiled callers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from queuefront.core.jit import IS_INTERPRETED, borrowing, compiled, internal, prefetch, viewing


def ratio(x, y):  # type: ignore[no-untyped-def]
    return x / y


@pytest.mark.skipif(IS_INTERPRETED, reason="interpreted NumPy warns where compiled code divides silently")
def test_division_by_zero_is_infinity() -> None:
    assert compiled(ratio)(np.float64(1.0), np.float64(0.0)) == np.inf


def total(x):  # type: ignore[no-untyped-def]
    out = 0.0
    for i in range(len(x)):
        out += x[i]
    return out


def test_python_may_call_what_is_compiled() -> None:
    assert compiled(total)(np.arange(4.0)) == 6.0


@pytest.mark.parametrize("decorator", [internal, borrowing])
def test_only_compiled_code_calls_what_has_none(decorator) -> None:  # type: ignore[no-untyped-def]
    inner = decorator(total)

    def outer(x):  # type: ignore[no-untyped-def]
        return inner(x) + 1.0

    assert compiled(outer)(np.arange(4.0)) == 7.0
    if not IS_INTERPRETED:
        with pytest.raises(TypeError) as caught:
            inner(np.arange(4.0))
        assert str(caught.value) == "total is called by compiled code only; use it inside an @njit function"


def doubled(x):  # type: ignore[no-untyped-def]
    return 2.0 * x


def test_a_viewing_function_is_called_by_python_and_inside_compiled_code() -> None:
    both = viewing(doubled)
    inside = both.inside

    def outer(x):  # type: ignore[no-untyped-def]
        return inside(x) + 1.0

    assert compiled(outer)(3.0) == 7.0
    assert both(3.0) == 6.0


TWINS = """
from queuefront.core.jit import compiled, viewing

@viewing
def doubled(x):
    return 2.0 * x

inside = doubled.inside

@compiled
def outer(x):
    return inside(x) + 1.0
"""


@pytest.mark.skipif(IS_INTERPRETED, reason="nothing is cached")
@pytest.mark.parametrize("first", ["outer", "doubled"])
def test_the_twins_of_a_viewing_function_never_find_each_other_in_the_cache(tmp_path: Path, first: str) -> None:
    (tmp_path / "twins.py").write_text(TWINS, encoding="utf-8")
    second = "doubled" if first == "outer" else "outer"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    for code in (f"import twins; twins.{first}(3.0)", f"import twins; print(twins.{second}(3.0), twins.{first}(3.0))"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    values = {"outer": "7.0", "doubled": "6.0"}
    assert done.stdout.split() == [values[second], values[first]]


def test_a_hint_to_fetch_changes_nothing() -> None:
    column = np.arange(8.0)

    def hint(x, index):  # type: ignore[no-untyped-def]
        prefetch(x, index)
        return x[0]

    assert compiled(hint)(column, 3) == 0.0
    assert compiled(hint)(column, 2**40) == 0.0  # no read: an address that is not ours does no harm
    assert column.tolist() == list(range(8))
