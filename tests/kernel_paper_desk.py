"""A kernel on Binance's connector at the embedded paper exchange, in virtual time, over real sockets.

Everything on the way is the exchange's and the connector's own: signatures, limits, payloads, private stream, account and
faults. Only when and at which price an order fills is told by the story; with `rows` of a market `sim` decides it.

The same story is told at three venues, in the same ticks and lots; what differs is the money:

- *USD-M*: profit and fees in quote currency; exits are reduce-only.
- *Spot*: no positions, no leverage, no reduce-only: a story enters by buying and exits by selling what it bought. The fee
  of a buy is taken from the coin that it brings, so that an account without any other coin of its kind could not sell as
  much as it bought: this one has half a lot more, which pays the fees and never counts as a position. The kernel keeps that
  fee in a book of the coin, apart from its capital.
- *COIN-M*: a lot is one contract of 10 USD, settled in the coin. What fills come to is a ratio; the kernel rounds it once a
  trade, and the venue at each fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import numpy as np

from queuefront.core import Instrument
from queuefront.core.enums import BUY, CANCELED, FILLED, PARTIALLY_FILLED
from queuefront.feed import Tape
from queuefront.kernel import Kernel, Slot, audit
from queuefront.kernel.desk import spec_of
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
from tests.kernel_story import CAPITAL, SECOND, config
from tests.paper_market import ASK, BID, COINM, SPOT, USDM, story
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

__all__ = ["PAPER_DESKS", "CoinPaperDesk", "PaperDesk", "SpotPaperDesk"]

SCALE = 9
CASH = Decimal(CAPITAL).scaleb(-SCALE)
FEE = Decimal("0.0004")
TRX = Instrument(USDM, "TRXUSDT", tick_size="0.00001", lot_size="100", base="TRX", quote="USDT")
#: A market that stands, in lots: what fills is the story's.
STANDING = ((BID, 0, 0.083, 100), (ASK, 0, 0.0839, 100), (BID, 86_400, 0.083, 101))
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
    """A kernel at the paper exchange of USD-M.

    rows : (event, second, price, lots) of a market in which orders fill as they may, and not as a script says.
    """

    listed = TRX
    instrument = listed.symbol
    currency = "USDT"
    answer_ns = 5 * SECOND
    _standing: ClassVar[dict[str, Tape]] = {}

    def __init__(self, loop: VirtualLoop, journal: Path | str = ":memory:", rows: Any = None, **changes: Any) -> None:
        super().__init__(journal, **changes)
        self._loop = loop
        self.product = self.listed.venue
        if self.product not in self._standing:
            self._standing[self.product] = self._tape(STANDING)
        listing = [Listing(self._tape(rows) if rows else self._standing[self.product])]
        paper = PaperConfig(self.product, listing, balances=self.balances, maker=FEE, taker=FEE)
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

    def _tape(self, rows: Any) -> Tape:
        lot = float(self.listed.lot_size)
        return story(self.product, [(ev, second, px, lots * lot) for ev, second, px, lots in rows], self.listed)

    def _count_request(self, request: Request) -> Any:
        if request.path.endswith("/order"):
            self._requests += 1
            if request.method == "POST":
                self._placed += parse_qs(request.body)["newClientOrderId"]
        return self._handle(request)

    def config(self) -> Any:
        spec = spec_of(self.listed, SCALE, maker_rate=FEE, taker_rate=FEE)
        return config(specs=(spec,), currency=self.currency, cash_scale=SCALE, **self.changes)

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
    def balances(self) -> dict[str, Decimal]:
        """What the account begins with."""
        return {self.currency: CASH}

    @property
    def fills(self) -> list[tuple[int, int, int]]:
        """What the venue executed: lots, bought ones positive, at a tick, and the fee in units of its own currency."""
        found = []
        for order in self.exchange.orders.all(self.instrument):
            for fill in order.executions:
                lots = self.listed.qty_to_lots(fill.qty) * (1 if fill.side == "BUY" else -1)
                found.append((lots, self.listed.price_to_tick(fill.price), int(fill.commission.scaleb(SCALE))))
        return found

    def worth(self, lots: int, tick: int) -> Fraction:
        """Return the cash value of a long position, units."""
        return Fraction(self.listed.lot_size * self.listed.tick_size) * 10**SCALE * lots * tick

    def fee_of(self, lots: int, tick: int) -> int:
        return self._charged(abs(self.worth(lots, tick)))

    def _charged(self, worth: Fraction) -> int:
        # The venue's currencies have eight digits.
        fee = Decimal(round(worth * Fraction(FEE))).scaleb(-SCALE)
        return int(fee.quantize(Decimal("1e-8"), ROUND_HALF_EVEN).scaleb(SCALE))

    @property
    def held_lots(self) -> int:
        """The position at the venue."""
        return self.listed.qty_to_lots(self.exchange.futures.positions[self.instrument].qty)

    @property
    def wallet(self) -> int:
        """The money at the venue, units."""
        return int(self.exchange.futures.wallets[self.currency].scaleb(SCALE))

    @property
    def truth(self) -> tuple[int, int]:
        cash = -sum(self.worth(lots, tick) for lots, tick, _ in self.fills) - self.fees
        assert cash.denominator == 1
        if not self.held_lots:  # what the account says, too
            assert self.wallet == CAPITAL + cash
        return int(cash), self.held_lots

    @property
    def fees(self) -> int:
        return sum(fee for *_, fee in self.fills)

    def script(self, entry: Iterable[MockFill] = (), exit: Iterable[MockFill] = ()) -> None:  # noqa: A002 the trade's word
        self.matching.entry, self.matching.exit = tuple(entry), tuple(exit)

    def trade_at(self, tick: int | None) -> None:
        self.matching.price_tick = tick

    def fill_unheard(self, cid: str, fill: MockFill) -> None:
        order = self.exchange.orders.find(self.instrument, None, cid)
        assert order is not None
        report = self.matching.fill(order.engine_id, fill)
        venue = self.server.venue
        listening = venue.user_connections, venue.user_subscriptions
        venue.user_connections, venue.user_subscriptions = {}, {}
        self.exchange._report(self.exchange.markets[self.instrument], report, self.exchange.now_ns)
        venue.user_connections, venue.user_subscriptions = listening

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
        session = SessionConfig(self.product, "custom", (self.instrument,), where, cash_scale=SCALE)
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


class SpotPaperDesk(PaperDesk):
    """The same at spot."""

    listed = Instrument(SPOT, "TRXUSDT", tick_size="0.00001", lot_size="100", base="TRX", quote="USDT")

    #: Half a lot: no position, and enough for the fees of a story.
    coins = Decimal(50)

    @property
    def balances(self) -> dict[str, Decimal]:
        return {"USDT": CASH, "TRX": self.coins}

    def fee_of(self, lots: int, tick: int) -> int:
        return 0 if lots > 0 else super().fee_of(lots, tick)

    def _total(self, asset: str) -> Decimal:
        balance = self.exchange.spot.balance(asset)
        return balance.free + balance.locked

    @property
    def held_lots(self) -> int:
        return int(self._total("TRX") // self.listed.lot_size)

    @property
    def wallet(self) -> int:
        return int(self._total("USDT").scaleb(SCALE))

    @property
    def fees(self) -> int:
        return sum(fee for lots, _, fee in self.fills if lots < 0)

    @property
    def coin_fees(self) -> int:
        """The fees that the venue took of the coin, units."""
        return sum(fee for lots, _, fee in self.fills if lots > 0)

    def agrees(self) -> None:
        """Kernel and venue are of one mind about the coin, too: its book has the fees, and the slots have the lots."""
        super().agrees()
        book = self.kernel.state.books.get("TRX")
        assert (book.fees if book else 0) == self.coin_fees
        held = self.held_lots * self.listed.lot_size
        assert self._total("TRX") == self.coins + held - Decimal(self.coin_fees).scaleb(-SCALE)


class CoinPaperDesk(PaperDesk):
    """The same at COIN-M."""

    listed = Instrument(
        COINM,
        "TRXUSD_PERP",
        tick_size="0.00001",
        lot_size="1",
        contract="inverse",
        multiplier="10",
        base="TRX",
        quote="USD",
    )
    instrument = listed.symbol
    currency = "TRX"

    def worth(self, lots: int, tick: int) -> Fraction:
        contract = Fraction(self.listed.multiplier) / Fraction(self.listed.tick_size)
        return -contract * 10**SCALE * lots / tick

    def mean_tick(self, *fills: tuple[int, int]) -> Fraction:
        return sum(lots for lots, _ in fills) / sum((Fraction(lots, tick) for lots, tick in fills), Fraction(0))

    def entry_tick(self, slot: Slot) -> Fraction:
        assert not isinstance(slot.entry_notional, int)
        return slot.initial_lots / slot.entry_notional.value

    @property
    def truth(self) -> tuple[int, int]:
        """The exact sum, rounded: the kernel's is as good, once for each of its trades."""
        cash = -sum(self.worth(lots, tick) for lots, tick, _ in self.fills) - self.fees
        exits = sum(lots < 0 for lots, *_ in self.fills)
        if not self.held_lots:
            assert abs(self.wallet - CAPITAL - cash) <= exits * Fraction(10**SCALE, 2 * 10**8)
        return round(cash), self.held_lots

    def agrees(self) -> None:
        assert audit(self.kernel.state) == []
        cash, lots = self.truth
        trades = len({entry.trade_id for entry in self.entries})
        assert abs(self.kernel.state.book.cash - CAPITAL - cash) <= trades
        assert self.kernel.state.book.fees == self.fees
        assert sum(slot.side.sign * slot.size for slot in self.kernel.slots) == lots


#: One for each venue.
PAPER_DESKS = {"paper": PaperDesk, "paper-spot": SpotPaperDesk, "paper-coinm": CoinPaperDesk}
