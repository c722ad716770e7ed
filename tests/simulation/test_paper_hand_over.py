"""The paper exchange ends every WebSocket at its age limit; our connector is gone to another one before, without a gap."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import queuefront.paper.server
from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, LoopClock, PaperServer
from queuefront.venues import Credentials, EventKind, OrderType, PlaceOrder, Role, TimeInForce
from queuefront.venues.binance import (
    Addresses,
    BinanceClient,
    BinanceVenue,
    MarketEvents,
    MarketStream,
    SessionConfig,
)
from queuefront.venues.liveness import StreamRules
from queuefront.venues.rest import AiohttpTransport
from queuefront.venues.websocket import PicowsConnector
from tests.paper_market import COINM, SPOT, USDM, config, symbol, synthetic
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

S = 10**9
DAY_S = 86_400
VENUES = pytest.mark.parametrize("venue", [SPOT, USDM, COINM])
#: A minute for a day, and both in proportion.
MINUTE = StreamRules(hand_over_ns=40 * S, hand_over_spread_ns=10 * S, age_limit_ns=60 * S)
#: One that stays as long as the venue lets it, as a client would that knows of no limit.
STAYING = StreamRules(hand_over_ns=10**6 * S, age_limit_ns=2 * 10**6 * S)


@dataclass
class Heard:
    """What came of a session: its two streams' counts, and what they carried."""

    market: Any = None
    user: Any = None
    sync: Any = None
    notices: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    reconciliations: int = 0
    equal_books: bool = False


async def session(loop: VirtualLoop, venue: str, age_s: float, rules: StreamRules, lasts_s: int, orders: int) -> Heard:
    """Follow the market and trade for so long."""
    heard = Heard()
    made = config(venue, synthetic(venue, 60_000), connection_age_s=age_s, balances={"USDT": 10**9, "BTC": 10**6})
    async with PaperServer(made, clock=LoopClock(EPOCH_NS)) as server:
        name = symbol(venue)
        where = Addresses(server.rest_url, server.ws_url, server.ws_url + server.venue.rules.websocket_api_path)
        settings = SessionConfig(venue, "custom", (name,), where)
        jitter = np.random.default_rng(1).random
        credentials = Credentials(DEFAULT_KEY, DEFAULT_SECRET)
        client = BinanceClient(settings, AiohttpTransport(), credentials, jitter=jitter, clock=loop.now_ns)
        ours = BinanceVenue(client, PicowsConnector(), jitter=jitter, rules=rules)

        def take(events: MarketEvents) -> None:
            if events.notice is not None:
                heard.notices.append(events.notice.name)

        stream = MarketStream(client, PicowsConnector(), [name], ["depth@100ms"], take, rules=rules, jitter=jitter)
        await ours.start()
        following = asyncio.ensure_future(stream.run())
        if not orders:
            await asyncio.sleep(lasts_s)
        for number in range(orders):
            await asyncio.sleep(lasts_s / orders)
            await place(ours, name, f"o{number}", heard)
        await asyncio.sleep(1)
        heard.told += [event.cid for event in ours.pump() if event.kind is EventKind.ACK]
        heard.market, heard.user = stream.stream.counts, ours.user_stream.stream.counts
        heard.sync, heard.reconciliations = stream.feed(name).sync.counts, ours.reconciliations
        heard.equal_books = books_are_equal(server, stream, name)
        stream.stop()
        await asyncio.gather(following, return_exceptions=True)
        await ours.close()
    return heard


async def place(ours: BinanceVenue, name: str, cid: str, heard: Heard) -> None:
    """Place an order that rests far away."""
    request = PlaceOrder(
        cid=cid, trade_id="t", slot_id=0, role=Role.ENTRY, instrument=name, is_buy=True, lots=100,
        order_type=OrderType.LIMIT, price_tick=1_000, time_in_force=TimeInForce.GTC, reduce_only=False, post_only=False,
        leverage=0,
    )  # fmt: skip
    await ours.send(request)
    heard.placed.append(cid)


def books_are_equal(server: PaperServer, stream: MarketStream, name: str) -> bool:
    """Whether our book is whole, and the exchange's."""
    traded = server.venue.exchange.markets[name]
    sync = stream.feed(name).sync
    sides = [
        [(float(traded.market.tick_text(tick)), float(traded.market.lots_text(lots))) for tick, lots in side]
        for side in traded.replay.snapshot(20)
    ]
    return sync.is_valid and [sync.book.bids(20), sync.book.asks(20)] == sides


def seamless(heard: Heard, hand_overs: int) -> None:
    """Nothing was lost at any change of connections."""
    assert heard.market.hand_overs >= hand_overs
    assert heard.user.hand_overs >= hand_overs
    assert (heard.market.losses, heard.user.losses) == (0, 0)
    assert (heard.sync.gaps, heard.reconciliations) == (0, 1)
    assert heard.notices == ["SYNCED"]
    assert heard.told == heard.placed
    assert heard.equal_books


@pytest.mark.slow
@VENUES
def test_connections_are_handed_over_before_the_age_limit_without_a_gap(venue: str) -> None:
    heard = run(lambda loop: session(loop, venue, 60, MINUTE, 240, 24))
    seamless(heard, 4)


@VENUES
def test_a_quiet_account_is_handed_over_too(venue: str) -> None:
    """Nothing is said on the new private connection of futures: an answer to a ping shows that it is there."""
    heard = run(lambda loop: session(loop, venue, 60, MINUTE, 100, 0))
    assert (heard.user.hand_overs, heard.user.losses, heard.reconciliations) == (2, 0, 1)


@pytest.mark.slow
@VENUES
def test_a_connection_that_stays_is_ended_by_the_venue_and_begun_anew(venue: str) -> None:
    heard = run(lambda loop: session(loop, venue, 60, STAYING, 240, 24))
    assert heard.market.losses == heard.user.losses == 3
    assert heard.market.last_reason == heard.user.last_reason == "closed by the venue, code 1008"
    assert heard.notices == ["SYNCED", "LOST"] * 3 + ["SYNCED"]
    assert heard.reconciliations == 4
    assert heard.equal_books


@pytest.mark.soak
@pytest.mark.parametrize("venue", [USDM])
def test_a_day_and_a_half_with_the_rules_as_they_are(venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """24 hours at the venue, 23 hours and up to a half at ours. The exchange looks at its clock ten times a second."""
    monkeypatch.setattr(queuefront.paper.server, "_TICK_S", 0.1)
    heard = run(lambda loop: session(loop, venue, DAY_S, StreamRules(), DAY_S * 3 // 2, 72))
    seamless(heard, 1)
