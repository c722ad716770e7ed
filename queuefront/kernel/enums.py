"""The codes of the execution kernel. Values are written into journals: they are never renumbered and never reused."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = [
    "ENTRY_STAGES",
    "EXIT_STAGES",
    "FINAL_STATUSES",
    "FREE_STAGES",
    "CancelState",
    "CommandKind",
    "Diagnostic",
    "Health",
    "LedgerKind",
    "OrderStatus",
    "PriceQuality",
    "SettleAction",
    "Stage",
    "VenueOutcome",
]


class Stage(IntEnum):
    """Where a slot stands in the life of its trade."""

    IDLE = 0
    ORDER_REQUESTED = 1
    ORDER_SENT = 2
    ENTRY_WORKING = 3
    POSITION_OPEN = 4
    EXIT_REQUESTED = 5
    EXIT_SENT = 6
    EXIT_WORKING = 7
    CLOSED = 8


FREE_STAGES: Final = frozenset({Stage.IDLE, Stage.CLOSED})
ENTRY_STAGES: Final = frozenset({Stage.ORDER_REQUESTED, Stage.ORDER_SENT, Stage.ENTRY_WORKING})
EXIT_STAGES: Final = frozenset({Stage.EXIT_REQUESTED, Stage.EXIT_SENT, Stage.EXIT_WORKING})


class Health(IntEnum):
    """How much a slot may be believed: UNCERTAIN while something is unknown, QUARANTINED when something contradicts."""

    OK = 0
    UNCERTAIN = 1
    QUARANTINED = 2


class CommandKind(IntEnum):
    """What a caller can ask for."""

    ENTER = 1
    EXIT = 2
    CANCEL = 3
    MODIFY = 4
    RECONCILE = 5
    CONTROL = 6
    SETTLE = 7


class SettleAction(IntEnum):
    """What becomes of lots at the venue that no slot owns; see `orphans.py`."""

    ADOPT = 1
    CLOSE = 2
    BOOK = 3


class OrderStatus(IntEnum):
    """What is known of an order."""

    REQUESTED = 1
    SENT = 2
    NEW = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELED = 6
    REJECTED = 7
    EXPIRED = 8
    UNKNOWN = 9
    ABSENT = 10


FINAL_STATUSES: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.ABSENT}
)


class CancelState(IntEnum):
    """How far a cancel came; the four UNKNOWN ones remember what the venue answered to it."""

    NONE = 0
    REQUESTED = 1
    CONFIRMED = 2
    REFUSED = 3
    UNKNOWN = 4
    UNKNOWN_AFTER_SUCCESS = 5
    UNKNOWN_AFTER_NOT_FOUND = 6
    UNKNOWN_AFTER_REFUSAL = 7


class LedgerKind(IntEnum):
    """Why money moved."""

    FILL = 1
    FEE = 2
    FEE_TRUEUP = 3
    FUNDING = 4
    ADJUST = 5


class PriceQuality(IntEnum):
    """Where a price or fee comes from."""

    REPORTED = 1
    QUERIED = 2
    ESTIMATED = 3
    PENDING = 4


class VenueOutcome(IntEnum):
    """What became of a request at the venue: done, refused, or unknown."""

    NONE = 0
    PLACED = 1
    REJECTED = 2
    UNKNOWN = 3
    CANCELLED = 4
    NOT_CANCELLED = 5
    MODIFIED = 6
    NOT_MODIFIED = 7


class Diagnostic(IntEnum):
    """What the kernel answers; `docs/kernel.md` says what each asks for."""

    OK = 0
    SLOT_BUSY = 1
    NO_OPEN_POSITION = 2
    NO_ACTIVE_EXIT_ORDER = 3
    CANCEL_REJECTED = 4
    INVALID_INTENT = 5
    UNKNOWN_INSTRUMENT = 6
    SLOT_OUT_OF_RANGE = 7
    SLOT_IDLE = 8
    NO_ACTIVE_ORDER = 9
    ORDER_ALREADY_FINAL = 10
    CANCEL_IN_PROGRESS = 11
    DUPLICATE_TRADE = 12
    DUPLICATE_INTENT = 13
    DUPLICATE_EVENT = 14
    STALE_EVENT = 15
    UNKNOWN_EVENT = 16
    STALE_ACCOUNT = 17
    ENTRY_STILL_WORKING = 18
    EXIT_IN_PROGRESS = 19
    ORDER_REJECTED = 20
    EXIT_REJECTED = 21
    RATE_LIMITED = 22
    SUBMIT_UNKNOWN = 23
    CANCEL_UNKNOWN = 24
    SLOT_UNCERTAIN = 25
    SLOT_QUARANTINED = 26
    LATE_FILL = 27
    ORPHAN_FILL = 28
    OVERFILL = 29
    PRICE_PENDING = 30
    DRIFT = 31
    EVENT_FAILED = 32
    ENTRIES_DISABLED = 33
    KERNEL_CLOSED = 34
    STALE_SLOT = 35
    EXITS_DISABLED = 36
    HALTED = 37
    RECOVERING = 38
    MODIFY_REJECTED = 39
    MODIFY_IN_PROGRESS = 40
    MODIFY_UNKNOWN = 41
    FOREIGN_ORDER = 42
    STALE_SNAPSHOT = 43
    INSTRUMENT_BLOCKED = 44
    LIMIT_NOTIONAL = 50
    LIMIT_LEVERAGE = 51
    LIMIT_OPEN_ORDERS = 52
    LIMIT_ORDER_RATE = 53
    LIMIT_PRICE_DISTANCE = 54
    LIMIT_DAILY_LOSS = 55
    LIMIT_MARGIN = 56
    JOURNAL_FAILED = 60
    LATE_ORDER = 61
