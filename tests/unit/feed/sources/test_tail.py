"""What ends every conversion."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from queuefront.core import EVENT, DataError, TimestampRangeError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, EXCH_EVENT, LOCAL_EVENT, MARK_PRICE_EVENT
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.row_spill import Rows
from queuefront.feed.sources.tail import find_grid, ready_for_replay


def rows_of(*rows: tuple[int, int, int, float, float]) -> Rows:
    rows_ = np.zeros(len(rows), EVENT)
    for i, (ev, exch_ts, local_ts, px, qty) in enumerate(rows):
        rows_[i]["ev"], rows_[i]["exch_ts"], rows_[i]["local_ts"] = ev, exch_ts, local_ts
        rows_[i]["px"], rows_[i]["qty"] = px, qty
    return Rows.of(rows_)


BID = DEPTH_EVENT | BUY_EVENT


def test_a_clock_that_runs_behind_is_shifted_and_the_account_says_by_how_much() -> None:
    account = ConversionAccount("mine", "a.gz")
    events = ready_for_replay(rows_of((BID, 100, 40, 1, 1), (BID, 110, 60, 1, 1)), account, 5, always=False).whole()
    assert account.local_ts_shift_ns == 65
    assert list(events["local_ts"]) == [105, 125]
    assert all(ev & EXCH_EVENT and ev & LOCAL_EVENT for ev in events["ev"].tolist())


def test_rows_whose_clocks_disagree_are_split_and_counted() -> None:
    account = ConversionAccount("mine", "a.gz")
    events = ready_for_replay(rows_of((BID, 100, 300, 1, 1), (BID, 110, 200, 1, 1)), account, 0, always=False).whole()
    assert (account.events, account.rows_split) == (len(events), len(events) - 2)
    at_exch = events[(events["ev"] & np.uint64(EXCH_EVENT)) > 0]
    at_local = events[(events["ev"] & np.uint64(LOCAL_EVENT)) > 0]
    assert list(at_exch["exch_ts"]) == [100, 110]
    assert list(at_local["local_ts"]) == [200, 300]


def test_rows_in_order_are_read_where_they_lie() -> None:
    rows = rows_of((BID, 100, 200, 1, 1), (BID, 110, 210, 1, 1))
    account = ConversionAccount("mine", "a.gz")
    events = ready_for_replay(rows, account, 7, always=True)
    assert len(rows) == 2  # they were not let go of
    assert list(events.whole()["local_ts"]) == [207, 217]
    assert list(rows.whole()["local_ts"]) == [200, 210]
    assert (account.events, account.rows_split, account.first_local_ts) == (2, 0, 207)


def test_the_grid_comes_from_book_and_trades_and_not_from_other_rows() -> None:
    account = ConversionAccount("mine", "a.gz")
    book = [(BID, 1, 1, 0.5 * i, 0.25 * i) for i in range(1, 400)]
    tick, lot = find_grid(rows_of(*book, (MARK_PRICE_EVENT, 1, 1, 0.123, 0.0)), account, None, None)
    assert (tick, lot) == (Decimal("0.5"), Decimal("0.25"))
    assert account.events_by_kind == {"depth": 399, "mark price": 1}
    assert (account.tick_size, account.tick_size_inferred_from) == ("0.5", 399)


def test_a_given_grid_is_taken_and_nothing_is_inferred() -> None:
    account = ConversionAccount("mine", "a.gz")
    assert find_grid(rows_of(), account, "0.1", "0.001") == (Decimal("0.1"), Decimal("0.001"))
    assert account.tick_size_inferred_from is None
    with pytest.raises(DataError, match="tick_size"):
        find_grid(rows_of(), account, None, "0.001")


def test_clocks_too_far_apart_are_refused_by_the_files_name() -> None:
    """H0.5."""
    account = ConversionAccount("mine", "a.gz")
    with pytest.raises(TimestampRangeError, match=r"^a\.gz: local_ts runs from 1 to 9,223,372,036,854,775,807"):
        ready_for_replay(rows_of((BID, 1, 2**63 - 1, 1, 1), (BID, 1, 1, 1, 1)), account, 0, always=False)
