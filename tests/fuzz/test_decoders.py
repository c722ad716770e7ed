"""Decoders of feeds survive what a fuzzer hands them (H6)."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.fuzz.damage import damaged, damaged_numbers, damaged_records, damaged_text
from tests.fuzz.decoders import IS_GUIDED, TARGETS, play, play_guided

GUIDED_RUNS = 20_000


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_what_fuzzing_begins_with_is_good(target):
    outcomes = Counter(TARGETS[target].run(data) for data in TARGETS[target].seeds)
    assert outcomes["decoded"] >= outcomes.total() / 2


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("runs", [300, pytest.param(20_000, marks=pytest.mark.soak)])
def test_damaged_data_end_in_documented_errors(target, runs):
    seen = Counter(play(target, seed) for seed in range(runs))
    assert seen["refused"] + seen["partly"] > runs // 20  # the damage reaches what it is meant for
    assert seen["decoded"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_damage_guided_by_coverage_ends_in_documented_errors(target):
    if not IS_GUIDED:
        pytest.skip("atheris is not installed, it has wheels for Linux on x86-64; seeds draw the damage of these targets")
    told, is_well = play_guided(target, GUIDED_RUNS, seed=1)
    assert is_well, told


@pytest.mark.skipif(not IS_GUIDED, reason="atheris is not installed")
def test_a_guided_run_that_fails_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("tests.fuzz.decoders.KEPT", tmp_path / "kept")
    told, is_well = play_guided("no such target", 1, seed=0)
    assert not is_well
    assert "invalid choice" in told
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


@pytest.mark.parametrize("damage", [damaged, damaged_numbers, damaged_records, damaged_text])
@pytest.mark.parametrize("data", [b"", b"x", b"\n", b"a,1\nb,2\n", b"\x93NUMPY\x01\x00\x05\x00abcde" + bytes(48)])
def test_a_seed_makes_the_same_of_any_data(damage, data):
    made = [damage(data, Random(seed)) for seed in range(200)]
    assert made == [damage(data, Random(seed)) for seed in range(200)]
    assert len(set(made)) > 5 or not data.strip()
