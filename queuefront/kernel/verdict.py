"""What a simulated run must come to: everything at rest, kernel and venue of one mind, and a journal that says the same."""

from __future__ import annotations

from queuefront.kernel.actor import NAMES
from queuefront.kernel.audit import audit_chain
from queuefront.kernel.codec import encode_state
from queuefront.kernel.engine import replay
from queuefront.kernel.enums import Health
from queuefront.kernel.journal import MemoryJournal
from queuefront.kernel.notional import amount_of, ratio_of
from queuefront.kernel.records import LedgerEntry, Publish
from queuefront.kernel.state import State, initial_state
from queuefront.venues import MockExchange, Side

__all__ = ["Violation", "agree", "check_replay", "unrest"]


class Violation(Exception):  # noqa: N818 a finding about the kernel, not an error of the simulator
    """Something that must never be true was true."""


def unrest(state: State, messages: int) -> str:
    """Return what is not at rest yet, or an empty text."""
    if state.recovering or state.pending or state.parked or messages or state.live:
        return (
            f"recovering {state.recovering}, asking {list(state.pending.values())}, parked {state.parked}, "
            f"live {[state.orders[key] for key in state.live]}, messages {messages}"
        )
    for slot_id in sorted(state.slots):
        slot = state.slots[slot_id]
        if slot.health is not Health.OK or slot.unsettled:
            return f"slot {slot}"
    if any(state.holdings[name].mismatches for name in state.holdings):
        return "positions being compared"
    return "" if state.last_snapshot >= 0 and not state.needs_snapshot else "no snapshot yet"


def agree(state: State, venue: MockExchange) -> None:
    """Compare with the venue: orders, positions, money, to the last unit."""
    for cid, theirs in venue.orders.items():
        key = int(cid.rpartition("-")[2], 36)
        ours = state.orders.get(key)
        if ours is None:
            continue
        mine = (ours.cum_lots, ratio_of(ours.notional), ours.is_final)
        told = sum(ratio_of(amount_of(state.specs[ours.instrument], tick, lots)) for lots, tick in theirs.fills)
        if mine != (theirs.cum_lots, told, not theirs.is_live):
            raise Violation(f"order {cid}: here {mine}, at the venue {theirs}")
        if ours.fee != theirs.cum_fee:
            raise Violation(f"order {cid}: fee {ours.fee:,} here, {theirs.cum_fee:,} at the venue")
    for name in NAMES:
        holding = state.holdings.get(name)
        ours_lots = holding.long_lots - holding.short_lots + holding.orphan_lots if holding else 0
        theirs_lots = sum(side.sign * venue.positions.get((name, side), 0) for side in Side)
        if ours_lots != theirs_lots:
            raise Violation(f"{name}: {ours_lots:,} lots here, {theirs_lots:,} at the venue")
    book = state.book
    cash = state.config.start_capital + venue.cash - venue.fees_paid + venue.funding_paid
    # Sums of inverse fills are ratios; each fill may leave a rounding of one unit, and not more.
    is_cash_equal = abs(book.cash - cash) <= venue.inverse_fills
    if not is_cash_equal or (book.fees, book.funding) != (venue.fees_paid, venue.funding_paid):
        raise Violation(f"cash {book.cash:,}, fees {book.fees:,}, funding {book.funding:,}; by the venue {int(cash):,}, "
                        f"{venue.fees_paid:,}, {venue.funding_paid:,}")  # fmt: skip


def check_replay(journal: MemoryJournal, live: State) -> None:
    """Replaying the whole journal gives the same bytes, and a ledger whose chain holds."""
    state = initial_state(journal.config)
    entries: list[LedgerEntry] = []
    for after, _, effects in replay(state, journal.rows()):
        state = after
        entries += (entry for effect in effects if isinstance(effect, Publish) for entry in effect.entries)
    if encode_state(state) != encode_state(live):
        raise Violation("replaying the journal gives another state")
    if broken := audit_chain(entries):
        raise Violation(broken)
