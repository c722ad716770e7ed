"""Every recorded push decodes to its stated meaning; a new word or field loses nothing; anything else is one error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.venues.binance.stream_schemas import (
    AccountConfig,
    AccountUpdate,
    AlgoUpdate,
    BalanceChange,
    Control,
    LiteTrade,
    OrderUpdate,
    Other,
    SpotBalances,
    StreamEnded,
    decode_user_message,
)
from queuefront.venues.binance.vocabulary import Execution, OrderKind, PositionSide, Status, Tif
from queuefront.venues.errors import MessageError
from tests.venue_data import files, load, needs_data

KINDS = {
    "executionReport": OrderUpdate,
    "ORDER_TRADE_UPDATE": OrderUpdate,
    "TRADE_LITE": LiteTrade,
    "ACCOUNT_UPDATE": AccountUpdate,
    "outboundAccountPosition": SpotBalances,
    "balanceUpdate": BalanceChange,
    "externalLockUpdate": BalanceChange,
    "ACCOUNT_CONFIG_UPDATE": AccountConfig,
    "ALGO_UPDATE": AlgoUpdate,
    "eventStreamTerminated": StreamEnded,
    "serverShutdown": StreamEnded,
    "listenKeyExpired": StreamEnded,
}


def read(message: Any) -> Any:
    return decode_user_message(json.dumps(message).encode())


def inner(message: Any) -> Any:
    return message.get("event", message.get("data", message)) if isinstance(message, dict) else message


@needs_data
@pytest.mark.parametrize("path", files("binance_*/ws_user/*.json"), ids=lambda p: p.stem)
def test_every_user_push_decodes_to_its_kind(path: Any) -> None:
    """H8.17 to H8.21 on every recorded variant, spot and futures."""
    message = json.loads(path.read_text("utf-8"))
    event = inner(message)
    decoded = read(message)
    assert type(decoded) is KINDS.get(event["e"], Other)
    if isinstance(decoded, OrderUpdate):
        fields = event.get("o", event) if isinstance(event.get("o"), dict) else event
        assert decoded.status_text == fields["X"]
        assert decoded.status is not Status.UNSUPPORTED
        assert decoded.execution is not Execution.UNSUPPORTED
        assert decoded.kind is not OrderKind.UNSUPPORTED
        assert decoded.tif is not Tif.UNSUPPORTED
        assert (decoded.cum_qty, decoded.last_qty) == (Decimal(fields["z"]), Decimal(fields["l"]))
        assert decoded.cid == (fields.get("C") or fields["c"])
        assert decoded.order_id == fields["i"]
        assert decoded.is_foreign is ("autoclose" in fields["c"] or fields["x"] == "CALCULATED")


@needs_data
@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_every_recorded_session_decodes(market: str) -> None:
    seen: set[type] = set()
    for session in load(f"binance_{market}/ws_sessions.json"):
        for event in session["events"]:
            if event["dir"] == "client_sends":
                continue
            decoded = read(event["msg"])
            name = inner(event["msg"]).get("e") if isinstance(inner(event["msg"]), dict) else None
            expected = Control if event["dir"] == "server_acks" else KINDS.get(name, Other)
            assert type(decoded) is expected, event["msg"]
            seen.add(type(decoded))
    assert {Control, OrderUpdate, Other} <= seen


@needs_data
def test_every_documented_push_of_spot_decodes() -> None:
    for item in load("binance_spot/ws_doc_examples.json"):
        event = inner(item["example"])
        if isinstance(item["example"], dict) and "method" not in item["example"]:
            name = event.get("e") if isinstance(event, dict) else None
            expected = KINDS.get(name, Control if "id" in item["example"] else Other)
            assert type(read(item["example"])) is expected, item


@needs_data
@pytest.mark.parametrize("path", files("binance_*/ws_market/*.json"), ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_market_messages_on_a_user_connection_are_named_and_left(path: Any) -> None:
    messages = json.loads(path.read_text("utf-8"))
    for message in messages if isinstance(messages, list) else [messages]:
        assert isinstance(read(message.get("msg", message)), Other | Control)


def order(**fields: Any) -> OrderUpdate:
    base = {"s": "BTCUSDT", "c": "mine", "x": "TRADE", "X": "FILLED", "i": 7, "l": "1", "z": "2", "L": "10", "T": 5, "t": 9}
    decoded = read({"e": "executionReport", **base, **fields})
    assert isinstance(decoded, OrderUpdate)
    return decoded


@pytest.mark.parametrize("text", ["HALF_DONE", "", "filled"])
def test_an_invented_status_is_delivered_with_its_text(text: str) -> None:
    """H8.17 (spot), H8.18 (futures)."""
    for update in (order(X=text), read({"e": "ORDER_TRADE_UPDATE", "o": {"s": "X", "X": text, "z": "2", "q": "3"}})):
        assert (update.status, update.status_text, update.cum_qty) == (Status.UNSUPPORTED, text, 2)
        assert update.has_unknown_word


@pytest.mark.parametrize("kind", ["STOP_LOSS", "TAKE_PROFIT_LIMIT", "TRAILING_STOP_MARKET", "STOP", "SOMETHING_NEW"])
def test_a_stop_or_an_invented_type_loses_no_update(kind: str) -> None:
    """H8.19 (spot), H8.20 (futures)."""
    update = order(o=kind, f="A_NEW_ONE")
    assert update.type_text == kind
    assert update.kind in (kind, OrderKind.UNSUPPORTED)
    assert (update.tif, update.tif_text) == (Tif.UNSUPPORTED, "A_NEW_ONE")  # H8.21
    assert update.is_fill


def test_a_field_that_nobody_knows_loses_no_update() -> None:
    assert order(st=1, zzz={"deep": [1, 2]}).cum_qty == 2


def test_a_canceled_spot_order_is_ours_by_the_original_id() -> None:
    assert order(c="the-cancel", C="ours", x="CANCELED", X="CANCELED").cid == "ours"
    assert order(c="ours", C="").cid == "ours"


def test_a_trade_of_quantity_zero_is_no_fill() -> None:
    assert not order(l="0.00000000").is_fill
    assert order().is_fill
    assert not order(x="NEW").is_fill


def test_an_absent_fee_is_absent_and_not_zero() -> None:
    assert order().fee is None
    assert order(n="0", N=None).fee == 0


def test_a_position_side_stands_by_its_word() -> None:
    assert order(ps="LONG").position_side is PositionSide.LONG
    assert order(ps="?").position_side is PositionSide.UNSUPPORTED
    change = read({"e": "ACCOUNT_UPDATE", "a": {"m": "ORDER", "P": [{"s": "X", "pa": "-1", "ps": "SHORT"}]}})
    assert change.account.positions[0].position_side is PositionSide.SHORT


@pytest.mark.parametrize(
    ("message", "control"),
    [
        ({"result": None, "id": 1}, Control(1, 0, "", b"null")),
        ({"id": "x", "status": 200, "result": {"subscriptionId": 0}}, Control("x", 0, "", b'{"subscriptionId": 0}')),
        ({"id": 2, "error": {"code": -2036, "msg": "inactive"}}, Control(2, -2036, "inactive")),
        ({"id": 2, "error": "odd"}, Control(2, -1, "odd")),
        ({"id": 2, "error": {"code": "odd"}}, Control(2, -1, "{'code': 'odd'}")),
        ({"id": [1], "result": 5}, Control(None, 0, "", b"5")),
    ],
)
def test_an_answer_is_told_from_an_event(message: Any, control: Control) -> None:
    assert read(message) == control


def test_the_end_of_a_stream_is_told() -> None:
    assert read({"e": "listenKeyExpired", "E": "1736996475556", "listenKey": "k"}) == StreamEnded("listenKeyExpired")
    assert read({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}) == StreamEnded(
        "eventStreamTerminated"
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", "user data: Input data was truncated; the message begins ''"),
        (b"[1]", "user data: Expected `object`, got `array`; the message begins '[1]'"),
        (
            b'{"e":"executionReport","c":"x"}',
            'user data: Object missing required field `s`; the message begins \'{"e":"executionReport","c":"x"}\'',
        ),
        (
            b'{"e":"TRADE_LITE","listenKey":"abc"}',
            'user data: Object missing required field `s`; the message begins \'{"e":"TRADE_LITE","listenKey":"***"}\'',
        ),
    ],
)
def test_what_cannot_be_read_is_one_error(message: bytes, text: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode_user_message(message)
    assert str(caught.value) == text


SAMPLES = [
    b'{"e":"executionReport","s":"X","c":"a","C":"","x":"TRADE","X":"FILLED","i":7,"l":"1","z":"2","L":"10","n":"0","T":5}',
    b'{"stream":"k","data":{"e":"ORDER_TRADE_UPDATE","E":1,"o":{"s":"X","c":"a","x":"NEW","X":"NEW","i":1,"sp":null}}}',
    b'{"subscriptionId":0,"event":{"e":"outboundAccountPosition","u":1,"B":[{"a":"ETH","f":"1","l":"0"}]}}',
    b'{"e":"ACCOUNT_UPDATE","a":{"m":"ORDER","B":[{"a":"U","wb":"1"}],"P":[{"s":"X","pa":"-1"}]}}',
    b'{"id":1,"error":{"code":-2,"msg":"m"}}',
]


@settings(max_examples=400)
@given(st.sampled_from(SAMPLES), st.integers(0, 300), st.binary(max_size=3), st.integers(0, 4))
def test_mutated_messages_raise_nothing_else(sample: bytes, place: int, put: bytes, cut: int) -> None:
    at = place % len(sample)
    try:
        decoded = decode_user_message(sample[:at] + put + sample[at + cut :])
    except MessageError:
        return
    if isinstance(decoded, OrderUpdate):
        assert isinstance(decoded.is_fill, bool)
        assert isinstance(decoded.is_foreign, bool)
        assert decoded.status in Status
