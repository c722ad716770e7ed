"""The cache folder's name changes with everything that compiled code can reach, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cache_key import KEPT_COUNT, cache_key, compiled_sources, prune


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in which `loop_compiled` calls `leaf`, which takes a constant of `enums`; `face` compiles nothing."""
    files = {
        "room/loop_compiled.py": "from queuefront.core.jit import compiled\nfrom queuefront.room.leaf import f\n",
        "room/leaf.py": "from queuefront.core.enums import BUY\n",
        "core/enums.py": "BUY = 1\n",
        "core/jit.py": "import numba\n",
        "room/face.py": "from queuefront.room.loop_compiled import g\n",
    }
    root = tmp_path / "queuefront"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_compiled_sources_are_what_compiled_code_reaches(package: Path) -> None:
    names = [path.relative_to(package).as_posix() for path in compiled_sources(package)]
    assert names == ["core/enums.py", "core/jit.py", "room/leaf.py", "room/loop_compiled.py"]


@pytest.mark.parametrize("name", ["core/enums.py", "core/jit.py", "room/leaf.py", "room/loop_compiled.py"])
def test_an_edit_of_a_compiled_source_changes_the_key(package: Path, name: str) -> None:
    before = cache_key(package)
    with (package / name).open("a") as file:
        file.write("x = 1\n")
    assert cache_key(package) != before


def test_an_edit_of_another_module_keeps_the_key(package: Path) -> None:
    before = cache_key(package)
    (package / "room" / "face.py").write_text("x = 1\n")
    assert cache_key(package) == before


def test_old_folders_are_removed_and_the_present_one_stays(tmp_path: Path) -> None:
    for i in range(KEPT_COUNT + 2):
        (tmp_path / f"old{i}").mkdir()
    for name in ("key", "key-checked"):
        (tmp_path / name).mkdir()
    prune(tmp_path, "key")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left[:2] == ["key", "key-checked"]
    assert len(left) == KEPT_COUNT + 2


def test_no_folder_is_nothing_to_prune(tmp_path: Path) -> None:
    prune(tmp_path / "none", "key")
