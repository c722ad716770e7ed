from __future__ import annotations

import pytest

from queuefront.paper import DEFAULT_KEY
from tests.paper_market import COINM, PREFIX, SPOT, USDM, VENUES, Client, Watcher, paper
from tests.payload_shapes import differences
from tests.venue_data import load, needs_data


@pytest.mark.parametrize("venue", VENUES)
def test_fills_are_picked_by_id_order_and_time(venue: str) -> None:
    client = Client(paper(venue))
    path = "/myTrades" if venue == SPOT else "/userTrades"
    for _ in range(3):
        client.market("BUY", "1")
        client.wait(1)

    def ids(**params: int) -> list[int]:
        return [t["id"] for t in client.call("GET", path, symbol=client.symbol, **params)]

    first_ms = client.call("GET", path, symbol=client.symbol)[0]["time"]
    assert (ids(), ids(limit=2), ids(fromId=2, limit=1), ids(orderId=3), ids(limit=0)) == ([1, 2, 3], [2, 3], [2], [3], [])
    assert (ids(startTime=first_ms + 1), ids(endTime=first_ms)) == ([2, 3], [1])


def test_positions_are_listed_where_there_is_something() -> None:
    client = Client(paper(USDM))
    assert client.call("GET", "/fapi/v3/positionRisk") == []
    assert len(client.call("GET", "/fapi/v3/positionRisk", symbol=client.symbol)) == 1
    client.place()
    assert len(client.call("GET", "/fapi/v3/positionRisk")) == 1
    coin = Client(paper(COINM))
    assert [p["symbol"] for p in coin.call("GET", "/dapi/v1/positionRisk", pair="BTCUSD")] == ["BTCUSD_PERP"]
    assert coin.call("GET", "/dapi/v1/positionRisk", pair="X") == []


def test_leverage_is_set_within_its_bounds_and_told_when_it_changes() -> None:
    client = Client(paper(USDM))
    watcher = Watcher(client.venue)
    for leverage in (7, 7):
        answer = client.call("POST", "/leverage", symbol=client.symbol, leverage=leverage)
        assert answer == {"leverage": 7, "symbol": "BTCUSDT", "maxNotionalValue": "100000000"}
    assert len(watcher.events()) == 1
    assert client.call("POST", "/leverage", symbol=client.symbol, leverage=126) == {
        "code": -4028, "msg": "Leverage 126 is not valid",
    }  # fmt: skip


def test_modes_that_are_set_already_are_said_to_be_so_and_others_are_refused() -> None:
    client = Client(paper(USDM))
    margin = {"symbol": client.symbol}
    assert client.call("POST", "/marginType", **margin, marginType="CROSSED") == {
        "code": -4046, "msg": "No need to change margin type.",
    }  # fmt: skip
    assert client.call("POST", "/marginType", **margin, marginType="ISOLATED")["code"] == -1130
    assert client.call("GET", "/positionSide/dual") == {"dualSidePosition": False}
    assert client.call("POST", "/positionSide/dual", dualSidePosition="false") == {
        "code": -4059, "msg": "No need to change position side.",
    }  # fmt: skip
    assert client.call("POST", "/positionSide/dual", dualSidePosition="true")["code"] == -1130


def test_settings_and_fees_are_told() -> None:
    client = Client(paper(USDM, maker="0.0001", taker="0.0004"))
    assert client.call("GET", "/symbolConfig", symbol=client.symbol)[0]["leverage"] == 20
    assert client.call("GET", "/accountConfig")["dualSidePosition"] is False
    assert client.call("GET", "/commissionRate", symbol=client.symbol)["takerCommissionRate"] == "0.000400"
    assert client.call("GET", "/leverageBracket", symbol=client.symbol)[0]["symbol"] == "BTCUSDT"
    spot = Client(paper(SPOT))
    assert spot.call("GET", "/sapi/v1/asset/tradeFee")[0]["makerCommission"] == "0.001"
    assert spot.call("GET", "/sapi/v1/asset/tradeFee", symbol="NOPE")["code"] == -1121
    assert [c["coin"] for c in spot.call("GET", "/sapi/v1/capital/config/getall")] == ["BTC", "USDT"]
    assert spot.call("GET", "/sapi/v1/margin/allPairs") == []


def test_a_spot_account_counts_its_orders() -> None:
    client = Client(paper(SPOT))
    client.place()
    assert [(r["interval"], r["count"]) for r in client.call("GET", "/rateLimit/order")] == [("SECOND", 1), ("DAY", 1)]


@pytest.mark.parametrize("venue", [USDM, COINM])
def test_a_listen_key_needs_the_api_key_and_no_signature(venue: str) -> None:
    client = Client(paper(venue))
    path, key = f"{PREFIX[venue]}/listenKey", {"X-MBX-APIKEY": DEFAULT_KEY}
    gone = {"code": -1125, "msg": "This listenKey does not exist."}
    assert client.send("PUT", path, **key) == gone
    made = client.send("POST", path, **key)
    assert client.send("PUT", path, **key) == made == client.send("POST", path, **key)
    assert client.send("DELETE", path, **key) == {}
    assert client.send("PUT", path, **key) == gone
    assert client.send("POST", path) == {"code": -2014, "msg": "API-key format invalid."}


@needs_data
def test_the_mode_of_positions_has_the_shape_of_the_venues() -> None:
    answer = Client(paper(USDM)).call("GET", "/positionSide/dual")
    assert differences(load("binance_usdm/rest/account_position_side_dual.json"), answer) == []
