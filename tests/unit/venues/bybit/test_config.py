"""Where a session goes, and whether it may trade there."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.venues.bybit.config import SessionConfig
from queuefront.venues.bybit.markets import LIVE, TESTNET, Addresses, Product
from queuefront.venues.places import LIVE_TRADING
from tests.unit.venues.bybit.fake_rest import LOCAL


@pytest.mark.parametrize("product", Product)
def test_nothing_trades_at_a_live_address_unless_the_configuration_says_so(product: Product) -> None:
    config = SessionConfig(product)
    assert (config.where, config.is_live) == (LIVE, True)
    for words in ("", "yes"):
        with pytest.raises(ConfigError, match=r"https://api\.bybit\.com is live"):
            SessionConfig(product, live_trading=words).require_trading()
    SessionConfig(product, live_trading=LIVE_TRADING).require_trading()


def test_the_testnet_and_this_machine_are_not_live() -> None:
    assert SessionConfig("bybit-linear", "testnet").where == TESTNET
    for config in (SessionConfig("bybit-linear", "testnet"), SessionConfig("bybit-linear", "custom", addresses=LOCAL)):
        assert not config.is_live
        config.require_trading()


def test_an_address_of_a_stranger_counts_as_live() -> None:
    there = Addresses("https://api.example.org", "wss://example.org/v5", "wss://example.org/v5")
    assert SessionConfig("bybit-linear", "custom", addresses=there).is_live


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"environment": "demo"}, "choose live, testnet, or custom"),
        ({"environment": "custom"}, "give both or neither"),
        ({"addresses": LOCAL}, "give both or neither"),
        ({"settle_coin": 'USDT"'}, "settle_coin is"),
        ({"orders_per_s": 0}, "orders_per_s is 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SessionConfig("bybit-linear", **fields)
