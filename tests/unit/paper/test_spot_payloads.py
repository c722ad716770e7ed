from __future__ import annotations

from typing import Any

import pytest

from queuefront.paper.spot_payloads import amount
from tests.paper_market import SPOT, Client, Watcher, paper
from tests.payload_shapes import differences
from tests.venue_data import load, needs_data


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """Return one payload of every kind."""
    trader = Client(paper(SPOT))
    watcher = Watcher(trader.venue)
    said: dict[str, Any] = {"full": trader.market("BUY", "2", newClientOrderId="mine")}
    said["new"], said["position"], said["trade"] = watcher.events()[:3]
    said["open"] = trader.place()
    said["query"] = trader.query(orderId=1)
    said["orders"] = trader.call("GET", "/openOrders")
    watcher.events()
    said["cancel"] = trader.call("DELETE", "/order", symbol=trader.symbol, orderId=2, newClientOrderId="gone")
    said["canceled"] = watcher.events()[0]
    said["trades"] = trader.call("GET", "/myTrades", symbol=trader.symbol)
    said["account"] = trader.call("GET", "/account")
    said["info"] = trader.get("/exchangeInfo")
    said["commission"] = trader.call("GET", "/account/commission", symbol=trader.symbol)
    trader.place("BUY", "101", "50", "IOC")
    said["expired"] = watcher.events()[-2]
    said["ack"] = trader.place(newOrderRespType="ACK")
    said["result"] = trader.place(newOrderRespType="RESULT")
    return said


@needs_data
@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("full", "rest/docs_new_order_full_response.json"),
        ("cancel", "rest/docs_cancel_order_response.json"),
        ("query", "rest/docs_order_response.json"),
        ("orders", "rest/docs_open_orders_response.json"),
        ("orders", "rest/docs_all_orders_response.json"),
        ("trades", "rest/docs_account_trades_response.json"),
        ("account", "rest/docs_account_response.json"),
        ("new", "ws_user/docs_execution_report_new.json"),
        ("trade", "ws_user/docs_execution_report_trade.json"),
        ("canceled", "ws_user/docs_execution_report_canceled.json"),
        ("expired", "ws_user/docs_execution_report_expired.json"),
        ("position", "ws_user/docs_account_position.json"),
    ],
)
def test_a_payload_has_the_fields_and_types_of_the_venues(said: dict[str, Any], kind: str, file: str) -> None:
    recorded = load(f"binance_spot/{file}")
    assert differences(recorded.get("data", recorded) if isinstance(recorded, dict) else recorded, said[kind]) == []


@needs_data
def test_exchange_info_has_the_fields_of_a_live_one(said: dict[str, Any]) -> None:
    recorded = load("binance_spot/rest/market_exchange_info.json")
    assert differences(recorded, said["info"], left_out=frozenset({"multiplierUp", "multiplierDown"})) == []
    assert (
        differences(load("binance_spot/rest/docs_exchange_info_response.json")["rateLimits"], said["info"]["rateLimits"])
        == []
    )


def test_a_full_answer_lists_its_fills_and_others_do_not(said: dict[str, Any]) -> None:
    assert said["full"]["fills"] == [
        {"price": "101.00000000", "qty": "2.00000000", "commission": "0.00200000", "commissionAsset": "BTC", "tradeId": 1}
    ]
    assert said["open"]["fills"] == []
    assert set(said["ack"]) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert "fills" not in said["result"]


def test_the_ids_of_a_cancel_are_told_apart(said: dict[str, Any]) -> None:
    """In the stream `C` is the order's id and `c` the cancel's own."""
    assert (said["cancel"]["clientOrderId"], said["cancel"]["origClientOrderId"]) == ("gone", "paper2")
    assert (said["canceled"]["c"], said["canceled"]["C"]) == ("gone", "paper2")


def test_an_expired_order_says_why(said: dict[str, Any]) -> None:
    assert (said["expired"]["X"], said["expired"]["eR"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")


def test_rates_are_told_in_every_form(said: dict[str, Any]) -> None:
    assert said["commission"]["standardCommission"]["maker"] == "0.00100000"
    assert (said["account"]["makerCommission"], said["account"]["commissionRates"]["taker"]) == (10, "0.00100000")


def test_an_amount_has_eight_decimals() -> None:
    from decimal import Decimal

    assert amount(Decimal("1.5")) == "1.50000000"


def test_the_comparison_finds_what_is_missing_and_what_is_of_another_type() -> None:
    recorded = {"a": 1, "b": {"c": "x"}, "d": [{"e": True}], "n": None}
    assert differences(recorded, {"a": 1.5, "b": {"c": "y"}, "d": [{"e": False}], "n": 3}) == []
    assert differences(recorded, {"a": "1", "b": {}, "d": [{"e": 1}]}) == [
        "$.a: int there, str here", "$.b.c: not sent", "$.d[0].e: bool there, int here", "$.n: not sent",
    ]  # fmt: skip
    assert differences([{}], {}) == ["$: a list there, dict here"]
    assert differences({}, []) == ["$: an object there, list here"]
