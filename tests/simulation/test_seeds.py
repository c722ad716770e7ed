"""Seeded whole runs with every fault: after each step the invariants, after the faults agreement with the venue.

`make test` runs 100 seeds of 500 steps, `make soak` 2,000, `make simulate` any number.
"""

from __future__ import annotations

import os

import pytest

from queuefront.kernel.simulate import Totals, choose_faults, replay_command, run_seeds

STEPS = 500


def run(first: int, count: int) -> Totals:
    totals = Totals()
    for result in run_seeds(range(first, first + count), STEPS, choose_faults("all"), min(os.cpu_count() or 1, 4)):
        totals.add(result)
    assert not totals.failed, "\n".join(f"{result.violation}\n{replay_command(result, 'all')}" for result in totals.failed)
    return totals


@pytest.mark.slow
def test_a_hundred_seeds_lose_no_order_and_no_cent() -> None:
    totals = run(0, 100)
    assert (totals.seeds, totals.steps) == (100, 100 * STEPS)
    assert totals.checks >= totals.steps
    assert len(totals.faults) >= 36


@pytest.mark.soak
def test_two_thousand_seeds_lose_no_order_and_no_cent() -> None:
    assert run(1_000, 2_000).seeds == 2_000
