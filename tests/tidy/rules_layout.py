"""House checks of how the package is laid out: faces of rooms, mirrored tests, imports between rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set

from tests.tidy.source import ROOT, Finding, Rule, Source

#: Rooms of one floor see one another through `__init__.py` only.
FLOORS = (
    {"cli", "compat", "dash"},
    {"report", "sweep", "live", "policy", "paper", "collect"},
    {"sim", "kernel", "store", "venues"},
    {"bot", "plane", "book", "feed"},
)

_SCREAMING = re.compile(r"_?[A-Z][A-Z0-9_]*$")


def face(source: Source) -> Iterator[Finding]:
    """A room's `__init__.py` lists what it offers, sorted and complete."""
    parts = source.path.split("/")
    if parts[-1] != "__init__.py" or len(parts) > 3:
        return
    listed = _listed_names(source.tree)
    if listed is None:
        if len(parts) == 3:
            yield source.finding(1, "a room without __all__", "a sorted __all__ of its public names", is_of_file=True)
        return
    line, names = listed
    if names != sorted(names, key=_sort_key):
        yield source.finding(line, "__all__ is not sorted", "constants, classes, functions, each by name (`ruff --fix`)")
    offered = _public_names(source.tree, ".".join(parts[:-1]))
    for name in sorted(offered - set(names)):
        yield source.finding(line, f"{name!r} is missing from __all__", "its name in __all__, or a leading underscore")
    for name in sorted(set(names) - offered - {"__version__"}):
        yield source.finding(line, f"{name!r} of __all__ is not defined here", "no name that the room does not offer")
    for node, name in _wrong_homes(source.tree, ".".join(parts[:-1])):
        yield source.finding(node, f"{name!r} has another module for the type checker", "the same module twice")


def _wrong_homes(tree: ast.Module, room: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield the names that a lazy room loads from elsewhere than its imports for the type checker say."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "_HOMES":
            assert node.value is not None
            homes = {f"{room}.{home}": set(names) for home, names in ast.literal_eval(node.value).items()}
            loaded = {name: home for home, names in homes.items() for name in names}
            told = {
                alias.name: item.module
                for block in tree.body
                if isinstance(block, ast.If)
                for item in block.body
                if isinstance(item, ast.ImportFrom)
                for alias in item.names
            }
            yield from ((node, name) for name in sorted(loaded.keys() | told) if loaded.get(name) != told.get(name))


def _listed_names(tree: ast.Module) -> tuple[int, list[str]] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = node.value
            if isinstance(value, ast.List | ast.Tuple):
                return node.lineno, [str(e.value) for e in value.elts if isinstance(e, ast.Constant)]
    return None


def _public_names(tree: ast.Module, room: str) -> set[str]:
    names: set[str] = set()
    # In a lazy room the imports stand where only the type checker reads them.
    for node in [*tree.body, *(item for block in tree.body if isinstance(block, ast.If) for item in block.body)]:
        if isinstance(node, ast.ImportFrom) and node.module:
            # A module that is imported from the room itself is there for what it registers.
            if node.module.partition(".")[0] == "queuefront" and node.module not in (room, "queuefront.core.lazy"):
                names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def _sort_key(name: str) -> tuple[int, str]:
    """Return the order of `ruff` and isort: constants, classes, the rest."""
    if _SCREAMING.match(name) and len(name) > 1:
        return 0, name
    return (1 if name.lstrip("_")[:1].isupper() else 2), name


def neighbour(source: Source) -> Iterator[Finding]:
    """Rooms of one floor import one another through the public face only."""
    room = _room(source.path.split("/"))
    floor: Set[str] = next((floor for floor in FLOORS if room in floor), set())
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            parts = node.module.split(".")
            if len(parts) > 2 and parts[0] == "queuefront" and parts[1] in floor and parts[1] != room:
                yield source.finding(node, f"import of {node.module} from the room beside", f"queuefront.{parts[1]}")


def _room(parts: list[str]) -> str:
    return parts[1] if len(parts) > 2 else ""


def mirror(source: Source) -> Iterator[Finding]:
    """Each module has its own test file."""
    parts = source.path.split("/")
    if parts[0] != "queuefront" or parts[-1].startswith("_") or parts[-1].endswith("compiled.py"):
        return
    test = "/".join(["tests", "unit", *parts[1:-1], f"test_{parts[-1]}"])
    if not (ROOT / test).is_file():
        yield source.finding(1, "a module without its test file", test, is_of_file=True)


def orphan(source: Source) -> Iterator[Finding]:
    """Each unit test file belongs to a module that exists."""
    parts = source.path.split("/")
    if parts[:2] != ["tests", "unit"] or not parts[-1].startswith("test_"):
        return
    module = "/".join(["queuefront", *parts[2:-1], parts[-1].removeprefix("test_")])
    if not (ROOT / module).is_file():
        yield source.finding(1, f"a test file of {module}, which does not exist", "the name of a module", is_of_file=True)


LAYOUT_RULES: tuple[Rule, ...] = (face, neighbour, mirror)
