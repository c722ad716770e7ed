from __future__ import annotations

from decimal import Decimal

import pytest

from queuefront.core.errors import ConfigError
from queuefront.paper.rules import rules_of
from queuefront.paper.spot_account import FeeRates
from tests.paper_market import SPOT, Client, paper


def trader(**balances: str) -> Client:
    return Client(paper(SPOT, balances=balances or {"USDT": "1000", "BTC": "5"}))


def held(client: Client) -> dict[str, tuple[str, str]]:
    account = client.call("GET", "/account")
    return {
        b["asset"]: (b["free"].rstrip("0").rstrip("."), b["locked"].rstrip("0").rstrip(".")) for b in account["balances"]
    }


def test_an_open_buy_holds_its_price_and_gives_back_what_it_did_not_need() -> None:
    client = trader()
    client.place("BUY", "100", "6")
    assert held(client)["USDT"] == ("400", "600")
    client.wait(8)  # 4 fill at 100, as maker
    assert held(client) == {"BTC": ("8.996", "0"), "USDT": ("400", "200")}
    client.call("DELETE", "/order", symbol=client.symbol, orderId=1)
    assert held(client)["USDT"] == ("600", "0")


def test_an_order_that_fills_better_gives_the_difference_back() -> None:
    client = trader()
    client.place("BUY", "102", "2")
    assert held(client) == {"BTC": ("6.998", "0"), "USDT": ("798", "0")}


def test_a_sale_holds_what_it_sells_and_pays_its_fee_from_what_it_brings() -> None:
    client = trader()
    client.place("SELL", "102", "1")
    assert held(client)["BTC"] == ("4", "1")
    client.market("SELL", "2")
    assert held(client)["USDT"] == ("1199.8", "0")


@pytest.mark.parametrize("order", [("BUY", "100", "11"), ("SELL", "102", "6")])
def test_an_order_that_is_not_covered_is_refused(order: tuple[str, str, str]) -> None:
    client = trader()
    refused = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    assert client.place(*order) == refused
    assert held(client) == {"BTC": ("5", "0"), "USDT": ("1000", "0")}
    assert client.market("BUY", "10") == refused


def test_balances_of_nothing_can_be_left_out() -> None:
    client = trader(USDT="1", BTC="0")
    balances = client.call("GET", "/account", omitZeroBalances="true")["balances"]
    assert [b["asset"] for b in balances] == ["USDT"]


def test_rates_are_the_venues_unless_others_are_given() -> None:
    assert FeeRates.of(rules_of(SPOT), None).rate(is_maker=True) == Decimal("0.001")
    assert FeeRates.of(rules_of(SPOT), (Decimal(0), Decimal(1))).rate(is_maker=False) == 1


def test_a_balance_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        trader(USDT="much")
    assert str(caught.value) == "the balance of USDT is 'much'; give a decimal number, for example '0.01'"
