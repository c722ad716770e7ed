"""Orders and their fills in any order of arrival, any number of times: totals never shrink, closed stays closed."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.venues.bybit.orders import (
    FillReport,
    News,
    OrderReport,
    OrderTracker,
    fill_of,
    order_of,
    position_of,
)
from queuefront.venues.bybit.schemas import ExecutionRow, OrderRow, PositionRow
from queuefront.venues.bybit.vocabulary import PositionSide, Status
from queuefront.venues.errors import MessageError
from tests.unit.venues.bybit.fake_rest import execution_row, order_row, position_row

D = Decimal
S = 10**9


def order(status: str = "New", cum: str = "0", **fields: Any) -> OrderReport:
    return order_of(msgspec.convert(order_row(status, cum, **fields), OrderRow))


def fill(exec_id: str, qty: str, **fields: Any) -> FillReport:
    return fill_of(msgspec.convert(execution_row(exec_id, qty, **fields), ExecutionRow))


def test_an_order_is_told_by_its_topic_and_its_fills_by_theirs() -> None:
    tracker = OrderTracker()
    assert tracker.apply(order(), 1) is News.FIRST
    assert tracker.apply_fill(fill("a", "0.004"), 2) is News.FILL
    assert tracker.apply(order("PartiallyFilled", "0.004"), 3) is News.SAME
    assert tracker.apply(order("PartiallyFilled", "0.010"), 4) is News.CHANGED
    assert tracker.apply_fill(fill("b", "0.002"), 5) is News.LATE_FILL
    assert tracker.apply_fill(fill("c", "0.004"), 6) is News.COMPLETE
    assert tracker.apply_fill(fill("c", "0.004"), 7) is News.SAME
    assert [f.exec_id for f in tracker.fills("mine")] == ["a", "b", "c"]


# H8.10
def test_an_execution_after_the_final_order_update_completes_it_and_opens_nothing() -> None:
    tracker = OrderTracker()
    tracker.apply(order(), 1)
    assert tracker.apply(order("Filled", "0.010"), 2) is News.CHANGED
    assert tracker.apply_fill(fill("a", "0.010"), 3) is News.COMPLETE
    known = tracker.get("mine")
    assert known is not None
    assert (known.status, known.cum_qty, tracker.live) == (Status.FILLED, D("0.010"), [])


# H8.10
def test_a_final_order_update_after_its_execution_closes_it_once() -> None:
    tracker = OrderTracker()
    tracker.apply(order(), 1)
    assert tracker.apply_fill(fill("a", "0.010"), 2) is News.FILL
    assert tracker.apply(order("Filled", "0.010"), 3) is News.CHANGED
    for repeated in (order("Filled", "0.010"), order("Cancelled", "0.010", rejectReason="EC_OrigClOrdIDDoesNotExist")):
        assert tracker.apply(repeated, 4) is News.SAME
    assert tracker.apply_fill(fill("a", "0.010"), 5) is News.SAME
    known = tracker.get("mine")
    assert known is not None
    assert (known.status, known.cum_qty) == (Status.FILLED, D("0.010"))


# H8.10
def test_removing_what_is_not_there_is_counted_and_does_nothing() -> None:
    tracker = OrderTracker()
    tracker.apply(order("Filled", "0.010"), 1)
    assert tracker.remove("mine")
    assert not tracker.remove("mine")
    assert not tracker.remove("never")
    assert (tracker.counts.removed_absent, len(tracker)) == (2, 0)
    assert tracker.apply_fill(fill("a", "0.010"), 2) is News.FILL


# H8.10
@pytest.mark.parametrize("arrival", list(itertools.permutations(range(5))))
def test_every_order_of_arrival_ends_the_same(arrival: tuple[int, ...]) -> None:
    messages: list[Any] = [
        order(), order("PartiallyFilled", "0.004"), order("Filled", "0.010"), fill("a", "0.004"), fill("b", "0.006"),
    ]  # fmt: skip
    tracker = OrderTracker()
    for place in (*arrival, *arrival):
        message = messages[place]
        if isinstance(message, OrderReport):
            tracker.apply(message, 1)
        else:
            tracker.apply_fill(message, 1)
    known = tracker.get("mine")
    assert known is not None
    assert (known.status, known.cum_qty, known.is_closed) == (Status.FILLED, D("0.010"), True)
    assert sum(f.qty for f in tracker.fills("mine")) == D("0.010")


def test_a_canceled_order_keeps_its_fills_and_may_grow_by_a_late_one() -> None:
    tracker = OrderTracker()
    tracker.apply(order("Cancelled", "0.004"), 1)
    assert tracker.apply_fill(fill("a", "0.004"), 2) is News.COMPLETE
    assert tracker.apply_fill(fill("b", "0.002"), 3) is News.FILL
    assert tracker.apply(order("PartiallyFilled", "0.008"), 4) is News.CHANGED
    assert tracker.apply(order("PartiallyFilled", "0.004"), 5) is News.OLD
    known = tracker.get("mine")
    assert known is not None
    assert (known.status, known.cum_qty) == (Status.CANCELED, D("0.008"))


def test_other_terms_of_a_living_order_are_a_modification() -> None:
    tracker = OrderTracker()
    tracker.apply(order(), 1)
    assert tracker.apply(order(price="50001.0", updatedTime="1767225600006"), 2) is News.MODIFIED
    assert tracker.apply(order(updatedTime="1767225600005"), 3) is News.OLD
    assert tracker.apply(order(price="50001.0", updatedTime="1767225600007"), 4) is News.SAME


def test_a_word_that_nobody_knows_changes_nothing_and_is_told() -> None:
    tracker = OrderTracker()
    tracker.apply(order(), 1)
    assert tracker.apply(order("Frozen"), 2) is News.UNKNOWN_WORD
    assert tracker.apply_fill(fill("x", "0.001", execType="Gift"), 3) is News.UNKNOWN_WORD
    known = tracker.get("mine")
    assert known is not None
    assert (known.status, known.cum_qty) == (Status.NEW, 0)


def test_executions_of_the_venues_own_orders_are_no_order_of_ours() -> None:
    tracker = OrderTracker()
    for exec_type in ("AdlTrade", "BustTrade", "Delivery", "Settle", "Funding"):
        assert tracker.apply_fill(fill(exec_type, "0.001", execType=exec_type, orderLinkId=""), 1) is News.FILL
        assert tracker.apply_fill(fill(exec_type, "0.001", execType=exec_type, orderLinkId=""), 1) is News.SAME
    assert (len(tracker), tracker.live) == (0, [])


def test_closed_orders_are_forgotten_after_a_while_and_beyond_a_number() -> None:
    tracker = OrderTracker(kept_ns=10 * S, kept_max=2)
    for i in range(5):
        tracker.apply(order("Filled", "0.010", cid=f"o{i}"), i)
        tracker.apply_fill(fill(f"f{i}", "0.010", orderLinkId=f"o{i}"), i)
    assert (len(tracker), tracker.counts.purged) == (2, 3)
    tracker.apply(order(cid="late"), 11 * S)
    assert (len(tracker), tracker.counts.purged) == (1, 5)
    assert tracker.fills("o4") == []


def test_why_an_order_ended_is_told_where_it_was_not_us() -> None:
    ours = order("Cancelled", cancelType="CancelByUser", rejectReason="EC_PerCancelRequest")
    assert not ours.is_venues_end
    for fields in (
        {"cancelType": "CancelByReduceOnly"},
        {"rejectReason": "EC_PostOnlyWillTakeLiquidity"},
        {"rejectReason": "EC_NoImmediateQtyToFill"},
    ):
        ended = order("Cancelled", **fields)
        assert (ended.is_venues_end, ended.reason) == (True, next(iter(fields.values())))
    assert not order("Filled", "0.010", cancelType="CancelBySmp").is_venues_end


def test_a_number_that_is_none_is_told() -> None:
    with pytest.raises(MessageError, match="cumExecQty is 'x'"):
        order("New", "0", cumExecQty="x")
    with pytest.raises(MessageError, match="execQty is 'x'"):
        fill("a", "x")


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [("Buy", "1", "BUY"), ("Sell", "1", "SELL"), ("", "0", "FLAT"), (None, "", "FLAT"), ("None", "0", "FLAT")],
)
def test_a_position_has_a_side_or_none(side: Any, size: str, expected: str) -> None:
    position = position_of(msgspec.convert(position_row(side, size), PositionRow))
    assert position.side is PositionSide[expected]


# H8.5
def test_an_unknown_side_of_a_position_is_kept_as_it_was_written() -> None:
    position = position_of(msgspec.convert(position_row("Both", "2"), PositionRow))
    assert (position.side, position.side_text, position.qty) == (PositionSide.UNSUPPORTED, "Both", D(2))


MESSAGES = st.one_of(
    st.builds(
        order, st.sampled_from(["New", "PartiallyFilled", "Filled", "Cancelled"]), st.sampled_from(["0", "0.004", "0.010"])
    ),
    st.builds(fill, st.sampled_from("abc"), st.sampled_from(["0.002", "0.004"])),
)


@given(st.lists(MESSAGES, max_size=12))
def test_totals_never_shrink_and_closed_stays_closed(messages: list[Any]) -> None:
    tracker = OrderTracker()
    cum, is_closed = D(0), False
    for message in messages:
        if isinstance(message, OrderReport):
            tracker.apply(message, 1)
        else:
            tracker.apply_fill(message, 1)
        known = tracker.get("mine")
        assert known is not None
        assert known.cum_qty >= cum
        assert known.is_closed or not is_closed
        cum, is_closed = known.cum_qty, known.is_closed
