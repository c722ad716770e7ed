from __future__ import annotations

import pytest

from queuefront.kernel import Diagnostic, Limits, Mark
from queuefront.kernel.limits import DAY_NS
from queuefront.venues import EventKind
from tests.kernel_story import CAPITAL, SECOND, UNIT, Story

D = Diagnostic
E = EventKind


@pytest.mark.parametrize(
    ("limits", "changes", "expected"),
    [
        (Limits(max_notional=99 * 8_340 * UNIT), {}, D.LIMIT_NOTIONAL),
        (Limits(max_notional=100 * 8_340 * UNIT), {}, D.OK),
        (Limits(max_open_orders=0), {}, D.LIMIT_OPEN_ORDERS),
        (Limits(max_price_distance_ppm=1_000), {"limit_tick": 8_349}, D.LIMIT_PRICE_DISTANCE),
        (Limits(max_price_distance_ppm=1_000), {"limit_tick": 8_348}, D.OK),
        (Limits(max_daily_loss=0), {}, D.LIMIT_DAILY_LOSS),
        (Limits(max_leverage=1), {"lots": 4_000_000, "leverage": 9}, D.LIMIT_LEVERAGE),
        (Limits(), {"lots": 4_000_000}, D.LIMIT_MARGIN),
        (Limits(), {"lots": 4_000_000, "leverage": 9}, D.OK),
    ],
)
def test_each_limit_has_its_own_answer_and_its_edge(limits: Limits, changes: dict[str, int], expected: Diagnostic) -> None:
    story = Story(limits=limits)
    assert story.enter(**changes) is expected
    assert bool(story.sent) is (expected is D.OK)


def test_an_order_of_unknown_fate_counts_at_its_worst_in_every_limit() -> None:
    story = Story(limits=Limits(max_notional=150 * 8_340 * UNIT, max_open_orders=1))
    story.enter()
    story.event(E.SUBMIT_UNKNOWN)
    assert story.engine.state.exposure == 100 * 8_340 * UNIT
    assert story.enter("t2", 1) is D.LIMIT_NOTIONAL
    assert story.enter("t2", 1, lots=1) is D.LIMIT_OPEN_ORDERS


def test_a_changed_order_counts_at_the_worse_of_its_old_and_new_terms() -> None:
    story = Story(limits=Limits(max_notional=150 * 8_340 * UNIT))
    story.enter(limit_tick=8_340)
    story.event(E.ACK, cum_lots=0)
    assert story.modify(lots=151) is D.LIMIT_NOTIONAL
    assert story.modify(lots=150) is D.OK
    assert story.engine.state.exposure == 150 * 8_340 * UNIT


def test_the_order_rate_refills_evenly_and_never_holds_an_exit_back() -> None:
    story = Story(limits=Limits(max_orders=2, order_window_ns=SECOND))
    story.open(lots=10)
    assert story.enter("b", 1) is D.OK
    assert story.enter("c", 2) is D.LIMIT_ORDER_RATE
    assert story.exit() is D.OK
    story.now += 2 * SECOND
    assert story.enter("c", 2) is D.OK


def test_the_loss_of_a_day_counts_marks_and_begins_anew_at_midnight() -> None:
    story = Story(limits=Limits(max_daily_loss=10 * 50 * UNIT))
    story.now = DAY_NS // 2
    story.open(lots=10)
    assert story.apply(Mark(ts=story.now, instrument="TRX", tick=8_340 - 49)) is D.OK
    assert story.enter("b", 1) is D.OK
    story.apply(Mark(ts=story.now, instrument="TRX", tick=8_340 - 50))
    assert story.enter("c", 2) is D.LIMIT_DAILY_LOSS
    story.now += DAY_NS
    assert story.enter("c", 2) is D.OK


def test_a_reference_far_from_the_mark_is_refused() -> None:
    story = Story(limits=Limits(max_price_distance_ppm=10_000))
    story.apply(Mark(ts=1, instrument="TRX", tick=8_340))
    assert story.enter(reference_tick=8_500) is D.LIMIT_PRICE_DISTANCE
    assert story.enter(reference_tick=8_400) is D.OK


def test_without_capital_nothing_is_entered() -> None:
    story = Story(start_capital=0)
    assert story.enter(lots=1) is D.LIMIT_MARGIN
    assert CAPITAL > 0


def test_exposure_counts_what_is_held_and_margin_rounds_up() -> None:
    story = Story()
    story.open(lots=10, tick=100, leverage=3)
    assert story.engine.state.exposure == 10 * 100 * UNIT
    assert story.engine.state.margin == -(-10 * 100 * UNIT // 3)
    assert story.engine.state.margin * 3 > story.engine.state.exposure
