"""What an event fills: the increment of a cumulative total, its price, its fee, and what they do to slot and money.

Totals are cumulative and only their growth counts (E10b). The price of a growth is exact or it is unknown: the venue's sum
over all fills, else the last fill where it covers the growth. A rounded average, the order's own limit or the mark are
estimates; they are used, flagged, after `estimate_after` vain questions, and corrected when the venue answers.
"""

from __future__ import annotations

from msgspec.structs import replace

from queuefront.kernel.account import (
    Cause,
    count_position,
    estimate_fee,
    post,
    post_fee,
    post_orphan,
    settle,
    settle_fill,
    true_up_notional,
)
from queuefront.kernel.codes import LEDGER, ROLE, TYPE, D, E, Q
from queuefront.kernel.enums import PriceQuality
from queuefront.kernel.fsm import quarantine
from queuefront.kernel.notional import Amount, amount_of, cash_value, part_of, ratio_of, told_notional
from queuefront.kernel.records import Alarm, Spec
from queuefront.kernel.resolve import ask_fills, drop_fills_due, note_fee_missing
from queuefront.kernel.state import Draft, Order, Slot, Unsettled
from queuefront.venues import VenueEvent

__all__ = ["apply_fill", "apply_orphan", "apply_report", "estimate_pending", "estimated_tick"]


def price_of(spec: Spec, event: VenueEvent, order: Order, lots: int) -> Amount | None:
    """Return what the newest `lots` of an order add to its sum, None where the event does not say it exactly."""
    if event.last_lots == lots and event.last_tick is not None and event.last_tick > 0:
        return amount_of(spec, event.last_tick, lots)
    told = told_notional(spec, event)
    if told is not None and order.priced_lots == order.cum_lots and not order.estimated_lots:
        notional = told - order.notional
        return notional if ratio_of(notional) > 0 else None
    return None


def _fee_of(event: VenueEvent, lots: int) -> int | None:
    return event.fee if event.last_lots == lots else None


def apply_fill(draft: Draft, slot: Slot, order: Order, event: VenueEvent, lots: int) -> Slot:
    """Apply the newest `lots` of an order of this slot's trade: quantity now, money as far as it is known."""
    spec = draft.specs[order.instrument]
    notional = price_of(spec, event, order, lots)
    fee = _fee_of(event, lots)
    taken = lots if order.role is ROLE.ENTRY else min(lots, slot.size)
    excess = lots - taken
    if excess and not taken:
        slot = quarantine(draft, slot, D.OVERFILL, f"order {order.cid} filled {excess:,} lots when its slot held none")
        apply_orphan(draft, order, event, lots)
        return slot
    if excess:
        slot = quarantine(draft, slot, D.OVERFILL, f"order {order.cid} filled {excess:,} lots more than its slot held")
    order = draft.put_order(
        replace(
            order,
            cum_lots=order.cum_lots + lots,
            notional=order.notional + (notional or 0),
            priced_lots=order.priced_lots + (lots if notional is not None else 0),
        )
    )
    if excess and notional is not None:
        part = part_of(notional, excess, lots)
        _post_orphan(draft, order, excess, part, None, event.event_id, Q.REPORTED)
        notional = notional - part
    elif excess:
        part = amount_of(spec, estimated_tick(draft, order), excess)
        _post_orphan(draft, order, excess, part, None, event.event_id, Q.ESTIMATED)
        order = draft.put_order(
            replace(
                order,
                notional=order.notional + part,
                priced_lots=order.priced_lots + excess,
                estimated_lots=order.estimated_lots + excess,
            )
        )
    if taken:
        slot = _take(draft, slot, order, event, taken, notional, fee)
    if notional is None or fee is None:
        ask_fills(draft, draft.orders[order.key], draft.now + draft.config.first_query_ns)
    return slot


def _take(
    draft: Draft, slot: Slot, order: Order, event: VenueEvent, lots: int, notional: Amount | None, fee: int | None
) -> Slot:
    item = Unsettled(
        key=order.key,
        role=order.role,
        lots=lots,
        notional=notional,
        fee=fee,
        fee_asset=event.fee_asset,
        liquidity=event.liquidity,
        event_id=event.event_id or draft.cause_id,
        quality=Q.REPORTED if notional is not None else Q.PENDING,
        ts=event.exch_ts or draft.now,
    )
    changes: dict[str, object]
    if order.role is ROLE.ENTRY:
        moved = lots
        changes = {"size": slot.size + lots, "initial_lots": slot.initial_lots + lots}
    else:
        moved = -lots
        leg_filled = slot.leg_filled + (lots if order.key == slot.active_order else 0)
        changes = {"size": slot.size - lots, "exit_lots": slot.exit_lots + lots, "leg_filled": leg_filled}
    if notional is not None and not slot.unsettled:
        # The common case: nothing waits, so the fill need not queue up before it is settled.
        return settle_fill(draft, slot, item, notional, changes, moved=moved)
    count_position(draft, slot.instrument, slot.side, moved)
    return settle(draft, draft.put_slot(replace(slot, unsettled=(*slot.unsettled, item), **changes)))


# --- orphans ----------------------------------------------------------------------------------------------------------
def apply_orphan(draft: Draft, order: Order, event: VenueEvent, lots: int) -> None:
    """Book a fill whose trade is gone (row 38): the money moved, so the ledger says so; no slot is touched."""
    spec = draft.specs[order.instrument]
    notional = price_of(spec, event, order, lots)
    quality = Q.REPORTED
    if notional is None:
        notional, quality = amount_of(spec, estimated_tick(draft, order), lots), Q.ESTIMATED
    order = draft.put_order(
        replace(
            order,
            cum_lots=order.cum_lots + lots,
            notional=order.notional + notional,
            priced_lots=order.priced_lots + lots,
            estimated_lots=order.estimated_lots + (lots if quality is Q.ESTIMATED else 0),
        )
    )
    fee = _fee_of(event, lots)
    _post_orphan(draft, order, lots, notional, event, event.event_id, quality)
    if fee is None or quality is Q.ESTIMATED:
        ask_fills(draft, draft.orders[order.key], draft.now + draft.config.first_query_ns)
    holding = draft.holding(order.instrument)
    draft.put_holding(replace(holding, blocked=f"orphan fill of {order.cid}"))
    draft.effects.append(
        Alarm(
            draft.seq,
            D.ORPHAN_FILL,
            f"{lots:,} lots of {order.cid} (trade {order.trade_id!r}) filled after its slot was reused",
        )
    )


def _post_orphan(
    draft: Draft, order: Order, lots: int, notional: Amount, event: VenueEvent | None, event_id: str, quality: PriceQuality
) -> None:
    spec = draft.specs[order.instrument]
    value = cash_value(spec, notional) * order.sign
    event_id = event_id or draft.cause_id
    post_orphan(draft, order.instrument, lots * order.sign, value, Cause(event_id, quality), order.trade_id)
    if event is None:
        return
    fee = _fee_of(event, lots)
    fee_quality = Q.REPORTED if fee is not None else Q.ESTIMATED
    currency = event.fee_asset if fee is not None and event.fee_asset else spec.currency
    if fee is None:
        fee = estimate_fee(spec, notional, event.liquidity)
        order = draft.put_order(replace(order, fee_estimated_lots=order.fee_estimated_lots + lots))
    if fee:
        post(
            draft,
            LEDGER.FEE,
            None,
            event_id,
            fee_quality,
            currency=currency,
            trade_id=order.trade_id,
            cash=-fee,
            fees=fee,
        )
    if currency == spec.currency:
        draft.put_order(replace(order, fee=order.fee + fee))
    else:
        draft.put_order(replace(order, fee_foreign=order.fee_foreign + fee))


# --- exact figures that come later ------------------------------------------------------------------------------------
def apply_report(draft: Draft, order: Order, event: VenueEvent) -> None:
    """Take exact sums of an order's fills: price what waits, correct what was estimated, and the fee likewise."""
    if event.cum_lots != order.cum_lots:
        return
    slot = draft.slots[order.slot_id]
    is_current = slot.trade_id == order.trade_id
    told = told_notional(draft.specs[order.instrument], event)
    if told is not None:
        _true_up_price(draft, slot if is_current else None, order, told, event)
    order = draft.orders[order.key]
    slot = draft.slots[order.slot_id]
    is_waiting = is_current and any(item.key == order.key for item in slot.unsettled)
    if event.cum_fee is not None and not is_waiting:
        _true_up_fee(draft, slot if is_current else None, order, event, event.cum_fee)
    order = draft.orders[order.key]
    if is_waiting or order.priced_lots != order.cum_lots or order.estimated_lots:
        return
    if not order.fee_estimated_lots:
        drop_fills_due(draft, order)
    elif event.cum_fee is None and event.kind is E.FILL_REPORT and note_fee_missing(draft, order):
        draft.count("fee_left_estimated")


def _true_up_price(draft: Draft, slot: Slot | None, order: Order, cum_notional: Amount, event: VenueEvent) -> None:
    difference = cum_notional - order.notional
    waiting = [item for item in slot.unsettled if item.key == order.key and item.notional is None] if slot else []
    if waiting and slot:
        lots = sum(item.lots for item in waiting)
        told = difference
        if order.estimated_lots:
            # What was estimated was wrong, and these lots do not answer for it: they have their share of the whole.
            told = part_of(cum_notional, lots, order.cum_lots)
            _correct(draft, slot, order, difference - told, event.event_id or draft.cause_id)
            order, slot = draft.orders[order.key], draft.slots[slot.slot_id]
        fees = [item.fee for item in waiting]
        is_fee_known = None not in fees and len({item.fee_asset for item in waiting}) == 1
        merged = replace(
            waiting[0],
            lots=lots,
            notional=told,
            # A fee that covers a part only is dropped for an estimate of the whole, which the venue's sum corrects.
            fee=sum(fee for fee in fees if fee is not None) if is_fee_known else None,
            quality=Q.QUERIED,
        )
        rest = tuple(merged if item is waiting[0] else item for item in slot.unsettled if item not in waiting[1:])
        draft.put_order(replace(order, notional=cum_notional, priced_lots=order.cum_lots, estimated_lots=0))
        settle(draft, draft.put_slot(replace(slot, unsettled=rest)))
        return
    if difference:
        _correct(draft, slot, order, difference, event.event_id or draft.cause_id)
    draft.put_order(replace(draft.orders[order.key], notional=cum_notional, priced_lots=order.cum_lots, estimated_lots=0))


def _correct(draft: Draft, slot: Slot | None, order: Order, difference: Amount, event_id: str) -> None:
    if slot is not None:
        true_up_notional(draft, slot, order, difference, event_id)
        return
    spec = draft.specs[order.instrument]
    value = order.sign * (cash_value(spec, order.notional + difference) - cash_value(spec, order.notional))
    holding = draft.holding(order.instrument)
    # Lots that were closed or adopted meanwhile took their cost along: what it should have been is profit or loss by now.
    held = value if holding.orphan_lots * order.sign >= order.cum_lots else 0
    draft.put_holding(replace(holding, orphan_cost=holding.orphan_cost + held))
    post(
        draft,
        LEDGER.ADJUST,
        None,
        event_id,
        Q.QUERIED,
        trade_id=order.trade_id,
        cash=-value,
        position=held,
        realized=held - value,
    )


def _true_up_fee(draft: Draft, slot: Slot | None, order: Order, event: VenueEvent, cum_fee: int) -> None:
    currency = draft.specs[order.instrument].currency
    is_foreign = bool(event.fee_asset) and event.fee_asset != currency
    targets: tuple[tuple[str, int, int], ...] = ((currency, order.fee, 0 if is_foreign else cum_fee),)
    if is_foreign:
        targets += ((event.fee_asset, order.fee_foreign, cum_fee),)
    for name, posted, exact in targets:
        difference = exact - posted
        event_id = event.event_id or draft.cause_id
        if slot is not None:
            counted = post_fee(draft, slot, event_id, LEDGER.FEE_TRUEUP, difference, name, Q.QUERIED)
            slot = draft.put_slot(replace(slot, fees=slot.fees + counted)) if counted else slot
        elif difference:
            post(
                draft,
                LEDGER.FEE_TRUEUP,
                None,
                event_id,
                Q.QUERIED,
                currency=name,
                trade_id=order.trade_id,
                cash=-difference,
                fees=difference,
            )
    draft.put_order(
        replace(
            order,
            fee=0 if is_foreign else cum_fee,
            fee_foreign=cum_fee if is_foreign else order.fee_foreign,
            fee_estimated_lots=0,
        )
    )


def estimated_tick(draft: Draft, order: Order) -> int:
    """Return the price to estimate with: the order's own limit, else the mark, else what it was decided on."""
    if order.order_type is TYPE.LIMIT:
        return order.limit_tick
    return draft.holding(order.instrument).mark_tick or order.reference_tick


def estimate_pending(draft: Draft, order: Order) -> None:
    """Settle what still waits at an estimated price, flagged; questions go on and the answer corrects it (E12a)."""
    slot = draft.slots[order.slot_id]
    if slot.trade_id != order.trade_id:
        return
    waiting = [item for item in slot.unsettled if item.key == order.key and item.notional is None]
    if not waiting:
        return
    tick, spec = estimated_tick(draft, order), draft.specs[order.instrument]
    lots = sum(item.lots for item in waiting)
    unsettled = tuple(
        replace(item, notional=amount_of(spec, tick, item.lots), quality=Q.ESTIMATED) if item in waiting else item
        for item in slot.unsettled
    )
    draft.put_order(
        replace(
            order,
            notional=order.notional + amount_of(spec, tick, lots),
            priced_lots=order.priced_lots + lots,
            estimated_lots=order.estimated_lots + lots,
        )
    )
    draft.effects.append(
        Alarm(draft.seq, D.PRICE_PENDING, f"{lots:,} lots of {order.cid} settled at an estimated {tick:,} ticks")
    )
    settle(draft, draft.put_slot(replace(slot, unsettled=unsettled)))
