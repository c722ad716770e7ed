"""Strategies as files: load the function, and give its parameters their values."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from queuefront.cli.refusal import nearest, show
from queuefront.core import ConfigError, StrategyError

__all__ = ["bind_parameters", "describe_failure", "load_module", "load_strategy"]

Scalar = bool | int | float


def load_strategy(path: Path, function_name: str = "strategy") -> Callable[..., Any]:
    """Return the strategy function of a Python file.

    The file's folder is searched for its imports first, as when Python runs the file itself.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StrategyError
        If the file does not run, or has no such function.
    """
    module = load_module(path, f"_strategy_{path.stem}")
    function = getattr(module, function_name, None)
    if not callable(function):
        own = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        raise StrategyError(f"{path} has no function {function_name!r}; {_hint(function_name, own)}")
    return function  # type: ignore[no-any-return]


def load_module(path: Path, name: str) -> ModuleType:
    """Run a Python file and return its module, which others find under the name.

    name : one that no other module has, so that random.py does not stand in the way of the standard library's.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StrategyError
        If the file does not run.
    """
    from queuefront.core.jit import nameless

    path.stat()
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{path}: not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as e:
        raise StrategyError(f"{e.filename}:{e.lineno}: {e.msg}; mend the line") from e
    except Exception as e:
        raise StrategyError(f"{_place_in(path, e)}: {type(e).__name__}: {e}; the file must run by itself") from e
    nameless(module)
    return module


def _hint(name: str, own: list[str]) -> str:
    if not own:
        return f"define one: def {name}(hbt): …"
    return f"name one with --function: {', '.join(own)}"


def _place_in(path: Path, error: BaseException) -> str:
    """Return `path:line` of the last frame in the file, or the path alone where the error came from elsewhere."""
    frames = traceback.extract_tb(error.__traceback__)
    own = path.resolve()
    return next(
        (f"{path}:{frame.lineno}" for frame in reversed(frames) if Path(frame.filename).resolve() == own), str(path)
    )


def describe_failure(path: Path, error: StrategyError) -> str:
    """Return in one line where and why a strategy failed: when it was compiled, or while it ran."""
    cause = error.__cause__
    if cause is None:
        return str(error)
    if not type(cause).__module__.startswith("numba."):
        return f"{_place_in(path, cause)}: {type(cause).__name__}: {cause}"
    lines = [line for line in str(cause).splitlines() if line.strip() and not line.startswith("Failed in ")]
    # Numba names a struct by its class and a hash of its fields; the class says enough.
    what = re.sub(r"(?:numba\.)?\b(\w+?)Type\(\w*\)?.*", r"\1", lines[0]) if lines else type(cause).__name__
    places = re.findall(rf'File "(?:[^"]*/)?{re.escape(path.name)}", line (\d+)', str(cause))
    place = f"{path}:{places[0]}" if places else str(path)
    return f"{place}: does not compile: {what}; --traceback shows Numba's whole message"


def bind_parameters(function: Callable[..., Any], values: Mapping[str, Scalar], source: str) -> list[Scalar]:
    """Return the values of all parameters after the first, in order; defaults stand where `values` has none.

    A whole number for a parameter whose default has a point becomes a float, so that a strategy compiles once and not once
    a spelling.

    Raises
    ------
    ConfigError
        For an unknown parameter, one without value or default, or a value of another kind than the default.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    known = [parameter.name for parameter in parameters]
    for name in values:
        if not known:
            raise ConfigError(f"{source}: strategy.{name}: the strategy takes no parameters; remove it")
        if name not in known:
            raise ConfigError(f"{source}: strategy.{name}: no such parameter; {nearest(name, known)}")
    return [_value(parameter, values, source) for parameter in parameters]


def _value(parameter: inspect.Parameter, values: Mapping[str, Scalar], source: str) -> Scalar:
    name, default = parameter.name, parameter.default
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise ConfigError(f"the strategy takes *{name}; give each parameter a name of its own")
    if name not in values:
        if default is parameter.empty:
            raise ConfigError(
                f"{source}: strategy.{name} has no value; add it below [strategy], or --set strategy.{name}=…"
            )
        return default  # type: ignore[no-any-return]
    value = values[name]
    if default is parameter.empty or default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, bool | int | float):
        kind = {bool: "true or false", int: "a whole number"}.get(type(default), "a number")
        raise ConfigError(f"{source}: strategy.{name} = {show(value)}: expected {kind}, like its default {show(default)}")
    return value
