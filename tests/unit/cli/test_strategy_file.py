"""Loading a strategy from a file, and giving its parameters their values."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numba import njit

from queuefront.cli.strategy_file import bind_parameters, load_strategy
from queuefront.core import ConfigError, StrategyError
from tests.tidy.source import ROOT


@pytest.fixture(autouse=True)
def _keep_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def strategy_file(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_function_is_found_by_name(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, "def strategy(hbt):\n    return 1\ndef other(hbt):\n    return 2\n")
    assert load_strategy(path)(None) == 1
    assert load_strategy(path, "other")(None) == 2


def test_the_file_can_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("VALUE = 7\n")
    path = strategy_file(tmp_path, "from neighbour_of_mine import VALUE\ndef strategy(hbt):\n    return VALUE\n")
    assert load_strategy(path)(None) == 7


def test_a_file_named_like_a_module_does_not_take_its_place(tmp_path: Path) -> None:
    load_strategy(strategy_file(tmp_path, "def strategy(hbt): return 1\n", "json.py"))
    assert sys.modules["json"].__file__ != str(tmp_path / "json.py")


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_strategy(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("def strategy(hbt):\n  return (\n", "mine.py", "{path}:2: '(' was never closed; mend the line"),
        (
            "import math\nx = 1 / 0\n",
            "mine.py",
            "{path}:2: ZeroDivisionError: division by zero; the file must run by itself",
        ),
        ("x = 1\n", "mine.py", "{path} has no function 'strategy'; define one: def strategy(hbt): …"),
        (
            "def strategie(hbt): ...\n",
            "mine.py",
            "{path} has no function 'strategy'; name one with --function: strategie",
        ),
        ("{}", "mine.json", "{path}: not a Python file; its name must end in .py"),
    ],
)
def test_a_file_that_gives_no_strategy_is_refused(tmp_path: Path, text: str, name: str, message: str) -> None:
    path = strategy_file(tmp_path, text, name)
    with pytest.raises(StrategyError) as caught:
        load_strategy(path)
    assert str(caught.value) == message.format(path=path)


def strategy(hbt, levels=5, spread=0.5, leans=False):  # type: ignore[no-untyped-def]
    return levels


def test_parameters_come_in_order_with_defaults_where_nothing_is_given() -> None:
    assert bind_parameters(strategy, {"spread": 0.25}, "run.toml") == [5, 0.25, False]


def test_a_whole_number_becomes_a_float_where_the_default_is_one() -> None:
    bound = bind_parameters(strategy, {"spread": 1}, "run.toml")
    assert [type(value) for value in bound] == [int, float, bool]


def test_a_compiled_strategy_shows_its_parameters_too() -> None:
    assert bind_parameters(njit(strategy), {"levels": 7}, "run.toml") == [7, 0.5, False]


def takes_all(hbt, *rest):  # type: ignore[no-untyped-def]
    return rest


def wants_one(hbt, size):  # type: ignore[no-untyped-def]
    return size


def takes_none(hbt):  # type: ignore[no-untyped-def]
    return 0


@pytest.mark.parametrize(
    ("function", "values", "message"),
    [
        (strategy, {"level": 1}, "run.toml: strategy.level: no such parameter; did you mean levels?"),
        (takes_none, {"level": 1}, "run.toml: strategy.level: the strategy takes no parameters; remove it"),
        (
            wants_one,
            {},
            "run.toml: strategy.size has no value; add it below [strategy], or --set strategy.size=…",
        ),
        (takes_all, {}, "the strategy takes *rest; give each parameter a name of its own"),
        (strategy, {"levels": 0.5}, "run.toml: strategy.levels = 0.5: expected a whole number, like its default 5"),
        (strategy, {"levels": True}, "run.toml: strategy.levels = true: expected a whole number, like its default 5"),
        (strategy, {"spread": True}, "run.toml: strategy.spread = true: expected a number, like its default 0.5"),
        (strategy, {"leans": 1}, "run.toml: strategy.leans = 1: expected true or false, like its default false"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(function: Callable[..., Any], values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bind_parameters(function, values, "run.toml")
    assert str(caught.value) == message


def test_a_parameter_without_default_takes_any_number() -> None:
    assert bind_parameters(wants_one, {"size": 3}, "run.toml") == [3]


@pytest.mark.slow
def test_code_that_numba_cached_is_loaded_under_every_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from numba import njit\n\n@njit(cache=True)\ndef half(x):\n    return x // 2\n\n"
        "@njit(cache=True)\ndef strategy(x):\n    return half(x)\n"
    )
    loads = (
        "from pathlib import Path\nfrom queuefront.cli.strategy_file import load_strategy as l\nf = l(Path('mine.py'))\n"
    )
    shows = "print(f(8), sum(f.stats.cache_hits.values()))"
    programs = [loads + shows, "from mine import strategy as f\n" + shows]
    paths = f"{tmp_path}{os.pathsep}{ROOT}"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": paths}
    outputs = [
        subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, env=environment, text=True, timeout=120)
        for program in programs
    ]
    assert outputs == ["4 0\n", "4 1\n"]
