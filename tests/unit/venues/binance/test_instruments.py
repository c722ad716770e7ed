"""The listing: grids from the filters, each symbol by itself, bounds checked before anything is sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from queuefront.core import ContractKind, OffGridError
from queuefront.venues.binance.instruments import read_listing
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.errors import MessageError, VenueError
from tests.venue_data import DATA, needs_data

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
D = Decimal
ROW: dict[str, Any] = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT",
    "pricePrecision": 2, "quantityPrecision": 3,
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.10", "minPrice": "500", "maxPrice": "900000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.002", "maxQty": "100"},
        {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "50"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
        {"filterType": "SOMETHING_NEW", "x": 1},
    ],
}  # fmt: skip


def listing(*rows: Any, market: Market = USDM) -> Any:
    return read_listing(market, json.dumps({"symbols": rows, "rateLimits": []}).encode())


def test_the_grid_is_that_of_the_filters_and_not_of_the_display_digits() -> None:
    listed = listing(ROW)["BTCUSDT"]
    assert (listed.instrument.tick_size, listed.instrument.lot_size) == (D("0.1"), D("0.001"))
    assert (listed.is_trading, listed.settlement, listed.symbol) == (True, "USDT", "BTCUSDT")
    assert (listed.min_qty, listed.market_max_qty, listed.min_notional) == (D("0.002"), 50, 100)


def test_an_inverse_contract_has_its_size() -> None:
    row = {**ROW, "symbol": "BTCUSD_PERP", "contractStatus": "TRADING", "contractSize": 100, "marginAsset": "BTC"}
    listed = listing(row, market=COINM)["BTCUSD_PERP"]
    assert (listed.instrument.contract, listed.instrument.multiplier) == (ContractKind.INVERSE, 100)
    assert listed.settlement == "BTC"


@pytest.mark.parametrize("market", [SPOT, USDM, COINM])
def test_a_symbol_that_cannot_be_read_hides_no_other(market: Market) -> None:
    """H9.6, H9.7, H9.8."""
    listed = listing(
        {"symbol": 7},
        {"symbol": "ODD", "filters": []},
        {**ROW, "symbol": "NEG", "filters": _negative()},
        ROW,
        market=market,
    )
    assert list(listed.listed) == ["BTCUSDT"]
    assert set(listed.unreadable) == {"symbol 0", "ODD", "NEG"}
    with pytest.raises(VenueError) as caught:
        listed["ODD"]
    name = market.product
    assert str(caught.value) == f"ODD: {name} ODD: it lists no PRICE_FILTER and LOT_SIZE, so that it has no grid"
    with pytest.raises(VenueError) as caught:
        listed["GONE"]
    assert str(caught.value) == "the venue lists no GONE; `qf venue check` shows what it lists"


def _negative() -> list[dict[str, str]]:
    return [{"filterType": "PRICE_FILTER", "tickSize": "-1"}, {"filterType": "LOT_SIZE", "stepSize": "1"}]


@pytest.mark.parametrize(
    ("market", "body"), [(SPOT, b'{"code":-1}'), (USDM, b"[]"), (COINM, b'{"symbols":{}}'), (SPOT, b"")]
)
def test_what_is_no_listing_is_an_error(market: Market, body: bytes) -> None:
    """H9.6, H9.7, H9.8."""
    with pytest.raises(MessageError):
        read_listing(market, body)


def test_prices_round_to_what_is_not_worse_and_quantities_down() -> None:
    listed = listing(ROW)["BTCUSDT"]
    assert listed.round_price(D("100.19"), is_buy=True) == D("100.1")
    assert listed.round_price(D("100.11"), is_buy=False) == D("100.2")
    assert listed.round_price(D("100.1"), is_buy=False) == D("100.1")
    assert listed.round_qty(D("0.0129")) == D("0.012")


@pytest.mark.parametrize(
    ("qty", "price", "message"),
    [
        ("0.001", "60000", "binance-usdm:BTCUSDT: quantity 0.001 is outside of 0.002 … 100; change the quantity"),
        ("101", "60000", "binance-usdm:BTCUSDT: quantity 101 is outside of 0.002 … 100; change the quantity"),
        ("51", None, "binance-usdm:BTCUSDT: quantity 51 is outside of 0.002 … 50; change the quantity"),
        ("1", "499.9", "binance-usdm:BTCUSDT: price 499.9 is outside of 500 … 900000; change the price"),
        ("0.002", "600.0", "binance-usdm:BTCUSDT: notional 1.2 is below 100; raise the quantity"),
    ],
)
def test_what_the_filters_refuse_is_not_sent(qty: str, price: str | None, message: str) -> None:
    with pytest.raises(VenueError) as caught:
        listing(ROW)["BTCUSDT"].check(D(qty), None if price is None else D(price))
    assert str(caught.value) == message


def test_what_fits_passes_and_a_reduction_needs_no_notional() -> None:
    listed = listing(ROW)["BTCUSDT"]
    listed.check(D("0.002"), D("60000.1"))
    listed.check(D("0.002"), D("600.0"), reduce_only=True)
    listed.check(D("1"), None)
    with pytest.raises(OffGridError):
        listed.check(D("0.0021"), D("60000"))
    with pytest.raises(OffGridError):
        listed.check(D("1"), D("60000.05"))


@needs_data
@pytest.mark.parametrize(("market", "name"), [(SPOT, "spot"), (USDM, "usdm"), (COINM, "coinm")])
def test_a_recorded_listing_is_read_whole(market: Market, name: str) -> None:
    listed = read_listing(market, (DATA / f"binance_{name}/rest/recorded_exchange_info_2021.json").read_bytes())
    assert not listed.unreadable
    assert len(listed.listed) >= 3
    for symbol, entry in listed.listed.items():
        assert entry.instrument.tick_size > 0
        assert entry.symbol == symbol
        assert (entry.min_notional > 0) is (market is not COINM)
