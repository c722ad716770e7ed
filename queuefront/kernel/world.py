"""A kernel, a venue, a network, a clock and a disk in one seed: what happens to orders and money when all of them fail.

Each step of a run draws its choices from (seed, step number), so a run can be repeated, and a failing one made smaller by
leaving steps out. Requests and answers travel with delays; every fault below strikes at random while faults are on. The
venue is the truth: after faults stop, the kernel must agree with it about every order, every position and every cent.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from queuefront.kernel.actor import INVERSE, NAMES, Actor
from queuefront.kernel.audit import audit
from queuefront.kernel.dice import Dice
from queuefront.kernel.engine import Engine
from queuefront.kernel.errors import JournalDamagedError, JournalError
from queuefront.kernel.journal import MemoryJournal, Row
from queuefront.kernel.records import (
    Cancel,
    Config,
    Effect,
    Enter,
    Exit,
    Input,
    LedgerEntry,
    Modify,
    Publish,
    Reconcile,
    Recover,
    Spec,
    Tick,
)
from queuefront.kernel.translate import answered, failed, sent
from queuefront.kernel.verdict import Violation, agree, check_replay, unrest
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    MockExchange,
    MockFault,
    ModifyOrder,
    PlaceOrder,
    QueryFills,
    QueryOrder,
    Request,
    Source,
    VenueDownError,
    VenueEvent,
    VenueSnapshot,
    VenueTimeoutError,
)

__all__ = ["FAULTS", "World"]

MS: Final = 1_000_000
SECOND: Final = 1_000 * MS
TIMEOUT: Final = 3 * SECOND
START: Final = 1_700_000_000 * SECOND
UNIT: Final = 10**4
FEE_PPM: Final = 400
CAPITAL: Final = 10**15
#: Rounds after the faults in which everything must have come to rest.
ROUNDS_MAX: Final = 80

#: Every fault, and how rarely it strikes (once in so many chances).
FAULTS: Final[dict[str, int]] = {
    "ack-lost": 12,
    "ack-delayed": 6,
    "ack-duplicated": 12,
    "request-lost": 14,
    "empty-reply": 25,
    "empty-reply-not-done": 25,
    "server-error": 25,
    "server-error-done": 25,
    "rate-limited": 25,
    "rejected": 20,
    "unknown-status": 30,
    "cancel-says-done": 12,
    "cancel-not-found": 12,
    "query-not-found": 30,
    "query-failed": 6,
    "push-lost": 12,
    "push-delayed": 4,
    "push-duplicated": 8,
    "unknown-kind": 60,
    "price-missing": 10,
    "fee-missing": 10,
    "fee-late": 10,
    "stale-snapshot": 6,
    "snapshot-failed": 6,
    "disconnect": 60,
    "foreign-order": 60,
    "expired": 60,
    "liquidation": 80,
    "funding": 40,
    "hand-trade": 100,
    "clock-step": 60,
    "exception": 40,
    "kill-before-write": 400,
    "kill-during-write": 400,
    "kill-after-write": 400,
    "kill-before-effect": 400,
    "row-torn": 3,
    "row-flipped": 3,
    "disk-full": 150,
}


class Killed(BaseException):
    """The process ended here."""


class _Disk(MemoryJournal):
    """A journal that dies, fills up and forgets what was not committed, when the world says so."""

    def __init__(self, config: Config, strikes: Callable[[str], bool]) -> None:
        super().__init__(config)
        self.strikes = strikes
        self.is_full = False

    def begin(self, *, is_durable: bool) -> None:
        if self.strikes("kill-before-write"):
            raise Killed("before a write")
        if not self.is_full and self.strikes("disk-full"):
            self.is_full = True
        if self.is_full:
            raise JournalError("disk full")
        super().begin(is_durable=is_durable)

    def commit(self) -> None:
        if self.strikes("kill-during-write"):
            raise Killed("during a write")
        super().commit()
        if self.strikes("kill-after-write"):
            raise Killed("after a write")


class World:
    """One simulated run.

    Parameters
    ----------
    seed : of every choice.
    faults : the names of those that may strike, see FAULTS.
    log : called with a line for everything that happens, or None.
    """

    def __init__(self, seed: int, faults: frozenset[str], log: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.checks = 0
        self.entries: list[LedgerEntry] = []
        self._faults = faults
        self._log = log
        self.dice = Dice(seed, 0)
        self.now = START
        self.is_faulty = False
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0
        self.incarnation = 0
        self.is_connected = True
        self._placed: Counter[str] = Counter()
        self._backlog: list[Input] = []
        self._old_snapshots: list[VenueSnapshot] = []
        self._money: dict[str, VenueEvent] = {}
        specs = tuple(
            Spec(
                name=name,
                currency="USDT",
                unit=UNIT,
                min_lots=2,
                taker_rate_ppm=FEE_PPM,
                maker_rate_ppm=FEE_PPM // 2,
                is_inverse=name in INVERSE,
            )
            for name in NAMES
        )
        config = Config(
            lease=f"sim{seed}",
            currency="USDT",
            cash_scale=8,
            start_capital=CAPITAL,
            specs=specs,
            slot_count=3,
            retired_count=64,
        )
        self.venue = MockExchange(unit=UNIT, fee_ppm=FEE_PPM, inverse=INVERSE)
        self.venue.now = self.now
        self.journal = _Disk(config, self.strikes)
        self._actor = Actor(self)
        self._start()

    # --- running ------------------------------------------------------------------------------------------------------
    def run(self, steps: Sequence[int]) -> None:
        """Run the given steps with faults, then settle without, and check everything.

        Raises
        ------
        Violation
            With the first thing that was wrong.
        """
        self.is_faulty = True
        for step in steps:
            self.dice = Dice(self.seed, step + 1)
            self._guarded(self._actor.act)
            self._guarded(self._deliver)
            self._check()
        self._settle()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Killed as e:
            self.note(f"killed {e}")
            self._restart()

    def note(self, text: str) -> None:
        """Write a line of the trace."""
        if self._log is not None:
            self._log(f"{(self.now - START) / SECOND:12.3f} s  {text}")

    def strikes(self, fault: str) -> bool:
        """Return whether a fault strikes now."""
        if not self.is_faulty or fault not in self._faults or not self.dice.one_in(FAULTS[fault]):
            return False
        self.counts[fault] += 1
        self.note(f"fault: {fault}")
        return True

    # --- the process --------------------------------------------------------------------------------------------------
    def _start(self) -> None:
        self.engine = Engine(self.journal, snapshot_every=40, before_step=self._before_step)
        self.is_connected = True
        self.apply(Recover(self.clock(), "start"))

    def _restart(self) -> None:
        """Start again from the journal: memory, connections and answers on their way are gone."""
        self.incarnation += 1
        self.journal.roll_back()
        self._backlog.clear()
        self.push()
        self._damage()
        while True:
            try:
                self._start()
                self._fetch_history()
                return
            except Killed as e:
                self.note(f"killed {e}, at the start")
                self.incarnation += 1

    def _damage(self) -> None:
        """Tear and flip a copy of the journal: verifying it must find the row (and the real one must be whole)."""
        rows = self.journal.committed
        if rows and self.strikes("row-flipped"):
            i = self.dice.below(len(rows))
            payload = bytearray(rows[i].payload)
            payload[self.dice.below(len(payload))] ^= 1 << self.dice.below(8)
            self._must_find(i, rows[i]._replace(payload=bytes(payload)))
        if rows and self.strikes("row-torn"):
            i = self.dice.below(len(rows))
            self._must_find(i, rows[i]._replace(payload=rows[i].payload[:-1]))
        self.journal.verify()

    def _must_find(self, index: int, row: Row) -> None:
        copy = MemoryJournal(self.journal.config)
        copy.committed = [*self.journal.committed[:index], row, *self.journal.committed[index + 1 :]]
        try:
            copy.verify()
        except JournalDamagedError as e:
            if f"row {row.seq:,} " in str(e):
                return
            raise Violation(f"damage in row {row.seq:,} was named otherwise: {e}") from e
        raise Violation(f"damage in row {row.seq:,} was not found")

    def _before_step(self, entry: Input) -> None:
        if isinstance(entry, VenueEvent | Tick) and self.strikes("exception"):
            raise ArithmeticError("injected")

    def clock(self) -> int:
        """Return the kernel's time; a stepping wall clock shows as inputs that go back."""
        return self.now - self.dice.between(1, 3_600) * SECOND if self.strikes("clock-step") else self.now

    def apply(self, *inputs: Input) -> None:
        """Give inputs to the kernel, as its driver does: events wait while the disk is full, commands are refused."""
        self._backlog += inputs
        if self.journal.is_full and (not self.is_faulty or self.dice.one_in(3)):
            self.journal.is_full = False
        while self._backlog:
            batch = self._backlog[:4]
            try:
                results = self.engine.apply_all(batch)
            except JournalError:
                self._backlog = [entry for entry in self._backlog if not isinstance(entry, Enter | Exit | Modify | Cancel)]
                return
            del self._backlog[: len(batch)]
            for entry, effects in zip(batch, results, strict=True):
                self._perform(entry, effects)

    def _perform(self, entry: Input, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                self.entries += effect.entries
                if self._log is not None:
                    moves = " ".join(f"{t.before.name}->{t.after.name}" for t in effect.transitions)
                    self.note(f"#{effect.seq} {_words(entry)}: {effect.diagnostic.name} {effect.detail} {moves}")
            elif isinstance(effect, Request):
                if self.strikes("kill-before-effect"):
                    raise Killed("before an effect")
                self._send(effect)

    # --- the network --------------------------------------------------------------------------------------------------
    def _at(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay_ns, self._order, action))

    def _to_kernel(self, delay_ns: int, *inputs: Input) -> None:
        """Deliver inputs to this incarnation of the process; a later one has no such connection."""
        incarnation = self.incarnation

        def arrive() -> None:
            if incarnation == self.incarnation:
                self.apply(*(replace(entry, ts=self.clock()) for entry in inputs))

        self._at(delay_ns, arrive)

    def _send(self, request: Request) -> None:
        if isinstance(request, PlaceOrder):
            self._placed[request.cid] += 1
            if (note := sent(request, self.now)) is not None:
                self._to_kernel(0, note)
        delay = self._delay()
        sent_ns = self.now
        if self.strikes("request-lost") or not self.is_connected:
            self._to_kernel(TIMEOUT, *failed(request, "no answer", 0))
            return

        def arrive() -> None:
            self._answer(request, sent_ns)

        self._at(delay, arrive)

    def _delay(self) -> int:
        if self.strikes("ack-delayed"):
            return self.dice.between(100, 900) * MS
        return self.dice.between(1, 20) * MS

    def _answer(self, request: Request, sent_ns: int) -> None:
        fault = self._request_fault(request)
        if fault is not None:
            self.venue.fail(type(request), fault)
        try:
            answer = self.venue.handle(request)
        except (VenueTimeoutError, VenueDownError) as e:
            self._to_kernel(TIMEOUT, *failed(request, str(e), 0))
            self.push()
            return
        if isinstance(answer, VenueSnapshot):
            answer = self._snapshot(replace(answer, fetch_start_ts=sent_ns, fetch_end_ts=self.now))
        else:
            answer = [self._blur(event) for event in answer]
        inputs = answered(request, answer, 0)
        if self.strikes("ack-lost"):
            self._to_kernel(TIMEOUT, *failed(request, "no answer", 0))
        else:
            self._to_kernel(self._delay(), *inputs)
            if self.strikes("ack-duplicated"):
                self._to_kernel(self._delay(), *inputs)
        self.push()

    def _request_fault(self, request: Request) -> MockFault | None:
        for name, fault, kinds in (
            ("rejected", MockFault.REJECT, (PlaceOrder, ModifyOrder)),
            ("rate-limited", MockFault.RATE_LIMITED, (PlaceOrder, CancelOrder, QueryOrder, QueryFills)),
            ("empty-reply", MockFault.EMPTY, (PlaceOrder, CancelOrder, ModifyOrder)),
            ("empty-reply-not-done", MockFault.EMPTY_NOT_DONE, (PlaceOrder, CancelOrder, ModifyOrder)),
            ("server-error", MockFault.SERVER_ERROR, (PlaceOrder, CancelOrder, ModifyOrder, QueryOrder)),
            ("server-error-done", MockFault.SERVER_ERROR_DONE, (PlaceOrder, CancelOrder, ModifyOrder)),
            ("unknown-status", MockFault.UNKNOWN_STATUS, (PlaceOrder, CancelOrder, QueryOrder)),
            ("cancel-says-done", MockFault.SAYS_DONE, (CancelOrder,)),
            ("cancel-not-found", MockFault.NOT_FOUND, (CancelOrder,)),
            ("query-not-found", MockFault.NOT_FOUND, (QueryOrder,)),
            ("query-failed", MockFault.SERVER_ERROR, (QueryOrder, QueryFills)),
            ("snapshot-failed", MockFault.SERVER_ERROR, (FetchSnapshot,)),
        ):
            if isinstance(request, kinds) and self.strikes(name):
                return fault
        return None

    def _snapshot(self, snapshot: VenueSnapshot) -> VenueSnapshot:
        self._old_snapshots.append(snapshot)
        del self._old_snapshots[:-5]
        return self.dice.choice(self._old_snapshots) if self.strikes("stale-snapshot") else snapshot

    def _blur(self, event: VenueEvent) -> VenueEvent:
        """Take from an event what venues leave out."""
        if event.last_tick and self.strikes("price-missing"):
            event = replace(event, last_tick=None)
        if event.fee is not None and self.strikes("fee-missing"):
            event = replace(event, fee=None)
        return event

    def push(self) -> None:
        """Send what the venue pushed on its stream, with all that happens to streams."""
        for event in self.venue.pump():
            is_money = event.kind in (EventKind.FUNDING, EventKind.LIQUIDATION)
            if not is_money and (not self.is_connected or self.strikes("push-lost")):
                continue
            told = event if is_money else self._blur(event)
            delay = self.dice.between(1, 4_000) * MS if self.strikes("push-delayed") else self.dice.between(1, 30) * MS
            self._push_to_kernel(delay, told, is_money=is_money)
            if self.strikes("push-duplicated"):
                self._push_to_kernel(delay + self.dice.between(0, 2_000) * MS, told, is_money=is_money)
        if self.strikes("unknown-kind"):
            cids = list(self.venue.orders)
            if cids:
                event = VenueEvent(
                    ts=0, kind=EventKind(self.dice.between(60, 98)), cid=self.dice.choice(cids), raw_kind="NEW_IN_V9"
                )
                self._to_kernel(MS, event)

    def _push_to_kernel(self, delay_ns: int, event: VenueEvent, *, is_money: bool) -> None:
        """Deliver a push. Payments and liquidations are in the account's history, so a client fetches what it missed."""
        if not is_money:
            self._to_kernel(delay_ns, replace(event, source=Source.STREAM))
            return
        self._money[event.event_id] = event
        self._at(delay_ns, lambda: self.apply(replace(event, ts=self.now)))

    def _fetch_history(self) -> None:
        """Give the kernel the payments and liquidations that it did not hear of: they are in the account's history."""
        state = self.engine.state
        parked = {item.event.event_id for item in state.parked}
        for event_id, event in self._money.items():
            if event_id not in state.account_events and event_id not in parked:
                self._push_to_kernel(10 * MS, event, is_money=True)

    def _deliver(self) -> None:
        """Let time pass to the next messages and hand them over."""
        until = self.now + self.dice.choice((0, 5, 20, 100, 1_000, 5_000)) * MS
        self._pass_to(until)

    def _pass_to(self, until: int) -> None:
        while True:
            due = self._queue[0][0] if self._queue else until + 1
            timer = self.engine.state.timer_ns or until + 1
            if min(due, timer) > until:
                break
            if timer < due:
                self._move_clock(timer)
                self.apply(Tick(self.now))
            else:
                when, _, action = heapq.heappop(self._queue)
                self._move_clock(when)
                action()
        self._move_clock(until)

    def _move_clock(self, ts: int) -> None:
        self.now = max(self.now, ts)
        self.venue.advance(self.now - self.venue.now)
        self.push()

    # --- what must hold -----------------------------------------------------------------------------------------------
    def _check(self) -> None:
        self.checks += 1
        state = self.engine.state
        if state.halted:
            raise Violation(f"halted: {state.halted}")
        if wrong := audit(state):
            raise Violation("; ".join(wrong))
        for cid, count in self._placed.items():
            if count > 1:
                raise Violation(f"order {cid} was sent {count} times")
        for cid in self.venue.orders:
            if cid not in self._placed:
                raise Violation(f"the venue holds {cid}, which was never sent")

    def _settle(self) -> None:
        """Stop the faults; within bounded time everything is known, and agrees."""
        self.is_faulty = False
        self.journal.is_full = False
        self.dice = Dice(self.seed, 2**63)
        self._guarded(self.apply)
        if not self.is_connected:
            self.is_connected = True
            self.apply(Reconcile(ts=self.now, intent_id=self._actor.intent(), reason="reconnect"))
        # An answer that comes later than this was asked for after the faults: the last of them may be a trade by hand
        # that a snapshot under way does not have yet.
        heard_ns = self.now + TIMEOUT + self.journal.config.heartbeat_ns
        for round_index in range(ROUNDS_MAX):
            self._pass_to(self.now + 10 * SECOND)
            self._check()
            # Two orders that were denied twice are found by the next snapshot and not before.
            is_compared = self.engine.state.snapshot_due_ns >= heard_ns
            if is_compared and not unrest(self.engine.state, len(self._queue)):
                break
            if round_index % 2 == 0:
                self._actor.settle_drift()
            for slot_id in sorted(self.engine.state.slots) if round_index % 2 == 0 else ():
                slot = self.engine.state.slots[slot_id]
                if slot.active_order:
                    self.apply(Cancel(ts=self.now, intent_id=self._actor.intent(), slot_id=slot_id))
                if slot.quarantine == "OVERFILL":
                    # Which slot a liquidation closed is nobody's knowledge; somebody looks, and says so.
                    self.apply(Reconcile(ts=self.now, intent_id=self._actor.intent(), slot_ids=(slot_id,)))
        if restless := unrest(self.engine.state, len(self._queue)):
            raise Violation(f"not at rest after the faults stopped: {restless}")
        agree(self.engine.state, self.venue)
        check_replay(self.journal, self.engine.state)


def _words(entry: Any) -> str:
    if isinstance(entry, VenueEvent):
        last = f"last={entry.last_lots}@{entry.last_tick}"
        return f"{entry.kind.name} {entry.cid} {entry.source.name} cum={entry.cum_lots} {last}"
    return f"{type(entry).__name__} {getattr(entry, 'slot_id', '')}"
