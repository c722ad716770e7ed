"""Categories, addresses and paths."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.venues.bybit.markets import LIVE, TESTNET, Addresses, Endpoint, Market, Product, market_of


def test_a_market_is_found_by_its_name() -> None:
    assert market_of("bybit-linear") == Market(Product.LINEAR)
    assert [market_of(p).category for p in Product] == ["linear", "inverse", "spot"]
    with pytest.raises(ConfigError, match="'bybit' is unknown; choose one of bybit-linear, bybit-inverse, bybit-spot"):
        market_of("bybit")


def test_live_and_test_addresses_share_no_machine() -> None:
    assert not LIVE.hosts & TESTNET.hosts
    assert LIVE.hosts == {"api.bybit.com", "stream.bybit.com"}


def test_every_path_is_of_the_present_version() -> None:
    assert all(endpoint.startswith("/v5/") for endpoint in Endpoint)


def test_an_address_goes_unencrypted_to_this_machine_only() -> None:
    assert Addresses("http://127.0.0.1:1/", "ws://localhost:1/v5", "ws://localhost:1/v5").rest == "http://127.0.0.1:1"
    with pytest.raises(ConfigError, match=r"private is 'ws://example.org'"):
        Addresses("https://x", "wss://x", "ws://example.org")
