"""The constants of `hftbacktest.order`."""

from __future__ import annotations

from queuefront.core.enums import (
    BUY,
    CANCELED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTX,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    NONE,
    PARTIALLY_FILLED,
    REJECTED,
    SELL,
    UNSUPPORTED,
)

__all__ = [
    "BUY",
    "CANCELED",
    "EXPIRED",
    "FILLED",
    "FOK",
    "GTC",
    "GTX",
    "IOC",
    "LIMIT",
    "MARKET",
    "NEW",
    "NONE",
    "PARTIALLY_FILLED",
    "REJECTED",
    "SELL",
    "UNSUPPORTED",
]
