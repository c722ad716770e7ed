"""What a venue says, applied: routed by ids, deduplicated by totals, money first and then the table (spec 6)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from queuefront.kernel.account import exposure_of, put_exposed
from queuefront.kernel.codes import CANCEL, ROLE, SOURCE, STAGE, STATUS, TYPE, D, E
from queuefront.kernel.commands import order_key
from queuefront.kernel.enums import FINAL_STATUSES, OrderStatus
from queuefront.kernel.fills import apply_fill, apply_orphan, apply_report
from queuefront.kernel.fsm import advance, health_of, quarantine, request_cancel
from queuefront.kernel.records import Alarm
from queuefront.kernel.resolve import ask_fills, ask_order, drop_order_due, due_of, is_absence, note_miss, retry_order
from queuefront.kernel.state import Draft, Order, Slot
from queuefront.venues import EventKind, VenueEvent

__all__ = ["on_order_event", "route"]


#: Answers to our own questions may repeat and still settle a doubt; pushes may not.
_ANSWERS: Final = frozenset({SOURCE.QUERY, SOURCE.RECONCILE, SOURCE.KERNEL})
_FINAL_STATUS: Final = {
    E.CANCEL_ACK: STATUS.CANCELED,
    E.EXPIRED: STATUS.EXPIRED,
    E.ORDER_REJECT: STATUS.REJECTED,
    E.ORDER_ABSENT: STATUS.ABSENT,
    E.FULL_FILL: STATUS.FILLED,
}
#: Events that say where the order stands, as far as the venue knows.
_STATUS_KINDS: Final = frozenset({*_FINAL_STATUS, E.ACK, E.PARTIAL_FILL})
_ENDS: Final = frozenset({E.CANCEL_ACK, E.EXPIRED})
#: Events that show the order resting.
_RESTING: Final = frozenset({E.ACK, E.PARTIAL_FILL})
#: Events that may carry a total of fills.
_TOTAL_KINDS: Final = _STATUS_KINDS | {E.CANCEL_REJECT, E.MODIFY_ACK, E.MODIFY_REJECT}
#: Events that are about something else and may carry a total along.
_ASIDE: Final = frozenset({E.CANCEL_REJECT, E.MODIFY_ACK, E.MODIFY_REJECT})
_CANCEL_UNKNOWN: Final = {
    "SUCCESS": CANCEL.UNKNOWN_AFTER_SUCCESS,
    "NOT_FOUND": CANCEL.UNKNOWN_AFTER_NOT_FOUND,
    "REFUSED": CANCEL.UNKNOWN_AFTER_REFUSAL,
}
#: Statuses of an order that the venue has not been heard to hold.
_UNPROVEN: Final = frozenset({STATUS.REQUESTED, STATUS.SENT, STATUS.UNKNOWN})
#: Pushes after which an order without anything under way is no longer doubted.
_PROOFS: Final = frozenset({E.CANCEL_REJECT, E.MODIFY_ACK, E.MODIFY_REJECT, E.ACK})
#: A venue that says "canceled" or "not found" and then shows the order live is believed after so many looks.
SIGHTINGS_MAX: Final = 3


def route(draft: Draft, event: VenueEvent) -> Order | None:
    """Find the order that an event speaks of: by client id, then the venue's id, then the trade. The slot id is a hint."""
    if event.cid:
        key = order_key(draft.config.lease, event.cid)
        return None if key is None else draft.orders.get(key)
    if event.venue_order_id and event.venue_order_id in draft.venue_ids:
        return draft.orders.get(draft.venue_ids[event.venue_order_id])
    if event.trade_id in draft.trades:
        slot = draft.slots[draft.trades.number(event.trade_id)]
        if slot.trade_id == event.trade_id:
            return draft.orders.get(slot.active_order or slot.entry_order)
    return None


def on_order_event(draft: Draft, event: VenueEvent) -> None:
    """Apply an event that speaks of one order."""
    order = route(draft, event)
    if order is None:
        _unknown_order(draft, event)
        return
    draft.slot_id, draft.cid = order.slot_id, order.cid
    if event.slot_id >= 0 and event.slot_id != order.slot_id:
        draft.count("slot_hint_mismatch")
    if event.event_id and event.event_id in order.seen and event.source not in _ANSWERS:
        draft.count("duplicate_event")
        draft.answer(D.DUPLICATE_EVENT)
        return
    order = _noted(draft, order, event)
    if event.kind in _TOTAL_KINDS:
        _apply(draft, order, event)
    elif event.kind in _SPECIAL:
        _SPECIAL[event.kind](draft, draft.put_order(order), event)
    else:
        order = draft.put_order(order)
        draft.count("unknown_event")
        ask_order(draft, order, draft.now)
        draft.answer(D.UNKNOWN_EVENT, event.raw_kind)
    _conclude(draft, draft.orders[order.key])


def _unknown_order(draft: Draft, event: VenueEvent) -> None:
    if event.cid and order_key(draft.config.lease, event.cid) is None:
        draft.count("foreign_order")
        draft.answer(D.FOREIGN_ORDER, event.cid)
        return
    draft.count("unknown_order")
    draft.answer(D.UNKNOWN_EVENT, f"order {event.cid or event.venue_order_id or event.trade_id!r} is not known")
    if event.cid and event.cum_lots:
        draft.effects.append(Alarm(draft.seq, D.ORPHAN_FILL, f"{event.cum_lots:,} lots of {event.cid}, which is forgotten"))


def _noted(draft: Draft, order: Order, event: VenueEvent) -> Order:
    """Return the order with the venue's id, the event's id and its time, for the caller to write with what else changes."""
    venue_id, seen = order.venue_order_id, order.seen
    if event.venue_order_id and event.venue_order_id != venue_id:
        venue_id = event.venue_order_id
        draft.venue_ids = draft.venue_ids.set(venue_id, order.key)
    if event.event_id and event.event_id not in seen:
        seen = (*seen, event.event_id)[-draft.config.seen_count :]
    return replace(order, last_event_ns=draft.now, venue_order_id=venue_id, seen=seen)


# --- events without a total -------------------------------------------------------------------------------------------
def _sent(draft: Draft, order: Order, event: VenueEvent) -> None:
    if order.status is STATUS.REQUESTED:
        order = draft.put_order(replace(order, status=STATUS.SENT, sent_ns=draft.now))
    _advance_active(draft, order, event.kind)


def _submit_unknown(draft: Draft, order: Order, event: VenueEvent) -> None:
    if order.status not in (STATUS.REQUESTED, STATUS.SENT):
        draft.answer(D.STALE_EVENT, "the order is known by now")
        return
    order = draft.put_order(replace(order, status=STATUS.UNKNOWN))
    _advance_active(draft, order, event.kind)
    ask_order(draft, order, draft.now + draft.config.first_query_ns)


def _cancel_unknown(draft: Draft, order: Order, event: VenueEvent) -> None:
    if order.is_final:
        draft.answer(D.ORDER_ALREADY_FINAL)
        return
    state = _CANCEL_UNKNOWN.get(event.reason_code, CANCEL.UNKNOWN)
    order = draft.put_order(replace(order, cancel_state=state))
    _advance_active(draft, order, E.CANCEL_UNKNOWN)
    # The venue answered, so it knows by now: asking at once is the verification. After silence, it gets its second.
    is_answered = state is not CANCEL.UNKNOWN
    ask_order(draft, order, draft.now if is_answered else draft.now + draft.config.first_query_ns)


def _modify_unknown(draft: Draft, order: Order, event: VenueEvent) -> None:
    if order.is_final or not order.modify_lots:
        draft.answer(D.STALE_EVENT)
        return
    _advance_active(draft, order, event.kind)
    ask_order(draft, order, draft.now + draft.config.first_query_ns)


def _missed(draft: Draft, order: Order, event: VenueEvent) -> None:
    if order.is_final:
        drop_order_due(draft, order)
        return
    if not is_absence(draft, order):
        note_miss(draft, order)
        return
    _apply(draft, order, replace(event, kind=E.ORDER_ABSENT, source=SOURCE.KERNEL, cum_lots=None))


def _query_failed(draft: Draft, order: Order, _event: VenueEvent) -> None:
    retry_order(draft, order)


def _report(draft: Draft, order: Order, event: VenueEvent) -> None:
    if event.cum_lots is not None and event.cum_lots > order.cum_lots:
        # More was filled than we were told: the report is as good as a fill, and says nothing of the rest.
        kind = E.FULL_FILL if event.cum_lots == order.lots else E.PARTIAL_FILL
        _apply(draft, order, replace(event, kind=kind))
        order = draft.orders[order.key]
    apply_report(draft, order, event)


_SPECIAL: Final = {
    E.ORDER_SENT: _sent,
    E.SUBMIT_UNKNOWN: _submit_unknown,
    E.CANCEL_UNKNOWN: _cancel_unknown,
    E.MODIFY_UNKNOWN: _modify_unknown,
    E.ORDER_MISSED: _missed,
    E.QUERY_FAILED: _query_failed,
    E.FILL_REPORT: _report,
    E.FEE_UPDATE: _report,
}


def _advance_active(draft: Draft, order: Order, kind: EventKind) -> None:
    slot = draft.slots[order.slot_id]
    if slot.trade_id == order.trade_id and slot.active_order == order.key:
        advance(draft, slot, kind, order)
    else:
        draft.answer(D.STALE_EVENT)


# --- events with a total ----------------------------------------------------------------------------------------------
def _apply(draft: Draft, order: Order, event: VenueEvent) -> None:
    """Apply an event that may carry a total. `order` holds what `_noted` changed and is written on every way out."""
    kind, total = event.kind, event.cum_lots
    if kind is E.FULL_FILL and total is None:
        total = order.lots
    if (kind is E.PARTIAL_FILL and total is None) or (total is not None and total < 0):
        draft.put_order(order)
        draft.count("unknown_event")
        ask_order(draft, order, draft.now)
        draft.answer(D.UNKNOWN_EVENT, "a fill without a total")
        return
    if kind in _ENDS and total is None and not order.is_final:
        # Over, but how much was filled is not said: the order query decides.
        _cancel_unknown(draft, order, replace(event, reason_code="SUCCESS"))
        return
    order = _take_terms(draft, order, event)
    grown = 0 if total is None else total - order.cum_lots
    if grown > 0:
        order = _grow(draft, order, event, grown)
    if kind in _ASIDE and not order.is_final and (grown > 0 or order.cum_lots >= order.lots):
        # The fills that a refusal or a change carries along decide the stage; the rest of it is written first.
        order = _restate(draft, order, kind)
        kind = E.PARTIAL_FILL
    if kind in _RESTING and order.cum_lots == order.lots and not order.modify_lots:
        kind = E.FULL_FILL
    elif kind is E.ACK and grown > 0:
        kind = E.PARTIAL_FILL
    if order.status in FINAL_STATUSES:
        _after_the_end(draft, draft.put_order(order), kind, grown)
        return
    if grown <= 0 and kind is E.PARTIAL_FILL and event.kind not in _ASIDE:
        draft.put_order(order)
        draft.count("stale_event" if grown else "duplicate_event")
        if order.status in (STATUS.NEW, STATUS.PARTIALLY_FILLED):
            _see_live(draft, order, event)
            draft.answer(D.STALE_EVENT if grown else D.DUPLICATE_EVENT)
            return
    order = _restate(draft, order, kind)
    _advance_order(draft, order, kind, grown)
    if kind is E.ORDER_REJECT and draft.diagnostic in (D.ORDER_REJECTED, D.EXIT_REJECTED):
        is_rate = event.reason_code == D.RATE_LIMITED.name
        draft.answer(D.RATE_LIMITED if is_rate else draft.diagnostic, f"{event.reason_code} {event.reason_text}".strip())
    if order.status not in FINAL_STATUSES:
        if order.cum_lots >= order.lots:
            # More than we know of was asked for: a change arrived that we took for refused. The venue knows its terms.
            ask_order(draft, order, draft.now)
        if kind is E.MODIFY_REJECT and event.reason_code == "FINAL":
            ask_order(draft, order, draft.now)
        _see_live(draft, order, event)


def _grow(draft: Draft, order: Order, event: VenueEvent, lots: int) -> Order:
    """Apply newly filled lots to the slot, or to nobody where the slot has gone on."""
    draft.last_fill_ns = draft.now
    slot = draft.slots[order.slot_id]
    allowed = max(order.lots, order.modify_lots) - order.cum_lots
    if slot.trade_id != order.trade_id:
        apply_orphan(draft, order, event, lots)
    else:
        slot = apply_fill(draft, slot, order, event, lots)
        if lots > allowed:
            draft.put_slot(slot)
            quarantine(
                draft, draft.slots[slot.slot_id], D.OVERFILL, f"order {order.cid} filled {lots - allowed:,} lots too many"
            )
    order = draft.orders[order.key]
    if event.cum_notional is not None or event.cum_fills or event.cum_fee is not None:
        apply_report(draft, order, event)
        order = draft.orders[order.key]
    return order


def _take_terms(draft: Draft, order: Order, event: VenueEvent) -> Order:
    """Take the terms that the venue states; this is how an unknown change is found out."""
    if event.kind is E.MODIFY_REJECT:
        return draft.put_order(replace(order, modify_lots=0, modify_tick=0))
    if event.order_lots is None and event.price_tick is None:
        return order
    if event.kind is not E.MODIFY_ACK and (event.source not in _ANSWERS or event.kind not in _RESTING):
        return order
    lots = event.order_lots or order.lots
    tick = event.price_tick or order.limit_tick
    is_old = (lots, tick) == (order.lots, order.limit_tick) and event.kind is not E.MODIFY_ACK and order.modify_lots
    if is_old and order.modify_sightings + 1 < SIGHTINGS_MAX:
        # The old terms: the change was refused, or has not arrived yet. It is looked at again like a cancel.
        return draft.put_order(replace(order, modify_sightings=order.modify_sightings + 1))
    limit_tick = tick if order.order_type is TYPE.LIMIT else order.limit_tick
    return draft.put_order(
        replace(order, lots=lots, limit_tick=limit_tick, modify_lots=0, modify_tick=0, modify_sightings=0)
    )


def _restate(draft: Draft, order: Order, kind: EventKind) -> Order:
    """Write the order's status, and how a cancel ended."""
    if kind in _FINAL_STATUS:
        cancel = order.cancel_state
        if kind is E.CANCEL_ACK:
            cancel = CANCEL.CONFIRMED
        elif cancel is not CANCEL.NONE:
            cancel = CANCEL.REFUSED
        order = replace(order, status=_FINAL_STATUS[kind], cancel_state=cancel, modify_lots=0, modify_tick=0)
    elif kind in _RESTING:
        order = replace(order, status=_resting_status(order), acked_ns=order.acked_ns or draft.now)
    elif kind is E.CANCEL_REJECT:
        status = _resting_status(order) if order.status in _UNPROVEN else order.status
        order = replace(order, status=status, cancel_state=CANCEL.REFUSED)
    return draft.put_order(order)


def _resting_status(order: Order) -> OrderStatus:
    return STATUS.PARTIALLY_FILLED if order.cum_lots else STATUS.NEW


def _advance_order(draft: Draft, order: Order, kind: EventKind, grown: int) -> None:
    slot = draft.slots[order.slot_id]
    if slot.trade_id != order.trade_id:
        draft.answer(D.ORPHAN_FILL if grown > 0 else D.STALE_EVENT)
    elif slot.active_order == order.key:
        advance(draft, slot, kind, order)
    elif grown > 0:
        advance(draft, slot, E.PARTIAL_FILL, order)
    else:
        draft.answer(D.STALE_EVENT)


def _after_the_end(draft: Draft, order: Order, kind: EventKind, grown: int) -> None:
    """Handle what comes after an order's end: late fills count, the rest is stale, and a ghost is cancelled."""
    is_grown = order.status is STATUS.FILLED and grown > 0 and kind is E.PARTIAL_FILL
    if is_grown or (order.status is STATUS.ABSENT and kind in (E.ACK, E.PARTIAL_FILL)):
        order = draft.put_order(replace(order, status=_resting_status(order)))
        draft.effects.append(Alarm(draft.seq, D.LATE_ORDER, f"{order.cid} lives at the venue after it was thought over"))
        order = request_cancel(draft, order)
        ask_order(draft, order, draft.now + draft.config.first_query_ns)
    elif order.cum_lots >= order.lots and order.status is not STATUS.FILLED:
        order = draft.put_order(replace(order, status=STATUS.FILLED))
    _advance_order(draft, order, E.PARTIAL_FILL, grown)
    if order.is_final:
        drop_order_due(draft, order)
    if grown <= 0 and draft.diagnostic is D.OK:
        draft.answer(D.STALE_EVENT)


def _see_live(draft: Draft, order: Order, event: VenueEvent) -> None:
    """Draw what follows from seeing an order live: doubts end, and an unanswered cancel has not happened (spec 8)."""
    if event.source not in _ANSWERS:
        if event.kind in _PROOFS and draft.slots[order.slot_id].active_order == order.key and _is_settled(order):
            drop_order_due(draft, order)
        return
    if due_of(draft, order, is_fills=False) is None and order.cancel_state is not CANCEL.REQUESTED:
        return
    cancel = order.cancel_state
    is_denied = cancel in (CANCEL.UNKNOWN_AFTER_SUCCESS, CANCEL.UNKNOWN_AFTER_NOT_FOUND)
    if is_denied and order.cancel_sightings + 1 < SIGHTINGS_MAX:
        draft.put_order(replace(order, cancel_sightings=order.cancel_sightings + 1))
        retry_order(draft, order)
        return
    if order.modify_lots:
        retry_order(draft, order)
        return
    if cancel in (
        CANCEL.UNKNOWN,
        CANCEL.UNKNOWN_AFTER_SUCCESS,
        CANCEL.UNKNOWN_AFTER_NOT_FOUND,
        CANCEL.UNKNOWN_AFTER_REFUSAL,
    ):
        order = draft.put_order(replace(order, cancel_state=CANCEL.REFUSED))
        _advance_active(draft, order, E.CANCEL_REJECT)
    elif cancel is CANCEL.REQUESTED:
        due = due_of(draft, order, is_fills=False)
        if due is None or due.attempts < SIGHTINGS_MAX:
            retry_order(draft, order)
            return
        order = draft.put_order(replace(order, cancel_state=CANCEL.REFUSED))
        _advance_active(draft, order, E.CANCEL_REJECT)
    slot = draft.slots[order.slot_id]
    if slot.active_order != order.key:
        # No slot waits for it, so nobody would ever cancel it: it is cancelled until it is gone.
        retry_order(draft, request_cancel(draft, order))
        return
    drop_order_due(draft, order)


def _is_settled(order: Order) -> bool:
    is_placed = order.status in (STATUS.NEW, STATUS.PARTIALLY_FILLED)
    is_canceling = order.cancel_state not in (CANCEL.NONE, CANCEL.REFUSED)
    return is_placed and not is_canceling and not order.modify_lots


# --- afterwards -------------------------------------------------------------------------------------------------------
def _conclude(draft: Draft, order: Order) -> None:
    """Bring what derives from order and slot up to date: doubts, money still open, exposure, health."""
    if order.status in FINAL_STATUSES:
        drop_order_due(draft, order)
        is_inexact = order.priced_lots < order.cum_lots or order.estimated_lots or order.fee_estimated_lots
        if is_inexact and due_of(draft, order, is_fills=True) is None:
            ask_fills(draft, order, draft.now + draft.config.first_query_ns)
    slot = draft.slots[order.slot_id]
    if slot.trade_id == order.trade_id:
        _derive(draft, slot, order)


def _derive(draft: Draft, slot: Slot, order: Order) -> None:
    new, health, exposure = slot, health_of(slot), exposure_of(draft, slot)
    if slot.stage is STAGE.CLOSED and slot.size == 0 and not slot.close_reason:
        new = replace(new, close_reason="EXIT" if order.role is ROLE.EXIT else "ENTRY")
    if health is not slot.health:
        new = replace(new, health=health)
    if exposure != slot.exposure:
        put_exposed(draft, new, exposure)
    elif new is not slot:
        draft.put_slot(new)
