"""Grids of parameters: as text, and the sets that they span."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.sweep import parameter_sets, read_grid


def test_sets_are_every_combination_and_the_last_parameter_changes_fastest() -> None:
    sets = parameter_sets({"a": [1, 2], "b": [True, False]})
    assert sets == [{"a": 1, "b": True}, {"a": 1, "b": False}, {"a": 2, "b": True}, {"a": 2, "b": False}]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,2,3", [1, 2, 3]),
        ("a=1_000", [1000]),
        ("a=-1, +2", [-1, 2]),
        ("a=1,2.5", [1.0, 2.5]),
        ("a=1e-4", [0.0001]),
        ("a=true,false", [True, False]),
        ("a=0.1:0.5:0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("a=0:10:4", [0, 4, 8]),
        ("a=3:1:-1", [3, 2, 1]),
        ("a=1:3:1,10", [1, 2, 3, 10]),
        ("a=1:2:0.5", [1.0, 1.5, 2.0]),
    ],
)
def test_a_grid_is_read_from_text(text: str, values: list[float]) -> None:
    read = read_grid([text])["a"]
    assert read == values
    assert [type(value) for value in read] == [type(value) for value in values]


MESSAGES = {
    "a": "--grid a: expected NAME=VALUES, for example --grid levels=1,2,3",
    "1a=1": "--grid 1a=1: expected NAME=VALUES, for example --grid levels=1,2,3",
    "a=": "--grid a=: a value is missing of a; write numbers, or true and false, with commas between them",
    "a=1,x": "--grid a=1,x: 'x' is no value of a; write numbers, or true and false, with commas between them",
    "a=nan": "--grid a=nan: 'nan' is no value of a; write numbers, or true and false, with commas between them",
    "a=1:2": "--grid a=1:2: 1:2 is no range of a; write FIRST:LAST:STEP, for example 0.1:0.5:0.1",
    "a=1:2:0": "--grid a=1:2:0: 1:2:0 never comes to 2; give a a STEP that leads from 1 to 2",
    "a=1:2:-1": "--grid a=1:2:-1: 1:2:-1 never comes to 2; give a a STEP that leads from 1 to 2",
    "a=0:1:1e-9": ("--grid a=0:1:1e-9: 0:1:1e-9 has 1,000,000,001 values; the limit is 1,000,000: give a a larger STEP"),
    "a=1,true": "--grid a=1,true: a is both a number and true or false; give values of one kind",
    "a=1,2,1": "--grid a=1,2,1: a has the value 1 twice; remove one",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_what_is_no_grid_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_grid([text])
    assert str(caught.value) == MESSAGES[text]


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_grid(["a=1", "a=2"])
    assert str(caught.value) == "--grid a=2: a was given before; put all of its values into one --grid"


def test_a_parameter_without_values_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        parameter_sets({"a": []})
    assert str(caught.value) == "grid: a has no values; give at least one"


def test_too_many_sets_are_refused_before_they_are_made() -> None:
    with pytest.raises(ConfigError) as caught:
        parameter_sets({"a": range(1_001), "b": range(1_000)})
    assert str(caught.value) == "grid: 1,001 × 1,000 = 1,001,000 sets; the limit is 1,000,000: give fewer values"
