from __future__ import annotations

from queuefront.kernel import Alarm, Diagnostic, Health, Recover, Stage
from queuefront.venues import CancelOrder, EventKind, FetchSnapshot, OpenOrder, QueryOrder, Source
from tests.kernel_story import SECOND, Story

D = Diagnostic
E = EventKind


def test_after_a_restart_commands_wait_until_every_order_was_answered() -> None:
    """E26: a resting order is adopted, and its later fill applies."""
    story = Story()
    story.enter(lots=10, limit_tick=8_000)
    cid = story.place.cid
    story.event(E.ACK, cid, cum_lots=0)
    story.apply(Recover(story.now))
    story.tick()
    assert any(isinstance(request, QueryOrder) and request.cid == cid for request in story.sent)
    assert story.enter("t2", 1) is D.RECOVERING
    assert story.exit() is D.RECOVERING
    assert story.cancel() is D.RECOVERING
    story.snapshot(open_orders=(OpenOrder(cid, "V1", "TRX", 0),))
    assert story.enter("t2", 1) is D.RECOVERING
    story.event(E.ACK, cid, source=Source.QUERY, cum_lots=0)
    assert story.enter("t2", 1) is D.OK
    story.fill(10, 10, 8_000, cid)
    assert story.slot().stage is Stage.POSITION_OPEN


def test_a_snapshot_older_than_the_last_fill_is_stale_and_asked_for_again() -> None:
    """E13: old data never pass as fresh."""
    story = Story()
    story.open(lots=10)
    assert story.snapshot(0, fetch_start_ts=story.now - 1) is D.STALE_SNAPSHOT
    assert story.slot().health is Health.OK
    assert story.engine.state.counters["stale_snapshot"] == 1
    assert story.engine.state.snapshot_due_ns == story.now + SECOND


def test_a_position_that_differs_is_drift_after_some_looks_and_never_patched() -> None:
    """F19: fills come from orders' totals; a position is a cross-check."""
    story = Story()
    story.open(lots=10)
    for _ in range(3):
        story.now += 5 * SECOND
        assert story.snapshot(7) is D.OK
    story.now += 5 * SECOND
    assert story.snapshot(7) is D.DRIFT
    assert (story.slot().health, story.slot().size) == (Health.QUARANTINED, 10)
    assert any(isinstance(effect, Alarm) for effect in story.effects)
    assert story.exit() is D.SLOT_QUARANTINED
    assert story.enter("t2", 1) is D.INSTRUMENT_BLOCKED
    story.snapshot(10)
    assert story.slot().health is Health.OK
    assert story.exit() is D.OK


def test_foreign_orders_are_counted_and_left_alone() -> None:
    """E26a: another prefix is somebody else's."""
    story = Story()
    story.snapshot(open_orders=(OpenOrder("web-1", "V1", "TRX", 0),))
    assert story.sent == []
    assert story.engine.state.counters["foreign_order"] == 1
    assert story.event(E.PARTIAL_FILL, "t2-1", cum_lots=5, last_lots=5, last_tick=5) is D.FOREIGN_ORDER
    assert story.engine.state.live == story.engine.state.live


def test_an_order_that_is_not_listed_is_asked_about_and_not_taken_for_cancelled() -> None:
    story = Story()
    story.enter(lots=10, limit_tick=8_000)
    story.event(E.ACK, cum_lots=0)
    story.now += SECOND
    story.snapshot()
    assert (story.slot().stage, story.slot().health) == (Stage.ENTRY_WORKING, Health.UNCERTAIN)
    story.tick()
    assert any(isinstance(request, QueryOrder) for request in story.sent)


def test_an_order_thought_absent_that_rests_at_the_venue_is_cancelled() -> None:
    story = Story()
    story.enter(lots=10)
    cid = story.active_cid()
    story.event(E.ORDER_ABSENT, cid, source=Source.KERNEL)
    story.snapshot(open_orders=(OpenOrder(cid, "V1", "TRX", 0),))
    assert [type(request) for request in story.sent] == [CancelOrder]


def test_an_idle_kernel_asks_by_heartbeat_only() -> None:
    """E1 and A10"""
    story = Story()
    story.tick()
    requests = 0
    for _ in range(100):
        story.tick(5)
        requests += len(story.sent)
        if any(isinstance(request, FetchSnapshot) for request in story.sent):
            story.snapshot()
    assert requests <= 100 * 5 // 60 + 1
