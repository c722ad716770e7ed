"""Where a session goes, and that it trades with real money only where it says so in so many words."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.venues.binance.config import SessionConfig
from queuefront.venues.binance.markets import LIVE, TESTNET, Addresses, Product
from queuefront.venues.places import LIVE_TRADING

LOCAL = Addresses("http://127.0.0.1:9000", "ws://127.0.0.1:9000", "ws://127.0.0.1:9000/ws-api/v3")


@pytest.mark.parametrize("product", list(Product))
def test_an_environment_has_its_addresses(product: Product) -> None:
    assert SessionConfig(product).where == LIVE[product]
    assert SessionConfig(product, "testnet").where == TESTNET[product]
    assert SessionConfig(product, "custom", addresses=LOCAL).where == LOCAL


@pytest.mark.parametrize("said", ["", "yes", "YES, TRADE REAL MONEY", "true"])
@pytest.mark.parametrize("product", list(Product))
def test_a_live_address_is_not_traded_at_unless_in_so_many_words(product: Product, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SessionConfig(product, live_trading=said).require_trading()
    assert str(caught.value) == (
        f"{product}: {LIVE[product].rest} is live; to trade there set live_trading = 'yes, trade real money', "
        "or use environment 'testnet'"
    )
    SessionConfig(product, live_trading=LIVE_TRADING).require_trading()


def test_a_live_address_under_another_name_is_live_too() -> None:
    elsewhere = Addresses("https://api1.binance.com", "wss://stream.binance.com", "wss://ws-api.binance.com")
    assert SessionConfig("binance-spot", "custom", addresses=elsewhere).is_live
    mixed = Addresses("http://127.0.0.1:1", "ws://127.0.0.1:1", "wss://ws-api.binance.com")
    assert SessionConfig("binance-spot", "custom", addresses=mixed).is_live


def test_this_machine_and_the_test_venues_are_traded_at_freely() -> None:
    SessionConfig("binance-usdm", "testnet").require_trading()
    SessionConfig("binance-usdm", "custom", addresses=LOCAL).require_trading()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"environment": "prod"}, "environment is 'prod'; choose live, testnet, or custom with addresses"),
        ({"environment": "custom"}, "addresses go with environment 'custom', and only with it; give both or neither"),
        ({"addresses": LOCAL}, "addresses go with environment 'custom', and only with it; give both or neither"),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SessionConfig("binance-spot", **fields)
    assert str(caught.value) == message


def test_routes_are_usdms_unless_said_otherwise() -> None:
    assert [SessionConfig(p).routed for p in Product] == [False, True, False]
    assert not SessionConfig("binance-usdm", has_routes=False).routed
