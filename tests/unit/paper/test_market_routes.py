from __future__ import annotations

from typing import Any

import pytest

from tests.paper_market import COINM, SPOT, T0, USDM, VENUES, Client, paper
from tests.payload_shapes import differences
from tests.venue_data import load, needs_data


def client(venue: str, seconds: float = 8) -> Client:
    made = Client(paper(venue))
    made.wait(seconds)
    return made


@needs_data
@pytest.mark.parametrize(
    ("venue", "path", "file"),
    [
        (SPOT, "/depth", "binance_spot/rest/docs_depth_response.json"),
        (SPOT, "/trades", "binance_spot/rest/docs_trades_response.json"),
        (SPOT, "/ticker/bookTicker", "binance_spot/rest/docs_book_ticker_response.json"),
        (SPOT, "/ticker/price", "binance_spot/rest/docs_ticker_price_response.json"),
        (SPOT, "/time", "binance_spot/rest/docs_server_time_response.json"),
        (USDM, "/depth", "binance_usdm/rest/market_depth.json"),
        (USDM, "/trades", "binance_usdm/rest/market_trades.json"),
        (USDM, "/ticker/bookTicker", "binance_usdm/rest/market_book_ticker.json"),
    ],
)
def test_a_payload_has_the_fields_and_types_of_the_venues(venue: str, path: str, file: str) -> None:
    made = client(venue)
    params = {} if path == "/time" else {"symbol": made.symbol}
    assert differences(load(file), made.get(path, **params)) == []


@needs_data
@pytest.mark.parametrize("path", ["/depth", "/trades", "/ticker/bookTicker", "/time"])
def test_a_coinm_payload_has_the_fields_and_types_of_the_venues(path: str) -> None:
    made = client(COINM)
    pairs = load("binance_coinm/rest_pairs.json")
    recorded = next(pair["response"] for pair in pairs if pair["path"] == f"/dapi/v1{path}")
    assert differences(recorded, made.get(path, **({} if path == "/time" else {"symbol": made.symbol}))) == []


@needs_data
@pytest.mark.parametrize(("venue", "folder"), [(SPOT, "spot"), (USDM, "usdm"), (COINM, "coinm")])
def test_a_snapshot_looks_like_the_recorded_one(venue: str, folder: str) -> None:
    rows = load(f"binance_{folder}/ws_capture_depth_sync.json")
    recorded = next(row["msg"] for row in rows if row["kind"] == "rest_depth_snapshot")
    made = client(venue)
    ours = made.get("/depth", symbol=made.symbol)
    assert differences(recorded, ours) == []
    assert set(ours) == set(recorded)


@pytest.mark.parametrize("venue", VENUES)
def test_the_book_and_its_best_prices_agree(venue: str) -> None:
    made = client(venue, 0)
    book: Any = made.get("/depth", symbol=made.symbol, limit=5)
    top = made.get("/ticker/bookTicker", symbol=made.symbol)
    top = top[0] if isinstance(top, list) else top
    assert [float(level[0]) for level in book["bids"]] == [100, 99.5]
    assert [book["asks"][0], book["bids"][0]] == [[top["askPrice"], top["askQty"]], [top["bidPrice"], top["bidQty"]]]
    assert len(made.get("/ticker/bookTicker")) == 1
    assert made.get("/ping") == {}


@pytest.mark.parametrize("venue", VENUES)
def test_an_unknown_symbol_is_refused(venue: str) -> None:
    made = client(venue)
    for path in ("/depth", "/trades", "/ticker/bookTicker", "/exchangeInfo"):
        assert made.get(path, symbol="NOPE") == {"code": -1121, "msg": "Invalid symbol."}


def test_a_depth_limit_is_one_of_the_futures_steps() -> None:
    assert client(USDM).get("/depth", symbol="BTCUSDT", limit=7) == {
        "code": -1130, "msg": "Data sent for parameter 'limit' is not valid.",
    }  # fmt: skip
    assert len(client(SPOT).get("/depth", symbol="BTCUSDT", limit=1)["asks"]) == 1


def test_trades_are_the_last_ones_at_the_venues_time() -> None:
    made = client(USDM)
    trades = made.get("/trades", symbol=made.symbol, limit=1)
    assert [(t["id"], t["price"], t["qty"], t["time"], t["isBuyerMaker"]) for t in trades] == [
        (2, "100.0", "10.00", T0 // 10**6 + 7000, True)
    ]
    assert made.get("/trades", symbol=made.symbol, limit=0) == []
    assert client(SPOT).get("/ticker/price", symbol="BTCUSDT")["price"] == "100.00000000"
    assert client(USDM, 0).get("/ticker/price", symbol="BTCUSDT")["price"] == "100.0"


def test_the_mark_is_the_middle_of_the_book() -> None:
    assert client(USDM, 0).get("/premiumIndex", symbol="BTCUSDT")["markPrice"] == "100.50000000"
    assert client(COINM, 0).get("/premiumIndex")[0]["pair"] == "BTCUSD"
    assert client(SPOT, 0).get("/premiumIndex")["code"] == -5000
