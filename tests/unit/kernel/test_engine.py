from __future__ import annotations

import pytest

from queuefront.kernel import Engine, Health, MemoryJournal, Stage, initial_state, replay
from queuefront.kernel.codec import encode_state
from queuefront.kernel.records import Enter, Exit, Input
from queuefront.venues import EventKind, QueryFills, QueryOrder, Source
from tests.kernel_story import Story, config

E = EventKind


def sequence(story: Story) -> None:
    story.enter(lots=10)
    cid = story.place.cid
    story.event(E.ORDER_SENT, cid)
    story.event(E.ACK, cid, cum_lots=0)
    story.fill(4, 4, 100, cid)
    story.fill(10, 6, 101, cid, kind=E.FULL_FILL)
    if story.exit().name == "OK":
        cid = story.place.cid
        story.event(E.ACK, cid, cum_lots=0)
        story.fill(10, 10, 102, cid, kind=E.FULL_FILL)


class FailAt:
    """Raises at the k-th venue event."""

    def __init__(self, k: int) -> None:
        self.left = k

    def __call__(self, entry: Input) -> None:
        if not isinstance(entry, Enter | Exit):
            self.left -= 1
            if self.left == -1:
                raise ArithmeticError("injected")


@pytest.mark.parametrize("k", range(6))
def test_an_exception_at_any_event_parks_it_and_the_slot_ends_at_the_venues_truth(k: int) -> None:
    """F15, and S3: later events apply, the parked one is retried, nobody lends a hand."""
    story = Story()
    story.engine = Engine(MemoryJournal(config()), before_step=FailAt(k))
    sequence(story)
    assert story.slot().health in (Health.OK, Health.UNCERTAIN)
    for _ in range(4):
        story.tick(2)
        for request in story.sent:
            if isinstance(request, QueryFills):  # the venue's truth of the entry, whose price may have got lost
                story.event(E.FILL_REPORT, request.cid, source=Source.QUERY, cum_lots=10, cum_notional=1_006, cum_fee=0)
    slot = story.slot()
    assert slot.health is Health.OK
    if slot.stage is not Stage.CLOSED:  # the exit was refused while the slot was in doubt
        assert (slot.stage, slot.size, slot.entry_notional) == (Stage.POSITION_OPEN, 10, 1_006)
        story.close(102)
    assert story.slot().realized_gross == 10 * 102 * 10**6 - 1_006 * 10**6


@pytest.mark.parametrize("k", range(6))
def test_a_replay_skips_what_failed_as_it_was_skipped(k: int) -> None:
    story = Story()
    story.engine = Engine(MemoryJournal(config()), before_step=FailAt(k))
    sequence(story)
    state = initial_state(config())
    for after, _, _ in replay(state, story.engine.journal.rows()):
        state = after
    assert encode_state(state) == encode_state(story.engine.state)


def test_an_event_that_keeps_failing_is_given_up_and_the_venue_is_asked() -> None:
    story = Story()

    def fail(entry: Input) -> None:
        raise ArithmeticError("injected")

    story.enter(lots=10)
    cid = story.place.cid
    story.engine._before_step = fail
    story.engine.apply(_fill(cid))
    for _ in range(4):
        story.now += 2 * 10**9
        story.engine.apply(_tick(story.now))
    story.engine._before_step = None
    story.tick(2)
    story.tick(2)
    assert any(isinstance(request, QueryOrder) for request in story.sent) or story.engine.state.pending
    story.event(E.FULL_FILL, cid, source=Source.QUERY, cum_lots=10, last_lots=10, last_tick=100, fee=0)
    assert (story.slot().size, story.slot().health) == (10, Health.OK)


def _fill(cid: str) -> Input:
    from queuefront.venues import VenueEvent

    return VenueEvent(ts=1, kind=E.FULL_FILL, cid=cid, event_id="f", cum_lots=10, last_lots=10, last_tick=100, fee=0)


def _tick(now: int) -> Input:
    from queuefront.kernel import Tick

    return Tick(now)


def test_effects_leave_only_after_their_input_was_committed() -> None:
    log: list[str] = []

    class Watched(MemoryJournal):
        def append(self, seq: int, payload: bytes) -> None:
            log.append(f"append {seq}")
            super().append(seq, payload)

        def commit(self) -> None:
            log.append("commit")
            super().commit()

    story = Story()
    story.engine = Engine(Watched(config()))
    story.enter()
    assert log == ["append 1", "commit"]
    assert story.place.cid == "t1-1"


def test_a_journal_that_refuses_leaves_the_state_as_it_was() -> None:
    class Full(MemoryJournal):
        def commit(self) -> None:
            raise OSError("disk full")

    engine = Engine(Full(config()))
    before = engine.state
    with pytest.raises(OSError, match="disk full"):
        engine.apply(_tick(5))
    assert engine.state is before


def test_snapshots_shorten_a_recovery_and_change_nothing() -> None:
    journal = MemoryJournal(config())
    story = Story()
    story.engine = Engine(journal, snapshot_every=3)
    sequence(story)
    assert journal.saved is not None
    assert journal.saved.seq > 0
    assert encode_state(Engine(journal).state) == encode_state(story.engine.state)
    story.engine.snapshot()
    assert encode_state(Engine(journal).state) == encode_state(story.engine.state)
