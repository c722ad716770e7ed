"""What the columns of a tape say of its rows and of its first book."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core.enums import (
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BID,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_BOTH,
    OP_MASK,
    OP_MASKED,
    OP_NOTHING,
)
from queuefront.feed.tape_layout import is_priced, opening_book
from tests.small_market import LINEAR


@pytest.mark.parametrize("flags", [0, OP_AT_EXCH, OP_AT_LOCAL | OP_BID, OP_MASKED])
def test_rows_name_a_price_of_the_grid_unless_they_do_nothing_or_clear_without_a_bound(flags: int) -> None:
    op = np.arange(OP_MASK + 1, dtype=np.uint8) | np.uint8(flags)
    unpriced = {OP_NOTHING, OP_CLEAR_BOTH, OP_CLEAR_ALL_BIDS, OP_CLEAR_ALL_ASKS}
    assert set(np.flatnonzero(~is_priced(op)).tolist()) == unpriced


def test_no_snapshot_is_an_empty_book() -> None:
    bid_lots, ask_lots, start = opening_book(None, np.array([5, 6, 7]), LINEAR)
    assert (bid_lots.tolist(), ask_lots.tolist(), start.tolist()) == ([0] * 3, [0] * 3, [-1, 3, 3, -1])
