"""The compiled measures of a passport against plain Python, on random markets that cross, clear, repeat and fall silent."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.feed import measure
from tests.naive.passport import naive_measures
from tests.passport_market import SECOND, tape_of


@pytest.mark.parametrize("seed", range(30))
def test_measures_are_those_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng([seed, 91])
    rows, at = [], 0.0
    for _ in range(250):
        at += float(rng.choice([0, 0, 0.001, 0.2, 1, 14], p=[0.3, 0.2, 0.2, 0.15, 0.12, 0.03]))
        kind = str(rng.choice(["bid", "ask", "buy", "sell", "clear"], p=[0.38, 0.38, 0.1, 0.1, 0.04]))
        price = np.nan if kind == "clear" else int(rng.integers(95, 106))
        rows.append((at, kind, price, int(rng.choice([0, 1, 2])) if kind in ("bid", "ask") else 1))
    tape = tape_of(*rows)
    found = measure(tape, span_ns=5 * SECOND)
    expected = naive_measures(tape, 5 * SECOND)
    assert {name: found.columns[name] for name in expected} == expected
