"""Changes between whole books: marks, deletions, and books of any size."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import ConfigError, DataError
from queuefront.feed import (
    CHANGED,
    IN_THE_BOOK_DELETION,
    INSERTED,
    OUT_OF_BOOK_DELETION_ABOVE,
    OUT_OF_BOOK_DELETION_BELOW,
    UNCHANGED,
    DiffOrderBookSnapshot,
)

NONE: dict[float, float] = {}


def show(diff: DiffOrderBookSnapshot, bids: dict[float, float], asks: dict[float, float] = NONE) -> list[list[list[float]]]:
    columns = (np.array(list(part), np.float64) for side in (bids, asks) for part in (side.keys(), side.values()))
    return [part.tolist() for part in diff.snapshot(*columns)]


def test_all_levels_of_the_first_book_are_changed():
    diff = DiffOrderBookSnapshot(3, "0.1", "1")
    assert show(diff, {0.3: 1.0, 0.2: 2.0}, {0.4: 5.0}) == [
        [[0.3, 1, CHANGED], [0.2, 2, CHANGED]],
        [[0.4, 5, CHANGED]],
        [],
        [],
    ]


def test_levels_are_unchanged_changed_or_inserted():
    diff = DiffOrderBookSnapshot(3, "0.1", "1")
    show(diff, {0.3: 1.0, 0.2: 2.0})
    bids, *_ = show(diff, {0.3: 1.0, 0.2: 3.0, 0.1: 4.0})
    assert bids == [[0.3, 1, UNCHANGED], [0.2, 3, CHANGED], [0.1, 4, INSERTED]]


def test_levels_that_are_gone_say_where_they_were():
    diff = DiffOrderBookSnapshot(5, "0.1", "1")
    show(diff, {0.5: 1.0, 0.4: 1.0, 0.3: 1.0, 0.2: 1.0, 0.1: 1.0}, {0.7: 1.0, 0.8: 1.0, 0.9: 1.0})
    _, _, bids, asks = show(diff, {0.4: 1.0, 0.2: 1.0}, {0.8: 1.0})
    assert bids == [[0.5, OUT_OF_BOOK_DELETION_ABOVE], [0.3, IN_THE_BOOK_DELETION], [0.1, OUT_OF_BOOK_DELETION_BELOW]]
    assert asks == [[0.7, OUT_OF_BOOK_DELETION_BELOW], [0.9, OUT_OF_BOOK_DELETION_ABOVE]]


def test_a_side_that_became_empty_is_deleted_whole():
    diff = DiffOrderBookSnapshot(5, "0.1", "1")
    show(diff, {0.5: 1.0})
    assert show(diff, NONE) == [[], [], [[0.5, OUT_OF_BOOK_DELETION_BELOW]], []]


def test_a_side_that_was_empty_is_inserted():
    diff = DiffOrderBookSnapshot(5, "0.1", "1")
    show(diff, NONE)
    assert show(diff, {0.5: 1.0})[0] == [[0.5, 1.0, INSERTED]]


def test_d50_a_shorter_book_holds_its_own_levels_only():
    diff = DiffOrderBookSnapshot(3, "0.1", "1")
    first = diff.snapshot(np.array([0.3, 0.2, 0.1]), np.ones(3), np.zeros(0), np.zeros(0))[0]
    kept = first.tolist()
    assert show(diff, {0.3: 1.0})[0] == [[0.3, 1.0, UNCHANGED]]
    assert first.tolist() == kept


@pytest.mark.parametrize(
    ("book", "message"),
    [
        (([1.0], [1.0, 2.0], [], []), "the bids have 1 prices and 2 quantities; give one of each a level"),
        (([], [], [1.0, 2.0, 3.0], [1.0] * 3), "the book has 3 asks where levels is 2; give more levels"),
        (([np.nan], [1.0], [], []), "a price or quantity of the bids is no number; leave the level out"),
    ],
)
def test_a_book_that_is_none_is_refused_and_forgotten(book, message):
    diff = DiffOrderBookSnapshot(2, "0.1", "1")
    show(diff, {0.3: 1.0})
    with pytest.raises(DataError) as caught:
        diff.snapshot(*(np.array(part, np.float64) for part in book))
    assert str(caught.value) == message
    assert show(diff, {0.3: 1.0})[0] == [[0.3, 1.0, UNCHANGED]]


def test_a_book_of_no_levels_is_refused():
    with pytest.raises(ConfigError) as caught:
        DiffOrderBookSnapshot(0, "0.1", "1")
    assert str(caught.value) == "levels is 0; give at least 1"
