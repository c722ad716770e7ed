"""Signatures: the venue's own sample keys and answers decide (H8.28, H8.29)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from queuefront.venues.binance.sign import RECEIVE_WINDOW_MS, signed, signed_params, wire
from queuefront.venues.credentials import Credentials
from queuefront.venues.rest import Call
from tests.venue_data import load, needs_data

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
CREDENTIALS = Credentials(KEY, SECRET)
#: The sample of the venue's documentation of spot.
QUERY = b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
BODY = b"quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
TOGETHER = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
APART = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def vectors() -> list[Any]:
    return [
        pytest.param(item, id=f"{market}-{i}")
        for market in ("spot", "usdm", "coinm")
        for i, item in enumerate(
            load(f"binance_{market}/requests.json").get("items", []) if load(f"binance_{market}/requests.json") else []
        )
        if item["kind"] == "signature_vector"
    ]


@needs_data
@pytest.mark.parametrize("vector", vectors())
def test_every_published_vector_is_met(vector: dict[str, Any]) -> None:
    """H8.28 (spot), H8.29 (futures)."""
    credentials = Credentials(vector["api_key"], vector["secret"])
    query = vector.get("query", vector["payload"]).encode()
    body = vector.get("body", "").encode()
    assert (query + body).decode() == vector["payload"]
    query_sent, body_sent = signed(credentials, query, body)
    assert (body_sent or query_sent).decode() == (vector.get("body") or vector["payload"]) + "&signature=" + vector[
        "signature"
    ]


@needs_data
def test_there_are_vectors_of_every_market() -> None:
    assert len(vectors()) >= 7


def test_query_and_body_are_joined_with_nothing_between() -> None:
    """H8.28, H8.29: this known answer stands here, so that it holds without the recordings."""
    assert signed(CREDENTIALS, QUERY, BODY) == (QUERY, BODY + b"&signature=" + TOGETHER.encode())
    assert signed(CREDENTIALS, QUERY + b"&" + BODY, b"") == (QUERY + b"&" + BODY + b"&signature=" + APART.encode(), b"")


def test_the_empty_body_of_a_delete_signs_its_query() -> None:
    """H8.28."""
    call = Call("DELETE", "/api/v3/order", {"symbol": "LTCBTC", "origClientOrderId": "a/b"}, is_signed=True)
    sent = wire("https://x", call, CREDENTIALS, 1499827319559)
    query = b"symbol=LTCBTC&origClientOrderId=a%2Fb&recvWindow=5000&timestamp=1499827319559"
    assert sent.url == f"https://x/api/v3/order?{query.decode()}&signature={CREDENTIALS.sign(query)}"
    assert (sent.body, dict(sent.headers)) == (b"", {"X-MBX-APIKEY": KEY})


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_form_is_signed_as_it_is_sent_and_says_what_it_is(method: str) -> None:
    """H8.28, H8.30."""
    call = Call(method, "/api/v3/order", {"symbol": "LTCBTC", "newClientOrderId": "a b"}, is_signed=True)
    sent = wire("https://x", call, CREDENTIALS, 7)
    body = f"symbol=LTCBTC&newClientOrderId=a%20b&recvWindow={RECEIVE_WINDOW_MS}&timestamp=7".encode()
    assert sent.url == "https://x/api/v3/order"
    assert sent.body == body + b"&signature=" + CREDENTIALS.sign(body).encode()
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_signed_request_without_parameters_signs_its_time() -> None:
    sent = wire("https://x", Call("GET", "/a", is_signed=True), CREDENTIALS, 7)
    assert dict(parse_qsl(urlsplit(sent.url).query)).keys() == {"recvWindow", "timestamp", "signature"}
    assert signed(CREDENTIALS, b"", b"")[0] == b"signature=" + CREDENTIALS.sign(b"").encode()


def test_a_keyed_request_carries_the_key_alone() -> None:
    sent = wire("https://x", Call("POST", "/fapi/v1/listenKey", is_keyed=True), CREDENTIALS, 7)
    assert (sent.url, sent.body, dict(sent.headers)) == ("https://x/fapi/v1/listenKey", b"", {"X-MBX-APIKEY": KEY})


def test_a_public_request_carries_nothing() -> None:
    sent = wire("https://x", Call("GET", "/a", {"symbol": "X"}), None, 7)
    assert (sent.url, dict(sent.headers)) == ("https://x/a?symbol=X", {})


def test_a_signed_request_without_credentials_is_a_bug_and_said_so() -> None:
    with pytest.raises(ValueError, match=r"^GET /a needs credentials$"):
        wire("https://x", Call("GET", "/a", is_signed=True), None, 7)


def test_parameters_of_the_websocket_api_are_signed_sorted_and_raw() -> None:
    """H8.28: the venue's sample of `order.place`."""
    params = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "recvWindow": 100,
        "left_out": None,
    }
    full = signed_params(CREDENTIALS, params, 1645423376532)
    assert full["signature"] == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    assert full["apiKey"] == KEY
