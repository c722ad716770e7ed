from __future__ import annotations

import asyncio
import gc
import sqlite3
import warnings
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from queuefront.core import ConfigError
from queuefront.kernel import (
    Diagnostic,
    Engine,
    Enter,
    Health,
    JournalError,
    Kernel,
    KernelClosedError,
    MemoryJournal,
    Reconcile,
    Recover,
    Stage,
    VenueOutcome,
    driver,
    open_kernel,
)
from queuefront.kernel.codec import decode_input
from queuefront.kernel.engine import recover_state
from queuefront.kernel.journal import SqliteJournal, chain
from queuefront.kernel.records import Cancel, Exit, LedgerEntry, Modify, Publish
from queuefront.venues import (
    CancelOrder,
    MockExchange,
    MockFault,
    MockFill,
    MockVenue,
    ModifyOrder,
    OrderType,
    PlaceOrder,
    QueryOrder,
    Request,
    Side,
    VenueEvent,
    VenueSnapshot,
)
from tests.kernel_story import SECOND, UNIT, config

D = Diagnostic
V = VenueOutcome


class World:
    """A kernel on the mock venue, by a clock that the test moves."""

    def __init__(self, journal: Path | str = ":memory:", venue: MockVenue | None = None) -> None:
        self.exchange = MockExchange(unit=UNIT, fee_ppm=400)
        self.venue = venue or MockVenue(self.exchange)
        self.journal = journal
        self.now = 1_000 * SECOND
        self._count = 0

    async def start(self) -> Kernel:
        self.kernel = await open_kernel(
            self.venue, journal=self.journal, config=config(), timeout_ns=SECOND // 5, clock=lambda: self.now
        )
        await self.kernel.settle()
        return self.kernel

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += SECOND
            self.exchange.advance(SECOND)
            self.kernel.pump()
            self.kernel.tick()
            await self.kernel.settle()

    def enter(self, trade_id: str = "t1", slot_id: int = 0, limit_tick: int = 8_000, lots: int = 100) -> Enter:
        self._count += 1
        return Enter(
            ts=self.now, intent_id=f"i{self._count}", trade_id=trade_id, slot_id=slot_id, instrument="TRX", side=Side.LONG,
            lots=lots, reference_tick=8_340, order_type=OrderType.LIMIT, limit_tick=limit_tick,
        )  # fmt: skip

    def exit(self) -> Exit:
        self._count += 1
        return Exit(ts=self.now, intent_id=f"i{self._count}", slot_id=0, reference_tick=8_340)

    def cancel(self) -> Cancel:
        self._count += 1
        return Cancel(ts=self.now, intent_id=f"i{self._count}", slot_id=0)


def run(story: Callable[[World], Awaitable[None]], **kwargs: object) -> None:
    async def main() -> None:
        world = World(**kwargs)  # type: ignore[arg-type]
        kernel = await world.start()
        try:
            await story(world)
        finally:
            await kernel.close()

    asyncio.run(main())


def test_an_order_that_was_placed_is_accepted_and_rests() -> None:
    """E24, E25, F4: the mock acknowledges and no more; the kernel's events come first in the outcome."""

    async def story(world: World) -> None:
        outcome = await world.kernel.submit(world.enter())
        assert (outcome.accepted, outcome.venue_outcome, outcome.state) == (True, V.PLACED, Stage.ENTRY_WORKING)
        assert [item.input_kind for item in outcome.events] == ["Enter", "VenueEvent", "VenueEvent"]
        assert world.exchange.requests[-1] == world.kernel.orders[0] or isinstance(world.exchange.requests[-1], PlaceOrder)
        await world.wait(3)
        assert world.kernel.slots[0].size == 0

    run(story)


@pytest.mark.parametrize(
    ("fault", "diagnostic", "outcome_", "stage"),
    [
        (MockFault.REJECT, D.ORDER_REJECTED, V.REJECTED, Stage.IDLE),
        (MockFault.RATE_LIMITED, D.RATE_LIMITED, V.REJECTED, Stage.IDLE),
        (MockFault.TIMEOUT_DONE, D.SUBMIT_UNKNOWN, V.UNKNOWN, Stage.ORDER_SENT),
        (MockFault.TIMEOUT_NOT_DONE, D.SUBMIT_UNKNOWN, V.UNKNOWN, Stage.ORDER_SENT),
        (MockFault.SERVER_ERROR, D.SUBMIT_UNKNOWN, V.UNKNOWN, Stage.ORDER_SENT),
        (MockFault.EMPTY, D.SUBMIT_UNKNOWN, V.UNKNOWN, Stage.ORDER_SENT),
    ],
)
def test_an_outcome_is_one_moments_truth(
    fault: MockFault, diagnostic: Diagnostic, outcome_: VenueOutcome, stage: Stage
) -> None:
    """F1 and F1a: state, code and accepted agree; what the kernel said before stands apart."""

    async def story(world: World) -> None:
        world.exchange.fail(PlaceOrder, fault)
        outcome = await world.kernel.submit(world.enter())
        assert not outcome.accepted
        assert (outcome.diagnostic, outcome.venue_outcome, outcome.state) == (diagnostic, outcome_, stage)
        assert outcome.kernel_phase is D.OK
        slot = world.kernel.slots[0]
        assert (outcome.state, outcome.version) == (slot.stage, slot.version)

    run(story)


@pytest.mark.parametrize(
    ("fault", "diagnostic", "outcome_", "accepted"),
    [
        (None, D.OK, V.CANCELLED, True),
        (MockFault.TIMEOUT_NOT_DONE, D.CANCEL_UNKNOWN, V.UNKNOWN, False),
        (MockFault.REJECT, D.CANCEL_REJECTED, V.NOT_CANCELLED, False),
    ],
)
def test_accepted_of_a_cancel_means_that_it_is_confirmed(
    fault: MockFault | None, diagnostic: Diagnostic, outcome_: VenueOutcome, accepted: bool
) -> None:
    """E9a and F1"""

    async def story(world: World) -> None:
        await world.kernel.submit(world.enter())
        world.exchange.fail(CancelOrder, fault)
        task = asyncio.create_task(world.kernel.submit(world.cancel()))
        await asyncio.sleep(0.01)
        world.kernel.tick()
        outcome = await task
        assert (outcome.accepted, outcome.diagnostic, outcome.venue_outcome) == (accepted, diagnostic, outcome_)

    run(story)


def test_a_cancel_of_an_order_that_was_cancelled_elsewhere_releases_the_slot() -> None:
    """E17"""

    async def story(world: World) -> None:
        outcome = await world.kernel.submit(world.enter())
        world.exchange.cancel_elsewhere(outcome.cid)
        task = asyncio.create_task(world.kernel.submit(world.cancel()))
        await asyncio.sleep(0.01)
        world.kernel.tick()
        outcome = await task
        assert (outcome.venue_outcome, outcome.state) == (V.CANCELLED, Stage.IDLE)

    run(story)


def test_a_cancel_that_lost_to_a_fill_says_so() -> None:
    async def story(world: World) -> None:
        outcome = await world.kernel.submit(world.enter())
        world.exchange.fill(outcome.cid, MockFill(100, 8_000))
        task = asyncio.create_task(world.kernel.submit(world.cancel()))
        await asyncio.sleep(0.01)
        world.kernel.tick()
        outcome = await task
        assert (outcome.diagnostic, outcome.state) == (D.ORDER_ALREADY_FINAL, Stage.POSITION_OPEN)

    run(story)


def test_orders_are_modified_and_a_refused_change_is_told() -> None:
    async def story(world: World) -> None:
        await world.kernel.submit(world.enter())
        change = Modify(ts=world.now, intent_id="m", slot_id=0, reference_tick=8_340, limit_tick=8_100)
        outcome = await world.kernel.submit(change)
        assert (outcome.accepted, outcome.venue_outcome) == (True, V.MODIFIED)
        world.exchange.fail(ModifyOrder, MockFault.REJECT, MockFault.TIMEOUT_NOT_DONE)
        change = Modify(ts=world.now, intent_id="n", slot_id=0, reference_tick=8_340, lots=150)
        outcome = await world.kernel.submit(change)
        assert (outcome.accepted, outcome.venue_outcome) == (False, V.NOT_MODIFIED)
        change = Modify(ts=world.now, intent_id="o", slot_id=0, reference_tick=8_340, lots=150)
        outcome = await world.kernel.submit(change)
        assert (outcome.accepted, outcome.diagnostic) == (False, D.MODIFY_UNKNOWN)

    run(story)


def test_a_closed_kernel_answers_so_and_its_views_raise() -> None:
    """T7 and F20: closing twice is nothing; everything is released at once."""

    async def main() -> None:
        world = World()
        kernel = await world.start()
        await kernel.close()
        await kernel.close()
        assert world.venue.close_count == 1
        for command in (world.enter(), world.exit(), world.cancel(), Reconcile(ts=0, intent_id="r")):
            outcome = await kernel.submit(command)
            assert (outcome.accepted, outcome.diagnostic) == (False, D.KERNEL_CLOSED)
        for view in ("state", "slots", "orders", "account", "needs_pump"):
            with pytest.raises(KernelClosedError, match="this kernel was closed; open its journal again"):
                getattr(kernel, view)
        for method in (kernel.pump, kernel.tick, lambda: kernel.listen(print)):
            with pytest.raises(KernelClosedError):
                method()
        assert kernel.now() > 0
        world.exchange.lease("t1")

    asyncio.run(main())


class Stubborn(MockVenue):
    """A venue whose connection breaks while it is closed."""

    async def close(self) -> None:
        await super().close()
        raise ConnectionError("the line is dead")


class Recorded:
    """A journal that says what is asked of it, and refuses some of it."""

    def __init__(self, refused: str = "") -> None:
        self._journal = MemoryJournal(config())
        self._refused = refused
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.calls.append(name)
        if name == self._refused:
            raise JournalError(f"{name}: disk full; make room")
        return getattr(self._journal, name)


def kernel_on(journal: Recorded, venue: MockVenue) -> Kernel:
    venue.lease("t1")
    return Kernel(Engine(journal), venue, clock=lambda: SECOND)  # type: ignore[arg-type]


def test_closing_releases_everything_once_and_in_order_whatever_fails() -> None:
    """F20a, F21: the kernel before the venue, each once, and all that went wrong is said together."""

    async def main() -> None:
        journal = Recorded(refused="save")
        venue = Stubborn(MockExchange())
        kernel = kernel_on(journal, venue)
        with pytest.raises(ExceptionGroup, match="the kernel is closed, and not everything went well") as raised:
            await kernel.close()
        assert [str(error) for error in raised.value.exceptions] == ["save: disk full; make room", "the line is dead"]
        assert (journal.calls.count("close"), venue.close_count) == (1, 1)
        await kernel.close()
        assert (journal.calls.count("close"), venue.close_count) == (1, 1)
        venue.lease("t1")  # the lease is free again

    asyncio.run(main())


def test_one_failure_at_the_close_is_raised_as_it_is() -> None:
    async def main() -> None:
        kernel = kernel_on(Recorded(), Stubborn(MockExchange()))
        with pytest.raises(ConnectionError, match="the line is dead"):
            await kernel.close()

    asyncio.run(main())


class Unwelcome(MockVenue):
    """A venue that does not know our key."""

    def __init__(self, exchange: MockExchange, *, leases: bool = True) -> None:
        super().__init__(exchange)
        self._leases = leases

    def lease(self, prefix: str) -> None:
        if not self._leases:
            raise ConfigError("venue: the API key is not valid; give another")
        super().lease(prefix)

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        self.exchange.requests.append(request)
        raise PermissionError("-2015: invalid API-key")


def test_a_venue_that_does_not_work_is_the_end_of_the_start_and_nothing_stands_in_for_it(tmp_path: Path) -> None:
    """F22d: the cause is raised, the journal is released, and no other venue is asked."""

    async def main() -> None:
        venue = Unwelcome(MockExchange(), leases=False)
        with pytest.raises(ConfigError, match=r"^venue: the API key is not valid; give another$"):
            await open_kernel(venue, journal=tmp_path / "a.journal", config=config())
        assert venue.exchange.requests == []
        world = World(tmp_path / "a.journal")
        await world.start()
        await world.kernel.close()

    asyncio.run(main())


def test_a_venue_that_refuses_every_question_gets_no_order() -> None:
    """F22d: until the venue has answered, commands are answered with RECOVERING."""

    async def main() -> None:
        exchange = MockExchange()
        world = World(venue=Unwelcome(exchange))
        kernel = await world.start()
        for _ in range(5):
            outcome = await kernel.submit(world.enter())
            assert (outcome.accepted, outcome.diagnostic) == (False, D.RECOVERING)
            world.now += 60 * SECOND
            kernel.tick()
            await kernel.settle()
        assert not [request for request in exchange.requests if isinstance(request, PlaceOrder)]
        await kernel.close()

    asyncio.run(main())


def test_a_start_that_fails_gives_the_lease_back(tmp_path: Path) -> None:
    path, exchange = tmp_path / "a.journal", MockExchange()

    async def main() -> None:
        world = World(path)
        await world.start()
        await world.kernel.submit(world.enter())
        await world.kernel.close()
        db = sqlite3.connect(path)
        db.execute("DROP TRIGGER inputs_stay")
        db.execute("DELETE FROM snapshots")
        before = b"\0" * 16
        for seq, payload in db.execute("SELECT seq, payload FROM inputs ORDER BY seq").fetchall():
            told = b"\x91\xa4none" if seq == 2 else payload
            before = chain(before, seq, told)
            db.execute("UPDATE inputs SET payload = ?, checksum = ? WHERE seq = ?", (told, before, seq))
        db.commit()
        db.close()
        with pytest.raises(JournalError, match="row 2: not an input of this version"):
            await open_kernel(MockVenue(exchange), journal=path)
        exchange.lease("t1")

    asyncio.run(main())


def test_every_start_says_in_the_journal_what_each_component_really_is() -> None:
    """F22a"""

    async def story(world: World) -> None:
        first = decode_input(next(world.kernel._engine.journal.rows()).payload, "row 1")
        assert isinstance(first, Recover)
        assert first.backends == (("journal", "memory"), ("venue", "mock"))

    run(story)


def test_an_unclosed_kernel_warns_when_it_is_collected() -> None:
    """F20"""

    async def main() -> None:
        world = World()
        kernel = await world.start()
        world.kernel = None  # type: ignore[assignment]
        del kernel
        gc.collect()

    with pytest.warns(ResourceWarning, match="a kernel was not closed"):
        asyncio.run(main())


def test_the_close_compares_with_the_venue_a_last_time(tmp_path: Path) -> None:
    """Execution 17: what the venue did unheard is in the journal when the kernel is closed."""

    async def main() -> None:
        exchange = MockExchange(unit=UNIT)
        world = World()
        kernel = await open_kernel(MockVenue(exchange), journal=tmp_path / "a.journal", config=config())
        await kernel.settle()
        await kernel.submit(world.enter())
        (cid,) = exchange.orders
        exchange.fill(cid, MockFill(100, 8_000))
        exchange.pump()  # the stream tells nobody
        assert kernel.slots[0].stage is Stage.ENTRY_WORKING
        await kernel.close()
        journal = SqliteJournal(tmp_path / "a.journal")
        slot = recover_state(journal).slots[0]
        journal.close()
        assert (slot.stage, slot.size) == (Stage.POSITION_OPEN, 100)

    asyncio.run(main())


def test_a_venue_that_is_silent_at_the_close_holds_it_up_no_longer_than_the_deadline(tmp_path: Path) -> None:
    class Silent(MockVenue):
        is_silent = False

        async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
            if self.is_silent:
                await asyncio.sleep(3_600)
            return await super().send(request)

    async def main() -> None:
        exchange = MockExchange(unit=UNIT)
        venue = Silent(exchange)
        world = World(tmp_path / "a.journal", venue)
        world.exchange = exchange
        kernel = await world.start()
        kernel._timeout_s = 3_600
        venue.is_silent = True
        async with asyncio.timeout(30):
            await kernel.close(deadline_ns=SECOND // 20)
        assert venue.close_count == 1

    asyncio.run(main())


class Slow(MockVenue):
    """Does what it is told, and answers orders never."""

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        answer = await super().send(request)
        if isinstance(request, PlaceOrder):
            await asyncio.sleep(3_600)
        return answer


def test_a_request_under_way_at_the_close_becomes_unknown_and_the_next_start_finds_out(tmp_path: Path) -> None:
    """F21 and E26"""

    async def main() -> None:
        exchange = MockExchange(unit=UNIT)
        world = World(tmp_path / "a.journal", Slow(exchange))
        world.exchange = exchange
        kernel = await world.start()
        kernel._timeout_s = 60
        task = asyncio.create_task(kernel.submit(world.enter()))
        await asyncio.sleep(0.01)
        await kernel.close(deadline_ns=SECOND // 100)
        outcome = await task
        assert (outcome.diagnostic, outcome.venue_outcome) == (D.SUBMIT_UNKNOWN, V.UNKNOWN)
        world.venue = MockVenue(exchange)
        world.now += SECOND
        again = await world.start()
        await world.wait(3)
        assert again.slots[0].stage is Stage.ENTRY_WORKING
        assert len(exchange.orders) == 1
        await again.close()

    asyncio.run(main())


def test_a_venue_is_leased_to_one_kernel() -> None:
    """E26a"""

    async def story(world: World) -> None:
        with pytest.raises(ConfigError, match="another lease holds this venue"):
            await open_kernel(world.venue, journal=":memory:", config=config(lease="other"))

    run(story)
    with pytest.raises(JournalError, match="needs a configuration"):
        asyncio.run(open_kernel(MockVenue(MockExchange()), journal=":memory:"))


def test_listeners_that_raise_or_hang_do_not_reach_a_trade() -> None:
    """F8"""

    async def story(world: World) -> None:
        seen = []

        def bad(item: object) -> None:
            raise OSError("cluster down")

        world.kernel.listen(bad)
        world.kernel.listen(seen.append)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = await world.kernel.submit(world.enter())
            await world.kernel.close()
        assert outcome.accepted
        assert seen
        assert str(caught[0].message) == "a listener raised OSError: cluster down"

    run(story)


def test_the_ledger_tail_is_what_was_published_last_and_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LEDGER_TAIL_MAX", 5)

    async def story(world: World) -> None:
        published: list[LedgerEntry] = []
        world.kernel.listen(lambda effect: published.extend(effect.entries) if isinstance(effect, Publish) else None)
        assert world.kernel.ledger_tail == []
        for n in range(4):
            await world.kernel.submit(world.enter(f"t{n}"))
            world.exchange.fill(list(world.exchange.orders)[-1], MockFill(100, 8_000))
            world.kernel.pump()
            await world.kernel.submit(world.exit())
            world.exchange.fill(list(world.exchange.orders)[-1], MockFill(100, 8_100))
            world.kernel.pump()
        assert len(published) > 5
        tail = world.kernel.ledger_tail
        assert tail == published[-5:]
        tail.clear()
        assert world.kernel.ledger_tail == published[-5:]

    run(story)


def test_polling_is_needed_only_while_something_could_be_heard() -> None:
    """E1"""

    async def story(world: World) -> None:
        assert not world.kernel.needs_pump
        await world.kernel.submit(world.enter())
        assert world.kernel.needs_pump

    run(story)


def test_a_journal_that_fails_refuses_commands_and_keeps_events_for_later() -> None:
    async def story(world: World) -> None:
        outcome = await world.kernel.submit(world.enter())
        journal = world.kernel._engine.journal
        good = journal.commit

        def full() -> None:
            raise JournalError("disk full")

        journal.commit = full  # type: ignore[method-assign]
        world.exchange.fill(outcome.cid, MockFill(100, 8_000))
        world.kernel.pump()
        refused = await world.kernel.submit(world.exit())
        assert (refused.accepted, refused.diagnostic) == (False, D.JOURNAL_FAILED)
        assert world.kernel.slots[0].size == 0
        journal.commit = good  # type: ignore[method-assign]
        outcome = await world.kernel.submit(world.exit())
        assert world.kernel.slots[0].size == 100 - 0
        assert outcome.accepted
        assert world.kernel.alarms

    run(story)


def test_timers_run_by_themselves_on_the_machines_clock() -> None:
    """S4 in real time: the lost answer is looked up by the kernel's own timer."""

    async def main() -> None:
        exchange = MockExchange(unit=UNIT)
        fast = config(first_query_ns=SECOND // 50)
        async with await open_kernel(MockVenue(exchange), journal=":memory:", config=fast) as kernel:
            await kernel.settle()
            exchange.fail(PlaceOrder, MockFault.EMPTY)
            world = World()
            outcome = await kernel.submit(world.enter())
            assert outcome.diagnostic is D.SUBMIT_UNKNOWN
            for _ in range(100):
                await asyncio.sleep(0.01)
                if kernel.slots[0].health is Health.OK:
                    break
            assert kernel.slots[0].stage is Stage.ENTRY_WORKING
            assert sum(isinstance(request, QueryOrder) for request in exchange.requests) >= 1
            assert kernel.journal_kind == "memory"
            assert kernel.ledger_tail == []

    asyncio.run(main())
