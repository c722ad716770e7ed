from __future__ import annotations

from typing import Any

import pytest

from queuefront.feed import Tape
from tests.paper_market import COINM, SPOT, USDM, VENUES, Client, paper, story

PRICE_RANGE = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
ALGO = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."

#: (venue, changed parameters, code, text); None leaves one out.
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    (USDM, {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    (USDM, {"side": "HOLD"}, -1117, "Invalid side."),
    (USDM, {"type": "DREAM"}, -1116, "Invalid orderType."),
    (USDM, {"type": "STOP_MARKET"}, -4120, ALGO),
    (SPOT, {"type": "STOP_LOSS_LIMIT"}, -1116, "Invalid orderType."),
    (USDM, {"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."),
    (USDM, {"timeInForce": "XXX"}, -1115, "Invalid timeInForce."),
    (SPOT, {"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    (SPOT, {"type": "LIMIT_MAKER"}, -1114, "TimeInForce parameter sent when not required."),
    (USDM, {"type": "MARKET", "price": None, "timeInForce": "XXX"}, -1115, "Invalid timeInForce."),
    (USDM, {"type": "MARKET"}, -1106, "Parameter 'price' sent when not required."),
    (USDM, {"positionSide": "LONG"}, -4061, "Order's position side does not match user's setting."),
    (USDM, {"price": "100.25"}, -1111, "Precision is over the maximum defined for this asset."),
    (USDM, {"price": "100.2"}, -4014, "Price not increased by tick size."),
    (USDM, {"price": "0"}, -4013, "Price less than min price."),
    (USDM, {"price": "600000000"}, -4016, "Price is higher than mark price multiplier cap."),
    (USDM, {"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
    (USDM, {"quantity": "0.3"}, -4023, "Qty not increased by step size."),
    (USDM, {"quantity": "0.001"}, -1111, "Precision is over the maximum defined for this asset."),
    (USDM, {"quantity": "250000001"}, -4005, "Quantity greater than max quantity."),
    (USDM, {"price": "5", "quantity": "0.75"}, -4164,
     "Order's notional must be no smaller than 5 (unless you choose reduce only)"),
    (SPOT, {"price": "100.2"}, -1013, "Filter failure: PRICE_FILTER"),
    (SPOT, {"quantity": "0.3"}, -1013, "Filter failure: LOT_SIZE"),
    (SPOT, {"price": "5", "quantity": "0.75"}, -1013, "Filter failure: NOTIONAL"),
    (SPOT, {"price": "x"}, -1100, f"Illegal characters found in parameter 'price'; legal range is '{PRICE_RANGE}'."),
    (SPOT, {"newClientOrderId": "a b"}, -1100,
     "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
    (USDM, {"newClientOrderId": "a b"}, -1100,
     "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[.A-Z:/a-z0-9_-]{1,36}$'."),
    (USDM, {"newClientOrderId": "a" * 37}, -4015, "Client order id length should not be more than 36 chars"),
    (USDM, {"newOrderRespType": "LOUD"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
    (USDM, {"reduceOnly": "perhaps"}, -1130, "Data sent for parameter 'reduceOnly' is not valid."),
]  # fmt: skip


@pytest.mark.parametrize(("venue", "changes", "code", "text"), REFUSED)
def test_an_order_that_does_not_pass_is_refused_in_the_venues_words(
    venue: str, changes: dict[str, Any], code: int, text: str
) -> None:
    client = Client(paper(venue))
    order = {
        "symbol": client.symbol,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "99.5",
    }
    answer = client.call("POST", "/order", **{k: v for k, v in (order | changes).items() if v is not None})
    assert answer == {"code": code, "msg": text}
    assert client.status == 400
    assert client.call("GET", "/openOrders") == []


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_is_named_by_either_id_and_must_be(venue: str) -> None:
    client = Client(paper(venue))
    client.place(newClientOrderId="mine")
    assert client.query(origClientOrderId="mine")["orderId"] == 1
    assert client.query(orderId=1)["clientOrderId"] == "mine"
    assert client.query(orderId=7) == {"code": -2013, "msg": "Order does not exist."}
    assert client.query() == {
        "code": -1102, "msg": "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
    }  # fmt: skip


def test_a_market_order_in_quote_currency_buys_what_the_best_price_gives() -> None:
    client = Client(paper(SPOT))
    order = {"symbol": client.symbol, "side": "BUY", "type": "MARKET"}
    assert client.call("POST", "/order", **order, quoteOrderQty="230")["executedQty"] == "2.25000000"
    refused = client.call("POST", "/order", **order, quoteOrderQty="230", quantity="1")
    assert refused == {"code": -1106, "msg": "Parameter 'quoteOrderQty' sent when not required."}


def test_a_modification_keeps_the_side_and_passes_the_filters() -> None:
    client = Client(paper(USDM))
    client.place()
    change = {"symbol": client.symbol, "orderId": 1, "side": "BUY", "quantity": "2", "price": "99.5"}
    assert client.call("PUT", "/order", **change | {"side": "SELL"})["code"] == -1130
    assert client.call("PUT", "/order", **change | {"price": "99.7"})["code"] == -4014
    assert client.call("PUT", "/order", **change)["origQty"] == "2.00"


def test_a_reduce_only_order_may_be_small_and_coin_margined_ones_have_no_least() -> None:
    client = Client(paper(USDM))
    client.market("BUY", "1")
    assert client.place("SELL", "105", "0.25", reduceOnly="true")["status"] == "NEW"
    assert Client(paper(COINM)).place("BUY", "99.5", "1")["status"] == "NEW"


@pytest.mark.parametrize("name", ["quantity", "price", "quoteOrderQty"])
def test_a_number_of_forty_digits_is_refused_like_any_other(name: str) -> None:
    tape = story(SPOT)
    fine = Tape.build(
        tape.to_events(), tape.instrument.override(tick_size="0.00000001", lot_size="0.00000001"), source="fine"
    )
    client = Client(paper(SPOT, fine))
    order = {
        "symbol": client.symbol,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "0.0001",
    }
    if name == "quoteOrderQty":
        order = {"symbol": client.symbol, "side": "BUY", "type": "MARKET"}
    answer = client.call("POST", "/order", **{**order, name: "9" * 20 + "." + "9" * 20})
    assert answer == {"code": -1013, "msg": f"Filter failure: {'PRICE_FILTER' if name == 'price' else 'LOT_SIZE'}"}
