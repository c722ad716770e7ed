"""What is signed is what is sent, and the published vectors are met byte for byte."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from queuefront.venues.bybit.sign import RECEIVE_WINDOW_MS, auth_args, signature, wire
from queuefront.venues.credentials import Credentials
from queuefront.venues.rest import Call
from tests.venue_data import load, needs_data

KEYS = Credentials("k" * 20, "s" * 20)


class Vector(Credentials):
    """Keys of a vector, which are shorter than any that a venue gives."""

    def __init__(self, api_key: str, secret: str) -> None:
        self._api_key, self._secret = api_key, secret.encode()


def vectors() -> list[Any]:
    items = load("bybit/requests.json")
    return [i for i in items["items"] if i["kind"] == "signature_vector"] if items else []


@needs_data
@pytest.mark.parametrize("vector", vectors(), ids=lambda v: v["description"][:12])
def test_every_published_vector_is_met(vector: dict[str, Any]) -> None:
    keys = Vector(vector["api_key"], vector["secret"])
    if "expires" in vector:
        assert auth_args(keys, vector["expires"]) == [vector["api_key"], vector["expires"], vector["signature"]]
        return
    payload = (vector.get("query") or vector["body"]).encode()
    assert signature(keys, int(vector["timestamp"]), payload, int(vector["recv_window"])) == vector["signature"]


def test_there_are_three_vectors() -> None:
    assert len(vectors()) in (0, 3)


def test_a_question_has_a_query_no_body_and_the_signature_of_what_is_sent() -> None:
    call = Call("GET", "/v5/order/realtime", {"symbol": "BTCUSDT", "category": "linear", "limit": None}, is_signed=True)
    sent = wire("https://x", call, KEYS, 1700000000000)
    assert (sent.url, sent.body) == ("https://x/v5/order/realtime?symbol=BTCUSDT&category=linear", b"")
    payload = f"1700000000000{'k' * 20}{RECEIVE_WINDOW_MS}symbol=BTCUSDT&category=linear".encode()
    assert sent.headers == {
        "X-BAPI-API-KEY": "k" * 20, "X-BAPI-TIMESTAMP": "1700000000000", "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN-TYPE": "2", "X-BAPI-SIGN": KEYS.sign(payload),
    }  # fmt: skip


def test_an_order_is_json_and_says_so() -> None:
    parameters = {"qty": Decimal("0.0100"), "reduceOnly": True, "positionIdx": 1, "price": None, "a": 'x"}'}
    sent = wire("https://x", Call("POST", "/v5/order/create", parameters, is_signed=True), KEYS, 1)
    assert sent.body == b'{"qty":"0.0100","reduceOnly":true,"positionIdx":1,"a":"x\\"}"}'
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["X-BAPI-SIGN"] == KEYS.sign(f"1{'k' * 20}5000".encode() + sent.body)


def test_a_public_question_carries_no_key_and_a_private_one_needs_one() -> None:
    assert wire("https://x", Call("GET", "/v5/market/time"), KEYS, 1).headers == {}
    with pytest.raises(ValueError, match="GET /v5/position/list needs credentials"):
        wire("https://x", Call("GET", "/v5/position/list", is_signed=True), None, 1)
