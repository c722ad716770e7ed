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

from queuefront.kernel.enums import LedgerKind, PriceQuality
from queuefront.kernel.notional import Amount, amount_of, cash_value, part_of, ratio_of, worst_value
from queuefront.kernel.records import LedgerEntry, Spec
from queuefront.kernel.state import Book, Draft, Holding, Order, Slot, Unsettled
from queuefront.venues import Liquidity, Role, Side

__all__ = ["estimate_fee", "post", "post_fee", "refresh_exposure", "revalue", "settle", "settle_fill", "true_up_notional"]

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
            seq=draft.ledger_seq,
            input_seq=draft.seq,
            trade_id=trade_id or (slot.trade_id if slot else ""),
            slot_id=slot.slot_id if slot else -1,
            event_id=event_id,
            kind=kind,
            currency=name,
            cash=cash,
            position=position,
            fees=fees,
            funding=funding,
            realized=realized,
            capital_before=book.capital,
            capital_after=new.capital,
            quality=quality,
            ts=draft.now,
        )
    )


def estimate_fee(spec: Spec, notional: Amount, liquidity: Liquidity) -> int:
    """Return the fee that the instrument's rates give, rounded up: an estimate never flatters."""
    rate = spec.maker_rate_ppm if liquidity is Liquidity.MAKER else spec.taker_rate_ppm
    if spec.is_inverse:
        return -(-ratio_of(notional) * spec.unit * rate // PPM)
    return -(-notional * spec.unit * rate // PPM)  # type: ignore[operator,return-value]


def settle(draft: Draft, slot: Slot) -> Slot:
    """Settle the fills of a slot, oldest first, as far as their prices are known."""
    while slot.unsettled and slot.unsettled[0].notional is not None:
        fill = slot.unsettled[0]
        slot = settle_fill(draft, slot, fill, fill.notional or 0, {"unsettled": slot.unsettled[1:]})
    return slot


def settle_fill(draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, changes: dict[str, object]) -> Slot:
    """Post one fill and its fee; `changes` are written to the slot along with what the money changes."""
    settle_one = _settle_entry if fill.role is Role.ENTRY else _settle_exit
    return _settle_fee(draft, settle_one(draft, slot, fill, notional, changes), fill)


def _settle_entry(draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, changes: dict[str, object]) -> Slot:
    spec = draft.specs[slot.instrument]
    if spec.is_inverse:
        changes = {**changes, "entry_priced_lots": slot.entry_priced_lots + fill.lots}
        return _rebook(
            draft, slot, spec, LedgerKind.FILL, fill, fill.lots, entered=notional, held=notional, changes=changes
        )
    value = cash_value(spec, notional) * slot.side.sign
    post(draft, LedgerKind.FILL, slot, fill.event_id, fill.quality, cash=-value, position=value)
    _hold(draft, slot, value, fill.lots * slot.side.sign)
    return draft.put_slot(
        slot,
        entry_notional=slot.entry_notional + notional,
        entry_priced_lots=slot.entry_priced_lots + fill.lots,
        cost=slot.cost + value,
        cost_lots=slot.cost_lots + fill.lots,
        **changes,
    )


def _settle_exit(draft: Draft, slot: Slot, fill: Unsettled, notional: Amount, changes: dict[str, object]) -> Slot:
    spec = draft.specs[slot.instrument]
    if spec.is_inverse:
        lots = min(fill.lots, slot.cost_lots)
        share = part_of(slot.held_notional, lots, slot.cost_lots) if lots else 0
        return _rebook(draft, slot, spec, LedgerKind.FILL, fill, -lots, left=notional, held=0 - share, changes=changes)
    value = cash_value(spec, notional) * slot.side.sign
    released = slot.cost if fill.lots >= slot.cost_lots else slot.cost * fill.lots // slot.cost_lots
    gross = value - released
    post(draft, LedgerKind.FILL, slot, fill.event_id, fill.quality, cash=value, position=-released, realized=gross)
    _hold(draft, slot, -released, -min(fill.lots, slot.cost_lots) * slot.side.sign)
    return draft.put_slot(
        slot,
        exit_notional=slot.exit_notional + notional,
        cost=slot.cost - released,
        cost_lots=max(slot.cost_lots - fill.lots, 0),
        realized_gross=slot.realized_gross + gross,
        **changes,
    )


def _settle_fee(draft: Draft, slot: Slot, fill: Unsettled) -> Slot:
    spec = draft.specs[slot.instrument]
    currency = fill.fee_asset or spec.currency
    fee, quality = fill.fee, PriceQuality.REPORTED
    if fill.is_liquidation:
        return post_fee(draft, slot, fill.event_id, LedgerKind.FEE, fee or 0, currency, quality)
    order = draft.orders[fill.key]
    if fee is None:
        fee, quality = estimate_fee(spec, fill.notional or 0, fill.liquidity), PriceQuality.ESTIMATED
        currency = spec.currency
        draft.put_order(order, fee=order.fee + fee, fee_estimated_lots=order.fee_estimated_lots + fill.lots)
    elif currency == spec.currency:
        draft.put_order(order, fee=order.fee + fee)
    else:
        draft.put_order(order, fee_foreign=order.fee_foreign + fee)
    return post_fee(draft, slot, fill.event_id, LedgerKind.FEE, fee, currency, quality)


def post_fee(
    draft: Draft, slot: Slot, event_id: str, kind: LedgerKind, fee: int, currency: str, quality: PriceQuality
) -> Slot:
    """Post a fee to the book of its currency; only the settlement currency's counts in the slot."""
    if fee == 0:
        return slot
    post(draft, kind, slot, event_id, quality, currency=currency, cash=-fee, fees=fee)
    return draft.put_slot(slot, fees=slot.fees + fee) if currency == draft.config.currency else slot


def true_up_notional(draft: Draft, slot: Slot, order: Order, difference: Amount, event_id: str) -> Slot:
    """Post the difference between an order's estimated notional and the exact one."""
    spec = draft.specs[order.instrument]
    if spec.is_inverse:
        return _true_up_inverse(draft, slot, spec, order, difference, event_id)
    value = cash_value(spec, difference) * slot.side.sign
    if order.role is Role.EXIT:
        post(draft, LedgerKind.ADJUST, slot, event_id, PriceQuality.QUERIED, cash=value, realized=value)
        return draft.put_slot(
            slot, exit_notional=slot.exit_notional + difference, realized_gross=slot.realized_gross + value
        )
    # Lots that were sold again took their share of the estimate into the profit, so they take it of the correction.
    held = value * slot.cost_lots // slot.entry_priced_lots
    gross = held - value
    post(draft, LedgerKind.ADJUST, slot, event_id, PriceQuality.QUERIED, cash=-value, position=held, realized=gross)
    _hold(draft, slot, held, 0)
    return draft.put_slot(
        slot,
        entry_notional=slot.entry_notional + difference,
        cost=slot.cost + held,
        realized_gross=slot.realized_gross + gross,
    )


def _true_up_inverse(draft: Draft, slot: Slot, spec: Spec, order: Order, difference: Amount, event_id: str) -> Slot:
    cause = Cause(event_id, PriceQuality.QUERIED)
    if order.role is Role.EXIT:
        return _rebook(draft, slot, spec, LedgerKind.ADJUST, cause, 0, left=difference)
    share = part_of(difference, slot.cost_lots, slot.entry_priced_lots)
    return _rebook(draft, slot, spec, LedgerKind.ADJUST, cause, 0, entered=difference, held=share)


def _rebook(
    draft: Draft,
    slot: Slot,
    spec: Spec,
    kind: LedgerKind,
    cause: Cause | Unsettled,
    lots: int,
    *,
    entered: Amount = 0,
    left: Amount = 0,
    held: Amount = 0,
    changes: dict[str, object] | None = None,
) -> Slot:
    """Add to the exact sums of a slot of an inverse contract, and post how far cost and profit move by that.

    Cost and profit are each the exact figure, rounded once: `value(held)`, and `value(left + held - entered)`.
    """
    entry, exits, rest = slot.entry_notional + entered, slot.exit_notional + left, slot.held_notional + held
    cost = cash_value(spec, rest) * slot.side.sign
    gross = cash_value(spec, exits + rest - entry) * slot.side.sign
    position, realized = cost - slot.cost, gross - slot.realized_gross
    post(draft, kind, slot, cause.event_id, cause.quality, cash=realized - position, position=position, realized=realized)
    _hold(draft, slot, position, lots * slot.side.sign)
    return draft.put_slot(
        slot,
        entry_notional=entry,
        exit_notional=exits,
        held_notional=rest,
        cost=cost,
        cost_lots=slot.cost_lots + lots,
        realized_gross=gross,
        **(changes or {}),
    )


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
        LedgerKind.FILL,
        None,
        cause.event_id,
        cause.quality,
        trade_id=trade_id,
        cash=-signed_value,
        position=change,
        realized=profit,
    )


def _hold(draft: Draft, slot: Slot, cost: int, signed_lots: int) -> None:
    holding = draft.holding(slot.instrument)
    draft.put_holding(replace(holding, net_cost=holding.net_cost + cost, net_cost_lots=holding.net_cost_lots + signed_lots))
    revalue(draft, slot.instrument)


def revalue(draft: Draft, instrument: str) -> None:
    """Bring unrealized profit up to date with mark, lots and cost; nothing while the mark is unknown."""
    holding = draft.holding(instrument)
    if holding.mark_tick <= 0:
        return
    spec = draft.specs[instrument]
    value = cash_value(spec, amount_of(spec, holding.mark_tick, holding.net_cost_lots))
    unrealized = value - holding.net_cost
    if unrealized != holding.unrealized:
        draft.unrealized += unrealized - holding.unrealized
        draft.put_holding(replace(holding, unrealized=unrealized))


def refresh_exposure(draft: Draft, slot: Slot) -> Slot:
    """Count the worst case of a slot: position at cost, fills without price, and what its entry may still fill."""
    exposure = 0
    if slot.instrument:
        exposure = abs(slot.cost)
        entry = draft.orders.get(slot.entry_order)
        if entry is not None:
            open_lots = 0 if entry.is_final else max(entry.lots, entry.modify_lots) - entry.cum_lots
            if slot.unsettled:
                open_lots += sum(fill.lots for fill in slot.unsettled if fill.role is Role.ENTRY)
            ticks = entry.limit_tick, entry.reference_tick, entry.modify_tick
            exposure += worst_value(draft.specs[slot.instrument], open_lots, *ticks)
    margin = -(-exposure // slot.leverage)
    if exposure == slot.exposure and margin == slot.margin:
        return slot
    draft.exposure += exposure - slot.exposure
    draft.margin += margin - slot.margin
    return draft.put_slot(slot, exposure=exposure, margin=margin)


def count_position(draft: Draft, instrument: str, side: Side, lots: int) -> None:
    """Count lots into what all slots of an instrument hold on one side."""
    holding = draft.holding(instrument)
    if side is Side.LONG:
        draft.put_holding(replace(holding, long_lots=holding.long_lots + lots))
    else:
        draft.put_holding(replace(holding, short_lots=holding.short_lots + lots))
