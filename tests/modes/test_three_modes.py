"""One source, three ways to run it: compiled, compiled with bounds checks, interpreted. The results are the same bits.

An index past the end of an array is read silently in the first, and stops the second (H3.38).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cache_key import cache_key
from tests.differential.corpus import cases
from tests.differential.engines import SUBJECT_MODULE, subject_is_built

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not subject_is_built(), reason=f"{SUBJECT_MODULE} is not built"),
]


def digests(**environment: str) -> dict[str, str]:
    """Run the corpus in a process of its own and return the digest of each case."""
    modes = ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK")
    clean = {name: value for name, value in os.environ.items() if name not in modes}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.differential.corpus"]
    result = subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, f"{environment}\n{result.stderr[-4000:]}"
    return dict(line.split() for line in result.stdout.splitlines())


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    return digests()


def test_every_case_of_the_corpus_is_run(compiled: dict[str, str]) -> None:
    assert list(compiled) == list(cases())
    assert len(set(compiled.values())) == len(compiled)


def test_bounds_checks_find_nothing_and_change_nothing(compiled: dict[str, str]) -> None:
    # Cached machine code keeps the checks that it was built with: this mode has a cache of its own.
    cache = ROOT / ".numba_cache" / f"{cache_key()}-checked"
    assert digests(NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(cache)) == compiled


def test_interpreted_code_gives_the_same_bits(compiled: dict[str, str]) -> None:
    assert digests(NUMBA_DISABLE_JIT="1") == compiled
