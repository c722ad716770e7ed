from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from queuefront.kernel import Diagnostic, LedgerKind, PriceQuality, Stage, audit_chain
from queuefront.venues import EventKind, Liquidity, QueryFills, Source
from tests.kernel_story import CAPITAL, UNIT, Story

D = Diagnostic
E = EventKind


def test_the_entry_price_is_the_exact_ratio_of_all_entry_fills() -> None:
    """E10a: 0.3 at 0.0834 and 0.4 at 0.0836."""
    story = Story()
    story.enter(lots=10)
    story.fill(3, 3, 8_340)
    story.fill(7, 4, 8_360)
    slot = story.slot()
    assert Fraction(slot.entry_notional, slot.initial_lots) == Fraction(3 * 8_340 + 4 * 8_360, 7)


def test_capital_changes_by_gross_profit_less_fee_entries_included() -> None:
    """E18"""
    story = Story()
    story.enter(lots=10)
    story.fill(10, 10, 100, fee=7)
    assert story.capital == -7
    story.exit()
    story.fill(10, 10, 103, fee=9)
    assert story.capital == 10 * 3 * UNIT - 7 - 9
    assert story.slot().realized == story.capital


def test_a_thousand_round_trips_with_fees_end_at_the_exact_ledger() -> None:
    """E18"""
    story = Story()
    expected = 0
    for n in range(1_000):
        buy, sell, fee = 8_340 + n % 7, 8_340 + n % 5, 100 + n
        story.enter(f"t{n}", lots=10)
        story.fill(10, 10, buy, fee=fee)
        story.exit()
        story.fill(10, 10, sell, fee=fee)
        expected += 10 * (sell - buy) * UNIT - 2 * fee
    assert story.capital == expected


def test_a_missing_fee_is_estimated_flagged_and_corrected_once() -> None:
    """A7"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.fill(10, 10, 100, fee=None)
    assert story.entries[-1].quality is PriceQuality.ESTIMATED
    assert story.capital == -(10 * 100 * UNIT * 400 // 10**6)
    story.event(E.FEE_UPDATE, cid, cum_lots=10, cum_fee=5)
    assert story.capital == -5
    story.event(E.FEE_UPDATE, cid, cum_lots=10, cum_fee=5)
    assert story.capital == -5
    assert [entry.kind for entry in story.entries] == [LedgerKind.FILL, LedgerKind.FEE, LedgerKind.FEE_TRUEUP]
    assert not story.engine.state.pending


def test_a_fill_without_price_moves_lots_and_no_money_until_its_price_is_known() -> None:
    """E12: never a price of zero."""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.FULL_FILL, cid, cum_lots=10, last_lots=10, last_tick=0, fee=3)
    assert (story.slot().size, story.slot().entry_notional, story.entries) == (10, 0, [])
    assert story.exit() is D.PRICE_PENDING
    story.tick(1)
    assert [type(request) for request in story.sent] == [QueryFills]
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=10, cum_notional=1_005, cum_fee=3)
    assert (story.slot().entry_notional, story.capital) == (1_005, -3)
    assert story.exit() is D.OK


def test_after_vain_questions_the_estimate_is_flagged_and_later_corrected() -> None:
    """E12a"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.FULL_FILL, cid, cum_lots=10, last_lots=10, last_tick=0, fee=3)
    for _ in range(6):
        story.tick(31)
    assert story.entries[0].quality is PriceQuality.ESTIMATED
    assert story.slot().entry_notional == 10 * 8_340
    story.event(E.FILL_REPORT, cid, source=Source.QUERY, cum_lots=10, cum_notional=83_000, cum_fee=3)
    assert story.slot().entry_notional == 83_000
    assert story.entries[-1].kind is LedgerKind.ADJUST


def test_an_average_is_never_taken_for_the_price_of_a_fill() -> None:
    """E12a"""
    story = Story()
    story.enter(lots=10)
    story.event(E.FULL_FILL, cum_lots=10, average=(100, 1), fee=0)
    assert story.slot().unsettled[0].notional is None


def test_parts_of_an_indivisible_cost_add_up_when_the_position_closes() -> None:
    """E23 and A13: profit from the sums of entries and exits, to the unit."""
    story = Story(specs=(Story().engine.state.config.specs[0].__class__(name="TRX", currency="USDT", unit=1),))
    story.enter(lots=7, exit_legs=((1, 3), (1, 2), (1, 1)))
    story.fill(3, 3, 834)
    story.fill(7, 4, 836)
    cids = []
    for tick in (840, 811, 850):
        story.exit()
        cids.append(story.place)
        story.fill(story.place.lots, story.place.lots, tick, story.place.cid)
    slot = story.slot()
    assert slot.stage is Stage.CLOSED
    exits = sum(request.lots * tick for request, tick in zip(cids, (840, 811, 850), strict=True))
    assert slot.realized_gross == exits - (3 * 834 + 4 * 836)
    assert (slot.cost, slot.exit_notional) == (0, exits)


def test_the_ledger_chains_over_interleaved_slots() -> None:
    """E20, E22, A5: each entry holds capital before and after, and begins where the last ended."""
    story = Story()
    story.open(lots=10, trade_id="a", slot_id=0)
    story.open(lots=20, trade_id="b", slot_id=1)
    for n in range(50):
        slot_id = n % 2
        story.close(8_340 + n, slot_id)
        story.open(lots=10, trade_id=f"t{n}", slot_id=slot_id)
    assert audit_chain(story.entries) == ""
    assert story.entries[0].capital_before == CAPITAL
    broken = [*story.entries[:5], *story.entries[6:]]
    assert audit_chain(broken) == "ledger entry 7 follows 5"


def test_settling_is_exactly_once_for_each_trade_event_and_kind() -> None:
    """F2: there is no marker to reset; a refused submit and a retry leave capital alone."""
    story = Story()
    story.enter()
    story.event(E.ORDER_REJECT, reason_code="MARGIN")
    assert (story.capital, story.slot().stage) == (0, Stage.IDLE)
    story.open(lots=10, trade_id="t2")
    story.close()
    keys = [(entry.trade_id, entry.event_id, entry.kind) for entry in story.entries]
    assert len(keys) == len(set(keys))


def test_a_fee_in_another_asset_is_booked_in_that_asset() -> None:
    story = Story()
    story.enter(lots=10)
    story.fill(10, 10, 100, fee=11, fee_asset="BNB")
    assert story.capital == 0
    assert story.engine.state.books["BNB"].capital == -11


def test_maker_and_taker_fees_are_estimated_at_their_rates() -> None:
    story = Story()
    story.enter(lots=10)
    story.fill(10, 10, 100, fee=None, liquidity=Liquidity.MAKER)
    assert story.capital == -(10 * 100 * UNIT * 200 // 10**6)


def test_many_settlements_equal_a_decimal_ledger_to_the_last_digit() -> None:
    """E5 in small; `S10` does it a million times."""
    story = Story()
    ledger = Decimal(0)
    scale = Decimal(1).scaleb(-12)
    for n in range(300):
        story.open(lots=9, tick=8_341, trade_id=f"t{n}", leverage=9)
        story.close(8_341 + n % 3)
        ledger += Decimal(9) * (n % 3) * UNIT * scale
    assert Decimal(story.capital) * scale == ledger
