from __future__ import annotations

from itertools import product

from msgspec.structs import replace

from queuefront.kernel import Diagnostic, Stage
from queuefront.venues import EventKind
from tests.kernel_story import Story


def exits(ratios: tuple[tuple[int, int], ...], lots: int, **spec: int) -> list[int]:
    base = Story().engine.state.config.specs[0]
    story = Story(specs=(replace(base, **spec),))
    story.open(lots=lots, exit_legs=ratios)
    sizes = []
    while story.slot().stage is Stage.POSITION_OPEN:
        assert story.exit() is Diagnostic.OK
        if story.slot().stage is Stage.CLOSED:
            break
        sizes.append(story.place.lots)
        story.fill(sizes[-1], sizes[-1], 100, story.place.cid)
    assert story.slot().stage is Stage.CLOSED
    assert story.enter("next") is Diagnostic.OK
    return sizes


def test_legs_of_a_half_a_half_and_all_close_the_slot() -> None:
    """A1 and E8: 0.5, 0.5, 1.0 of 1.0 are 0.5, 0.25, 0.25, and the slot can be entered again."""
    assert exits(((1, 2), (1, 2), (1, 1)), 100) == [50, 25, 25]


def test_every_vector_of_up_to_four_legs_sums_to_the_entry() -> None:
    """A1"""
    grid = ((1, 4), (1, 2), (3, 4), (1, 1))
    for count in range(1, 5):
        for ratios in product(grid, repeat=count):
            assert sum(exits(ratios, 37)) == 37


def test_a_leg_below_the_minimum_joins_the_next_and_a_rest_below_it_joins_the_leg() -> None:
    assert exits(((1, 10), (1, 2), (1, 1)), 20, min_lots=5) == [11, 9]
    assert exits(((9, 10), (1, 1)), 20, min_lots=5) == [20]


def test_more_exits_than_legs_take_everything_and_a_bound_takes_less() -> None:
    story = Story()
    story.open(lots=10)
    story.exit(lots=3)
    story.fill(3, 3, 100, story.place.cid)
    assert (story.slot().stage, story.slot().size) == (Stage.POSITION_OPEN, 7)
    story.exit()
    assert story.place.lots == 7


def test_what_the_venue_does_not_trade_is_closed_as_dust() -> None:
    base = Story().engine.state.config.specs[0]
    story = Story(specs=(replace(base, min_lots=5),))
    story.enter(lots=10)
    story.fill(3, 3, 100)
    story.event(EventKind.CANCEL_ACK, cum_lots=3)
    assert story.exit() is Diagnostic.OK
    assert (story.slot().stage, story.slot().close_reason) == (Stage.CLOSED, "DUST")
    assert story.engine.state.holdings["TRX"].orphan_lots == 3


def test_the_last_leg_takes_everything_whatever_its_ratio_says() -> None:
    """A1"""
    assert exits(((1, 2),), 10) == [10]
    assert exits(((1, 2), (1, 4)), 20) == [10, 10]
