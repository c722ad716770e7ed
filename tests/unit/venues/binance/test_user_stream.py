"""The private stream: subscribed, kept alive, begun anew with a reconciliation when anything may be missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.binance.stream_schemas import OrderUpdate, UserMessage
from queuefront.venues.binance.user_stream import UserStream
from tests.unit.venues.binance.fake_rest import CREDENTIALS, SILENCE, client_of, refused
from tests.unit.venues.fake_link import FakeConnector, FakeLink
from tests.virtual_time import VirtualLoop, run, settle

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
UPDATE = b'{"e":"executionReport","s":"BTCUSDT","c":"mine","x":"NEW","X":"NEW","i":7,"z":"0"}'
ENDED = b'{"e":"listenKeyExpired","E":1,"listenKey":"k"}'
TERMINATED = b'{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}'


class Stage:
    def __init__(self, loop: VirtualLoop, market: Market) -> None:
        self.loop = loop
        self.client, self.rest = client_of(loop, market)
        self.keys = iter(range(100))
        self.rest.on("POST listenKey", lambda _: {"listenKey": f"key{next(self.keys)}"})
        self.rest.on("PUT listenKey", {})
        self.connector = FakeConnector()
        self.subscribes = True
        self.connector.prepare = self.prepare
        self.messages: list[UserMessage] = []
        self.begins = 0
        self.ends: list[str] = []
        self.user = UserStream(
            self.client,
            self.connector,
            on_message=lambda message, _: self.messages.append(message),
            on_begin=self.begin,
            on_end=self.ends.append,
            jitter=lambda: 0.0,
        )

    def begin(self) -> None:
        self.begins += 1

    def prepare(self, link: FakeLink) -> None:
        if self.subscribes:
            link.answer = lambda message: b'{"id":"user-data","status":200,"result":{"subscriptionId":0}}'

    @property
    def link(self) -> FakeLink:
        return self.connector.last


def play(
    market: Market, scene: Callable[[Stage], Awaitable[None]], prepare: Callable[[Stage], None] = lambda s: None
) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, market)
        prepare(stage)
        task = asyncio.ensure_future(stage.user.run())
        await asyncio.sleep(1)
        await scene(stage)
        stage.user.stop()
        await asyncio.wait_for(task, 5)
        assert len(asyncio.all_tasks()) == 1
        return stage

    return run(main)


@pytest.mark.parametrize(
    ("market", "url"),
    [(USDM, "ws://127.0.0.1:9000/private/ws/key0"), (COINM, "ws://127.0.0.1:9000/ws/key0")],
)
def test_futures_connect_with_a_listen_key(market: Market, url: str) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.user.is_up
        stage.link.say(UPDATE)

    stage = play(market, scene)
    assert stage.link.url == url
    assert stage.link.sent == []
    assert stage.begins == 1
    assert isinstance(stage.messages[0], OrderUpdate)


def test_spot_subscribes_by_a_signature_with_the_venues_time() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.user.is_up
        stage.link.say(b'{"subscriptionId":0,"event":' + UPDATE + b"}")

    stage = play(SPOT, scene, lambda stage: setattr(stage.rest, "offset_ms", 5000))
    assert stage.link.url == "ws://127.0.0.1:9000/ws-api/v3"
    request = json.loads(stage.link.sent[0])
    assert (request["method"], request["id"]) == ("userDataStream.subscribe.signature", "user-data")
    params = request["params"]
    payload = f"apiKey={params['apiKey']}&timestamp={params['timestamp']}"
    assert params["signature"] == CREDENTIALS.sign(payload.encode())
    assert abs(params["timestamp"] - 5000 - stage.client.clock() // 10**6) < 2000
    assert (stage.begins, len(stage.messages)) == (1, 1)


def test_the_key_is_extended_every_half_hour() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(3 * 3600)

    stage = play(USDM, scene)
    assert stage.rest.names().count("PUT listenKey") == 6
    assert len(stage.connector.links) == 1


@pytest.mark.parametrize("failure", [SILENCE, (500, b"?"), refused(-1003)])
def test_two_keep_alives_that_fail_make_a_new_key_and_a_reconciliation(failure: object) -> None:
    """H8.27: one failure is retried soon, the second one ends the stream."""

    async def scene(stage: Stage) -> None:
        stage.rest.on("PUT listenKey", failure)
        await asyncio.sleep(1801 + 40)
        assert len(stage.connector.links) == 1
        await asyncio.sleep(200)

    stage = play(USDM, scene)
    assert stage.connector.links[1].url.endswith("/key1")
    assert stage.begins == 2
    assert stage.ends[0].startswith("the listen key could not be kept alive: ")


def test_one_failure_is_forgiven() -> None:
    """H8.27."""

    async def scene(stage: Stage) -> None:
        stage.rest.on("PUT listenKey", refused(-2015), {})
        await asyncio.sleep(2 * 3600)

    stage = play(COINM, scene)
    assert (len(stage.connector.links), stage.begins) == (1, 1)


def test_a_key_that_is_gone_is_replaced_at_once() -> None:
    """H8.27: a not-found answer."""

    async def scene(stage: Stage) -> None:
        stage.rest.on("PUT listenKey", refused(-1125, "This listenKey does not exist."), {})
        await asyncio.sleep(1805)

    stage = play(USDM, scene)
    assert [link.url[-4:] for link in stage.connector.links] == ["key0", "key1"]
    assert stage.begins == 2


@pytest.mark.parametrize(
    ("market", "message", "name"),
    [
        (USDM, ENDED, "listenKeyExpired"),
        (SPOT, TERMINATED, "eventStreamTerminated"),
        (SPOT, b'{"event":{"e":"serverShutdown","E":1}}', "serverShutdown"),
    ],
)
def test_a_stream_that_the_venue_ended_is_begun_anew(market: Market, message: bytes, name: str) -> None:
    """H8.27: the socket stays open and says nothing more."""

    async def scene(stage: Stage) -> None:
        stage.link.say(message)
        await settle()
        assert not stage.user.is_up
        await asyncio.sleep(2)
        assert stage.user.is_up

    stage = play(market, scene)
    assert stage.ends == [f"the venue ended the stream: {name}"]
    assert stage.begins == 2


def test_a_subscription_that_is_refused_or_not_answered_is_tried_again() -> None:
    async def refuses(stage: Stage) -> None:
        stage.link.say(b'{"id":"user-data","status":400,"error":{"code":-1021,"msg":"Timestamp"}}')
        await settle()
        assert stage.client.server_clock.needs_observation(stage.client.clock())
        stage.prepare = lambda link: None  # type: ignore[method-assign]
        stage.subscribes = True
        await asyncio.sleep(2)
        assert stage.user.is_up

    stage = play(SPOT, refuses, lambda stage: setattr(stage, "subscribes", False))
    assert stage.ends[0] == "the subscription was refused: -1021 Timestamp"

    async def waits(stage: Stage) -> None:
        assert not stage.user.is_up
        await asyncio.sleep(10.5)
        assert stage.begins == 0

    stage = play(SPOT, waits, lambda stage: setattr(stage, "subscribes", False))
    assert stage.ends == ["the subscription was not acknowledged"]


def test_a_message_that_cannot_be_read_is_counted_and_the_account_reconciled() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(b'{"e":"executionReport"')
        stage.link.say(b'{"id":99,"result":null}')
        stage.link.say(UPDATE)

    stage = play(USDM, scene)
    assert (stage.begins, len(stage.messages), sum(stage.user.refused.values())) == (2, 1, 1)


def test_without_a_key_or_a_time_there_is_no_connection_and_it_is_tried_again() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.connector.links == []
        stage.rest.on("POST listenKey", {"listenKey": "late"})
        stage.rest.on("GET time", lambda _: {"serverTime": 5})
        await asyncio.sleep(60)
        assert stage.user.is_up

    play(USDM, scene, lambda stage: stage.rest.on("POST listenKey", refused(-2015)))
    play(SPOT, scene, lambda stage: stage.rest.on("GET time", (500, b"?")))


@pytest.mark.parametrize("market", [SPOT, USDM, COINM])
def test_a_hand_over_needs_no_reconciliation(market: Market) -> None:
    """The connection before is heard until the new one speaks."""

    async def scene(stage: Stage) -> None:
        await asyncio.sleep(23 * 3600)
        stage.link.say(UPDATE)
        await settle()
        assert stage.user.stream.counts.hand_overs == 1
        assert stage.user.is_up

    assert play(market, scene).begins == 1


def test_without_credentials_nothing_connects() -> None:
    async def main(loop: VirtualLoop) -> None:
        for market in (SPOT, USDM):
            client, _ = client_of(loop, market, is_private=False)
            user = UserStream(client, FakeConnector(), on_message=print, on_begin=print, on_end=print, jitter=lambda: 0.0)
            task = asyncio.ensure_future(user.run())
            await asyncio.sleep(2)
            assert not user.is_up
            assert "this needs credentials" in user.stream.counts.last_reason
            user.stop()
            await task

    run(main)
