"""The invariants of spec 5.3, checked after every step on what the step touched, and whole on request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from queuefront.kernel.codes import ROLE, SIDE, STAGE
from queuefront.kernel.enums import ENTRY_STAGES, EXIT_STAGES, FREE_STAGES
from queuefront.kernel.notional import cash_value
from queuefront.kernel.records import LedgerEntry, Spec
from queuefront.kernel.state import Book, Order, Slot, State

__all__ = ["audit", "audit_chain", "audit_step"]


def audit_step(before: State, after: State, touched: Iterable[int], entries: Iterable[LedgerEntry]) -> str:
    """Return what is wrong after one step, or an empty text. Costs what the step touched, not what there is."""
    for slot_id in touched:
        slot = after.slots[slot_id]
        if not _is_plain(after, slot):
            for finding in _findings(after, slot):
                return finding
    ends: dict[str, int] = {}
    for entry in entries:
        currency = entry.currency
        begin = ends[currency] if currency in ends else _capital(before, currency)
        if entry.capital_before != begin:
            return f"ledger entry {entry.seq:,} begins at {entry.capital_before:,}, the one before ended elsewhere"
        if entry.cash + entry.position + entry.fees != entry.realized + entry.funding:
            return f"ledger entry {entry.seq:,} does not balance: {entry}"
        ends[currency] = entry.capital_after
    for currency, end in ends.items():
        book = after.books[currency]
        if book.capital != end:
            return f"the {currency} book stands at {book.capital:,}, its ledger at {end:,}"
        if not book.is_balanced:
            return f"the {currency} book does not balance: {book}"
    if after.open_orders != len(after.live):
        return f"{after.open_orders:,} orders are counted open, {len(after.live):,} are"
    return ""


def _capital(state: State, currency: str) -> int:
    book = state.books.get(currency)
    return book.capital if book else 0


def audit_chain(entries: Iterable[LedgerEntry]) -> str:
    """Return where a ledger's chain is broken: each entry begins where the one before of its currency ended (A5)."""
    capital: dict[str, int] = {}
    seq = 0
    for entry in entries:
        if seq and entry.seq != seq + 1:
            return f"ledger entry {entry.seq:,} follows {seq:,}"
        seq = entry.seq
        if entry.capital_before != capital.get(entry.currency, entry.capital_before):
            return f"ledger entry {entry.seq:,} begins at {entry.capital_before:,}, not where the one before ended"
        capital[entry.currency] = entry.capital_after
    return ""


def audit(state: State) -> list[str]:
    """Return everything that is wrong with a state, by walking all of it."""
    found = [text for slot_id in sorted(state.slots) for text in _slot_findings(state, state.slots[slot_id])]
    found += [f"the {book.currency} book does not balance: {book}" for book in _books(state) if not book.is_balanced]
    found += _total_findings(state)
    found += _order_findings(state)
    return found


def _books(state: State) -> list[Book]:
    return [state.books[name] for name in sorted(state.books)]


def _is_plain(state: State, slot: Slot) -> bool:
    """Whether all invariants hold, in one expression: words are for the rare slot that breaks one."""
    order = state.orders.get(slot.active_order)
    if order is None:
        is_staged = (slot.stage in FREE_STAGES and not slot.size) or (slot.stage is STAGE.POSITION_OPEN and slot.size > 0)
        is_staged = is_staged and not slot.active_order
    else:
        is_staged = (
            slot.stage in (ENTRY_STAGES if order.role is ROLE.ENTRY else EXIT_STAGES)
            and (slot.size > 0 or order.role is ROLE.ENTRY)
            and order.key in state.live
            and order.trade_id == slot.trade_id
            and order.slot_id == slot.slot_id
        )
    if not is_staged or slot.size < 0 or slot.size != slot.initial_lots - slot.exit_lots:
        return False
    if slot.unsettled or slot.close_reason == "DUST":
        return False
    if not slot.instrument:
        return not slot.cost and slot.cost_lots == slot.size
    spec = state.specs[slot.instrument]
    cost = slot.cost if (slot.side is SIDE.LONG) is not spec.is_inverse else -slot.cost
    if cost < 0 or slot.cost_lots != slot.size or (cost and not slot.size):
        return False
    return _recomputed(spec, slot) == slot.realized_gross


def _recomputed(spec: Spec, slot: Slot) -> int:
    """Return profit again, from the sums over all fills: what was paid, received, and what still stands at cost (E23)."""
    value = cash_value(spec, slot.exit_notional + slot.held_notional - slot.entry_notional)
    return (value if slot.side is SIDE.LONG else -value) + (0 if spec.is_inverse else slot.cost)


def _long_cost(state: State, slot: Slot) -> int:
    """Return the cost with the sign that makes it positive: an inverse position stands at minus what it is worth."""
    is_inverse = bool(slot.instrument) and state.specs[slot.instrument].is_inverse
    return slot.cost if (slot.side is SIDE.LONG) is not is_inverse else -slot.cost


def _slot_findings(state: State, slot: Slot) -> Iterator[str]:
    if not _is_plain(state, slot):
        yield from _findings(state, slot)


def _findings(state: State, slot: Slot) -> Iterator[str]:
    name = f"slot {slot.slot_id}"
    order = state.orders.get(slot.active_order)
    is_ordered = slot.stage in ENTRY_STAGES or slot.stage in EXIT_STAGES
    if slot.size < 0:
        yield f"{name}: size {slot.size:,} is negative"
    if slot.size != slot.initial_lots - slot.exit_lots:
        yield f"{name}: size {slot.size:,} is not {slot.initial_lots:,} entered less {slot.exit_lots:,} left"
    if (slot.stage is STAGE.POSITION_OPEN or slot.stage in EXIT_STAGES) and slot.size <= 0:
        yield f"{name}: {slot.stage.name} with size {slot.size:,}"
    if slot.stage in FREE_STAGES and (slot.size or slot.active_order):
        yield f"{name}: {slot.stage.name} with size {slot.size:,} and order {slot.active_order}"
    if is_ordered and (order is None or order.is_final):
        yield f"{name}: {slot.stage.name} without a live order"
    if slot.stage is STAGE.POSITION_OPEN and slot.active_order:
        yield f"{name}: POSITION_OPEN with active order {slot.active_order}"
    if order is not None and (order.trade_id != slot.trade_id or order.slot_id != slot.slot_id):
        yield f"{name}: its order {order.cid} belongs to trade {order.trade_id!r} in slot {order.slot_id}"
    if order is not None and (order.role is ROLE.ENTRY) != (slot.stage in ENTRY_STAGES):
        yield f"{name}: {slot.stage.name} with an order of role {order.role.name}"
    yield from _money_findings(state, slot, name)


def _money_findings(state: State, slot: Slot, name: str) -> Iterator[str]:
    if slot.cost_lots < 0 or _long_cost(state, slot) < 0:
        yield f"{name}: cost {slot.cost:,} of {slot.cost_lots:,} lots"
    if not slot.unsettled and slot.cost_lots != slot.size:
        yield f"{name}: {slot.cost_lots:,} lots at cost, {slot.size:,} held"
    if not slot.cost_lots and slot.cost:
        yield f"{name}: cost {slot.cost:,} of no lots"
    if slot.instrument and not slot.unsettled and slot.close_reason != "DUST":
        again = _recomputed(state.specs[slot.instrument], slot)
        if again != slot.realized_gross:
            yield f"{name}: realized {slot.realized_gross:,}, recomputed {again:,}"


def _total_findings(state: State) -> Iterator[str]:
    slots = [state.slots[i] for i in sorted(state.slots)]
    for what, total, parts in (
        ("exposure", state.exposure, (slot.exposure for slot in slots)),
        ("margin", state.margin, (slot.margin for slot in slots)),
    ):
        counted = sum(parts)
        if total != counted:
            yield f"{what} {total:,} is not {counted:,}, the sum over the slots"
    at_cost = sum(slot.cost for slot in slots) + sum(state.holdings[name].orphan_cost for name in state.holdings)
    if state.book.position != at_cost:
        yield f"the book's position {state.book.position:,} is not {at_cost:,}, the cost of slots and orphans"
    for name in sorted(state.holdings):
        holding = state.holdings[name]
        mine = [slot for slot in slots if slot.instrument == name]
        long = sum(slot.size for slot in mine if slot.side is SIDE.LONG)
        short = sum(slot.size for slot in mine if slot.side is SIDE.SHORT)
        if (holding.long_lots, holding.short_lots) != (long, short):
            yield f"{name}: {holding.long_lots:,} long and {holding.short_lots:,} short, slots {long:,} and {short:,}"
        cost = sum(slot.cost for slot in mine)
        if holding.net_cost != cost:
            yield f"{name}: cost {holding.net_cost:,}, the slots' is {cost:,}"


def _order_findings(state: State) -> Iterator[str]:
    for key in sorted(state.orders):
        order: Order = state.orders[key]
        if order.is_final == (key in state.live):
            yield f"order {order.cid}: {order.status.name} and {'' if key in state.live else 'not '}counted as live"
        if order.priced_lots > order.cum_lots or order.cum_lots < 0:
            yield f"order {order.cid}: {order.priced_lots:,} priced of {order.cum_lots:,} filled"
        if order.venue_order_id and state.venue_ids.get(order.venue_order_id) != key:
            yield f"order {order.cid}: not found by its venue id {order.venue_order_id!r}"
    for slot_id in sorted(state.slots):
        for key in state.slots[slot_id].doubts:
            if key * 2 not in state.pending:
                yield f"slot {slot_id}: doubts order {key}, about which nobody asks"
