"""Market data on one connection: books that are whole or silent, whatever happens to snapshots and to the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from queuefront.venues.binance.market_stream import MarketStream
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.book_sync import Notice
from queuefront.venues.market_events import MarketEvents
from tests.unit.venues.binance.fake_rest import client_of, refused
from tests.unit.venues.fake_link import FakeConnector, FakeLink
from tests.virtual_time import VirtualLoop, run, settle

SPOT, USDM, COINM = Market(Product.SPOT), Market(Product.USDM), Market(Product.COINM)
MS = 1767225600000


def depth(first: int, last: int, prev: int, bids: Sequence[Any] = (), symbol: str = "BTCUSDT") -> bytes:
    data = {"e": "depthUpdate", "E": MS, "T": MS, "s": symbol, "U": first, "u": last, "pu": prev, "b": bids, "a": []}
    return wrapped(f"{symbol.lower()}@depth@100ms", data)


def wrapped(stream: str, data: Any) -> bytes:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode()


def snapshot(last: int) -> dict[str, Any]:
    return {"lastUpdateId": last, "E": MS, "T": MS, "bids": [["1.0", "1"]], "asks": [["2.0", "1"]]}


class Stage:
    def __init__(self, loop: VirtualLoop, market: Market, symbols: Sequence[str], kinds: Sequence[str]) -> None:
        self.loop = loop
        self.client, self.rest = client_of(loop, market, is_private=False)
        self.rest.on("GET depth", snapshot(9))
        self.connector = FakeConnector()
        self.events: list[MarketEvents] = []
        self.market = MarketStream(self.client, self.connector, symbols, kinds, self.events.append, jitter=lambda: 0.0)

    @property
    def link(self) -> FakeLink:
        return self.connector.last

    @property
    def seen(self) -> list[tuple[str, Notice | None]]:
        return [(event.kind, event.notice) for event in self.events]


def play(
    scene: Callable[[Stage], Awaitable[None]],
    market: Market = USDM,
    symbols: Sequence[str] = ("BTCUSDT",),
    kinds: Sequence[str] = ("depth@100ms", "bookTicker"),
) -> Stage:
    async def main(loop: VirtualLoop) -> Stage:
        stage = Stage(loop, market, symbols, kinds)
        task = asyncio.ensure_future(stage.market.run())
        await asyncio.sleep(1)
        await scene(stage)
        stage.market.stop()
        await asyncio.wait_for(task, 5)
        assert len(asyncio.all_tasks()) == 1
        return stage

    return run(main)


async def synced(stage: Stage) -> None:
    stage.link.say(depth(8, 10, 7, [["1.5", "3"]]))
    await settle()
    assert stage.market.feed("BTCUSDT").sync.is_valid


@pytest.mark.parametrize(
    ("market", "kinds", "url"),
    [
        (USDM, ["depth@100ms"], "ws://127.0.0.1:9000/public/stream"),
        (USDM, ["aggTrade"], "ws://127.0.0.1:9000/market/stream"),
        (USDM, ["aggTrade", "bookTicker"], "ws://127.0.0.1:9000/stream"),
        (COINM, ["depth@100ms"], "ws://127.0.0.1:9000/stream"),
        (SPOT, ["depth@100ms", "trade"], "ws://127.0.0.1:9000/stream"),
    ],
)
def test_it_connects_by_the_route_of_its_streams_and_subscribes(market: Market, kinds: list[str], url: str) -> None:
    async def scene(stage: Stage) -> None:
        await settle()

    stage = play(scene, market, kinds=kinds)
    assert stage.link.url == url
    assert json.loads(stage.link.sent[0]) == {"method": "SUBSCRIBE", "params": [f"btcusdt@{k}" for k in kinds], "id": 1}


def test_many_streams_are_subscribed_in_parts() -> None:
    async def scene(stage: Stage) -> None:
        await asyncio.sleep(1)

    stage = play(scene, COINM, [f"S{i}" for i in range(120)], ["depth@100ms", "trade"])
    assert [len(json.loads(m)["params"]) for m in stage.link.sent] == [100, 100, 40]


def test_the_whole_book_comes_first_and_then_its_changes() -> None:
    """H8.33."""

    async def scene(stage: Stage) -> None:
        await synced(stage)
        stage.link.say(depth(11, 14, 10, [["1.5", "0"]]))

    stage = play(scene)
    assert stage.seen == [("book", Notice.SYNCED), ("depth", None)]
    book = stage.market.feed("BTCUSDT").sync.book
    assert (book.best_bid, book.best_ask) == ((1.0, 1.0), (2.0, 1.0))
    assert stage.events[1].exch_ts == MS * 10**6


def test_a_slow_snapshot_holds_depth_back_and_not_trades() -> None:
    """H8.33: five seconds without a snapshot."""

    async def scene(stage: Stage) -> None:
        stage.rest.delay_s = 5.0
        for i in range(40):
            stage.link.say(depth(8 + i, 8 + i, 7 + i))
            trade = {"e": "aggTrade", "E": MS, "s": "BTCUSDT", "a": i, "p": "1.5", "q": "1", "T": MS, "m": True}
            stage.link.say(wrapped("btcusdt@aggTrade", trade))
            await asyncio.sleep(0.1)
        assert set(stage.seen) == {("trade", None)}
        assert len(stage.rest.asked) == 1  # one at a time
        await asyncio.sleep(2)

    stage = play(scene, kinds=["depth@100ms", "aggTrade"])
    assert stage.seen[-1] == ("book", Notice.SYNCED)
    assert stage.market.feed("BTCUSDT").sync.last_id == 47


def test_a_gap_loses_the_book_and_a_new_snapshot_mends_it() -> None:
    """H8.16."""

    async def scene(stage: Stage) -> None:
        await synced(stage)
        stage.rest.on("GET depth", snapshot(25))
        stage.link.say(depth(20, 24, 19))
        stage.link.say(depth(25, 26, 24))
        await settle()

    stage = play(scene)
    assert stage.seen == [("book", Notice.SYNCED), ("book", Notice.LOST), ("book", Notice.SYNCED)]
    assert stage.events[1].reason == "gap"


def test_snapshots_that_do_not_help_are_fetched_ever_more_seldom() -> None:
    async def scene(stage: Stage) -> None:
        stage.rest.on("GET depth", refused(-1121), (500, b"?"), snapshot(1))
        for i in range(600):
            stage.link.say(depth(100 + i, 100 + i, 99 + i))
            await asyncio.sleep(0.1)

    stage = play(scene)
    assert stage.rest.names().count("GET depth") <= 14
    assert stage.events == []
    assert any(text.startswith("snapshot:") for text in stage.market.refused)


def test_a_lost_connection_loses_the_book_and_its_snapshot_is_discarded() -> None:
    """H8.7: the snapshot was asked on the old connection."""

    async def scene(stage: Stage) -> None:
        await synced(stage)
        stage.link.say(depth(20, 24, 19))  # a gap: a snapshot is asked
        stage.rest.delay_s = 1.0
        await settle(2)
        stage.link.break_off()
        await asyncio.sleep(0.6)
        assert stage.seen[-1] == ("book", Notice.LOST)
        stage.rest.on("GET depth", snapshot(55))
        stage.link.say(depth(54, 56, 53))
        await asyncio.sleep(2)
        assert stage.market.feed("BTCUSDT").sync.last_id == 56

    stage = play(scene)
    assert stage.market.stream.counts.losses == 1


def test_a_hand_over_keeps_the_book() -> None:
    async def scene(stage: Stage) -> None:
        await synced(stage)
        await asyncio.sleep(23 * 3600)
        assert len(stage.connector.links) == 2
        change = depth(11, 14, 10)
        stage.connector.links[0].say(change)
        stage.link.say(change)
        await settle()
        stage.link.say(depth(15, 16, 14))

    stage = play(scene)
    assert stage.seen == [("book", Notice.SYNCED), ("depth", None), ("depth", None)]
    assert stage.market.feed("BTCUSDT").sync.counts.duplicates == 1


def test_a_ticker_of_the_same_update_with_another_price_loses_the_book() -> None:
    def ticker(update: int, bid: str) -> bytes:
        data = {"e": "bookTicker", "u": update, "E": MS, "T": MS, "s": "BTCUSDT", "b": bid, "B": "1", "a": "2.0", "A": "1"}
        return wrapped("btcusdt@bookTicker", data)

    async def scene(stage: Stage) -> None:
        await synced(stage)
        stage.link.say(ticker(10, "1.5"))
        stage.link.say(ticker(10, "1.4"))

    stage = play(scene)
    assert [kind for kind, _ in stage.seen] == ["book", "book ticker", "book", "book ticker"]
    assert stage.events[2].reason == "the best prices are others than the venue's"


def test_each_symbol_has_its_own_book() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(depth(8, 10, 7, symbol="ETHUSDT"))
        await settle()
        assert stage.market.feed("ETHUSDT").sync.is_valid
        assert not stage.market.feed("BTCUSDT").sync.is_valid

    stage = play(scene, symbols=("BTCUSDT", "ETHUSDT"))
    assert [event.symbol for event in stage.events] == ["ETHUSDT"]


def test_what_is_no_market_message_changes_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await synced(stage)
        for message in (
            b'{"result":null,"id":1}',
            b'{"error":{"code":2,"msg":"Invalid request"},"id":1}',
            b"not json",
            wrapped("btcusdt@depth@100ms", {"e": "depthUpdate", "s": "BTCUSDT"}),
            wrapped("btcusdt@depth5@100ms", {"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2}),
            wrapped("other@trade", {"e": "trade"}),
            wrapped("btcusdt@kline_1m", {"e": "kline", "s": "BTCUSDT"}),
        ):
            stage.link.say(message)
        stage.link.say(depth(11, 14, 10))

    stage = play(scene)
    assert stage.seen == [("book", Notice.SYNCED), ("depth", None)]
    assert sum(stage.market.refused.values()) == 3


def test_a_shutdown_notice_makes_a_new_connection() -> None:
    async def scene(stage: Stage) -> None:
        stage.link.say(wrapped("!serverShutdown", {"e": "serverShutdown", "E": 1}))
        await asyncio.sleep(2)

    assert len(play(scene, SPOT).connector.links) == 2
