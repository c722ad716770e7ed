"""Columns in the making, in memory and on the disk, have one face."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core.enums import DEPTH_EVENT, TRADE_EVENT
from queuefront.feed.row_spill import RowSpill
from queuefront.feed.tape_columns import HeldColumn, HeldEvents, blocks_of, read_only, whole
from tests.price_market import price_market


@pytest.mark.parametrize("new_column", [HeldColumn, RowSpill])
def test_a_column_gives_what_it_took(new_column: type) -> None:
    column = new_column(np.int32)
    assert (len(column), column.block_count, whole(column).tolist()) == (0, 0, [])
    column.take(np.arange(3, dtype=np.int32))
    column.take(np.zeros(0, np.int32))
    column.take(np.arange(2, dtype=np.int32))
    assert len(column) == 5
    assert whole(column).tolist() == [0, 1, 2, 0, 1]
    assert whole(column).dtype == np.int32
    column.drop()
    assert len(column) == 0


def test_a_part_in_memory_is_not_copied() -> None:
    values = np.arange(3)
    assert whole(HeldColumn(np.int64, values)) is values


def test_blocks_come_side_by_side() -> None:
    one, other = HeldColumn(np.int64, np.arange(2), np.arange(1)), HeldColumn(np.int8, *np.split(np.ones(3, np.int8), [2]))
    assert [(block["a"].tolist(), block["b"].tolist()) for block in blocks_of({"a": one, "b": other})] == [
        ([0, 1], [1, 1]),
        ([0], [1]),
    ]


def test_events_are_counted_by_kind_over_all_parts() -> None:
    events = price_market(1, 90)
    counts = HeldEvents(events[:40], events[40:]).kind_counts
    assert counts.tolist() == HeldEvents(events).kind_counts.tolist()
    assert counts.sum() == 90
    assert min(counts[DEPTH_EVENT], counts[TRADE_EVENT]) > 0


def test_a_view_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        read_only(np.zeros(2))[0] = 1
