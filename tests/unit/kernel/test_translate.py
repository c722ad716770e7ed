from __future__ import annotations

import pytest

from queuefront.kernel.records import SnapshotFailed
from queuefront.kernel.translate import answered, failed, sent
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    ModifyOrder,
    QueryFills,
    QueryOrder,
    Request,
    Source,
    VenueEvent,
    VenueSnapshot,
)
from tests.kernel_story import Story

E = EventKind


def place() -> Request:
    story = Story()
    story.enter()
    return story.place


REQUESTS = [
    (place(), E.SUBMIT_UNKNOWN),
    (CancelOrder("t1-1", "", "TRX"), E.CANCEL_UNKNOWN),
    (ModifyOrder("t1-1", "", "TRX", 5, 100), E.MODIFY_UNKNOWN),
    (QueryOrder("t1-1", "", "TRX"), E.QUERY_FAILED),
    (QueryFills("t1-1", "", "TRX"), E.QUERY_FAILED),
]


@pytest.mark.parametrize(("request_", "kind"), REQUESTS)
def test_no_answer_an_empty_one_and_one_about_another_order_are_unknown(request_: Request, kind: EventKind) -> None:
    """F16"""
    for inputs in (
        failed(request_, "late", 5),
        answered(request_, [], 5),
        answered(request_, [VenueEvent(ts=0, kind=E.ACK, cid="other")], 5)[1:],
        answered(request_, [VenueEvent(ts=0, kind=E.UNSUPPORTED, cid="t1-1")], 5)[1:],
    ):
        (event,) = inputs
        assert isinstance(event, VenueEvent)
        assert (event.kind, event.cid, event.ts) == (kind, "t1-1", 5)


def test_an_answer_keeps_what_was_said_and_nothing_is_made_up() -> None:
    """F28: what a reply does not say is absent."""
    said = VenueEvent(ts=0, kind=E.ACK, cid="T1-1")
    (event,) = answered(place(), [said], 9)
    assert event == VenueEvent(ts=9, kind=E.ACK, cid="T1-1", source=Source.SUBMIT)


def test_a_snapshot_that_does_not_come_is_a_failure_and_never_an_old_one() -> None:
    """E13"""
    assert failed(FetchSnapshot("x"), "late", 5) == [SnapshotFailed(5, "late")]
    assert answered(FetchSnapshot("x"), [], 5) == [SnapshotFailed(5, "the venue sent no snapshot")]
    snapshot = VenueSnapshot(ts=0, sequence=1, fetch_start_ts=1, fetch_end_ts=2)
    assert answered(FetchSnapshot("x"), snapshot, 5)[0].ts == 5


def test_only_orders_are_noted_as_sent() -> None:
    assert sent(QueryOrder("a", "", "b"), 5) is None
    note = sent(place(), 5)
    assert isinstance(note, VenueEvent)
    assert note.kind is E.ORDER_SENT
