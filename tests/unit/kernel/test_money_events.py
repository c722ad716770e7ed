from __future__ import annotations

from queuefront.kernel import Diagnostic, LedgerKind, Mark, Stage
from queuefront.venues import EventKind, Side
from tests.kernel_story import UNIT, Story

D = Diagnostic
E = EventKind


def test_a_mark_changes_unrealized_profit_only_and_a_bad_one_nothing() -> None:
    story = Story()
    story.open(lots=10, tick=100)
    story.apply(Mark(ts=1, instrument="TRX", tick=105))
    assert (story.engine.state.unrealized, story.capital) == (50 * UNIT, 0)
    assert story.apply(Mark(ts=1, instrument="TRX", tick=0)) is D.UNKNOWN_EVENT
    assert story.event(E.MARK_PRICE, instrument="TRX", price_tick=104) is D.OK
    assert story.engine.state.unrealized == 40 * UNIT
    story.close(104)
    assert story.engine.state.unrealized == 0


def test_funding_is_booked_once_and_refused_without_id_or_amount() -> None:
    story = Story()
    assert story.apply_event(E.FUNDING, amount=-7) is D.OK
    assert story.capital == -7
    event = {"kind": E.FUNDING, "amount": 5}
    from queuefront.venues import VenueEvent

    for expected in (D.OK, D.DUPLICATE_EVENT):
        assert story.apply(VenueEvent(ts=1, event_id="f1", **event)) is expected
    assert story.capital == -2
    assert story.apply(VenueEvent(ts=1, event_id="", **event)) is D.UNKNOWN_EVENT
    assert story.apply(VenueEvent(ts=1, event_id="f2", kind=E.FUNDING)) is D.UNKNOWN_EVENT
    assert [entry.kind for entry in story.entries] == [LedgerKind.FUNDING] * 2


def test_funding_that_names_a_trade_counts_in_its_slot() -> None:
    story = Story()
    story.open(lots=10)
    story.apply_event(E.FUNDING, amount=-7, trade_id="t1")
    assert (story.slot().funding, story.slot().realized) == (-7, -7)


def test_a_liquidation_closes_slots_with_its_reason_and_what_no_slot_holds_is_an_orphan() -> None:
    story = Story()
    story.open(lots=10, tick=100)
    liquidation = {"instrument": "TRX", "side": Side.LONG, "last_tick": 90, "fee": 3}
    assert story.apply_event(E.LIQUIDATION, last_lots=4, **liquidation) is D.OK
    assert (story.slot().size, story.slot().stage) == (6, Stage.POSITION_OPEN)
    assert story.apply_event(E.LIQUIDATION, last_lots=8, **liquidation) is D.OVERFILL
    assert (story.slot().stage, story.slot().close_reason) == (Stage.CLOSED, "LIQUIDATION")
    assert story.engine.state.holdings["TRX"].orphan_lots == -2
    assert story.engine.state.book.fees == 6


def test_a_liquidation_that_overtook_its_entry_waits_for_it() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    liquidation = {"instrument": "TRX", "side": Side.LONG, "last_tick": 90, "fee": 0, "last_lots": 10}
    assert story.apply_event(E.LIQUIDATION, **liquidation) is D.SLOT_UNCERTAIN
    story.fill(10, 10, 100, cid)
    story.tick(2)
    assert (story.slot().stage, story.slot().size) == (Stage.CLOSED, 0)


def test_a_liquidation_without_side_or_price_is_refused() -> None:
    story = Story()
    assert story.apply_event(E.LIQUIDATION, instrument="TRX", last_lots=1) is D.UNKNOWN_EVENT


def test_a_drift_that_the_venue_reports_quarantines() -> None:
    story = Story()
    story.open(lots=10)
    assert story.apply_event(E.POSITION_DRIFT, instrument="TRX", reason_text="seen") is D.DRIFT
    assert story.exit() is D.SLOT_QUARANTINED
    assert story.reconcile(0) is D.OK
