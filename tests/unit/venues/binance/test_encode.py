"""Requests: the venue's parameters, each byte for byte those of recorded requests; no text is pasted together."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core import ConfigError
from queuefront.venues.binance import encode
from queuefront.venues.binance.encode import OrderTerms
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.binance.sign import wire
from queuefront.venues.binance.vocabulary import OrderKind, PositionSide, Tif
from queuefront.venues.credentials import Credentials
from queuefront.venues.rest import Call
from tests.venue_data import load, needs_data

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
MARKETS = {"spot": SPOT, "usdm": USDM, "coinm": COINM}
CREDENTIALS = Credentials("k" * 20, "s" * 20)
D = Decimal


def order(symbol: str, qty: str | None, price: str | None = None, **fields: Any) -> OrderTerms:
    fields.setdefault("is_buy", True)
    fields.setdefault("kind", OrderKind.LIMIT if price or "extra" in fields else OrderKind.MARKET)
    return OrderTerms(symbol=symbol, cid="x", qty=D(qty) if qty else None, price=D(price) if price else None, **fields)


#: The recorded requests that the connector makes, by their description; of conditional orders it makes none.
CALLS: dict[tuple[str, str], Call] = {
    ("spot", "spot cancel by order id"): encode.cancel_call(SPOT, "LTCUSDT", order_id="464950"),
    ("spot", "spot cancel all on a symbol"): encode.cancel_all_call(SPOT, "LTCUSDT"),
    ("spot", "spot edit = cancelReplace"): encode.cancel_replace_call(
        SPOT, order("LTCUSDT", "0.25", "51"), cancel_order_id="2163811"
    ),
    ("spot", "spot market buy by quote amount, amount cut to quote precision"): encode.place_call(
        SPOT, order("LTCUSDT", None, kind=OrderKind.MARKET, extra={"quoteOrderQty": D("5.32")})
    ),
    ("usdm", "post-only limit in hedge mode"): encode.place_call(
        USDM, order("LTCUSDT", "0.41", "50", tif=Tif.GTX, position_side=PositionSide.LONG)
    ),
    ("usdm", "best-price (priceMatch) limit order without price"): encode.place_call(
        USDM, order("LTCUSDT", "0.1", extra={"priceMatch": "OPPONENT"})
    ),
    ("usdm", "hedge-mode close of a long: positionSide instead of reduceOnly"): encode.place_call(
        USDM, order("BTCUSDT", "0.01", is_buy=False, reduce_only=True, position_side=PositionSide.LONG)
    ),
    ("usdm", "plain limit order"): encode.place_call(USDM, order("USDBRLUSDT", "1", "5")),
    ("usdm", "modify an order"): encode.modify_call(USDM, order("LTCUSDT", "0.25", "51"), order_id="661753725"),
    ("usdm", "cancel by order id"): encode.cancel_call(USDM, "LTCUSDT", order_id="652509009"),
    ("usdm", "cancel by client order id"): encode.cancel_call(USDM, "BTCUSDT", cid="myswap"),
    ("usdm", "cancel all on a symbol"): encode.cancel_all_call(USDM, "LTCUSDT"),
    ("coinm", "cancel by order id"): encode.cancel_call(COINM, "BTCUSD_PERP", order_id="652509009"),
    ("coinm", "cancel all on a symbol"): encode.cancel_all_call(COINM, "BTCUSD_PERP"),
}
#: What the venue says to leave out of a comparison, and ids that the recording library made up.
IGNORED = ("timestamp=", "signature=", "recvWindow=", "newClientOrderId=")


def parts(text: str | None) -> list[str]:
    return sorted(part for part in (text or "").split("&") if part and not part.startswith(IGNORED))


def recorded(market: str) -> dict[str, dict[str, Any]]:
    items = load(f"binance_{market}/requests.json")
    pairs = [i for i in (items["items"] if items else []) if i["kind"] == "request_pair"]
    return {pair["description"]: pair["expected"] for pair in pairs}


@needs_data
@pytest.mark.parametrize(("market", "description"), CALLS, ids=lambda v: v if isinstance(v, str) else None)
def test_a_recorded_request_is_met(market: str, description: str) -> None:
    """Method, path, where the parameters stand, and each of them byte for byte; their order is free at this venue."""
    expected = recorded(market)[description]
    sent = wire("https://x", CALLS[market, description], CREDENTIALS, 7)
    url, _, query = sent.url.partition("?")
    assert (sent.method, url.removeprefix("https://x")) == (expected["http_method"], expected["path"])
    assert parts(query) == parts(expected["url"].partition("?")[2])
    assert parts(sent.body.decode()) == parts(expected["body"])


@needs_data
def test_batches_are_lists_of_the_same_orders() -> None:
    placed = encode.place_many_call(USDM, [order("LTCUSDT", "0.1", "60"), order("LTCUSDT", "0.11", "61")])
    body = wire("https://x", placed, CREDENTIALS, 7).body.decode()
    rows = json.loads(unquote(body.split("batchOrders=")[1].split("&")[0]))
    text = recorded("usdm")["batch orders (the array is JSON text; percent-encode it on the wire before signing)"]["body"]
    theirs = json.loads(unquote(text).split("batchOrders=")[1].split("&recvWindow")[0])
    for ours, other in zip(rows, theirs, strict=True):
        assert {**ours, "newClientOrderId": ""} == {**other, "newClientOrderId": ""}
    canceled = wire("https://x", encode.cancel_many_call(USDM, "LTCUSDT", ["652511506"]), CREDENTIALS, 7)
    theirs = recorded("usdm")["batch cancel by ids (percent-encoded JSON array)"]
    assert parts(canceled.url.partition("?")[2]) == parts(theirs["url"].partition("?")[2])


@needs_data
def test_of_every_recorded_request_it_is_said_whether_the_connector_makes_it() -> None:
    not_made = ("trailing", "conditional", "batch")
    for market in MARKETS:
        for description in recorded(market):
            assert (market, description) in CALLS or any(word in description for word in not_made), description


@pytest.mark.parametrize(
    ("market", "terms", "expected"),
    [
        (SPOT, order("X", "1", "2", tif=Tif.GTX), {"type": "LIMIT_MAKER", "timeInForce": None, "newOrderRespType": "FULL"}),
        (USDM, order("X", "1", "2", tif=Tif.GTX), {"type": "LIMIT", "timeInForce": "GTX", "newOrderRespType": "RESULT"}),
        (SPOT, order("X", "1", reduce_only=True), {"type": "MARKET", "timeInForce": None, "reduceOnly": None}),
        (USDM, order("X", "1", reduce_only=True), {"type": "MARKET", "reduceOnly": True, "positionSide": None}),
        (COINM, order("X", "1", "2", tif=Tif.FOK), {"timeInForce": "FOK"}),
    ],
)
def test_each_market_gets_the_words_that_it_takes(market: Market, terms: OrderTerms, expected: dict[str, Any]) -> None:
    parameters = encode.place_call(market, terms).parameters
    assert {name: parameters[name] for name in expected} == expected


def test_an_order_is_never_repeatable_and_a_question_always() -> None:
    terms = order("X", "1", "2")
    for call in (
        encode.place_call(USDM, terms),
        encode.place_many_call(USDM, [terms]),
        encode.modify_call(USDM, terms),
        encode.shrink_call(SPOT, "X", "a", D(1)),
        encode.cancel_replace_call(SPOT, terms, cancel_cid="b"),
        encode.cancel_call(SPOT, "X", "a"),
        encode.cancel_all_call(SPOT, "X"),
    ):
        assert not call.is_repeatable
        assert call.is_signed
    for call in (
        encode.query_call(SPOT, "X", "a"),
        encode.open_orders_call(USDM),
        encode.fills_call(USDM, "X"),
        encode.positions_call(COINM),
        encode.balances_call(SPOT),
        encode.account_call(SPOT),
        encode.mode_call(USDM),
        encode.commission_call(SPOT, "X"),
    ):
        assert call.is_repeatable
        assert call.method == "GET"


def test_weights_and_order_counts_are_the_venues() -> None:
    assert (encode.place_call(SPOT, order("X", "1", "2")).weight, encode.place_call(USDM, order("X", "1", "2")).weight) == (
        1,
        0,
    )
    assert encode.place_many_call(USDM, [order("X", "1", "2")] * 3).orders == 3
    assert (encode.query_call(SPOT, "X", "a").weight, encode.query_call(USDM, "X", "a").weight) == (4, 1)
    assert (encode.open_orders_call(USDM).weight, encode.open_orders_call(USDM, "X").weight) == (40, 1)
    assert encode.book_call(SPOT, "X").weight == 50


def test_public_and_keyed_requests_are_not_signed() -> None:
    for call in (encode.time_call(SPOT), encode.instruments_call(USDM), encode.book_call(USDM, "X")):
        assert not call.is_signed
        assert not call.is_keyed
    key = encode.listen_key_call(USDM, "PUT")
    assert (key.path, key.is_keyed, key.is_signed) == ("/fapi/v1/listenKey", True, False)


def test_fills_are_asked_by_order_or_from_an_id() -> None:
    assert encode.fills_call(USDM, "X", order_id="7", from_id=3).parameters == {
        "symbol": "X",
        "orderId": "7",
        "fromId": None,
        "limit": 500,
    }
    assert encode.fills_call(USDM, "X", from_id=3).parameters["fromId"] == 3


def test_a_smaller_spot_order_keeps_its_id() -> None:
    assert encode.shrink_call(SPOT, "X", "mine", D("0.5")).parameters == {
        "symbol": "X",
        "origClientOrderId": "mine",
        "newClientOrderId": "mine",
        "newQty": D("0.5"),
    }
    assert encode.leverage_call(USDM, "X", 7).parameters == {"symbol": "X", "leverage": 7}


@pytest.mark.parametrize(
    "symbol", ['BTC"},{', "btcusdt", "BTC USDT", "BTC-USDT", "", "A" * 40, "BTC{}", "BTCUSDT@depth", "X\n"]
)
def test_a_symbol_with_anything_else_in_it_is_refused(symbol: str) -> None:
    """H8.31: quotes and braces never reach a message."""
    message = f"symbol {symbol!r} is not one of Binance's; write it as in BTCUSDT or BTCUSD_PERP"
    for make in (
        lambda: encode.book_call(USDM, symbol),
        lambda: encode.stream_names([symbol], ["trade"]),
        lambda: encode.place_call(USDM, order(symbol, "1", "2")),
    ):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value) == message


@given(st.text())
def test_a_client_order_id_is_taken_or_refused(cid: str) -> None:
    """H8.32."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,36}", cid):
        call = encode.cancel_call(USDM, "X", cid)
        assert f"origClientOrderId={cid}" in wire("https://x", call, CREDENTIALS, 1).url
        return
    with pytest.raises(ConfigError) as caught:
        encode.cancel_call(USDM, "X", cid)
    message = f"client order id {cid!r} is not 1 to 36 of letters, digits, '-' and '_'; choose another"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: encode.place_many_call(SPOT, [order("X", "1", "2")]),
            "binance-spot: 1 orders at once; futures take 1 to 5, spot takes them one by one",
        ),
        (
            lambda: encode.place_many_call(USDM, []),
            "binance-usdm: 0 orders at once; futures take 1 to 5, spot takes them one by one",
        ),
        (
            lambda: encode.cancel_many_call(USDM, "X", ["1"] * 11),
            "binance-usdm: 11 cancels at once; futures take 1 to 10, spot one by one",
        ),
        (
            lambda: encode.stream_names(["X"], ["kline_1m"]),
            "stream 'kline_1m' is not used here; choose of depth@100ms, trade, aggTrade, bookTicker, markPrice@1s",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_streams_are_named_in_lower_case_and_subscribed_by_a_serialiser() -> None:
    """H8.31."""
    names = encode.stream_names(["BTCUSDT", "BTCUSD_PERP"], ["depth@100ms", "trade"])
    assert names == ["btcusdt@depth@100ms", "btcusdt@trade", "btcusd_perp@depth@100ms", "btcusd_perp@trade"]
    assert json.loads(encode.control_message("SUBSCRIBE", names[:1], 1)) == {
        "method": "SUBSCRIBE",
        "params": ["btcusdt@depth@100ms"],
        "id": 1,
    }
    hostile = encode.control_message("X", {"a": 'b"},{"c":"d'}, "e")
    assert json.loads(hostile)["params"] == {"a": 'b"},{"c":"d'}
