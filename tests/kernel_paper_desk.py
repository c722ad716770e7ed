"""A kernel on Binance's connector at the embedded paper exchange, in virtual time, over real sockets.

Everything on the way is the exchange's and the connector's own: signatures, limits, payloads, private stream, account and
faults. Only when and at which price an order fills is told by the story; with `rows` of a market `sim` decides it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import numpy as np

from queuefront.core import Instrument
from queuefront.core.enums import BUY, CANCELED, FILLED, PARTIALLY_FILLED
from queuefront.feed import Tape
from queuefront.kernel import Kernel, Spec
from queuefront.paper import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    Fault,
    FaultKind,
    Listing,
    LoopClock,
    PaperConfig,
    PaperServer,
)
from queuefront.paper.matching import Report
from queuefront.paper.request import Request
from queuefront.venues import CancelOrder, Credentials, MockFault, MockFill, PlaceOrder, QueryOrder
from queuefront.venues.binance import Addresses, BinanceClient, BinanceVenue, SessionConfig
from queuefront.venues.rest import AiohttpTransport
from queuefront.venues.websocket import PicowsConnector
from tests.kernel_desk import Desk
from tests.kernel_story import CAPITAL, SECOND, UNIT, config
from tests.paper_market import ASK, BID, USDM, story
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

__all__ = ["PaperDesk"]

SCALE = 9
TRX = Instrument(USDM, "TRXUSDT", tick_size="0.00001", lot_size="100", base="TRX", quote="USDT")
#: A market that stands: what fills is the story's.
STANDING = ((BID, 0, 0.083, 10_000), (ASK, 0, 0.0839, 10_000), (BID, 86_400, 0.083, 10_100))
#: The connector repeats a question so often before it gives up.
_ATTEMPTS = 4
_TARGETS = {PlaceOrder: "POST */order", CancelOrder: "DELETE */order", QueryOrder: "GET */order"}
_FAULTS = {
    MockFault.EMPTY: (FaultKind.EMPTY_ANSWER, True),
    MockFault.EMPTY_NOT_DONE: (FaultKind.EMPTY_ANSWER, False),
    MockFault.TIMEOUT_DONE: (FaultKind.TIMEOUT, True),
    MockFault.TIMEOUT_NOT_DONE: (FaultKind.TIMEOUT, False),
    MockFault.SERVER_ERROR: (FaultKind.SERVER_ERROR, False),
}


@dataclass
class Resting:
    """An order as the script has it."""

    side: int
    lots: int
    due_ts: int
    script: list[MockFill] = field(default_factory=list)


class ScriptedMatching:
    """The exchange half by a script: it keeps to the contract of `MatchingEngine`, and fills when the story says."""

    def __init__(self) -> None:
        self.entry: tuple[MockFill, ...] = ()
        self.exit: tuple[MockFill, ...] = ()
        self.price_tick: int | None = None
        self._orders: dict[int, Resting] = {}
        self._tape_ts = 0

    def advance(self, tape_ts: int) -> list[Report]:
        reports = []
        for engine_id, order in list(self._orders.items()):
            while engine_id in self._orders and order.script and order.due_ts <= tape_ts:
                reports.append(self.fill(engine_id, order.script.pop(0), order.due_ts))
                order.due_ts += order.script[0].after_ns if order.script else 0
        self._tape_ts = max(self._tape_ts, tape_ts)
        return sorted(reports, key=lambda report: report.ts)

    def place(self, engine_id: int, side: int, tick: int | None, lots: int, time_in_force: int) -> list[Report]:
        del tick, time_in_force
        fills = list(self.entry if side == BUY else self.exit)
        if self.price_tick is not None:
            fills = [MockFill(lots, self.price_tick)]
        self._orders[engine_id] = Resting(side, lots, self._tape_ts + (fills[0].after_ns if fills else 0), fills)
        return self.advance(self._tape_ts)

    def cancel(self, engine_id: int) -> list[Report]:
        if self._orders.pop(engine_id, None) is None:
            return []
        return [Report(engine_id, self._tape_ts, CANCELED, 0, 0, is_maker=False)]

    def reduce(self, engine_id: int, tick: int, lots: int) -> list[Report]:
        del tick
        self._orders[engine_id].lots = lots
        return []

    def fill(self, engine_id: int, fill: MockFill, ts: int | None = None) -> Report:
        order = self._orders[engine_id]
        lots = min(fill.lots, order.lots)
        order.lots -= lots
        if not order.lots:
            del self._orders[engine_id]
        status = PARTIALLY_FILLED if order.lots else FILLED
        return Report(engine_id, self._tape_ts if ts is None else ts, status, lots, fill.tick, is_maker=False)


class PaperDesk(Desk):
    """A kernel at the paper exchange.

    rows : (event, second, price, quantity) of a market in which orders fill as they may, and not as a script says.
    """

    instrument = "TRXUSDT"
    answer_ns = 5 * SECOND
    _standing: ClassVar[list[Tape]] = []

    def __init__(self, loop: VirtualLoop, journal: Path | str = ":memory:", rows: Any = None, **changes: Any) -> None:
        super().__init__(journal, **changes)
        self._loop = loop
        if not self._standing:
            self._standing.append(story(USDM, STANDING, TRX))
        listing = [Listing(story(USDM, rows, TRX) if rows else self._standing[0])]
        money = Decimal(CAPITAL).scaleb(-SCALE)
        paper = PaperConfig(USDM, listing, balances={"USDT": money}, maker="0.0004", taker="0.0004")
        self.server = PaperServer(paper, clock=LoopClock(EPOCH_NS))
        self.exchange = self.server.venue.exchange
        self.matching = ScriptedMatching()
        if rows is None:
            self.exchange.markets[self.instrument].engine = self.matching  # type: ignore[assignment]
        self._placed: list[str] = []
        self._requests = 0
        self._handle = self.server.venue.handle
        self.server.venue.handle = self._count_request  # type: ignore[method-assign]
        self._stack = AsyncExitStack()
        self.venue: BinanceVenue | None = None

    @classmethod
    def play(cls, main: Callable[[PaperDesk], Any], **kwargs: Any) -> None:
        """Run a story."""

        async def told(loop: VirtualLoop) -> None:
            await main(cls(loop, **kwargs))

        run(told)

    def _count_request(self, request: Request) -> Any:
        if request.path.endswith("/order"):
            self._requests += 1
            if request.method == "POST":
                self._placed += parse_qs(request.body)["newClientOrderId"]
        return self._handle(request)

    def config(self) -> Any:
        spec = Spec(name=self.instrument, currency="USDT", unit=UNIT, taker_rate_ppm=400, maker_rate_ppm=400)
        return config(specs=(spec,), cash_scale=SCALE, **self.changes)

    # --- the venue's side ---------------------------------------------------------------------------------------------
    @property
    def now(self) -> int:
        return self._loop.now_ns()

    @property
    def requests(self) -> int:
        return self._requests

    @property
    def placed(self) -> list[str]:
        return self._placed

    @property
    def taken(self) -> int:
        return len(self.exchange.orders)

    @property
    def truth(self) -> tuple[int, int]:
        cash = Decimal(0)
        for order in self.exchange.orders.all(self.instrument):
            for fill in order.executions:
                cash += (-fill.quote_qty if fill.side == "BUY" else fill.quote_qty) - fill.commission
        position = self.exchange.futures.positions[self.instrument]
        if not position.qty:  # what the account says, too
            assert self.exchange.futures.wallets["USDT"] == Decimal(CAPITAL).scaleb(-SCALE) + cash
        return int(cash.scaleb(SCALE)), TRX.qty_to_lots(position.qty)

    @property
    def fees(self) -> int:
        return int(self.exchange.futures.positions[self.instrument].fees.scaleb(SCALE))

    def script(self, entry: Iterable[MockFill] = (), exit: Iterable[MockFill] = ()) -> None:  # noqa: A002 the trade's word
        self.matching.entry, self.matching.exit = tuple(entry), tuple(exit)

    def trade_at(self, tick: int | None) -> None:
        self.matching.price_tick = tick

    def fill_unheard(self, cid: str, fill: MockFill) -> None:
        order = self.exchange.orders.find(self.instrument, None, cid)
        assert order is not None
        report = self.matching.fill(order.engine_id, fill)
        venue = self.server.venue
        listening, venue.user_connections = venue.user_connections, {}
        self.exchange._report(self.exchange.markets[self.instrument], report, self.exchange.now_ns)
        venue.user_connections = listening

    def fail(self, kind: type, *faults: MockFault | None) -> None:
        for fault in filter(None, faults):
            name, executes = _FAULTS[fault]
            count = _ATTEMPTS if kind is QueryOrder else 1
            self.server.venue.faults.add(Fault(name, _TARGETS[kind], count=count, executes=executes))
            if executes:  # the private stream says nothing of it either
                self.server.venue.faults.add(Fault(FaultKind.DROP, "user", count=1))

    def is_live(self, cid: str) -> bool:
        order = self.exchange.orders.find(self.instrument, None, cid)
        return order is not None and order.is_open

    # --- the kernel's life --------------------------------------------------------------------------------------------
    async def start(self) -> Kernel:
        if self.venue is None:
            await self._stack.enter_async_context(self.server)
        api = self.server.ws_url + self.server.venue.rules.websocket_api_path
        where = Addresses(self.server.rest_url, self.server.ws_url, api)
        session = SessionConfig(USDM, "custom", (self.instrument,), where, cash_scale=SCALE)
        jitter = np.random.default_rng(1).random
        credentials = Credentials(DEFAULT_KEY, DEFAULT_SECRET)
        client = BinanceClient(session, AiohttpTransport(), credentials, jitter=jitter, clock=self._loop.now_ns)
        self.venue = BinanceVenue(client, PicowsConnector(), jitter=jitter)
        await self.venue.start()
        await asyncio.sleep(1)
        return await self.open_kernel(self.venue)

    async def kill(self) -> None:
        assert self.venue is not None
        self.kernel._engine.close()
        self.kernel._is_open = False
        for task in list(self.kernel._tasks):
            task.cancel()
        await self.venue.close()

    async def pass_second(self) -> None:
        await asyncio.sleep(1)

    async def leave(self) -> None:
        await self.kernel.close()
        await self._stack.aclose()
