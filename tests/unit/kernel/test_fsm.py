from __future__ import annotations

from queuefront.kernel import Diagnostic, Health, Stage
from queuefront.venues import CancelOrder, EventKind, Side
from tests.kernel_story import Story

E = EventKind


def test_every_transition_names_its_cause_and_both_numbers() -> None:
    """F6"""
    story = Story()
    moves = []
    for apply in (
        lambda: story.enter(lots=10),
        lambda: story.event(E.ORDER_SENT, event_id=""),
        lambda: story.event(E.ACK, cum_lots=0),
        lambda: story.fill(10, 10, 100),
    ):
        apply()
        moves += story.published.transitions
    assert [move.after for move in moves] == [
        Stage.ORDER_REQUESTED,
        Stage.ORDER_SENT,
        Stage.ENTRY_WORKING,
        Stage.POSITION_OPEN,
    ]
    assert all(move.cause_kind and move.cause_id for move in moves)
    assert [move.seq for move in moves] == [1, 2, 3, 4]


def test_an_exit_order_that_outlives_its_position_is_cancelled_and_watched() -> None:
    story = Story()
    story.open(lots=10)
    story.exit()
    exit_cid = story.place.cid
    story.event(E.ACK, exit_cid, cum_lots=0)
    story.apply_event(E.LIQUIDATION, instrument="TRX", side=Side.LONG, last_lots=10, last_tick=90)
    assert (story.slot().stage, story.slot().health) == (Stage.CLOSED, Health.UNCERTAIN)
    assert [type(request) for request in story.sent] == [CancelOrder]
    assert story.enter("t2") is Diagnostic.SLOT_UNCERTAIN
    story.event(E.EXPIRED, exit_cid, cum_lots=0)
    assert story.slot().health is Health.OK
    assert story.enter("t2") is Diagnostic.OK
