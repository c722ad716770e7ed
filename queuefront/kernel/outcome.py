"""The answer to a command, put together when the venue has spoken: all of it describes the same final moment (F1)."""

from __future__ import annotations

from msgspec import Struct

from queuefront.kernel.enums import CancelState, CommandKind, Diagnostic, OrderStatus, Stage, VenueOutcome
from queuefront.kernel.records import Publish, Transition
from queuefront.kernel.state import Order, State

__all__ = ["KernelOutcome", "closed_outcome", "outcome_of", "venue_outcome"]

V = VenueOutcome


class KernelOutcome(Struct, frozen=True, kw_only=True):
    """What became of a command.

    `accepted` is the final truth: False for refusals, rejects and unknowns. `kernel_phase` is what the kernel said before
    the venue was asked, for diagnosis only. `events` lists what was published, the kernel's own first, then the venue's.
    """

    accepted: bool
    diagnostic: Diagnostic
    detail: str = ""
    kernel_phase: Diagnostic = Diagnostic.OK
    venue_outcome: VenueOutcome = VenueOutcome.NONE
    slot_id: int = -1
    state: Stage = Stage.IDLE
    version: int = 0
    cid: str = ""
    transitions: tuple[Transition, ...] = ()
    events: tuple[Publish, ...] = ()
    failed_events: tuple[Publish, ...] = ()


_ACCEPTED = frozenset({V.PLACED, V.CANCELLED, V.MODIFIED})
_DIAGNOSTICS = {
    V.PLACED: Diagnostic.OK,
    V.CANCELLED: Diagnostic.OK,
    V.MODIFIED: Diagnostic.OK,
    V.UNKNOWN: Diagnostic.SUBMIT_UNKNOWN,
    V.NOT_CANCELLED: Diagnostic.CANCEL_REJECTED,
    V.NOT_MODIFIED: Diagnostic.MODIFY_REJECTED,
}


def venue_outcome(kind: CommandKind, order: Order, terms: tuple[int, int]) -> VenueOutcome:
    """Return how a command stands at the venue; NONE while it has not spoken.

    Parameters
    ----------
    kind : ENTER, EXIT, CANCEL, MODIFY, or SETTLE where it closes.
    order : the order it is about, as it is now.
    terms : (lots, limit tick) that a MODIFY asked for.
    """
    if kind in (CommandKind.ENTER, CommandKind.EXIT, CommandKind.SETTLE):
        return _placing(order)
    if kind is CommandKind.CANCEL:
        return _canceling(order)
    if order.modify_lots:
        return V.NONE
    return V.MODIFIED if (order.lots, order.limit_tick) == terms else V.NOT_MODIFIED


def _placing(order: Order) -> VenueOutcome:
    if order.status in (OrderStatus.REQUESTED, OrderStatus.SENT):
        return V.NONE
    if order.status is OrderStatus.UNKNOWN:
        return V.UNKNOWN
    if order.status in (OrderStatus.REJECTED, OrderStatus.ABSENT):
        return V.REJECTED
    return V.PLACED


def _canceling(order: Order) -> VenueOutcome:
    if order.status is OrderStatus.CANCELED:
        return V.CANCELLED
    if order.is_final:
        return V.NOT_CANCELLED if order.status is OrderStatus.FILLED else V.CANCELLED
    if order.cancel_state is CancelState.REFUSED:
        return V.NOT_CANCELLED
    return V.UNKNOWN if order.cancel_state is CancelState.UNKNOWN else V.NONE


def closed_outcome(slot_id: int = -1) -> KernelOutcome:
    """Return the answer of a closed kernel."""
    return KernelOutcome(
        accepted=False,
        diagnostic=Diagnostic.KERNEL_CLOSED,
        detail="this kernel was closed; open its journal again",
        kernel_phase=Diagnostic.KERNEL_CLOSED,
        slot_id=slot_id,
    )


def outcome_of(
    kind: CommandKind, state: State, published: list[Publish], result: VenueOutcome, order: Order | None
) -> KernelOutcome:
    """Put an outcome together from what was published since the command, in one moment's state."""
    first = published[0]
    diagnostic, detail = first.diagnostic, first.detail
    accepted = diagnostic is Diagnostic.OK and result in (V.NONE, *_ACCEPTED)
    if result is not V.NONE:
        diagnostic, detail = _diagnose(kind, result, published, order)
    slot = state.slots.get(first.slot_id)
    return KernelOutcome(
        accepted=accepted,
        diagnostic=diagnostic,
        detail=detail,
        kernel_phase=first.diagnostic,
        venue_outcome=result,
        slot_id=first.slot_id,
        state=slot.stage if slot else Stage.IDLE,
        version=slot.version if slot else 0,
        cid=first.cid,
        transitions=tuple(transition for item in published for transition in item.transitions),
        events=tuple(published),
        failed_events=tuple(item for item in published if item.diagnostic is Diagnostic.EVENT_FAILED),
    )


def _diagnose(
    kind: CommandKind, result: VenueOutcome, published: list[Publish], order: Order | None
) -> tuple[Diagnostic, str]:
    first, last = published[0], published[-1]
    if result is V.REJECTED:
        refusals = [item for item in published if item.diagnostic in _REFUSALS]
        if refusals:
            return refusals[-1].diagnostic, refusals[-1].detail
        return (Diagnostic.ORDER_REJECTED if kind is CommandKind.ENTER else Diagnostic.EXIT_REJECTED), last.detail
    if result is V.UNKNOWN and kind is CommandKind.CANCEL:
        return Diagnostic.CANCEL_UNKNOWN, "asking what became of the cancel"
    if result is V.UNKNOWN and kind is CommandKind.MODIFY:
        return Diagnostic.MODIFY_UNKNOWN, "asking what became of the change"
    if result is V.UNKNOWN:
        return Diagnostic.SUBMIT_UNKNOWN, "asking what became of the order"
    if result is V.NOT_CANCELLED and order is not None and order.is_final:
        return Diagnostic.ORDER_ALREADY_FINAL, f"{order.cum_lots:,} of {order.lots:,} lots were filled"
    return _DIAGNOSTICS[result], first.detail


_REFUSALS = frozenset({Diagnostic.ORDER_REJECTED, Diagnostic.EXIT_REJECTED, Diagnostic.RATE_LIMITED})
