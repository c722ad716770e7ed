"""A REST venue that answers by script: what it was asked is kept, what it says is up to the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.config import SessionConfig
from queuefront.venues.binance.markets import Addresses, Market
from queuefront.venues.credentials import Credentials
from queuefront.venues.rest import Reply, SilenceError, Wire
from tests.virtual_time import VirtualLoop

LOCAL = Addresses("http://127.0.0.1:9000", "ws://127.0.0.1:9000", "ws://127.0.0.1:9000/ws-api/v3")
CREDENTIALS = Credentials("k" * 20, "s" * 20)
SILENCE = object()

Answer = Any  # a body, (status, body), a function of the parameters, or SILENCE
D = Decimal


class FakeRest:
    """Answers `METHOD path-end`; the last answer of a list repeats."""

    def __init__(self, clock: Callable[[], int], **answers: Answer) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.clock = clock
        self.offset_ms = 0
        self.delay_s = 0.0
        self.is_closed = False

    def on(self, what: str, *answers: Answer) -> None:
        self.answers[what] = list(answers)

    async def send(self, wire: Wire, timeout_s: float) -> Reply:
        path, _, query = wire.url.partition("?")
        parameters = dict(parse_qsl(query or wire.body.decode(), keep_blank_values=True))
        name = f"{wire.method} {path.partition('/v')[2].partition('/')[2]}"
        self.asked.append((name, parameters))
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if name == "GET time" and name not in self.answers:
            return self._reply({"serverTime": self.clock() // 1_000_000 + self.offset_ms})
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
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())

    async def close(self) -> None:
        self.is_closed = True

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def last(self, name: str) -> dict[str, str]:
        return next(parameters for asked, parameters in reversed(self.asked) if asked == name)


def client_of(
    loop: VirtualLoop, market: Market, *, is_private: bool = True, **config: Any
) -> tuple[BinanceClient, FakeRest]:
    """A client of a local venue, and the venue."""
    rest = FakeRest(loop.now_ns)
    settings = SessionConfig(market.product, "custom", addresses=LOCAL, **config)
    credentials = CREDENTIALS if is_private else None
    return BinanceClient(settings, rest, credentials, jitter=lambda: 0.0, clock=loop.now_ns), rest


def refused(code: int, text: str = "x", status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "msg": text}


def listing_body(*symbols: str, inverse: bool = False) -> dict[str, Any]:
    """A listing of symbols with tick 0.1, lot 0.001; inverse: tick 0.1, whole contracts of 100."""
    step = "1" if inverse else "0.001"
    rows = [
        {
            "symbol": symbol,
            "status": "TRADING",
            "contractStatus": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USD" if inverse else "USDT",
            "marginAsset": "BTC" if inverse else "USDT",
            "contractSize": 100,
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"},
                {"filterType": "LOT_SIZE", "stepSize": step, "minQty": step, "maxQty": "1000"},
            ],
        }
        for symbol in symbols
    ]
    limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 9999}]
    return {"symbols": rows, "rateLimits": limits}


def order_body(status: str = "NEW", cum: str = "0", cid: str = "mine", **fields: Any) -> dict[str, Any]:
    """An order answer as futures give it."""
    body = {
        "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": cid, "status": status, "type": "LIMIT", "timeInForce": "GTC",
        "side": "BUY", "positionSide": "BOTH", "price": "50000.0", "origQty": "0.010", "executedQty": cum,
        "updateTime": 1767225600005,
    }  # fmt: skip
    return {**body, **fields}
