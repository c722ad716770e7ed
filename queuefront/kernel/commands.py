"""Commands: validated, checked against the table and the limits, then turned into an order, a cancel or a question.

A refused command changes nothing but the counters, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from queuefront.kernel.account import pool_change, post, put_valued, refresh_exposure
from queuefront.kernel.codes import HEALTH, LEDGER, ROLE, STAGE, TYPE, C, D, Q
from queuefront.kernel.enums import Diagnostic
from queuefront.kernel.fsm import advance, find_row, move, refresh_health, request_cancel
from queuefront.kernel.legs import Leg, least_lots, next_leg
from queuefront.kernel.limits import check_entry, check_modify, check_price, take_rate
from queuefront.kernel.notional import worst_value
from queuefront.kernel.records import Cancel, Control, Enter, Exit, Modify, Reconcile
from queuefront.kernel.resolve import ask_order, request_snapshot
from queuefront.kernel.state import Draft, Order, Slot
from queuefront.venues import ModifyOrder, PlaceOrder

__all__ = [
    "ask_about",
    "cancel_everything",
    "client_order_id",
    "is_invalid_price",
    "on_cancel",
    "on_control",
    "on_enter",
    "on_exit",
    "on_modify",
    "on_reconcile",
    "order_key",
    "remember",
]


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
COUNT_MAX = 2**53
_NO_LEGS = ((0, 0),)


def client_order_id(lease: str, key: int) -> str:
    """Return the client order id of the order that input `key` made: lease and journal sequence, so never used twice."""
    digits = ""
    while key:
        key, digit = divmod(key, 36)
        digits = _DIGITS[digit] + digits
    return f"{lease}-{digits or '0'}"


def order_key(lease: str, cid: str) -> int | None:
    """Return the key of a client order id of ours, None for anybody else's. Venues may change the case of letters."""
    head, dash, digits = cid.lower().rpartition("-")
    if head != lease or not dash or not digits.isalnum() or not digits.isascii():
        return None
    return int(digits, 36)


# --- gates ------------------------------------------------------------------------------------------------------------
def _is_closed_to(draft: Draft, command: Enter | Exit | Modify) -> bool:
    """Answer what holds for every order, whatever its slot: halted, recovering, used ids, slot numbers."""
    if draft.halted:
        draft.answer(D.HALTED, f"halted: {draft.halted}; look at the evidence, then start from a journal that verifies")
    elif draft.recovering:
        draft.answer(D.RECOVERING, "orders of before the restart are still being asked about")
    elif command.slot_id not in draft.slots:
        draft.answer(D.SLOT_OUT_OF_RANGE, f"slot {command.slot_id} of {len(draft.slots)}")
    elif command.intent_id in draft.intents:
        draft.answer(D.DUPLICATE_INTENT, f"intent {command.intent_id!r} was accepted before")
    else:
        return False
    return True


def _refuse_unhealthy(draft: Draft, slot: Slot) -> bool:
    if slot.health is HEALTH.QUARANTINED:
        why = slot.quarantine or D.DRIFT.name
        draft.answer(
            D.SLOT_QUARANTINED, f"slot {slot.slot_id} is quarantined for {why}; RECONCILE after looking at the venue"
        )
    elif slot.unsettled and slot.health is HEALTH.OK:
        draft.answer(D.PRICE_PENDING, f"slot {slot.slot_id} waits for the price of a fill")
    elif slot.health is HEALTH.UNCERTAIN:
        for key in slot.doubts:
            ask_order(draft, draft.orders[key], draft.now)
        draft.answer(D.SLOT_UNCERTAIN, f"slot {slot.slot_id} waits for the venue's answer")
    else:
        return False
    return True


def _invalid(draft: Draft, field: str, text: str) -> bool:
    draft.answer(D.INVALID_INTENT, f"{field}: {text}")
    return True


def is_invalid_price(draft: Draft, command: Enter | Exit) -> bool:
    """Answer for prices that no order can have, and return whether there was one."""
    if not 0 < command.reference_tick <= COUNT_MAX:
        return _invalid(draft, "reference_price", "must be positive")
    if command.order_type is TYPE.LIMIT and not 0 < command.limit_tick <= COUNT_MAX:
        return _invalid(draft, "limit_price", "a LIMIT order needs a positive price")
    if command.order_type is TYPE.MARKET and command.limit_tick:
        return _invalid(draft, "limit_price", "a MARKET order has none")
    if command.order_type is TYPE.MARKET and command.post_only:
        return _invalid(draft, "post_only", "a MARKET order takes")
    return False


def _is_invalid_entry(draft: Draft, command: Enter) -> bool:
    spec = draft.specs.get(command.instrument)
    if spec is None or spec.unit <= 0:
        draft.answer(D.UNKNOWN_INSTRUMENT, f"instrument {command.instrument!r} is not one of this kernel's")
        return True
    if not command.intent_id:
        return _invalid(draft, "intent_id", "must not be empty")
    if not command.trade_id:
        return _invalid(draft, "trade_id", "must not be empty")
    if is_invalid_price(draft, command):
        return True
    if not 1 <= command.leverage <= spec.max_leverage:
        return _invalid(draft, "leverage", f"{command.leverage} is outside 1 … {spec.max_leverage}")
    least = least_lots(spec, command.limit_tick or command.reference_tick)
    if not least <= command.lots <= COUNT_MAX:
        return _invalid(draft, "target_size", f"{command.lots:,} lots; the venue takes {least:,} or more")
    for numerator, denominator in command.exit_legs or _NO_LEGS:
        if not 0 < numerator <= denominator:
            return _invalid(draft, "exit_leg_ratios", "each must be above 0 and at most 1")
    return False


# --- ENTER ------------------------------------------------------------------------------------------------------------
def on_enter(draft: Draft, command: Enter) -> None:
    """Open a trade in a free slot (rows 1 to 4, 44, 45)."""
    draft.slot_id = command.slot_id
    if _is_closed_to(draft, command) or _is_invalid_entry(draft, command):
        return
    slot = draft.slots[command.slot_id]
    row = find_row(draft, slot, C.ENTER, None, command.trade_id)
    if row.to is None and row.diagnostic is not D.SLOT_UNCERTAIN:
        draft.answer(row.diagnostic, f"slot {slot.slot_id} holds trade {slot.trade_id!r} in {slot.stage.name}")
        return
    if row.to is None and _refuse_unhealthy(draft, slot):
        return
    if command.slot_version is not None and command.slot_version != slot.version:
        draft.answer(D.STALE_SLOT, f"slot {slot.slot_id} has version {slot.version}, the intent {command.slot_version}")
    elif command.trade_id in draft.trades:
        draft.answer(D.DUPLICATE_TRADE, f"trade {command.trade_id!r} was used before")
    elif not draft.entries_enabled:
        draft.answer(D.ENTRIES_DISABLED, "entries are switched off")
    elif blocked := draft.holding(command.instrument).blocked:
        draft.answer(D.INSTRUMENT_BLOCKED, f"{command.instrument} is blocked: {blocked}; unblock it by Control")
    elif refusal := _refuse_by_limits(draft, command):
        draft.answer(*refusal)
    else:
        _open(draft, slot, command)


def _refuse_by_limits(draft: Draft, command: Enter) -> tuple[Diagnostic, str] | None:
    added = worst_value(draft.specs[command.instrument], command.lots, command.limit_tick, command.reference_tick)
    refusal = check_price(draft, command.instrument, command.limit_tick, command.reference_tick)
    refusal = refusal or check_entry(draft, added, command.leverage)
    version = draft.books[draft.config.currency].version
    is_stale = command.account_version is not None and command.account_version != version
    if refusal and is_stale:
        return D.STALE_ACCOUNT, f"decided on account version {command.account_version}, now {version}: {refusal[1]}"
    return refusal


def _open(draft: Draft, slot: Slot, command: Enter) -> None:
    order = Order(
        draft.seq,
        client_order_id(draft.config.lease, draft.seq),
        slot.slot_id,
        command.trade_id,
        command.intent_id,
        command.decision_id,
        instrument=command.instrument,
        side=command.side,
        role=ROLE.ENTRY,
        leg_index=0,
        order_type=command.order_type,
        limit_tick=command.limit_tick,
        reference_tick=command.reference_tick,
        lots=command.lots,
        leverage=command.leverage,
        time_in_force=command.time_in_force,
        post_only=command.post_only,
        created_ns=draft.now,
    )
    remember(draft, command.intent_id, command.trade_id, slot.slot_id)
    draft.exposure -= slot.exposure
    draft.margin -= slot.margin
    fresh = Slot(
        slot_id=slot.slot_id,
        stage=slot.stage,
        trade_id=command.trade_id,
        decision_id=command.decision_id,
        intent_id=command.intent_id,
        instrument=command.instrument,
        side=command.side,
        leverage=command.leverage,
        exit_legs=command.exit_legs,
        entry_order=order.key,
        active_order=order.key,
        opened_ns=draft.now,
    )
    _place(draft, order)
    slot = advance_free(draft, draft.put_slot(fresh))
    refresh_exposure(draft, slot)


def advance_free(draft: Draft, slot: Slot) -> Slot:
    """Take a slot that was found free to ORDER_REQUESTED; it holds its order by now: no guard is asked again."""
    draft.answer(D.OK)
    return move(draft, slot, STAGE.ORDER_REQUESTED)


def _place(draft: Draft, order: Order) -> None:
    draft.cid = order.cid
    draft.put_order(order)
    draft.effects.append(
        PlaceOrder(
            cid=order.cid,
            trade_id=order.trade_id,
            slot_id=order.slot_id,
            role=order.role,
            instrument=order.instrument,
            is_buy=order.is_buy,
            lots=order.lots,
            order_type=order.order_type,
            price_tick=order.limit_tick,
            time_in_force=order.time_in_force,
            reduce_only=order.reduce_only,
            post_only=order.post_only,
            leverage=order.leverage,
        )
    )


def remember(draft: Draft, intent_id: str, trade_id: str = "", slot_id: int = -1) -> None:
    """Keep used ids, so that a repeated command is known as one."""
    capacity = draft.config.trade_count
    if intent_id:
        draft.intents = draft.intents.add(intent_id, draft.seq, capacity)
    if trade_id:
        draft.trades = draft.trades.add(trade_id, slot_id, capacity)


# --- EXIT -------------------------------------------------------------------------------------------------------------
def on_exit(draft: Draft, command: Exit) -> None:
    """Close the next leg (rows 21, 29 to 31, 44, 45). The size is computed here, from what the slot holds now (E4)."""
    draft.slot_id = command.slot_id
    if _is_closed_to(draft, command):
        return
    slot = draft.slots[command.slot_id]
    row = find_row(draft, slot, C.EXIT) if slot.instrument else None
    if row is None or row.to is None:
        diagnostic = row.diagnostic if row else D.NO_OPEN_POSITION
        draft.answer(diagnostic, f"slot {slot.slot_id} is in {slot.stage.name}")
        return
    if _refuse_unhealthy(draft, slot) or is_invalid_price(draft, command):
        return
    if not command.intent_id:
        _invalid(draft, "intent_id", "must not be empty")
    elif command.slot_version is not None and command.slot_version != slot.version:
        draft.answer(D.STALE_SLOT, f"slot {slot.slot_id} has version {slot.version}, the intent {command.slot_version}")
    elif not draft.exits_enabled:
        draft.answer(D.EXITS_DISABLED, "exits are switched off")
    elif refusal := check_price(draft, slot.instrument, command.limit_tick, command.reference_tick):
        draft.answer(*refusal)
    elif row.to is STAGE.CLOSED:
        remember(draft, command.intent_id)
        _close_dust(draft, slot)
    else:
        _leave(draft, slot, command)


def _leave(draft: Draft, slot: Slot, command: Exit) -> None:
    spec = draft.specs[slot.instrument]
    leg = next_leg(slot, spec, command.lots, command.reference_tick)
    if leg.lots < spec.min_lots:
        _invalid(draft, "target_size", f"{leg.lots:,} lots; the venue takes {spec.min_lots:,} or more")
        return
    take_rate(draft, is_forced=True)
    remember(draft, command.intent_id)
    order = _exit_order(draft, slot, command, leg)
    _place(draft, order)
    slot = draft.put_slot(replace(slot, active_order=order.key, leg_index=leg.number, leg_intended=leg.intended))
    slot = advance(draft, slot, C.EXIT)
    draft.answer(D.OK, f"leg {leg.number + 1}: {leg.lots:,} lots" + _requested(command))


def _requested(command: Exit) -> str:
    return "" if command.lots is None else f" of {command.lots:,} requested"


def _exit_order(draft: Draft, slot: Slot, command: Exit, leg: Leg) -> Order:
    return Order(
        draft.seq,
        client_order_id(draft.config.lease, draft.seq),
        slot.slot_id,
        slot.trade_id,
        command.intent_id,
        command.decision_id,
        instrument=slot.instrument,
        side=slot.side,
        role=ROLE.EXIT,
        leg_index=leg.number,
        order_type=command.order_type,
        limit_tick=command.limit_tick,
        reference_tick=command.reference_tick,
        lots=leg.lots,
        leverage=slot.leverage,
        time_in_force=command.time_in_force,
        reduce_only=command.reduce_only,
        post_only=command.post_only,
        created_ns=draft.now,
    )


def _close_dust(draft: Draft, slot: Slot) -> None:
    """Close a trade whose rest the venue does not trade; the rest stays ours, at cost, outside of the slots."""
    holding = draft.holding(slot.instrument)
    sign = slot.side.sign
    cost = slot.cost
    change = pool_change(holding, sign * slot.size, slot.cost)
    put_valued(
        draft,
        replace(
            holding,
            long_lots=holding.long_lots - (slot.size if sign > 0 else 0),
            short_lots=holding.short_lots - (slot.size if sign < 0 else 0),
            orphan_lots=holding.orphan_lots + sign * slot.size,
            orphan_cost=holding.orphan_cost + change,
            net_cost=holding.net_cost - slot.cost,
            net_cost_lots=holding.net_cost_lots - sign * slot.cost_lots,
        ),
    )
    slot = draft.put_slot(
        replace(
            slot,
            exit_lots=slot.exit_lots + slot.size,
            size=0,
            # What is given away at cost is no part of an inverse trade's exact profit any more.
            entry_notional=slot.entry_notional - slot.held_notional,
            held_notional=0,
            cost=0,
            cost_lots=0,
            close_reason="DUST",
        )
    )
    if rest := change - cost:
        post(draft, LEDGER.ADJUST, slot, draft.cause_id, Q.REPORTED, position=rest, realized=rest)
    slot = move(draft, slot, STAGE.CLOSED)
    refresh_exposure(draft, slot)
    draft.answer(D.OK, "DUST: the rest is below what the venue trades")


# --- CANCEL and MODIFY ------------------------------------------------------------------------------------------------
def on_cancel(draft: Draft, command: Cancel) -> None:
    """Ask the venue to cancel a slot's order (rows 32 to 35); allowed in any health, and in a halted kernel."""
    draft.slot_id = command.slot_id
    if draft.recovering:
        draft.answer(D.RECOVERING, "orders of before the restart are still being asked about")
        return
    slot = draft.slots.get(command.slot_id)
    if slot is None:
        draft.answer(D.SLOT_OUT_OF_RANGE, f"slot {command.slot_id} of {len(draft.slots)}")
        return
    order = draft.orders.get(slot.active_order)
    row = find_row(draft, slot, C.CANCEL, order)
    if command.role is ROLE.EXIT and (order is None or order.role is not ROLE.EXIT):
        draft.answer(D.NO_ACTIVE_EXIT_ORDER, f"slot {slot.slot_id} has no exit order in {slot.stage.name}")
    elif command.role is ROLE.ENTRY and (order is None or order.role is not ROLE.ENTRY):
        last = draft.orders.get(slot.entry_order)
        is_over = last is not None and last.is_final
        draft.answer(
            D.ORDER_ALREADY_FINAL if is_over else D.NO_ACTIVE_ORDER, f"slot {slot.slot_id} is in {slot.stage.name}"
        )
    elif row.diagnostic is not D.OK or order is None:
        draft.answer(row.diagnostic, f"slot {slot.slot_id} is in {slot.stage.name}")
    else:
        draft.cid = order.cid
        request_cancel(draft, order)
        draft.put_slot(slot)


def on_modify(draft: Draft, command: Modify) -> None:
    """Ask the venue to change a resting order's limit or quantity (rows 48 to 51)."""
    draft.slot_id = command.slot_id
    if _is_closed_to(draft, command):
        return
    slot = draft.slots[command.slot_id]
    order = draft.orders.get(slot.active_order)
    row = find_row(draft, slot, C.MODIFY, order)
    if row.diagnostic is not D.OK or order is None:
        draft.answer(row.diagnostic, f"slot {slot.slot_id} is in {slot.stage.name}")
        return
    if _refuse_unhealthy(draft, slot):
        return
    lots = order.lots if command.lots is None else command.lots
    tick = order.limit_tick if command.limit_tick is None else command.limit_tick
    if not _is_invalid_change(draft, slot, order, command, lots, tick):
        _change(draft, slot, order, command, lots, tick)


def _is_invalid_change(draft: Draft, slot: Slot, order: Order, command: Modify, lots: int, tick: int) -> bool:
    if order.order_type is not TYPE.LIMIT:
        return _invalid(draft, "limit_price", "a MARKET order has nothing to change")
    if not 0 < tick <= COUNT_MAX:
        return _invalid(draft, "limit_price", "must be positive")
    if not 0 < command.reference_tick <= COUNT_MAX:
        return _invalid(draft, "reference_price", "must be positive")
    most = COUNT_MAX if order.role is ROLE.ENTRY else order.cum_lots + slot.size
    least = max(order.cum_lots + 1, draft.specs[slot.instrument].min_lots)
    if not least <= lots <= most:
        return _invalid(draft, "target_size", f"{lots:,} lots; between {least:,} and {most:,} are possible")
    if (lots, tick) == (order.lots, order.limit_tick):
        return _invalid(draft, "target_size", "nothing would change")
    return False


def _change(draft: Draft, slot: Slot, order: Order, command: Modify, lots: int, tick: int) -> None:
    refusal = check_price(draft, slot.instrument, tick, command.reference_tick)
    if refusal is None and order.role is ROLE.ENTRY:
        spec, ticks = draft.specs[slot.instrument], (order.limit_tick, order.reference_tick)
        before = worst_value(spec, order.lots - order.cum_lots, *ticks)
        after = worst_value(spec, max(lots, order.lots) - order.cum_lots, tick, *ticks)
        refusal = check_modify(draft, after - before, slot.leverage)
    elif refusal is None:
        take_rate(draft, is_forced=True)
    if refusal:
        draft.answer(*refusal)
        return
    remember(draft, command.intent_id)
    draft.cid = order.cid
    draft.put_order(replace(order, modify_lots=lots, modify_tick=tick, modify_sightings=0))
    draft.effects.append(ModifyOrder(order.cid, order.venue_order_id, order.instrument, lots, tick))
    refresh_exposure(draft, draft.put_slot(slot))


# --- RECONCILE and CONTROL --------------------------------------------------------------------------------------------
def on_reconcile(draft: Draft, command: Reconcile) -> None:
    """Ask about every live order of the slots, and for a snapshot (row 46)."""
    bad = [slot_id for slot_id in command.slot_ids if slot_id not in draft.slots]
    chosen = set(command.slot_ids) - set(bad)
    ask_about(draft, (key for key in sorted(draft.live) if not command.slot_ids or draft.live[key] in chosen))
    for slot_id in sorted(chosen) if command.slot_ids else range(len(draft.slots)):
        slot = draft.slots[slot_id]
        if slot.quarantine:
            draft.put_slot(replace(slot, quarantine="", drifted=True))
    draft.snapshot_sent_ns = 0
    request_snapshot(draft, command.reason or "command")
    if bad:
        draft.answer(D.SLOT_OUT_OF_RANGE, f"slots {', '.join(map(str, sorted(bad)))} of {len(draft.slots)}")


def ask_about(draft: Draft, keys: Iterable[int]) -> None:
    """Doubt orders from now on."""
    for key in keys:
        order = draft.orders[key]
        slot = ask_order(draft, order, draft.now)
        refresh_health(draft, slot)


def on_control(draft: Draft, command: Control) -> None:
    """Change what is allowed, with author and reason."""
    draft.control_version += 1
    if command.entries_enabled is not None:
        draft.entries_enabled = command.entries_enabled
    if command.exits_enabled is not None:
        draft.exits_enabled = command.exits_enabled
    if command.limits is not None:
        draft.limits = command.limits
    for name in command.unblock:
        draft.put_holding(replace(draft.holding(name), blocked="", mismatches=0))
    if command.cancel_all:
        cancel_everything(draft)


def cancel_everything(draft: Draft) -> None:
    """Ask the venue to cancel whatever may rest."""
    for key in sorted(draft.live):
        order = draft.orders[key]
        request_cancel(draft, order)
        slot = draft.slots[order.slot_id]
        if slot.active_order == key:
            draft.put_slot(slot)
