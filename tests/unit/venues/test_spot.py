"""Entries that a spot market has no form of."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.venues import OrderType, PlaceOrder, Role, TimeInForce
from queuefront.venues.spot import spot_refusal


def order(**fields: Any) -> PlaceOrder:
    terms: dict[str, Any] = {
        "cid": "mine", "trade_id": "t", "slot_id": 0, "role": Role.ENTRY, "instrument": "BTCUSDT", "is_buy": True,
        "lots": 1, "order_type": OrderType.LIMIT, "price_tick": 1, "time_in_force": TimeInForce.GTC,
        "reduce_only": False, "post_only": False, "leverage": 1,
    }  # fmt: skip
    return PlaceOrder(**{**terms, **fields})


@pytest.mark.parametrize("leverage", [0, 1])
def test_a_long_entry_without_leverage_is_one_that_spot_can_hold(leverage: int) -> None:
    assert spot_refusal(order(leverage=leverage)) is None


def test_a_short_entry_is_refused() -> None:
    code, text = spot_refusal(order(is_buy=False)) or ("", "")
    assert code == "FILTER"
    assert "enter LONG" in text


def test_leverage_is_refused() -> None:
    code, text = spot_refusal(order(leverage=2)) or ("", "")
    assert code == "LEVERAGE"
    assert "leverage 2" in text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ENTRY])
def test_what_leaves_a_position_is_never_refused(role: Role) -> None:
    assert spot_refusal(order(is_buy=False, role=role, leverage=5)) is None
