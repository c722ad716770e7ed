"""Whatever a client sends, the paper exchange answers: by what was asked for, or by one of the venue's own refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.paper import DEFAULT_KEY, PaperVenue
from queuefront.paper.connection import Connection
from queuefront.paper.errors import _BOTH, _FUTURES, _SPOT
from queuefront.paper.request import Request
from queuefront.paper.websocket_api import WebSocketApi
from tests.paper_market import SPOT, USDM, VENUES, Client, paper

CODES = {code for table in (_BOTH, _SPOT, _FUTURES) for _, code, _ in table.values()} | {-2036, -2042}

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "BTCUSDT",
        "BTCUSD_PERP",
        "BUY",
        "LIMIT",
        "MARKET",
        "GTC",
        "1",
        "99.5",
        "-1",
        "1e9",
        "NaN",
        "",
        "9" * 30,
        "%",
        "&",
        "=",
        "\0",
    ]
)
NAMES = st.sampled_from(
    ["symbol", "side", "type", "timeInForce", "quantity", "price", "newClientOrderId", "orderId", "origClientOrderId",
     "limit", "recvWindow", "reduceOnly", "leverage", "startTime", "batchOrders", "orderIdList", "quoteOrderQty", "x"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | NAMES, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module", params=VENUES)
def client(request: pytest.FixtureRequest) -> Client:
    return Client(_endless(paper(request.param)))


def _endless(venue: PaperVenue) -> PaperVenue:
    """Let nothing be refused for coming too often."""
    venue.context.limiter.charge = lambda weight, now_ns: None  # type: ignore[method-assign]
    venue.context.limiter.charge_order = lambda now_ns: None  # type: ignore[method-assign]
    return venue


def check(answer: Any) -> None:
    for entry in answer if isinstance(answer, list) else [answer]:
        if isinstance(entry, dict) and set(entry) == {"code", "msg"} and entry["code"] != 200:
            assert entry["code"] in CODES


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_signed_requests_with_arbitrary_parameters_are_answered(client: Client, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(sorted(client.venue._routes)))
    params = data.draw(st.dictionaries(NAMES, TEXT, max_size=7))
    check(client.call(method, path, **{"symbol": client.symbol, **params}))
    assert client.status in (200, 400, 401, 404)


@settings(max_examples=100, deadline=None)
@given(query=st.text(max_size=60), body=st.text(max_size=60), path=st.text(max_size=20))
def test_arbitrary_text_is_answered(client: Client, query: str, body: str, path: str) -> None:
    routes = sorted(client.venue._routes)
    for method, known in (("GET", path), routes[len(query) % len(routes)], routes[len(body) % len(routes)]):
        answer = client.venue.handle(Request(method, known, query, body, {"X-MBX-APIKEY": DEFAULT_KEY}))
        check(json.loads(answer.body))


@settings(max_examples=150, deadline=None)
@given(
    message=JSON
    | st.fixed_dictionaries({"id": JSON, "method": TEXT | st.sampled_from(["SUBSCRIBE", "SET_PROPERTY"]), "params": JSON})
)
def test_arbitrary_control_messages_are_answered(message: Any) -> None:
    venue = PAPER[USDM]
    connection = Connection(venue.faults, control_limit_per_s=10**9)
    for text in (json.dumps(message), json.dumps(message)[:-1]):
        connection.receive(text, 0)
        answer = json.loads(connection.outbox.pop())
        assert set(answer) in ({"result", "id"}, {"error", "id"})


@settings(max_examples=150, deadline=None)
@given(
    method=TEXT | st.sampled_from(["order.place", "order.cancel", "time", "depth", "userDataStream.subscribe.signature"]),
    params=JSON | st.dictionaries(NAMES, JSON, max_size=5),
)
def test_arbitrary_requests_to_the_websocket_api_are_answered(method: str, params: Any) -> None:
    venue = PAPER[SPOT]
    api, connection = WebSocketApi(venue), Connection(venue.faults)
    for text in (json.dumps({"id": 1, "method": method, "params": params}), json.dumps(params)):
        api.receive(connection, text)
        answer = json.loads(connection.outbox.pop())
        assert "result" in answer or answer["error"]["code"] in CODES


PAPER = {name: _endless(paper(name)) for name in (SPOT, USDM)}
