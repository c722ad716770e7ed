"""Bybit's words, all that are documented; any other is UNSUPPORTED and keeps its text where it stood.

Source: Bybit API v5 documentation, "Enums Definitions", read 2026-07.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

__all__ = [
    "CLOSED_STATUSES",
    "FOREIGN_EXECUTIONS",
    "ExecKind",
    "OrderKind",
    "PositionSide",
    "Side",
    "Status",
    "Tif",
    "word",
]


class Status(StrEnum):
    """Of an order. Cancelled may have fills."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    FILLED = "Filled"
    CANCELED = "Cancelled"
    PARTIALLY_FILLED_CANCELED = "PartiallyFilledCanceled"
    REJECTED = "Rejected"
    DEACTIVATED = "Deactivated"
    UNSUPPORTED = "UNSUPPORTED"


class Side(StrEnum):
    """Of an order or a fill."""

    BUY = "Buy"
    SELL = "Sell"
    UNSUPPORTED = "UNSUPPORTED"


class PositionSide(StrEnum):
    """Of a position; empty is flat."""

    BUY = "Buy"
    SELL = "Sell"
    FLAT = ""
    UNSUPPORTED = "UNSUPPORTED"


class OrderKind(StrEnum):
    """Type of an order; a conditional one is of these with a trigger price."""

    LIMIT = "Limit"
    MARKET = "Market"
    UNSUPPORTED = "UNSUPPORTED"


class Tif(StrEnum):
    """Time in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"
    RPI = "RPI"
    UNSUPPORTED = "UNSUPPORTED"


class ExecKind(StrEnum):
    """What an execution is."""

    TRADE = "Trade"
    ADL_TRADE = "AdlTrade"
    FUNDING = "Funding"
    BUST_TRADE = "BustTrade"
    DELIVERY = "Delivery"
    SETTLE = "Settle"
    BLOCK_TRADE = "BlockTrade"
    MOVE_POSITION = "MovePosition"
    FUTURE_SPREAD = "FutureSpread"
    CORPORATE_ACTION = "CorporateAction"
    UNSUPPORTED = "UNSUPPORTED"


CLOSED_STATUSES: Final = frozenset(
    {Status.FILLED, Status.CANCELED, Status.PARTIALLY_FILLED_CANCELED, Status.REJECTED, Status.DEACTIVATED}
)

#: Fills of orders that the venue itself makes: liquidation, auto-deleveraging, delivery, settlement.
FOREIGN_EXECUTIONS: Final = frozenset({ExecKind.ADL_TRADE, ExecKind.BUST_TRADE, ExecKind.DELIVERY, ExecKind.SETTLE})

E = TypeVar("E", Status, Side, PositionSide, OrderKind, Tif, ExecKind)


def word(kind: type[E], text: object) -> E:
    """Return the word, or UNSUPPORTED; never raise."""
    if not isinstance(text, str):
        return kind.UNSUPPORTED
    try:
        return kind(text)
    except ValueError:
        return kind.UNSUPPORTED
