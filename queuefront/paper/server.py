"""The paper venue on a socket: HTTP and WebSocket around `PaperVenue`.

The shell moves bytes and time: a ticker lets the venue follow its clock, every WebSocket has a task that writes what
lies in its outbox. With a `StepClock` nothing moves until `advance` is called, and then everything that follows from it
is on the wire.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Self

from aiohttp import WSCloseCode, WSMsgType, web

from queuefront.core.clock import NS_PER
from queuefront.core.errors import ClosedError, ConfigError
from queuefront.paper.clock import PaperClock, StepClock
from queuefront.paper.connection import Connection
from queuefront.paper.exchange import STEP_NS
from queuefront.paper.request import Request
from queuefront.paper.venue import PaperConfig, PaperVenue
from queuefront.paper.websocket_api import WebSocketApi

__all__ = ["PaperServer"]

_STREAM_PATH: Final = re.compile(r"(?:/(?P<route>public|market|private))?/(?P<form>ws|stream)(?:/(?P<names>.*))?")
_TICK_S: Final = 0.005
_DRAIN_S: Final = 10.0
_BODY_BYTES_MAX: Final = 1 << 20


class PaperServer:
    """A paper venue that listens; use it as an asynchronous context manager.

    Parameters
    ----------
    config : the venue.
    clock : `WallClock` to follow the machine's time, `StepClock` to move by `advance` only. Where it is None: a `StepClock`
        that begins with the tape.
    host, port : where to listen; port 0 takes a free one.
    """

    def __init__(
        self, config: PaperConfig, *, clock: PaperClock | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.venue = PaperVenue(config)
        # Loading takes its time; the tape begins when the venue listens, unless the configuration says when.
        self._begins_late = clock is not None and config.start_ns is None
        self.clock: PaperClock = clock if clock is not None else StepClock(self.venue.exchange.now_ns)
        self._age_limit_s = config.connection_age_s
        self._api = WebSocketApi(self.venue)
        self._host, self._port = host, port
        self._open: dict[Connection, web.WebSocketResponse] = {}
        self._wakers: dict[Connection, asyncio.Event] = {}
        self._stack: AsyncExitStack | None = None

    # --- life ---------------------------------------------------------------------------------------------------------
    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", self._dispatch)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack = AsyncExitStack()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await stack.aclose()
            raise
        self._port = int(runner.addresses[0][1])
        if self._begins_late:
            self.venue.begin(self.clock.now_ns())
            self._begins_late = False
        stack.push_async_callback(self._close_connections)
        if not isinstance(self.clock, StepClock):
            ticker = asyncio.create_task(self._tick())
            stack.push_async_callback(_end, ticker)
        self._stack = stack
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stack is not None:
            await self._stack.aclose()
            self._stack = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def rest_url(self) -> str:
        """The address of the REST endpoints, without a path."""
        return f"http://{self._host}:{self._port}"

    @property
    def ws_url(self) -> str:
        """The address of the WebSocket endpoints, without a path."""
        return f"ws://{self._host}:{self._port}"

    @property
    def connection_count(self) -> int:
        """How many WebSockets are open."""
        return len(self._open)

    # --- time ---------------------------------------------------------------------------------------------------------
    async def advance(self, seconds: float) -> None:
        """Let the venue's time pass, and wait until all that it says is written. For a `StepClock` only."""
        clock = self.clock
        if not isinstance(clock, StepClock):
            raise ConfigError("the clock of this paper venue runs by itself; give it a StepClock to move it by hand")
        if self._stack is None:
            raise ClosedError("this paper venue does not listen; use it in `async with`")
        end_ns = clock.now_ns() + round(seconds * NS_PER["s"])
        while True:
            step_ns = min((clock.now_ns() // STEP_NS + 1) * STEP_NS, end_ns)
            clock.set_ns(step_ns)
            self._catch_up()
            await self._drain()
            if step_ns >= end_ns:
                return

    async def _tick(self) -> None:
        while True:
            self._catch_up()
            await asyncio.sleep(_TICK_S)

    def _catch_up(self) -> None:
        self.venue.advance(self.clock.now_ns())
        rules, now_ns = self.venue.rules, self.venue.exchange.now_ns
        for connection in self._open:
            connection.close_what_is_over(now_ns, self._age_limit_s, rules.pong_within_s)
        self._wake()

    def _wake(self) -> None:
        for connection, waker in self._wakers.items():
            if connection.outbox or connection.close_reason is not None:
                waker.set()

    async def _drain(self) -> None:
        async with asyncio.timeout(_DRAIN_S):
            await asyncio.sleep(0)
            while any(connection.outbox and connection in self._open for connection in list(self._wakers)):
                await asyncio.sleep(0)

    # --- requests -----------------------------------------------------------------------------------------------------
    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_websocket(request, path, query)
        if path.startswith("/paper/"):
            return await self._control(request, path)
        raw = await request.read()
        self.venue.advance(self.clock.now_ns())
        body = raw.decode("utf-8", "surrogateescape")
        answer = self.venue.handle(Request(request.method, path, query, body, request.headers))
        self._wake()
        if answer.after_ns > self.venue.exchange.now_ns:
            await self.clock.sleep_until(answer.after_ns)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers, content_type="application/json")

    async def _control(self, request: web.Request, path: str) -> web.Response:
        """Answer `/paper/status`, and `/paper/step?ms=…` of a venue that is moved by hand."""
        if path == "/paper/step" and isinstance(self.clock, StepClock):
            ms = request.query.get("ms", "100")
            if not ms.isdigit() or not 0 < int(ms) <= 86_400_000:
                return web.json_response({"error": f"ms is {ms!r}; give 1 to 86400000"}, status=400)
            await self.advance(int(ms) / 1000)
        elif path != "/paper/status":
            hint = "there are /paper/status, and /paper/step?ms=100 with --speed step"
            return web.json_response({"error": f"{path} is not known; {hint}"}, status=404)
        return web.json_response(self.status())

    def status(self) -> dict[str, object]:
        """Return how far the market is, and what was asked."""
        exchange = self.venue.exchange
        rows = [traded.replay.rows for traded in exchange.markets.values()]
        return {
            "venue": str(self.venue.rules.name),
            "symbols": list(exchange.markets),
            "time_ms": exchange.now_ns // NS_PER["ms"],
            "rows": sum(done for done, _ in rows),
            "rows_total": sum(total for _, total in rows),
            "is_over": exchange.is_over,
            "requests": self.venue.request_count,
            "connections": len(self._open),
            "open_orders": len(exchange.orders.open()),
            "faults": {str(kind): count for kind, count in sorted(self.venue.faults.shown.items())},
        }

    # --- WebSockets ---------------------------------------------------------------------------------------------------
    async def _serve_websocket(self, request: web.Request, path: str, query: str) -> web.StreamResponse:
        is_api = path == self.venue.rules.websocket_api_path
        match = _STREAM_PATH.fullmatch(path.replace("/pm/", "/", 1))
        if not is_api and match is None:
            return web.Response(status=404)
        socket = web.WebSocketResponse(autoping=False, max_msg_size=_BODY_BYTES_MAX)
        await socket.prepare(request)
        connection = self._connect(match, query, is_api=is_api)
        self._open[connection], self._wakers[connection] = socket, asyncio.Event()
        writer = asyncio.create_task(self._write(connection, socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    connection.pong()
                if message.type is not WSMsgType.TEXT:
                    continue
                self.venue.advance(self.clock.now_ns())
                self._take(connection, message.data, is_api=is_api)
                self._wake()
        finally:
            self._disconnect(connection)
            await _end(writer)
        return socket

    def _take(self, connection: Connection, text: str, *, is_api: bool) -> None:
        if is_api:
            self._api.receive(connection, text)
            return
        connection.receive(text, self.venue.exchange.now_ns)
        self._start_streams(connection)

    def _connect(self, match: re.Match[str] | None, query: str, *, is_api: bool) -> Connection:
        venue = self.venue
        route = (match["route"] or "") if match else ""
        is_combined = match is not None and match["form"] == "stream"
        connection = Connection(
            venue.faults,
            is_combined=is_combined,
            route=route,
            control_limit_per_s=venue.rules.control_limit_per_s,
            opened_ns=self.clock.now_ns(),
        )
        if is_api or match is None:
            return connection
        asked = dict(part.partition("=")[::2] for part in query.split("&"))
        names = [*(match["names"] or "").split("/"), *asked.get("streams", "").split("/")]
        key = asked.get("listenKey", "")
        for name in names:
            if venue.context.listen_keys.is_alive(name):
                key = name
            elif name:
                connection.streams[name.replace("%40", "@")] = None
        if key:
            venue.user_connections[connection] = key
        if route != "private":
            venue.streams.connections.append(connection)
        self._start_streams(connection)
        return connection

    def _start_streams(self, connection: Connection) -> None:
        for name in list(connection.streams):
            if self.venue.context.listen_keys.is_alive(name):
                self.venue.user_connections[connection] = name
            self.venue.streams.start(name)

    def _disconnect(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self._wakers.pop(connection, None)
        self.venue.user_connections.pop(connection, None)
        self.venue.user_subscriptions.pop(connection, None)
        if connection in self.venue.streams.connections:
            self.venue.streams.connections.remove(connection)

    async def _write(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        waker = self._wakers[connection]
        with suppress(ConnectionError):  # the client left; its reader ends and disconnects
            while not socket.closed:
                while connection.outbox:
                    await socket.send_str(connection.outbox[0].decode("utf-8", "replace"))
                    connection.outbox.popleft()
                if connection.close_reason is not None:
                    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=connection.close_reason.encode())
                    return
                now_ns = self.clock.now_ns()
                if connection.wants_ping(now_ns, self.venue.rules.ping_every_s):
                    await socket.ping(str(now_ns // NS_PER["ms"]).encode())
                waker.clear()
                with suppress(TimeoutError):  # time for a ping
                    async with asyncio.timeout(1.0):
                        await waker.wait()

    async def _close_connections(self) -> None:
        for socket in list(self._open.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the paper venue closes")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
