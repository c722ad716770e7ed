from __future__ import annotations

import hftbacktest.stats as reference

from queuefront.compat.hftbacktest import stats as ours
from queuefront.report import stats as original


def test_every_name_of_hftbacktests_statistics_is_there() -> None:
    assert set(reference.__all__) <= set(ours.__all__)


def test_the_names_are_the_reports_own() -> None:
    assert ours.__all__ == original.__all__
    assert all(getattr(ours, name) is getattr(original, name) for name in ours.__all__)
