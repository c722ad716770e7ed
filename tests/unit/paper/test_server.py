from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from queuefront.core.errors import ClosedError, ConfigError
from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, Fault, FaultKind, LoopClock, PaperServer, StepClock, WallClock
from queuefront.paper.request import websocket_signature
from tests.paper_market import COINM, SECOND, SPOT, T0, USDM, config, symbol
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

Story = Callable[[PaperServer, aiohttp.ClientSession], Awaitable[None]]


def told(story: Story, venue: str = USDM, **changes: Any) -> None:
    async def main() -> None:
        async with PaperServer(config(venue, **changes)) as server, aiohttp.ClientSession() as session:
            await story(server, session)

    asyncio.run(main())


async def next_json(socket: Any) -> Any:
    async with asyncio.timeout(10):
        return json.loads((await socket.receive()).data)


def test_requests_are_answered_and_time_moves_only_by_hand() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        for expected in (T0 // 10**6, T0 // 10**6 + 1500):
            async with session.get(f"{server.rest_url}/fapi/v1/time") as answer:
                assert answer.headers["X-MBX-USED-WEIGHT-1M"].isdigit()
                assert await answer.json() == {"serverTime": expected}
            if expected == T0 // 10**6:
                await server.advance(1.5)
        status = server.status()
        assert (status["requests"], status["symbols"], status["is_over"]) == (2, ["BTCUSDT"], False)

    told(story)


def test_streams_are_sent_raw_and_combined_and_subscribed_to_later() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        raw = await session.ws_connect(f"{server.ws_url}/ws/btcusdt@depth@100ms")
        combined = await session.ws_connect(f"{server.ws_url}/market/stream?streams=btcusdt@aggTrade")
        await combined.send_str('{"method":"SUBSCRIBE","params":["btcusdt@markPrice@1s"],"id":1}')
        assert await next_json(combined) == {"result": None, "id": 1}
        assert server.connection_count == 2
        await server.advance(5)
        assert (await next_json(raw))["e"] == "depthUpdate"
        streams = [(await next_json(combined))["stream"] for _ in range(6)]
        assert streams.count("btcusdt@markPrice@1s") == 5
        assert "btcusdt@aggTrade" in streams
        await raw.close()
        await combined.close()

    told(story)


@pytest.mark.parametrize("path", ["/private/ws/{}", "/ws/{}", "/private/ws?listenKey={}", "/ws"])
def test_a_listen_key_opens_the_users_stream_in_every_form(path: str) -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        headers = {"X-MBX-APIKEY": DEFAULT_KEY}
        async with session.post(f"{server.rest_url}/fapi/v1/listenKey", headers=headers) as answer:
            key = (await answer.json())["listenKey"]
        socket = await session.ws_connect(server.ws_url + path.format(key))
        if "{}" not in path:
            await socket.send_str(json.dumps({"method": "SUBSCRIBE", "params": [key], "id": 1}))
            await next_json(socket)
        server.venue.tell_users({"e": "hello"})
        await server.advance(0)
        assert await next_json(socket) == {"e": "hello"}
        await socket.close()

    told(story)


def test_the_websocket_api_answers_and_sends_user_data() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        socket = await session.ws_connect(f"{server.ws_url}/ws-api/v3")
        params = {"apiKey": DEFAULT_KEY, "timestamp": str(server.venue.context.now_ms)}
        params["signature"] = websocket_signature(params, DEFAULT_SECRET)
        await socket.send_str(json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params}))
        assert (await next_json(socket))["result"] == {"subscriptionId": 0}
        server.venue.tell_users({"e": "hello"})
        await server.advance(0)
        assert await next_json(socket) == {"subscriptionId": 0, "event": {"e": "hello"}}
        await socket.close()

    told(story, SPOT)


def test_a_fault_closes_the_connection_and_another_one_opens() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        url = f"{server.ws_url}/ws/btcusdt@markPrice@1s"
        socket = await session.ws_connect(url)
        await server.advance(1)
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        again = await session.ws_connect(url)
        await server.advance(1)
        assert (await next_json(again))["e"] == "markPriceUpdate"
        await again.close()
        assert server.status()["faults"] == {"disconnect": 1}

    told(story, faults=[Fault(FaultKind.DISCONNECT, "*mark*", count=1)])


def test_a_slow_answer_waits_for_the_venues_time() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        async def ask() -> Any:
            async with session.get(f"{server.rest_url}/fapi/v1/time") as answer:
                return await answer.json()

        asked = asyncio.create_task(ask())
        while not server.venue.request_count:
            await asyncio.sleep(0)
        assert not asked.done()
        await server.advance(0.2)
        async with asyncio.timeout(10):
            assert await asked == {"serverTime": T0 // 10**6}

    told(story, faults=[Fault(FaultKind.SLOW, ms=150)])


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/paper/status", 200, None),
        ("/paper/step?ms=250", 200, None),
        ("/paper/step?ms=0", 400, {"error": "ms is '0'; give 1 to 86400000"}),
        ("/paper/nope", 404,
         {"error": "/paper/nope is not known; there are /paper/status, and /paper/step?ms=100 with --speed step"}),
    ],
)  # fmt: skip
def test_the_venue_is_looked_at_and_moved_over_http(path: str, status: int, answer: Any) -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        async with session.post(server.rest_url + path) as got:
            assert got.status == status
            payload = await got.json()
        assert payload == (server.status() if answer is None else answer)
        assert server.venue.exchange.now_ns == T0 + (250_000_000 if "250" in path else 0)

    told(story)


def test_a_websocket_elsewhere_is_refused() -> None:
    async def story(server: PaperServer, session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"{server.ws_url}/nope")
        assert caught.value.status == 404

    told(story)


def test_the_machines_clock_moves_the_venue_by_itself_and_not_by_hand() -> None:
    async def main() -> None:
        async with PaperServer(config(speed=1000), clock=WallClock()) as server:
            with pytest.raises(ConfigError) as caught:
                await server.advance(1)
            text = "the clock of this paper venue runs by itself; give it a StepClock to move it by hand"
            assert str(caught.value) == text
            async with asyncio.timeout(20):
                while not server.venue.exchange.is_over:
                    await asyncio.sleep(0.001)

    asyncio.run(main())


def test_the_tape_begins_when_the_venue_listens_and_not_when_it_is_loaded() -> None:
    async def main() -> None:
        clock = StepClock(T0 + 1)
        server = PaperServer(config(), clock=clock)
        clock.set_ns(T0 + 50 * SECOND)
        async with server:
            await server.advance(1)
            assert server.venue.exchange.now_ns == T0 + 51 * SECOND
            assert not server.venue.exchange.markets["BTCUSDT"].replay.recent_trades
            await server.advance(5)
            assert len(server.venue.exchange.markets["BTCUSDT"].replay.recent_trades) == 1

    asyncio.run(main())


def test_a_virtual_loop_moves_the_venue_without_waiting() -> None:
    async def main(_loop: VirtualLoop) -> int:
        async with PaperServer(config(), clock=LoopClock(T0)) as server, aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{server.ws_url}/ws/btcusdt@trade")
            trades = [await next_json(socket), await next_json(socket)]
            await socket.close()
        return trades[1]["T"] - trades[0]["T"]

    assert run(main) == 2000


def test_a_venue_that_does_not_listen_is_not_moved() -> None:
    server = PaperServer(config())
    with pytest.raises(ClosedError) as caught:
        asyncio.run(server.advance(1))
    assert str(caught.value) == "this paper venue does not listen; use it in `async with`"


def test_closing_says_goodbye_to_every_connection_and_frees_the_port() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            async with PaperServer(config()) as server:
                port = server.port
                with pytest.raises(OSError, match="address already in use"):
                    await PaperServer(config(), port=port).__aenter__()
                socket = await session.ws_connect(f"{server.ws_url}/ws/btcusdt@trade")
                waiting = asyncio.create_task(socket.receive())
                await asyncio.sleep(0)
            message = await waiting
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
            async with PaperServer(config(), port=port) as again:
                assert again.port == port

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize(("venue", "ping_s", "pong_s"), [(SPOT, 20, 60), (USDM, 180, 600), (COINM, 180, 600)])
@pytest.mark.parametrize("answers", [True, False])
def test_pings_come_as_often_as_the_venues_and_must_be_answered(
    venue: str, ping_s: int, pong_s: int, answers: bool
) -> None:
    """Spot asks every 20 s and waits 60 s for an answer, futures every 3 minutes and 10."""

    async def main(loop: VirtualLoop) -> list[tuple[float, Any]]:
        heard = []
        async with PaperServer(config(venue), clock=LoopClock(EPOCH_NS)) as server, aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{server.ws_url}/ws/{symbol(venue).lower()}@aggTrade", autoping=False)
            opened = loop.time()
            while not answers or len(heard) < 3:
                message = await socket.receive()
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                    heard.append((loop.time() - opened, message.data))
                    break
                if message.type is aiohttp.WSMsgType.PING:
                    heard.append((loop.time() - opened, message.data))
                    if answers:
                        await socket.pong(message.data)
            await socket.close()
        return heard

    heard = run(main)
    times = [seconds for seconds, _ in heard]
    if answers:
        assert times == pytest.approx([ping_s, 2 * ping_s, 3 * ping_s], abs=3)
        assert all(data.isdigit() for _, data in heard)
    else:
        assert times[-1] == pytest.approx(ping_s + pong_s, abs=3)
        assert heard[-1][1] == aiohttp.WSCloseCode.POLICY_VIOLATION


def test_the_venue_ends_a_connection_at_its_age_limit_a_day_unless_said_otherwise() -> None:
    assert config().connection_age_s == 24 * 3600
    with pytest.raises(ConfigError, match="connection_age_s is 0; give the seconds that a WebSocket may stand"):
        config(connection_age_s=0)

    async def main(loop: VirtualLoop) -> float:
        made = config(connection_age_s=90)
        async with PaperServer(made, clock=LoopClock(EPOCH_NS)) as server, aiohttp.ClientSession() as session:
            api = await session.ws_connect(server.ws_url + server.venue.rules.websocket_api_path)
            opened = loop.time()
            assert (await api.receive()).type is aiohttp.WSMsgType.CLOSE
            return loop.time() - opened

    assert run(main) == pytest.approx(90, abs=0.1)
