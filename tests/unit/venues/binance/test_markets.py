"""Addresses and endpoints of the three markets."""

from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.venues.binance.markets import LIVE, TESTNET, Addresses, Endpoint, Market, Product, market_of

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)


def test_every_depth_path_is_of_the_present_version() -> None:
    """H8.22: endpoint paths live in one table; spot depth is v3."""
    assert [m.path(Endpoint.BOOK) for m in (SPOT, USDM, COINM)] == ["/api/v3/depth", "/fapi/v1/depth", "/dapi/v1/depth"]


def test_paths_are_those_of_the_specification() -> None:
    assert SPOT.path(Endpoint.FILLS) == "/api/v3/myTrades"
    assert SPOT.path(Endpoint.ALL_OPEN_ORDERS) == "/api/v3/openOrders"
    assert SPOT.path(Endpoint.COMMISSION) == "/api/v3/account/commission"
    assert SPOT.path(Endpoint.SHRINK) == "/api/v3/order/amend/keepPriority"
    assert USDM.path(Endpoint.POSITIONS) == "/fapi/v3/positionRisk"
    assert USDM.path(Endpoint.MODE) == "/fapi/v1/positionSide/dual"
    assert COINM.path(Endpoint.POSITIONS) == "/dapi/v1/positionRisk"


@pytest.mark.parametrize(
    ("market", "endpoint", "message"),
    [
        (SPOT, Endpoint.LISTEN_KEY, "binance-spot has no listen key"),
        (USDM, Endpoint.SHRINK, "binance-usdm has no shrink"),
    ],
)
def test_what_a_market_does_not_have_is_said(market: Market, endpoint: Endpoint, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        market.path(endpoint)
    assert str(caught.value) == message


def test_an_unknown_venue_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        market_of("binance")
    assert str(caught.value) == ("venue 'binance' is unknown; choose one of binance-spot, binance-usdm, binance-coinm")
    assert market_of("binance-usdm") == USDM


@pytest.mark.parametrize(
    ("market", "limit", "weight"), [(SPOT, 100, 5), (SPOT, 1000, 50), (SPOT, 5000, 250), (USDM, 1000, 20), (COINM, 5, 2)]
)
def test_a_larger_book_weighs_more(market: Market, limit: int, weight: int) -> None:
    assert market.book_weight(limit) == weight


def test_a_book_larger_than_any_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        USDM.book_weight(5000)
    assert str(caught.value) == "binance-usdm: a book of 5,000 levels; the most is 1,000"


def test_weights_are_those_of_the_specification() -> None:
    assert [m.weight(Endpoint.OPEN_ORDERS) for m in (SPOT, USDM, COINM)] == [6, 1, 1]
    assert [m.weight(Endpoint.OPEN_ORDERS, is_of_all=True) for m in (SPOT, USDM, COINM)] == [80, 40, 40]
    assert (SPOT.weight(Endpoint.FILLS), USDM.weight(Endpoint.POSITIONS), COINM.weight(Endpoint.POSITIONS)) == (20, 5, 1)


def test_live_and_test_addresses_share_no_machine() -> None:
    live = frozenset().union(*(a.hosts for a in LIVE.values()))
    test = frozenset().union(*(a.hosts for a in TESTNET.values()))
    assert not live & test
    assert len(live) == 9


@pytest.mark.parametrize(
    "rest", ["ftp://x", "api.binance.com", "", "https://", "https://u@x", "https://x?y=1", "https://x:99999"]
)
def test_what_is_no_address_is_refused(rest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Addresses(rest, "wss://x", "wss://x")
    assert str(caught.value) == f"rest is {rest!r}; give an address that begins with https://"


def test_keys_do_not_travel_in_the_clear_but_on_this_machine() -> None:
    with pytest.raises(ConfigError) as caught:
        Addresses("https://x", "ws://example.org", "wss://x")
    assert str(caught.value) == "streams is 'ws://example.org': keys would go unencrypted; use wss://"
    local = Addresses("http://127.0.0.1:8080/", "ws://localhost:8080", "ws://[::1]:8080")
    assert local.rest == "http://127.0.0.1:8080"
    assert local.hosts == {"127.0.0.1", "localhost", "::1"}
