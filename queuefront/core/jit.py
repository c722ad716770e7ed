"""The one way to compile a function in Queuefront.

``compiled`` caches on disk, divides like IEEE 754 and never reorders floating point. Set ``NUMBA_DISABLE_JIT=1`` to run
the same source interpreted, or ``NUMBA_BOUNDSCHECK=1`` (with a ``NUMBA_CACHE_DIR`` of its own: cached code keeps the
checks it was built with) to run it bounds-checked. All three give the same results.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from types import FunctionType, ModuleType
from typing import Any

from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from queuefront.core.clock import processor_time_us
from queuefront.core.code_cache import cache_quickly

__all__ = [
    "IS_INTERPRETED",
    "borrowing",
    "compiled",
    "internal",
    "nameless",
    "prefetch",
    "processor_us",
    "uncached",
    "viewing",
]

#: True where ``NUMBA_DISABLE_JIT`` asks for plain Python.
IS_INTERPRETED: bool = bool(config.DISABLE_JIT)


def compiled(function: Callable[..., Any] | None = None, *, nogil: bool = False) -> Any:
    """Decorate every compiled function.

    nogil : other Python threads run on while the function does.
    """
    if function is None:
        return partial(compiled, nogil=nogil)
    return _cached(function, _nrt=True, nogil=nogil)


def _cached(function: Callable[..., Any], **options: Any) -> Any:
    # Numba asks for it twice a function, and a backtest imports hundreds.
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    dispatcher = njit(error_model="numpy", **options)(function)
    if not IS_INTERPRETED:
        cache_quickly(dispatcher)
    return dispatcher


if IS_INTERPRETED:

    def processor_us() -> int:
        """Return the processor time of this process, microseconds."""
        return processor_time_us()
else:
    _clock = types.ExternalFunction("clock", types.int64())  # of the C library; in microseconds on POSIX systems

    @njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[untyped-decorator]
    def processor_us() -> int:
        """Return the processor time of this process, microseconds."""
        return _clock()  # type: ignore[no-any-return]


if IS_INTERPRETED:

    def prefetch(array: Any, index: int) -> None:  # tidy: allow stub: interpreted code has nobody to hint to
        """Let the processor fetch an element that will be read soon; a hint, without any effect on results."""
else:

    @intrinsic  # type: ignore[untyped-decorator]
    def prefetch(_context: Any, array: Any, _index: Any) -> Any:
        """Let the processor fetch an element that will be read soon; a hint, without any effect on results.

        Replays leap from row to row, where the processor cannot guess the next one and each column costs a wait for memory.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array_type = signature.args[0]
            view = context.make_array(array_type)(context, builder, args[0])
            place = cgutils.get_item_pointer(context, builder, array_type, view, [args[1]])
            byte = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [byte, *[ir.IntType(32)] * 3])
            function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            # To be read (0), kept in all caches (3), data (1).
            constants = [ir.Constant(ir.IntType(32), n) for n in (0, 3, 1)]
            builder.call(function, [builder.bitcast(place, byte), *constants])
            return context.get_dummy_value()

        return types.void(array, types.int64), build


uncached: Any = partial(njit, error_model="numpy")
"""Decorator of functions that are made while the program runs and belong to no file."""


def _inside(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator for functions that only compiled code calls; a call from Python raises TypeError."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = _cached(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)
        if not IS_INTERPRETED:

            def refuse(*_args: Any, **_kwargs: Any) -> Any:
                raise TypeError(f"{function.__name__} is called by compiled code only; use it inside an @njit function")

            # There is no machine code that Python could enter, so Python must not find any.
            dispatcher._insert = lambda *_args: None  # noqa: SLF001 - Numba offers no other way
            dispatcher._compile_for_args = refuse  # noqa: SLF001
        return dispatcher

    return decorate


internal = _inside(_nrt=True)
"""Like `compiled`, for functions that only compiled code calls: without a way in from Python they compile faster."""

borrowing = _inside(_nrt=False)
"""Like `internal`, for functions that neither allocate nor keep what they are given; most of the engine.

Without Numba's run-time no references are counted, which is most of what handling arrays costs. What a function borrows
must outlive it: a function that replaces an array of a struct (they are called ``_grow…``) may only be called where no view
of the old one is used afterwards. One that allocates does not compile as borrowing.
"""


def viewing(function: Callable[..., Any]) -> Any:
    """Like `compiled`, for methods of what a strategy sees that neither allocate nor return anything that is counted.

    Python calls the function; compiled strategies get its borrowing twin, `inside`.
    """
    dispatcher = compiled(function)
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, None, function.__closure__)
    # Numba keeps machine code on disk by this name; the two must not find each other's.
    twin.__qualname__ = f"{function.__qualname__}.inside"
    twin.__module__, twin.__doc__ = function.__module__, function.__doc__
    dispatcher.inside = borrowing(twin)
    return dispatcher


def nameless(module: ModuleType) -> None:
    """Let code of this module that Numba caches be loaded under any name of the module, and in any program.

    Cached code imports the module that it was compiled in, by name, although it needs nothing from it. A strategy's
    file has one name when a script imports it and another when `qf` loads it; `__main__` is there in every process.
    """
    for value in vars(module).values():
        function = getattr(value, "py_func", None)
        if function is not None and function.__module__ == module.__name__:
            function.__module__ = "__main__"
