"""Changes between whole books under the reference's name."""

from typing import Any

import numpy as np
from numba import njit

from queuefront.compat.hftbacktest.data.utils import difforderbooksnapshot as ours


def test_the_codes_are_the_references() -> None:
    assert (ours.UNCHANGED, ours.CHANGED, ours.INSERTED) == (0, 1, 2)
    assert (ours.IN_THE_BOOK_DELETION, ours.OUT_OF_BOOK_DELETION_BELOW, ours.OUT_OF_BOOK_DELETION_ABOVE) == (0, 1, 2)


def test_a_book_makes_four_arrays() -> None:
    diff = ours.DiffOrderBookSnapshot(2, 0.1, 1.0)
    shapes = [part.shape for part in diff.snapshot(np.array([0.3]), np.ones(1), np.array([0.4]), np.ones(1))]
    assert shapes == [(1, 3), (1, 3), (0, 2), (0, 2)]


@njit
def compare(px: Any, qty: Any) -> Any:
    diff = ours.DiffOrderBookSnapshot(2, 0.1, 1)
    diff.snapshot(px, qty, px, qty)
    return diff.snapshot(px[:1], qty[:1], px, qty)


def test_a_compiled_function_makes_and_asks_one() -> None:
    bids, asks, bids_gone, asks_gone = compare(np.array([0.3, 0.2]), np.ones(2))
    assert bids.tolist() == [[0.3, 1.0, ours.UNCHANGED]]
    assert len(asks) == 2
    assert bids_gone.tolist() == [[0.2, ours.OUT_OF_BOOK_DELETION_BELOW]]
    assert len(asks_gone) == 0
