"""Bybit's request limits: requests of an address, and orders of an account.

Source: Bybit API v5 documentation, "Rate Limit Rules", read 2026-07. Its headers count each endpoint by itself, and so do
not say how much of our common count is used; where an endpoint is used up they say until when, which `errors` reads.
"""

from __future__ import annotations

from queuefront.core.clock import NS_PER
from queuefront.venues.rate_limit import Counted, Limit

__all__ = ["default_limits"]


def default_limits(orders_per_s: int) -> list[Limit]:
    """Return the documented limits: 600 requests in 5 s for an address, and the account's own for orders."""
    second = NS_PER["s"]
    return [Limit(Counted.REQUESTS, 5 * second, 600), Limit(Counted.ORDERS, second, orders_per_s)]
