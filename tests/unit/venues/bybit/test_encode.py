"""Requests in the venue's words, byte for byte where a recording shows them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.venues.bybit import encode
from queuefront.venues.bybit.encode import OrderTerms, stream_message, topics
from queuefront.venues.bybit.markets import Market, Product
from queuefront.venues.bybit.sign import wire
from queuefront.venues.bybit.vocabulary import OrderKind, Tif
from queuefront.venues.rest import Call
from tests.unit.venues.bybit.fake_rest import CREDENTIALS
from tests.venue_data import load, needs_data

D = Decimal
LINEAR, INVERSE, SPOT = (Market(product) for product in Product)


def terms(symbol: str, qty: str, price: str | None = None, *, is_buy: bool = True, **fields: Any) -> OrderTerms:
    kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
    return OrderTerms(symbol, is_buy, "mine", D(qty), None if price is None else D(price), kind, **fields)


#: Each recorded request, and what of ours must be it.
OURS: dict[str, Call] = {
    "linear limit": encode.place_call(LINEAR, terms("ADAUSDT", "50", "0.1")),
    "spot limit": encode.place_call(SPOT, terms("ADAUSDT", "50", "0.1")),
    "spot post-only": encode.place_call(SPOT, terms("LTCUSDT", "0.1", "60", tif=Tif.POST_ONLY)),
    "linear post-only reduce-only": encode.place_call(
        LINEAR, terms("LTCUSDT", "0.1", "100", is_buy=False, tif=Tif.POST_ONLY, reduce_only=True)
    ),
    "inverse market": encode.place_call(INVERSE, terms("BTCUSD", "1")),
    "inverse market reduce-only": encode.place_call(INVERSE, terms("BTCUSD", "1", is_buy=False, reduce_only=True)),
    "spot market buy sized in base coin": encode.place_call(SPOT, terms("LTCUSDT", "0.2")),
    "linear trigger above": encode.place_call(
        LINEAR, terms("BTCUSDT", "0.001", "37000", extra={"triggerDirection": 1, "triggerPrice": D(37000)})
    ),
    "linear cancel": encode.cancel_call(LINEAR, "LTCUSDT", order_id="8caeea8c-cf80-4b06-83e8-bb7df45fc122"),
    "spot cancel": encode.cancel_call(SPOT, "LTCUSDT", order_id="1513125485218108928"),
    "linear cancel all": encode.cancel_all_call(LINEAR, "BTCUSDT"),
    "linear open orders": encode.orders_call(LINEAR, "LTCUSDT"),
    "spot open orders": encode.orders_call(SPOT, "LTCUSDT"),
    "linear executions": encode.executions_call(LINEAR, "LTCUSDT", exec_type="Trade"),
    "linear positions": encode.positions_call(LINEAR),
    "inverse position": encode.positions_call(INVERSE, "BTCUSD"),
    "wallet": encode.wallet_call(),
    "leverage linear": encode.leverage_call(LINEAR, "LTCUSDT", 6),
}
#: What this connector does not send: several orders at once, and a mode that it never changes.
NOT_SENT = {"linear batch", "batch cancel by client id", "hedge mode", "one-way mode"}


def pairs() -> list[Any]:
    items = load("bybit/requests.json")
    return [i for i in items["items"] if i["kind"] == "request_pair"] if items else []


@needs_data
@pytest.mark.parametrize("pair", pairs(), ids=lambda p: p["description"])
def test_every_recorded_request_is_met_byte_for_byte(pair: dict[str, Any]) -> None:
    if pair["description"] in NOT_SENT:
        assert pair["description"] not in OURS
        return
    expected = pair["expected"]
    sent = wire("https://api-testnet.bybit.com", OURS[pair["description"]], CREDENTIALS, 1)
    # Ours always carries a client order id, and always last.
    body = sent.body.decode().replace(',"orderLinkId":"mine"', "")
    assert (sent.method, sent.url, body) == (expected["http_method"], expected["url"], expected["body"] or "")


@needs_data
def test_every_recorded_request_is_accounted_for() -> None:
    assert {pair["description"] for pair in pairs()} == set(OURS) | NOT_SENT


def test_an_order_always_carries_its_client_id() -> None:
    sent = wire("", encode.place_call(LINEAR, terms("ADAUSDT", "50", "0.1")), CREDENTIALS, 1)
    assert json.loads(sent.body)["orderLinkId"] == "mine"


def test_an_order_of_a_hedged_account_names_its_position() -> None:
    call = encode.place_call(LINEAR, terms("ADAUSDT", "50", "0.1", position_idx=2, tif=Tif.IOC))
    assert (call.parameters["positionIdx"], call.parameters["timeInForce"]) == (2, "IOC")
    assert encode.place_call(SPOT, terms("ADAUSDT", "5", "1", reduce_only=True)).parameters["reduceOnly"] is None


def test_orders_are_never_repeated_and_questions_are() -> None:
    place = encode.place_call(LINEAR, terms("ADAUSDT", "50", "0.1"))
    amend = encode.amend_call(LINEAR, "ADAUSDT", D(1), D(2), cid="mine")
    cancel = encode.cancel_call(LINEAR, "ADAUSDT", cid="mine")
    assert [c.is_repeatable for c in (place, amend, cancel)] == [False] * 3
    assert [c.orders for c in (place, amend, cancel)] == [1, 1, 0]
    assert cancel.is_urgent
    assert dict(amend.parameters) == {
        "symbol": "ADAUSDT", "orderLinkId": "mine", "category": "linear", "qty": D(1), "price": D(2),
    }  # fmt: skip
    for question in (encode.orders_call(LINEAR), encode.history_call(LINEAR, "X1", cid="a"), encode.account_call()):
        assert question.is_repeatable
        assert question.is_signed


def test_pages_and_times_are_asked_for_where_they_are_given() -> None:
    call = encode.executions_call(LINEAR, "BTCUSDT", order_id="7", start_ms=5, cursor="c%3A", limit=100)
    sent = wire("", call, CREDENTIALS, 1)
    assert sent.url == "/v5/execution/list?symbol=BTCUSDT&category=linear&orderId=7&startTime=5&limit=100&cursor=c%253A"
    assert wire("", encode.orders_call(INVERSE), CREDENTIALS, 1).url == "/v5/order/realtime?category=inverse"
    assert "settleCoin=USDC" in wire("", encode.orders_call(LINEAR, settle_coin="USDC"), CREDENTIALS, 1).url


@pytest.mark.parametrize(
    "symbol", ['BTC"USDT', "BTC{}", "btcusdt", "", "B", "BTC USDT", "BTC/USDT", "BTCUSDT\n", "BTC&a=1"]
)
def test_a_symbol_with_anything_else_in_it_is_refused(symbol: str) -> None:
    """H8.31."""
    for make in (
        lambda: encode.orders_call(LINEAR, symbol),
        lambda: encode.cancel_all_call(LINEAR, symbol),
        lambda: encode.book_call(LINEAR, symbol),
        lambda: topics(LINEAR, [symbol], ["orderbook"]),
    ):
        with pytest.raises(ConfigError, match=r"is not one of Bybit's"):
            make()


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCUSD", "BTCUSDH26", "1000PEPEUSDT", "BTC-26SEP25", "BTCPERP"])
def test_every_kind_of_symbol_is_taken(symbol: str) -> None:
    assert encode.cancel_all_call(LINEAR, symbol).parameters["symbol"] == symbol


@pytest.mark.parametrize(
    ("cid", "is_taken"), [("a" * 36, True), ("a-_9Z", True), ("", False), ("a" * 37, False), ("a.b", False)]
)
def test_a_client_order_id_is_taken_or_refused(cid: str, is_taken: bool) -> None:
    if is_taken:
        assert encode.cancel_call(LINEAR, "BTCUSDT", cid=cid).parameters["orderLinkId"] == cid
        return
    with pytest.raises(ConfigError, match="client order id"):
        encode.cancel_call(LINEAR, "BTCUSDT", cid=cid)


def test_topics_and_messages_are_written_by_a_serialiser() -> None:
    """H8.31."""
    names = topics(LINEAR, ["BTCUSDT"], ["orderbook", "publicTrade", "tickers"])
    assert names == ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"]
    assert (
        stream_message("subscribe", names[:1], '1"')
        == b'{"req_id":"1\\"","op":"subscribe","args":["orderbook.50.BTCUSDT"]}'
    )
    assert stream_message("ping") == b'{"op":"ping"}'
    with pytest.raises(ConfigError, match="stream 'kline' is not used here"):
        topics(LINEAR, ["BTCUSDT"], ["kline"])


def test_the_market_is_asked_without_a_key() -> None:
    calls = (encode.time_call(), encode.instruments_call(SPOT, "c"), encode.book_call(SPOT, "BTCUSDT"))
    assert [call.is_signed for call in calls] == [False] * 3
    assert wire("", calls[1], None, 1).url == "/v5/market/instruments-info?category=spot&limit=1000&cursor=c"
    assert wire("", calls[2], None, 1).url == "/v5/market/orderbook?category=spot&symbol=BTCUSDT&limit=200"
    assert wire("", encode.fees_call(SPOT, "BTCUSDT"), CREDENTIALS, 1).url.endswith("?symbol=BTCUSDT&category=spot")
