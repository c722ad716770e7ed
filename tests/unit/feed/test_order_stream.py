"""Orders are numbered by ascending id and followed, in one part or many."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import DataError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    CANCEL_ORDER_EVENT,
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_CANCEL_ORDER,
)
from queuefront.feed import row_spill
from queuefront.feed.order_stream import OrderTrace, order_numbers
from queuefront.feed.row_spill import RowSpill
from queuefront.feed.tape_columns import HeldColumn, TapeColumn, whole

BOTH = OP_AT_EXCH | OP_AT_LOCAL


@pytest.mark.parametrize("new_column", [HeldColumn, RowSpill])
@pytest.mark.parametrize("parts", [1, 7])
def test_orders_are_numbered_by_ascending_id(new_column: type, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_spill, "BLOCK_ROWS", 16)
    ids = np.random.default_rng(1).integers(0, 2**64 - 1, 20, np.uint64, endpoint=True)[np.arange(140) * 7 % 20]
    column: TapeColumn = new_column(np.uint64)
    for part in np.array_split(ids, parts):
        column.take(part)
    numbers, count = order_numbers(column, new_column)
    assert count == 20
    assert whole(numbers).tolist() == np.unique(ids, return_inverse=True)[1].tolist()
    assert numbers.block_count == column.block_count


def rows(*ops: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Make rows of (kind, operation, number of the order); its id is a thousand times that."""
    kinds, op, numbers = (np.array(values) for values in zip(*ops, strict=True))
    return {
        "ev": kinds.astype(np.uint32),
        "op": (op | BOTH).astype(np.uint8),
        "level": np.zeros(len(op), np.int32),
        "lots": np.ones(len(op), np.int64),
        "order_no": numbers.astype(np.int32),
        "order_id": (numbers * 1000).astype(np.uint64),
    }


def test_the_first_gap_of_all_parts_is_named_with_their_number() -> None:
    trace = OrderTrace(1, "feed")
    add, cancel = (ADD_ORDER_EVENT, OP_ADD_ORDER), (CANCEL_ORDER_EVENT, OP_CANCEL_ORDER)
    assert not trace.take(rows((*add, 1), (*add, 5)))[1].any()
    trace.refuse_gaps()
    assert trace.take(rows((*cancel, 5), (*cancel, 3)))[1].tolist() == [False, True]
    assert trace.take(rows((*cancel, 5), (*cancel, 1)))[1].tolist() == [True, False]
    with pytest.raises(DataError, match=r"feed: row 3: .* of order 3000, which is not there, like 2 rows in all"):
        trace.refuse_gaps()


def test_orders_that_are_gone_take_no_room() -> None:
    trace = OrderTrace(1, "feed")
    for k in range(50):
        trace.take(rows((ADD_ORDER_EVENT, OP_ADD_ORDER, k), (CANCEL_ORDER_EVENT, OP_CANCEL_ORDER, k)))
        assert len(trace._known) == 0
    trace.take(rows((ADD_ORDER_EVENT, OP_ADD_ORDER, 60)))
    assert trace._known.tolist() == [60]
