"""A venue on this machine for commands to look at: three questions, one stream, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSMsgType, web

from queuefront.core import now_ns
from tests.unit.venues.binance.fake_rest import listing_body


class LocalVenue:
    """USD-M with one symbol, whose book changes a hundred times a second."""

    def __init__(self) -> None:
        self.clock_offset_ms = 0
        self.account: Any = {"canTrade": True}
        self.url = ""
        self.update = 1000

    def application(self) -> web.Application:
        app = web.Application()
        answers = {
            "/fapi/v1/exchangeInfo": lambda: listing_body("BTCUSDT"),
            "/fapi/v1/time": lambda: {"serverTime": now_ns() // 10**6 + self.clock_offset_ms},
            "/fapi/v1/depth": self.depth,
            "/fapi/v3/account": lambda: self.account,
            "/fapi/v1/positionSide/dual": lambda: {"dualSidePosition": False},
            "/fapi/v3/balance": lambda: [{"asset": "USDT", "balance": "5"}, {"asset": "BNB", "balance": "0"}],
            "/fapi/v1/commissionRate": lambda: {
                "symbol": "BTCUSDT", "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005",
            },
        }  # fmt: skip
        for path, answer in answers.items():
            app.router.add_get(path, self.handler(answer))
        for route in ("public", "market"):
            app.router.add_get(f"/{route}/stream", self.stream)
        return app

    @staticmethod
    def handler(answer: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            body = answer()
            return web.json_response(body, status=400 if isinstance(body, dict) and body.get("code", 0) < 0 else 200)

        return handle

    def depth(self) -> dict[str, Any]:
        ms = now_ns() // 10**6
        return {"lastUpdateId": self.update, "E": ms, "T": ms, "bids": [["100.0", "1"]], "asks": [["100.1", "2"]]}

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        names = json.loads(message.data)["params"]
        await socket.send_json({"result": None, "id": 1})
        while not socket.closed:
            ms = now_ns() // 10**6
            for name in names:
                data: dict[str, Any] = {"E": ms, "T": ms, "s": "BTCUSDT"}
                if "@depth" in name:
                    self.update += 1
                    change = {"U": self.update, "u": self.update, "pu": self.update - 1, "b": [["99.9", "3"]], "a": []}
                    data |= {"e": "depthUpdate", **change}
                elif "@aggTrade" in name:
                    data |= {"e": "aggTrade", "a": 1, "p": "100.1", "q": "1", "f": 1, "l": 1, "m": False}
                else:
                    data |= {"e": "bookTicker", "u": 1, "b": "100.0", "B": "1", "a": "100.1", "A": "2"}
                try:
                    await socket.send_str(json.dumps({"stream": name, "data": data}, separators=(",", ":")))
                except (ConnectionError, RuntimeError):
                    return socket
            await asyncio.sleep(0.01)
        return socket


@contextmanager
def local_venue() -> Iterator[LocalVenue]:
    """Serve a venue until the block ends."""
    venue = LocalVenue()
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(venue.application(), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        venue.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield venue
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
