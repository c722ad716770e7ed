from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace

from queuefront.kernel import Diagnostic, ratio_of
from queuefront.venues import EventKind, Source
from tests.kernel_story import UNIT, Story, config

E = EventKind


def test_the_sum_of_all_fills_prices_several_that_came_without_price() -> None:
    """E12"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    for cum, last in ((4, 4), (10, 6)):
        story.event(E.PARTIAL_FILL, cid, cum_lots=cum, last_lots=last, last_tick=0, fee=1)
    assert story.slot().entry_notional == 0
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=10, cum_notional=1_003, cum_fee=2)
    assert (story.slot().entry_notional, story.capital) == (1_003, -2)


def test_a_fill_behind_one_without_price_waits_for_it() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.PARTIAL_FILL, cid, cum_lots=4, last_lots=4, last_tick=0, fee=0)
    story.fill(10, 6, 100, cid)
    assert (story.slot().size, story.entries) == (10, [])
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=10, cum_notional=1_004, cum_fee=0)
    assert [entry.cash for entry in story.entries] == [-404 * 10**6, -600 * 10**6]


def test_a_report_of_more_than_we_were_told_is_as_good_as_a_fill() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    answer = story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=4, cum_notional=404, cum_fee=1)
    assert answer is Diagnostic.OK
    assert (story.slot().size, story.slot().entry_notional) == (4, 404)


def test_a_report_that_is_older_than_what_we_know_is_left_alone() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.fill(4, 4, 100, cid)
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=3, cum_notional=1, cum_fee=9)
    assert (story.slot().entry_notional, story.capital) == (400, 0)


def test_a_late_correction_is_shared_between_what_was_sold_and_what_is_held() -> None:
    story = Story()
    story.enter(lots=10, exit_legs=((1, 2), (1, 1)))
    cid = story.place.cid
    story.event(E.FULL_FILL, cid, cum_lots=10, last_lots=10, last_tick=0, fee=0)
    for _ in range(6):
        story.tick(31)
    story.close(8_340)
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=10, cum_notional=10 * 8_000, cum_fee=0)
    assert story.slot().realized_gross == 5 * 340 * 10**6
    story.close(8_340)
    assert story.slot().realized_gross == 10 * 340 * 10**6


@pytest.mark.parametrize("is_inverse", [False, True])
def test_lots_without_price_do_not_answer_for_a_wrong_estimate_of_others(is_inverse: bool) -> None:
    story = Story(specs=(replace(config().specs[0], is_inverse=is_inverse),))
    story.apply_event(E.MARK_PRICE, instrument="TRX", price_tick=5_000 if is_inverse else 12_000)
    story.enter(lots=5)
    cid = story.place.cid
    story.event(E.PARTIAL_FILL, cid, cum_lots=4, fee=0)
    for _ in range(12):
        story.tick(30)
    (order,) = story.engine.state.orders.values()
    assert order.estimated_lots == 4
    story.apply_event(E.LIQUIDATION, instrument="TRX", side=story.slot().side, last_lots=4, last_tick=8_000)
    story.event(E.FULL_FILL, cid, cum_lots=5, fee=0)
    told = {"cum_fills": ((5, 8_000),)} if is_inverse else {"cum_notional": 5 * 8_000}
    story.event(E.FILL_REPORT, cid, cum_lots=5, cum_fee=0, **told)
    slot = story.slot()
    assert story.engine.state.halted == ""
    # All at 8,000: what was liquidated earned nothing, and what is left stands at its price.
    assert (slot.cost_lots, slot.realized_gross) == (1, 0)
    assert abs(slot.cost) == (UNIT // 8_000 if is_inverse else 8_000 * UNIT)
    assert ratio_of(slot.entry_notional) == (Fraction(5, 8_000) if is_inverse else 5 * 8_000)


@pytest.mark.parametrize("is_inverse", [False, True])
def test_an_estimate_that_was_far_off_leaves_no_cost_below_nothing(is_inverse: bool) -> None:
    story = Story(specs=(replace(config().specs[0], is_inverse=is_inverse),))
    story.apply_event(E.MARK_PRICE, instrument="TRX", price_tick=500 if is_inverse else 100_000)
    story.enter(lots=20)
    entry = story.place.cid
    story.event(E.PARTIAL_FILL, entry, cum_lots=10, fee=0)
    for _ in range(12):
        story.tick(30)
    story.event(E.CANCEL_ACK, entry, cum_lots=10)
    story.exit(lots=9)
    story.fill(9, 9, 8_000, story.place.cid, kind=E.FULL_FILL)
    story.fill(20, 10, 8_000, entry)
    told = {"cum_fills": ((20, 8_000),)} if is_inverse else {"cum_notional": 20 * 8_000}
    story.event(E.FILL_REPORT, entry, cum_lots=20, cum_fee=0, **told)
    assert story.engine.state.halted == ""
    assert story.slot().cost == 0
    while story.slot().size:
        story.close(tick=8_000)
    # Bought and sold at one price in the end, whatever was thought meanwhile.
    assert (story.capital + sum(entry.fees for entry in story.entries), story.engine.state.book.position) == (0, 0)
