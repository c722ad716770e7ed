"""Decoders of feeds survive what a fuzzer hands them (H6)."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.decoders import TARGETS, play


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("runs", [300, pytest.param(20_000, marks=pytest.mark.soak)])
def test_damaged_data_end_in_documented_errors(target, runs):
    seen = Counter(play(target, seed) for seed in range(runs))
    assert seen["refused"] > runs // 20  # the damage reaches what it is meant for
    assert seen["decoded"] > 0
