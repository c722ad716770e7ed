from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace

from queuefront.kernel import Diagnostic, LedgerEntry, LedgerKind, Stage, initial_state
from queuefront.kernel.account import estimate_fee
from queuefront.kernel.codec import decode_state, encode_state
from queuefront.kernel.notional import Ratio, amount_of, cash_value, part_of, ratio_of, told_notional, worst_value
from queuefront.venues import EventKind, Liquidity, Side, VenueEvent
from tests.kernel_story import UNIT, Story, config

LINEAR = config().specs[0]
INVERSE = replace(LINEAR, is_inverse=True)
E = EventKind


def inverse_story() -> Story:
    return Story(specs=(INVERSE,))


def test_a_ratio_adds_and_takes_away_exactly_also_with_whole_numbers() -> None:
    third, half = Ratio(1, 3), Ratio(1, 2)
    assert third + half == half + third == Ratio(5, 6)
    assert half - third == Ratio(1, 6)
    assert (0 + third, 1 - third, third - 0) == (third, Ratio(2, 3), third)
    assert (bool(third), bool(third - third)) == (True, False)
    assert sum([third, third, third]) == Ratio(1, 1)


def test_fills_of_linear_contracts_add_tick_times_lots_and_of_inverse_ones_lots_per_tick() -> None:
    assert amount_of(LINEAR, 8_340, 10) == 83_400
    assert amount_of(INVERSE, 8_340, 10) == Ratio(1, 834)
    assert amount_of(INVERSE, 8_340, -10) == Ratio(-1, 834)
    assert (ratio_of(3), ratio_of(Ratio(1, 3))) == (3, Fraction(1, 3))


def test_the_share_of_some_lots_is_exact_for_ratios_and_rounded_down_for_whole_numbers() -> None:
    assert part_of(100, 1, 3) == 33
    assert part_of(Ratio(100, 7), 1, 3) == Ratio(100, 21)


@pytest.mark.parametrize(("lots", "worth"), [(1, 0), (2, -1), (3, -2), (5, -2), (7, -4), (-3, 2)])
def test_an_inverse_position_is_worth_minus_its_ratio_to_the_nearest_unit_halves_to_even(lots: int, worth: int) -> None:
    assert cash_value(replace(INVERSE, unit=1), Ratio(lots, 2)) == worth


def test_a_linear_position_is_worth_its_notional_times_the_unit() -> None:
    assert cash_value(LINEAR, 83_400) == 83_400 * UNIT


def test_the_worst_case_of_an_inverse_order_is_at_its_lowest_price_and_rounded_up() -> None:
    assert worst_value(LINEAR, 10, 0, 8_340, 8_000) == 83_400 * UNIT
    assert worst_value(replace(INVERSE, unit=100), 1, 0, 9, 7) == 15


def test_an_estimated_fee_of_an_inverse_fill_is_rounded_up() -> None:
    spec = replace(INVERSE, unit=10**6, taker_rate_ppm=400)
    assert estimate_fee(spec, Ratio(10, 7), Liquidity.TAKER) == 572  # 571.43


@pytest.mark.parametrize(
    ("fills", "total", "told"),
    [
        (((10, 5), (1, 2)), 11, Ratio(5, 2)),
        ((), 11, None),
        (((10, 5),), 11, None),
        (((12, 5), (-1, 2)), 11, None),
        (((10, 0), (1, 2)), 11, None),
    ],
)
def test_the_sum_of_an_inverse_order_comes_from_all_of_its_fills_or_not_at_all(
    fills: tuple[tuple[int, int], ...], total: int, told: Ratio | None
) -> None:
    event = VenueEvent(ts=1, kind=E.FILL_REPORT, cum_lots=total, cum_notional=999, cum_fills=fills)
    assert told_notional(INVERSE, event) == told
    assert told_notional(LINEAR, event) == 999


@pytest.mark.parametrize(("side", "profit"), [(Side.LONG, 1), (Side.SHORT, -1)])
def test_an_inverse_trade_earns_unit_times_lots_times_the_difference_of_reciprocal_prices(side: Side, profit: int) -> None:
    story = inverse_story()
    story.open(lots=100, tick=8_000, side=side)
    story.close(tick=10_000)
    # 100 × 10^6 × (1/8000 - 1/10000) = 2500, exactly.
    assert story.capital == story.slot().realized_gross == 2_500 * profit


def test_roundings_of_many_small_exits_do_not_add_up() -> None:
    story = inverse_story()
    story.open(lots=90, tick=7_777)
    exits = [(1, tick) for tick in range(7_001, 7_091)]
    for lots, tick in exits:
        story.exit(lots=lots)
        story.fill(lots, lots, tick, story.place.cid)
    exact = sum(UNIT * lots * (Fraction(1, 7_777) - Fraction(1, tick)) for lots, tick in exits)
    assert story.slot().stage is Stage.CLOSED
    assert story.slot().realized_gross == round(exact)
    assert story.engine.state.book.position == 0


def test_an_inverse_fill_without_price_waits_for_all_fills_of_its_order() -> None:
    story = inverse_story()
    story.enter(lots=30)
    cid = story.place.cid
    story.fill(10, 10, 8_000, cid)
    story.event(E.FULL_FILL, cid, cum_lots=30, fee=0)
    assert story.slot().unsettled
    story.event(E.FILL_REPORT, cid, cum_lots=30, cum_notional=250_000, cum_fee=0)
    assert story.slot().unsettled  # a sum of tick × lots says nothing of an inverse contract
    story.event(E.FILL_REPORT, cid, cum_lots=30, cum_fills=((10, 8_000), (20, 8_500)), cum_fee=0)
    assert not story.slot().unsettled
    assert ratio_of(story.slot().entry_notional) == Fraction(10, 8_000) + Fraction(20, 8_500)


def test_an_estimated_inverse_price_is_corrected_for_what_was_sold_and_what_is_held() -> None:
    story = inverse_story()
    story.enter(lots=30, limit_tick=8_000)
    entry = story.place.cid
    story.event(E.FULL_FILL, entry, cum_lots=30, fee=0)
    for _ in range(12):
        story.tick(30)
    assert [e.quality.name for e in story.entries if e.kind is LedgerKind.FILL] == ["ESTIMATED"]
    story.exit(lots=10)
    story.fill(10, 10, 9_000, story.place.cid)
    story.event(E.FILL_REPORT, entry, cum_lots=30, cum_fills=((30, 7_500),), cum_fee=0)
    slot = story.slot()
    assert ratio_of(slot.held_notional) == Fraction(20, 7_500)
    assert slot.realized_gross == round(UNIT * 10 * (Fraction(1, 7_500) - Fraction(1, 9_000)))
    assert _last(story.entries, LedgerKind.ADJUST).trade_id == "t1"


def _last(entries: list[LedgerEntry], kind: LedgerKind) -> LedgerEntry:
    return [entry for entry in entries if entry.kind is kind][-1]


def test_an_inverse_mark_values_what_is_held_in_base_currency() -> None:
    story = inverse_story()
    story.open(lots=100, tick=8_000)
    story.apply_event(E.MARK_PRICE, instrument="TRX", price_tick=10_000)
    assert story.engine.state.unrealized == 2_500


def test_an_inverse_contract_has_its_smallest_order_by_its_notional_in_base_currency() -> None:
    story = Story(specs=(replace(INVERSE, min_notional=1_300),))
    assert story.enter(lots=10) is Diagnostic.INVALID_INTENT  # 10 × 10^6 / 8340 = 1199
    assert story.enter(lots=11) is Diagnostic.OK


def test_ratios_survive_a_snapshot() -> None:
    story = inverse_story()
    story.open(lots=7, tick=8_003)
    state = story.engine.state
    again = decode_state(encode_state(state), state.config, "test")
    assert again.slots[0] == state.slots[0]
    assert again.slots[0].held_notional == Ratio(7, 8_003)
    assert encode_state(again) == encode_state(state)
    assert initial_state(state.config).slots[0].held_notional == 0
