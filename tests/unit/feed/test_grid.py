"""Steps are found from the values alone."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from queuefront.core import DataError
from queuefront.feed.grid import infer_step


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.1, 0.2, 0.3], "0.1"),
        ([61650.3, 61650.4], "0.1"),
        ([0.25, 0.5, 0.75], "0.25"),
        ([2.5, 5.0, 7.5], "2.5"),
        ([10.0, 30.0], "10"),
        ([4.0, 8.0], "2"),
        ([15.0, 20.0], "5"),
        ([3.0], "1"),
        ([1250.0], "250"),  # five of them
        ([7.0, 0.0, 21.0], "1"),
        ([1e-8, 3e-8], "0.00000001"),
        ([-0.5, 1.5], "0.5"),
    ],
)
def test_the_largest_round_step_that_divides_all_is_found(values, step):
    assert infer_step(np.array(values), "tick_size", "a")[0] == Decimal(step)


def test_zeros_are_not_counted():
    assert infer_step(np.array([0.0, 2.0, 3.0]), "lot_size", "a")[1] == 2


def test_a_rare_finer_value_is_not_missed():
    values = np.full(100_000, 0.5)
    values[99_999] = 0.05
    values[50_000] = 0.001
    assert infer_step(values, "lot_size", "a") == (Decimal("0.001"), 100_000)


def test_coarse_values_before_a_fine_one_of_the_same_places_are_no_trap():
    values = np.concatenate([np.full(5000, 10.0), np.full(5000, 4.0), [3.0]])
    assert infer_step(values, "lot_size", "a")[0] == 1


def test_nothing_can_be_inferred_from_nothing():
    with pytest.raises(DataError, match=r"a\.gz: there is no value to infer tick_size from; give tick_size"):
        infer_step(np.zeros(3), "tick_size", "a.gz")


@pytest.mark.parametrize("value", [1 / 3, np.pi, 1e-13, 1e300, np.nan, np.inf])
def test_what_is_no_decimal_is_refused(value):
    with pytest.raises(DataError, match="no decimal of at most 12 places; give tick_size"):
        infer_step(np.array([1.0, value]), "tick_size", "a")
