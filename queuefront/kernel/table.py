"""The transition table of a slot, as data: what each input does in each stage.

A row reads: in these stages, on this input, if the guard holds, go there and answer so. Rows of one (stage, input) are
tried in the order in which they stand here, and the last of them has no guard. Quantities and money of an event are applied
before the guards are read, so that `filled` and `size` speak of what is true after it. The table alone decides the stage.
`docs/kernel.md` and its diagram are made from these rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from queuefront.kernel.enums import ENTRY_STAGES, EXIT_STAGES, FREE_STAGES, CommandKind, Diagnostic, Stage
from queuefront.venues import EventKind

__all__ = ["ROWS", "TABLE", "Guard", "Row", "TableInput"]

D = Diagnostic
E = EventKind
C = CommandKind
S = Stage

TableInput = CommandKind | EventKind


class Guard(Enum):
    """What is asked of the slot and its order after quantities were applied."""

    ALWAYS = "otherwise"
    FREE = "free"
    SAME_TRADE = "same trade id"
    ENTRY_HAS_FILLS = "filled > 0"
    SIZE_ZERO = "size = 0"
    HAS_SIZE = "size > 0"
    DUST = "less than the venue's minimum"
    CANCEL_PENDING = "cancel pending"
    MODIFY_PENDING = "modify pending"
    ORDER_LATE = "fill of an earlier order of this trade"


class Row(NamedTuple):
    """One row. `to` None means that the stage stays; `number` is the row's name in the documentation."""

    number: str
    stages: frozenset[Stage]
    on: TableInput
    guard: Guard
    to: Stage | None
    diagnostic: Diagnostic
    note: str


_ALL: Final = frozenset(Stage)
_OPEN: Final = frozenset({S.POSITION_OPEN})
_ORDERED: Final = ENTRY_STAGES | EXIT_STAGES
_UNACKED_ENTRY: Final = frozenset({S.ORDER_REQUESTED, S.ORDER_SENT})
_UNACKED_EXIT: Final = frozenset({S.EXIT_REQUESTED, S.EXIT_SENT})
_RESTING: Final = frozenset({S.ENTRY_WORKING, S.EXIT_WORKING})

_G = Guard

ROWS: Final[tuple[Row, ...]] = (
    # --- commands
    Row("1", FREE_STAGES, C.ENTER, _G.FREE, S.ORDER_REQUESTED, D.OK, "reset the slot, make the entry order"),
    Row("44", FREE_STAGES, C.ENTER, _G.ALWAYS, None, D.SLOT_UNCERTAIN, "something of the last trade is unknown"),
    Row("3", _ALL - FREE_STAGES, C.ENTER, _G.SAME_TRADE, None, D.DUPLICATE_TRADE, "nothing is reset"),
    Row("2", _ALL - FREE_STAGES, C.ENTER, _G.ALWAYS, None, D.SLOT_BUSY, ""),
    Row("21", _OPEN, C.EXIT, _G.DUST, S.CLOSED, D.OK, "less is left than the venue trades: flagged DUST, held as orphan"),
    Row("21", _OPEN, C.EXIT, _G.ALWAYS, S.EXIT_REQUESTED, D.OK, "compute the leg, make the exit order"),
    Row("29", FREE_STAGES | _UNACKED_ENTRY, C.EXIT, _G.ALWAYS, None, D.NO_OPEN_POSITION, ""),
    Row(
        "30",
        frozenset({S.ENTRY_WORKING}),
        C.EXIT,
        _G.HAS_SIZE,
        None,
        D.ENTRY_STILL_WORKING,
        "cancel the rest of the entry first",
    ),
    Row("29", frozenset({S.ENTRY_WORKING}), C.EXIT, _G.ALWAYS, None, D.NO_OPEN_POSITION, ""),
    Row("31", EXIT_STAGES, C.EXIT, _G.ALWAYS, None, D.EXIT_IN_PROGRESS, ""),
    Row("35", _ORDERED, C.CANCEL, _G.CANCEL_PENDING, None, D.CANCEL_IN_PROGRESS, ""),
    Row("32", _ORDERED, C.CANCEL, _G.ALWAYS, None, D.OK, "ask the venue to cancel"),
    Row("33", FREE_STAGES, C.CANCEL, _G.ALWAYS, None, D.SLOT_IDLE, ""),
    Row("34", _OPEN, C.CANCEL, _G.ALWAYS, None, D.NO_ACTIVE_ORDER, ""),
    Row("48", _RESTING, C.MODIFY, _G.CANCEL_PENDING, None, D.CANCEL_IN_PROGRESS, ""),
    Row("49", _RESTING, C.MODIFY, _G.MODIFY_PENDING, None, D.MODIFY_IN_PROGRESS, ""),
    Row("50", _RESTING, C.MODIFY, _G.ALWAYS, None, D.OK, "ask the venue to change the order"),
    Row("51", _UNACKED_ENTRY | _UNACKED_EXIT, C.MODIFY, _G.ALWAYS, None, D.NO_ACTIVE_ORDER, "not acknowledged yet"),
    Row("51", _OPEN, C.MODIFY, _G.ALWAYS, None, D.NO_ACTIVE_ORDER, ""),
    Row("51", FREE_STAGES, C.MODIFY, _G.ALWAYS, None, D.SLOT_IDLE, ""),
    Row("46", _ALL, C.RECONCILE, _G.ALWAYS, None, D.OK, "ask about every order, compare positions, recompute health"),
    Row("46", _ALL, C.CONTROL, _G.ALWAYS, None, D.OK, "settings; cancel_all cancels what rests"),
    Row("55", FREE_STAGES, C.SETTLE, _G.FREE, S.POSITION_OPEN, D.OK, "lots that no slot owned become its trade"),
    Row("55", FREE_STAGES, C.SETTLE, _G.ALWAYS, None, D.SLOT_UNCERTAIN, "something of the last trade is unknown"),
    Row("55", _ALL - FREE_STAGES, C.SETTLE, _G.ALWAYS, None, D.SLOT_BUSY, ""),
    # --- the order on its way
    Row(
        "5",
        frozenset({S.ORDER_REQUESTED}),
        E.ORDER_SENT,
        _G.ALWAYS,
        S.ORDER_SENT,
        D.OK,
        "the request was handed to the transport",
    ),
    Row(
        "22",
        frozenset({S.EXIT_REQUESTED}),
        E.ORDER_SENT,
        _G.ALWAYS,
        S.EXIT_SENT,
        D.OK,
        "the request was handed to the transport",
    ),
    Row("40", _ALL - {S.ORDER_REQUESTED, S.EXIT_REQUESTED}, E.ORDER_SENT, _G.ALWAYS, None, D.STALE_EVENT, ""),
    Row("6", _UNACKED_ENTRY, E.ACK, _G.ALWAYS, S.ENTRY_WORKING, D.OK, "the order rests"),
    Row("22", _UNACKED_EXIT, E.ACK, _G.ALWAYS, S.EXIT_WORKING, D.OK, "the order rests"),
    Row("7", _RESTING, E.ACK, _G.ALWAYS, None, D.DUPLICATE_EVENT, "known to rest"),
    Row("40", _OPEN | FREE_STAGES, E.ACK, _G.ALWAYS, None, D.STALE_EVENT, ""),
    Row(
        "16",
        _UNACKED_ENTRY | _UNACKED_EXIT,
        E.SUBMIT_UNKNOWN,
        _G.ALWAYS,
        None,
        D.SUBMIT_UNKNOWN,
        "look the order up by client id",
    ),
    Row(
        "16",
        _ALL - _UNACKED_ENTRY - _UNACKED_EXIT,
        E.SUBMIT_UNKNOWN,
        _G.ALWAYS,
        None,
        D.STALE_EVENT,
        "the order is known by now",
    ),
    # --- fills
    Row("25", EXIT_STAGES, E.PARTIAL_FILL, _G.SIZE_ZERO, S.CLOSED, D.OK, "whatever the leg"),
    Row("36", EXIT_STAGES, E.PARTIAL_FILL, _G.ORDER_LATE, None, D.LATE_FILL, "of an order thought to be over"),
    Row("8", ENTRY_STAGES, E.PARTIAL_FILL, _G.ALWAYS, S.ENTRY_WORKING, D.OK, "no acknowledgement needed"),
    Row("23", EXIT_STAGES, E.PARTIAL_FILL, _G.ALWAYS, S.EXIT_WORKING, D.OK, ""),
    Row("36", _OPEN, E.PARTIAL_FILL, _G.SIZE_ZERO, S.CLOSED, D.LATE_FILL, "a late exit fill took the rest"),
    Row("36", _OPEN, E.PARTIAL_FILL, _G.ALWAYS, None, D.LATE_FILL, "of an order thought to be over"),
    Row("37", FREE_STAGES, E.PARTIAL_FILL, _G.HAS_SIZE, S.POSITION_OPEN, D.LATE_FILL, "the same trade opens again"),
    Row("40", FREE_STAGES, E.PARTIAL_FILL, _G.ALWAYS, None, D.STALE_EVENT, ""),
    Row("9", ENTRY_STAGES, E.FULL_FILL, _G.HAS_SIZE, S.POSITION_OPEN, D.OK, ""),
    Row("9", ENTRY_STAGES, E.FULL_FILL, _G.ENTRY_HAS_FILLS, S.CLOSED, D.OK, "all of it was liquidated meanwhile"),
    Row("10", ENTRY_STAGES, E.FULL_FILL, _G.ALWAYS, S.IDLE, D.OK, "the venue closed an order of nothing"),
    Row("25", EXIT_STAGES, E.FULL_FILL, _G.SIZE_ZERO, S.CLOSED, D.OK, "whatever the leg"),
    Row("36", EXIT_STAGES, E.FULL_FILL, _G.ORDER_LATE, None, D.LATE_FILL, "of an order thought to be over"),
    Row("24", EXIT_STAGES, E.FULL_FILL, _G.ALWAYS, S.POSITION_OPEN, D.OK, "next leg"),
    Row("36", _OPEN, E.FULL_FILL, _G.SIZE_ZERO, S.CLOSED, D.LATE_FILL, "a late exit fill took the rest"),
    Row("36", _OPEN, E.FULL_FILL, _G.ALWAYS, None, D.LATE_FILL, "of an order thought to be over"),
    Row("37", FREE_STAGES, E.FULL_FILL, _G.HAS_SIZE, S.POSITION_OPEN, D.LATE_FILL, "the same trade opens again"),
    Row("40", FREE_STAGES, E.FULL_FILL, _G.ALWAYS, None, D.STALE_EVENT, ""),
    # --- ends without fill
    *(
        row
        for kind, number, diagnostic in (
            (E.ORDER_REJECT, ("11", "10", "28", "28"), (D.ORDER_REJECTED, D.EXIT_REJECTED)),
            (E.EXPIRED, ("11", "10", "26", "27"), (D.OK, D.OK)),
            (E.CANCEL_ACK, ("13", "12", "26", "27"), (D.OK, D.OK)),
            (E.ORDER_ABSENT, ("20", "20", "20", "20"), (D.ORDER_REJECTED, D.EXIT_REJECTED)),
        )
        for row in (
            Row(number[0], ENTRY_STAGES, kind, _G.HAS_SIZE, S.POSITION_OPEN, diagnostic[0], "the rest is dropped"),
            Row(number[1], ENTRY_STAGES, kind, _G.ENTRY_HAS_FILLS, S.CLOSED, diagnostic[0], "filled, and gone again"),
            Row(number[1], ENTRY_STAGES, kind, _G.ALWAYS, S.IDLE, diagnostic[0], "nothing was filled"),
            Row(number[3], EXIT_STAGES, kind, _G.SIZE_ZERO, S.CLOSED, diagnostic[1], ""),
            Row(
                number[2],
                EXIT_STAGES,
                kind,
                _G.ALWAYS,
                S.POSITION_OPEN,
                diagnostic[1],
                "the leg stays open unless it reached its size",
            ),
            Row("40", _OPEN | FREE_STAGES, kind, _G.ALWAYS, None, D.STALE_EVENT, ""),
        )
    ),
    # --- cancel and modify
    Row("14", _ORDERED, E.CANCEL_REJECT, _G.ALWAYS, None, D.CANCEL_REJECTED, "the order is proven live"),
    Row("40", _OPEN | FREE_STAGES, E.CANCEL_REJECT, _G.ALWAYS, None, D.STALE_EVENT, ""),
    Row("15", _ORDERED, E.CANCEL_UNKNOWN, _G.ALWAYS, None, D.CANCEL_UNKNOWN, "ask what became of it"),
    Row("40", _OPEN | FREE_STAGES, E.CANCEL_UNKNOWN, _G.ALWAYS, None, D.STALE_EVENT, ""),
    Row("52", _ORDERED, E.MODIFY_ACK, _G.ALWAYS, None, D.OK, "the order has its new terms"),
    Row("53", _ORDERED, E.MODIFY_REJECT, _G.ALWAYS, None, D.MODIFY_REJECTED, "the order keeps its terms"),
    Row("54", _ORDERED, E.MODIFY_UNKNOWN, _G.ALWAYS, None, D.MODIFY_UNKNOWN, "ask what became of it"),
    *(
        Row("40", _OPEN | FREE_STAGES, kind, _G.ALWAYS, None, D.STALE_EVENT, "")
        for kind in (E.MODIFY_ACK, E.MODIFY_REJECT, E.MODIFY_UNKNOWN)
    ),
    # --- answers to questions
    Row("20", _ALL, E.ORDER_MISSED, _G.ALWAYS, None, D.OK, "two misses, far enough apart, are an absence"),
    Row("20", _ALL, E.QUERY_FAILED, _G.ALWAYS, None, D.OK, "asked again later"),
    Row("42", _ALL, E.FILL_REPORT, _G.ALWAYS, None, D.OK, "exact price and fee of what was filled"),
    # --- money and position
    Row("41", _ALL, E.MARK_PRICE, _G.ALWAYS, None, D.OK, "unrealized profit only"),
    Row("42", _ALL, E.FEE_UPDATE, _G.ALWAYS, None, D.OK, "ledger only"),
    Row("42", _ALL, E.FUNDING, _G.ALWAYS, None, D.OK, "ledger only"),
    Row("43", _OPEN | EXIT_STAGES, E.LIQUIDATION, _G.SIZE_ZERO, S.CLOSED, D.OK, "as an exit, with its reason"),
    Row("43", _ALL - _OPEN - EXIT_STAGES, E.LIQUIDATION, _G.ALWAYS, None, D.OK, ""),
    Row("43", _OPEN | EXIT_STAGES, E.LIQUIDATION, _G.ALWAYS, None, D.OK, ""),
    Row("46", _ALL, E.POSITION_DRIFT, _G.ALWAYS, None, D.DRIFT, "quarantine; quantities are never patched"),
    Row("47", _ALL, E.UNSUPPORTED, _G.ALWAYS, None, D.UNKNOWN_EVENT, "counted, and the order asked about"),
)


def _index(rows: Iterable[Row]) -> dict[tuple[Stage, int], tuple[Row, ...]]:
    found: dict[tuple[Stage, int], tuple[Row, ...]] = {}
    for row in rows:
        for stage in row.stages:
            key = (stage, int(row.on))
            found[key] = (*found.get(key, ()), row)
    return found


#: (stage, input) -> its rows, in order.
TABLE: Final = _index(ROWS)
