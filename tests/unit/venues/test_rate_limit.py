"""Requests wait for their window; the venue's count wins where it is higher; a pause is a pause."""

from __future__ import annotations

from queuefront.venues.rate_limit import Counted, Limit, RateLimiter

S = 10**9
WEIGHT = Limit(Counted.WEIGHT, 60 * S, 100)
ORDERS = Limit(Counted.ORDERS, 10 * S, 10)


def test_a_request_passes_while_there_is_room() -> None:
    limiter = RateLimiter([WEIGHT])
    assert [limiter.reserve(S, weight=40) for _ in range(2)] == [0, 0]
    assert limiter.reserve(S, weight=40) == 59 * S
    assert limiter.reserve(60 * S, weight=40) == 0


def test_a_share_is_kept_for_what_is_urgent() -> None:
    limiter = RateLimiter([WEIGHT])
    assert limiter.reserve(0, weight=80) == 0
    assert limiter.reserve(0, weight=1) > 0
    assert limiter.reserve(0, weight=20, urgent=True) == 0
    assert limiter.reserve(0, weight=1, urgent=True) > 0


def test_orders_are_counted_apart_and_the_longest_wait_counts() -> None:
    limiter = RateLimiter([WEIGHT, ORDERS], ordinary_share=1.0)
    assert [limiter.reserve(0, weight=1, orders=1) for _ in range(10)] == [0] * 10
    assert limiter.reserve(S, weight=1, orders=1) == 9 * S
    assert limiter.reserve(S, weight=90) == 0
    assert limiter.reserve(S, weight=1, orders=1) == 59 * S


def test_a_refused_request_is_not_counted() -> None:
    limiter = RateLimiter([WEIGHT, ORDERS], ordinary_share=1.0)
    limiter.observe(0, Counted.ORDERS, 10 * S, 10)
    limiter.reserve(0, weight=5, orders=1)
    assert limiter.used(0) == [(WEIGHT, 0), (ORDERS, 10)]


def test_a_request_that_exceeds_the_share_alone_goes_into_an_empty_window() -> None:
    limiter = RateLimiter([WEIGHT])
    assert limiter.reserve(0, weight=95) == 0
    assert limiter.reserve(0, weight=95) == 60 * S


def test_the_venues_count_wins_where_it_is_higher() -> None:
    limiter = RateLimiter([WEIGHT])
    limiter.reserve(0, weight=30)
    limiter.observe(0, Counted.WEIGHT, 60 * S, 20)
    assert limiter.used(0) == [(WEIGHT, 30)]
    limiter.observe(0, Counted.WEIGHT, 60 * S, 79)
    assert limiter.used(0) == [(WEIGHT, 79)]
    assert limiter.reserve(0, weight=2) == 60 * S
    limiter.observe(0, Counted.WEIGHT, 3600 * S, 10**9)  # a window that nobody keeps
    assert limiter.used(61 * S) == [(WEIGHT, 0)]


def test_raw_requests_are_counted_by_one() -> None:
    limiter = RateLimiter([Limit(Counted.REQUESTS, 300 * S, 2)], ordinary_share=1.0)
    assert [limiter.reserve(0), limiter.reserve(0), limiter.reserve(S)] == [0, 0, 299 * S]


def test_nothing_passes_during_a_pause_not_even_what_is_urgent() -> None:
    limiter = RateLimiter([WEIGHT])
    limiter.pause(0, 30 * S)
    limiter.pause(0, 10 * S)
    assert limiter.reserve(S, urgent=True) == 29 * S
    assert limiter.paused_ns(S) == 29 * S
    assert limiter.reserve(30 * S, weight=1) == 0
    assert limiter.paused_ns(31 * S) == 0


def test_a_ban_is_remembered_while_it_lasts() -> None:
    limiter = RateLimiter()
    limiter.pause(0, 100, is_ban=True)
    limiter.pause(0, 10)
    assert limiter.reserve(50) == 50
    assert limiter.is_banned
    assert limiter.reserve(100) == 0
    assert not limiter.is_banned


def test_new_limits_keep_what_was_counted() -> None:
    limiter = RateLimiter([WEIGHT])
    limiter.reserve(0, weight=30)
    raised = Limit(Counted.WEIGHT, 60 * S, 6000)
    limiter.replace([raised, ORDERS])
    assert limiter.limits == [raised, ORDERS]
    assert limiter.used(0) == [(raised, 30), (ORDERS, 0)]


def test_an_answer_to_a_request_of_the_window_before_says_nothing_of_this_one() -> None:
    limiter = RateLimiter([WEIGHT])
    assert limiter.reserve(59 * S, weight=1) == 0
    assert limiter.reserve(61 * S, weight=1) == 0
    limiter.observe(59 * S, Counted.WEIGHT, 60 * S, 99)
    assert limiter.used(61 * S) == [(WEIGHT, 1)]
    limiter.observe(61 * S, Counted.WEIGHT, 60 * S, 99)
    assert limiter.used(61 * S) == [(WEIGHT, 99)]
