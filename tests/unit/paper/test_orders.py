from __future__ import annotations

from decimal import Decimal

import pytest

from queuefront.paper import Listing
from queuefront.paper.listing import list_market
from queuefront.paper.orders import OrderTable, PaperOrder
from queuefront.paper.rules import rules_of
from tests.paper_market import COINM, USDM, story


def order(number: int = 1, venue: str = USDM, **changes: object) -> PaperOrder:
    market, _ = list_market(Listing(story(venue)), rules_of(venue))
    made = PaperOrder(number, f"id{number}", market, "BUY", "LIMIT", "GTC", 200, 8, 0)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_quantities_follow_what_was_filled() -> None:
    made = order(filled_lots=2, status="PARTIALLY_FILLED", spent=Decimal(50))
    assert (made.qty, made.filled_qty, made.leaves_qty, made.price, made.average_price) == (
        2,
        Decimal("0.5"),
        Decimal("1.5"),
        100,
        100,
    )
    made.status = "CANCELED"
    assert (made.leaves_lots, made.is_open, made.is_buy) == (0, False, True)


def test_an_inverse_contracts_average_is_harmonic() -> None:
    assert order(venue=COINM, filled_lots=2, spent=Decimal("1.5")).average_price == pytest.approx(Decimal(400) / 3)
    assert order(tick=None).price == 0
    assert order().average_price == 0


def test_orders_are_found_by_both_ids_and_only_under_their_symbol() -> None:
    table = OrderTable()
    first, second = order(1), order(2)
    table.add(first)
    table.add(second)
    assert (table.find("BTCUSDT", 1, None), table.find("BTCUSDT", None, "id2")) == (first, second)
    assert (table.find("ETHUSDT", 1, None), table.find("BTCUSDT", None, None), table.find("BTCUSDT", 9, None)) == (
        None,
    ) * 3
    table.close(first)
    assert (table.open(), table.open("ETHUSDT"), list(table.all("BTCUSDT"))) == ([second], [], [first, second])
    table.drop(second)
    assert (table.open(), table.find("BTCUSDT", 2, None)) == ([], None)
