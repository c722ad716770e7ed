"""What a venue lists, and what is refused before it is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from queuefront.core import ContractKind, Instrument, OffGridError
from queuefront.venues.errors import VenueError
from queuefront.venues.listed import Listed

D = Decimal


def listed(**changes: Any) -> Listed:
    bounds = {
        "min_qty": D("0.01"), "max_qty": D(10), "market_max_qty": D(5), "min_price": D(1), "max_price": D(1000),
        "min_notional": D(5),
    }  # fmt: skip
    contract = changes.pop("contract", ContractKind.LINEAR)
    instrument = Instrument("v", "S", D("0.5"), D("0.01"), contract)
    return Listed(instrument=instrument, is_trading=True, settlement="USDT", **{**bounds, **changes})


def test_prices_are_rounded_to_the_harmless_side() -> None:
    assert listed().round_price(D("100.7"), is_buy=True) == D("100.5")
    assert listed().round_price(D("100.7"), is_buy=False) == D("101.0")
    assert listed().round_qty(D("0.019")) == D("0.01")


@pytest.mark.parametrize(
    ("qty", "price", "words"),
    [
        ("0", "100", "quantity 0 is outside of 0.01 … 10"),
        ("11", "100", "quantity 11 is outside"),
        ("6", None, "quantity 6 is outside of 0.01 … 5"),
        ("1", "0.5", "price 0.5 is outside of 1 … 1000"),
        ("0.01", "100", "notional 1 is below 5; raise the quantity"),
    ],
)
def test_what_the_venue_would_refuse_is_not_sent(qty: str, price: str | None, words: str) -> None:
    with pytest.raises(VenueError, match=words):
        listed().check(D(qty), None if price is None else D(price))


def test_what_it_would_take_passes() -> None:
    listed().check(D("0.05"), D(100))
    listed().check(D("0.01"), D(100), reduce_only=True)
    listed(contract=ContractKind.INVERSE).check(D(5), D(100))
    with pytest.raises(OffGridError):
        listed().check(D("0.05"), D("100.3"))
