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

from queuefront.kernel.audit import audit, audit_chain
from queuefront.kernel.codec import encode_state
from queuefront.kernel.dice import Dice
from queuefront.kernel.engine import Engine, replay
from queuefront.kernel.enums import FREE_STAGES, Health, Stage
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
    Mark,
    Modify,
    Publish,
    Reconcile,
    Recover,
    Spec,
    Tick,
)
from queuefront.kernel.state import initial_state
from queuefront.kernel.translate import answered, failed, sent
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    Liquidity,
    MockExchange,
    MockFault,
    MockFill,
    ModifyOrder,
    OpenOrder,
    OrderType,
    PlaceOrder,
    QueryFills,
    QueryOrder,
    Request,
    Side,
    Source,
    VenueDownError,
    VenueEvent,
    VenueSnapshot,
    VenueTimeoutError,
)

__all__ = ["FAULTS", "Violation", "World"]

MS: Final = 1_000_000
SECOND: Final = 1_000 * MS
TIMEOUT: Final = 3 * SECOND
START: Final = 1_700_000_000 * SECOND
UNIT: Final = 10**4
FEE_PPM: Final = 400
CAPITAL: Final = 10**15
NAMES: Final = ("AAA", "BBB")
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


class Violation(Exception):
    """Something that must never be true was true."""


class _Disk(MemoryJournal):
    """A journal that dies, fills up and forgets what was not committed, when the world says so."""

    def __init__(self, config: Config, strikes: Callable[[str], bool]) -> None:
        super().__init__(config)
        self._strikes = strikes
        self.is_full = False

    def begin(self, *, is_durable: bool) -> None:
        if self._strikes("kill-before-write"):
            raise Killed("before a write")
        if not self.is_full and self._strikes("disk-full"):
            self.is_full = True
        if self.is_full:
            raise JournalError("disk full")
        super().begin(is_durable=is_durable)

    def commit(self) -> None:
        if self._strikes("kill-during-write"):
            raise Killed("during a write")
        super().commit()
        if self._strikes("kill-after-write"):
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
        self._incarnation = 0
        self._is_connected = True
        self._placed: Counter[str] = Counter()
        self._backlog: list[Input] = []
        self._old_snapshots: list[VenueSnapshot] = []
        self._money: dict[str, VenueEvent] = {}
        self._intents = 0
        specs = tuple(
            Spec(name=name, currency="USDT", unit=UNIT, min_lots=2, taker_rate_ppm=FEE_PPM, maker_rate_ppm=FEE_PPM // 2)
            for name in NAMES
        )
        config = Config(
            lease=f"sim{seed}", currency="USDT", cash_scale=8, start_capital=CAPITAL, specs=specs, slot_count=3, retired_count=64
        )
        self.venue = MockExchange(unit=UNIT, fee_ppm=FEE_PPM)
        self.venue.now = self.now
        self.journal = _Disk(config, self._strikes)
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
            self._guarded(self._act)
            self._guarded(self._deliver)
            self._check()
        self._settle()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Killed as e:
            self._note(f"killed {e}")
            self._restart()

    def _note(self, text: str) -> None:
        if self._log is not None:
            self._log(f"{(self.now - START) / SECOND:12.3f} s  {text}")

    def _strikes(self, fault: str) -> bool:
        if not self.is_faulty or fault not in self._faults or not self.dice.one_in(FAULTS[fault]):
            return False
        self.counts[fault] += 1
        self._note(f"fault: {fault}")
        return True

    # --- the process --------------------------------------------------------------------------------------------------
    def _start(self) -> None:
        self.engine = Engine(self.journal, snapshot_every=40, before_step=self._before_step)
        self._is_connected = True
        self._apply(Recover(self._clock(), "start"))

    def _restart(self) -> None:
        """Start again from the journal: memory, connections and answers on their way are gone."""
        self._incarnation += 1
        self.journal.roll_back()
        self._backlog.clear()
        self._push()
        self._damage()
        while True:
            try:
                self._start()
                self._fetch_history()
                return
            except Killed as e:
                self._note(f"killed {e}, at the start")
                self._incarnation += 1

    def _damage(self) -> None:
        """Tear and flip a copy of the journal: verifying it must find the row (and the real one must be whole)."""
        rows = self.journal.committed
        if rows and self._strikes("row-flipped"):
            i = self.dice.below(len(rows))
            payload = bytearray(rows[i].payload)
            payload[self.dice.below(len(payload))] ^= 1 << self.dice.below(8)
            self._must_find(i, rows[i]._replace(payload=bytes(payload)))
        if rows and self._strikes("row-torn"):
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
        if isinstance(entry, VenueEvent | Tick) and self._strikes("exception"):
            raise ArithmeticError("injected")

    def _clock(self) -> int:
        """Return the kernel's time; a stepping wall clock shows as inputs that go back."""
        return self.now - self.dice.between(1, 3_600) * SECOND if self._strikes("clock-step") else self.now

    def _apply(self, *inputs: Input) -> None:
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
                    self._note(f"#{effect.seq} {_words(entry)}: {effect.diagnostic.name} {effect.detail} {moves}")
            elif isinstance(effect, Request):
                if self._strikes("kill-before-effect"):
                    raise Killed("before an effect")
                self._send(effect)

    # --- the network --------------------------------------------------------------------------------------------------
    def _at(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay_ns, self._order, action))

    def _to_kernel(self, delay_ns: int, *inputs: Input) -> None:
        """Deliver inputs to this incarnation of the process; a later one has no such connection."""
        incarnation = self._incarnation

        def arrive() -> None:
            if incarnation == self._incarnation:
                self._apply(*(replace(entry, ts=self._clock()) for entry in inputs))

        self._at(delay_ns, arrive)

    def _send(self, request: Request) -> None:
        if isinstance(request, PlaceOrder):
            self._placed[request.cid] += 1
            if (note := sent(request, self.now)) is not None:
                self._to_kernel(0, note)
        delay = self._delay()
        sent_ns = self.now
        if self._strikes("request-lost") or not self._is_connected:
            self._to_kernel(TIMEOUT, *failed(request, "no answer", 0))
            return

        def arrive() -> None:
            self._answer(request, sent_ns)

        self._at(delay, arrive)

    def _delay(self) -> int:
        if self._strikes("ack-delayed"):
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
            self._push()
            return
        if isinstance(answer, VenueSnapshot):
            answer = self._snapshot(replace(answer, fetch_start_ts=sent_ns, fetch_end_ts=self.now))
        else:
            answer = [self._blur(event) for event in answer]
        inputs = answered(request, answer, 0)
        if self._strikes("ack-lost"):
            self._to_kernel(TIMEOUT, *failed(request, "no answer", 0))
        else:
            self._to_kernel(self._delay(), *inputs)
            if self._strikes("ack-duplicated"):
                self._to_kernel(self._delay(), *inputs)
        self._push()

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
            if isinstance(request, kinds) and self._strikes(name):
                return fault
        return None

    def _snapshot(self, snapshot: VenueSnapshot) -> VenueSnapshot:
        self._old_snapshots.append(snapshot)
        del self._old_snapshots[:-5]
        return self.dice.choice(self._old_snapshots) if self._strikes("stale-snapshot") else snapshot

    def _blur(self, event: VenueEvent) -> VenueEvent:
        """Take from an event what venues leave out."""
        if event.last_tick and self._strikes("price-missing"):
            event = replace(event, last_tick=None)
        if event.fee is not None and self._strikes("fee-missing"):
            event = replace(event, fee=None)
        return event

    def _push(self) -> None:
        """Send what the venue pushed on its stream, with all that happens to streams."""
        for event in self.venue.pump():
            is_money = event.kind in (EventKind.FUNDING, EventKind.LIQUIDATION)
            if not is_money and (not self._is_connected or self._strikes("push-lost")):
                continue
            event = event if is_money else self._blur(event)
            delay = self.dice.between(1, 4_000) * MS if self._strikes("push-delayed") else self.dice.between(1, 30) * MS
            self._push_to_kernel(delay, event, is_money=is_money)
            if self._strikes("push-duplicated"):
                self._push_to_kernel(delay + self.dice.between(0, 2_000) * MS, event, is_money=is_money)
        if self._strikes("unknown-kind"):
            cids = list(self.venue.orders)
            if cids:
                event = VenueEvent(ts=0, kind=EventKind(self.dice.between(60, 98)), cid=self.dice.choice(cids), raw_kind="NEW_IN_V9")
                self._to_kernel(MS, event)

    def _push_to_kernel(self, delay_ns: int, event: VenueEvent, *, is_money: bool) -> None:
        """Deliver a push. Payments and liquidations are in the account's history, so a client fetches what it missed."""
        if not is_money:
            self._to_kernel(delay_ns, replace(event, source=Source.STREAM))
            return
        self._money[event.event_id] = event
        self._at(delay_ns, lambda: self._apply(replace(event, ts=self.now)))

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
                self._apply(Tick(self.now))
            else:
                when, _, action = heapq.heappop(self._queue)
                self._move_clock(when)
                action()
        self._move_clock(until)

    def _move_clock(self, ts: int) -> None:
        self.now = max(self.now, ts)
        self.venue.advance(self.now - self.venue.now)
        self._push()

    # --- what happens -------------------------------------------------------------------------------------------------
    def _act(self) -> None:
        dice = self.dice
        kind = dice.below(100)
        if self._strikes("disconnect"):
            self._disconnect()
        elif kind < 45:
            self._command()
        elif kind < 85:
            self._trade()
        else:
            self._misfortune()

    def _disconnect(self) -> None:
        self._is_connected = not self._is_connected
        if self._is_connected:
            self._apply(Reconcile(ts=self._clock(), intent_id=self._intent(), reason="reconnect"))

    def _intent(self) -> str:
        self._intents += 1
        return f"i{self._incarnation}.{self._intents}"

    def _command(self) -> None:
        dice, state = self.dice, self.engine.state
        slot = state.slots[dice.below(len(state.slots))]
        kind = dice.below(10)
        if slot.stage in FREE_STAGES or kind == 0:
            self._enter(slot.slot_id)
        elif slot.stage is Stage.POSITION_OPEN or kind == 1:
            self._exit(slot.slot_id)
        elif kind < 5:
            self._apply(Cancel(ts=self._clock(), intent_id=self._intent(), slot_id=slot.slot_id))
        elif kind < 8:
            lots, tick = dice.between(2, 60), dice.between(90, 110)
            self._apply(
                Modify(ts=self._clock(), intent_id=self._intent(), slot_id=slot.slot_id, reference_tick=100, lots=lots, limit_tick=tick)
            )
        else:
            self._apply(Reconcile(ts=self._clock(), intent_id=self._intent()))

    def _enter(self, slot_id: int) -> None:
        dice = self.dice
        is_limit = dice.below(2)
        legs = ((1, 1),) if dice.one_in(2) else tuple((dice.between(1, 4), 4) for _ in range(dice.between(1, 3)))
        intent = self._intent()
        self._apply(
            Enter(
                ts=self._clock(),
                intent_id=intent,
                trade_id=f"t{intent}",
                slot_id=slot_id,
                instrument=dice.choice(NAMES),
                side=Side.LONG if dice.below(2) else Side.SHORT,
                lots=dice.between(2, 40),
                reference_tick=100,
                leverage=dice.between(1, 5),
                order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
                limit_tick=dice.between(90, 110) if is_limit else 0,
                exit_legs=legs,
                decision_id=f"d{intent}",
            )
        )

    def _exit(self, slot_id: int) -> None:
        dice = self.dice
        is_limit = dice.below(2)
        self._apply(
            Exit(
                ts=self._clock(),
                intent_id=self._intent(),
                slot_id=slot_id,
                reference_tick=100,
                lots=dice.between(2, 30) if dice.one_in(5) else None,
                order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
                limit_tick=dice.between(90, 110) if is_limit else 0,
            )
        )

    def _trade(self) -> None:
        """Fill a part of a live order, or move the mark."""
        dice = self.dice
        live = [order for order in self.venue.orders.values() if order.is_live]
        if not live or dice.one_in(6):
            self._apply(Mark(ts=self._clock(), instrument=dice.choice(NAMES), tick=dice.between(0, 120)))
            return
        order = dice.choice(live)
        left = order.lots - order.cum_lots
        lots = left if dice.one_in(2) else dice.between(1, left)
        late = dice.between(1, 5) * SECOND if self._strikes("fee-late") else None
        liquidity = dice.choice((Liquidity.MAKER, Liquidity.TAKER))
        self._note(f"venue fills {lots} of {order.request.cid}")
        self.venue.fill(order.request.cid, MockFill(lots, dice.between(90, 110), late_fee_ns=late, liquidity=liquidity))
        self._push()

    def _misfortune(self) -> None:
        dice, venue = self.dice, self.venue
        live = [order for order in venue.orders.values() if order.is_live]
        if self._strikes("funding"):
            venue.pay_funding(dice.choice(NAMES), dice.between(-10_000, 10_000))
        if live and self._strikes("expired"):
            venue.expire(dice.choice(live).request.cid)
        if self._strikes("foreign-order"):
            venue.foreign.append(OpenOrder(f"web-{dice.below(1000)}", f"F{dice.below(1000)}", dice.choice(NAMES), 0))
        held = sorted((key for key, lots in venue.positions.items() if lots > 0), key=str)
        if held and self._strikes("liquidation"):
            name, side = dice.choice(held)
            lots = dice.between(1, venue.positions[name, side])
            self._note(f"venue liquidates {lots} of {name} {side.name}")
            venue.liquidate(name, side, lots, dice.between(80, 120), fee=dice.between(0, 1000))
        self._push()

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
        self._guarded(lambda: self._apply())
        if not self._is_connected:
            self._is_connected = True
            self._apply(Reconcile(ts=self.now, intent_id=self._intent(), reason="reconnect"))
        for round_index in range(ROUNDS_MAX):
            self._pass_to(self.now + 10 * SECOND)
            self._check()
            if not self._unrest():
                break
            for slot_id in sorted(self.engine.state.slots) if round_index % 2 == 0 else ():
                slot = self.engine.state.slots[slot_id]
                if slot.active_order:
                    self._apply(Cancel(ts=self.now, intent_id=self._intent(), slot_id=slot_id))
                if slot.quarantine == "OVERFILL":
                    # Which slot a liquidation closed is nobody's knowledge; somebody looks, and says so.
                    self._apply(Reconcile(ts=self.now, intent_id=self._intent(), slot_ids=(slot_id,)))
        if unrest := self._unrest():
            raise Violation(f"not at rest after the faults stopped: {unrest}")
        self._agree()
        self._replay()

    def _unrest(self) -> str:
        state = self.engine.state
        if state.recovering or state.pending or state.parked or self._queue or state.live:
            return (
                f"recovering {state.recovering}, asking {list(state.pending.values())}, parked {state.parked}, "
                f"live {[state.orders[key] for key in state.live]}, messages {len(self._queue)}"
            )
        for slot_id in sorted(state.slots):
            slot = state.slots[slot_id]
            if slot.health is not Health.OK or slot.unsettled:
                return f"slot {slot}"
        if any(state.holdings[name].mismatches for name in state.holdings):
            return "positions being compared"
        return "" if state.last_snapshot >= 0 and not state.needs_snapshot else "no snapshot yet"

    def _agree(self) -> None:
        """Compare with the venue: orders, positions, money, to the last unit."""
        state = self.engine.state
        for cid, theirs in self.venue.orders.items():
            key = int(cid.rpartition("-")[2], 36)
            ours = state.orders.get(key)
            if ours is None:
                continue
            mine = (ours.cum_lots, ours.notional, ours.is_final)
            if mine != (theirs.cum_lots, theirs.cum_notional, not theirs.is_live):
                raise Violation(f"order {cid}: here {mine}, at the venue {theirs}")
            if ours.fee != theirs.cum_fee:
                raise Violation(f"order {cid}: fee {ours.fee:,} here, {theirs.cum_fee:,} at the venue")
        for name in NAMES:
            holding = state.holdings.get(name)
            ours_lots = holding.long_lots - holding.short_lots + holding.orphan_lots if holding else 0
            theirs_lots = sum(side.sign * self.venue.positions.get((name, side), 0) for side in Side)
            if ours_lots != theirs_lots:
                raise Violation(f"{name}: {ours_lots:,} lots here, {theirs_lots:,} at the venue")
        book = state.book
        cash = CAPITAL + self.venue.cash - self.venue.fees_paid + self.venue.funding_paid
        if (book.cash, book.fees, book.funding) != (cash, self.venue.fees_paid, self.venue.funding_paid):
            raise Violation(f"cash {book.cash:,}, fees {book.fees:,}, funding {book.funding:,}; by the venue {cash:,}, "
                            f"{self.venue.fees_paid:,}, {self.venue.funding_paid:,}")  # fmt: skip

    def _replay(self) -> None:
        """Replaying the whole journal gives the same bytes, and a ledger whose chain holds."""
        state = initial_state(self.journal.config)
        entries: list[LedgerEntry] = []
        for after, _, effects in replay(state, self.journal.rows()):
            state = after
            entries += (entry for effect in effects if isinstance(effect, Publish) for entry in effect.entries)
        if encode_state(state) != encode_state(self.engine.state):
            raise Violation("replaying the journal gives another state")
        if broken := audit_chain(entries):
            raise Violation(broken)


def _words(entry: Any) -> str:
    if isinstance(entry, VenueEvent):
        return f"{entry.kind.name} {entry.cid} {entry.source.name} cum={entry.cum_lots} last={entry.last_lots}@{entry.last_tick}"
    return f"{type(entry).__name__} {getattr(entry, 'slot_id', '')}"
