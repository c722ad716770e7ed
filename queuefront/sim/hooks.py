"""Where models stand in the engine: functions that an asset carries as part of its type.

The engine asks its asset, `a.models.queue_trade(a, order, qty)`, and the type of `a.models` says which compiled function
that is. Built-in models and a user's own stand behind the same calls, so neither is faster for where it stands. Assets with
the built-in models share one machine code; each combination of own models has one of its own, cached on disk like any
other, under a digest of the functions' code and of everything that they use.
"""

from __future__ import annotations

import sys
import types as python_types
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numba import types
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox

from queuefront.bot import bind_variants
from queuefront.core.jit import IS_INTERPRETED
from queuefront.sim.builtin_compiled import BUILTIN

__all__ = ["HOOKS", "ModelFunctions", "code_digest"]

HOOKS: Final = tuple(sorted(BUILTIN))
"""What an asset is asked: the names of the functions in `builtin_compiled`."""

_KNOWN_PACKAGES: Final = {"numba", "numpy"} | sys.stdlib_module_names  # what they hold does not change as we work


class ModelFunctions:
    """The functions of one asset's models, by the name of the hook; what is not given is built in.

    In interpreted code the functions are its attributes.
    """

    def __init__(self, own: Mapping[str, Callable[..., Any]] | None = None) -> None:
        own = own or {}
        self.functions = {**BUILTIN, **own}
        self.key = _key(own)
        if IS_INTERPRETED:
            vars(self).update(self.functions)


class ModelsType(types.Type):  # type: ignore[misc]
    """Numba type of `ModelFunctions`: no data, all in the type.

    It holds the key alone and finds the functions by it. Numba writes the types of all that it compiled into the index of a
    folder's cache: with the functions in it, no process that lacks a user's module could read the index again.
    """

    def __init__(self, key: str) -> None:
        self.models = key
        super().__init__(name=f"Models({key})")

    @property
    def functions(self) -> Mapping[str, Any]:
        """The functions by the name of the hook; of the models that this process has made."""
        return _FUNCTIONS[self.models]


_FUNCTIONS: Final[dict[str, Mapping[str, Any]]] = {}


if not IS_INTERPRETED:
    register_model(ModelsType)(models.OpaqueModel)

    @typeof_impl.register(ModelFunctions)  # type: ignore[untyped-decorator]
    def _type_of(value: ModelFunctions, _context: Any) -> Any:
        _FUNCTIONS.setdefault(value.key, value.functions)
        return ModelsType(value.key)

    @unbox(ModelsType)  # type: ignore[untyped-decorator]
    def _unbox(_typ: Any, _value: Any, c: Any) -> NativeValue:
        return NativeValue(c.context.get_dummy_value())

    for _name in HOOKS:
        bind_variants(ModelsType, _name)


def _key(own: Mapping[str, Callable[..., Any]]) -> str:
    if not own:
        return "built in"
    digest = blake2b(digest_size=8)
    for name in sorted(own):
        digest.update(f"{name} {own[name].__dict__.get('digest') or code_digest(own[name])} ".encode())
    return digest.hexdigest()


def code_digest(function: Any) -> str:
    """Return a hash of a function's code and of every function and constant that it uses."""
    digest = blake2b(digest_size=16)
    _add(digest, function, set())
    return digest.hexdigest()


def _add(digest: Any, value: Any, seen: set[int], names: Iterable[str] = ()) -> None:
    """Add a value to a hash. names : of everything that the code around it mentions, attributes included."""
    value = getattr(value, "py_func", value)
    if isinstance(value, python_types.FunctionType):
        if id(value) not in seen:
            seen.add(id(value))
            _add_function(digest, value, seen)
    elif isinstance(value, np.ndarray):
        digest.update(value.dtype.str.encode() + repr(value.shape).encode() + value.tobytes())
    elif isinstance(value, python_types.ModuleType):
        digest.update(value.__name__.encode())
        if value.__name__.partition(".")[0] not in _KNOWN_PACKAGES and id(value) not in seen:
            seen.add(id(value))
            for name in sorted(set(names) & vars(value).keys()):
                digest.update(name.encode())
                _add(digest, vars(value)[name], seen, names)
    else:
        digest.update(repr(value).encode())


def _add_function(digest: Any, function: python_types.FunctionType, seen: set[int]) -> None:
    digest.update(function.__qualname__.encode())
    _add_code(digest, function.__code__)
    for default in (*(function.__defaults__ or ()), *sorted((function.__kwdefaults__ or {}).items())):
        _add(digest, default, seen)
    cells = function.__closure__ or ()
    used = {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, cells, strict=True)}
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    used |= {name: function.__globals__[name] for name in names if name in function.__globals__}
    for name in sorted(used):
        digest.update(name.encode())
        _add(digest, used[name], seen, names)


def _add_code(digest: Any, code: python_types.CodeType) -> None:
    for part in _codes(code):
        digest.update(part.co_code)
        digest.update(repr([c for c in part.co_consts if not isinstance(c, python_types.CodeType)]).encode())
        digest.update(repr(part.co_names).encode())


def _codes(code: python_types.CodeType) -> list[python_types.CodeType]:
    inner = [c for constant in code.co_consts if isinstance(constant, python_types.CodeType) for c in _codes(constant)]
    return [code, *inner]
