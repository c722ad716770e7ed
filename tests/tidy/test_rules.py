"""Each house check fails on a planted violation, and says what to use instead."""

from __future__ import annotations

import pytest

from tests.tidy.rules_code import ambient, empty, kernel_float, njit, printing, record_attribute, size, stub, swallowed
from tests.tidy.rules_layout import face, mirror, neighbour, orphan
from tests.tidy.source import Rule, check, exceptions, planted

MODULE = "queuefront/room/module.py"

VIOLATIONS: list[tuple[Rule, str, str, str]] = [
    (
        ambient,
        MODULE,
        "import time\nt = time.time_ns()\n",
        "2: ambient time.time_ns; use queuefront.core.clock, or a value handed in",
    ),
    (
        ambient,
        MODULE,
        "from datetime import datetime as dt\nt = dt.now()\n",
        "2: ambient datetime.datetime.now; use queuefront.core.clock, or a value handed in",
    ),
    (
        ambient,
        MODULE,
        "from time import perf_counter\nt = perf_counter()\n",
        "2: ambient time.perf_counter; use queuefront.core.clock, or a value handed in",
    ),
    (
        ambient,
        MODULE,
        "import random\nx = random.random()\n",
        "2: ambient random.random; use a generator handed in, made from a seed",
    ),
    (
        ambient,
        MODULE,
        "from uuid import uuid4\n",
        "1: import from uuid; use a generator handed in, made from a seed",
    ),
    (
        ambient,
        MODULE,
        "import numpy as np\nx = np.random.normal()\n",
        "2: hidden state of numpy.random.normal; use numpy.random.default_rng(seed)",
    ),
    (
        ambient,
        MODULE,
        "import numpy as np\nx = np.random.default_rng()\n",
        "2: numpy.random.default_rng without a seed; use numpy.random.default_rng(seed)",
    ),
    (
        njit,
        MODULE,
        "from numba import njit\n",
        "1: numba.njit; use a decorator of queuefront.core.jit",
    ),
    (
        njit,
        MODULE,
        "import numba as nb\n@nb.njit\ndef f(): return 1\n",
        "2: bare numba.njit; use a decorator of queuefront.core.jit",
    ),
    (
        njit,
        MODULE,
        "f = compiled(g, fastmath=True)\n",
        "1: fastmath=; use neither: results must be the same everywhere",
    ),
    (
        empty,
        MODULE,
        "import numpy as np\nx = np.empty(3)\n",
        "2: uninitialised memory by np.empty; use np.zeros or np.full, or fill it here and say so",
    ),
    (
        record_attribute,
        MODULE,
        "@compiled\ndef f(rows, i):\n    return rows[i].px\n",
        '3: record attribute rows[i].px; use rows[i]["px"]',
    ),
    (
        record_attribute,
        MODULE,
        "@compiled(inline='always')\ndef f(order):\n    return order.leaves_lots\n",
        '3: record attribute order.leaves_lots; use order["leaves_lots"]',
    ),
    (
        printing,
        MODULE,
        "def f():\n    print(1)\n",
        "2: print outside cli; use a return value, a warning or logging",
    ),
    (
        printing,
        MODULE,
        "from rich import print as show\nshow(1)\n",
        "2: rich.print outside cli; use a return value, a warning or logging",
    ),
    (
        size,
        MODULE,
        "x = 1\n" * 601,
        "1: 601 lines; the limit is 600; use two modules, one idea each",
    ),
    (
        size,
        MODULE,
        "def f():\n" + "    x = 1\n" * 70,
        "1: f has 71 lines; the limit is 70; use leaves and one driver",
    ),
    (
        swallowed,
        MODULE,
        "try:\n    f()\nexcept Exception:\n    x = 1\n",
        "3: a handler for everything that does not raise again; use the errors you can mend",
    ),
    (
        swallowed,
        MODULE,
        "try:\n    f()\nexcept:\n    x = 1\n",
        "3: a handler for everything that does not raise again; use the errors you can mend",
    ),
    (
        swallowed,
        MODULE,
        "try:\n    f()\nexcept KeyError:\n    pass\n",
        "3: an error passed over; use contextlib.suppress and why, or a handler that acts",
    ),
    (
        stub,
        MODULE,
        "def f():\n    '''Do it.'''\n    raise NotImplementedError\n",
        "1: f is a stub; use an implementation, or leave it out",
    ),
    (
        stub,
        MODULE,
        "def f(): ...\n",
        "1: f is a stub; use an implementation, or leave it out",
    ),
    (
        kernel_float,
        "queuefront/kernel/module.py",
        "def f(price: float) -> int: return 1\n",
        "1: a float in the kernel; use ticks, lots, cash units or ns, as whole numbers",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "from queuefront.room.a import B\n",
        "1: a room without __all__; use a sorted __all__ of its public names",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "from queuefront.room.a import B, c\n__all__ = ['B']\n",
        "2: 'c' is missing from __all__; use its name in __all__, or a leading underscore",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "from queuefront.room.a import B\n__all__ = ['B', 'd']\n",
        "2: 'd' of __all__ is not defined here; use no name that the room does not offer",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "from queuefront.room.a import B, C_D, e\n__all__ = ['B', 'C_D', 'e']\n",
        "2: __all__ is not sorted; use constants, classes, functions, each by name (`ruff --fix`)",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "if TYPE_CHECKING:\n    from queuefront.room.a import B\n__all__ = ['B', 'd']\n",
        "3: 'd' of __all__ is not defined here; use no name that the room does not offer",
    ),
    (
        face,
        "queuefront/room/__init__.py",
        "if TYPE_CHECKING:\n    from queuefront.room.a import B\n__all__ = ['B']\n_HOMES: Final = {'c': ('B',)}\n",
        "4: 'B' has another module for the type checker; use the same module twice",
    ),
    (
        neighbour,
        "queuefront/bot/module.py",
        "from queuefront.feed.tape import Tape\n",
        "1: import of queuefront.feed.tape from the room beside; use queuefront.feed",
    ),
    (
        mirror,
        "queuefront/core/nowhere.py",
        "",
        "1: a module without its test file; use tests/unit/core/test_nowhere.py",
    ),
    (
        orphan,
        "tests/unit/core/test_nowhere.py",
        "",
        "1: a test file of queuefront/core/nowhere.py, which does not exist; use the name of a module",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text", "expected"), VIOLATIONS)
def test_a_planted_violation_is_found(rule: Rule, path: str, text: str, expected: str) -> None:
    assert [str(finding) for finding in check(rule, planted(text, path))] == [f"{path}:{expected}"]


CLEAN: list[tuple[Rule, str, str]] = [
    (ambient, MODULE, "import numpy as np\nx = np.random.default_rng(7).normal()\n"),
    (ambient, "queuefront/core/clock.py", "import time\nt = time.time_ns()\n"),
    (njit, "queuefront/compat/module.py", "from numba import njit\n"),
    (record_attribute, MODULE, "@compiled\ndef f(rows, i):\n    return rows[i]['px'] + rows['px'][i:].size\n"),
    (record_attribute, MODULE, "def f(rows, i):\n    return rows[i].px\n"),
    (printing, "queuefront/cli/module.py", "print(1)\n"),
    (size, MODULE, "def f():\n" + "    x = 1\n" * 69),
    (swallowed, MODULE, "try:\n    f()\nexcept Exception as e:\n    raise ValueError from e\n"),
    (kernel_float, MODULE, "def f(price: float): return price\n"),
    (stub, MODULE, "class A(Protocol):\n    def f(self) -> int: ...\n"),
    (face, "queuefront/room/__init__.py", "from queuefront.room.a import B, C_D, e\n__all__ = ['C_D', 'B', 'e']\n"),
    (neighbour, "queuefront/sim/module.py", "from queuefront.feed.tape import Tape\n"),
    (mirror, "queuefront/core/nowhere_compiled.py", ""),
]


@pytest.mark.parametrize(("rule", "path", "text"), CLEAN)
def test_what_is_allowed_is_not_found(rule: Rule, path: str, text: str) -> None:
    assert list(check(rule, planted(text, path))) == []


def test_an_exception_on_the_line_excuses_its_rule_alone() -> None:
    source = planted("import numpy as np\nx = np.empty(3)  # tidy: allow empty: filled by the next line\n")
    assert list(check(empty, source)) == []
    source = planted("import numpy as np\nx = np.empty(3)  # tidy: allow ambient: filled by the next line\n")
    assert len(list(check(empty, source))) == 1


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# tidy: allow nothing: because", "exception for the unknown rule 'nothing'; use one of empty"),
        ("# tidy: allow empty", "exception for 'empty' without a reason; use `# tidy: allow empty: <reason>`"),
        ("# tidy: allow empty: filled", "exception for 'empty' that excuses nothing; use no comment here"),
    ],
)
def test_a_useless_exception_is_found(comment: str, expected: str) -> None:
    source = planted(f"x = 1  {comment}\n")
    list(check(empty, source))
    assert [str(finding) for finding in exceptions(source, [empty])] == [f"{MODULE}:1: {expected}"]
