"""Print a key that changes whenever compiled code must be built again; used to name `NUMBA_CACHE_DIR`.

Numba compares the time stamp of the file that a cached function stands in. It does not see that a function, constant or
record which it compiled in from another file has changed, and runs the old machine code on. The key is therefore a hash
of every module of ours that compiled code can reach, together with the versions that shape machine code.

Run as a script, before anything is installed; standard library only.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import shutil
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "queuefront"

#: How many older cache folders `--prune` leaves beside the present one; switching branches then costs nothing.
KEPT_COUNT = 3


def compiled_sources(package: Path = PACKAGE) -> list[Path]:
    """Return the modules that use Numba, and every module of ours that those import, in order of path."""
    imports = {path: _imports(path) for path in sorted(package.rglob("*.py"))}
    by_name = {_module_name(path, package): path for path in imports}
    pending = [path for path, names in imports.items() if _uses_numba(names)]
    found = set(pending)
    while pending:
        for name in imports[pending.pop()]:
            target = by_name.get(name) or by_name.get(name.rpartition(".")[0])
            if target is not None and target not in found:
                found.add(target)
                pending.append(target)
    return sorted(found)


def cache_key(package: Path = PACKAGE) -> str:
    """Return sixteen hexadecimal digits for the compiled sources as they stand."""
    digest = hashlib.sha256(sys.version.encode())
    for path in compiled_sources(package):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def prune(folder: Path, key: str) -> None:
    """Remove all but the newest cache folders; the one of `key` and its variants always stay."""
    if not folder.is_dir():
        return
    others = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(key)]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT_COUNT:]:
        shutil.rmtree(path, ignore_errors=True)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module}, (f"{node.module}.{alias.name}" for alias in node.names))
    return names


def _uses_numba(names: set[str]) -> bool:
    return any(name == "queuefront.core.jit" or name.partition(".")[0] == "numba" for name in names)


def _module_name(path: Path, package: Path) -> str:
    parts = (package.name, *path.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> None:
    """Print the key."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--prune", type=Path, metavar="FOLDER", help="remove old cache folders in FOLDER")
    arguments = parser.parse_args()
    key = cache_key()
    if arguments.prune is not None:
        prune(arguments.prune, key)
    print(key)


if __name__ == "__main__":
    main()
