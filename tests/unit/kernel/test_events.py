from __future__ import annotations

from itertools import permutations

import pytest

from queuefront.kernel import CancelState, Diagnostic, Health, OrderStatus, Stage
from queuefront.venues import CancelOrder, EventKind, QueryOrder, Source
from tests.kernel_story import SECOND, UNIT, Story

D = Diagnostic
E = EventKind


@pytest.mark.parametrize("order", list(permutations(("ack", "partial", "full"))))
def test_fills_are_taken_in_every_pending_stage_with_or_without_acknowledgement(order: tuple[str, ...]) -> None:
    """F15a"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    for name in order:
        if name == "ack":
            story.event(E.ACK, cid)
        elif name == "partial":
            story.fill(4, 4, 100, cid)
        else:
            story.event(E.FULL_FILL, cid, cum_lots=10, cum_notional=1_000, fee=0)
    slot = story.slot()
    assert (slot.stage, slot.size, slot.entry_notional) == (Stage.POSITION_OPEN, 10, 1_000)


def test_only_growing_totals_change_the_size() -> None:
    """E10b: totals 3, 7, 7, 5 end at 7 with one duplicate and one stale."""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    answers = [story.fill(cum, last, 100, cid) for cum, last in ((3, 3), (7, 4), (7, 4), (5, 2))]
    assert answers == [D.OK, D.OK, D.DUPLICATE_EVENT, D.STALE_EVENT]
    assert story.slot().size == 7


def test_a_fill_without_a_total_is_refused_and_asked_about() -> None:
    """E10b"""
    story = Story()
    story.enter()
    assert story.event(E.PARTIAL_FILL, last_lots=3, last_tick=100) is D.UNKNOWN_EVENT
    assert story.slot().size == 0
    story.tick()
    assert any(isinstance(request, QueryOrder) for request in story.sent)


def test_the_same_event_twice_changes_nothing_also_after_its_id_was_forgotten() -> None:
    """F26: a trade of 300 events, all of them again; 64 ids are kept, totals protect beyond."""
    story = Story()
    story.enter(lots=300)
    cid = story.place.cid
    for n in range(1, 301):
        story.fill(n, 1, 100, cid, event_id=f"f{n}")
    before = story.slot(), story.engine.state.book
    for n in range(1, 301):
        assert story.fill(n, 1, 100, cid, event_id=f"f{n}") in (D.DUPLICATE_EVENT, D.STALE_EVENT)
    assert (story.slot(), story.engine.state.book) == before


def test_seen_ids_begin_anew_with_a_trade() -> None:
    """F26"""
    story = Story()
    story.enter(lots=5)
    story.fill(5, 5, 100, event_id="same")
    story.exit()
    story.fill(5, 5, 100, event_id="same2")
    story.enter("t2", lots=5)
    assert story.fill(5, 5, 100, event_id="same") is D.OK
    assert story.slot().size == 5


def test_an_event_goes_where_its_ids_say_and_not_where_its_slot_hint_does() -> None:
    """E14"""
    story = Story()
    story.enter("a", 0)
    first = story.place.cid
    story.enter("b", 1)
    story.fill(100, 100, 100, first, slot_id=1)
    assert (story.slot(0).size, story.slot(1).size) == (100, 0)
    assert story.engine.state.counters["slot_hint_mismatch"] == 1


def test_an_event_is_routed_by_venue_id_and_by_trade_where_the_client_id_is_missing() -> None:
    """E14"""
    story = Story()
    story.enter()
    story.event(E.ACK, venue_order_id="V9")
    assert story.apply_event(E.PARTIAL_FILL, venue_order_id="V9", cum_lots=10, last_lots=10, last_tick=5, fee=0) is D.OK
    assert story.apply_event(E.PARTIAL_FILL, trade_id="t1", cum_lots=20, last_lots=10, last_tick=5, fee=0) is D.OK
    assert story.slot().size == 20


def test_a_late_fill_of_a_closed_trade_reopens_it_while_its_slot_is_free() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.CANCEL_ACK, cid, cum_lots=0)
    assert story.slot().stage is Stage.IDLE
    assert story.fill(4, 4, 100, cid) is D.LATE_FILL
    assert (story.slot().stage, story.slot().size) == (Stage.POSITION_OPEN, 4)


def test_a_late_fill_after_the_slot_was_reused_is_an_orphan_and_leaves_the_new_trade_alone() -> None:
    """E7a"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.CANCEL_ACK, cid, cum_lots=0)
    story.open(lots=20, trade_id="t2")
    before = story.slot()
    assert story.fill(4, 4, 100, cid) is D.ORPHAN_FILL
    assert story.slot() == before
    holding = story.engine.state.holdings["TRX"]
    assert (holding.orphan_lots, holding.orphan_cost) == (4, 400 * UNIT)
    assert story.enter("t3", 1) is D.INSTRUMENT_BLOCKED


def test_an_empty_reply_leaves_the_slot_uncertain_until_the_look_up_finds_the_order() -> None:
    """F16"""
    story = Story()
    story.enter()
    assert story.event(E.SUBMIT_UNKNOWN) is D.SUBMIT_UNKNOWN
    assert story.slot().health is Health.UNCERTAIN
    assert story.enter("t2") is D.SLOT_BUSY
    story.tick(1)
    assert [type(request) for request in story.sent] == [QueryOrder]
    story.event(E.ACK, source=Source.QUERY, cum_lots=0)
    assert (story.slot().stage, story.slot().health) == (Stage.ENTRY_WORKING, Health.OK)


def test_two_misses_far_enough_apart_are_an_absence_and_one_is_not() -> None:
    """F16"""
    story = Story()
    story.enter()
    story.event(E.SUBMIT_UNKNOWN)
    cid = story.active_cid()
    story.tick(1)
    story.event(E.ORDER_MISSED, cid, source=Source.QUERY)
    story.now += SECOND
    story.event(E.ORDER_MISSED, cid, source=Source.QUERY)
    assert story.slot().stage is not Stage.IDLE
    story.now += 2 * SECOND
    story.event(E.ORDER_MISSED, cid, source=Source.QUERY)
    assert (story.slot().stage, story.slot().health) == (Stage.IDLE, Health.OK)


def test_an_order_that_arrives_after_it_was_absent_is_cancelled() -> None:
    story = Story()
    story.enter()
    cid = story.active_cid()
    story.event(E.ORDER_ABSENT, cid, source=Source.KERNEL)
    assert story.engine.state.open_orders == 0
    story.event(E.ACK, cid, cum_lots=0)
    assert [type(request) for request in story.sent] == [CancelOrder]
    assert story.engine.state.open_orders == 1
    assert story.enter("t2") is D.SLOT_UNCERTAIN


VERIFIED = [
    # delete reply, what the order query shows next, how the cancel stands
    ("TIMEOUT", "live", CancelState.REFUSED),
    ("TIMEOUT", "canceled", CancelState.CONFIRMED),
    ("TIMEOUT", "filled", CancelState.REFUSED),
    ("TIMEOUT", "failed", CancelState.UNKNOWN),
    ("REFUSED", "live", CancelState.REFUSED),
    ("REFUSED", "canceled", CancelState.CONFIRMED),
    ("REFUSED", "failed", CancelState.UNKNOWN_AFTER_REFUSAL),
    ("NOT_FOUND", "live", CancelState.UNKNOWN_AFTER_NOT_FOUND),
    ("NOT_FOUND", "canceled", CancelState.CONFIRMED),
    ("NOT_FOUND", "filled", CancelState.REFUSED),
    ("NOT_FOUND", "failed", CancelState.UNKNOWN_AFTER_NOT_FOUND),
    ("SUCCESS", "live", CancelState.UNKNOWN_AFTER_SUCCESS),
    ("SUCCESS", "canceled", CancelState.CONFIRMED),
    ("SUCCESS", "filled", CancelState.REFUSED),
    ("SUCCESS", "failed", CancelState.UNKNOWN_AFTER_SUCCESS),
]


@pytest.mark.parametrize(("reply", "shown", "expected"), VERIFIED)
def test_an_ambiguous_cancel_is_decided_by_what_the_order_is(reply: str, shown: str, expected: CancelState) -> None:
    """E17 and F17: three outcomes, and the unknown one keeps asking."""
    story = Story()
    story.enter(lots=10, limit_tick=100, reference_tick=100)
    cid = story.place.cid
    story.event(E.ACK, cid, cum_lots=0)
    story.cancel()
    story.event(E.CANCEL_UNKNOWN, cid, reason_code=reply)
    assert story.slot().health is Health.UNCERTAIN
    story.tick(1)
    kinds = {"live": E.ACK, "canceled": E.CANCEL_ACK, "filled": E.FULL_FILL, "failed": E.QUERY_FAILED}
    total = {"live": 0, "canceled": 0, "filled": 10, "failed": None}[shown]
    story.event(kinds[shown], cid, source=Source.QUERY, cum_lots=total, last_lots=total, last_tick=100, fee=0)
    order = story.engine.state.orders[min(story.engine.state.orders)]
    assert order.cancel_state is expected
    is_unknown = expected not in (CancelState.REFUSED, CancelState.CONFIRMED)
    assert (story.slot().health is Health.UNCERTAIN) is is_unknown
    assert bool(story.engine.state.pending) is is_unknown


def test_a_cancel_that_keeps_being_denied_is_believed_not_to_have_happened() -> None:
    story = Story()
    story.enter(limit_tick=100, reference_tick=100)
    cid = story.place.cid
    story.event(E.ACK, cid, cum_lots=0)
    story.cancel()
    story.event(E.CANCEL_UNKNOWN, cid, reason_code="SUCCESS")
    for _ in range(3):
        story.tick(31)
        story.event(E.ACK, cid, source=Source.QUERY, cum_lots=0)
    assert story.slot().health is Health.OK
    assert story.cancel() is D.OK


def test_a_cancel_acknowledgement_without_a_total_is_asked_about() -> None:
    """E17"""
    story = Story()
    story.enter()
    story.event(E.ACK, cum_lots=0)
    story.cancel()
    assert story.event(E.CANCEL_ACK) is D.CANCEL_UNKNOWN
    assert story.slot().stage is Stage.ENTRY_WORKING


def test_what_is_filled_beyond_the_position_is_applied_to_zero_and_quarantined() -> None:
    story = Story()
    story.open(lots=10)
    story.exit()
    cid = story.place.cid
    story.event(E.FULL_FILL, cid, cum_lots=13, last_lots=13, last_tick=100, fee=0)
    slot = story.slot()
    assert (slot.stage, slot.size, slot.health) == (Stage.CLOSED, 0, Health.QUARANTINED)
    assert story.engine.state.holdings["TRX"].orphan_lots == -3


def test_an_unknown_status_changes_nothing_and_is_asked_about() -> None:
    story = Story()
    story.enter()
    assert story.event(E.UNSUPPORTED, raw_kind="HALF_DONE") is D.UNKNOWN_EVENT
    assert story.engine.state.counters["unknown_event"] == 1
    assert EventKind(77) is E.UNSUPPORTED


def test_an_acknowledgement_carries_what_is_filled_and_not_what_was_asked() -> None:
    """F23: three quantities, apart."""
    story = Story()
    story.enter(lots=10)
    story.event(E.ACK, order_lots=10, cum_lots=4, last_lots=3, last_tick=100, cum_notional=410)
    order = story.engine.state.orders[min(story.engine.state.orders)]
    assert (order.lots, order.cum_lots, order.notional, order.status) == (10, 4, 410, OrderStatus.PARTIALLY_FILLED)


def test_a_fill_writes_its_slot_version_once() -> None:
    """E10: however many fields change, the event is one change."""
    story = Story()
    story.enter(lots=10)
    before = story.slot().version
    story.fill(4, 4, 100)
    assert story.slot().version == before + 1
    assert story.published.slots == (0,)


def test_a_refused_change_leaves_the_terms_and_an_unknown_one_is_found_out_by_asking() -> None:
    story = Story()
    story.enter(lots=10, limit_tick=100, reference_tick=100)
    cid = story.place.cid
    story.event(E.ACK, cid, cum_lots=0)
    assert story.modify(limit_tick=101, reference_tick=100) is D.OK
    story.event(E.MODIFY_REJECT, cid)
    assert story.modify(limit_tick=102, reference_tick=100) is D.OK
    assert story.event(E.MODIFY_UNKNOWN, cid) is D.MODIFY_UNKNOWN
    story.tick(1)
    story.event(E.ACK, cid, source=Source.QUERY, cum_lots=0, order_lots=10, price_tick=102)
    order = story.engine.state.orders[min(story.engine.state.orders)]
    assert (order.limit_tick, order.modify_lots) == (102, 0)
    assert story.slot().health is Health.OK


def test_a_pushed_event_that_comes_again_after_its_doubt_was_settled_raises_no_new_one() -> None:
    """F26"""
    story = Story()
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.ACK, cid, cum_lots=0)
    story.cancel()
    story.event(E.CANCEL_UNKNOWN, cid, event_id="c1", reason_code="TIMEOUT")
    story.tick(1)
    story.event(E.ACK, cid, source=Source.QUERY, cum_lots=0)
    assert story.event(E.CANCEL_UNKNOWN, cid, event_id="c1", reason_code="TIMEOUT") is D.DUPLICATE_EVENT
    assert story.slot().health is Health.OK


def test_one_miss_is_no_absence_however_late_it_comes() -> None:
    """F16"""
    story = Story()
    story.now += 100 * SECOND
    story.enter()
    story.event(E.SUBMIT_UNKNOWN)
    story.tick(10)
    story.event(E.ORDER_MISSED, source=Source.QUERY)
    assert story.slot().stage is Stage.ORDER_REQUESTED
