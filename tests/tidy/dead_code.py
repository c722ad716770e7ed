"""Code that nothing uses: names that a module defines and that neither the package nor a user can reach (F29)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

#: Names that something else calls by: protocols of Python, of Numba and of the libraries that we hand classes to.
_CALLED_ELSEWHERE = ("__", "_missing_")
_STRICT = ("queuefront/kernel/", "queuefront/store/")


def dead_names(files: Mapping[str, str]) -> list[str]:
    """Return `path:line: name …` of what is defined and used nowhere.

    A name is used where the package reads, imports or accesses it, and public where a room's `__init__.py` lists it. In
    the execution rooms a module's own `__all__` makes nothing alive; elsewhere it may list what is for the module's users.
    """
    trees = {path: ast.parse(text) for path, text in files.items()}
    used: Counter[str] = Counter()
    for path, tree in trees.items():
        used.update(_used(tree, is_face=path.endswith("__init__.py")))
    found = []
    for path, tree in sorted(trees.items()):
        listed = set() if path.startswith(_STRICT) else _listed(tree)
        for name, line in _defined(tree, is_strict=path.startswith(_STRICT)):
            if not used[name] and name not in listed and not name.startswith(_CALLED_ELSEWHERE):
                found.append(f"{path}:{line}: {name} is used nowhere; remove it, or use it")
    return found


def _used(tree: ast.Module, *, is_face: bool) -> Iterator[str]:
    own = {id(constant) for constant in _all_of(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if not is_face)
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (is_face or id(node) not in own):
            # A face lists what is public; elsewhere a text may name what getattr or an overload looks up.
            yield node.value


def _all_of(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            yield from (each for each in ast.walk(node) if isinstance(each, ast.Constant))


def _listed(tree: ast.Module) -> set[object]:
    return {constant.value for constant in _all_of(tree)}


def _defined(tree: ast.Module, *, is_strict: bool) -> Iterator[tuple[str, int]]:
    """Yield functions and classes, the private functions of classes, and in execution rooms constants too.

    A decorator may hand a function to somebody who calls it: a command line, an overload, a callback.
    """
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if is_strict or not node.decorator_list:
                yield node.name, node.lineno
        elif is_strict and isinstance(node, ast.Assign):
            yield from ((t.id, node.lineno) for t in node.targets if isinstance(t, ast.Name))
        elif is_strict and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.lineno
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name.startswith("_"):
                    yield member.name, member.lineno
