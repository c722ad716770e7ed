"""What is listed: grids and bounds of the three categories, each symbol by itself."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from queuefront.core import ContractKind
from queuefront.venues.bybit.instruments import Listing, read_page
from queuefront.venues.bybit.markets import Market, Product
from queuefront.venues.errors import MessageError, VenueError
from tests.unit.venues.bybit.fake_rest import instrument_row, page
from tests.venue_data import DATA, needs_data

D = Decimal
LINEAR, INVERSE, SPOT = (Market(product) for product in Product)


def read(market: Market, *rows: object) -> Listing:
    listing = Listing()
    read_page(market, json.dumps({"retCode": 0, "result": page(*rows)}).encode(), listing)
    return listing


@needs_data
@pytest.mark.parametrize(
    ("market", "symbol", "tick", "lot", "settlement", "notional"),
    [
        (LINEAR, "BTCUSDT", "0.5", "0.001", "USDT", "5"),
        (SPOT, "ETHUSDT", "0.01", "0.00001", "USDT", "10"),
        (INVERSE, "BTCUSD", "0.5", "1", "BTC", "0"),
    ],
)
def test_recorded_listings_say_grid_and_bounds(
    market: Market, symbol: str, tick: str, lot: str, settlement: str, notional: str
) -> None:
    listing = Listing()
    for suffix in ("", "_symbol_type"):
        if suffix and market is SPOT:
            continue
        body = (DATA / f"bybit/rest/get_instruments_{market.category}{suffix}.json").read_bytes()
        assert read_page(market, body, listing) == ""
        assert listing.unreadable == {}
    listed = listing[symbol]
    assert (listed.instrument.tick_size, listed.instrument.lot_size) == (D(tick), D(lot))
    assert (listed.settlement, listed.min_notional, listed.is_trading) == (settlement, D(notional), True)
    assert listed.instrument.contract is (ContractKind.INVERSE if market is INVERSE else ContractKind.LINEAR)
    assert listed.instrument.multiplier == 1
    assert listed.max_qty > 0


def test_an_instrument_that_cannot_be_read_is_named_and_the_others_are_there() -> None:
    odd = instrument_row("ODDUSDT", priceFilter={"tickSize": ""})
    worse = instrument_row("BADUSDT", lotSizeFilter={"qtyStep": "-1"})
    listing = read(LINEAR, instrument_row(), odd, worse, {"symbol": 7})
    assert set(listing.listed) == {"BTCUSDT"}
    assert set(listing.unreadable) == {"ODDUSDT", "BADUSDT", "unnamed 0"}
    with pytest.raises(VenueError, match=r"ODDUSDT: .*no tick size"):
        listing["ODDUSDT"]
    with pytest.raises(VenueError, match="the venue lists no XUSDT"):
        listing["XUSDT"]


def test_an_instrument_that_is_not_live_yet_is_not_trading() -> None:
    assert not read(LINEAR, instrument_row(status="PreLaunch"))["BTCUSDT"].is_trading


def test_what_is_no_listing_is_told() -> None:
    with pytest.raises(MessageError, match="bybit-linear instruments: the answer with retCode 0 has no list"):
        read_page(LINEAR, b'{"retCode":0,"result":{}}', Listing())
