"""Moving a slot along the transition table, and what every arrival at a stage entails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from queuefront.core import InvariantError
from queuefront.kernel.enums import CancelState, Diagnostic, Health, Stage
from queuefront.kernel.records import Alarm, Transition
from queuefront.kernel.resolve import ask_order
from queuefront.kernel.state import Draft, Order, Slot
from queuefront.kernel.table import TABLE, Guard, Row, TableInput
from queuefront.venues import CancelOrder

__all__ = ["advance", "find_row", "move", "quarantine", "refresh_health", "request_cancel"]

_PENDING_CANCELS: Final = frozenset(
    {
        CancelState.REQUESTED,
        CancelState.UNKNOWN,
        CancelState.UNKNOWN_AFTER_SUCCESS,
        CancelState.UNKNOWN_AFTER_NOT_FOUND,
        CancelState.UNKNOWN_AFTER_REFUSAL,
    }
)


class _Facts(NamedTuple):
    """What guards look at."""

    draft: Draft
    slot: Slot
    order: Order | None
    trade_id: str


def _is_cancel_pending(facts: _Facts) -> bool:
    return facts.order is not None and facts.order.cancel_state in _PENDING_CANCELS


_GUARDS: Final[dict[Guard, Callable[[_Facts], bool]]] = {
    Guard.FREE: lambda facts: facts.slot.is_free,
    Guard.SAME_TRADE: lambda facts: facts.slot.trade_id == facts.trade_id,
    Guard.ENTRY_HAS_FILLS: lambda facts: facts.slot.initial_lots > 0,
    Guard.SIZE_ZERO: lambda facts: facts.slot.size == 0,
    Guard.HAS_SIZE: lambda facts: facts.slot.size > 0,
    Guard.DUST: lambda facts: facts.slot.size < facts.draft.specs[facts.slot.instrument].min_lots,
    Guard.CANCEL_PENDING: _is_cancel_pending,
    Guard.MODIFY_PENDING: lambda facts: facts.order is not None and bool(facts.order.modify_lots),
    Guard.ORDER_LATE: lambda facts: facts.order is not None and facts.order.key != facts.slot.active_order,
}


def find_row(draft: Draft, slot: Slot, on: TableInput, order: Order | None = None, trade_id: str = "") -> Row:
    """Return the row of the table that holds for the slot as it is now."""
    for row in TABLE[slot.stage, on]:
        if row.guard is Guard.ALWAYS or _GUARDS[row.guard](_Facts(draft, slot, order, trade_id)):
            return row
    raise InvariantError(f"no row for {slot.stage!r} on {on!r}: the last row of a pair must stand without guard")


def advance(draft: Draft, slot: Slot, on: TableInput, order: Order | None = None) -> Slot:
    """Take the slot where the table says, and answer with the row's diagnostic."""
    row = find_row(draft, slot, on, order)
    draft.answer(row.diagnostic)
    return slot if row.to is None else move(draft, slot, row.to)


def move(draft: Draft, slot: Slot, to: Stage) -> Slot:
    """Write the new stage, name the cause, and let go of an order whose stage is over."""
    if to is slot.stage:
        return slot
    draft.transitions.append(
        Transition(slot.slot_id, slot.trade_id, slot.stage, to, draft.cause_kind, draft.cause_id, draft.seq, draft.now)
    )
    if to is Stage.POSITION_OPEN:
        return draft.put_slot(_end_leg(slot, draft), stage=to, active_order=0)
    if to is Stage.CLOSED:
        slot = _let_go(draft, slot)
        return draft.put_slot(slot, stage=to, active_order=0, closed_ns=draft.now)
    if to is Stage.IDLE:
        return draft.put_slot(slot, stage=to, active_order=0)
    return draft.put_slot(slot, stage=to)


def _end_leg(slot: Slot, draft: Draft) -> Slot:
    if slot.leg_intended and slot.leg_filled >= slot.leg_intended:
        return draft.put_slot(slot, leg_index=slot.leg_index + 1, leg_intended=0, leg_filled=0)
    return slot


def _let_go(draft: Draft, slot: Slot) -> Slot:
    """Cancel an order that outlived its position (a liquidation, a late fill), and watch it until the venue agrees."""
    order = draft.orders.get(slot.active_order)
    if order is None or order.is_final:
        return slot
    request_cancel(draft, order)
    return ask_order(draft, draft.orders[order.key], draft.now + draft.config.first_query_ns)


def request_cancel(draft: Draft, order: Order) -> Order:
    """Ask the venue to cancel an order, by client id where its own is not known yet."""
    order = draft.put_order(order, cancel_state=CancelState.REQUESTED, cancel_sightings=0)
    draft.effects.append(CancelOrder(order.cid, order.venue_order_id, order.instrument))
    return order


def refresh_health(draft: Draft, slot: Slot) -> Slot:
    """Recompute health from what is unknown and what contradicts."""
    if slot.quarantine or slot.drifted:
        health = Health.QUARANTINED
    elif slot.doubts or slot.parked_count:
        health = Health.UNCERTAIN
    else:
        health = Health.OK
    return slot if health is slot.health else draft.put_slot(slot, health=health)


def quarantine(draft: Draft, slot: Slot, why: Diagnostic, text: str) -> Slot:
    """Stop trusting a slot: it takes RECONCILE and CANCEL only, until somebody looked."""
    draft.effects.append(Alarm(draft.seq, why, text))
    return draft.put_slot(slot, quarantine=why.name)
