from __future__ import annotations

from collections import Counter

from queuefront.kernel.world import FAULTS, World


def test_every_fault_strikes_in_some_seeds() -> None:
    struck: Counter[str] = Counter()
    for seed in range(60):
        world = World(seed, frozenset(FAULTS))
        world.run(range(60))
        struck += world.counts
    assert struck.keys() >= FAULTS.keys() - {"kill-before-effect"}


def test_without_faults_nothing_strikes_and_all_settles() -> None:
    world = World(1, frozenset())
    world.run(range(100))
    assert not world.counts
    assert world.checks > 100
