"""A Bybit over REST that answers by script: what it was asked is kept, what it says is up to the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.config import SessionConfig
from queuefront.venues.bybit.markets import Addresses, Product
from queuefront.venues.credentials import Credentials
from queuefront.venues.rest import Reply, SilenceError, Wire
from tests.virtual_time import VirtualLoop

LOCAL = Addresses("http://127.0.0.1:9000", "ws://127.0.0.1:9000/v5", "ws://127.0.0.1:9000/v5")
CREDENTIALS = Credentials("k" * 20, "s" * 20)
SILENCE = object()

Answer = Any  # a result, an answer made by `refused`, (status, body), a function of the parameters, or SILENCE
D = Decimal


class FakeRest:
    """Answers `METHOD path` without `/v5/`; the last answer of a list repeats."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.clock = clock
        self.is_closed = False

    def on(self, what: str, *answers: Answer) -> None:
        self.answers[what] = list(answers)

    async def send(self, wire: Wire, timeout_s: float) -> Reply:
        path, _, query = wire.url.partition("?")
        parameters = dict(parse_qsl(query)) if wire.method == "GET" else json.loads(wire.body)
        name = f"{wire.method} {path.partition('/v5/')[2]}"
        self.asked.append((name, parameters))
        if name == "GET market/time" and name not in self.answers:
            ns = self.clock()
            return self._reply({"timeSecond": str(ns // 10**9), "timeNano": str(ns)})
        answers = self.answers.get(name)
        if not answers:
            raise AssertionError(f"nobody said what to answer to {name} {parameters}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is SILENCE:
            raise SilenceError("cut")
        if callable(answer):
            answer = answer(parameters)
        return self._reply(answer)

    @staticmethod
    def _reply(answer: Answer) -> Reply:
        if isinstance(answer, tuple):
            status, body = answer
            return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())
        if "retCode" not in answer:
            answer = {"retCode": 0, "retMsg": "OK", "result": answer, "retExtInfo": {}, "time": 1767225600000}
        return Reply(200, {}, json.dumps(answer).encode())

    async def close(self) -> None:
        self.is_closed = True

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def last(self, name: str) -> dict[str, Any]:
        return next(parameters for asked, parameters in reversed(self.asked) if asked == name)


def client_of(
    loop: VirtualLoop, product: Product = Product.LINEAR, *, is_private: bool = True, **config: Any
) -> tuple[BybitClient, FakeRest]:
    """A client of a local venue, and the venue."""
    rest = FakeRest(loop.now_ns)
    settings = SessionConfig(product, "custom", addresses=LOCAL, **config)
    credentials = CREDENTIALS if is_private else None
    return BybitClient(settings, rest, credentials, jitter=lambda: 0.0, clock=loop.now_ns), rest


def refused(code: int, text: str = "x") -> dict[str, Any]:
    return {"retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": 1767225600000}


def page(*rows: Any, cursor: str = "") -> dict[str, Any]:
    return {"list": list(rows), "nextPageCursor": cursor}


def instrument_row(symbol: str = "BTCUSDT", **fields: Any) -> dict[str, Any]:
    """An instrument with tick 0.5, lot 0.001."""
    return {
        "symbol": symbol, "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT",
        "priceFilter": {"tickSize": "0.5", "minPrice": "0.5", "maxPrice": "1000000"},
        "lotSizeFilter": {
            "qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "100", "maxMktOrderQty": "50",
            "minNotionalValue": "5",
        },
        **fields,
    }  # fmt: skip


def order_row(status: str = "New", cum: str = "0", cid: str = "mine", **fields: Any) -> dict[str, Any]:
    """An order as REST and the stream tell it."""
    row = {
        "category": "linear", "symbol": "BTCUSDT", "orderId": "v-1", "orderLinkId": cid, "side": "Buy",
        "orderType": "Limit", "timeInForce": "GTC", "price": "50000.0", "qty": "0.010", "orderStatus": status,
        "cumExecQty": cum, "cumExecValue": str(D(cum) * 50000), "avgPrice": "", "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError", "positionIdx": 0, "createdTime": "1767225600000", "updatedTime": "1767225600005",
    }  # fmt: skip
    return {**row, **fields}


def execution_row(exec_id: str, qty: str, **fields: Any) -> dict[str, Any]:
    """A fill as REST and the stream tell it."""
    row = {
        "category": "linear", "symbol": "BTCUSDT", "orderId": "v-1", "orderLinkId": "mine", "side": "Buy",
        "execId": exec_id, "execType": "Trade", "execPrice": "50000.0", "execQty": qty, "execFee": "0.05",
        "isMaker": True, "orderQty": "0.010", "leavesQty": "0", "execTime": "1767225600004",
    }  # fmt: skip
    return {**row, **fields}


def position_row(side: str, size: str, symbol: str = "BTCUSDT", **fields: Any) -> dict[str, Any]:
    """A position as REST tells it."""
    row = {"symbol": symbol, "side": side, "size": size, "positionIdx": 0, "leverage": "5", "updatedTime": "1767225600005"}
    return {**row, **fields}
