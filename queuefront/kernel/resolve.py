"""Asking again: orders of unknown fate, fills of unknown price, and when the next question is due.

An unknown is resolved by asking at 1, 2, 4 … 30 seconds (spec 6 and 8), never by guessing and never by forgetting. An order
is absent only after two look-ups missed it, far enough apart, and not before its request had time to arrive.
"""

from __future__ import annotations

from msgspec.structs import replace

from queuefront.kernel.records import SetTimer
from queuefront.kernel.state import Draft, Due, Order, Slot
from queuefront.venues import FetchSnapshot, QueryFills, QueryOrder

__all__ = [
    "ask_fills",
    "ask_order",
    "backoff_ns",
    "drop_fills_due",
    "drop_order_due",
    "due_of",
    "is_absence",
    "note_fee_missing",
    "note_miss",
    "request_snapshot",
    "retry_order",
    "send_due",
    "set_timer",
]


#: A venue that answers so often without a fee does not tell it; silence does not count.
FEE_ANSWERS_MAX = 8


def backoff_ns(draft: Draft, attempts: int) -> int:
    """Return how long to wait after so many questions: 1, 2, 4 … 30 s."""
    return min(draft.config.first_query_ns << min(attempts, 30), draft.config.last_query_ns)


def due_of(draft: Draft, order: Order, *, is_fills: bool) -> Due | None:
    """Return what is scheduled for an order."""
    return draft.pending.get(_key(order.key, is_fills=is_fills))


def _key(order_key: int, *, is_fills: bool) -> int:
    return order_key * 2 + is_fills


def _put(draft: Draft, due: Due) -> None:
    draft.pending = draft.pending.set(_key(due.key, is_fills=due.is_fills), due)
    set_timer(draft, due.due_ns)


def set_timer(draft: Draft, ts: int) -> None:
    """Have a tick come at `ts`, unless an earlier one will."""
    if not draft.timer_ns or ts < draft.timer_ns:
        draft.timer_ns = ts
        draft.effects.append(SetTimer(ts))


def ask_order(draft: Draft, order: Order, at_ns: int) -> Slot:
    """Doubt an order: ask at `at_ns` and on, until the venue says what it is. Its slot is UNCERTAIN meanwhile."""
    known = due_of(draft, order, is_fills=False)
    if known is None:
        _put(draft, Due(order.key, is_fills=False, due_ns=at_ns))
    elif at_ns < known.due_ns and not known.is_sent:
        _put(draft, replace(known, due_ns=at_ns))
    slot = draft.slots[order.slot_id]
    if slot.trade_id == order.trade_id and order.key not in slot.doubts:
        slot = draft.put_slot(replace(slot, doubts=(*slot.doubts, order.key)))
    return slot


def drop_order_due(draft: Draft, order: Order) -> None:
    """Stop doubting an order."""
    key = _key(order.key, is_fills=False)
    if key in draft.pending:
        draft.pending = draft.pending.delete(key)
    slot = draft.slots[order.slot_id]
    if order.key in slot.doubts:
        draft.put_slot(replace(slot, doubts=tuple(k for k in slot.doubts if k != order.key)))


def retry_order(draft: Draft, order: Order) -> None:
    """Take an answer that decided nothing: the next question follows the schedule."""
    due = due_of(draft, order, is_fills=False)
    if due is not None:
        _put(draft, replace(due, is_sent=False, due_ns=draft.now + backoff_ns(draft, due.attempts)))


def note_miss(draft: Draft, order: Order) -> None:
    """Count a look-up that found nothing."""
    due = due_of(draft, order, is_fills=False)
    if due is None:
        return
    missed_ns = due.missed_ns or draft.now
    _put(draft, replace(due, is_sent=False, misses=due.misses + 1, missed_ns=missed_ns, due_ns=_next_miss_ns(draft, due)))


def _next_miss_ns(draft: Draft, due: Due) -> int:
    return draft.now + max(backoff_ns(draft, due.attempts), draft.config.miss_gap_ns)


def is_absence(draft: Draft, order: Order) -> bool:
    """Whether this miss, after those before, proves that the venue has no such order."""
    due = due_of(draft, order, is_fills=False)
    return (
        due is not None
        and due.misses >= 1
        and draft.now - due.missed_ns >= draft.config.miss_gap_ns
        and draft.now - order.created_ns >= draft.config.grace_ns
    )


def ask_fills(draft: Draft, order: Order, at_ns: int) -> None:
    """Ask for an order's fills at `at_ns`, and on, until price and fee are exact."""
    known = due_of(draft, order, is_fills=True)
    if known is None:
        _put(draft, Due(order.key, is_fills=True, due_ns=at_ns))
    elif known.attempts:
        # A new fill begins a new schedule; the old one may be slow by now.
        _put(draft, Due(order.key, is_fills=True, due_ns=at_ns))


def drop_fills_due(draft: Draft, order: Order) -> None:
    """Stop asking for fills."""
    key = _key(order.key, is_fills=True)
    if key in draft.pending:
        draft.pending = draft.pending.delete(key)


def note_fee_missing(draft: Draft, order: Order) -> bool:
    """Count an answer without a fee; after some of them the estimate stays, flagged. Return whether this was the last."""
    key = _key(order.key, is_fills=True)
    due = draft.pending.get(key)
    if due is None:
        return False
    if due.misses + 1 < FEE_ANSWERS_MAX:
        draft.pending = draft.pending.set(key, replace(due, misses=due.misses + 1))
        return False
    draft.pending = draft.pending.delete(key)
    return True


def send_due(draft: Draft) -> list[Due]:
    """Emit the questions whose time has come; return them as they are now."""
    sent = []
    for key in sorted(draft.pending):
        due = draft.pending[key]
        if due.due_ns > draft.now:
            continue
        order = draft.orders[due.key]
        ask = QueryFills if due.is_fills else QueryOrder
        draft.effects.append(ask(order.cid, order.venue_order_id, order.instrument))
        due = replace(due, is_sent=True, attempts=due.attempts + 1, due_ns=draft.now + backoff_ns(draft, due.attempts))
        draft.pending = draft.pending.set(key, due)
        sent.append(due)
    return sent


def request_snapshot(draft: Draft, reason: str) -> None:
    """Ask for positions and open orders, unless that question is on its way."""
    if draft.snapshot_sent_ns and draft.now - draft.snapshot_sent_ns < draft.config.last_query_ns:
        return
    draft.snapshot_sent_ns = draft.now
    draft.effects.append(FetchSnapshot(reason))
