"""Every documented word is known; any other is UNSUPPORTED."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.venues.binance.vocabulary import (
    CLOSED_STATUSES,
    Execution,
    OrderKind,
    PositionSide,
    Status,
    Tif,
    word,
)

SPOT_STATUSES = "NEW PENDING_NEW PARTIALLY_FILLED FILLED CANCELED PENDING_CANCEL REJECTED EXPIRED EXPIRED_IN_MATCH"
FUTURES_STATUSES = "NEW PARTIALLY_FILLED FILLED CANCELED REJECTED EXPIRED EXPIRED_IN_MATCH NEW_INSURANCE NEW_ADL"
SPOT_KINDS = "LIMIT MARKET STOP_LOSS STOP_LOSS_LIMIT TAKE_PROFIT TAKE_PROFIT_LIMIT LIMIT_MAKER"
FUTURES_KINDS = "LIMIT MARKET STOP STOP_MARKET TAKE_PROFIT TAKE_PROFIT_MARKET TRAILING_STOP_MARKET LIQUIDATION"


@pytest.mark.parametrize("text", SPOT_STATUSES.split())
def test_every_spot_status_is_known(text: str) -> None:
    """H8.17."""
    assert word(Status, text) == text


@pytest.mark.parametrize("text", FUTURES_STATUSES.split())
def test_every_futures_status_is_known(text: str) -> None:
    """H8.18."""
    assert word(Status, text) == text


@pytest.mark.parametrize("text", SPOT_KINDS.split())
def test_every_spot_order_type_is_known(text: str) -> None:
    """H8.19."""
    assert word(OrderKind, text) == text


@pytest.mark.parametrize("text", FUTURES_KINDS.split())
def test_every_futures_order_type_is_known(text: str) -> None:
    """H8.20."""
    assert word(OrderKind, text) == text


@pytest.mark.parametrize("text", ["GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC", "RPI"])
def test_every_time_in_force_is_known(text: str) -> None:
    """H8.21."""
    assert word(Tif, text) == text


@pytest.mark.parametrize("kind", [Status, Execution, OrderKind, Tif, PositionSide])
@given(text=st.one_of(st.text(), st.none(), st.integers(), st.just("new"), st.just("HALF_DONE")))
def test_an_invented_word_is_unsupported(kind: type[Status], text: object) -> None:
    """H8.17, H8.18, H8.19, H8.20, H8.21."""
    if text not in kind.__members__:
        assert word(kind, text) is kind.UNSUPPORTED


def test_a_pending_cancel_is_still_alive() -> None:
    assert Status.PENDING_CANCEL not in CLOSED_STATUSES
    assert {s for s in Status if s not in CLOSED_STATUSES} == {
        Status.NEW,
        Status.PENDING_NEW,
        Status.PARTIALLY_FILLED,
        Status.PENDING_CANCEL,
        Status.NEW_INSURANCE,
        Status.NEW_ADL,
        Status.UNSUPPORTED,
    }
