from __future__ import annotations

import json

import pytest

from tests.paper_market import COINM, SPOT, USDM, VENUES, Client, Watcher, paper


@pytest.mark.parametrize("venue", VENUES)
def test_open_orders_are_listed_until_they_are_closed(venue: str) -> None:
    client = Client(paper(venue))
    for price in ("99", "99.5"):
        client.place("BUY", price)
    assert [o["orderId"] for o in client.call("GET", "/openOrders", symbol=client.symbol)] == [1, 2]
    client.call("DELETE", "/order", symbol=client.symbol, orderId=1)
    assert [o["orderId"] for o in client.call("GET", "/openOrders")] == [2]
    assert [o["status"] for o in client.call("GET", "/allOrders", symbol=client.symbol)] == ["CANCELED", "NEW"]


def test_past_orders_are_picked_by_id_time_and_number() -> None:
    client = Client(paper(USDM))
    for _ in range(3):
        client.place()
        client.wait(1)

    def ids(**params: int) -> list[int]:
        return [o["orderId"] for o in client.call("GET", "/allOrders", symbol=client.symbol, **params)]

    first_ms = client.query(orderId=1)["time"]
    assert (ids(limit=2), ids(orderId=2, limit=1), ids(limit=0)) == ([2, 3], [2], [])
    assert (ids(startTime=first_ms + 1), ids(endTime=first_ms)) == ([2, 3], [1])


def test_spot_cancels_everything_with_a_list_and_refuses_where_there_is_nothing() -> None:
    client = Client(paper(SPOT))
    client.place()
    assert [o["status"] for o in client.call("DELETE", "/openOrders", symbol=client.symbol)] == ["CANCELED"]
    assert client.call("DELETE", "/openOrders", symbol=client.symbol) == {"code": -2011, "msg": "Unknown order sent."}


def test_a_spot_order_is_made_smaller_and_keeps_its_place_and_what_it_need_not_hold_is_free() -> None:
    client = Client(paper(SPOT, balances={"USDT": "1000"}))
    watcher = Watcher(client.venue)
    client.place("BUY", "100", "5", newClientOrderId="mine")
    client.wait(6)
    path, change = "/order/amend/keepPriority", {"symbol": client.symbol, "origClientOrderId": "mine"}
    answer = client.call("PUT", path, **change, newQty="4", newClientOrderId="mine")
    assert (answer["amendedOrder"]["qty"], answer["amendedOrder"]["clientOrderId"]) == ("4.00000000", "mine")
    assert [(e["x"], e["q"]) for e in watcher.events() if e["e"] == "executionReport"][-1] == ("REPLACED", "4.00000000")
    assert client.call("GET", "/account")["balances"][-1]["locked"] == "400.00000000"
    renamed = client.call("PUT", path, **change, newQty="3.5")["amendedOrder"]
    assert (renamed["origClientOrderId"], renamed["clientOrderId"]) == ("mine", "amend1")
    assert client.query(orderId=1)["clientOrderId"] == "amend1"
    assert client.query(origClientOrderId="mine")["code"] == -2013
    client.wait(2)  # 10 are sold where 6 were ahead
    assert client.query(orderId=1)["status"] == "FILLED"
    assert client.call("GET", "/account")["balances"][-1] == {
        "asset": "USDT",
        "free": "650.00000000",
        "locked": "0.00000000",
    }


def test_a_spot_order_is_not_made_larger_nor_smaller_than_what_was_filled() -> None:
    client = Client(paper(SPOT))
    client.place("BUY", "101", "11")
    path, change = "/order/amend/keepPriority", {"symbol": client.symbol, "orderId": 1}
    assert client.call("PUT", path, **change, newQty="11") == {
        "code": -2038, "msg": "Order amend (quantity increase) is not supported.",
    }  # fmt: skip
    assert client.call("PUT", path, **change, newQty="10") == {"code": -1013, "msg": "Invalid quantity."}
    assert client.call("PUT", path, **change | {"orderId": 9}, newQty="10") == {"code": -2011, "msg": "Unknown order sent."}
    client.call("DELETE", "/order", **change)
    assert client.call("PUT", path, **change, newQty="10.5")["code"] == -2011


def test_futures_cancel_everything_with_one_word() -> None:
    client = Client(paper(COINM))
    client.place()
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert client.call("DELETE", "/allOpenOrders", symbol=client.symbol) == done
    assert client.call("GET", "/openOrders") == []


def test_an_open_order_is_asked_for_while_it_is_open_only() -> None:
    client = Client(paper(USDM))
    client.place()
    assert client.call("GET", "/openOrder", symbol=client.symbol, orderId=1)["orderId"] == 1
    client.call("DELETE", "/order", symbol=client.symbol, orderId=1)
    assert client.call("GET", "/openOrder", symbol=client.symbol, orderId=1)["code"] == -2013


def test_a_tested_order_is_checked_and_not_placed() -> None:
    client = Client(paper(USDM))
    order = {"symbol": client.symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
    assert client.call("POST", "/order/test", **order, price="99.5") == {}
    assert client.call("POST", "/order/test", **order, price="99.7")["code"] == -4014
    assert client.call("GET", "/openOrders") == []


@pytest.mark.parametrize("name", ["orderIdList", "orderidlist"])
def test_a_batch_answers_every_order_by_itself(name: str) -> None:
    client = Client(paper(USDM))
    order = {
        "symbol": client.symbol,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "99.5",
    }
    answers = client.call("POST", "/batchOrders", batchOrders=json.dumps([order, {**order, "price": "99.7"}, "x"]))
    assert [a.get("status", a.get("code")) for a in answers] == ["NEW", -4014, -1130]
    gone = client.call("DELETE", "/batchOrders", symbol=client.symbol, **{name: "[1,9]"})
    assert [a.get("status", a.get("code")) for a in gone] == ["CANCELED", -2011]
    client.place(newClientOrderId="mine")
    gone = client.call("DELETE", "/batchOrders", symbol=client.symbol, origClientOrderIdList='["mine"]')
    assert gone[0]["status"] == "CANCELED"


def test_a_tested_order_is_told_its_rates_where_it_asks() -> None:
    client = Client(paper(SPOT))
    order = {"symbol": client.symbol, "side": "BUY", "type": "MARKET", "quantity": "1"}
    assert client.call("POST", "/order/test", **order) == {}
    told = client.call("POST", "/order/test", **order, computeCommissionRates="true")
    assert told["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert told["taxCommissionForOrder"] == {"maker": "0.00000000", "taker": "0.00000000"}
    assert told["discount"]["enabledForSymbol"] is False


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "[1,2,3,4,5,6]", "[" * 100_000])
def test_a_batch_that_is_none_is_refused(text: str) -> None:
    client = Client(paper(USDM))
    assert client.call("POST", "/batchOrders", batchOrders=text)["code"] in (-1102, -1130)


def test_a_countdown_is_stopped_by_zero() -> None:
    client = Client(paper(USDM))
    client.place()
    client.call("POST", "/countdownCancelAll", symbol=client.symbol, countdownTime="1000")
    answer = client.call("POST", "/countdownCancelAll", symbol=client.symbol, countdownTime="0")
    assert answer == {"symbol": client.symbol, "countdownTime": "0"}
    client.wait(2)
    assert len(client.call("GET", "/openOrders")) == 1
