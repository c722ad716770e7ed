"""House checks of single files: what a line of the package may not say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from tests.tidy.source import Finding, Rule, Source, dotted, full_name, functions, imported_names

MODULE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

CLOCK = "queuefront/core/clock.py"
JIT = "queuefront/core/jit.py"

_AMBIENT_CALLS = {
    "time.time", "time.time_ns", "time.perf_counter", "time.perf_counter_ns", "time.monotonic", "time.monotonic_ns",
    "time.process_time", "time.sleep", "time.localtime", "time.gmtime", "datetime.datetime.now", "datetime.datetime.utcnow",
    "datetime.datetime.today", "datetime.date.today", "os.urandom", "os.getrandom",
}  # fmt: skip
_AMBIENT_MODULES = ("random", "secrets", "uuid")
#: What makes a generator of its own from a seed; anything else of numpy.random draws from hidden, shared state.
_SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64", "PCG64DXSM", "Philox", "SFC64", "BitGenerator"}

_COMPILERS = {"njit", "jit", "vectorize", "guvectorize", "generated_jit", "stencil", "cfunc", "prange"}
_COMPILING_DECORATORS = {"compiled", "internal", "borrowing", "leaf", "njit", "jit"}

_EMPTY = {"numpy.empty", "numpy.empty_like", "numpy.ndarray"}


def ambient(source: Source) -> Iterator[Finding]:
    """Time and randomness come from one module, or from a seed."""
    if source.path == CLOCK:
        return
    names = imported_names(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        name = full_name(node, names)
        if name in _AMBIENT_CALLS:
            yield source.finding(node, f"ambient {name}", "queuefront.core.clock, or a value handed in")
        elif name.startswith(tuple(f"{module}." for module in _AMBIENT_MODULES)) and "." in dotted(node):
            yield source.finding(node, f"ambient {name}", "a generator handed in, made from a seed")
        elif name.startswith("numpy.random.") and name.removeprefix("numpy.random.").partition(".")[0] not in _SEEDED:
            yield source.finding(node, f"hidden state of {name}", "numpy.random.default_rng(seed)")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module in _AMBIENT_MODULES:
            yield source.finding(node, f"import from {node.module}", "a generator handed in, made from a seed")
        elif isinstance(node, ast.Call) and full_name(node.func, names) == "numpy.random.default_rng" and not node.args:
            yield source.finding(node, "numpy.random.default_rng without a seed", "numpy.random.default_rng(seed)")


def njit(source: Source) -> Iterator[Finding]:
    """One decorator compiles, so that policy has one line to change."""
    if source.path == JIT or source.path.startswith("queuefront/compat/"):
        return
    names = imported_names(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("numba", "numba.experimental"):
            for alias in node.names:
                if alias.name in _COMPILERS or alias.name == "jitclass":
                    yield source.finding(node, f"numba.{alias.name}", "a decorator of queuefront.core.jit")
        elif isinstance(node, ast.Attribute):
            name = full_name(node, names)
            if name.startswith("numba.") and name.removeprefix("numba.") in _COMPILERS:
                yield source.finding(node, f"bare {name}", "a decorator of queuefront.core.jit")
        elif isinstance(node, ast.keyword) and node.arg in ("fastmath", "parallel"):
            yield source.finding(node.value, f"{node.arg}=", "neither: results must be the same everywhere")


def empty(source: Source) -> Iterator[Finding]:
    """Memory is zeroed or filled when it is made (H3.25)."""
    names = imported_names(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and full_name(node.func, names) in _EMPTY:
            yield source.finding(
                node, f"uninitialised memory by {dotted(node.func)}", "np.zeros or np.full, or fill it here and say so"
            )


def record_attribute(source: Source) -> Iterator[Finding]:
    """Compiled code reads records by name in brackets, which also works interpreted."""
    fields = _record_fields()
    for function in functions(source.tree):
        if not any(_decorator(d) in _COMPILING_DECORATORS for d in function.decorator_list):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute):
                continue
            is_element = isinstance(node.value, ast.Subscript)
            is_row = isinstance(node.value, ast.Name) and node.value.id in _ROW_NAMES
            if node.attr in fields and (is_element or is_row):
                text = ast.unparse(node.value)
                yield source.finding(node, f"record attribute {text}.{node.attr}", f'{text}["{node.attr}"]')


#: What records are called here when they stand alone; other names may be objects that really have attributes.
_ROW_NAMES = {"row", "record", "event", "order", "message", "fill", "change", "sample", "state", "book", "account"}


@lru_cache(maxsize=1)
def _record_fields() -> frozenset[str]:
    from queuefront.core.dtypes import REGISTRY

    return frozenset(name for dtype in REGISTRY.values() for name in dtype.names or ())


def _decorator(node: ast.expr) -> str:
    return dotted(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


def printing(source: Source) -> Iterator[Finding]:
    """Only the command line talks to the terminal."""
    if source.path.startswith("queuefront/cli/"):
        return
    names = imported_names(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = full_name(node.func, names)
        if name in ("print", "builtins.print", "rich.print", "sys.stdout.write", "sys.stderr.write"):
            yield source.finding(node, f"{name} outside cli", "a return value, a warning or logging")


def size(source: Source) -> Iterator[Finding]:
    """A module is one idea, a function fits on a screen."""
    if len(source.lines) > MODULE_LINES_MAX:
        yield source.finding(
            1, f"{len(source.lines)} lines; the limit is {MODULE_LINES_MAX}", "two modules, one idea each", is_of_file=True
        )
    for function in functions(source.tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield source.finding(
                function, f"{function.name} has {length} lines; the limit is {FUNCTION_LINES_MAX}", "leaves and one driver"
            )


def swallowed(source: Source) -> Iterator[Finding]:
    """A handler for everything raises again, and no handler hides what happened."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        is_broad = any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in kinds)
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        if is_broad and not raises:
            yield source.finding(node, "a handler for everything that does not raise again", "the errors you can mend")
        elif all(isinstance(inner, ast.Pass) for inner in node.body):
            yield source.finding(node, "an error passed over", "contextlib.suppress and why, or a handler that acts")


def stub(source: Source) -> Iterator[Finding]:
    """Nothing public is unfinished (H1.7)."""
    for function in functions(source.tree):
        body = [node for node in function.body if not _is_docstring(node)]
        names = {_decorator(d) for d in function.decorator_list}
        is_private = function.name.startswith("_")
        if is_private or names & {"abstractmethod", "overload"} or _is_protocol_member(source, function):
            continue
        is_hollow = all(isinstance(node, ast.Pass) or _is_ellipsis(node) for node in body)
        refuses = any(isinstance(node, ast.Raise) and "NotImplemented" in ast.unparse(node) for node in body)
        if is_hollow or refuses:
            yield source.finding(function, f"{function.name} is a stub", "an implementation, or leave it out")


def _is_protocol_member(source: Source, function: ast.AST) -> bool:
    classes = (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef) and function in node.body)
    return any(dotted(base).endswith("Protocol") for node in classes for base in node.bases)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def kernel_float(source: Source) -> Iterator[Finding]:
    """Prices, lots and cash of the execution kernel are integers: the word float has no place there."""
    if not source.path.startswith("queuefront/kernel/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "float":
            yield source.finding(node, "a float in the kernel", "ticks, lots, cash units or ns, as whole numbers")


CODE_RULES: tuple[Rule, ...] = (ambient, njit, empty, record_attribute, printing, size, swallowed, stub, kernel_float)
