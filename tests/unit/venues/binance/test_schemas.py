"""Every recorded answer decodes, to its stated meaning; others raise one kind of error that says where."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.venues.binance.schemas import (
    Account,
    Ack,
    Amended,
    ApiReply,
    Asset,
    BookTop,
    Commission,
    DepthSnapshot,
    DualSide,
    ExchangeInfo,
    ListenKey,
    OrderRow,
    PositionRow,
    PublicTrade,
    Replaced,
    ServerTime,
    SymbolRow,
    SymbolSettings,
    TradeRow,
    decode,
)
from queuefront.venues.binance.vocabulary import OrderKind, PositionSide, Status, Tif
from queuefront.venues.errors import MessageError
from tests.venue_data import files, load, needs_data

#: Which record an endpoint answers with, by the end of its path; a list where the answer is one.
RECORDS: dict[str, type[Any]] = {
    "/time": ServerTime,
    "/exchangeInfo": ExchangeInfo,
    "/depth": DepthSnapshot,
    "/trades": PublicTrade,
    "/ticker/bookTicker": BookTop,
    "/order": OrderRow,
    "/openOrder": OrderRow,
    "/openOrders": OrderRow,
    "/allOrders": OrderRow,
    "/batchOrders": OrderRow,
    "/forceOrders": OrderRow,
    "/order/cancelReplace": Replaced,
    "/order/amend/keepPriority": Amended,
    "/myTrades": TradeRow,
    "/userTrades": TradeRow,
    "/positionRisk": PositionRow,
    "/balance": Asset,
    "/account": Account,
    "/account/commission": Commission,
    "/commissionRate": Commission,
    "/leverage": SymbolSettings,
    "/symbolConfig": SymbolSettings,
    "/positionSide/dual": DualSide,
    "/marginType": Ack,
    "/allOpenOrders": Ack,
    "/listenKey": ListenKey,
}
#: Endpoints that the connector does not call.
NOT_CALLED = {
    "/rateLimit/order", "/tradeFee", "/aggTrades", "/myPreventedMatches", "/order/test", "/accountConfig",
    "/leverageBracket",
    "/multiAssetsMargin", "/premiumIndex", "/countdownCancelAll", "/algoOrder", "/openAlgoOrders", "/orderAmendment",
}  # fmt: skip


def record_of(path: str) -> type[Any] | None:
    ends = [end for end in (*RECORDS, *NOT_CALLED) if path.endswith(end)]
    assert ends, f"nobody has said what {path} answers"
    return RECORDS.get(max(ends, key=len))


def read(path: str, answer: Any, method: str = "GET") -> Any:
    kind = record_of(path)
    if kind is None:
        return None
    if kind is DualSide and method == "POST":
        kind = Ack
    if kind is Replaced and "data" in answer:
        answer = answer["data"]
    body = json.dumps(answer).encode()
    return decode(list[kind], body, path) if isinstance(answer, list) else decode(kind, body, path)  # type: ignore[valid-type]


@needs_data
@pytest.mark.parametrize("market", ["spot", "usdm", "coinm"])
def test_every_recorded_pair_decodes(market: str) -> None:
    """H9.6 (spot), H9.7 (USD-M), H9.8 (COIN-M): the shapes that are promised are the shapes that are read."""
    pairs = [p for p in load(f"binance_{market}/rest_pairs.json") if p["response"] is not None]
    assert len(pairs) >= 20
    decoded = [(p, read(p["path"], p["response"], p["http_method"])) for p in pairs]
    for pair, record in decoded:
        for row in record if isinstance(record, list) else [record]:
            if isinstance(row, OrderRow) and not row.code:
                assert row.status is not Status.UNSUPPORTED, pair["path"]
                assert row.kind is not OrderKind.UNSUPPORTED, pair["path"]
                assert row.tif is not Tif.UNSUPPORTED, pair["path"]
                assert row.cid
                assert row.qty is not None
                assert row.executed_qty is not None
                assert row.exch_ms > 0


@needs_data
def test_every_documented_example_of_spot_decodes() -> None:
    """H9.6."""
    for item in load("binance_spot/rest_doc_examples.json"):
        path, answer = item["endpoint"].split()[1], item["example"]
        if isinstance(answer, dict) and "code" in answer and "data" not in answer:
            assert decode(Ack, json.dumps(answer).encode(), path).code < 0
        else:
            read(path, answer)


#: Single files whose name does not say the endpoint.
FILES = {
    "account_orders": "/order", "account_trades": "/userTrades", "account_positions": "/positionRisk",
    "position_risk": "/positionRisk", "wallet_account": "/account", "account_response": "/account",
    "account_info": "/account", "docs_balance": "/balance", "exchange_info": "/exchangeInfo", "market_depth": "/depth",
    "depth_response": "/depth", "book_ticker": "/ticker/bookTicker", "trades": "/trades", "account_trades_": "/myTrades",
    "_time": "/time", "order_response": "/order", "orders_response": "/order", "order_full": "/order",
    "symbol_config": "/symbolConfig", "side_dual": "/positionSide/dual", "commission_rate": "/commissionRate",
    "trading_fee": "/tradeFee", "avg_price": "/premiumIndex", "ticker_price": "/premiumIndex", "algo_orders": "/algoOrder",
}  # fmt: skip


@needs_data
def test_every_single_file_decodes() -> None:
    paths = files("binance_*/rest/*.json")
    assert len(paths) > 35
    for path in paths:
        named = [part for part in FILES if part in path.stem]
        assert named, path.name
        read(FILES[max(named, key=len)], json.loads(path.read_text("utf-8")))


@needs_data
@pytest.mark.parametrize(
    "name", ["binance_spot/ws_api_sessions", "binance_usdm/ws_api_sessions", "binance_coinm/ws_api_sessions"]
)
def test_every_answer_of_the_websocket_api_decodes(name: str) -> None:
    count = 0
    for session in load(f"{name}.json"):
        for event in session["events"]:
            if event["dir"] != "client_sends" and "status" in event["msg"]:
                reply = decode(ApiReply, json.dumps(event["msg"]).encode(), name)
                assert reply.status == 200
                assert bytes(reply.result)
                count += 1
    assert count >= 7


@needs_data
def test_documented_answers_of_the_websocket_api_decode_and_errors_keep_their_code() -> None:
    replies = [
        decode(ApiReply, json.dumps(item["example"]).encode(), "ws-api")
        for item in load("binance_spot/ws_api_doc_examples.json")
        if "status" in item["example"]
    ]
    refused = [reply.error.code for reply in replies if reply.error is not None]
    assert len(replies) > 15
    assert {-2010, -2021, -2022, -1015} == set(refused)
    assert any(row.count is not None for reply in replies for row in reply.rate_limits)


def one(kind: type[Any], **fields: Any) -> Any:
    return decode(kind, json.dumps(fields).encode(), "test")


def test_a_placed_spot_order_tells_its_fills() -> None:
    order = one(
        OrderRow,
        symbol="BTCUSDT",
        orderId=28,
        clientOrderId="a",
        transactTime=1507725176595,
        origQty="10",
        executedQty="10",
        cummulativeQuoteQty="40000",
        status="FILLED",
        type="MARKET",
        side="SELL",
        fills=[{"price": "4000.00", "qty": "10", "commission": "4", "commissionAsset": "USDT", "tradeId": 56}],
    )
    assert (order.status, order.kind, order.exch_ms) == (Status.FILLED, OrderKind.MARKET, 1507725176595)
    assert (order.executed_qty, order.cum_quote_spot) == (Decimal(10), Decimal(40000))
    fill = order.fills[0]
    assert (fill.price, fill.qty, fill.commission, fill.commission_asset, fill.trade_id) == (
        Decimal(4000),
        Decimal(10),
        Decimal(4),
        "USDT",
        56,
    )


def test_a_spot_cancel_names_our_id_as_the_original() -> None:
    assert one(OrderRow, clientOrderId="cancelMyOrder1", origClientOrderId="myOrder1").cid == "myOrder1"
    assert one(OrderRow, clientOrderId="mine").cid == "mine"


def test_an_invented_word_and_an_invented_field_lose_nothing() -> None:
    """H8.17, H8.18, H8.20, H8.21."""
    order = one(
        OrderRow, clientOrderId="a", status="HALF_DONE", type="NEW_TYPE", timeInForce="FOREVER", st=1, executedQty="1"
    )
    assert (order.status, order.status_text) == (Status.UNSUPPORTED, "HALF_DONE")
    assert (order.kind, order.type_text) == (OrderKind.UNSUPPORTED, "NEW_TYPE")
    assert (order.tif, order.tif_text) == (Tif.UNSUPPORTED, "FOREVER")
    assert order.executed_qty == 1


def test_fees_come_in_two_shapes_and_without_rates_are_an_error() -> None:
    assert one(Commission, symbol="X", makerCommissionRate="0.0002", takerCommissionRate="0.0004").rates.taker == Decimal(
        "0.0004"
    )
    assert one(Commission, symbol="X", standardCommission={"maker": "0.1", "taker": "0.2"}).rates.maker == Decimal("0.1")
    with pytest.raises(MessageError) as caught:
        _ = one(Commission, symbol="X").rates
    assert str(caught.value) == "the commission of X names no rates; ask again, or set the fees by hand"


def test_a_balance_has_one_total_in_every_shape() -> None:
    assert one(Asset, asset="BTC", free="1.5", locked="0.5").total == 2
    assert one(Asset, asset="USDT", balance="7", availableBalance="3").total == 7
    assert one(Asset, asset="BTC", walletBalance="0.5").total == Decimal("0.5")
    assert one(Asset, asset="BTC").total == 0


def test_a_fill_tells_side_and_liquidity_in_both_shapes() -> None:
    shared = {"symbol": "X", "id": 1, "orderId": 2, "price": "1", "qty": "2", "time": 3}
    spot, futures = one(TradeRow, **shared, isBuyer=True, isMaker=False), one(TradeRow, **shared, buyer=False, maker=True)
    assert (spot.is_buy, spot.is_ours_maker, futures.is_buy, futures.is_ours_maker) == (True, False, False, True)


def test_a_position_keeps_sign_and_side() -> None:
    row = one(PositionRow, symbol="X", positionAmt="-10.000", positionSide="SHORT")
    assert (row.position_amt, row.position_side) == (-10, PositionSide.SHORT)


@pytest.mark.parametrize(
    ("field", "value", "is_trading"),
    [("status", "TRADING", True), ("contractStatus", "TRADING", True), ("status", "HALT", False)],
)
def test_a_symbol_trades_by_either_word(field: str, value: str, is_trading: bool) -> None:
    assert one(SymbolRow, symbol="X", **{field: value}).is_trading is is_trading


def test_a_listen_key_is_not_shown() -> None:
    assert repr(one(ListenKey, listenKey="secret")) == "ListenKey(***)"


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (
            ExchangeInfo,
            b'{"code":-1003,"msg":"x"}',
            'spot instruments: Object missing required field `symbols`; the answer begins \'{"code":-1003,"msg":"x"}\'',
        ),
        (
            ExchangeInfo,
            b'{"symbols":7}',
            "spot instruments: Expected `array`, got `int` - at `$.symbols`; the answer begins '{\"symbols\":7}'",
        ),
        (
            list[PositionRow],
            b"null",
            "spot instruments: Expected `array`, got `null`; the answer begins 'null'",
        ),
        (
            ListenKey,
            b'{"listenKey":"abc", "x"',
            'spot instruments: Input data was truncated; the answer begins \'{"listenKey":"***", "x"\'',
        ),
    ],
)
def test_another_shape_is_one_error_that_says_where(kind: type[Any], body: bytes, message: str) -> None:
    """H9.6, H9.7, H9.8: a missing list, a wrong type, an error body."""
    with pytest.raises(MessageError) as caught:
        decode(kind, body, "spot instruments")
    assert str(caught.value) == message


BODIES = [
    b'{"symbol":"X","orderId":1,"clientOrderId":"a","status":"NEW","origQty":"1","executedQty":"0","fills":[]}',
    b'{"lastUpdateId":1,"bids":[["1","2"]],"asks":[]}',
    b'[{"symbol":"X","positionAmt":"1","positionSide":"BOTH"}]',
    b'{"symbols":[{"symbol":"X"}],"rateLimits":[]}',
]


@settings(max_examples=300)
@given(st.sampled_from(BODIES), st.integers(0, 200), st.binary(max_size=3), st.integers(0, 4))
def test_mutated_answers_raise_nothing_else(body: bytes, place: int, put: bytes, cut: int) -> None:
    at = place % len(body)
    for kind in (OrderRow, DepthSnapshot, list[PositionRow], ExchangeInfo, Account, ApiReply, Commission):
        with suppress(MessageError):
            decode(kind, body[:at] + put + body[at + cut :], "fuzz")
