from __future__ import annotations

import pytest

from queuefront.paper.errors import ApiError
from queuefront.paper.limits import Limiter
from queuefront.paper.rules import rules_of
from tests.paper_market import SECOND, SPOT, USDM

MINUTE = 60 * SECOND


def test_weight_is_counted_by_the_minute_of_the_clock() -> None:
    limiter = Limiter(rules_of(USDM))
    limiter.charge(2400, MINUTE)
    with pytest.raises(ApiError) as caught:
        limiter.charge(1, MINUTE + 20 * SECOND)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 40)
    assert str(caught.value) == "-1003: Too many requests; current limit is 2400 requests per minute."
    limiter.charge(1, 2 * MINUTE)
    assert limiter.headers(2 * MINUTE, counts_orders=False) == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_who_goes_on_after_a_refusal_is_banned_for_two_minutes() -> None:
    limiter = Limiter(rules_of(SPOT))
    limiter.charge(6000, MINUTE)
    for _ in range(21):
        with pytest.raises(ApiError):
            limiter.charge(1, MINUTE)
    with pytest.raises(ApiError) as caught:
        limiter.charge(1, MINUTE + SECOND)
    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (418, -1003, 119)
    assert "IP banned until 180000." in caught.value.text
    limiter.charge(1, 3 * MINUTE)


def test_orders_are_counted_in_every_window() -> None:
    limiter = Limiter(rules_of(USDM))
    for _ in range(300):
        limiter.charge_order(MINUTE)
    with pytest.raises(ApiError) as caught:
        limiter.charge_order(MINUTE + 9 * SECOND)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    assert str(caught.value) == "-1015: Too many new orders; current limit is 300 orders per 10 SECOND."
    limiter.charge_order(MINUTE + 10 * SECOND)
    headers = limiter.headers(MINUTE + 10 * SECOND, counts_orders=True)
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "301")


def test_spot_tells_its_weight_twice_and_its_orders_by_the_day() -> None:
    limiter = Limiter(rules_of(SPOT))
    limiter.charge_order(0)
    assert limiter.headers(0, counts_orders=True) == {
        "X-MBX-USED-WEIGHT-1M": "0", "X-MBX-USED-WEIGHT": "0", "X-MBX-ORDER-COUNT-10S": "1", "X-MBX-ORDER-COUNT-1D": "1",
    }  # fmt: skip


def test_the_limits_are_listed_as_the_venue_lists_them() -> None:
    assert [(row["rateLimitType"], row["limit"]) for row in Limiter(rules_of(USDM)).table()] == [
        ("REQUEST_WEIGHT", 2400), ("ORDERS", 300), ("ORDERS", 1200),
    ]  # fmt: skip
