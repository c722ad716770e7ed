"""The private stream: logged in, subscribed, pinged; whatever fails ends in a new connection and a reconciliation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from queuefront.venues.bybit.private_stream import AccountRows, PrivateStream
from tests.unit.venues.bybit.fake_rest import CREDENTIALS, client_of, order_row
from tests.unit.venues.fake_link import FakeConnector, FakeLink
from tests.virtual_time import VirtualLoop, run, settle

PING = b'{"op":"ping"}'
LOGGED_IN = b'{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}'
SUBSCRIBED = b'{"success":true,"ret_msg":"","op":"subscribe","req_id":"account","conn_id":"c"}'
PONG = b'{"op":"pong","args":["1"]}'

Scene = Callable[["Stage"], Awaitable[None]]


def answers(**changed: bytes | None) -> Callable[[bytes], bytes | None]:
    """Answer each operation as the venue does; None is silence."""
    told: dict[str, bytes | None] = {"auth": LOGGED_IN, "subscribe": SUBSCRIBED, "ping": PONG, **changed}
    return lambda message: told[json.loads(message)["op"]]


class Stage:
    def __init__(self, loop: VirtualLoop, *, is_private: bool = True) -> None:
        self.loop = loop
        self.client, self.rest = client_of(loop, is_private=is_private)
        self.connector = FakeConnector()
        self.answer = answers()
        self.connector.prepare = lambda link: setattr(link, "answer", self._answer)
        self.rows: list[AccountRows] = []
        self.begins = 0
        self.ends: list[str] = []
        self.private = PrivateStream(
            self.client, self.connector, on_rows=lambda rows, _: self.rows.append(rows), on_begin=self.begin,
            on_end=self.ends.append, jitter=lambda: 0.0,
        )  # fmt: skip

    def _answer(self, message: bytes) -> bytes | None:
        return self.answer(message)  # which a scene may change

    def begin(self) -> None:
        self.begins += 1

    @property
    def link(self) -> FakeLink:
        return self.connector.last

    def sent(self) -> list[Any]:
        return [json.loads(message) for message in self.link.sent]


def play(scene: Scene, prepare: Callable[[Stage], None] = lambda _: None, **options: Any) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, **options)
        prepare(stage)
        task = asyncio.ensure_future(stage.private.run())
        await asyncio.sleep(2)
        await scene(stage)
        stage.private.stop()
        await asyncio.wait_for(task, 5)
        assert len(asyncio.all_tasks()) == 1
        return stage

    return run(main)


def push(*rows: Any, topic: str = "order") -> bytes:
    return json.dumps({"topic": topic, "creationTime": 1, "data": list(rows)}).encode()


def test_it_logs_in_with_the_venues_time_and_then_subscribes() -> None:
    async def scene(stage: Stage) -> None:
        login, subscription = stage.sent()
        key, expires, signature = login["args"]
        assert (login["op"], key) == ("auth", "k" * 20)
        now_ms = stage.loop.now_ns() // 10**6
        assert now_ms < expires <= now_ms + 10_000
        assert signature == CREDENTIALS.sign(f"GET/realtime{expires}".encode())
        assert (subscription["op"], subscription["args"]) == ("subscribe", ["order", "execution", "position", "wallet"])
        assert stage.link.url == "ws://127.0.0.1:9000/v5/private"
        assert stage.private.is_up
        stage.link.say(push(order_row()))

    stage = play(scene)
    assert (stage.begins, len(stage.rows), stage.ends) == (1, 1, [])


def test_it_pings_every_twenty_seconds_however_busy_it_is() -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(100):
            stage.link.say(push(order_row()))
            await asyncio.sleep(1)
        assert stage.link.sent.count(PING) == 5
        assert stage.private.is_up

    assert play(scene).begins == 1


def test_silence_after_a_ping_ends_the_connection_and_the_next_begins_anew() -> None:
    async def scene(stage: Stage) -> None:
        stage.answer = answers(ping=None)
        await asyncio.sleep(40)
        assert stage.private.is_up

    stage = play(scene)
    assert (stage.begins, len(stage.connector.links)) == (2, 2)
    assert stage.ends[0].startswith("silence")


# H8.1
@pytest.mark.parametrize("op", ["auth", "subscribe"])
@pytest.mark.parametrize("part", ["", '"success":null,', '"success":false,'])
def test_an_answer_that_does_not_say_success_is_a_failure_and_the_connection_begins_anew(op: str, part: str) -> None:
    async def scene(stage: Stage) -> None:
        assert not stage.private.is_up
        assert stage.begins == 0
        assert stage.private.refused[f"{op} failed: why"] >= 1
        stage.answer = answers()
        await asyncio.sleep(10)
        assert stage.private.is_up
        stage.link.say(push(order_row()))

    failing = f'{{{part}"ret_msg":"why","op":"{op}"}}'.encode()
    stage = play(scene, lambda stage: setattr(stage, "answer", answers(**{op: failing})))
    assert (stage.begins, len(stage.rows)) == (1, 1)
    assert len(stage.connector.links) >= 2


# H8.1
def test_an_answer_that_says_success_is_one() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.private.is_up

    stage = play(scene)
    assert (sum(stage.private.refused.values()), len(stage.connector.links)) == (0, 1)


# H8.2
@pytest.mark.parametrize("op", ["auth", "subscribe"])
def test_a_failure_without_a_text_is_a_failure_all_the_same(op: str) -> None:
    async def scene(stage: Stage) -> None:
        assert stage.private.refused[f"{op} failed"] >= 1
        stage.answer = answers()
        await asyncio.sleep(10)
        assert stage.private.is_up

    failing = f'{{"success":false,"op":"{op}"}}'.encode()
    play(scene, lambda stage: setattr(stage, "answer", answers(**{op: failing})))


def test_a_refused_login_says_why_and_sets_the_clock_anew() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.private.refused["auth failed: 10003 Invalid apikey"] >= 1
        assert stage.rest.names().count("GET market/time") >= 2

    failing = b'{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid apikey"}'
    play(scene, lambda stage: setattr(stage, "answer", answers(auth=failing)))


def test_a_failing_operation_that_is_not_ours_is_counted_and_ends_nothing() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(b'{"op":"unsubscribe","success":false,"ret_msg":"no"}')
        stage.link.say(b'{"op":"pong","args":["1"]}')
        assert stage.private.refused == {"unsubscribe failed: no": 1}
        assert stage.private.is_up

    assert play(scene).begins == 1


@pytest.mark.parametrize("op", ["auth", "subscribe"])
def test_an_operation_that_is_never_answered_begins_anew(op: str) -> None:
    async def scene(stage: Stage) -> None:
        assert not stage.private.is_up
        stage.answer = answers()
        await asyncio.sleep(30)
        assert stage.private.is_up
        assert stage.private.refused == {"login and subscription were not answered": 1}

    play(scene, lambda stage: setattr(stage, "answer", answers(**{op: None})))


def test_a_lost_connection_is_a_new_beginning() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.break_off()
        await asyncio.sleep(5)
        assert stage.private.is_up

    stage = play(scene)
    assert (stage.begins, stage.ends) == (2, ["the connection broke"])


def test_what_cannot_be_read_is_counted_and_the_account_reconciled() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(b'{"topic":"order"')
        stage.link.say(push(order_row(), {"symbol": 7}))
        stage.link.say(b'{"topic":"greeks","data":[{}]}')
        assert stage.private.is_up

    stage = play(scene)
    assert (stage.begins, len(stage.rows), len(stage.rows[0].rows)) == (3, 1, 1)
    assert sum(stage.private.refused.values()) == 2


def test_without_a_time_there_is_no_connection_and_it_is_tried_again() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.connector.links == []
        stage.rest.answers.pop("GET market/time")
        await asyncio.sleep(60)
        assert stage.private.is_up

    play(scene, lambda stage: stage.rest.on("GET market/time", (500, b"?")))


def test_without_credentials_nothing_connects() -> None:
    async def scene(stage: Stage) -> None:
        await settle()
        assert not stage.private.is_up
        assert "this needs credentials" in stage.private.stream.counts.last_reason

    play(scene, is_private=False)
