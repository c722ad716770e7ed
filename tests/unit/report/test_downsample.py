from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.report.downsample import every_nth, rows_with_extremes


def test_few_rows_are_all_kept() -> None:
    assert rows_with_extremes([np.arange(5.0)], limit=5).tolist() == [0, 1, 2, 3, 4]


@given(st.integers(1, 500), st.integers(6, 60), st.integers(0, 2**32 - 1))
def test_ends_and_extremes_survive_within_the_limit(count: int, limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [rng.normal(size=count), rng.normal(size=count)]
    columns[1][rng.random(count) < 0.3] = np.nan
    rows = rows_with_extremes(columns, limit)
    assert len(rows) <= max(limit, 1)
    assert (rows[0], rows[-1]) == (0, count - 1)
    assert np.all(np.diff(rows) > 0)
    for column in columns:
        if not np.all(np.isnan(column)):
            assert np.nanmin(column[rows]) == np.nanmin(column)
            assert np.nanmax(column[rows]) == np.nanmax(column)


def test_a_spike_of_one_sample_in_a_million_is_kept() -> None:
    column = np.zeros(1_000_000)
    column[654_321] = -1.0
    assert 654_321 in rows_with_extremes([column])


@pytest.mark.parametrize(("count", "step"), [(0, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_every_nth_is_the_smallest_step_that_fits(count: int, step: int) -> None:
    assert every_nth(count, limit=10) == step
