"""State values are a copy."""

from __future__ import annotations

from queuefront.bot import StateValues
from queuefront.core.enums import GTC, LIMIT
from tests.small_market import running


def test_values_that_were_taken_stay_as_they_were():  # H5.9
    hbt = running()
    before = hbt.state_values(0)
    assert hbt.submit_buy_order(0, 1, 101.0, 2.0, GTC, LIMIT, True) == 0
    assert before == StateValues(0.0, 0.0, 0.0, 0, 0.0, 0.0)
    assert hbt.state_values(0) == StateValues(2.0, -202.0, 0.0, 1, 2.0, 202.0)
