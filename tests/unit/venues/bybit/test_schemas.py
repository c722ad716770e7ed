"""Every recorded payload decodes, to what it says; what is missing, empty or new costs nothing but itself."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.venues.bybit.orders import fill_of, order_of, position_of
from queuefront.venues.bybit.schemas import (
    AccountInfo,
    CoinRow,
    Control,
    ExecutionRow,
    FeeRow,
    InstrumentRow,
    OrderRow,
    Placed,
    PositionRow,
    Rows,
    ServerTime,
    WalletRow,
    decode_page,
    decode_private,
    decode_result,
    number,
    time_ns,
)
from queuefront.venues.bybit.vocabulary import ExecKind, OrderKind, PositionSide, Status, Tif
from queuefront.venues.errors import MessageError
from tests.venue_data import DATA, files, load, needs_data

D = Decimal
MS = 10**6

#: Which rows a recorded answer holds, by how its file begins, and by its path or page in the collections.
ROW_KINDS: dict[str, Any] = {
    "get_executions": ExecutionRow, "get_fee_rate": FeeRow, "get_instruments": InstrumentRow, "get_order_": OrderRow,
    "get_orders": OrderRow, "get_positions": PositionRow, "get_wallet": WalletRow,
    "/v5/account/wallet-balance": WalletRow, "/v5/account/fee-rate": FeeRow, "/v5/market/instruments-info": InstrumentRow,
    "/v5/order/cancel-all": Placed, "/v5/order/history": OrderRow, "/v5/order/realtime": OrderRow,
    "/v5/position/list": PositionRow, "/v5/execution/list": ExecutionRow, "market/instrument": InstrumentRow,
    "order/open-order": OrderRow, "order/order-list": OrderRow, "order/execution": ExecutionRow, "order/cancel-all": Placed,
    "position/position": PositionRow, "account/wallet-balance": WalletRow, "account/fee-rate": FeeRow,
}  # fmt: skip
RESULT_KINDS: dict[str, Any] = {
    "get_account_info": AccountInfo, "/v5/account/info": AccountInfo, "account/account-info": AccountInfo,
    "market/time": ServerTime, "/v5/order/create": Placed, "/v5/order/amend": Placed, "/v5/order/cancel": Placed,
    "order/create-order": Placed, "order/amend-order": Placed, "order/cancel-order": Placed,
}  # fmt: skip
#: Answers to what this connector does not ask, and market data, which have a decoder of their own.
NOT_OURS = {
    "get_trades", "get_orderbook", "market/orderbook", "market/recent-trade", "market/order-price-limit",
    "order/batch-place", "order/batch-cancel", "order/batch-amend", "order/dcp", "position/leverage",
    "position/position-mode",
    "/v5/position/set-leverage", "/v5/account/set-margin-mode", "/v5/position/switch-isolated", "/v5/position/switch-mode",
    "/v5/earn/order", "/v5/earn/place-order", "/v5/market/price-limit", "/v5/market/orderbook", "/v5/market/recent-trade",
    "/v5/order/cancel-batch", "/v5/order/amend-batch", "/v5/order/create-batch", "/v5/order/pre-check",
    "/v5/order/disconnected-cancel-all", "/v5/position/trading-stop",
}  # fmt: skip


def answers() -> list[tuple[str, Any]]:
    found = [(path.stem, json.loads(path.read_text())) for path in files("bybit/rest/*.json")]
    found += [(pair["path"], pair["response"]) for pair in load("bybit/rest_pairs.json")]
    found += [(p["page"], body) for p in load("bybit/rest_doc_examples.json") for body in p["response_examples"]]
    return found


def kind_of(name: str, kinds: dict[str, Any]) -> Any:
    exact = kinds.get(name)
    return exact or next((kind for key, kind in kinds.items() if key.startswith("get_") and name.startswith(key)), None)


# --- answers --------------------------------------------------------------------------------------------------------------
@needs_data
def test_every_recorded_answer_decodes() -> None:
    counts = {"rows": 0, "results": 0, "others": 0}
    for name, body in answers():
        raw = json.dumps(body).encode()
        if (rows := kind_of(name, ROW_KINDS)) is not None:
            page = decode_page(rows, raw, name)
            assert page.unreadable == [], name
            assert len(page.rows) == len(body["result"]["list"]), name
            for row in page.rows:
                assert_row(row, name)
            counts["rows"] += len(page.rows)
        elif (result := kind_of(name, RESULT_KINDS)) is not None:
            decode_result(result, raw, name)
            counts["results"] += 1
        else:
            assert any(name.startswith(other) for other in NOT_OURS), name
            counts["others"] += 1
    assert counts["rows"] > 40
    assert counts["results"] >= 8


def assert_row(row: Any, name: str) -> None:
    """Each row says something that can be used: known words, a time that can be true, numbers that are some."""
    if isinstance(row, OrderRow):
        order = order_of(row)
        assert order.status is not Status.UNSUPPORTED, name
        assert order.kind is not OrderKind.UNSUPPORTED, name
        assert order.tif is not Tif.UNSUPPORTED, name
        assert order.exch_ts > 0, name
        assert order.order_qty is not None, name
        assert order.is_buy is not None, name
    elif isinstance(row, ExecutionRow):
        fill = fill_of(row)
        assert fill.kind is not ExecKind.UNSUPPORTED, name
        assert fill.exch_ts > 0, name
        assert fill.qty > 0, name
        assert fill.price is not None, name
    elif isinstance(row, PositionRow):
        position = position_of(row)
        assert position.side is not PositionSide.UNSUPPORTED, name
        assert (position.qty == 0) == (position.side is PositionSide.FLAT), name
    elif isinstance(row, WalletRow):
        assert all(coin.coin for coin in row.coin), name
        assert all(coin.total is not None for coin in row.coin), name
    elif isinstance(row, FeeRow):
        assert number(row.maker_fee_rate, "maker") is not None, name
    elif isinstance(row, InstrumentRow):
        assert number(row.price_filter.tick_size, "tick"), name


@needs_data
def test_answers_say_what_was_asked() -> None:
    time = next(body for name, body in answers() if name == "market/time")
    assert decode_result(ServerTime, json.dumps(time).encode(), "t").time_nano == "1688639403423213947"
    placed = next(body for name, body in answers() if name == "/v5/order/create")
    assert decode_result(Placed, json.dumps(placed).encode(), "p").order_id == "1321003749386327552"
    body = (DATA / "bybit/rest/get_positions.json").read_bytes()
    first = position_of(decode_page(PositionRow, body, "p").rows[0])
    assert (first.symbol, first.side, first.qty, first.leverage) == ("BTCUSDT", PositionSide.BUY, D("0.5"), D(10))
    assert first.exch_ts == 1697673600012 * MS
    body = (DATA / "bybit/rest/get_wallet_balance.json").read_bytes()
    wallet = decode_page(WalletRow, body, "w").rows[0]
    assert wallet.account_type == "UNIFIED"


# H8.4
@pytest.mark.parametrize("result", ['{"category":"linear"}', '{"list":null}', "{}", "null", '{"list":{}}'])
def test_an_answer_without_a_list_says_its_code_and_how_it_begins(result: str) -> None:
    body = f'{{"retCode":0,"retMsg":"OK","result":{result}}}'.encode()
    with pytest.raises(MessageError) as refused:
        decode_page(PositionRow, body, "positions")
    words = str(refused.value)
    assert words.startswith("positions: the answer with retCode 0 has no list; it begins ")
    assert '{"retCode":0,"retMsg":"OK"' in words


# H8.4
def test_an_empty_list_is_an_answer() -> None:
    assert decode_page(PositionRow, b'{"retCode":0,"result":{"list":[]}}', "positions").rows == []


def test_a_row_that_cannot_be_read_takes_no_other_with_it() -> None:
    body = b'{"retCode":0,"result":{"list":[{"symbol":"A"},{"symbol":7},{"symbol":"B"}],"nextPageCursor":"c"}}'
    page = decode_page(PositionRow, body, "positions")
    assert ([row.symbol for row in page.rows], page.cursor) == (["A", "B"], "c")
    assert page.unreadable[0].startswith("positions, row 1: Expected `str`, got `int`")


def test_a_result_of_another_shape_is_told() -> None:
    with pytest.raises(MessageError, match=r"time: .*timeSecond.*begins"):
        decode_result(ServerTime, b'{"retCode":0,"result":{}}', "time")
    with pytest.raises(MessageError):
        decode_result(ServerTime, b"<html>", "time")


# --- numbers and times ----------------------------------------------------------------------------------------------------
def test_numbers_are_exact_and_nothing_is_none() -> None:
    assert number("0.10", "x") == D("0.10")
    assert str(number("123456789.123456789", "x")) == "123456789.123456789"
    assert (number("", "x"), number(None, "x"), number(7, "x")) == (None, None, D(7))
    for text in ("abc", "NaN", "Infinity", "1,5", "--"):
        with pytest.raises(MessageError, match=r"price is .* which is no number"):
            number(text, "price")


# H8.12
def test_a_time_is_in_ns_or_is_none() -> None:
    assert time_ns("1697673600012") == time_ns(1697673600012) == 1697673600012 * MS
    for text in ("", None, "0", 0, "junk", "1697673600", "1697673600012000000", 1e300):
        assert time_ns(text) == 0


# --- the private stream ---------------------------------------------------------------------------------------------------
def pushes() -> list[tuple[str, Any]]:
    found = [(path.stem, json.loads(path.read_text())) for path in files("bybit/ws_private/*.json")]
    for session in load("bybit/ws_sessions.json"):
        found += [(session["source"], e["msg"]) for e in session["events"] if e["dir"] != "client_sends"]
    for page in load("bybit/ws_doc_examples.json"):
        found += [(page["page"], e) for e in page["examples"] if not ("args" in e and e.get("op") != "pong")]
    return [(name, message) for name, message in found if "topic" in message or "op" in message]


@needs_data
def test_every_recorded_push_of_an_account_decodes() -> None:
    topics: dict[str, int] = {}
    for name, message in pushes():
        topic = str(message.get("topic", "")).partition(".")[0]
        decoded = decode_private(json.dumps(message).encode())
        if topic not in ("order", "execution", "position", "wallet"):
            assert isinstance(decoded, str if topic else Control), name
            continue
        assert isinstance(decoded, Rows), name
        assert decoded.unreadable == [], name
        assert len(decoded.rows) == len(message["data"]), name
        for row in decoded.rows:
            assert_row(row, name)
        topics[topic] = topics.get(topic, 0) + len(decoded.rows)
    assert min(topics.values()) >= 4
    assert len(topics) == 4


@needs_data
def test_pushes_say_what_happened() -> None:
    def row(name: str) -> Any:
        decoded = decode_private((DATA / f"bybit/ws_private/{name}.json").read_bytes())
        assert isinstance(decoded, Rows)
        return decoded.rows[0]

    canceled = order_of(row("account_order"))
    assert (canceled.status, canceled.cum_qty, canceled.is_venues_end) == (Status.CANCELED, D(0), False)
    filled = order_of(row("account_order_filled"))
    assert (filled.status, filled.cum_qty, filled.cum_value) == (Status.FILLED, D("0.100"), D("3000.05"))
    assert (filled.cid, filled.average) == ("test-client-order-001", D("30000.50"))
    assert order_of(row("account_order_stop_market")).status is Status.UNTRIGGERED
    fill = fill_of(row("account_execution"))
    assert (fill.kind, fill.qty, fill.price, fill.fee) == (ExecKind.TRADE, D("0.5"), D("95900.1"), D("26.3725275"))
    assert (fill.is_maker, fill.is_buy, fill.exch_ts) == (False, False, 1746270400353 * MS)
    fast = fill_of(row("account_execution_fast"))
    assert (fast.kind, fast.fee, fast.cid) == (ExecKind.TRADE, None, "test-order-link-001")
    assert fill_of(row("account_execution_adl")).is_foreign
    short = position_of(row("account_position"))
    assert (short.side, short.qty) == (PositionSide.SELL, D("0.01"))
    coins = {coin.coin: coin.total for coin in row("account_wallet").coin}
    assert coins == {"BTC": D("0.00102964"), "USDT": D("9647.75537647")}


@needs_data
def test_a_bare_position_row_decodes_too() -> None:
    raw = (DATA / "bybit/ws_private/account_position_with_open_time.json").read_bytes()
    message = b'{"topic":"position","creationTime":1,"data":[' + raw + b"]}"
    decoded = decode_private(message)
    assert isinstance(decoded, Rows)
    assert position_of(decoded.rows[0]).qty == D("0.1")  # type: ignore[arg-type]


@needs_data
def test_words_and_fields_that_nobody_knows_lose_nothing() -> None:
    message = json.loads((DATA / "bybit/ws_private/account_order_filled.json").read_text())
    message["data"][0] |= {"orderStatus": "Frozen", "orderType": "Iceberg", "timeInForce": "GTX", "brandNew": {"a": [1]}}
    decoded = decode_private(json.dumps(message).encode())
    assert isinstance(decoded, Rows)
    order = order_of(decoded.rows[0])  # type: ignore[arg-type]
    assert (order.status, order.status_text) == (Status.UNSUPPORTED, "Frozen")
    assert (order.kind, order.tif, order.cum_qty) == (OrderKind.UNSUPPORTED, Tif.UNSUPPORTED, D("0.100"))


# H8.1
@pytest.mark.parametrize(
    ("part", "is_success"),
    [
        ("", False),
        ('"success":null,', False),
        ('"success":false,', False),
        ('"success":true,', True),
        ('"success":1,', False),
    ],
)
def test_only_true_is_success(part: str, is_success: bool) -> None:
    control = decode_private(f'{{{part}"ret_msg":"why","op":"subscribe","req_id":"2"}}'.encode())
    assert control == Control("subscribe", "2", is_success, 0, "why")


# H8.2
@pytest.mark.parametrize("part", ["", '"ret_msg":null,', '"ret_msg":7,', '"retMsg":"",'])
def test_a_missing_text_is_an_empty_one(part: str) -> None:
    control = decode_private(f'{{{part}"success":false,"op":"auth"}}'.encode())
    assert control == Control("auth", "", False, 0, "")


@needs_data
def test_a_refused_login_says_its_code() -> None:
    failed = decode_private((DATA / "bybit/ws_private/auth_failure.json").read_bytes())
    assert failed == Control("auth", "", False, 10003, "Invalid apikey")
    passed = decode_private((DATA / "bybit/ws_private/auth_success.json").read_bytes())
    assert isinstance(passed, Control)
    assert passed.is_success


@pytest.mark.parametrize("message", [b"", b"<html>", b"[]", b"\xff", b'{"topic":"order"}', b'{"topic":"order","data":{}}'])
def test_what_is_no_message_is_told(message: bytes) -> None:
    with pytest.raises(MessageError):
        decode_private(message)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda c: st.lists(c, max_size=3)))
def test_no_field_of_any_type_ends_the_stream(value: Any) -> None:
    for field in ("success", "ret_msg", "op", "req_id", "retCode"):
        assert isinstance(decode_private(json.dumps({field: value}).encode()), Control)


def test_a_coin_without_a_number_is_worth_nothing() -> None:
    assert CoinRow(coin="X").total == 0
