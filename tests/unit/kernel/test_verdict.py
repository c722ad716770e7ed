from __future__ import annotations

import pytest
from msgspec.structs import replace

from queuefront.kernel.verdict import Violation, agree, check_replay, unrest
from queuefront.kernel.world import World
from queuefront.venues import MockFill, Side


def settled() -> World:
    world = World(2, frozenset())
    world.run(range(60))
    return world


def test_a_venue_that_did_something_else_is_noticed() -> None:
    world = settled()
    agree(world.engine.state, world.venue)
    world.venue.fees_paid += 1
    with pytest.raises(Violation, match="by the venue"):
        agree(world.engine.state, world.venue)
    world.venue.fees_paid -= 1
    world.venue.drift("AAA", Side.LONG, 1)
    with pytest.raises(Violation, match=r"AAA: -?\d+ lots here, -?\d+ at the venue"):
        agree(world.engine.state, world.venue)


def test_an_order_that_filled_unheard_is_noticed() -> None:
    world = settled()
    order = next(iter(world.venue.orders.values()))
    order.lots += 5
    world.venue.fill(order.request.cid, MockFill(5, 100))
    with pytest.raises(Violation, match="at the venue"):
        agree(world.engine.state, world.venue)


def test_a_state_that_its_journal_does_not_give_is_noticed() -> None:
    world = settled()
    check_replay(world.journal, world.engine.state)
    with pytest.raises(Violation, match="replaying the journal gives another state"):
        check_replay(world.journal, replace(world.engine.state, now=1))


def test_what_is_not_at_rest_is_named() -> None:
    world = settled()
    assert unrest(world.engine.state, 0) == ""
    assert unrest(world.engine.state, 3).endswith("messages 3")
    assert unrest(replace(world.engine.state, needs_snapshot=True), 0) == "no snapshot yet"
