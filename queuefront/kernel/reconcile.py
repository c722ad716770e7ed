"""Comparing with the venue: snapshots, recovery after a restart, and what time brings (spec 9)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from queuefront.kernel.codes import STATUS, D, E
from queuefront.kernel.commands import ask_about, order_key
from queuefront.kernel.events import route
from queuefront.kernel.fills import estimate_pending
from queuefront.kernel.fsm import refresh_health, request_cancel
from queuefront.kernel.money_events import on_drift
from queuefront.kernel.records import Alarm, EventFailed, Recover, SnapshotFailed
from queuefront.kernel.resolve import ask_order, backoff_ns, request_snapshot, send_due, set_timer
from queuefront.kernel.state import Draft, Holding, Parked
from queuefront.venues import OpenOrder, VenueEvent, VenueSnapshot

__all__ = ["end_recovery", "on_event_failed", "on_recover", "on_snapshot", "on_snapshot_failed", "on_tick"]


#: A position that differs is asked about so often before it is called drift: fills may be on their way to us.
MISMATCHES_MAX = 4
ATTEMPTS_MAX = 3


# --- time -------------------------------------------------------------------------------------------------------------
def on_tick(draft: Draft, apply: Callable[[Draft, VenueEvent], None]) -> None:
    """Do what is due: retry a parked event by `apply`, ask again, fetch a snapshot; then set the next timer."""
    draft.timer_ns = 0
    if draft.parked:
        _retry_parked(draft, apply)
    for due in send_due(draft):
        if not due.is_fills:
            continue
        order = draft.orders[due.key]
        if due.attempts > draft.config.estimate_after:
            estimate_pending(draft, order)
    _snapshot_if_due(draft)
    dues = [due.due_ns for due in draft.pending.values()]
    if draft.parked:
        dues.append(draft.now + draft.config.first_query_ns)
    if draft.snapshot_due_ns:
        dues.append(draft.snapshot_due_ns)
    if dues:
        set_timer(draft, max(min(dues), draft.now + 1))


def _snapshot_if_due(draft: Draft) -> None:
    if not draft.snapshot_due_ns:
        draft.snapshot_due_ns = draft.now + draft.config.heartbeat_ns
    elif draft.now >= draft.snapshot_due_ns:
        request_snapshot(draft, "heartbeat")
        draft.snapshot_due_ns = draft.now + draft.config.heartbeat_ns


# --- events that failed -----------------------------------------------------------------------------------------------
def on_event_failed(draft: Draft, failed: EventFailed) -> None:
    """Park a venue event whose application raised; its slot is UNCERTAIN until it was applied or given up (F15)."""
    draft.count("event_failed")
    draft.answer(D.EVENT_FAILED, failed.error)
    draft.effects.append(Alarm(draft.seq, D.EVENT_FAILED, f"input {failed.seq:,}: {failed.error}"))
    if failed.event is None:
        if draft.parked:
            first = draft.parked[0]
            draft.parked = (*draft.parked[1:], replace(first, attempts=first.attempts + 1))
    else:
        draft.parked = (*draft.parked, Parked(failed.event, 1))
        _count_parked(draft, failed.event, 1)
    set_timer(draft, draft.now + draft.config.first_query_ns)


def _count_parked(draft: Draft, event: VenueEvent, difference: int) -> None:
    order = route(draft, event)
    if order is not None:
        slot = draft.slots[order.slot_id]
        if slot.trade_id == order.trade_id or slot.parked_count:
            slot = draft.put_slot(replace(slot, parked_count=max(slot.parked_count + difference, 0)))
            refresh_health(draft, slot)


def _retry_parked(draft: Draft, apply: Callable[[Draft, VenueEvent], None]) -> None:
    first, draft.parked = draft.parked[0], draft.parked[1:]
    _count_parked(draft, first.event, -1)
    if first.attempts < ATTEMPTS_MAX or first.event.kind is E.LIQUIDATION:
        draft.attempts = first.attempts
        apply(draft, first.event)
        return
    order = route(draft, first.event)
    draft.effects.append(Alarm(draft.seq, D.EVENT_FAILED, f"{first.event.kind.name} {first.event.event_id!r} given up"))
    if order is not None:
        refresh_health(draft, ask_order(draft, order, draft.now))
    elif first.event.kind in (E.FUNDING, E.LIQUIDATION):
        # Nothing at the venue repeats these: a book without them is wrong, and a wrong book is worse than a stopped one.
        draft.halt_reason = f"{first.event.kind.name} {first.event.event_id!r} could not be booked"
    request_snapshot(draft, "given up")


# --- restart ----------------------------------------------------------------------------------------------------------
def on_recover(draft: Draft, _command: Recover) -> None:
    """Ask about every order that may exist at the venue; commands wait until each was answered (E26)."""
    draft.recovering = draft.needs_snapshot = True
    # The connection is new, and counts its snapshots anew.
    draft.last_snapshot = -1
    ask_about(draft, sorted(draft.live))
    for key in sorted(draft.pending):
        # Questions that were on their way when the process ended have no answer coming.
        draft.pending = draft.pending.set(key, replace(draft.pending[key], is_sent=False, due_ns=draft.now))
    draft.snapshot_sent_ns = 0
    request_snapshot(draft, "recovery")
    set_timer(draft, draft.now)


def end_recovery(draft: Draft) -> None:
    """Take commands again once every order is known and a snapshot agreed to be compared."""
    if draft.recovering and not draft.needs_snapshot:
        draft.recovering = any(not due.is_fills for due in draft.pending.values())


# --- snapshots --------------------------------------------------------------------------------------------------------
def on_snapshot_failed(draft: Draft, failed: SnapshotFailed) -> None:
    """Ask again later."""
    draft.count("snapshot_failed")
    draft.answer(D.STALE_SNAPSHOT, failed.reason)
    _ask_again(draft)


def _ask_again(draft: Draft) -> None:
    draft.snapshot_sent_ns = 0
    draft.snapshot_attempts += 1
    draft.snapshot_due_ns = draft.now + backoff_ns(draft, draft.snapshot_attempts - 1)
    set_timer(draft, draft.snapshot_due_ns)


def on_snapshot(draft: Draft, snapshot: VenueSnapshot) -> None:
    """Compare open orders and positions with the slots; what differs is asked about, never patched (F19)."""
    if snapshot.sequence <= draft.last_snapshot or snapshot.fetch_start_ts < draft.last_fill_ns:
        draft.count("stale_snapshot")
        draft.answer(
            D.STALE_SNAPSHOT, f"fetched from {snapshot.fetch_start_ts:,}, the last fill came at {draft.last_fill_ns:,}"
        )
        _ask_again(draft)
        return
    draft.last_snapshot = snapshot.sequence
    draft.snapshot_sent_ns = 0
    draft.snapshot_attempts = 0
    draft.needs_snapshot = False
    draft.snapshot_due_ns = draft.now + draft.config.heartbeat_ns
    for listed in snapshot.open_orders:
        _compare_order(draft, listed, snapshot.fetch_start_ts)
    _ask_about_missing(draft, snapshot)
    _compare_positions(draft, snapshot)
    set_timer(draft, draft.snapshot_due_ns)


def _compare_order(draft: Draft, listed: OpenOrder, fetched_ns: int) -> None:
    key = order_key(draft.config.lease, listed.cid)
    if key is None:
        draft.count("foreign_order")
        return
    order = draft.orders.get(key)
    if order is None:
        draft.count("unknown_order")
        draft.effects.append(Alarm(draft.seq, D.LATE_ORDER, f"{listed.cid} rests at the venue and is forgotten here"))
        return
    is_known_since = order.last_event_ns < fetched_ns
    if order.is_final and (order.status is STATUS.ABSENT or is_known_since):
        order = draft.put_order(replace(order, status=STATUS.NEW))
        draft.effects.append(Alarm(draft.seq, D.LATE_ORDER, f"{order.cid} lives at the venue after it was thought over"))
        order = request_cancel(draft, order)
        refresh_health(draft, ask_order(draft, order, draft.now + draft.config.first_query_ns))
    elif not order.is_final and order.cum_lots != listed.cum_lots:
        refresh_health(draft, ask_order(draft, order, draft.now))


def _ask_about_missing(draft: Draft, snapshot: VenueSnapshot) -> None:
    """Ask about orders of ours that the venue does not list: not listed is no proof of anything (spec 8)."""
    listed = {order_key(draft.config.lease, order.cid) for order in snapshot.open_orders}
    for key in sorted(draft.live):
        order = draft.orders[key]
        if key not in listed and order.acked_ns and order.last_event_ns < snapshot.fetch_start_ts:
            refresh_health(draft, ask_order(draft, order, draft.now))


def _compare_positions(draft: Draft, snapshot: VenueSnapshot) -> None:
    theirs: dict[str, int] = {}
    for position in snapshot.positions:
        theirs[position.instrument] = theirs.get(position.instrument, 0) + position.side.sign * position.lots
    for name in sorted({*theirs, *draft.holdings}):
        holding = draft.holding(name)
        if name not in draft.specs:
            draft.count("foreign_position")
            continue
        ours = holding.long_lots - holding.short_lots + holding.orphan_lots
        if ours == theirs.get(name, 0):
            _agree(draft, holding)
        else:
            _disagree(draft, holding, ours, theirs.get(name, 0))


def _agree(draft: Draft, holding: Holding) -> None:
    if holding.mismatches:
        draft.put_holding(replace(holding, mismatches=0))
    if holding.blocked.startswith("drift"):
        draft.put_holding(replace(draft.holding(holding.instrument), blocked="", drift_lots=0))
    for slot_id in range(len(draft.slots)):
        slot = draft.slots[slot_id]
        if slot.drifted and slot.instrument == holding.instrument:
            refresh_health(draft, draft.put_slot(replace(slot, drifted=False)))


def _disagree(draft: Draft, holding: Holding, ours: int, theirs: int) -> None:
    is_drift = holding.blocked.startswith("drift")
    ask_about(draft, _suspects(draft, holding.instrument))
    if is_drift:
        draft.put_holding(replace(holding, drift_lots=theirs - ours))
        return
    draft.put_holding(replace(holding, mismatches=holding.mismatches + 1))
    if holding.mismatches + 1 >= MISMATCHES_MAX:
        on_drift(draft, holding.instrument, f"{theirs:,} lots at the venue, {ours:,} here")
        draft.put_holding(replace(draft.holding(holding.instrument), drift_lots=theirs - ours))
        return
    draft.snapshot_due_ns = draft.now + backoff_ns(draft, holding.mismatches)


def _suspects(draft: Draft, instrument: str) -> list[int]:
    """Return the orders that could explain a position: those that live, and those that the venue once did not find."""
    mine = (key for key, order in draft.orders.items() if order.instrument == instrument)
    return sorted(key for key in mine if key in draft.live or draft.orders[key].status is STATUS.ABSENT)
