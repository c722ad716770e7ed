"""One stream, kept connected in virtual time: reconnects, subscribes again, hands over, nothing from the grave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from queuefront.venues.liveness import StreamRules
from queuefront.venues.stream_client import StreamClient
from queuefront.venues.websocket import LinkError
from tests.unit.venues.fake_link import FakeConnector
from tests.virtual_time import VirtualLoop, run, settle

S = 10**9
RULES = StreamRules(ping_after_ns=20 * S, pong_within_ns=10 * S, messages_per_s=4)


class Handler:
    def __init__(self) -> None:
        self.opened: list[bool] = []
        self.messages: list[bytes] = []
        self.closed: list[str] = []
        self.subscriptions: list[bytes] = [b"subscribe"]

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:
        self.opened.append(is_hand_over)
        return self.subscriptions

    def on_message(self, message: bytes, local_ts: int) -> None:
        self.messages.append(message)

    def on_close(self, reason: str, now_ns: int) -> None:
        self.closed.append(reason)


class Stage:
    def __init__(self, loop: VirtualLoop, rules: StreamRules = RULES) -> None:
        self.loop = loop
        self.connector = FakeConnector()
        self.handler = Handler()
        self.urls = iter(f"wss://x/{i}" for i in range(100))
        self.client = StreamClient(
            self.connector, self.address, self.handler, rules=rules, jitter=lambda: 0.0, clock=loop.now_ns
        )

    async def address(self) -> str:
        return next(self.urls)


def play(scene: Callable[[Stage], Awaitable[None]], rules: StreamRules = RULES) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, rules)
        task = asyncio.ensure_future(stage.client.run())
        await asyncio.sleep(1)
        await scene(stage)
        stage.client.stop()
        await asyncio.wait_for(task, 5)
        return stage

    return run(main)


def test_messages_arrive_and_a_subscription_was_sent() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.client.is_connected
        stage.connector.last.say(b"a")
        assert stage.client.seen_ns == stage.loop.now_ns()

    stage = play(scene)
    assert stage.handler.messages == [b"a"]
    assert stage.connector.last.sent == [b"subscribe"]
    assert stage.handler.closed == []  # it was us who ended it


def test_a_broken_connection_is_told_and_made_again_with_its_subscriptions() -> None:
    async def scene(stage: Stage) -> None:
        stage.connector.last.break_off()
        await settle()
        assert not stage.client.is_connected
        await asyncio.sleep(2)

    stage = play(scene)
    assert stage.handler.closed == ["the connection broke"]
    assert [link.url for link in stage.connector.links] == ["wss://x/0", "wss://x/1"]
    assert stage.connector.last.sent == [b"subscribe"]
    assert (stage.client.counts.losses, stage.client.counts.last_reason) == (1, "the connection broke")


def test_delays_grow_while_nobody_listens() -> None:
    """H9.21."""

    async def scene(stage: Stage) -> None:
        stage.connector.failures = 4
        begun = stage.loop.time()
        stage.connector.last.break_off()
        while len(stage.connector.links) < 2:
            await asyncio.sleep(0.25)
        # One loss and four failures: 0.5 + 0.5 + 5 + 5 + 5 seconds.
        assert 16.0 <= stage.loop.time() - begun <= 16.5

    stage = play(scene)
    assert stage.client.counts.failures == 4


def test_data_alone_keep_it_up_for_ten_minutes() -> None:
    """H8.23, H8.24: nobody pings."""

    async def scene(stage: Stage) -> None:
        for _ in range(600):
            await asyncio.sleep(1)
            stage.connector.last.say(b"x")

    stage = play(scene)
    assert (len(stage.connector.links), stage.client.counts.pings) == (1, 0)


def test_a_silent_stream_that_answers_pings_stays_up() -> None:
    """H8.25, H8.26: an hour without a message."""

    async def scene(stage: Stage) -> None:
        await asyncio.sleep(3600)

    stage = play(scene)
    assert len(stage.connector.links) == 1
    assert stage.client.counts.pings == 180


def test_a_stream_that_answers_nothing_is_left() -> None:
    """H8.23, H8.24, H8.25, H8.26: silence of twenty seconds, ten more after the question."""

    async def scene(stage: Stage) -> None:
        stage.connector.last.answers_pings = False
        await asyncio.sleep(28)
        assert len(stage.connector.links) == 1
        await asyncio.sleep(3)
        assert len(stage.connector.links) == 2

    assert play(scene).handler.closed == ["silence: no traffic, and no answer to a ping"]


def test_before_the_age_limit_a_second_connection_takes_over_without_a_gap() -> None:
    async def scene(stage: Stage) -> None:
        old = stage.connector.last
        await asyncio.sleep(23 * 3600)
        assert len(stage.connector.links) == 2
        old.say(b"old, while both are heard")
        stage.connector.last.say(b"new")
        await settle()
        assert not old.is_open
        old.say(b"from the grave")
        stage.connector.last.say(b"newer")

    stage = play(scene)
    assert stage.handler.messages == [b"old, while both are heard", b"new", b"newer"]
    assert (stage.handler.opened, stage.handler.closed) == ([False, True], [])
    assert stage.client.counts.hand_overs == 1


def test_a_hand_over_to_a_mute_connection_keeps_the_old_one_and_is_tried_again() -> None:
    async def scene(stage: Stage) -> None:
        old = stage.connector.last
        await asyncio.sleep(23 * 3600 + 11)
        assert old.is_open
        assert not stage.connector.links[1].is_open
        old.say(b"still here")
        await asyncio.sleep(54)
        assert len(stage.connector.links) == 3
        stage.connector.last.say(b"speaks")
        await settle()
        assert not old.is_open

    assert play(scene).handler.messages == [b"still here", b"speaks"]


def test_where_nothing_will_be_acknowledged_a_pong_completes_a_hand_over() -> None:
    """A private stream of futures subscribes by its address, and a quiet account may say nothing for hours."""

    async def scene(stage: Stage) -> None:
        stage.handler.subscriptions = []
        old = stage.connector.last
        await asyncio.sleep(23 * 3600)
        assert (stage.connector.last.pings, old.is_open) == (1, False)

    stage = play(scene)
    assert (stage.client.counts.hand_overs, stage.client.counts.losses) == (1, 0)


def test_a_hand_over_that_cannot_connect_keeps_the_old_one() -> None:
    async def scene(stage: Stage) -> None:
        stage.connector.failures = 1
        await asyncio.sleep(23 * 3600)
        assert stage.connector.links[0].is_open

    assert play(scene).client.counts.failures == 1


def test_the_old_one_may_end_during_a_hand_over() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(23 * 3600)
        stage.connector.links[0].break_off()
        stage.connector.last.say(b"new")
        await settle()
        assert stage.client.is_connected

    assert play(scene).handler.closed == []


def test_giving_up_a_connection_makes_another() -> None:
    async def scene(stage: Stage) -> None:
        stage.client.reconnect("the key expired")
        await asyncio.sleep(2)

    stage = play(scene)
    assert (len(stage.connector.links), stage.handler.closed) == (2, ["the key expired"])


def test_an_address_that_cannot_be_had_counts_as_a_failure() -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        answers = iter([LinkError("no listen key"), "wss://x/1"])

        async def address() -> str:
            answer = next(answers)
            if isinstance(answer, LinkError):
                raise answer
            return answer

        stage.client._address = address
        task = asyncio.ensure_future(stage.client.run())
        await asyncio.sleep(2)
        assert stage.client.counts.last_reason == "no listen key"
        assert stage.client.is_connected
        stage.client.stop()
        await task

    run(main)


def test_sending_keeps_the_venues_pace() -> None:
    async def scene(stage: Stage) -> None:
        begun = stage.loop.time()
        assert await asyncio.gather(*[stage.client.send(b"m") for _ in range(8)]) == [True] * 8
        assert stage.loop.time() - begun >= 2.0

    assert play(scene).connector.last.sent == [b"subscribe"] + [b"m"] * 8


def test_sending_without_a_connection_is_refused_and_counted() -> None:
    """H8.6: nobody is there to take it, and no task dies of it."""

    async def scene(stage: Stage) -> None:
        link = stage.connector.last
        link.is_open = False
        assert not await stage.client.send(b"m")  # the link knows before the client does
        await settle()
        assert not await stage.client.send(b"m")

    stage = play(scene)
    assert stage.client.counts.unsent == 2
    assert stage.handler.closed == ["the connection is closed"]


def test_after_stop_nothing_is_delivered_and_every_task_ends() -> None:
    """H8.6: producers go on, the consumer is gone."""

    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        task = asyncio.ensure_future(stage.client.run())
        await asyncio.sleep(1)
        link = stage.connector.last
        stage.client.stop()
        link.say(b"late")
        await asyncio.wait_for(task, 5)
        assert stage.handler.messages == []
        assert not await stage.client.send(b"m")
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_stopping_during_a_delay_ends_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop)
        stage.connector.failures = 99
        task = asyncio.ensure_future(stage.client.run())
        await asyncio.sleep(30)
        begun = loop.time()
        stage.client.stop()
        await task
        assert loop.time() == begun

    run(main)


def test_a_subscription_that_cannot_be_sent_ends_the_attempt() -> None:
    async def scene(stage: Stage) -> None:
        stage.connector.prepare = lambda link: setattr(link, "is_open", False)
        stage.connector.last.break_off()
        await asyncio.sleep(0.75)
        stage.connector.prepare = lambda link: None
        await asyncio.sleep(6)
        assert stage.client.is_connected

    stage = play(scene)
    assert stage.handler.closed[:2] == ["the connection broke", "the connection is closed"]


def test_a_venue_gets_the_ping_that_it_knows() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(30)
        link = stage.connector.last
        assert (link.sent, link.pings) == ([b"subscribe", b"ping?"], 0)
        link.say(b"pong!")
        await asyncio.sleep(15)
        assert stage.client.is_connected

    play(scene, StreamRules(ping_after_ns=20 * S, pong_within_ns=11 * S, ping_message=b"ping?"))


def test_what_answers_the_first_message_can_be_answered_at_once() -> None:
    """A login is answered before the opening is over; the subscription goes on the same connection."""

    async def scene(stage: Stage) -> None:
        stage.connector.prepare = lambda link: setattr(link, "answer", lambda message: b"welcome")
        sent: list[asyncio.Task[bool]] = []

        def on_message(message: bytes, local_ts: int) -> None:
            if len(sent) < 1:
                sent.append(asyncio.ensure_future(stage.client.send(b"more")))

        stage.handler.on_message = on_message  # type: ignore[method-assign]
        stage.connector.last.break_off()
        await asyncio.sleep(5)
        assert [task.result() for task in sent] == [True]
        assert stage.connector.last.sent == [b"subscribe", b"more"]

    play(scene)


def test_a_connection_that_is_given_up_while_it_opens_is_lost() -> None:
    async def scene(stage: Stage) -> None:
        stage.connector.prepare = lambda link: setattr(link, "answer", lambda message: b"refused")
        stage.handler.on_message = lambda message, local_ts: stage.client.reconnect("refused")  # type: ignore[method-assign]
        stage.connector.last.break_off()
        await asyncio.sleep(1)
        assert stage.handler.closed == ["the connection broke", "refused"]
        assert not stage.client.is_connected

    play(scene)
