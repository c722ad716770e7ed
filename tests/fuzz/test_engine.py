"""The engine survives what a fuzzer asks of it (H3.4, H3.15)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cache_key import cache_key
from tests.fuzz.engine import play

ROOT = Path(__file__).parents[2]
RUNS = 2_000


@pytest.mark.slow
def test_two_hundred_runs_end_in_order():
    seen = sum((play(seed) for seed in range(200)), Counter())
    # All outcomes come up, so the fuzzer reaches what it is there for.
    wanted = {
        "ok",
        "end of data",
        "market feed",
        "order id exists",
        "order not found",
        "invalid order request",
        "IndexError",
    }
    assert wanted <= seen.keys()


@pytest.mark.soak
def test_thousands_of_runs_under_bounds_checks_end_in_order():
    cache = ROOT / ".numba_cache" / f"{cache_key()}-checked"
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "tests.fuzz.engine", "--runs", str(RUNS)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr[-3_000:]
    assert result.stdout.startswith(f"{RUNS:,} runs: ")
