"""`step`: one input, the next state, and what has to be done about it. Pure: no clock, no I/O, no randomness, no floats.

Everything an input does is prepared in a draft. It becomes the next state only if the books balance and the slots that it
touched obey the invariants. Otherwise the input's changes are dropped, the kernel halts in the state before, cancels what
rests and says why: a wrong book is worse than a stopped one. A halted kernel goes on applying what the venue says, so that
it knows what became of its orders, and takes no command but CANCEL, RECONCILE and control.
"""

from __future__ import annotations

from typing import Any, Final

from queuefront.kernel.audit import audit_step
from queuefront.kernel.codes import D, E
from queuefront.kernel.commands import cancel_everything, on_cancel, on_control, on_enter, on_exit, on_modify, on_reconcile
from queuefront.kernel.events import on_order_event
from queuefront.kernel.limits import roll_day
from queuefront.kernel.money_events import on_drift, on_funding, on_liquidation, on_mark
from queuefront.kernel.orphans import on_settle
from queuefront.kernel.reconcile import (
    end_recovery,
    on_event_failed,
    on_recover,
    on_snapshot,
    on_snapshot_failed,
    on_tick,
)
from queuefront.kernel.records import (
    Alarm,
    Cancel,
    Control,
    Effect,
    Enter,
    EventFailed,
    Exit,
    Input,
    Mark,
    Modify,
    Publish,
    Reconcile,
    Recover,
    Settle,
    SnapshotFailed,
    Tick,
)
from queuefront.kernel.state import Draft, State
from queuefront.venues import ORDER_KINDS, EventKind, VenueEvent, VenueSnapshot

__all__ = ["step"]

DAY_NS: Final = 86_400 * 10**9
_EVENT_NAMES: Final = {kind: kind.name for kind in EventKind}


def step(state: State, entry: Input) -> tuple[State, tuple[Effect, ...]]:
    """Return the state after one input, and its effects, of which exactly one is a Publish.

    Raises nothing on purpose; whoever calls it parks an input for which it raises (`EventFailed`).
    """
    draft = _prepare(state, entry)
    after = draft.finish()
    breach = draft.halt_reason or audit_step(state, after, draft.touched, draft.entries)
    if breach and not state.halted:
        return _halt(state, entry, breach)
    return after, (*draft.effects, _publish(draft, type(entry).__name__))


def _prepare(state: State, entry: Input) -> Draft:
    cause = _cause(entry)
    draft = Draft.of(state, entry.ts, *cause)
    if draft.now // DAY_NS != draft.day:
        roll_day(draft)
    _HANDLERS[type(entry)](draft, entry)
    if draft.recovering:
        end_recovery(draft)
    return draft


def _cause(entry: Input) -> tuple[str, str]:
    """Name what caused a transition: never empty (F6)."""
    if isinstance(entry, VenueEvent):
        name = _EVENT_NAMES[entry.kind]
        return name, entry.event_id or f"{name}@{entry.ts}"
    name = _INPUT_NAMES[type(entry)]
    return name, getattr(entry, "intent_id", "") or f"{name}@{entry.ts}"


def _halt(state: State, entry: Input, breach: str) -> tuple[State, tuple[Effect, ...]]:
    draft = Draft.of(state, entry.ts, "HALT", f"HALT@{entry.ts}")
    draft.halted = breach
    draft.answer(D.HALTED, breach)
    draft.effects.append(Alarm(draft.seq, D.HALTED, f"{breach}; after input {draft.seq:,}: {entry!r}"))
    cancel_everything(draft)
    return draft.finish(), (*draft.effects, _publish(draft, type(entry).__name__))


def _publish(draft: Draft, input_kind: str) -> Publish:
    return Publish(
        seq=draft.seq,
        ts=draft.now,
        input_kind=input_kind,
        cause_id=draft.cause_id,
        diagnostic=draft.diagnostic,
        detail=draft.detail,
        slot_id=draft.slot_id,
        cid=draft.cid,
        slots=tuple(draft.touched) if len(draft.touched) == 1 else tuple(sorted(draft.touched)),
        transitions=tuple(draft.transitions),
        entries=tuple(draft.entries),
    )


def _event(draft: Draft, event: VenueEvent) -> None:
    kind = event.kind
    if kind in ORDER_KINDS:
        on_order_event(draft, event)
    elif kind is E.MARK_PRICE:
        on_mark(draft, event.instrument, event.price_tick or 0)
    elif kind is E.FUNDING:
        on_funding(draft, event)
    elif kind is E.LIQUIDATION:
        on_liquidation(draft, event)
    else:
        on_drift(draft, event.instrument, event.reason_text or "reported by the venue")


def _mark(draft: Draft, entry: Mark) -> None:
    on_mark(draft, entry.instrument, entry.tick)


def _tick(draft: Draft, _entry: Tick) -> None:
    on_tick(draft, _event)


_HANDLERS: Final[dict[type, Any]] = {
    Enter: on_enter,
    Exit: on_exit,
    Cancel: on_cancel,
    Modify: on_modify,
    Reconcile: on_reconcile,
    Control: on_control,
    Settle: on_settle,
    Mark: _mark,
    Tick: _tick,
    Recover: on_recover,
    SnapshotFailed: on_snapshot_failed,
    EventFailed: on_event_failed,
    VenueEvent: _event,
    VenueSnapshot: on_snapshot,
}

_INPUT_NAMES: Final = {kind: kind.__name__.upper() for kind in _HANDLERS}
