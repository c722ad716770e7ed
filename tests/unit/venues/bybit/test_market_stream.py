"""Market data of the stream: a whole book first, then changes that continue it, and a new one after a hole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from queuefront.venues.book_sync import Notice
from queuefront.venues.bybit.market_stream import MarketStream
from queuefront.venues.market_events import MarketEvents
from tests.unit.venues.bybit.fake_rest import client_of
from tests.unit.venues.fake_link import FakeConnector, FakeLink
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

MS = EPOCH_NS // 10**6
KINDS = ("orderbook", "publicTrade", "tickers")


def book(u: int, kind: str = "delta", symbol: str = "BTCUSDT", bid: str = "100", **fields: Any) -> bytes:
    data = {"s": symbol, "b": [[bid, "1"]], "a": [["200", "1"]], "u": u, "seq": u}
    message = {"topic": f"orderbook.50.{symbol}", "type": kind, "ts": MS, "cts": MS - 1, "data": data, **fields}
    return json.dumps(message).encode()


class Stage:
    def __init__(self, loop: VirtualLoop, symbols: tuple[str, ...]) -> None:
        self.client, _ = client_of(loop)
        self.connector = FakeConnector()
        self.events: list[MarketEvents] = []
        self.update = 10
        self.connector.prepare = lambda link: setattr(link, "answer", lambda message: self.answer(link, message))
        self.is_answering = True
        self.market = MarketStream(self.client, self.connector, symbols, KINDS, self.events.append, jitter=lambda: 0.0)

    def answer(self, link: FakeLink, message: bytes) -> bytes | None:
        asked = json.loads(message)
        if asked["op"] == "ping":
            return b'{"success":true,"ret_msg":"pong","op":"ping"}'
        if asked["op"] == "subscribe" and self.is_answering:
            for topic in asked["args"]:
                if topic.startswith("orderbook"):
                    link.say(book(self.update, "snapshot", topic.rpartition(".")[2]))
        return json.dumps({"success": True, "ret_msg": "", "op": asked["op"], "req_id": asked["req_id"]}).encode()

    @property
    def link(self) -> FakeLink:
        return self.connector.last

    def asked(self) -> list[tuple[str, list[str]]]:
        return [(m["op"], m["args"]) for m in map(json.loads, self.link.sent) if m["op"] != "ping"]

    def notices(self) -> list[tuple[str, str]]:
        return [(e.notice.name, e.reason) for e in self.events if e.notice is not None]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def play(scene: Callable[[Stage], Awaitable[None]], *symbols: str) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, symbols or ("BTCUSDT",))
        task = asyncio.ensure_future(stage.market.run())
        await asyncio.sleep(1)
        await scene(stage)
        stage.market.stop()
        await asyncio.wait_for(task, 5)
        assert len(asyncio.all_tasks()) == 1
        return stage

    return run(main)


def test_the_whole_book_comes_first_and_then_its_changes() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.link.url == "ws://127.0.0.1:9000/v5/public/linear"
        assert stage.asked() == [("subscribe", ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"])]
        stage.link.say(book(11, bid="101"))
        first, second = stage.events
        assert (first.kind, first.notice, len(first.rows)) == ("book", Notice.SYNCED, 3)
        assert (second.kind, second.exch_ts, second.is_exch_ts_local) == ("depth", (MS - 1) * 10**6, False)
        assert stage.market.feed("BTCUSDT").sync.book.best_bid == (101.0, 1.0)

    play(scene)


def test_a_hole_loses_the_book_and_a_new_subscription_mends_it() -> None:
    async def scene(stage: Stage) -> None:
        stage.update = 20
        stage.link.say(book(12))
        assert stage.notices()[-1] == ("LOST", "gap")
        stage.link.say(book(13))
        await asyncio.sleep(5)
        assert stage.asked()[1:] == [("unsubscribe", ["orderbook.50.BTCUSDT"]), ("subscribe", ["orderbook.50.BTCUSDT"])]
        assert [name for name, _ in stage.notices()] == ["SYNCED", "LOST", "SYNCED"]
        stage.link.say(book(21))
        assert stage.kinds()[-1] == "depth"
        assert stage.market.feed("BTCUSDT").sync.counts.gaps == 1

    play(scene)


def test_a_new_subscription_that_brings_no_book_is_repeated_with_growing_delays() -> None:
    async def scene(stage: Stage) -> None:
        stage.is_answering = False
        stage.link.say(book(12))
        await asyncio.sleep(60)
        assert 3 <= stage.asked().count(("subscribe", ["orderbook.50.BTCUSDT"])) <= 6
        assert not stage.market.feed("BTCUSDT").sync.is_valid
        stage.is_answering = True
        await asyncio.sleep(30)
        assert stage.market.feed("BTCUSDT").sync.is_valid

    play(scene)


def test_a_restart_of_the_service_replaces_the_book() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(book(1, bid="50"))
        assert stage.market.feed("BTCUSDT").sync.last_id == 1
        assert stage.market.feed("BTCUSDT").sync.book.best_bid == (50.0, 1.0)
        stage.link.say(book(2, bid="51"))
        assert stage.notices() == [("SYNCED", "")]

    play(scene)


def test_repeated_and_late_changes_are_ignored() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(book(11))
        count = len(stage.events)
        stage.link.say(book(11, bid="150"))
        stage.link.say(book(10, bid="150"))
        assert len(stage.events) == count
        assert stage.market.feed("BTCUSDT").sync.is_valid

    play(scene)


# H8.3
def test_a_message_without_the_engines_time_is_delivered_and_counted() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(json.dumps({k: v for k, v in json.loads(book(11)).items() if k != "cts"}).encode())
        stage.link.say(json.dumps({k: v for k, v in json.loads(book(12)).items() if k not in ("cts", "ts")}).encode())
        trade = {"topic": "publicTrade.BTCUSDT", "data": [{"s": "BTCUSDT", "S": "Buy", "v": "1", "p": "100"}]}
        stage.link.say(json.dumps(trade).encode())
        by_envelope, by_receipt, traded = stage.events[1:]
        assert (by_envelope.exch_ts, by_envelope.is_exch_ts_local) == (MS * 10**6, False)
        assert (by_receipt.exch_ts, by_receipt.is_exch_ts_local) == (by_receipt.local_ts, True)
        assert (traded.kind, traded.is_exch_ts_local) == ("trade", True)
        assert (stage.market.decoder.times.by_envelope, stage.market.decoder.times.by_receipt) == (1, 2)

    play(scene)


def test_trades_and_marks_flow_without_a_book() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(book(12))
        trade = {
            "topic": "publicTrade.BTCUSDT",
            "ts": MS,
            "data": [{"T": MS, "s": "BTCUSDT", "S": "Sell", "v": "1", "p": "7"}],
        }
        stage.link.say(json.dumps(trade).encode())
        marks = {"topic": "tickers.BTCUSDT", "ts": MS, "data": {"symbol": "BTCUSDT", "markPrice": "7.5"}}
        stage.link.say(json.dumps(marks).encode())
        stage.link.say(json.dumps({**marks, "data": {"symbol": "BTCUSDT"}}).encode())
        assert stage.kinds()[-2:] == ["trade", "mark price"]

    play(scene)


def test_a_lost_connection_loses_every_book() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(book(30, symbol="ETHUSDT"))  # a hole: renewing when the connection goes
        stage.link.break_off()
        await asyncio.sleep(5)
        assert ("LOST", "the connection broke") in stage.notices()
        assert all(feed.sync.is_valid for feed in stage.market.feeds.values())

    stage = play(scene, "BTCUSDT", "ETHUSDT")
    assert len(stage.connector.links) == 2


def test_many_topics_are_subscribed_in_parts() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(3)
        assert [len(args) for _, args in stage.asked()] == [10, 2]

    play(scene, "AUSDT", "BUSDT", "CUSDT", "DUSDT")


def test_a_refused_subscription_begins_anew_and_is_counted() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(b'{"success":false,"ret_msg":"Invalid topic","op":"subscribe"}')
        await asyncio.sleep(5)
        assert stage.market.refused == {"subscribe failed: Invalid topic": 1}
        assert stage.market.feed("BTCUSDT").sync.is_valid

    assert len(play(scene).connector.links) == 2


def test_what_is_not_ours_or_no_message_is_counted() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(b"<html>")
        stage.link.say(book(1, "snapshot", "ETHUSDT"))
        trade = {"topic": "publicTrade.ETHUSDT", "ts": MS, "data": [{"T": MS, "s": "ETHUSDT", "v": "1", "p": "7"}]}
        stage.link.say(json.dumps(trade).encode())
        stage.link.say(b'{"topic":"kline.1.BTCUSDT","data":[]}')
        assert sum(stage.market.refused.values()) == 3
        assert len(stage.events) == 1

    play(scene)
