"""The documented limits hold from the start."""

from __future__ import annotations

from queuefront.venues.bybit.limits import default_limits
from queuefront.venues.rate_limit import RateLimiter

S = 10**9


def test_orders_keep_a_share_free_for_what_is_urgent() -> None:
    limiter = RateLimiter(default_limits(10))
    waits = [limiter.reserve(0, orders=1) for _ in range(9)]
    assert waits[:8] == [0] * 8
    assert waits[8] == S
    assert limiter.reserve(0, urgent=True) == 0


def test_an_address_has_its_own_limit() -> None:
    limiter = RateLimiter(default_limits(10))
    waits = [limiter.reserve(0, urgent=True) for _ in range(601)]
    assert waits[:600] == [0] * 600
    assert waits[600] == 5 * S
