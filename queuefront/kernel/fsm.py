"""Moving a slot along the transition table, and what every arrival at a stage entails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from queuefront.core import InvariantError
from queuefront.kernel.codes import CANCEL, HEALTH, STAGE
from queuefront.kernel.enums import Diagnostic, Health, Stage
from queuefront.kernel.records import Alarm, Transition
from queuefront.kernel.resolve import ask_order
from queuefront.kernel.state import Draft, Order, Slot
from queuefront.kernel.table import TABLE, Guard, Row, TableInput
from queuefront.venues import CancelOrder

__all__ = ["advance", "find_row", "health_of", "move", "quarantine", "refresh_health", "request_cancel"]

_PENDING_CANCELS: Final = frozenset(
    {
        CANCEL.REQUESTED,
        CANCEL.UNKNOWN,
        CANCEL.UNKNOWN_AFTER_SUCCESS,
        CANCEL.UNKNOWN_AFTER_NOT_FOUND,
        CANCEL.UNKNOWN_AFTER_REFUSAL,
    }
)


#: What a guard looks at: slot, order where there is one, trade id of the command, draft.
_Question = Callable[[Slot, Order | None, str, Draft], bool]

_GUARDS: Final[dict[Guard, _Question]] = {
    Guard.FREE: lambda slot, *_: slot.is_free,
    Guard.SAME_TRADE: lambda slot, _, trade_id, __: slot.trade_id == trade_id,
    Guard.ENTRY_HAS_FILLS: lambda slot, *_: slot.initial_lots > 0,
    Guard.SIZE_ZERO: lambda slot, *_: slot.size == 0,
    Guard.HAS_SIZE: lambda slot, *_: slot.size > 0,
    Guard.DUST: lambda slot, _, __, draft: slot.size < draft.specs[slot.instrument].min_lots,
    Guard.CANCEL_PENDING: lambda _, order, *__: order is not None and order.cancel_state in _PENDING_CANCELS,
    Guard.MODIFY_PENDING: lambda _, order, *__: order is not None and bool(order.modify_lots),
    Guard.ORDER_LATE: lambda slot, order, *_: order is not None and order.key != slot.active_order,
}

#: The table, each row beside its guard; None stands for ALWAYS.
_GUARDED: Final = {pair: tuple((row, _GUARDS.get(row.guard)) for row in rows) for pair, rows in TABLE.items()}


def find_row(draft: Draft, slot: Slot, on: TableInput, order: Order | None = None, trade_id: str = "") -> Row:
    """Return the row of the table that holds for the slot as it is now."""
    for row, holds in _GUARDED[slot.stage, on]:
        if holds is None or holds(slot, order, trade_id, draft):
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
    if to is STAGE.POSITION_OPEN:
        return draft.put_slot(replace(_end_leg(slot), stage=to, active_order=0))
    if to is STAGE.CLOSED:
        slot = _let_go(draft, slot)
        return draft.put_slot(replace(slot, stage=to, active_order=0, closed_ns=draft.now))
    if to is STAGE.IDLE:
        return draft.put_slot(replace(slot, stage=to, active_order=0))
    return draft.put_slot(replace(slot, stage=to))


def _end_leg(slot: Slot) -> Slot:
    if slot.leg_intended and slot.leg_filled >= slot.leg_intended:
        return replace(slot, leg_index=slot.leg_index + 1, leg_intended=0, leg_filled=0)
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
    order = draft.put_order(replace(order, cancel_state=CANCEL.REQUESTED, cancel_sightings=0))
    draft.effects.append(CancelOrder(order.cid, order.venue_order_id, order.instrument))
    return order


def health_of(slot: Slot) -> Health:
    """Return the health that follows from what is unknown and what contradicts.

    A slot that holds nothing is no part of a position that differs, and may be needed to adopt it.
    """
    if slot.quarantine or (slot.drifted and (slot.size or slot.active_order)):
        return HEALTH.QUARANTINED
    return HEALTH.UNCERTAIN if slot.doubts or slot.parked_count else HEALTH.OK


def refresh_health(draft: Draft, slot: Slot) -> Slot:
    """Bring a slot's health up to date."""
    health = health_of(slot)
    return slot if health is slot.health else draft.put_slot(replace(slot, health=health))


def quarantine(draft: Draft, slot: Slot, why: Diagnostic, text: str) -> Slot:
    """Stop trusting a slot: it takes RECONCILE and CANCEL only, until somebody looked."""
    draft.effects.append(Alarm(draft.seq, why, text))
    return draft.put_slot(replace(slot, quarantine=why.name))
