"""Events that move money or position without an order of ours: marks, funding, liquidation, drift."""

from __future__ import annotations

from msgspec.structs import replace

from queuefront.kernel.account import Cause, count_position, post, post_orphan, put_valued, refresh_exposure, settle
from queuefront.kernel.codes import LEDGER, LIQUIDITY, ROLE, SIDE, D, E, Q
from queuefront.kernel.fsm import advance, refresh_health
from queuefront.kernel.notional import amount_of, cash_value
from queuefront.kernel.records import Alarm, Spec
from queuefront.kernel.resolve import ask_order, set_timer
from queuefront.kernel.state import Draft, Parked, Slot, Unsettled
from queuefront.venues import Side, VenueEvent

__all__ = ["on_drift", "on_funding", "on_liquidation", "on_mark"]


#: How often a liquidation waits for fills that it overtook.
WAITS_MAX = 8


def on_mark(draft: Draft, instrument: str, tick: int) -> None:
    """Take a mark price: unrealized profit only (row 41)."""
    if tick <= 0 or instrument not in draft.specs:
        draft.count("bad_mark")
        draft.answer(D.UNKNOWN_EVENT, f"mark {tick:,} of {instrument!r}")
        return
    holding = draft.holding(instrument)
    if holding.mark_tick != tick:
        put_valued(draft, replace(holding, mark_tick=tick))


def _is_repeated(draft: Draft, event: VenueEvent) -> bool:
    if not event.event_id:
        draft.count("unknown_event")
        draft.answer(D.UNKNOWN_EVENT, f"a {event.kind.name} without id could be booked twice")
        return True
    if event.event_id in draft.account_events:
        draft.count("duplicate_event")
        draft.answer(D.DUPLICATE_EVENT)
        return True
    draft.account_events = draft.account_events.add(event.event_id, draft.seq, draft.config.trade_count)
    return False


def on_funding(draft: Draft, event: VenueEvent) -> None:
    """Book a funding payment (row 42); a positive amount is received."""
    if event.amount is None or _is_repeated(draft, event):
        if event.amount is None:
            draft.count("unknown_event")
            draft.answer(D.UNKNOWN_EVENT, "funding without an amount")
        return
    slot = None
    if event.trade_id in draft.trades:
        slot = draft.slots[draft.trades.number(event.trade_id)]
        if slot.trade_id != event.trade_id:
            slot = None
    currency = event.fee_asset or draft.config.currency
    post(
        draft,
        LEDGER.FUNDING,
        slot,
        event.event_id,
        Q.REPORTED,
        currency=currency,
        trade_id=event.trade_id,
        cash=event.amount,
        funding=event.amount,
    )
    if slot is not None and currency == draft.config.currency:
        draft.slot_id = slot.slot_id
        draft.put_slot(replace(slot, funding=slot.funding + event.amount))


def on_liquidation(draft: Draft, event: VenueEvent) -> None:
    """Apply lots that the venue closed for us, as an exit with its reason (row 43), slot by slot."""
    spec = draft.specs.get(event.instrument)
    if spec is None or event.side is None or not event.last_lots or (event.last_tick or 0) <= 0 or event.last_lots < 0:
        draft.count("unknown_event")
        draft.answer(D.UNKNOWN_EVENT, "a liquidation needs instrument, side, lots and price")
        return
    if _must_wait(draft, event, event.side, event.last_lots) or _is_repeated(draft, event):
        return
    draft.last_fill_ns = draft.now
    left = event.last_lots
    fee = event.fee or 0
    held = (draft.slots[slot_id] for slot_id in range(len(draft.slots)))
    mine = [slot for slot in held if slot.size and slot.instrument == event.instrument and slot.side is event.side]
    # The venue knows no slots. One whose exit is under way may be empty there already, so it comes last.
    for slot in sorted(mine, key=lambda slot: slot.active_order):
        if left:
            lots = min(left, slot.size)
            left -= lots
            # Whoever closes the last lot pays what is left of the fee, so that its parts add up.
            part = fee if not left else fee * lots // event.last_lots
            fee -= part
            _liquidate(draft, slot, event, lots, part)
    if left:
        _beyond(draft, event, left, fee, spec)


def _must_wait(draft: Draft, event: VenueEvent, side: Side, lots: int) -> bool:
    """Whether a liquidation overtook the fills that it closed: then they are asked for, and it is applied after them."""
    holding = draft.holding(event.instrument)
    held = holding.long_lots if side is SIDE.LONG else holding.short_lots
    live = [key for key in sorted(draft.live) if draft.orders[key].instrument == event.instrument]
    if held >= lots or not live or draft.attempts >= WAITS_MAX or event.event_id in draft.account_events:
        return False
    draft.parked = (*draft.parked, Parked(event, draft.attempts + 1))
    for key in live:
        refresh_health(draft, ask_order(draft, draft.orders[key], draft.now))
    set_timer(draft, draft.now + draft.config.first_query_ns)
    draft.answer(D.SLOT_UNCERTAIN, "liquidated more than is known to be held; asking about live orders first")
    return True


def _liquidate(draft: Draft, slot: Slot, event: VenueEvent, lots: int, fee: int) -> None:
    draft.slot_id = slot.slot_id
    count_position(draft, slot.instrument, slot.side, -lots)
    item = Unsettled(
        key=slot.entry_order,
        role=ROLE.EXIT,
        lots=lots,
        notional=amount_of(draft.specs[slot.instrument], event.last_tick or 0, lots),
        fee=fee,
        fee_asset=event.fee_asset,
        liquidity=LIQUIDITY.TAKER,
        event_id=event.event_id,
        quality=Q.REPORTED,
        ts=event.exch_ts or draft.now,
        is_liquidation=True,
    )
    slot = draft.put_slot(
        replace(
            slot,
            size=slot.size - lots,
            exit_lots=slot.exit_lots + lots,
            unsettled=(*slot.unsettled, item),
            close_reason="LIQUIDATION",
        )
    )
    slot = settle(draft, slot)
    slot = advance(draft, slot, E.LIQUIDATION)
    slot = refresh_exposure(draft, slot)
    refresh_health(draft, slot)


def _beyond(draft: Draft, event: VenueEvent, lots: int, fee: int, spec: Spec) -> None:
    side = event.side or SIDE.LONG
    value = cash_value(spec, amount_of(spec, event.last_tick or 0, lots)) * side.sign
    post_orphan(draft, event.instrument, -side.sign * lots, -value, Cause(event.event_id, Q.REPORTED), "")
    holding = draft.holding(event.instrument)
    draft.put_holding(replace(holding, blocked=f"liquidation of {lots:,} lots that no slot holds"))
    if fee:
        currency = event.fee_asset or draft.config.currency
        post(draft, LEDGER.FEE, None, event.event_id, Q.REPORTED, currency=currency, cash=-fee, fees=fee)
    draft.effects.append(Alarm(draft.seq, D.OVERFILL, f"{event.instrument}: {lots:,} lots liquidated that no slot holds"))
    draft.answer(D.OVERFILL)


def on_drift(draft: Draft, instrument: str, text: str) -> None:
    """Stop trusting an instrument whose position at the venue is not ours; quantities are never patched (row 46)."""
    holding = draft.holding(instrument)
    draft.put_holding(replace(holding, blocked=f"drift: {text}"))
    draft.effects.append(Alarm(draft.seq, D.DRIFT, f"{instrument}: {text}"))
    draft.count("drift")
    draft.answer(D.DRIFT, text)
    for slot_id in range(len(draft.slots)):
        slot = draft.slots[slot_id]
        if slot.instrument == instrument and (slot.size or slot.active_order):
            slot = advance(draft, draft.put_slot(replace(slot, drifted=True)), E.POSITION_DRIFT)
            refresh_health(draft, slot)
