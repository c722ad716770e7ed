"""The tables that follow from a journal, each defined once: every sink and the documentation are made from these.

A row is keyed by the sequence number of the journal row that it comes from, so writing it again changes nothing. Cash is
exact, in the settlement currency. Sums over fills (`notional`) are exact fractions as text, `83400` or `5/417`: of tick ×
lots, for inverse contracts of lots / tick. Average prices, in ticks, are for reading: recompute from the exact columns.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

__all__ = ["TABLES", "Column", "ColumnKind", "Table"]


class ColumnKind(Enum):
    """What a column holds."""

    INTEGER = "integer"
    CASH = "cash"
    TEXT = "text"
    EXACT = "exact fraction"
    REAL = "real"


class Column(NamedTuple):
    """One column; what has no value is null."""

    name: str
    kind: ColumnKind
    meaning: str


class Table(NamedTuple):
    """One table: what a row means, the columns that make it unique, and all columns in order."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


_I, _C, _T, _E, _R = ColumnKind

_SEQ: Final = Column("seq", _I, "the journal row that it comes from")
_TS: Final = Column("ts", _I, "when the kernel applied it, ns UTC")
_SLOT: Final = Column("slot_id", _I, "the slot, null where there is none")
_TRADE: Final = Column("trade_id", _T, "the trade, null where there is none")
_DECISION: Final = Column("decision_id", _T, "of the policy that decided it, null where unknown")
_INTENT: Final = Column("intent_id", _T, "of the command that asked for it, null where unknown")
_INSTRUMENT: Final = Column("instrument", _T, "")
_SIDE: Final = Column("side", _T, "LONG or SHORT")
_CID: Final = Column("cid", _T, "client order id")
_BEFORE: Final = Column("capital_before", _C, "capital before its ledger entry, stored and never derived")
_AFTER: Final = Column("capital_after", _C, "capital after its last ledger entry")
_CAUSE: Final = (
    Column("cause_kind", _T, "the input that caused it"),
    Column("cause_id", _T, "its intent or event id"),
)

TABLES: Final[tuple[Table, ...]] = (
    Table(
        "inputs",
        "one input of the kernel, as it stands in the journal",
        ("seq",),
        (
            _SEQ,
            Column("ts", _I, "of the input, ns UTC"),
            Column("kind", _T, "command, or what the venue said"),
            Column("subject", _T, "client order id, else intent id"),
            _SLOT,
            Column("fields", _T, "everything that it says, JSON"),
        ),
    ),
    Table(
        "outcomes",
        "what the kernel answered to one input",
        ("seq",),
        (
            _SEQ,
            _TS,
            *_CAUSE,
            Column("diagnostic", _T, "the answer"),
            Column("detail", _T, ""),
            _SLOT,
            _CID,
        ),
    ),
    Table(
        "order_events",
        "one order after one change of it",
        ("seq", "cid"),
        (
            _SEQ,
            _CID,
            _TS,
            _SLOT,
            _TRADE,
            _INTENT,
            _DECISION,
            _INSTRUMENT,
            _SIDE,
            Column("role", _T, "ENTRY or EXIT"),
            Column("leg_index", _I, "exit leg, from 0"),
            Column("order_type", _T, ""),
            Column("time_in_force", _T, ""),
            Column("limit_tick", _I, "null for a market order"),
            Column("order_lots", _I, "asked for"),
            Column("cum_lots", _I, "filled"),
            Column("priced_lots", _I, "of them, those whose price is known"),
            Column("notional", _E, "sum over the priced lots"),
            Column("average_tick", _R, "for reading"),
            Column("fee", _C, "in settlement currency"),
            Column("status", _T, ""),
            Column("cancel_state", _T, ""),
            Column("leverage", _I, ""),
            Column("venue_order_id", _T, ""),
            Column("created_ns", _I, ""),
            Column("sent_ns", _I, ""),
            Column("acked_ns", _I, ""),
            *_CAUSE,
        ),
    ),
    Table(
        "position_state",
        "one slot after one change of it",
        ("seq", "slot_id"),
        (
            _SEQ,
            _SLOT,
            _TS,
            Column("version", _I, ""),
            _TRADE,
            _INTENT,
            _DECISION,
            _INSTRUMENT,
            _SIDE,
            Column("stage", _T, ""),
            Column("health", _T, ""),
            Column("size_lots", _I, "held"),
            Column("initial_lots", _I, "entered"),
            Column("exit_lots", _I, "left"),
            Column("leg_index", _I, ""),
            Column("entry_notional", _E, "sum over the entry fills"),
            Column("entry_tick", _R, "for reading"),
            Column("exit_notional", _E, "sum over the exit fills"),
            Column("exit_tick", _R, "for reading"),
            Column("cost", _C, "what is held stands at"),
            Column("realized_gross", _C, ""),
            Column("fees", _C, ""),
            Column("funding", _C, ""),
            Column("realized", _C, "gross less fees, plus funding"),
            Column("exposure", _C, "worst case"),
            Column("margin", _C, "of it"),
            Column("leverage", _I, ""),
            Column("close_reason", _T, ""),
            Column("capital", _C, "at this version"),
            *_CAUSE,
        ),
    ),
    Table(
        "trade_events",
        "one fill: what an order of ours, or a liquidation, filled at once",
        ("seq", "cid", "slot_id"),
        (
            _SEQ,
            Column("cid", _T, "client order id, empty for a liquidation"),
            Column("slot_id", _I, "the slot, -1 where no slot took it"),
            _TS,
            _TRADE,
            _INTENT,
            _DECISION,
            Column("event_id", _T, "of the venue; joins `ledger`, also where money came later"),
            _INSTRUMENT,
            _SIDE,
            Column("role", _T, "ENTRY, EXIT or LIQUIDATION"),
            Column("leg_index", _I, "exit leg, from 0"),
            Column("fill_lots", _I, "filled by this"),
            Column("cum_lots", _I, "filled in all"),
            Column("order_lots", _I, "asked for"),
            Column("remaining_lots", _I, "of the order"),
            Column("fill_notional", _E, "null while the price is not known"),
            Column("fill_tick", _R, "for reading"),
            Column("price_quality", _T, "REPORTED, QUERIED, ESTIMATED, or PENDING"),
            Column("liquidity", _T, ""),
            Column("fee", _C, "null while pending"),
            Column("pnl_gross", _C, "null while pending"),
            _BEFORE,
            _AFTER,
            Column("origin", _T, "KERNEL for our orders, VENUE for what nobody here asked for"),
        ),
    ),
    Table(
        "trades",
        "one closed trade; again where a fee or price was corrected later, so read the last",
        ("trade_id", "seq"),
        (
            _TRADE,
            _SEQ,
            _TS,
            _SLOT,
            _INTENT,
            _DECISION,
            _INSTRUMENT,
            _SIDE,
            Column("leverage", _I, ""),
            Column("lots", _I, "entered, and left"),
            Column("entry_notional", _E, "sum over the entry fills"),
            Column("entry_tick", _R, "for reading"),
            Column("exit_notional", _E, "sum over the exit fills"),
            Column("exit_tick", _R, "for reading"),
            Column("pnl_gross", _C, ""),
            Column("fees", _C, ""),
            Column("funding", _C, ""),
            Column("pnl", _C, "gross less fees, plus funding"),
            Column("close_reason", _T, "EXIT, LIQUIDATION, DUST, …"),
            Column("opened_ns", _I, ""),
            Column("closed_ns", _I, ""),
        ),
    ),
    Table(
        "ledger",
        "one posting of the double-entry book",
        ("ledger_seq",),
        (
            Column("ledger_seq", _I, "number of the posting, from 1"),
            _SEQ,
            _TS,
            _TRADE,
            _SLOT,
            Column("event_id", _T, "what it is due to"),
            Column("kind", _T, "FILL, FEE, FEE_TRUEUP, FUNDING or ADJUST"),
            Column("currency", _T, ""),
            Column("cash", _C, ""),
            Column("position", _C, "at cost"),
            Column("fees", _C, ""),
            Column("funding", _C, ""),
            Column("realized", _C, ""),
            Column("amount", _C, "by how much capital changed"),
            _BEFORE,
            Column("capital_after", _C, ""),
            Column("quality", _T, "of its price or fee"),
        ),
    ),
    Table(
        "system_events",
        "start, control, settlement, and every alarm",
        ("seq", "number"),
        (
            _SEQ,
            Column("number", _I, "among those of one row, from 0"),
            _TS,
            Column("kind", _T, "START, CONTROL, SETTLE, or the alarm's diagnostic"),
            Column("detail", _T, ""),
            Column("backend_kind", _T, "of a START: what each component is"),
        ),
    ),
)
