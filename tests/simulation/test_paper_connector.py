"""Our connector trades at the paper exchange while everything between them fails, and both end with the same account.

It follows the market meanwhile: its book is the exchange's wherever it says that it is valid.

Real sockets, virtual time: the loop jumps to the next deadline, and the venue's clock is the loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from queuefront.kernel.dice import Dice
from queuefront.paper import DEFAULT_KEY, DEFAULT_SECRET, Fault, FaultKind, LoopClock, PaperServer, random_faults
from queuefront.venues import CancelOrder, Credentials, FetchSnapshot, ModifyOrder, OrderType, PlaceOrder, Role, TimeInForce
from queuefront.venues.binance import (
    Addresses,
    BinanceClient,
    BinanceVenue,
    MarketEvents,
    MarketStream,
    SessionConfig,
)
from queuefront.venues.errors import VenueError
from queuefront.venues.mock import VenueDownError
from queuefront.venues.outcome import value_of
from queuefront.venues.rest import AiohttpTransport
from queuefront.venues.websocket import PicowsConnector
from tests.paper_market import COINM, SPOT, USDM, config, symbol, synthetic
from tests.paper_watch import Watch
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

API_PATHS = {SPOT: "/ws-api/v3", USDM: "/ws-fapi/v1", COINM: "/ws-dapi/v1"}


def connector(server: PaperServer, loop: VirtualLoop) -> BinanceVenue:
    name = str(server.venue.rules.name)
    addresses = Addresses(server.rest_url, server.ws_url, server.ws_url + API_PATHS[name])
    session = SessionConfig(name, "custom", (symbol(name),), addresses)
    jitter = np.random.default_rng(1).random
    client = BinanceClient(
        session, AiohttpTransport(), Credentials(DEFAULT_KEY, DEFAULT_SECRET), jitter=jitter, clock=loop.now_ns
    )
    return BinanceVenue(client, PicowsConnector(), jitter=jitter)


async def trade(venue: str, orders: int, faults: list[Fault], events: int = 150_000, speed: Fraction = Fraction(1)) -> None:
    loop: Any = asyncio.get_running_loop()
    rich = {"USDT": 10**9, "BTC": 10**6}  # so that open orders may pile up
    paper = config(venue, synthetic(venue, events), faults=faults, seed=5, balances=rich, speed=speed)
    server = PaperServer(paper, clock=LoopClock(EPOCH_NS))
    async with server:
        ours = connector(server, loop)
        await started(ours)
        trader = Trader(ours, server)
        async with following(server, loop) as (stream, watch):
            await trader.run(orders)
            if server.venue.exchange.is_over:
                raise RuntimeError(f"the tape ended before the session at {loop.time():,.0f} s; give it more events")
            assert watch.is_equal(stream, trader.symbol)
        await ours.close()
    assert watch.checked > orders // 2
    assert watch.wrong == []
    exchange = server.venue.exchange
    fills = sum(len(order.executions) for order in exchange.orders.all(trader.symbol))
    assert fills > orders // 10
    if faults:
        shown = server.venue.faults.shown
        assert {FaultKind.TIMEOUT, FaultKind.DROP, FaultKind.SERVER_ERROR, FaultKind.DUPLICATE} <= shown.keys()
        if orders >= 10_000:  # a wrong clock is not counted
            assert set(FaultKind) - shown.keys() == {FaultKind.CLOCK_OFFSET}
        assert trader.unknown > 0


@asynccontextmanager
async def following(server: PaperServer, loop: VirtualLoop) -> AsyncIterator[tuple[MarketStream, Watch]]:
    """Follow the market beside the orders, and hold its book against the exchange's wherever it is valid."""
    watch = Watch(server)
    name, market = str(server.venue.rules.name), next(iter(server.venue.exchange.markets))
    where = Addresses(server.rest_url, server.ws_url, server.ws_url + API_PATHS[name])
    jitter = np.random.default_rng(2).random
    session = SessionConfig(name, "custom", (market,), where)
    client = BinanceClient(session, AiohttpTransport(), jitter=jitter, clock=loop.now_ns)

    def take(events: MarketEvents) -> None:
        watch.check(stream, market, events)

    stream = MarketStream(client, PicowsConnector(), [market], ["depth@100ms", "bookTicker"], take, jitter=jitter)
    running = asyncio.ensure_future(stream.run())
    try:
        yield stream, watch
    finally:
        stream.stop()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()


async def started(ours: BinanceVenue) -> None:
    """Begin as often as it takes: while faults are on, a question may stay without an answer."""
    for _ in range(20):
        try:
            await ours.start()
        except VenueError:
            await asyncio.sleep(130)
        else:
            return
    raise AssertionError("the connector did not start in twenty attempts")


class Trader:
    """Places, changes and cancels at random, and compares at the end."""

    def __init__(self, ours: BinanceVenue, server: PaperServer) -> None:
        self.ours, self.server, self.dice = ours, server, Dice(11)
        self.symbol = next(iter(server.venue.exchange.markets))
        self.is_spot = server.venue.rules.is_spot
        self.cids: list[str] = []
        self.unknown = 0

    async def run(self, orders: int) -> None:
        exchange = self.server.venue.exchange
        for number in range(30 * orders):
            if len(exchange.orders) >= orders:
                break
            before = self.server.venue.request_count
            await self.act(number)
            # Where nothing left, the connector waits out a limit or a ban.
            await asyncio.sleep(0.05 if self.server.venue.request_count > before else 1.0)
            self.ours.pump()
        assert len(exchange.orders) >= orders
        await self.compare()

    async def act(self, number: int) -> None:
        exchange = self.server.venue.exchange
        tick = exchange.markets[self.symbol].replay.top().bid_tick or 1
        what = self.dice.below(4) if self.cids else 0
        open_orders = exchange.orders.open()
        request: Any
        if len(open_orders) > 25:
            request = CancelOrder(self.dice.choice(open_orders).client_id, "", self.symbol)
        elif what <= 1:
            cid = f"o{number}"
            self.cids.append(cid)
            kind = OrderType.MARKET if self.dice.one_in(4) else OrderType.LIMIT
            is_buy = self.dice.one_in(2)
            # What spot sells is what it holds: the end of a position, not the beginning of a short one.
            role = Role.ENTRY if is_buy or not self.is_spot else Role.EXIT
            request = PlaceOrder(
                cid=cid, trade_id="t", slot_id=0, role=role, instrument=self.symbol, is_buy=is_buy,
                lots=self.dice.between(10, 40), order_type=kind, price_tick=tick + self.dice.between(-3, 3),
                time_in_force=self.dice.choice([TimeInForce.GTC, TimeInForce.IOC]), reduce_only=False, post_only=False,
                leverage=0,
            )  # fmt: skip
        elif what == 2:
            request = CancelOrder(self.dice.choice(self.cids), "", self.symbol)
        else:
            lots = self.dice.between(5, 30)
            request = ModifyOrder(self.dice.choice(self.cids), "", self.symbol, lots, tick - self.dice.between(0, 4))
        try:
            await self.ours.send(request)
        except VenueDownError:
            self.unknown += 1

    async def compare(self) -> None:
        """Once nothing fails any more, both sides say the same."""
        self.server.venue.faults.clear()
        await asyncio.sleep(130)
        self.ours.pump()
        exchange = self.server.venue.exchange
        snapshot: Any = await self.ours.send(FetchSnapshot("compare"))
        theirs = {order.client_id: order.filled_lots for order in exchange.orders.open()}
        assert {order.cid: order.cum_lots for order in snapshot.open_orders} == theirs
        await asyncio.sleep(5)  # where the snapshot says more than pushes did, the connector asks
        for cid in self.cids:
            order = exchange.orders.find(self.symbol, None, cid)
            known = self.ours.tracker.get(cid)
            if order is not None and known is not None:
                assert (cid, known.cum_qty, str(known.status)) == (cid, order.filled_qty, order.status)
        held = {row.asset: row.total for row in value_of(await self.ours.client.balances(), "balances")}
        if self.server.venue.rules.is_spot:
            assert held == {asset: b.free + b.locked for asset, b in exchange.spot.balances.items()}
        else:
            assert held == exchange.futures.wallets
            lots = exchange.markets[self.symbol].market.instrument.qty_to_lots(exchange.futures.positions[self.symbol].qty)
            assert sum(p.lots * p.side.sign for p in snapshot.positions) == lots


@pytest.mark.parametrize("venue", [SPOT, USDM, COINM])
def test_a_session_under_every_fault_ends_with_equal_accounts(venue: str) -> None:
    run(lambda _loop: trade(venue, 150, random_faults(0.03)))


@pytest.mark.soak
@pytest.mark.parametrize(("venue", "orders"), [(SPOT, 2_000), (USDM, 10_000), (COINM, 2_000)])
def test_thousands_of_orders_under_every_fault_end_with_equal_accounts(venue: str, orders: int) -> None:
    run(lambda _loop: trade(venue, orders, random_faults(0.02), 500_000, Fraction(1, 8)))


@pytest.mark.soak
@pytest.mark.parametrize("venue", [SPOT, USDM, COINM])
def test_a_quiet_session_ends_with_equal_accounts(venue: str) -> None:
    run(lambda _loop: trade(venue, 60, []))
