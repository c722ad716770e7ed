"""Queue and exchange models refuse what they cannot mean, in words that say how to mend it."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.sim import (
    FifoQueue,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    RiskAverseQueue,
)


# --- queues -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", [PowerQueue, PowerQueue2, PowerQueue3])
def test_an_exponent_is_three_unless_it_is_said(model):
    assert model().n == 3.0
    assert model(16).n == 16


@pytest.mark.parametrize("model", [PowerQueue, PowerQueue2, PowerQueue3])
@pytest.mark.parametrize("n", [0, 0.0, -1.0, 16.1, float("nan"), float("inf")])
def test_an_exponent_outside_0_to_16_is_refused(model, n):
    with pytest.raises(ConfigError) as caught:
        model(n)
    assert str(caught.value) == f"the exponent n of a power queue model is {n!r}; it must be above 0 and at most 16"


def test_every_queue_model_has_a_code_of_its_own():
    models = (RiskAverseQueue, PowerQueue, PowerQueue2, PowerQueue3, LogQueue, LogQueue2, FifoQueue)
    assert [m().code for m in models] == [0, 1, 2, 3, 4, 5, 6]


# --- exchanges --------------------------------------------------------------------------------------------------------
def test_partial_fills_are_booked_unless_the_old_way_is_asked_for():
    assert not NoPartialFill().books_only_filled
    assert not PartialFill().books_only_filled
    assert PartialFill(books_only_filled=True).books_only_filled
    assert (NoPartialFill().code, PartialFill().code) == (0, 1)


def test_liquidity_is_honest_only_where_it_is_asked_for():
    assert not NoPartialFill().honest
    assert not PartialFill().honest
    assert PartialFill(honest=True).honest


def test_honest_liquidity_and_the_old_way_of_booking_exclude_one_another():
    with pytest.raises(ConfigError) as caught:
        PartialFill(books_only_filled=True, honest=True)
    assert str(caught.value) == "PartialFill cannot be honest and book only what is filled whole; choose one"
