"""Entry latencies of cancels and modifies, and funding, told as short stories to the naive engine."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from queuefront.core import Instrument
from queuefront.core.enums import CANCELED, EXPIRED, NEW, NONE
from tests.naive.engine import NaiveEngine
from tests.naive.latency import ConstantLatency
from tests.naive.money import Funding
from tests.scenario.naive_story import ASK, BID, BOOK, LATE, buy, fills, sell, story


# --- latencies by request -----------------------------------------------------------------------------------------------
def waiting(latency: ConstantLatency) -> NaiveEngine:
    """Return a story whose order rests since long; the clock is at 200."""
    hbt = story(*BOOK, LATE, latency=latency)
    hbt.elapse(0)
    buy(hbt, 1, 97, 3)
    assert hbt.elapse(100) == 0
    return hbt


def test_each_kind_of_request_has_its_own_latency():
    hbt = waiting(ConstantLatency(10, 5, cancel_ns=2, modify_ns=30))
    hbt.modify(0, 1, 97, 2, True)
    assert hbt.order_latency(0) == (200, 230, 235)
    hbt.cancel(0, 1, True)
    assert hbt.order_latency(0) == (235, 237, 242)


def test_a_latency_that_is_not_given_is_that_of_new_orders():
    hbt = waiting(ConstantLatency(10, 5))
    hbt.modify(0, 1, 97, 2, True)
    hbt.cancel(0, 1, True)
    assert hbt.order_latency(0) == (215, 225, 230)


def test_a_fast_cancel_does_not_overtake_a_slow_modify():
    hbt = waiting(ConstantLatency(10, 5, cancel_ns=0, modify_ns=30))
    buy(hbt, 2, 97, 1)
    hbt.cancel(0, 1, False)  # arrives with order 2, at 210, and behind it
    hbt.elapse(14)
    assert [hbt.orders(0).get(i).status for i in (1, 2)] == [NEW, NONE]
    hbt.elapse(1)
    assert [hbt.orders(0).get(i).status for i in (1, 2)] == [CANCELED, NEW]
    assert hbt.orders(0).get(1).exch_timestamp == 210


def test_only_cancels_may_be_refused_on_the_way():
    hbt = waiting(ConstantLatency(10, 5, cancel_ns=-7))
    hbt.cancel(0, 1, False)
    hbt.elapse(7)
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.cancellable) == (NEW, NONE, True)
    hbt = waiting(ConstantLatency(-7, 5, cancel_ns=10))
    assert hbt.orders(0).get(1).status == EXPIRED


# --- funding ------------------------------------------------------------------------------------------------------------
LINEAR = Instrument("venue", "LIN", "0.5", "0.25", multiplier="3")
INVERSE = Instrument("venue", "INV", "0.5", "1", contract="inverse", multiplier="100")


def long_since_120(instrument: Instrument, *funding: Funding, lots: int = 4) -> NaiveEngine:
    """Return a story in which we buy at 101; we learn of it at 120, and the clock is at 100."""
    hbt = story(*BOOK, (150, BID, 99, 5), LATE, instrument=instrument, funding=funding)
    hbt.elapse(0)
    buy(hbt, 1, 101, float(instrument.lots_to_qty(lots)))
    return hbt


def test_a_long_position_pays_a_positive_rate_once():
    hbt = long_since_120(LINEAR, Funding(130, Decimal("100.7"), Decimal("0.01")))
    hbt.elapse(29)
    before = hbt.account(0).cash
    assert before == -3 * 101
    hbt.elapse(1)
    # 1 × 100.7 × 3 × 0.01 = 3.021; cash counts in steps of 3 × 0.5 × 0.25 = 0.375: 8.056 of them.
    assert hbt.account(0).cash - before == -8 * Fraction("0.375")
    hbt.elapse(50)
    assert hbt.account(0).cash - before == -3
    assert (hbt.account(0).num_trades, hbt.account(0).fee, hbt.account(0).value) == (1, 0, 303)


def test_a_payment_is_rounded_half_away_from_zero():
    for rate, steps in (("0.0125", -4), ("-0.0125", 4), ("0.0124", -3), ("0.01", -3)):
        # 1 × 35 × 3 × rate in steps of 0.375 is 280 × rate: 3.5, -3.5, 3.472, 2.8.
        hbt = long_since_120(LINEAR, Funding(130, Decimal(35), Decimal(rate)))
        hbt.elapse(30)
        assert hbt.account(0).cash + 303 == steps * Fraction("0.375")


def test_a_short_position_is_paid():
    hbt = story(*BOOK, LATE, instrument=LINEAR, funding=(Funding(130, Decimal(100), Decimal("0.01")),))
    hbt.elapse(0)
    sell(hbt, 1, 99, 1)
    hbt.elapse(30)
    assert hbt.account(0).cash == 297 + 3


def test_what_a_long_inverse_position_pays_lowers_its_equity():
    hbt = long_since_120(INVERSE, Funding(130, Decimal(100), Decimal("0.01")), lots=5)
    hbt.elapse(29)
    before = hbt.account(0).cash
    hbt.elapse(1)
    # 5 × 100 / 100 × 0.01 = 0.05 of the base currency; equity is the negative of the balance, and so on.
    assert hbt.account(0).cash - before == Fraction(5, 100)


def test_the_position_is_that_which_we_know_of_at_that_time():
    at_119, at_120 = (long_since_120(LINEAR, Funding(ts, Decimal(100), Decimal("0.01"))) for ts in (119, 120))
    for hbt in (at_119, at_120):
        hbt.elapse(500)
    assert (at_119.account(0).cash, at_120.account(0).cash) == (-303, -306)


def test_several_payments_within_one_call_come_in_their_order():
    payments = [Funding(ts, Decimal(100), Decimal("0.01")) for ts in (140, 110, 130)]
    hbt = long_since_120(LINEAR, *payments)
    hbt.elapse(35)
    assert hbt.account(0).cash == -306
    hbt.elapse(500)
    assert hbt.account(0).cash == -309


def test_a_payment_after_the_last_event_is_made_only_if_the_clock_gets_there():
    hbt = long_since_120(LINEAR, Funding(99_999, Decimal(100), Decimal("0.01")), Funding(100_001, Decimal(100), Decimal(1)))
    assert hbt._goto_end() == 1
    assert hbt.account(0).cash == -306


@pytest.mark.parametrize("rows", [(), ((200, ASK, 101, 9),)])
def test_funding_changes_nothing_but_cash(rows):
    plain = story(*BOOK, *rows, LATE, instrument=LINEAR)
    funded = story(*BOOK, *rows, LATE, instrument=LINEAR, funding=(Funding(150, Decimal(100), Decimal("0.01")),))
    seen = []
    for hbt in (plain, funded):
        hbt.elapse(0)
        buy(hbt, 1, 101, 1)
        codes = [hbt.wait_next_feed(True, 70) for _ in range(4)]
        seen.append((codes, hbt.current_timestamp, fills(hbt), hbt.position(0), hbt.order_latency(0)))
    assert seen[0] == seen[1]
