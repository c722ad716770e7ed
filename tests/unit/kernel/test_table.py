from __future__ import annotations

from itertools import product

from queuefront.kernel.enums import CommandKind, Stage
from queuefront.kernel.table import ROWS, TABLE, Guard
from queuefront.venues import EventKind


def test_every_stage_and_input_has_its_rows() -> None:
    assert TABLE.keys() == {(stage, int(kind)) for stage, kind in product(Stage, (*CommandKind, *EventKind))}


def test_the_last_row_of_each_pair_stands_without_guard_and_no_other_does() -> None:
    for pair, rows in TABLE.items():
        guards = [row.guard for row in rows]
        assert guards.count(Guard.ALWAYS) == 1, pair
        assert guards[-1] is Guard.ALWAYS, pair
        assert len(set(guards)) == len(guards), pair


def test_rows_with_a_number_of_the_specification_are_all_there() -> None:
    applied_elsewhere = {4, 17, 18, 19, 38, 39, 45}  # ids, look-ups, orphans, overfill and quarantine are not stages
    numbers = {int(row.number) for row in ROWS}
    assert set(range(1, 48)) - applied_elsewhere <= numbers


def test_no_row_leads_to_a_stage_that_the_slot_cannot_leave() -> None:
    """E8: from every stage the table knows a way to IDLE or CLOSED."""
    ways = {stage: {row.to for row in ROWS if stage in row.stages and row.to is not None} for stage in Stage}
    for stage in Stage:
        seen, frontier = {stage}, [stage]
        while frontier:
            for following in ways[frontier.pop()] - seen:
                seen.add(following)
                frontier.append(following)
        assert seen & {Stage.IDLE, Stage.CLOSED}
