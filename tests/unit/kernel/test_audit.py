from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from queuefront.kernel import Health, Stage, audit
from tests.kernel_story import Story


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"size": 9}, "slot 0: size 9 is not 10 entered less 0 left"),
        ({"stage": Stage.CLOSED}, "slot 0: CLOSED with size 10 and order 0"),
        ({"active_order": 1}, "slot 0: POSITION_OPEN with active order 1"),
        ({"stage": Stage.EXIT_WORKING}, "slot 0: EXIT_WORKING without a live order"),
        ({"realized_gross": 1}, "slot 0: realized 1, recomputed 0"),
        ({"cost": -5}, "slot 0: cost -5 of 10 lots"),
        ({"doubts": (1,)}, "slot 0: doubts order 1, about which nobody asks"),
    ],
)
def test_each_broken_invariant_is_found_and_named(changes: dict[str, Any], finding: str) -> None:
    """E8: an open stage with nothing in it, among others."""
    story = Story()
    story.open(lots=10)
    state = story.engine.state
    broken = replace(state, slots=state.slots.set(0, replace(state.slots[0], **changes)))
    assert finding in audit(broken)
    assert state.slots[0].health is Health.OK


def test_a_live_order_that_is_not_counted_is_found() -> None:
    story = Story()
    story.enter()
    state = story.engine.state
    assert audit(replace(state, live=state.live.delete(1))) == ["order t1-1: REQUESTED and not counted as live"]


def test_a_book_out_of_balance_is_found() -> None:
    state = Story().engine.state
    book = replace(state.book, cash=1)
    assert audit(replace(state, books=state.books.set("USDT", book)))[0].startswith("the USDT book does not balance")
