"""Binance's words, all that are documented; any other is UNSUPPORTED and keeps its text where it stood.

Source: Binance developer documentation, "ENUM definitions" (spot) and "Common Definition" (futures), read 2026-07.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

__all__ = [
    "CLOSED_STATUSES",
    "Execution",
    "OrderKind",
    "OrderWords",
    "PositionSide",
    "PositionWords",
    "Status",
    "Tif",
    "word",
]


class Status(StrEnum):
    """Of an order."""

    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PENDING_CANCEL = "PENDING_CANCEL"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    NEW_INSURANCE = "NEW_INSURANCE"
    NEW_ADL = "NEW_ADL"
    UNSUPPORTED = "UNSUPPORTED"


class Execution(StrEnum):
    """What an order update reports."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"
    CALCULATED = "CALCULATED"
    AMENDMENT = "AMENDMENT"
    UNSUPPORTED = "UNSUPPORTED"


class OrderKind(StrEnum):
    """Type of an order, spot and futures together."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"
    LIQUIDATION = "LIQUIDATION"
    UNSUPPORTED = "UNSUPPORTED"


class Tif(StrEnum):
    """Time in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"
    GTE_GTC = "GTE_GTC"
    RPI = "RPI"
    UNSUPPORTED = "UNSUPPORTED"


class PositionSide(StrEnum):
    """Of a futures order or position: BOTH in one-way mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"
    UNSUPPORTED = "UNSUPPORTED"


CLOSED_STATUSES: Final = frozenset(
    {Status.FILLED, Status.CANCELED, Status.REJECTED, Status.EXPIRED, Status.EXPIRED_IN_MATCH}
)

E = TypeVar("E", Status, Execution, OrderKind, Tif, PositionSide)


def word(kind: type[E], text: object) -> E:
    """Return the word, or UNSUPPORTED; never raise."""
    found = kind.__members__.get(text) if isinstance(text, str) else None
    return kind.UNSUPPORTED if found is None else found


class PositionWords:
    """The words of a message about a position, read; for a record that keeps their text."""

    __slots__ = ()
    position_side_text: str

    @property
    def position_side(self) -> PositionSide:
        """The position side, or UNSUPPORTED."""
        return word(PositionSide, self.position_side_text)


class OrderWords(PositionWords):
    """The words of a message about an order, read; for a record that keeps their text."""

    __slots__ = ()
    status_text: str
    type_text: str
    tif_text: str | None

    @property
    def status(self) -> Status:
        """The status, or UNSUPPORTED."""
        return word(Status, self.status_text)

    @property
    def kind(self) -> OrderKind:
        """The type, or UNSUPPORTED."""
        return word(OrderKind, self.type_text)

    @property
    def tif(self) -> Tif:
        """The time in force, or UNSUPPORTED."""
        return word(Tif, self.tif_text)
