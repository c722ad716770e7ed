"""A kernel at a venue whose fills a story tells, and the same words for every venue: the mock, and the paper exchange.

What a story says in ticks and lots is the same number everywhere: at the paper exchange a tick of 0.00001 times a lot of
100 is as many units of cash, of a scale of 9, as the mock's at a scale of 12.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from queuefront.kernel import (
    Cancel,
    Enter,
    Exit,
    Kernel,
    KernelOutcome,
    LedgerEntry,
    Publish,
    Slot,
    audit,
    open_kernel,
)
from queuefront.venues import (
    FetchSnapshot,
    MockExchange,
    MockFault,
    MockFill,
    MockVenue,
    OrderType,
    PlaceOrder,
    Side,
)
from tests.kernel_story import CAPITAL, SECOND, UNIT, config

__all__ = ["Desk", "MockDesk"]


class Desk(ABC):
    """A kernel at a venue.

    instrument : what is traded.   answer_ns : how long the kernel waits for an answer.
    """

    instrument: str
    answer_ns: int
    kernel: Kernel

    def __init__(self, journal: Path | str = ":memory:", **changes: Any) -> None:
        self.journal, self.changes = journal, changes
        self.entries: list[LedgerEntry] = []
        self._count = 0

    # --- the venue's side ---------------------------------------------------------------------------------------------
    @property
    @abstractmethod
    def now(self) -> int:
        """The time, ns."""

    @property
    @abstractmethod
    def requests(self) -> int:
        """How many requests but snapshots reached the venue."""

    @property
    @abstractmethod
    def placed(self) -> list[str]:
        """The client ids of all orders that were sent, as often as they were."""

    @property
    @abstractmethod
    def taken(self) -> int:
        """How many orders the venue took."""

    @property
    @abstractmethod
    def truth(self) -> tuple[int, int]:
        """What the venue's fills came to: units of cash, fees taken off, and lots held."""

    @property
    @abstractmethod
    def fees(self) -> int:
        """The fees that the venue took, units of cash."""

    @abstractmethod
    def script(self, entry: Iterable[MockFill] = (), exit: Iterable[MockFill] = ()) -> None:  # noqa: A002 the trade's word
        """Set the fills of orders that are placed from now on."""

    @abstractmethod
    def trade_at(self, tick: int | None) -> None:
        """Let orders fill whole at a price as they come; None: not any more."""

    @abstractmethod
    def fill_unheard(self, cid: str, fill: MockFill) -> None:
        """Fill a part of an order, and lose the news of it."""

    @abstractmethod
    def fail(self, kind: type, *faults: MockFault | None) -> None:
        """Let the next requests of a kind go wrong, in order."""

    @abstractmethod
    def is_live(self, cid: str) -> bool:
        """Whether the venue has an order open."""

    # --- the kernel's life --------------------------------------------------------------------------------------------
    @abstractmethod
    async def start(self) -> Kernel:
        """Begin, or begin again with the same journal."""

    @abstractmethod
    async def kill(self) -> None:
        """End the process: nobody is told."""

    @abstractmethod
    async def pass_second(self) -> None:
        """Let a second pass at the venue."""

    @abstractmethod
    async def leave(self) -> None:
        """Close everything."""

    async def open_kernel(self, venue: Any) -> Kernel:
        """Open the kernel on a connector."""
        self.kernel = await open_kernel(
            venue, journal=self.journal, config=self.config(), clock=lambda: self.now, timeout_ns=self.answer_ns
        )
        self.kernel.listen(self._hear)
        return self.kernel

    def mean_tick(self, *fills: tuple[int, int]) -> Fraction:
        """Return the price of several fills, as (lots, tick)."""
        return Fraction(sum(lots * tick for lots, tick in fills), sum(lots for lots, _ in fills))

    def entry_tick(self, slot: Slot) -> Fraction:
        """Return the entry price that the kernel has, in ticks."""
        assert isinstance(slot.entry_notional, int)
        return Fraction(slot.entry_notional, slot.initial_lots)

    def fee_of(self, lots: int, tick: int) -> int:
        """Return the fee that a fill takes of the capital, units; bought lots are positive."""
        return abs(lots) * tick * UNIT * 400 // 10**6

    @property
    def booked(self) -> int:
        """How far the ledger's entries moved the capital."""
        currency = self.kernel.state.config.currency
        return sum(entry.amount for entry in self.entries if entry.currency == currency)

    def config(self) -> Any:
        """Return the configuration of a new journal."""
        return config(**self.changes)

    def _hear(self, item: object) -> None:
        if isinstance(item, Publish):
            self.entries += item.entries

    # --- what the story does ------------------------------------------------------------------------------------------
    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.pass_second()
            self.kernel.pump()
            self.kernel.tick()
            await self.kernel.settle()

    def intent(self) -> str:
        self._count += 1
        return f"i{self._count}.{self.now}"

    async def enter(
        self, trade_id: str = "t1", slot_id: int = 0, limit_tick: int = 8_340, lots: int = 10, **changes: Any
    ) -> KernelOutcome:
        command = Enter(
            ts=self.now, intent_id=self.intent(), trade_id=trade_id, slot_id=slot_id, instrument=self.instrument,
            side=changes.pop("side", Side.LONG), lots=lots, reference_tick=8_340,
            order_type=OrderType.LIMIT, limit_tick=limit_tick, decision_id=f"d-{trade_id}", **changes,
        )  # fmt: skip
        return await self.kernel.submit(command)

    async def exit(self, slot_id: int = 0, lots: int | None = None) -> KernelOutcome:
        return await self.kernel.submit(
            Exit(ts=self.now, intent_id=self.intent(), slot_id=slot_id, reference_tick=8_340, lots=lots)
        )

    async def cancel(self, slot_id: int = 0) -> KernelOutcome:
        task = asyncio.create_task(self.kernel.submit(Cancel(ts=self.now, intent_id=self.intent(), slot_id=slot_id)))
        await asyncio.sleep(0)
        await self.kernel.settle()
        self.kernel.tick()
        await self.kernel.settle()
        return await task

    def agrees(self) -> None:
        """Kernel and venue are of one mind about money and positions."""
        state = self.kernel.state
        assert audit(state) == []
        cash, lots = self.truth
        assert state.book.cash == CAPITAL + cash
        assert sum(slot.side.sign * slot.size for slot in self.kernel.slots) == lots


class MockDesk(Desk):
    """A kernel on the mock venue by a clock that moves when it is told to."""

    instrument = "TRX"
    answer_ns = SECOND // 10
    now = 10**18

    def __init__(self, journal: Path | str = ":memory:", **changes: Any) -> None:
        super().__init__(journal, **changes)
        self.exchange = MockExchange(unit=UNIT, fee_ppm=400)

    @classmethod
    def play(cls, main: Callable[[MockDesk], Any], **kwargs: Any) -> None:
        """Run a story."""
        asyncio.run(main(cls(**kwargs)))

    @property
    def requests(self) -> int:
        return sum(not isinstance(request, FetchSnapshot) for request in self.exchange.requests)

    @property
    def placed(self) -> list[str]:
        return [request.cid for request in self.exchange.requests if isinstance(request, PlaceOrder)]

    @property
    def taken(self) -> int:
        return len(self.exchange.orders)

    @property
    def truth(self) -> tuple[int, int]:
        held = sum(side.sign * lots for (_, side), lots in self.exchange.positions.items())
        return int(self.exchange.cash - self.exchange.fees_paid), held

    @property
    def fees(self) -> int:
        return self.exchange.fees_paid

    def script(self, entry: Iterable[MockFill] = (), exit: Iterable[MockFill] = ()) -> None:  # noqa: A002 the trade's word
        self.exchange.script(entry, exit)

    def trade_at(self, tick: int | None) -> None:
        self.exchange.prices = {} if tick is None else {self.instrument: tick}

    def fill_unheard(self, cid: str, fill: MockFill) -> None:
        self.exchange.fill(cid, fill)
        self.exchange.pump()

    def fail(self, kind: type, *faults: MockFault | None) -> None:
        self.exchange.fail(kind, *faults)

    def is_live(self, cid: str) -> bool:
        return self.exchange.orders[cid].is_live

    async def start(self) -> Kernel:
        return await self.open_kernel(MockVenue(self.exchange))

    async def kill(self) -> None:
        self.kernel._engine.close()
        self.kernel._is_open = False
        self.exchange.release("t1")
        self.exchange.pump()

    async def pass_second(self) -> None:
        self.now += SECOND
        self.exchange.advance(SECOND)

    async def leave(self) -> None:
        await self.kernel.close()
