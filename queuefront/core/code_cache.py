"""How cached machine code is found and loaded: Numba's own cache, without what a load does not need.

Seven things made up most of a start, and none of them is needed to run code that is compiled already:

- Before each load Numba makes ready to compile: it imports and registers all that it knows of Python and NumPy, 130 ms the
  first time. Loaded code needs Numba's run-time alone, so that is what is made ready; the compiler does the rest itself
  where it is needed.
- For each function Numba writes a file to see that it may; here once for each folder.
- For each function Numba works out where its files are; here for those that are called.
- Code calls the entries of the engine by name, and the linker wants every name that it meets. Here an entry is loaded when
  code that names it is.
- With its machine code a function brings a form of it that other functions may be compiled with. Numba reads it and looks
  through all its names; here that waits until something is compiled with it.
- A function names the modules of all that was compiled into it, and Numba imports them, its own for arrays included. They
  lend their globals to functions that keep Python objects, and only to those; here the others are not named.
- Numba compiles the functions that count references at each start. Loaded code has them in it, so that they, too, wait.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import llvmlite.binding as llvm
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.environment import Environment
from numba.core.runtime import nrtdynmod, rtsys

__all__ = ["cache_quickly", "load_quickly", "provide", "release_gil"]

#: Of Numba's hash of strings, which the loaded code of a few functions names.
_HASH_SECRET: Final = b"_numba_hashsecret"

#: In the table of names of an object file.
_SYMBOL: Final = re.compile(rb"queuefront\.[^\0]+")

_providers: Final[dict[bytes, Callable[[], object]]] = {}
_writable: Final[set[str]] = set()


def provide(symbol: str, load: Callable[[], object]) -> None:
    """Have `load` make a symbol known to the linker when code is loaded that names it.

    The symbol begins with `queuefront.`. Code that names it must not be loaded before it was provided.
    """
    assert _SYMBOL.fullmatch(symbol.encode()), symbol
    _providers[symbol.encode()] = load


def cache_quickly(dispatcher: Any) -> None:
    """Let a compiled function keep its machine code in the files where Numba keeps it, and load it quickly."""
    dispatcher._cache = _QuickCache(dispatcher.py_func)  # noqa: SLF001 - Numba offers no other way


def load_quickly(function: Any) -> None:
    """Let a function of a user load its machine code quickly, if it is compiled and cached."""
    if type(getattr(function, "_cache", None)) is FunctionCache:
        cache_quickly(function)


def release_gil(function: Any) -> bool:
    """Let other Python threads run on while a function of a user does; return whether they may.

    They may not where Python itself runs the function, where it starts threads of its own, and where it was compiled before
    it came here.
    """
    options = getattr(function, "targetoptions", None)
    if options is None or options.get("parallel"):
        return False
    if not options.get("nogil"):
        if function.overloads:
            return False
        options["nogil"] = True
        load_quickly(function)
        if type(function._cache) is _QuickCache:  # noqa: SLF001 - Numba offers no other way
            function._cache.is_nogil = True  # noqa: SLF001
    return True


class _CheckedOnce:
    """A place for cached code that is written to only once to see that it can be."""

    def ensure_cache_path(self) -> None:
        path = self.get_cache_path()  # type: ignore[attr-defined]
        if path not in _writable or not Path(path).is_dir():
            super().ensure_cache_path()  # type: ignore[misc]
            _writable.add(path)


class _QuickImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes: Final = [
        type(place.__name__, (_CheckedOnce, place), {})
        for place in CompileResultCacheImpl._locator_classes  # noqa: SLF001
    ]

    def reduce(self, data: Any) -> tuple[Any, ...]:
        """Return what is written of a compiled function; Numba's method, without environments that hold nothing."""
        *others, environments = super().reduce(data)
        assert all(isinstance(environment, Environment) for environment in environments), environments
        return (*others, [environment for environment in environments if environment.consts])


def _stamp_of(py_func: Any) -> tuple[float, int] | None:
    """Return when the source of a function was written, and its size; None where it stands in no file."""
    try:
        state = os.stat(py_func.__code__.co_filename)  # noqa: PTH116 - for hundreds of functions
    except OSError:
        return None
    return state.st_mtime, state.st_size


class _QuickCache(FunctionCache):  # type: ignore[misc]
    _impl_class = _QuickImpl
    is_nogil = False

    def __init__(self, py_func: Any) -> None:
        self._py_func = py_func
        self._stamp = _stamp_of(py_func)

    def __getattr__(self, name: str) -> Any:
        """Look for the files when the first of them is asked for: most functions of an import are never called."""
        if name.startswith("__") or "_cache_file" in vars(self):
            raise AttributeError(name)
        super().__init__(self._py_func)
        if self._stamp != _stamp_of(self._py_func):
            # The source was edited since it was imported: what is compiled of it must not pass for the edited one's.
            self._cache_file._source_stamp = self._stamp  # noqa: SLF001 - Numba offers no other way
        return getattr(self, name)

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        """Return what machine code is found by; Numba's method, but for code whose source does not say what it was told."""
        key: tuple[Any, ...] = super()._index_key(sig, codegen)
        return (*key, "nogil") if self.is_nogil else key

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the loaded code for a signature, None where there is none; Numba's method, but for what it prepares."""
        _initialize_runtime(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


class _WaitingRuntime(type(rtsys)):  # type: ignore[misc]
    """Numba's run-time, whose functions for the compiler are compiled when the compiler asks for them."""

    _context: Any = None
    _library: Any

    @property
    def library(self) -> Any:
        if self._init and self._library is None:
            self._library = nrtdynmod.compile_nrt_functions(self._context)
        return super().library


def _initialize_runtime(target_context: Any) -> None:
    if rtsys._init:  # noqa: SLF001 - Numba offers no other way, nor below
        return
    compile_functions = nrtdynmod.compile_nrt_functions
    nrtdynmod.compile_nrt_functions = lambda _: None
    try:
        rtsys.initialize(target_context)
    finally:
        nrtdynmod.compile_nrt_functions = compile_functions
    rtsys._context = target_context  # noqa: SLF001


rtsys.__class__ = _WaitingRuntime


_rebuild: Final = CompileResultCacheImpl.rebuild


def _rebuild_linked(self: Any, target_context: Any, payload: Any) -> Any:
    """Load code after what it names; for all of Numba's cached functions, as any of them may take a backtest."""
    (name, kind, (code, linkable)), fndesc = payload[:2]
    assert kind == "object", kind
    if _HASH_SECRET in code:
        from numba.cpython import hashing  # noqa: F401 - tells the linker
    for symbol in _SYMBOL.findall(code):
        load = _providers.pop(symbol, None)
        if load is not None:
            load()
    if not isinstance(self, _QuickImpl):
        return _rebuild(self, target_context, payload)
    names = (fndesc.llvm_func_name, fndesc.llvm_cpython_wrapper_name, fndesc.llvm_cfunc_wrapper_name)
    # Numba asks which of them there are before it looks for their addresses.
    engine = target_context.codegen()._engine  # noqa: SLF001
    engine._defined_symbols |= {n for n in names if n.encode() + b"\0" in code}  # noqa: SLF001
    result = _rebuild(self, target_context, ((name, kind, (code, _nothing_linkable())), *payload[1:]))
    _defer_linkable(result.library, linkable)
    return result


def _defer_linkable(library: Any, bitcode: bytes) -> None:
    """Let a library read what others may be compiled with when it is asked for."""

    def module_for_linking() -> Any:
        del library._get_module_for_linking  # noqa: SLF001 - the method behind it
        library._shared_module = llvm.parse_bitcode(bitcode)  # noqa: SLF001
        return library._shared_module  # noqa: SLF001

    library._shared_module = None  # noqa: SLF001
    library._get_module_for_linking = module_for_linking  # noqa: SLF001


@cache
def _nothing_linkable() -> bytes:
    return llvm.parse_assembly("").as_bitcode()  # type: ignore[no-any-return]


CompileResultCacheImpl.rebuild = _rebuild_linked
