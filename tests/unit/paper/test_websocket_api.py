from __future__ import annotations

import json
from typing import Any

import pytest

from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, PaperVenue
from queuefront.paper.connection import Connection
from queuefront.paper.request import websocket_signature
from queuefront.paper.websocket_api import WebSocketApi
from tests.paper_market import COINM, SPOT, USDM, VENUES, Client, frames, paper, symbol


class Session:
    """A connection to the WebSocket API that signs by hand."""

    def __init__(self, venue: PaperVenue) -> None:
        self.venue, self.api, self.connection = venue, WebSocketApi(venue), Connection(venue.faults)

    def say(self, text: str) -> Any:
        self.api.receive(self.connection, text)
        return frames(self.connection)[-1]

    def call(self, method: str, **params: Any) -> Any:
        return self.say(json.dumps({"id": "1", "method": method, "params": params}))

    def signed(self, method: str, secret: str = DEFAULT_SECRET, **params: Any) -> Any:
        params = {"apiKey": DEFAULT_KEY, "timestamp": self.venue.context.now_ms, **params}
        text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        return self.call(method, **params, signature=websocket_signature(text, secret))


@pytest.fixture
def spot() -> Session:
    return Session(paper(SPOT))


@pytest.mark.parametrize("venue", VENUES)
def test_orders_are_placed_asked_for_and_canceled(venue: str) -> None:
    session, name = Session(paper(venue)), symbol(venue)
    order = {"symbol": name, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "99.5"}
    placed = session.signed("order.place", **order)
    assert (placed["id"], placed["status"], placed["result"]["orderId"]) == ("1", 200, 1)
    assert session.signed("order.status", symbol=name, orderId=1)["result"]["status"] == "NEW"
    assert session.signed("order.cancel", symbol=name, orderId=1)["result"]["status"] == "CANCELED"
    refused = session.signed("order.cancel", symbol=name, orderId=1)
    assert (refused["status"], refused["error"]) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_markets_and_accounts_are_asked_for(spot: Session) -> None:
    assert spot.call("time")["result"]["serverTime"] == spot.venue.context.now_ms
    assert spot.call("depth", symbol="BTCUSDT", limit=5)["result"]["lastUpdateId"] == 5
    assert spot.signed("account.status", omitZeroBalances=True)["result"]["accountType"] == "SPOT"
    assert Session(paper(USDM)).signed("v2/account.balance")["result"][0]["asset"] == "USDT"
    assert Session(paper(COINM)).signed("account.balance")["result"][0]["asset"] == "BTC"
    order = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "2", "price": "99.5", "orderId": 1}
    assert Session(paper(USDM)).signed("order.modify", **order)["error"]["code"] == -2013


def test_user_data_comes_to_every_subscription_with_its_number(spot: Session) -> None:
    assert [spot.signed("userDataStream.subscribe.signature")["result"] for _ in range(2)] == [
        {"subscriptionId": 0}, {"subscriptionId": 1},
    ]  # fmt: skip
    Client(spot.venue).place()
    events = frames(spot.connection)
    assert [(e["subscriptionId"], e["event"]["e"]) for e in events] == [
        (0, "executionReport"), (1, "executionReport"), (0, "outboundAccountPosition"), (1, "outboundAccountPosition"),
    ]  # fmt: skip
    assert spot.call("userDataStream.unsubscribe", subscriptionId=0)["result"] == {}
    again = spot.call("userDataStream.unsubscribe", subscriptionId=0)
    assert again["error"] == {"code": -2036, "msg": "User Data Stream subscription not active."}
    assert spot.call("userDataStream.unsubscribe")["result"] == {}
    Client(spot.venue).place()
    assert frames(spot.connection) == []
    assert spot.signed("userDataStream.subscribe.signature")["result"] == {"subscriptionId": 2}


def test_a_session_has_a_thousand_subscriptions_at_most(spot: Session) -> None:
    spot.venue.user_subscriptions[spot.connection] = list(range(1000))
    refused = spot.signed("userDataStream.subscribe.signature")
    assert refused["error"] == {"code": -2042, "msg": "The maximum number of subscriptions has been reached."}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", -1130), ("[]", -1130), ("[" * 100_000, -1130), ('{"id":1,"method":7}', -1130),
        ('{"id":1,"method":"nope"}', -1130), ('{"id":1,"method":"time","params":3}', -1130),
        ('{"id":1,"method":"userDataStream.start"}', -1130), ('{"id":1,"method":"order.place"}', -2014),
        ('{"id":1,"method":"userDataStream.subscribe.signature"}', -2015),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(spot: Session, text: str, code: int) -> None:
    assert spot.say(text)["error"]["code"] == code


def test_a_bad_signature_or_time_is_refused(spot: Session) -> None:
    for method in ("userDataStream.subscribe.signature", "order.place"):
        assert spot.signed(method, secret="other")["error"]["code"] == -1022
        assert spot.signed(method, timestamp=1)["error"]["code"] == -1021
    assert spot.call("order.place", apiKey="other", signature="x")["error"]["code"] == -2015
