"""How cached machine code is found and loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from queuefront.core.code_cache import provide
from queuefront.core.jit import IS_INTERPRETED

pytestmark = pytest.mark.skipif(IS_INTERPRETED, reason="interpreted code has no cache")

MODULE = """
import sys
import numpy as np
from numba import njit
from queuefront.core.code_cache import load_quickly
from queuefront.core.jit import compiled

@compiled
def total(values):
    out = 0.0
    for value in values:
        out += value
    if out < 0:
        raise ValueError("negative")
    return out

@compiled
def doubled(values):
    out = np.zeros(len(values))
    for i in range(len(values)):
        out[i] = 2 * values[i]
    return out

@njit(cache=True)
def hash_of(text):
    return hash(text)

load_quickly(hash_of)
"""

#: Numba has made ready to compile when it has imported this.
READY = "numba.np.linalg"


def run(folder: Path, program: str, module: str = MODULE) -> str:
    """Run a program in a process of its own, with a cache of its own, and return what it prints."""
    source = folder / "mine.py"
    if not source.exists() or source.read_text(encoding="utf-8") != module:
        source.write_text(module, encoding="utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    command = [sys.executable, "-c", f"import sys, numpy as np\nfrom mine import *\n{program}"]
    return subprocess.run(
        command, check=True, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def test_what_is_compiled_already_loads_without_making_numba_ready_to_compile(tmp_path: Path) -> None:
    program = f"print(total(np.ones(3)), {READY!r} in sys.modules, dict(total.stats.cache_hits))"
    assert run(tmp_path, program).startswith("3.0 True {}")
    loaded = run(tmp_path, program)
    assert loaded.startswith("3.0 False"), loaded
    assert loaded.endswith(": 1}"), loaded


def test_what_was_compiled_into_a_function_is_not_imported_to_load_it(tmp_path: Path) -> None:
    program = "print(doubled(np.ones(2)), 'numba.np.arrayobj' in sys.modules)"
    assert [run(tmp_path, program) for _ in range(2)] == ["[2. 2.] True", "[2. 2.] False"]


def test_the_runtime_is_compiled_only_for_the_compiler(tmp_path: Path) -> None:
    program = """from numba.core.runtime import rtsys
doubled(np.ones(2))
waits, count = rtsys._library is None, rtsys.meminfo_alloc(8).refcount
njit(lambda n: np.ones(n))(3)
print(waits, count, rtsys._library is None)"""
    assert [run(tmp_path, program) for _ in range(2)] == ["False 1 False", "True 1 False"]


def test_loaded_code_raises_as_it_did(tmp_path: Path) -> None:
    program = "try:\n    total(-np.ones(3))\nexcept ValueError as e:\n    print(e)"
    assert [run(tmp_path, program) for _ in range(2)] == ["negative", "negative"]


def test_another_function_can_be_compiled_with_one_that_was_loaded(tmp_path: Path) -> None:
    program = """total(np.ones(3))
@njit
def twice(values):
    return 2 * total(values)
print(twice(np.ones(3)), len(total.stats.cache_hits))"""
    assert [run(tmp_path, program) for _ in range(2)] == ["6.0 0", "6.0 1"]


def test_loaded_code_that_hashes_text_finds_what_it_hashes_with(tmp_path: Path) -> None:
    program = "import os\nprint(hash_of('queue') == hash('queue'), len(hash_of.stats.cache_hits))"
    assert [run(tmp_path, program) for _ in range(2)] == ["True 0", "True 1"]


def test_a_folder_that_cannot_be_written_to_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where the folder should be", encoding="utf-8")
    program = "print(total(np.ones(3)))"
    assert run(tmp_path, program) == "3.0"  # Numba keeps the code beside the source instead
    assert list((tmp_path / "__pycache__").glob("mine.total-*.nbi"))


def test_what_was_edited_after_its_import_is_compiled_anew(tmp_path: Path) -> None:
    # Of another length: what Python keeps of a source is told from it by seconds and length alone.
    edit = """
from pathlib import Path
source = Path('mine.py')
source.write_text(source.read_text().replace('2 * values[i]', '30 * values[i]'))
"""
    show = "print(doubled(np.ones(1))[0])"
    assert run(tmp_path, f"{edit}{show}") == "2.0"
    program = f"{show}\nprint(sum(doubled.stats.cache_hits.values()))"
    edited = MODULE.replace("2 * values[i]", "30 * values[i]")
    assert run(tmp_path, program, edited) == "30.0\n0"
    assert run(tmp_path, program, edited) == "30.0\n1"


def test_files_are_looked_for_when_a_function_is_called(tmp_path: Path) -> None:
    program = "print('_impl' in vars(doubled._cache)); doubled(np.ones(1)); print('_impl' in vars(doubled._cache))"
    assert run(tmp_path, program) == "False\nTrue"


def test_a_symbol_is_of_this_package() -> None:
    with pytest.raises(AssertionError, match=r"other\.symbol"):
        provide("other.symbol", lambda: None)


RELEASED = (
    MODULE
    + """
from ctypes import CDLL, c_uint
from threading import Thread
from queuefront.core.code_cache import release_gil
sleep_us = CDLL(None).usleep
sleep_us.argtypes, sleep_us.restype = [c_uint], None

@njit(cache=True)
def wait_for(box):
    while not box[0]:
        sleep_us(1000)
    return box[0]

@njit(parallel=True)
def in_parallel(n):
    return n
"""
)


def test_other_threads_run_while_a_released_function_does(tmp_path: Path) -> None:
    # Without release this program would not end: the thread would wait for the box with Python's lock in its hands.
    program = """box, out = np.zeros(1), []
print(release_gil(wait_for))
thread = Thread(target=lambda: out.append(wait_for(box)), daemon=True)
thread.start()
while not wait_for.overloads:
    pass
box[0] = 5
thread.join(60)
print(out)"""
    assert run(tmp_path, program, RELEASED) == "True\n[5.0]"


def test_released_code_and_the_same_that_is_not_are_kept_apart(tmp_path: Path) -> None:
    plain = "print(hash_of('a') == hash('a'), sum(hash_of.stats.cache_hits.values()))"
    released = f"release_gil(hash_of)\n{plain}"
    expected = {plain: ["True 0", "True 1"], released: ["True 0", "True 1"]}
    assert {program: [run(tmp_path, program, RELEASED) for _ in range(2)] for program in expected} == expected


@pytest.mark.parametrize(
    "program",
    [
        "print(release_gil(len))",
        "print(release_gil(in_parallel))",
        "hash_of('queue')\nprint(release_gil(hash_of))",
    ],
)
def test_what_cannot_be_released_is_told(tmp_path: Path, program: str) -> None:
    assert run(tmp_path, program, RELEASED) == "False"
