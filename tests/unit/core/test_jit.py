"""How functions are compiled: cached, with IEEE division, and some only for compiled callers."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core.jit import IS_INTERPRETED, borrowing, compiled, internal


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
