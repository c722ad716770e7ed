"""Changes between whole books in compiled code, beside those that Python makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.book import book_diff_compiled as compiled_diff
from queuefront.book.book_diff_compiled import new_book_diff
from queuefront.core.errors import ConfigError, DataError
from queuefront.feed import DiffOrderBookSnapshot, snapshot_diff


def book(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw the columns of a book of up to 12 levels a side, in any order, with the same tick twice now and then."""
    columns = []
    for low in (80, 100):
        count = int(rng.integers(0, 13))
        columns += [rng.integers(low, low + 20, count) * 0.1, rng.integers(1, 4, count) * 1.0]
    return tuple(columns)


@pytest.mark.parametrize("seed", range(4))
def test_every_book_is_compared_as_in_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, wanted = new_book_diff(12, 0.1, 1.0), DiffOrderBookSnapshot(12, "0.1", "1")
    for _ in range(60):
        columns = book(rng)
        for made, expected in zip(ours.snapshot(*columns), wanted.snapshot(*columns), strict=True):
            assert made.shape == expected.shape
            assert made.tolist() == expected.tolist()


def test_the_codes_are_those_of_python() -> None:
    for name in ("CHANGED", "INSERTED", "UNCHANGED"):
        assert getattr(compiled_diff, name) == getattr(snapshot_diff, name)
    for name in ("IN_THE_BOOK_DELETION", "OUT_OF_BOOK_DELETION_ABOVE", "OUT_OF_BOOK_DELETION_BELOW"):
        assert getattr(compiled_diff, name) == getattr(snapshot_diff, name)


def test_d50_a_shorter_book_holds_its_own_levels_only() -> None:
    diff, none = new_book_diff(2, 0.1, 1.0), np.zeros(0)
    for prices in ([0.3, 0.2], [0.3, 0.2], [0.5]):
        bids, *_ = diff.snapshot(np.array(prices), np.ones(len(prices)), none, none)
    assert bids[:, 0].tolist() == [0.5]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1.0], [1.0, 2.0], [], []), "a side has another number of prices than of quantities; give one of each a level"),
        (([], [], [1.0, 2.0, 3.0], [1.0] * 3), "the book has more levels than `levels` says; give more levels"),
        (
            ([np.nan], [1.0], [], []),
            "a price or quantity is no number, or beyond 2^53 steps; leave the level out",
        ),
    ],
)
def test_a_book_that_is_none_is_refused_and_forgotten(columns: Any, message: str) -> None:
    diff = new_book_diff(2, 0.1, 1.0)
    first = (np.array([0.3]), np.ones(1), np.zeros(0), np.zeros(0))
    diff.snapshot(*first)
    with pytest.raises(DataError) as caught:
        diff.snapshot(*(np.array(column, np.float64) for column in columns))
    assert str(caught.value) == message
    assert diff.snapshot(*first)[0].tolist() == [[0.3, 1.0, compiled_diff.UNCHANGED]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0.1, 1.0), "levels of a book must be at least 1"),
        ((1, 0.0, 1.0), "tick_size and lot_size of a book must be positive numbers"),
        ((1, 0.1, np.nan), "tick_size and lot_size of a book must be positive numbers"),
    ],
)
def test_a_comparison_without_levels_or_grid_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        new_book_diff(*arguments)
    assert str(caught.value) == message
