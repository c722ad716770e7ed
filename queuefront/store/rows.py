"""Rows of tables from one journal row: what went in, the state before and after, and what the kernel published about it.

A row says what was true at its own journal row. Capital is taken from the ledger entry of its own event and never from a
state that may have moved on (E20, E22); entry and exit prices come from separate sums (E23); ids are those of the order's
origin, null where there is none (E21, E21a).
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from enum import Enum
from functools import cache
from typing import Any, cast

import msgspec

from queuefront.kernel import (
    Alarm,
    Amount,
    Control,
    LedgerEntry,
    LedgerKind,
    Order,
    Publish,
    Recover,
    Settle,
    Slot,
    Stage,
    State,
    ratio_of,
)
from queuefront.venues import EventKind, OrderType, VenueEvent

__all__ = ["Row", "input_row", "rows_of"]

#: (table, column -> value). Cash is a whole number of 10^-cash_scale.
Row = tuple[str, dict[str, Any]]


def rows_of(before: State, entry: Any, after: State, effects: Sequence[Any]) -> Iterator[Row]:
    """Yield the rows of all tables that one journal row makes.

    Parameters
    ----------
    before, after : the states around it.
    entry : the input.
    effects : none where its step failed and was skipped: then it is an input and nothing else.
    """
    yield "inputs", input_row(after.seq, entry)
    published = [effect for effect in effects if isinstance(effect, Publish)]
    if not published:
        return
    (publish,) = published
    cause = {"cause_kind": _cause_kind(entry), "cause_id": publish.cause_id}
    yield "outcomes", _outcome(publish, cause)
    for key in _touched_orders(after, effects):
        order = after.orders[key]
        if order != before.orders.get(key):
            yield "order_events", _order_event(publish, order, after, cause)
    for slot_id in publish.slots:
        slot = after.slots[slot_id]
        yield "position_state", _position_state(publish, slot, after, cause)
        if slot.stage is Stage.CLOSED:
            yield "trades", _trade(publish, slot, after)
    yield from (("trade_events", row) for row in _fills(before, entry, after, publish, effects))
    yield from (("ledger", _ledger(entry)) for entry in publish.entries)
    yield from (("system_events", row) for row in _system_events(entry, publish, effects))


# --- inputs and answers -----------------------------------------------------------------------------------------------
def input_row(seq: int, entry: Any) -> dict[str, Any]:
    """Return an input as a row; what it does not say is left out of its fields."""
    record = cast(Hashable, type(entry))
    told = {
        name: _plain(value) for name, default in _defaults(record).items() if (value := getattr(entry, name)) != default
    }
    kind = told.pop("kind") if isinstance(entry, VenueEvent) else type(entry).__name__
    del told["ts"]
    return {
        "seq": seq,
        "ts": entry.ts,
        "kind": kind,
        "subject": getattr(entry, "cid", "") or getattr(entry, "intent_id", "") or None,
        "slot_id": _slot_id(getattr(entry, "slot_id", -1)),
        "fields": json.dumps(told, ensure_ascii=False),
    }


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Return field -> default of a record; looking them up costs more than all of its rows."""
    return {field.name: field.default for field in msgspec.structs.fields(kind)}


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Enum) else msgspec.to_builtins(value)


def _slot_id(slot_id: int) -> int | None:
    return slot_id if slot_id >= 0 else None


def _cause_kind(entry: Any) -> str:
    return entry.kind.name if isinstance(entry, VenueEvent) else type(entry).__name__.upper()


def _outcome(publish: Publish, cause: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": publish.seq,
        "ts": publish.ts,
        **cause,
        "diagnostic": publish.diagnostic.name,
        "detail": publish.detail or None,
        "slot_id": _slot_id(publish.slot_id),
        "cid": publish.cid or None,
    }


# --- orders -----------------------------------------------------------------------------------------------------------
def _touched_orders(after: State, effects: Sequence[Any]) -> list[int]:
    """Return the keys of orders that this row may have changed: the one it is about, and those of its requests."""
    cids = {getattr(effect, "cid", "") for effect in effects} - {""}
    keys = {int(cid.rpartition("-")[2], 36) for cid in cids}
    return sorted(key for key in keys if key in after.orders)


def _order_event(publish: Publish, order: Order, state: State, cause: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": publish.seq,
        "cid": order.cid,
        "ts": publish.ts,
        "slot_id": order.slot_id,
        "trade_id": order.trade_id,
        "intent_id": order.intent_id,
        "decision_id": order.decision_id or None,
        "instrument": order.instrument,
        "side": order.side.name,
        "role": order.role.name,
        "leg_index": order.leg_index,
        "order_type": order.order_type.name,
        "time_in_force": order.time_in_force.name,
        "limit_tick": order.limit_tick if order.order_type is OrderType.LIMIT else None,
        "order_lots": order.lots,
        "cum_lots": order.cum_lots,
        "priced_lots": order.priced_lots,
        "notional": str(ratio_of(order.notional)),
        "average_tick": _average(state, order.instrument, order.notional, order.priced_lots),
        "fee": order.fee,
        "status": order.status.name,
        "cancel_state": order.cancel_state.name,
        "leverage": order.leverage,
        "venue_order_id": order.venue_order_id or None,
        "created_ns": order.created_ns,
        "sent_ns": order.sent_ns or None,
        "acked_ns": order.acked_ns or None,
        **cause,
    }


def _average(state: State, instrument: str, notional: Amount, lots: int) -> float | None:
    """Return an average price in ticks, None where nothing was filled."""
    if not lots or not notional:
        return None
    if state.specs[instrument].is_inverse:
        return float(lots / ratio_of(notional))
    return float(ratio_of(notional) / lots)


# --- slots and trades -------------------------------------------------------------------------------------------------
def _of_trade(slot: Slot) -> dict[str, Any]:
    return {
        "slot_id": slot.slot_id,
        "trade_id": slot.trade_id or None,
        "intent_id": slot.intent_id or None,
        "decision_id": slot.decision_id or None,
        "instrument": slot.instrument or None,
        "side": slot.side.name if slot.trade_id else None,
        "leverage": slot.leverage,
        "entry_notional": str(ratio_of(slot.entry_notional)),
        "exit_notional": str(ratio_of(slot.exit_notional)),
        "fees": slot.fees,
        "funding": slot.funding,
        "close_reason": slot.close_reason or None,
    }


def _ticks(slot: Slot, state: State) -> dict[str, Any]:
    if not slot.instrument:
        return {"entry_tick": None, "exit_tick": None}
    return {
        "entry_tick": _average(state, slot.instrument, slot.entry_notional, slot.entry_priced_lots),
        "exit_tick": _average(state, slot.instrument, slot.exit_notional, slot.exit_lots),
    }


def _position_state(publish: Publish, slot: Slot, state: State, cause: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": publish.seq,
        "ts": publish.ts,
        **_of_trade(slot),
        **_ticks(slot, state),
        "version": slot.version,
        "stage": slot.stage.name,
        "health": slot.health.name,
        "size_lots": slot.size,
        "initial_lots": slot.initial_lots,
        "exit_lots": slot.exit_lots,
        "leg_index": slot.leg_index,
        "cost": slot.cost,
        "realized_gross": slot.realized_gross,
        "realized": slot.realized,
        "exposure": slot.exposure,
        "margin": slot.margin,
        "capital": state.book.capital,
        **cause,
    }


def _trade(publish: Publish, slot: Slot, state: State) -> dict[str, Any]:
    return {
        "seq": publish.seq,
        "ts": publish.ts,
        **_of_trade(slot),
        **_ticks(slot, state),
        "lots": slot.initial_lots,
        "pnl_gross": slot.realized_gross,
        "pnl": slot.realized,
        "opened_ns": slot.opened_ns,
        "closed_ns": slot.closed_ns,
    }


# --- fills and money --------------------------------------------------------------------------------------------------
def _fills(before: State, entry: Any, after: State, publish: Publish, effects: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for key in _touched_orders(after, effects):
        order, known = after.orders[key], before.orders.get(key)
        lots = order.cum_lots - (known.cum_lots if known else 0)
        if lots > 0:
            yield _order_fill(publish, entry, order, known, lots, after)
    if isinstance(entry, VenueEvent) and entry.kind is EventKind.LIQUIDATION:
        yield from _liquidation(before, entry, after, publish)


def _money(publish: Publish, trade_id: str) -> dict[str, Any]:
    """Return what the ledger says of a fill that this row told: profit, fee, and the capital around them."""
    mine = [
        entry for entry in publish.entries if entry.trade_id == trade_id and entry.kind in (LedgerKind.FILL, LedgerKind.FEE)
    ]
    fills = [entry for entry in mine if entry.kind is LedgerKind.FILL]
    if not fills:
        return {"price_quality": "PENDING", "fee": None, "pnl_gross": None, "capital_before": None, "capital_after": None}
    told = [entry for entry in mine if entry.currency == fills[0].currency]
    return {
        "price_quality": max(fills, key=lambda entry: entry.quality).quality.name,
        "fee": sum(entry.fees for entry in told),
        "pnl_gross": sum(entry.realized for entry in fills),
        "capital_before": told[0].capital_before,
        "capital_after": told[-1].capital_after,
    }


def _order_fill(publish: Publish, entry: Any, order: Order, known: Order | None, lots: int, state: State) -> dict[str, Any]:
    money = _money(publish, order.trade_id)
    is_priced = known is None or order.priced_lots - known.priced_lots == lots
    notional = order.notional - (known.notional if known else 0) if is_priced else None
    slot = state.slots[order.slot_id]
    return {
        "seq": publish.seq,
        "ts": publish.ts,
        "cid": order.cid,
        "slot_id": order.slot_id if slot.trade_id == order.trade_id else -1,
        "trade_id": order.trade_id,
        "intent_id": order.intent_id,
        "decision_id": order.decision_id or None,
        "event_id": getattr(entry, "event_id", "") or publish.cause_id,
        "instrument": order.instrument,
        "side": order.side.name,
        "role": order.role.name,
        "leg_index": order.leg_index,
        "fill_lots": lots,
        "cum_lots": order.cum_lots,
        "order_lots": order.lots,
        "remaining_lots": max(order.lots - order.cum_lots, 0),
        "fill_notional": None if notional is None else str(ratio_of(notional)),
        "fill_tick": None if notional is None else _average(state, order.instrument, notional, lots),
        "liquidity": entry.liquidity.name if isinstance(entry, VenueEvent) else None,
        **money,
        "origin": "KERNEL",
    }


def _liquidation(before: State, event: VenueEvent, after: State, publish: Publish) -> Iterator[dict[str, Any]]:
    """Yield what a liquidation closed in each slot, and what it closed beyond them."""
    parts = [
        (slot_id, before.slots[slot_id].trade_id, before.slots[slot_id].size - after.slots[slot_id].size)
        for slot_id in publish.slots
    ]
    if any(entry.slot_id < 0 and entry.kind is LedgerKind.FILL for entry in publish.entries):
        parts.append((-1, "", (event.last_lots or 0) - sum(lots for _, _, lots in parts)))
    for slot_id, trade_id, lots in parts:
        if lots <= 0:
            continue
        yield {
            "seq": publish.seq,
            "ts": publish.ts,
            "cid": "",
            "slot_id": slot_id,
            "trade_id": trade_id or None,
            "event_id": event.event_id,
            "instrument": event.instrument,
            "side": event.side.name if event.side else None,
            "role": "LIQUIDATION",
            "fill_lots": lots,
            "fill_tick": float(event.last_tick or 0),
            **_money(publish, trade_id),
            "origin": "VENUE",
        }


def _ledger(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "ledger_seq": entry.seq,
        "seq": entry.input_seq,
        "ts": entry.ts,
        "trade_id": entry.trade_id or None,
        "slot_id": _slot_id(entry.slot_id),
        "event_id": entry.event_id,
        "kind": entry.kind.name,
        "currency": entry.currency,
        "cash": entry.cash,
        "position": entry.position,
        "fees": entry.fees,
        "funding": entry.funding,
        "realized": entry.realized,
        "amount": entry.amount,
        "capital_before": entry.capital_before,
        "capital_after": entry.capital_after,
        "quality": entry.quality.name,
    }


# --- the system -------------------------------------------------------------------------------------------------------
def _system_events(entry: Any, publish: Publish, effects: Sequence[Any]) -> Iterator[dict[str, Any]]:
    told: list[tuple[str, str, str | None]] = []
    if isinstance(entry, Recover):
        told.append(("START", entry.reason, ", ".join(f"{name} {kind}" for name, kind in entry.backends) or None))
    elif isinstance(entry, Control | Settle):
        told.append((type(entry).__name__.upper(), f"{entry.author}: {entry.reason}", None))
    told += [(effect.diagnostic.name, effect.text, None) for effect in effects if isinstance(effect, Alarm)]
    for number, (kind, detail, backends) in enumerate(told):
        yield {
            "seq": publish.seq,
            "number": number,
            "ts": publish.ts,
            "kind": kind,
            "detail": detail,
            "backend_kind": backends,
        }
