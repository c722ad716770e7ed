"""Binance's request limits: as `exchangeInfo` lists them, and as each answer's headers count them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from queuefront.core.clock import NS_PER
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.rate_limit import Counted, Limit, RateLimiter
from queuefront.venues.rest import Reply

__all__ = ["RateLimitRow", "default_limits", "limits_of", "observe"]


class RateLimitRow(msgspec.Struct, rename="camel"):
    """One of `rateLimits`."""

    rate_limit_type: str = ""
    interval: str = ""
    interval_num: int = 0
    limit: int = 0
    count: int | None = None


_KINDS: Final = {"REQUEST_WEIGHT": Counted.WEIGHT, "ORDERS": Counted.ORDERS, "RAW_REQUESTS": Counted.REQUESTS}
_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
_HEADER: Final = re.compile(r"x-mbx-(used-weight|order-count)-(\d{1,4})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HEADER_KINDS: Final = {"used-weight": Counted.WEIGHT, "order-count": Counted.ORDERS}
_COUNT: Final = re.compile(r"\d{1,12}")


def default_limits(market: Market) -> list[Limit]:
    """Return the documented limits, which hold until the venue lists its own."""
    second, minute = NS_PER["s"], 60 * NS_PER["s"]
    if market.product is Product.SPOT:
        return [Limit(Counted.WEIGHT, minute, 6000), Limit(Counted.ORDERS, 10 * second, 50)]
    return [
        Limit(Counted.WEIGHT, minute, 2400),
        Limit(Counted.ORDERS, 10 * second, 300),
        Limit(Counted.ORDERS, minute, 1200),
    ]


def limits_of(rows: Iterable[RateLimitRow]) -> list[Limit]:
    """Return the limits of `exchangeInfo`; rows of a kind or interval that nobody knows are left out."""
    return [
        Limit(_KINDS[row.rate_limit_type], row.interval_num * _SECONDS[row.interval] * NS_PER["s"], row.limit)
        for row in rows
        if row.rate_limit_type in _KINDS and row.interval in _SECONDS and row.interval_num > 0 and row.limit > 0
    ]


def observe(limiter: RateLimiter, reply: Reply, sent_ns: int) -> None:
    """Tell the limiter what the headers of an answer to a request of `sent_ns` count."""
    for name, value in reply.headers.items():
        match = _HEADER.fullmatch(name.lower())
        if match is not None and _COUNT.fullmatch(value):
            limiter.observe(sent_ns, _HEADER_KINDS[match[1]], int(match[2]) * _UNITS[match[3]] * NS_PER["s"], int(value))
