"""Lots at the venue that no slot owns, and the command that settles them, in somebody's name and with a reason.

Two kinds. *Orphans* are fills of our own orders whose slot had gone on, overfills, dust, liquidations beyond what slots
held: the kernel booked them, so it knows their cost. *Drift* is what the venue holds beyond all that, by its last snapshot:
somebody traded by hand. Neither is ever patched by itself (F19). SETTLE says what is to become of some lots:

- ADOPT puts them into a free slot, as a trade that exits like any other; CLOSE does so and sends a reduce-only exit at
  once. Orphans come at their cost. Drift has none, so the command states the price (`tick`) that it is to be held at.
- BOOK takes orphans off the books that the venue no longer holds, because somebody closed them there, at a stated price.

Each is one input in the journal and one ADJUST entry in the ledger, which name the command. Orphans of an instrument are
one pool at average cost: a fill against the pool closes a part of it and books the profit.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from queuefront.kernel.account import count_position, post, put_valued, refresh_exposure
from queuefront.kernel.codes import ACTION, LEDGER, STAGE, C, D, Q
from queuefront.kernel.commands import COUNT_MAX, is_invalid_price, on_exit, remember
from queuefront.kernel.enums import Diagnostic
from queuefront.kernel.fsm import find_row, move
from queuefront.kernel.legs import least_lots
from queuefront.kernel.limits import check_price
from queuefront.kernel.notional import Amount, Ratio, amount_of, cash_value
from queuefront.kernel.records import Exit, Settle, Spec
from queuefront.kernel.resolve import request_snapshot
from queuefront.kernel.state import Draft, Holding, Slot

__all__ = ["on_settle"]

Refusal = tuple[Diagnostic, str]


def on_settle(draft: Draft, command: Settle) -> None:
    """Settle lots that no slot owns (row 55)."""
    draft.slot_id = command.slot_id
    refusal = _refuse(draft, command) or (
        _refuse_booking(draft, command) if command.action is ACTION.BOOK else _refuse_adoption(draft, command)
    )
    if refusal:
        draft.answer(*refusal)
        return
    if command.action is ACTION.BOOK:
        remember(draft, command.intent_id)
        _book(draft, command)
    else:
        _adopt(draft, command)
    _unblock(draft, command.instrument)
    draft.snapshot_sent_ns = 0
    request_snapshot(draft, "settled")


# --- gates ------------------------------------------------------------------------------------------------------------
def _refuse(draft: Draft, command: Settle) -> Refusal | None:
    if draft.halted:
        return D.HALTED, f"halted: {draft.halted}; look at the evidence, then start from a journal that verifies"
    if draft.recovering:
        return D.RECOVERING, "orders of before the restart are still being asked about"
    if command.intent_id in draft.intents:
        return D.DUPLICATE_INTENT, f"intent {command.intent_id!r} was accepted before"
    for field in ("intent_id", "author", "reason"):
        if not getattr(command, field):
            return D.INVALID_INTENT, f"{field}: must not be empty"
    if command.instrument not in draft.specs:
        return D.UNKNOWN_INSTRUMENT, f"instrument {command.instrument!r} is not one of this kernel's"
    if not 0 <= command.tick <= COUNT_MAX:
        return D.INVALID_INTENT, "price: must be positive, or left out for orphans, whose cost is known"
    return None


def _orphans(draft: Draft, command: Settle) -> int:
    return max(draft.holding(command.instrument).orphan_lots * command.side.sign, 0)


def _drift(draft: Draft, command: Settle, sign: int) -> int:
    holding = draft.holding(command.instrument)
    return max(holding.drift_lots * sign, 0) if holding.blocked.startswith("drift") else 0


def _refuse_booking(draft: Draft, command: Settle) -> Refusal | None:
    holding, lots = draft.holding(command.instrument), command.lots
    if not lots and not holding.orphan_lots and holding.orphan_cost:
        return None
    if not 0 < lots <= _orphans(draft, command):
        return D.INVALID_INTENT, f"target_size: {lots:,} lots; {_orphans(draft, command):,} orphans are booked on this side"
    if lots > (gone := _drift(draft, command, -command.side.sign)):
        return D.INVALID_INTENT, f"target_size: {lots:,} lots; the venue still holds all but {gone:,}: ADOPT or CLOSE them"
    if not command.tick:
        return D.INVALID_INTENT, "price: state at which price they were closed"
    return None


def _refuse_adoption(draft: Draft, command: Settle) -> Refusal | None:
    if command.slot_id not in draft.slots:
        return D.SLOT_OUT_OF_RANGE, f"slot {command.slot_id} of {len(draft.slots)}"
    slot, spec = draft.slots[command.slot_id], draft.specs[command.instrument]
    row = find_row(draft, slot, C.SETTLE)
    if row.to is None:
        return row.diagnostic, f"slot {slot.slot_id} holds trade {slot.trade_id!r} in {slot.stage.name}"
    if not command.trade_id:
        return D.INVALID_INTENT, "trade_id: must not be empty"
    if command.trade_id in draft.trades:
        return D.DUPLICATE_TRADE, f"trade {command.trade_id!r} was used before"
    if not 1 <= command.leverage <= spec.max_leverage:
        return D.INVALID_INTENT, f"leverage: {command.leverage} is outside 1 … {spec.max_leverage}"
    if not command.exit_legs or any(not 0 < n <= d for n, d in command.exit_legs):
        return D.INVALID_INTENT, "exit_leg_ratios: each must be above 0 and at most 1"
    found = _drift(draft, command, command.side.sign) if command.tick else _orphans(draft, command)
    if not 0 < command.lots <= found:
        what = "are drift by the last snapshot" if command.tick else "orphans are booked"
        return D.INVALID_INTENT, f"target_size: {command.lots:,} lots; {found:,} {what} on this side"
    return _refuse_closing(draft, command, spec) if command.action is ACTION.CLOSE else None


def _refuse_closing(draft: Draft, command: Settle, spec: Spec) -> Refusal | None:
    exit_command = _exit_of(command)
    if not draft.exits_enabled:
        return D.EXITS_DISABLED, "exits are switched off"
    if is_invalid_price(draft, exit_command):
        return draft.diagnostic, draft.detail
    if command.lots < (least := least_lots(spec, command.limit_tick or command.reference_tick)):
        return D.INVALID_INTENT, f"target_size: {command.lots:,} lots; the venue takes {least:,} or more"
    return check_price(draft, command.instrument, command.limit_tick, command.reference_tick)


# --- what becomes of them ---------------------------------------------------------------------------------------------
def _exit_of(command: Settle) -> Exit:
    return Exit(
        ts=command.ts,
        intent_id=command.intent_id,
        slot_id=command.slot_id,
        reference_tick=command.reference_tick,
        order_type=command.order_type,
        limit_tick=command.limit_tick,
        reason=command.reason,
    )


def _adopt(draft: Draft, command: Settle) -> None:
    spec, sign = draft.specs[command.instrument], command.side.sign
    before = draft.slots[command.slot_id]
    draft.exposure -= before.exposure
    draft.margin -= before.margin
    slot = Slot(
        slot_id=before.slot_id,
        stage=before.stage,
        trade_id=command.trade_id,
        intent_id=command.intent_id,
        instrument=command.instrument,
        side=command.side,
        leverage=command.leverage,
        initial_lots=command.lots,
        size=command.lots,
        exit_legs=command.exit_legs,
        opened_ns=draft.now,
    )
    if command.tick:
        notional = amount_of(spec, command.tick, command.lots)
        cost = cash_value(spec, notional) * sign
        post(draft, LEDGER.ADJUST, slot, draft.cause_id, Q.REPORTED, cash=-cost, position=cost)
        _shrink_drift(draft, command.instrument, command.lots * sign)
    else:
        share = _take(draft, command.instrument, command.lots * sign)
        notional, cost = _basis(spec, share, sign)
        # What is no whole number of ticks × lots, or of the wrong sign, is profit or loss by now.
        rest = cost - share
        post(draft, LEDGER.ADJUST, slot, draft.cause_id, Q.REPORTED, position=rest, realized=rest)
    slot = replace(slot, entry_notional=notional, entry_priced_lots=command.lots, cost=cost, cost_lots=command.lots)
    slot = replace(slot, held_notional=notional, realized_gross=0) if spec.is_inverse else slot
    remember(draft, "", command.trade_id, slot.slot_id)
    count_position(draft, slot.instrument, slot.side, command.lots)
    holding = draft.holding(slot.instrument)
    lots = holding.net_cost_lots + command.lots * sign
    put_valued(draft, replace(holding, net_cost=holding.net_cost + cost, net_cost_lots=lots))
    slot = refresh_exposure(draft, move(draft, draft.put_slot(slot), STAGE.POSITION_OPEN))
    draft.answer(D.OK, f"{command.lots:,} lots adopted at a cost of {cost:,} cash units")
    if command.action is ACTION.CLOSE:
        on_exit(draft, _exit_of(command))
    else:
        remember(draft, command.intent_id)


def _basis(spec: Spec, share: int, sign: int) -> tuple[Amount, int]:
    """Return (sum over fills, cost) that a position of this cost stands at."""
    if spec.is_inverse:
        exact = max(Fraction(-sign * share, spec.unit), Fraction(0))
        notional: Amount = Ratio(exact.numerator, exact.denominator)
    else:
        notional = max(sign * share // spec.unit, 0)
    return notional, cash_value(spec, notional) * sign


def _take(draft: Draft, instrument: str, signed_lots: int) -> int:
    """Take lots out of the pool of orphans and return their share of its cost."""
    holding = draft.holding(instrument)
    share = holding.orphan_cost * signed_lots // holding.orphan_lots
    draft.put_holding(
        replace(holding, orphan_lots=holding.orphan_lots - signed_lots, orphan_cost=holding.orphan_cost - share)
    )
    return share


def _book(draft: Draft, command: Settle) -> None:
    spec, signed_lots = draft.specs[command.instrument], command.lots * command.side.sign
    if signed_lots:
        share = _take(draft, command.instrument, signed_lots)
        _shrink_drift(draft, command.instrument, -signed_lots)
        value = cash_value(spec, amount_of(spec, command.tick, command.lots)) * command.side.sign
    else:
        # Nothing is held; what corrections left at cost is profit or loss.
        holding = draft.holding(command.instrument)
        share, value = holding.orphan_cost, 0
        draft.put_holding(replace(holding, orphan_cost=0))
    trade_id = command.trade_id
    post(draft, LEDGER.ADJUST, None, draft.cause_id, Q.REPORTED, trade_id=trade_id, cash=value,
         position=-share, realized=value - share)  # fmt: skip
    draft.answer(D.OK, f"{command.lots:,} lots booked with a profit of {value - share:,} cash units")


def _shrink_drift(draft: Draft, instrument: str, signed_lots: int) -> None:
    holding = draft.holding(instrument)
    draft.put_holding(replace(holding, drift_lots=holding.drift_lots - signed_lots))


def _unblock(draft: Draft, instrument: str) -> None:
    """Let entries through again where orphans were the reason and none is left; drift ends when a snapshot agrees."""
    holding: Holding = draft.holding(instrument)
    if holding.blocked and not holding.orphan_lots and not holding.blocked.startswith("drift"):
        draft.put_holding(replace(holding, blocked=""))
