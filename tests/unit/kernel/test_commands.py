from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from queuefront.kernel import Control, Diagnostic, Enter, Limits, OrderStatus, Stage
from queuefront.kernel.commands import client_order_id, order_key
from queuefront.venues import CancelOrder, EventKind, OrderType, PlaceOrder, Role, Side, TimeInForce
from tests.kernel_story import Story

D = Diagnostic
E = EventKind


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("leverage", {"leverage": 0}),  # F3
        ("leverage", {"leverage": -3}),
        ("leverage", {"leverage": 10_000}),
        ("target_size", {"lots": 0}),  # F3a
        ("target_size", {"lots": -1}),
        ("reference_price", {"reference_tick": 0}),  # F3b
        ("reference_price", {"reference_tick": -5}),
        ("limit_price", {"order_type": OrderType.LIMIT, "limit_tick": 0}),  # F3c
        ("limit_price", {"order_type": OrderType.MARKET, "limit_tick": 100}),
        ("post_only", {"post_only": True}),
        ("exit_leg_ratios", {"exit_legs": ()}),
        ("exit_leg_ratios", {"exit_legs": ((0, 1),)}),
        ("exit_leg_ratios", {"exit_legs": ((3, 2),)}),
        ("trade_id", {"trade_id": ""}),
        ("intent_id", {"intent_id": ""}),
    ],
)
def test_an_invalid_intent_names_its_field_and_sends_nothing(field: str, changes: dict[str, object]) -> None:
    story = Story()
    assert story.enter(**changes) is D.INVALID_INTENT
    assert story.published.detail.startswith(f"{field}: ")
    assert story.sent == []


def test_a_quantity_below_the_venues_minimum_is_refused_here() -> None:
    """F3a"""
    spec = msgspec.structs.replace(Story().engine.state.config.specs[0], min_lots=5, min_notional=10**12)
    story = Story(specs=(spec,))
    assert story.enter(lots=4) is D.INVALID_INTENT
    assert story.enter(lots=119) is D.INVALID_INTENT  # 119 × 8,340 × 10^6 is below 10^12
    assert story.enter(lots=120) is D.OK


def test_an_instrument_without_step_or_unknown_is_refused() -> None:
    """E16: there is no default precision."""
    spec = msgspec.structs.replace(Story().engine.state.config.specs[0], name="ZERO", unit=0)
    story = Story(specs=(spec,))
    assert story.enter(instrument="TRX") is D.UNKNOWN_INSTRUMENT
    assert story.enter(instrument="ZERO") is D.UNKNOWN_INSTRUMENT


STAGES = ["ORDER_REQUESTED", "ORDER_SENT", "ENTRY_WORKING", "POSITION_OPEN", "EXIT_REQUESTED", "EXIT_SENT", "EXIT_WORKING"]


def story_in(stage: str) -> Story:
    story = Story()
    story.enter(lots=10, limit_tick=100, reference_tick=100)
    if stage == "ORDER_REQUESTED":
        return story
    story.event(E.ORDER_SENT)
    if stage == "ORDER_SENT":
        return story
    story.event(E.ACK, cum_lots=0)
    if stage == "ENTRY_WORKING":
        return story
    story.fill(10, 10, 100)
    if stage == "POSITION_OPEN":
        return story
    story.exit(order_type=OrderType.LIMIT, limit_tick=100, reference_tick=100)
    if stage == "EXIT_REQUESTED":
        return story
    story.event(E.ORDER_SENT)
    if stage == "EXIT_SENT":
        return story
    story.event(E.ACK, cum_lots=0)
    return story


@pytest.mark.parametrize("stage", STAGES)
def test_entering_a_slot_that_is_not_free_changes_nothing(stage: str) -> None:
    """E7: DUPLICATE_TRADE for its own trade, SLOT_BUSY for another."""
    story = story_in(stage)
    before = story.slot()
    assert before.stage is Stage[stage]
    assert story.enter("t1") is D.DUPLICATE_TRADE
    assert story.enter("t2") is D.SLOT_BUSY
    assert story.slot() == before


def test_a_trade_id_and_an_intent_id_are_used_once() -> None:
    story = Story()
    story.open(lots=10)
    story.close()
    assert story.enter("t1") is D.DUPLICATE_TRADE
    assert story.enter("t2", intent_id="same") is D.OK
    assert story.enter("t3", 1, intent_id="same") is D.DUPLICATE_INTENT


def test_cancel_says_why_there_is_nothing_to_cancel() -> None:
    """E9: a code for each reason."""
    story = Story()
    assert story.cancel() is D.SLOT_IDLE
    assert story.cancel(role=Role.EXIT) is D.NO_ACTIVE_EXIT_ORDER
    story.open(lots=10)
    assert story.cancel() is D.NO_ACTIVE_ORDER
    assert story.cancel(role=Role.ENTRY) is D.ORDER_ALREADY_FINAL
    story.exit()
    assert story.cancel() is D.OK
    assert story.cancel() is D.CANCEL_IN_PROGRESS


def test_a_cancel_goes_out_by_client_id_before_the_venue_named_the_order() -> None:
    story = Story()
    story.enter()
    story.cancel()
    (request,) = story.sent
    assert isinstance(request, CancelOrder)
    assert (request.cid, request.venue_order_id) == (story.active_cid(), "")


def test_a_cancel_that_won_frees_the_slot_and_one_that_lost_fills_it() -> None:
    story = story_in("ENTRY_WORKING")
    story.cancel()
    story.event(E.CANCEL_ACK, cum_lots=0)
    assert story.slot().stage is Stage.IDLE
    story = story_in("ENTRY_WORKING")
    story.cancel()
    story.fill(10, 10, 100, kind=E.FULL_FILL)
    assert story.slot().stage is Stage.POSITION_OPEN


def test_every_field_of_an_intent_reaches_the_order() -> None:
    """E3 and E11: nothing dropped, nothing invented."""
    story = Story()
    story.enter(
        limit_tick=8_000,
        time_in_force=TimeInForce.GTX,
        post_only=True,
        side=Side.SHORT,
        leverage=9,
        lots=7,
        decision_id="d",
    )
    request = story.place
    assert request == PlaceOrder(
        cid="t1-1",
        trade_id="t1",
        slot_id=0,
        role=Role.ENTRY,
        instrument="TRX",
        is_buy=False,
        lots=7,
        order_type=OrderType.LIMIT,
        price_tick=8_000,
        time_in_force=TimeInForce.GTX,
        reduce_only=False,
        post_only=True,
        leverage=9,
    )
    order = story.engine.state.orders[1]
    assert (order.decision_id, order.intent_id) == ("d", "i1")


def test_exit_size_is_computed_from_what_the_slot_holds_when_it_is_carried_out() -> None:
    """E4: a fill came in between; requested and effective are both told."""
    story = Story()
    story.open(lots=10)
    story.apply(
        Enter(ts=1, intent_id="x", trade_id="b", slot_id=1, instrument="TRX", side=Side.LONG, lots=1, reference_tick=1)
    )
    story.exit(lots=50)
    assert story.place.lots == 10
    assert story.published.detail == "leg 1: 10 lots of 50 requested"


def test_exits_are_refused_by_stage() -> None:
    assert Story().exit() is D.NO_OPEN_POSITION
    story = Story()
    story.enter(lots=10)
    assert story.exit() is D.NO_OPEN_POSITION
    story.event(E.ACK, cum_lots=0)
    assert story.exit() is D.NO_OPEN_POSITION
    story.fill(4, 4, 100)
    assert story.exit() is D.ENTRY_STILL_WORKING
    story.fill(10, 6, 100)
    story.exit()
    assert story.exit() is D.EXIT_IN_PROGRESS


def test_an_entry_decided_on_an_older_account_is_checked_against_the_present_one() -> None:
    """E2"""
    story = Story()
    version = story.engine.state.book.version
    capital_lots = 25_000 * 10**6 // 8_340
    story.open(lots=10)
    story.close(8_340 - 2_000)
    story.apply(Control(ts=1, intent_id="c", author="me", reason="test", limits=Limits(max_leverage=1)))
    assert story.enter("t2", lots=capital_lots, account_version=version) is D.STALE_ACCOUNT
    assert story.enter("t2", lots=capital_lots, account_version=story.engine.state.book.version) is D.LIMIT_MARGIN
    assert story.enter("t2", lots=1, account_version=version) is D.OK


def test_a_version_of_the_slot_that_passed_is_refused() -> None:
    story = Story()
    assert story.enter(slot_version=7) is D.STALE_SLOT
    assert story.enter(slot_version=0) is D.OK


def test_controls_disable_entries_and_exits_and_cancel_what_rests() -> None:
    story = Story()
    story.open(lots=10)
    story.enter("t2", 1, limit_tick=8_000)
    story.apply(
        Control(ts=1, intent_id="c", author="me", reason="r", entries_enabled=False, exits_enabled=False, cancel_all=True)
    )
    assert [type(request) for request in story.sent] == [CancelOrder]
    assert story.enter("t3", 2) is D.ENTRIES_DISABLED
    assert story.exit() is D.EXITS_DISABLED


def test_a_reconcile_of_a_slot_out_of_range_says_so() -> None:
    """F7a"""
    story = Story()
    assert story.reconcile(-1, 3) is D.SLOT_OUT_OF_RANGE
    assert story.published.detail == "slots -1, 3 of 3"
    assert story.enter(slot_id=3) is D.SLOT_OUT_OF_RANGE


def test_what_is_allowed_is_the_same_object_until_it_is_changed_and_a_change_is_seen_at_once() -> None:
    """F27: nothing is parsed or rebuilt to know whether an order may leave."""
    story = Story()
    allowed = story.engine.state.limits
    for i in range(50):
        story.enter(f"t{i}")
        story.event(E.CANCEL_ACK, cum_lots=0)
        assert story.engine.state.limits is allowed
    control = {"ts": story.now, "author": "me", "reason": "test"}
    story.apply(Control(intent_id="c1", limits=replace(allowed, max_notional=1), **control))
    assert story.enter("next") is D.LIMIT_NOTIONAL
    story.apply(Control(intent_id="c2", limits=allowed, entries_enabled=False, **control))
    assert story.enter("next") is D.ENTRIES_DISABLED
    story.apply(Control(intent_id="c3", entries_enabled=True, **control))
    assert story.enter("next") is D.OK


def test_a_reconcile_publishes_only_slots_that_changed() -> None:
    """F7 and E19"""
    story = Story()
    story.enter("t2", 1, limit_tick=8_000)
    story.event(E.ACK, story.active_cid(1), cum_lots=0)
    story.reconcile()
    assert story.published.slots == (1,)


def test_a_refused_entry_frees_the_slot_and_a_refused_exit_keeps_the_position() -> None:
    story = Story()
    story.enter()
    assert story.event(E.ORDER_REJECT, reason_code="RATE_LIMITED") is D.RATE_LIMITED
    assert story.slot().stage is Stage.IDLE
    story.open(trade_id="t2", lots=10)
    story.exit()
    assert story.event(E.ORDER_REJECT, reason_code="X") is D.EXIT_REJECTED
    assert (story.slot().stage, story.slot().size) == (Stage.POSITION_OPEN, 10)
    assert OrderStatus.REJECTED in {order.status for order in story.engine.state.orders.values()}


def test_a_client_order_id_is_its_lease_and_journal_number_in_any_case_of_letters() -> None:
    for key in (1, 35, 36, 10**12):
        cid = client_order_id("lease7", key)
        assert order_key("lease7", cid.upper()) == key
        assert len(cid) <= 40
    assert order_key("lease7", "other-1") is None
    assert order_key("lease7", "lease7-") is None
    assert client_order_id("a", 0) == "a-0"


def test_an_exit_may_only_reduce() -> None:
    """E3"""
    story = Story()
    story.open(lots=10)
    story.exit()
    request = story.place
    assert (request.role, request.reduce_only, request.is_buy) == (Role.EXIT, True, False)
