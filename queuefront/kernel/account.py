"""Money: every movement is one posting to a double-entry book, in whole units of the currency's scale.

An entry moves cash to the position at its notional. An exit takes from the position the share of its cost that its lots
have, `cost × lots // open lots`, and books proceeds less that share as realized profit. The division leaves less than one
unit behind, in the position; the exit that closes takes all that is left. A closed trade's profit is thereby exactly exit
notional less entry notional, and an open trade's is exact to the unit, with the rest still in the position's cost.

Inverse contracts keep exact ratios beside and book them as `notional.py` says.

A fill without price moves nothing until its price is known (E12): it waits in the slot, and later fills of the same slot
wait behind it, because their profit depends on it.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from queuefront.kernel.codes import LEDGER, LIQUIDITY, ROLE, SIDE, Q
from queuefront.kernel.enums import FINAL_STATUSES, LedgerKind, PriceQuality
from queuefront.kernel.notional import Amount, amount_of, cash_value, part_of, ratio_of, worst_value
from queuefront.kernel.records import LedgerEntry, Spec
from queuefront.kernel.state import Book, Draft, Holding, Order, Slot, Unsettled
from queuefront.venues import Liquidity, Side

__all__ = [
    "Cause",
    "count_position",
    "estimate_fee",
    "exposure_of",
    "pool_change",
    "post",
    "post_fee",
    "post_orphan",
    "put_exposed",
    "put_valued",
    "refresh_exposure",
    "settle",
    "settle_fill",
    "true_up_notional",
]

PPM = 1_000_000


class Cause(NamedTuple):
    """What a posting without a fill of its own is due to."""

    event_id: str
    quality: PriceQuality


def post(
    draft: Draft,
    kind: LedgerKind,
    slot: Slot | None,
    event_id: str,
    quality: PriceQuality,
    *,
    currency: str = "",
    trade_id: str = "",
    cash: int = 0,
    position: int = 0,
    fees: int = 0,
    funding: int = 0,
    realized: int = 0,
) -> None:
    """Write one ledger entry and the book it belongs to."""
    name = currency or draft.config.currency
    book = draft.books.get(name) or Book(currency=name)
    draft.ledger_seq += 1
    before = book.capital
    new = replace(
        book,
        cash=book.cash + cash,
        position=book.position + position,
        fees=book.fees + fees,
        funding=book.funding + funding,
        realized=book.realized + realized,
        version=book.version + 1,
    )
    draft.books = draft.books.set(name, new)
    draft.entries.append(
        LedgerEntry(
            draft.ledger_seq,
            draft.seq,
            trade_id or (slot.trade_id if slot else ""),
            slot.slot_id if slot else -1,
            event_id,
            kind,
            currency=name,
            cash=cash,
            position=position,
            fees=fees,
            funding=funding,
            realized=realized,
            capital_before=before,
            capital_after=before + realized - fees + funding,
            quality=quality,
            ts=draft.now,
        )
    )


def estimate_fee(spec: Spec, notional: Amount, liquidity: Liquidity) -> int:
    """Return the fee that the instrument's rates give, rounded up: an estimate never flatters."""
    rate = spec.maker_rate_ppm if liquidity is LIQUIDITY.MAKER else spec.taker_rate_ppm
    if spec.is_inverse:
        return -(-ratio_of(notional) * spec.unit * rate // PPM)
    return -(-notional * spec.unit * rate // PPM)  # type: ignore[operator,return-value]


def settle(draft: Draft, slot: Slot) -> Slot:
    """Settle the fills of a slot, oldest first, as far as their prices are known."""
    while slot.unsettled and slot.unsettled[0].notional is not None:
        fill = slot.unsettled[0]
        slot = settle_fill(draft, slot, fill, fill.notional or 0, {"unsettled": slot.unsettled[1:]})
    return slot


def settle_fill(
    draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, changes: dict[str, object], *, moved: int = 0
) -> Slot:
    """Post one fill and its fee, and write what they change of the slot.

    Parameters
    ----------
    notional : what the fill adds to the sum over fills.
    changes : written to the slot along with what the money changes.
    moved : lots that the position grew by and that `count_position` was not told of, negative for an exit.
    """
    settle_one = _settle_entry if fill.role is ROLE.ENTRY else _settle_exit
    changes.update(settle_one(draft, slot, fill, notional, moved))
    changes["fees"] = slot.fees + _settle_fee(draft, slot, fill)
    return draft.put_slot(replace(slot, **changes))


def _settle_entry(draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, moved: int) -> dict[str, object]:
    spec, priced_lots = draft.specs[slot.instrument], slot.entry_priced_lots + fill.lots
    if spec.is_inverse:
        changes = _rebook(draft, slot, spec, LEDGER.FILL, fill, fill.lots, moved, entered=notional, held=notional)
        return {**changes, "entry_priced_lots": priced_lots}
    sign = slot.side.sign
    value = cash_value(spec, notional) * sign
    post(draft, LEDGER.FILL, slot, fill.event_id, fill.quality, cash=-value, position=value)
    _hold(draft, slot, value, fill.lots * sign, moved)
    return {
        "entry_notional": slot.entry_notional + notional,
        "entry_priced_lots": priced_lots,
        "cost": slot.cost + value,
        "cost_lots": slot.cost_lots + fill.lots,
    }


def _settle_exit(draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, moved: int) -> dict[str, object]:
    spec, lots = draft.specs[slot.instrument], min(fill.lots, slot.cost_lots)
    if spec.is_inverse:
        share = part_of(slot.held_notional, lots, slot.cost_lots) if lots else 0
        return _rebook(draft, slot, spec, LEDGER.FILL, fill, -lots, moved, left=notional, held=0 - share)
    sign = slot.side.sign
    value = cash_value(spec, notional) * sign
    released = slot.cost if fill.lots >= slot.cost_lots else slot.cost * fill.lots // slot.cost_lots
    gross = value - released
    post(draft, LEDGER.FILL, slot, fill.event_id, fill.quality, cash=value, position=-released, realized=gross)
    _hold(draft, slot, -released, -lots * sign, moved)
    return {
        "exit_notional": slot.exit_notional + notional,
        "cost": slot.cost - released,
        "cost_lots": slot.cost_lots - lots,
        "realized_gross": slot.realized_gross + gross,
    }


def _settle_fee(draft: Draft, slot: Slot, fill: Unsettled) -> int:
    """Post the fee of a fill, an estimate where it is unknown; return what counts in the slot."""
    spec = draft.specs[slot.instrument]
    fee, currency, quality = fill.fee, fill.fee_asset or spec.currency, Q.REPORTED
    if fill.is_liquidation:
        return post_fee(draft, slot, fill.event_id, LEDGER.FEE, fee or 0, currency, quality)
    order = draft.orders[fill.key]
    if fee is None:
        fee, quality = estimate_fee(spec, fill.notional or 0, fill.liquidity), Q.ESTIMATED
        currency = spec.currency
        order = replace(order, fee=order.fee + fee, fee_estimated_lots=order.fee_estimated_lots + fill.lots)
    elif currency == spec.currency:
        order = replace(order, fee=order.fee + fee)
    else:
        order = replace(order, fee_foreign=order.fee_foreign + fee)
    draft.put_order(order)
    return post_fee(draft, slot, fill.event_id, LEDGER.FEE, fee, currency, quality)


def post_fee(
    draft: Draft, slot: Slot, event_id: str, kind: LedgerKind, fee: int, currency: str, quality: PriceQuality
) -> int:
    """Post a fee to the book of its currency; return what counts in the slot: the settlement currency's alone."""
    if fee == 0:
        return 0
    post(draft, kind, slot, event_id, quality, currency=currency, cash=-fee, fees=fee)
    return fee if currency == draft.config.currency else 0


def true_up_notional(draft: Draft, slot: Slot, order: Order, difference: Amount, event_id: str) -> Slot:
    """Post the difference between an order's estimated notional and the exact one."""
    spec = draft.specs[order.instrument]
    if spec.is_inverse:
        return _true_up_inverse(draft, slot, spec, order, difference, event_id)
    value = cash_value(spec, difference) * slot.side.sign
    if order.role is ROLE.EXIT:
        post(draft, LEDGER.ADJUST, slot, event_id, Q.QUERIED, cash=value, realized=value)
        return draft.put_slot(
            replace(slot, exit_notional=slot.exit_notional + difference, realized_gross=slot.realized_gross + value)
        )
    # Lots that were sold again took their share of the estimate into the profit, so they take it of the correction.
    held = value * slot.cost_lots // slot.entry_priced_lots
    if (slot.cost + held) * slot.side.sign < 0:
        # The estimate was far off, and lots bought since have no part in that: nothing costs less than nothing.
        held = -slot.cost
    gross = held - value
    post(draft, LEDGER.ADJUST, slot, event_id, Q.QUERIED, cash=-value, position=held, realized=gross)
    _hold(draft, slot, held, 0)
    return draft.put_slot(
        replace(
            slot,
            entry_notional=slot.entry_notional + difference,
            cost=slot.cost + held,
            realized_gross=slot.realized_gross + gross,
        )
    )


def _true_up_inverse(draft: Draft, slot: Slot, spec: Spec, order: Order, difference: Amount, event_id: str) -> Slot:
    cause = Cause(event_id, Q.QUERIED)
    if order.role is ROLE.EXIT:
        changes = _rebook(draft, slot, spec, LEDGER.ADJUST, cause, 0, 0, left=difference)
    else:
        share = part_of(difference, slot.cost_lots, slot.entry_priced_lots)
        if ratio_of(slot.held_notional + share) < 0:
            share = 0 - slot.held_notional
        changes = _rebook(draft, slot, spec, LEDGER.ADJUST, cause, 0, 0, entered=difference, held=share)
    return draft.put_slot(replace(slot, **changes))


def _rebook(
    draft: Draft,
    slot: Slot,
    spec: Spec,
    kind: LedgerKind,
    cause: Cause | Unsettled,
    lots: int,
    moved: int,
    *,
    entered: Amount = 0,
    left: Amount = 0,
    held: Amount = 0,
) -> dict[str, object]:
    """Add to the exact sums of a slot of an inverse contract, and post how far cost and profit move by that.

    Cost and profit are each the exact figure, rounded once: `value(held)`, and `value(left + held - entered)`.
    """
    entry, exits, rest = slot.entry_notional + entered, slot.exit_notional + left, slot.held_notional + held
    cost = cash_value(spec, rest) * slot.side.sign
    gross = cash_value(spec, exits + rest - entry) * slot.side.sign
    position, realized = cost - slot.cost, gross - slot.realized_gross
    post(draft, kind, slot, cause.event_id, cause.quality, cash=realized - position, position=position, realized=realized)
    _hold(draft, slot, position, lots * slot.side.sign, moved)
    return {
        "entry_notional": entry,
        "exit_notional": exits,
        "held_notional": rest,
        "cost": cost,
        "cost_lots": slot.cost_lots + lots,
        "realized_gross": gross,
    }


def pool_change(holding: Holding, signed_lots: int, signed_value: int) -> int:
    """Return how the cost of an instrument's orphans changes by lots of a signed value: what closes takes its share along.

    The profit of what closes is that change less `signed_value`.
    """
    held, lots = holding.orphan_lots, abs(signed_lots)
    if not held or not lots or (held > 0) is (signed_lots > 0):
        return signed_value
    closing = min(lots, abs(held))
    opened = signed_value * (lots - closing) // lots
    return opened - holding.orphan_cost * closing // abs(held)


def post_orphan(draft: Draft, instrument: str, signed_lots: int, signed_value: int, cause: Cause, trade_id: str) -> None:
    """Book lots that no slot takes: into the pool of orphans, or against it."""
    holding = draft.holding(instrument)
    change = pool_change(holding, signed_lots, signed_value)
    draft.put_holding(
        replace(holding, orphan_lots=holding.orphan_lots + signed_lots, orphan_cost=holding.orphan_cost + change)
    )
    profit = change - signed_value
    post(
        draft,
        LEDGER.FILL,
        None,
        cause.event_id,
        cause.quality,
        trade_id=trade_id,
        cash=-signed_value,
        position=change,
        realized=profit,
    )


def _hold(draft: Draft, slot: Slot, cost: int, signed_lots: int, moved: int = 0) -> None:
    """Count what a settled fill changes of its instrument: cost, priced lots, and lots not counted before."""
    holding = draft.holding(slot.instrument)
    cost, signed_lots = holding.net_cost + cost, holding.net_cost_lots + signed_lots
    if slot.side is SIDE.LONG:
        holding = replace(holding, net_cost=cost, net_cost_lots=signed_lots, long_lots=holding.long_lots + moved)
    else:
        holding = replace(holding, net_cost=cost, net_cost_lots=signed_lots, short_lots=holding.short_lots + moved)
    put_valued(draft, holding)


def put_valued(draft: Draft, holding: Holding) -> None:
    """Write a holding with its unrealized profit by mark, lots and cost; the profit stays while the mark is unknown."""
    if holding.mark_tick > 0:
        spec = draft.specs[holding.instrument]
        value = cash_value(spec, amount_of(spec, holding.mark_tick, holding.net_cost_lots))
        unrealized = value - holding.net_cost
        if unrealized != holding.unrealized:
            draft.unrealized += unrealized - holding.unrealized
            holding = replace(holding, unrealized=unrealized)
    draft.put_holding(holding)


def exposure_of(draft: Draft, slot: Slot) -> int:
    """Return the worst case of a slot: position at cost, fills without price, and what its entry may still fill."""
    if not slot.instrument:
        return 0
    exposure = abs(slot.cost)
    entry = draft.orders.get(slot.entry_order)
    if entry is not None:
        open_lots = 0 if entry.status in FINAL_STATUSES else max(entry.lots, entry.modify_lots) - entry.cum_lots
        if slot.unsettled:
            open_lots += sum(fill.lots for fill in slot.unsettled if fill.role is ROLE.ENTRY)
        if open_lots:
            ticks = entry.limit_tick, entry.reference_tick, entry.modify_tick
            exposure += worst_value(draft.specs[slot.instrument], open_lots, *ticks)
    return exposure


def put_exposed(draft: Draft, slot: Slot, exposure: int) -> Slot:
    """Write a slot with another exposure and the margin that follows, and count both into the totals."""
    margin = -(-exposure // slot.leverage)
    draft.exposure += exposure - slot.exposure
    draft.margin += margin - slot.margin
    return draft.put_slot(replace(slot, exposure=exposure, margin=margin))


def refresh_exposure(draft: Draft, slot: Slot) -> Slot:
    """Bring a slot's exposure and margin up to date."""
    exposure = exposure_of(draft, slot)
    return slot if exposure == slot.exposure else put_exposed(draft, slot, exposure)


def count_position(draft: Draft, instrument: str, side: Side, lots: int) -> None:
    """Count lots into what all slots of an instrument hold on one side."""
    holding = draft.holding(instrument)
    if side is SIDE.LONG:
        draft.put_holding(replace(holding, long_lots=holding.long_lots + lots))
    else:
        draft.put_holding(replace(holding, short_lots=holding.short_lots + lots))
