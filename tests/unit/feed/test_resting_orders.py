"""The orders that rest in a market by order, half by half, at any row of its tape."""

from __future__ import annotations

import numpy as np

from queuefront.core import EVENT, Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
)
from queuefront.feed import Tape
from queuefront.feed.resting_orders import RestingOrders

BOTH = EXCH_EVENT | LOCAL_EVENT
BID, ASK = BUY_EVENT, SELL_EVENT


def orders_of(*rows: tuple[int, float, float, int]) -> RestingOrders:
    """Follow (ev, px, qty, order_id), one each nanosecond; seen by both halves unless a row says by which."""
    events = np.zeros(len(rows), EVENT)
    for i, (ev, px, qty, order_id) in enumerate(rows):
        events[i] = (ev if ev & BOTH else ev | BOTH, i + 1, i + 1, px, qty, order_id, 0, 0.0)
    return RestingOrders(Tape.build(events, Instrument("test", "XYZ", "0.5", "0.25"), source="made"))


def resting(orders: RestingOrders, row: int, flag: int = EXCH_EVENT) -> list[tuple[int, float, float, str]]:
    orders.move_to(row)
    rows = orders.resting(flag)
    assert ((rows["ev"] & np.uint64(0xFF)) == ADD_ORDER_EVENT).all()
    sides = np.where(rows["ev"] & np.uint64(BID), "bid", "ask")
    return list(zip(rows["order_id"].tolist(), rows["px"].tolist(), rows["qty"].tolist(), sides.tolist(), strict=True))


def test_orders_rest_until_they_are_canceled_and_keep_their_place_when_they_shrink():
    orders = orders_of(
        (ADD_ORDER_EVENT | BID, 100, 2, 7),
        (ADD_ORDER_EVENT | BID, 100, 1, 3),
        (MODIFY_ORDER_EVENT | BID, 100, 0.5, 7),
        (ADD_ORDER_EVENT | ASK, 101.5, 1.25, 9),
        (FILL_EVENT | BID, 100, 0.25, 7),
        (MODIFY_ORDER_EVENT | BID, 100, 0.25, 7),
        (CANCEL_ORDER_EVENT | BID, 100, 1, 3),
    )
    assert resting(orders, 0) == []
    assert resting(orders, 3) == [(7, 100.0, 0.5, "bid"), (3, 100.0, 1.0, "bid")]
    assert resting(orders, 5) == [(7, 100.0, 0.5, "bid"), (3, 100.0, 1.0, "bid"), (9, 101.5, 1.25, "ask")]
    assert resting(orders, 7) == [(7, 100.0, 0.25, "bid"), (9, 101.5, 1.25, "ask")]


def test_an_order_that_grows_or_moves_queues_anew():
    rows = [(ADD_ORDER_EVENT | BID, 100, 1, k) for k in (1, 2, 3)]
    orders = orders_of(*rows, (MODIFY_ORDER_EVENT | BID, 100, 2, 1), (MODIFY_ORDER_EVENT | BID, 99.5, 1, 2))
    assert [row[0] for row in resting(orders, 4)] == [2, 3, 1]
    assert resting(orders, 5) == [(3, 100.0, 1.0, "bid"), (1, 100.0, 2.0, "bid"), (2, 99.5, 1.0, "bid")]


def test_a_clear_takes_the_orders_of_its_side_and_not_those_that_come_later():
    orders = orders_of(
        (ADD_ORDER_EVENT | BID, 100, 1, 1),
        (ADD_ORDER_EVENT | ASK, 101, 1, 2),
        (DEPTH_CLEAR_EVENT | ASK, 0, 0, 0),
        (ADD_ORDER_EVENT | ASK, 102, 1, 2),
        (DEPTH_CLEAR_EVENT, 0, 0, 0),
        (ADD_ORDER_EVENT | BID, 98, 1, 4),
    )
    assert [row[0] for row in resting(orders, 3)] == [1]
    assert [row[0] for row in resting(orders, 4)] == [1, 2]
    assert [row[0] for row in resting(orders, 6)] == [4]


def test_each_half_has_its_own_orders():
    orders = orders_of(
        (ADD_ORDER_EVENT | BID | EXCH_EVENT, 100, 1, 1),
        (ADD_ORDER_EVENT | BID | EXCH_EVENT, 99, 1, 2),
        (ADD_ORDER_EVENT | BID | LOCAL_EVENT, 100, 1, 1),
    )
    assert [row[0] for row in resting(orders, 3)] == [1, 2]
    assert [row[0] for row in resting(orders, 3, LOCAL_EVENT)] == [1]
