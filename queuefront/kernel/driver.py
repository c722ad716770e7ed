"""The kernel as programs use it, in asyncio: commands in, outcomes back, requests to the venue in between.

One input at a time goes through the journal and `step`; requests then travel at the same time, each with a deadline, and
what comes back, or does not, is an input again. The driver decides nothing: it stamps time, moves bytes and waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from queuefront.core import monotonic_s, now_ns
from queuefront.kernel.engine import Engine
from queuefront.kernel.enums import CommandKind, Diagnostic, VenueOutcome
from queuefront.kernel.errors import JournalError, KernelClosedError
from queuefront.kernel.journal import Journal, MemoryJournal, SqliteJournal
from queuefront.kernel.outcome import KernelOutcome, closed_outcome, outcome_of, venue_outcome
from queuefront.kernel.records import (
    Alarm,
    Cancel,
    Command,
    Config,
    Control,
    Effect,
    Enter,
    Exit,
    Input,
    LedgerEntry,
    Modify,
    Publish,
    Reconcile,
    Recover,
    SetTimer,
    Settle,
    Tick,
)
from queuefront.kernel.state import Book, Order, Slot, State
from queuefront.kernel.translate import answered, failed, sent
from queuefront.venues import Request, Venue, VenueEvent, VenueSnapshot

__all__ = ["Kernel", "open_kernel"]

SECOND = 10**9
LEDGER_TAIL_MAX = 10_000
#: How often a close looks whether the questions that it waits for are asked.
_PENDING_NS = SECOND // 50
_KINDS = {
    Enter: CommandKind.ENTER,
    Exit: CommandKind.EXIT,
    Cancel: CommandKind.CANCEL,
    Modify: CommandKind.MODIFY,
    Reconcile: CommandKind.RECONCILE,
    Control: CommandKind.CONTROL,
    Settle: CommandKind.SETTLE,
}


class _Watch:
    """A command whose outcome waits for the venue."""

    def __init__(self, kind: CommandKind, first: Publish, terms: tuple[int, int]) -> None:
        self.kind = kind
        self.cid = first.cid
        self.terms = terms
        self.published = [first]
        self.done = asyncio.Event()
        self.result = VenueOutcome.NONE


class Kernel:
    """An execution kernel: slots, orders, money, a journal and a venue. Made by `open_kernel`.

    Parameters
    ----------
    engine : state and journal.
    venue : leased to this kernel.
    timeout_ns : after which an unanswered request is unknown.
    clock : ns UTC; None takes the machine's. With a clock of your own no timer runs by itself: call `tick`.
    """

    def __init__(
        self, engine: Engine, venue: Venue, *, timeout_ns: int = 5 * SECOND, clock: Callable[[], int] | None = None
    ) -> None:
        self._engine = engine
        self._venue = venue
        self._timeout_s = timeout_ns / SECOND
        self._is_manual = clock is not None
        self._clock = clock or _steady_clock(engine.state.now)
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: dict[asyncio.Task[None], Request] = {}
        self._watches: list[_Watch] = []
        self._backlog: list[Input] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = self._takes_commands = self._starts_requests = True
        self._listeners: list[Callable[[Publish | Alarm], None]] = []
        self.alarms: list[Alarm] = []
        self._ledger_tail: deque[LedgerEntry] = deque(maxlen=LEDGER_TAIL_MAX)

    # --- reading ------------------------------------------------------------------------------------------------------
    @property
    def state(self) -> State:
        """The whole state: a value that never changes; a later call may return another."""
        self._must_be_open()
        return self._engine.state

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All slots, copies of this moment."""
        slots = self.state.slots
        return tuple(slots[i] for i in range(len(slots)))

    @property
    def orders(self) -> tuple[Order, ...]:
        """Live orders and the retired ones that are still kept, oldest first."""
        orders = self.state.orders
        return tuple(orders[key] for key in sorted(orders))

    @property
    def account(self) -> Book:
        """The book of the settlement currency."""
        return self.state.book

    @property
    def ledger_tail(self) -> list[LedgerEntry]:
        """The last ten thousand ledger entries since the start, a copy of this moment."""
        return list(self._ledger_tail)

    @property
    def is_open(self) -> bool:
        """Whether it takes commands."""
        return self._takes_commands

    def now(self) -> int:
        """Return the kernel's time, ns UTC: it only runs forward."""
        return self._clock()

    @property
    def journal_kind(self) -> str:
        """`sqlite` or `memory`."""
        return self._engine.journal.backend_kind

    def listen(self, listener: Callable[[Publish | Alarm], None]) -> None:
        """Have everything published handed to `listener`; what it raises is a warning and never reaches a trade (F8)."""
        self._must_be_open()
        self._listeners.append(listener)

    # --- commanding ---------------------------------------------------------------------------------------------------
    async def submit(self, command: Command) -> KernelOutcome:
        """Carry out a command and return its outcome, when the venue has spoken or its time is over."""
        if not self._takes_commands:
            return closed_outcome(getattr(command, "slot_id", -1))
        try:
            first = self._apply(command)
        except JournalError as e:
            return KernelOutcome(
                accepted=False, diagnostic=Diagnostic.JOURNAL_FAILED, detail=str(e), kernel_phase=Diagnostic.JOURNAL_FAILED
            )
        kind = _KINDS[type(command)]
        if first.diagnostic is not Diagnostic.OK or not first.cid:
            return outcome_of(kind, self._engine.state, [first], VenueOutcome.NONE, None)
        return await self._wait(_Watch(kind, first, _terms(self._engine.state, first.cid, command)))

    async def _wait(self, watch: _Watch) -> KernelOutcome:
        self._watches.append(watch)
        self._look(watch)
        with contextlib.suppress(TimeoutError):  # the venue may stay silent: that is an outcome, UNKNOWN
            async with asyncio.timeout(2 * self._timeout_s):
                await watch.done.wait()
        self._watches.remove(watch)
        result = watch.result if watch.done.is_set() else VenueOutcome.UNKNOWN
        order = _order(self._engine.state, watch.cid)
        return outcome_of(watch.kind, self._engine.state, watch.published, result, order)

    def _look(self, watch: _Watch) -> None:
        order = _order(self._engine.state, watch.cid)
        if order is None or watch.done.is_set():
            return
        result = venue_outcome(watch.kind, order, watch.terms)
        if watch.kind is CommandKind.MODIFY and watch.published[-1].diagnostic is Diagnostic.MODIFY_UNKNOWN:
            result = VenueOutcome.UNKNOWN
        if result is not VenueOutcome.NONE:
            watch.result = result
            watch.done.set()

    # --- time and the venue's pushes ----------------------------------------------------------------------------------
    def pump(self) -> int:
        """Apply what the venue pushed; return how many events that were."""
        self._must_be_open()
        now = self._clock()
        events = [_stamped(event, now) for event in self._venue.pump()]
        if events:
            self._apply_all(events)
        return len(events)

    @property
    def needs_pump(self) -> bool:
        """Whether polling the venue could tell anything: an order is open, or something is unknown (E1)."""
        state = self.state
        return bool(state.live or state.pending or state.parked)

    def tick(self) -> None:
        """Let the kernel do what is due by its clock."""
        self._must_be_open()
        self._apply_all([Tick(self._clock())])

    async def settle(self) -> None:
        """Wait for the requests that are under way."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks))

    # --- inside -------------------------------------------------------------------------------------------------------
    def _must_be_open(self) -> None:
        if not self._takes_commands:
            raise KernelClosedError("this kernel was closed; open its journal again")

    def _apply(self, command: Command) -> Publish:
        """Apply one command; its effects are under way when this returns."""
        self._flush()
        return self._handle((command,))

    def _apply_all(self, inputs: Sequence[Input]) -> None:
        """Apply what the venue or the clock says; while the journal refuses, it waits and nothing is lost."""
        self._backlog += inputs
        with contextlib.suppress(JournalError):
            self._flush()

    def _flush(self) -> None:
        while self._backlog:
            group = self._backlog[:64]
            try:
                self._handle(group)
            except JournalError as e:
                self._raise_alarm(Alarm(self._engine.state.seq, Diagnostic.JOURNAL_FAILED, str(e)))
                self._retry_later()
                raise
            del self._backlog[: len(group)]

    def _retry_later(self) -> None:
        if not self._is_manual and self._is_open:
            asyncio.get_running_loop().call_later(1.0, lambda: self._apply_all(()) if self._is_open else None)

    def _handle(self, inputs: Sequence[Input]) -> Publish:
        results = self._engine.apply_all(inputs)
        published: list[Publish] = []
        for effects in results:
            for effect in effects:
                self._carry_out(effect, published)
        for watch in self._watches:
            watch.published += (item for item in published if item.cid == watch.cid)
            self._look(watch)
        return published[0]

    def _carry_out(self, effect: Effect, published: list[Publish]) -> None:
        if isinstance(effect, Publish):
            published.append(effect)
            self._ledger_tail += effect.entries
            self._tell(effect)
        elif isinstance(effect, Alarm):
            self._raise_alarm(effect)
        elif isinstance(effect, SetTimer):
            self._set_timer(effect.ts)
        else:
            self._start(effect)

    def _raise_alarm(self, alarm: Alarm) -> None:
        self.alarms = [*self.alarms, alarm][-1_000:]
        self._tell(alarm)

    def _tell(self, effect: Publish | Alarm) -> None:
        for listener in self._listeners:
            try:
                listener(effect)
            except Exception as e:  # noqa: BLE001  # tidy: allow swallowed: a sink cannot break a trade (F8)
                warnings.warn(f"a listener raised {type(e).__name__}: {e}", RuntimeWarning, stacklevel=2)

    def _start(self, request: Request) -> None:
        if not self._starts_requests:
            return  # the next start asks for it: it stands in the journal
        task = asyncio.get_running_loop().create_task(self._send(request))
        self._tasks.add(task)
        self._requests[task] = request
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._requests.pop(task, None)

    async def _send(self, request: Request) -> None:
        if (note := sent(request, self._clock())) is not None:
            self._apply_all([note])
        started = self._clock()
        try:
            async with asyncio.timeout(self._timeout_s):  # in this task: `wait_for` would make another
                answer = await self._venue.send(request)
        except asyncio.CancelledError:
            raise
        except Exception as e:  # noqa: BLE001  # tidy: allow swallowed: whatever a connector raises is UNKNOWN
            inputs = failed(request, f"{type(e).__name__}: {e}"[:300], self._clock())
        else:
            if isinstance(answer, VenueSnapshot):
                # How old it may be is a question about our clock, which also stamps fills.
                answer = replace(answer, fetch_start_ts=started, fetch_end_ts=self._clock())
            inputs = answered(request, answer, self._clock())
        if self._is_open:
            self._apply_all(inputs)

    def _set_timer(self, ts: int) -> None:
        if self._is_manual or not self._starts_requests:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(ts - self._clock(), 0) / SECOND
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        if self._is_open:
            self._apply_all([Tick(self._clock())])

    # --- the end ------------------------------------------------------------------------------------------------------
    async def close(self, deadline_ns: int = 5 * SECOND) -> None:
        """Stop taking commands, let what is under way end, compare with the venue a last time, and release everything.

        What has no answer when `deadline_ns` is over becomes unknown: the next start asks about it (F20, F21).
        """
        if not self._takes_commands:
            return
        self._takes_commands = False
        end_ns = _monotonic_ns() + deadline_ns
        await self._drain(end_ns, with_pending=False)
        if not self._tasks:
            self._reconcile_at_close()
            await self._drain(end_ns, with_pending=True)
        if self._timer is not None:
            self._timer.cancel()
        await self._give_up()
        self._is_open = False
        await self._release()

    async def _drain(self, end_ns: int, *, with_pending: bool) -> None:
        """Wait until no request is under way, and none still to be made if so asked, or the time is over."""
        while (left_ns := end_ns - _monotonic_ns()) > 0:
            if self._tasks:
                await asyncio.wait(list(self._tasks), timeout=left_ns / SECOND)
            elif with_pending and self._engine.state.pending and not self._is_manual:
                await asyncio.sleep(min(left_ns, _PENDING_NS) / SECOND)
            else:
                return

    def _reconcile_at_close(self) -> None:
        """Ask for a last snapshot of the venue; a journal that refuses has raised its alarm, and the close goes on."""
        with contextlib.suppress(JournalError):
            self._flush()
            state = self._engine.state
            self._handle((Reconcile(ts=self._clock(), intent_id=f"close-{state.seq}", reason="close"),))

    async def _give_up(self) -> None:
        """End the requests that are still under way; each is unknown from now on."""
        self._starts_requests = False
        waiting = list(self._tasks)
        unknown = [self._requests[task] for task in waiting if task in self._requests]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for request in unknown:
            self._apply_all(failed(request, "the kernel closed before an answer came", self._clock()))

    async def _release(self) -> None:
        """Release everything, each once and in order, whatever fails on the way; then say all that failed (F20a)."""
        errors: list[Exception] = []
        for release in (self._engine.snapshot, self._engine.close, self._release_lease, self._venue.close):
            try:
                if (waiting := release()) is not None:
                    await waiting
            except Exception as e:  # noqa: BLE001  # tidy: allow swallowed: all of them are raised below, together
                errors.append(e)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("the kernel is closed, and not everything went well", errors)

    def _release_lease(self) -> None:
        self._venue.release(self._engine.journal.config.lease)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        if getattr(self, "_is_open", False):
            warnings.warn("a kernel was not closed; use `async with` or await close()", ResourceWarning, stacklevel=2)


def _stamped(event: VenueEvent, now: int) -> VenueEvent:
    return replace(event, ts=now)


def _order(state: State, cid: str) -> Order | None:
    return state.orders.get(int(cid.rpartition("-")[2], 36)) if cid else None


def _terms(state: State, cid: str, command: Command) -> tuple[int, int]:
    order = _order(state, cid)
    if order is None or not isinstance(command, Modify):
        return 0, 0
    return order.modify_lots, order.modify_tick


def _steady_clock(at_least: int) -> Callable[[], int]:
    """Return a clock that only runs forward: the wall clock of the start, or the journal's last time, and durations since.

    Durations are taken in whole nanoseconds of a float of seconds since the process began, exact to 100 ns for months.
    """
    base, start = max(now_ns(), at_least + 1), _monotonic_ns()
    return lambda: base + _monotonic_ns() - start


def _monotonic_ns() -> int:
    return round(monotonic_s() * SECOND)


async def open_kernel(
    venue: Venue,
    *,
    journal: Path | str,
    config: Config | None = None,
    timeout_ns: int = 5 * SECOND,
    clock: Callable[[], int] | None = None,
) -> Kernel:
    """Open a journal, recover what it stands for, and ask the venue about every order that may exist.

    Returns when the first answers are in or their time is over; what is unknown by then goes on being asked about, and
    commands are answered with RECOVERING until it is known.

    Parameters
    ----------
    venue : a connector; it is leased to this kernel.
    journal : a file, made where there is none; `":memory:"` keeps nothing and says so by its name.
    config : of a new journal; an existing one has its own.
    timeout_ns, clock : see `Kernel`.

    Raises
    ------
    JournalError
        If the journal is damaged, locked, or another configuration's.
    ConfigError
        If the venue is leased already.
    """
    opened: Journal
    if str(journal) == ":memory:":
        if config is None:
            raise JournalError("a journal in memory needs a configuration; give config=")
        opened = MemoryJournal(config)
    else:
        opened = SqliteJournal(Path(journal), config)
    lease = opened.config.lease
    with contextlib.ExitStack() as built:
        # What fails here leaves nothing behind: it is undone in reverse, and the cause is raised. Nothing stands in for it.
        built.callback(opened.close)
        venue.lease(lease)
        built.callback(venue.release, lease)
        kernel = Kernel(Engine(opened), venue, timeout_ns=timeout_ns, clock=clock)
        built.pop_all()
    backends = (("journal", kernel.journal_kind), ("venue", venue.backend_kind))
    kernel._apply_all([Recover(kernel._clock(), backends=backends)])  # noqa: SLF001 the constructor's other half
    await kernel.settle()
    return kernel
