"""Limits as the venue lists them, and as its headers count."""

from __future__ import annotations

import msgspec
import pytest

from queuefront.venues.binance.limits import RateLimitRow, default_limits, limits_of, observe
from queuefront.venues.binance.markets import Market, Product
from queuefront.venues.rate_limit import Counted, Limit, RateLimiter
from queuefront.venues.rest import Reply

S = 10**9
ROWS = b"""[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},
{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100},
{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000},
{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000},
{"rateLimitType":"SOMETHING_NEW","interval":"MINUTE","intervalNum":1,"limit":1},
{"rateLimitType":"ORDERS","interval":"FORTNIGHT","intervalNum":1,"limit":1}, {}]"""


def test_the_rows_that_are_known_become_limits() -> None:
    assert limits_of(msgspec.json.decode(ROWS, type=list[RateLimitRow])) == [
        Limit(Counted.WEIGHT, 60 * S, 6000),
        Limit(Counted.ORDERS, 10 * S, 100),
        Limit(Counted.ORDERS, 86_400 * S, 200_000),
        Limit(Counted.REQUESTS, 300 * S, 61_000),
    ]


@pytest.mark.parametrize(("product", "weight"), [(Product.SPOT, 6000), (Product.USDM, 2400), (Product.COINM, 2400)])
def test_documented_limits_hold_until_then(product: Product, weight: int) -> None:
    limits = default_limits(Market(product))
    assert limits[0] == Limit(Counted.WEIGHT, 60 * S, weight)
    assert all(limit.counted is Counted.ORDERS for limit in limits[1:])


def test_headers_are_taken_and_nonsense_is_left() -> None:
    limiter = RateLimiter(default_limits(Market(Product.USDM)))
    headers = {
        "X-MBX-USED-WEIGHT-1M": "77",
        "x-mbx-order-count-10s": "5",
        "x-mbx-order-count-1m": "many",
        "x-mbx-used-weight": "99",
    }
    observe(limiter, Reply(200, headers, b""), 0)
    assert [used for _, used in limiter.used(0)] == [77, 5, 0]
