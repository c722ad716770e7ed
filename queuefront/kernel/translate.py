"""What a request's answer, or the lack of one, is to the kernel. No I/O: the driver and the simulator share this.

Three outcomes at a venue: done, refused, unknown. A time-out, a 5xx, an empty or unreadable reply and an exception are the
third; a refusal is what the venue said in so many words (spec 8).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from queuefront.kernel.records import Input, SnapshotFailed
from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    ModifyOrder,
    PlaceOrder,
    QueryFills,
    QueryOrder,
    Request,
    Source,
    VenueEvent,
    VenueSnapshot,
)

__all__ = ["answered", "failed", "sent"]

_UNKNOWN = {
    PlaceOrder: EventKind.SUBMIT_UNKNOWN,
    CancelOrder: EventKind.CANCEL_UNKNOWN,
    ModifyOrder: EventKind.MODIFY_UNKNOWN,
    QueryOrder: EventKind.QUERY_FAILED,
    QueryFills: EventKind.QUERY_FAILED,
}
_SOURCES = {
    PlaceOrder: Source.SUBMIT,
    CancelOrder: Source.CANCEL,
    ModifyOrder: Source.CANCEL,
    QueryOrder: Source.QUERY,
    QueryFills: Source.QUERY,
}


def sent(request: Request, ts: int) -> Input | None:
    """Return what it means that a request was handed to the transport."""
    if not isinstance(request, PlaceOrder):
        return None
    return VenueEvent(
        ts=ts, kind=EventKind.ORDER_SENT, cid=request.cid, source=Source.KERNEL, event_id=f"{request.cid}/sent"
    )


def answered(request: Request, answer: Sequence[VenueEvent] | VenueSnapshot, ts: int) -> list[Input]:
    """Return the inputs that a venue's answer becomes. An answer that says nothing about the order is no answer."""
    if isinstance(answer, VenueSnapshot):
        return [replace(answer, ts=ts)]
    if isinstance(request, FetchSnapshot):
        return [SnapshotFailed(ts, "the venue sent no snapshot")]
    source = _SOURCES[type(request)]
    events: list[Input] = [replace(event, ts=ts, source=source) for event in answer]
    cids = {event.cid.lower() for event in answer if event.kind is not EventKind.UNSUPPORTED}
    if request.cid.lower() not in cids:
        events += failed(request, "the reply says nothing of the order", ts)
    return events


def failed(request: Request, reason: str, ts: int) -> list[Input]:
    """Return the inputs that a missing, late or unreadable answer becomes."""
    if isinstance(request, FetchSnapshot):
        return [SnapshotFailed(ts, reason)]
    return [
        VenueEvent(
            ts=ts,
            kind=_UNKNOWN[type(request)],
            cid=request.cid,
            source=Source.KERNEL,
            reason_code="TIMEOUT",
            reason_text=reason,
        )
    ]
