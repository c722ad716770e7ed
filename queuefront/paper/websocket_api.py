"""The WebSocket API: requests and the spot venue's user data subscriptions over one connection.

Source: Binance Spot "WebSocket API", USD-M "Websocket API": a request is signed over its parameters, sorted by name.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, Final
from urllib.parse import quote

from queuefront.paper.connection import Connection
from queuefront.paper.errors import ApiError, refusal
from queuefront.paper.request import Parameters, Request, websocket_signature
from queuefront.paper.rules import VenueRules
from queuefront.paper.venue import PaperVenue

__all__ = ["WebSocketApi"]

_SHARED: Final = {
    "ping": ("GET", "/ping"),
    "time": ("GET", "/time"),
    "exchangeInfo": ("GET", "/exchangeInfo"),
    "depth": ("GET", "/depth"),
    "ticker.book": ("GET", "/ticker/bookTicker"),
    "ticker.price": ("GET", "/ticker/price"),
    "order.place": ("POST", "/order"),
    "order.cancel": ("DELETE", "/order"),
    "order.status": ("GET", "/order"),
}
_SPOT: Final = {
    "trades.recent": ("GET", "/trades"),
    "order.test": ("POST", "/order/test"),
    "openOrders.status": ("GET", "/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/openOrders"),
    "allOrders": ("GET", "/allOrders"),
    "myTrades": ("GET", "/myTrades"),
    "account.status": ("GET", "/account"),
    "account.commission": ("GET", "/account/commission"),
}
_FUTURES: Final = {
    "order.modify": ("PUT", "/order"),
    "account.position": ("GET", "/positionRisk"),
    "account.balance": ("GET", "/balance"),
    "account.status": ("GET", "/account"),
}
_SUBSCRIPTIONS_MAX: Final = 1000


class WebSocketApi:
    """The API of one venue; `receive` answers one message of one connection."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue
        self._paths = _paths(venue.rules)
        self._subscription_count: dict[Connection, int] = {}

    def receive(self, connection: Connection, text: str) -> None:
        """Handle a message; the answer lies in the connection's outbox."""
        number: int | str | None = None
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise refusal("invalid", "request")
            given = message.get("id")
            number = given if isinstance(given, int | str) else None
            answer: dict[str, Any] = {"status": 200, "result": self._perform(connection, message)}
        except (ValueError, RecursionError):
            answer = _failed(refusal("invalid", "request"))
        except ApiError as e:
            answer = _failed(e)
        connection.send_answer({"id": number, **answer, "rateLimits": []})

    def _perform(self, connection: Connection, message: dict[str, Any]) -> Any:
        method, given = message.get("method"), message.get("params", {})
        if not isinstance(method, str) or not isinstance(given, dict):
            raise refusal("invalid", "request")
        params = {name: _text(value) for name, value in given.items()}
        if self._venue.rules.is_spot and method.startswith("userDataStream."):
            return self._subscribe(connection, method, params)
        place = self._paths.get(method)
        if place is None:
            raise refusal("invalid", "method")
        is_signed = "signature" in params
        if is_signed:
            self._check_signature(params)
        query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in params.items() if k != "apiKey")
        headers = {"X-MBX-APIKEY": params["apiKey"]} if params.get("apiKey") and is_signed else {}
        return self._venue.perform(Request(*place, query, headers=headers), is_trusted=is_signed)

    def _subscribe(self, connection: Connection, method: str, params: dict[str, str]) -> dict[str, Any]:
        live = self._venue.user_subscriptions.setdefault(connection, [])
        if method == "userDataStream.subscribe.signature":
            self._check_signature(params)
            self._venue.check_timestamp(Parameters(params, is_spot=True))
            if len(live) >= _SUBSCRIPTIONS_MAX:
                raise ApiError(400, -2042, "The maximum number of subscriptions has been reached.")
            number = self._subscription_count.get(connection, 0)
            self._subscription_count[connection] = number + 1
            live.append(number)
            return {"subscriptionId": number}
        if method == "userDataStream.unsubscribe":
            gone = [int(params["subscriptionId"])] if params.get("subscriptionId", "").isdigit() else list(live)
            if "subscriptionId" in params and (not gone or gone[0] not in live):
                raise ApiError(400, -2036, "User Data Stream subscription not active.")
            live[:] = [number for number in live if number not in gone]
            return {}
        raise refusal("invalid", "method")

    def _check_signature(self, params: dict[str, str]) -> None:
        secret = self._venue.context.keys.get(params.get("apiKey", ""))
        if secret is None:
            raise refusal("key")
        if not hmac.compare_digest(params.get("signature", "").encode(), websocket_signature(params, secret).encode()):
            raise refusal("signature")


def _paths(rules: VenueRules) -> dict[str, tuple[str, str]]:
    own = _SPOT if rules.is_spot else _FUTURES
    paths = {name: (method, rules.prefix + path) for name, (method, path) in {**_SHARED, **own}.items()}
    if not rules.is_spot:
        root = rules.prefix.removesuffix("/v1")
        version = "v1" if rules.is_inverse else "v2"
        for name in ("account.position", "account.balance", "account.status"):
            paths[name] = ("GET", f"{root}/{version}{_FUTURES[name][1]}")
            paths[f"v2/{name}"] = paths[name]
    return paths


def _text(value: object) -> str:
    """Write a parameter as the query string of REST would have it, and as it was signed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _failed(e: ApiError) -> dict[str, Any]:
    return {"status": e.status, "error": {"code": e.code, "msg": e.text}}
