from __future__ import annotations

import pytest

from queuefront.kernel import CancelState, CommandKind, OrderStatus, VenueOutcome
from queuefront.kernel.outcome import closed_outcome, venue_outcome
from tests.kernel_story import Story

C, S, V = CommandKind, OrderStatus, VenueOutcome


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (C.ENTER, {"status": S.SENT}, V.NONE),
        (C.ENTER, {"status": S.NEW}, V.PLACED),
        (C.EXIT, {"status": S.EXPIRED}, V.PLACED),
        (C.ENTER, {"status": S.UNKNOWN}, V.UNKNOWN),
        (C.ENTER, {"status": S.ABSENT}, V.REJECTED),
        (C.CANCEL, {"status": S.NEW, "cancel_state": CancelState.REQUESTED}, V.NONE),
        (C.CANCEL, {"status": S.NEW, "cancel_state": CancelState.UNKNOWN}, V.UNKNOWN),
        (C.CANCEL, {"status": S.NEW, "cancel_state": CancelState.UNKNOWN_AFTER_NOT_FOUND}, V.NONE),
        (C.CANCEL, {"status": S.NEW, "cancel_state": CancelState.REFUSED}, V.NOT_CANCELLED),
        (C.CANCEL, {"status": S.CANCELED}, V.CANCELLED),
        (C.CANCEL, {"status": S.EXPIRED}, V.CANCELLED),
        (C.CANCEL, {"status": S.FILLED}, V.NOT_CANCELLED),
        (C.MODIFY, {"modify_lots": 5}, V.NONE),
        (C.MODIFY, {"lots": 5, "limit_tick": 9}, V.MODIFIED),
        (C.MODIFY, {"lots": 6, "limit_tick": 9}, V.NOT_MODIFIED),
    ],
)
def test_a_command_stands_as_its_order_does(kind: CommandKind, changes: dict[str, object], expected: VenueOutcome) -> None:
    """F1, E9a"""
    from msgspec.structs import replace

    story = Story()
    story.enter()
    order = replace(story.engine.state.orders[1], **changes)
    assert venue_outcome(kind, order, (5, 9)) is expected


def test_a_closed_kernel_has_one_answer() -> None:
    assert closed_outcome(3).detail == "this kernel was closed; open its journal again"
