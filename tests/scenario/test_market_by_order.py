"""Queues of a market by order, told as short stories: who is ahead, and who fills when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from queuefront.core import EVENT, ConfigError, Instrument
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_CLEAR_EVENT,
    EXCH_EVENT,
    EXPIRED,
    FILL_EVENT,
    FILLED,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    NEW,
    SELL_EVENT,
)
from queuefront.feed import Tape
from queuefront.sim import Asset, FifoQueue, PartialFill, RiskAverseQueue, build_backtester
from tests.small_market import market

INSTRUMENT = Instrument("venue", "SYM", "1", "1")
ADD, CANCEL, MODIFY, FILL = ADD_ORDER_EVENT, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT, FILL_EVENT
BID, ASK = BUY_EVENT, SELL_EVENT
BOTH = EXCH_EVENT | LOCAL_EVENT
OPENING = ((ADD, BID, 99, 5, 1), (ADD, BID, 99, 3, 2), (ADD, BID, 98, 9, 3), (ADD, ASK, 101, 4, 4), (ADD, ASK, 102, 4, 5))


def story(*later: tuple[int, int, int, int, int, int]) -> Asset:
    """Make a market that opens at 100 and goes on with (time, kind, side, tick, lots, order id)."""
    rows = [(100, *row) for row in OPENING] + [*later, (10_000, ADD, ASK, 150, 1, 99)]
    events = np.zeros(len(rows), EVENT)
    for i, (ts, kind, side, tick, lots, order_id) in enumerate(rows):
        events[i] = (BOTH | side | kind, ts, ts, tick, lots, order_id, 0, 0.0)
    return Asset(Tape.build(events, INSTRUMENT, source="story"), queue=FifoQueue())


def playing(asset: Asset) -> Any:
    """Return a backtest at 150."""
    hbt, _ = build_backtester([asset], [asset.load()])
    assert hbt.elapse(50) == 0
    return hbt


def buy(hbt: Any, order_id: int, tick: float, qty: float = 2.0) -> None:
    assert hbt.submit_buy_order(0, order_id, tick, qty, GTC, LIMIT, False) == 0


def sell(hbt: Any, order_id: int, tick: float, qty: float = 2.0) -> None:
    assert hbt.submit_sell_order(0, order_id, tick, qty, GTC, LIMIT, False) == 0


def status(hbt: Any, order_id: int) -> int:
    return int(hbt.orders(0).get(order_id).status)


def test_a_fill_of_an_order_ahead_leaves_ours_alone():
    hbt = playing(story((200, FILL, BID, 99, 5, 1), (201, CANCEL, BID, 99, 5, 1)))
    buy(hbt, 7, 99)
    hbt.elapse(1_000)
    assert status(hbt, 7) == NEW


def test_a_fill_of_an_order_behind_fills_ours_first():
    hbt = playing(story((200, ADD, BID, 99, 1, 50), (300, FILL, BID, 99, 1, 50)))
    buy(hbt, 7, 99)
    hbt.elapse(1_000)
    assert (status(hbt, 7), hbt.position(0)) == (FILLED, 2.0)


def test_an_order_that_was_made_larger_is_behind_ours():
    hbt = playing(story((200, MODIFY, BID, 99, 6, 1), (300, FILL, BID, 99, 3, 2), (400, FILL, BID, 99, 1, 1)))
    buy(hbt, 7, 99)
    hbt.elapse(200)
    assert status(hbt, 7) == NEW  # the second order was ahead of ours
    hbt.elapse(100)
    assert status(hbt, 7) == FILLED


def test_an_order_that_was_made_smaller_stays_ahead_of_ours():
    hbt = playing(story((200, MODIFY, BID, 99, 1, 1), (400, FILL, BID, 99, 1, 1)))
    buy(hbt, 7, 99)
    hbt.elapse(1_000)
    assert status(hbt, 7) == NEW


def test_ours_that_improves_on_the_market_fills_before_it():  # D53
    hbt = playing(story((300, FILL, BID, 99, 1, 1)))
    buy(hbt, 7, 100)
    hbt.elapse(1_000)
    assert status(hbt, 7) == FILLED


def test_ours_fills_when_the_other_side_reaches_it():
    hbt = playing(story((300, ADD, BID, 101, 1, 50)))
    sell(hbt, 7, 101)
    hbt.elapse(1_000)
    assert (status(hbt, 7), hbt.position(0)) == (FILLED, -2.0)


def test_a_modification_that_reaches_ours_fills_it():  # D26: as an addition does
    hbt = playing(story((300, MODIFY, BID, 101, 9, 3)))
    sell(hbt, 7, 101)
    hbt.elapse(1_000)
    assert status(hbt, 7) == FILLED


def test_a_modification_of_ours_may_take():  # D26
    hbt = playing(story())
    buy(hbt, 7, 98)
    hbt.elapse(10)
    assert hbt.modify(0, 7, 101.0, 2.0, False) == 0
    hbt.elapse(10)
    order = hbt.orders(0).get(7)
    assert (order.status, order.exec_price_tick, order.maker) == (FILLED, 101, False)


def test_a_clear_expires_ours_of_its_side():
    hbt = playing(story((300, DEPTH_CLEAR_EVENT, BID, 0, 0, 0)))
    buy(hbt, 7, 97)
    sell(hbt, 8, 103)
    hbt.elapse(1_000)
    order = hbt.orders(0).get(7)
    assert (order.status, order.leaves_qty, order.exec_qty) == (EXPIRED, 0.0, 0.0)
    assert status(hbt, 8) == NEW


def test_what_is_ahead_is_counted_to_the_lot():
    hbt = playing(
        story(
            (200, CANCEL, BID, 99, 3, 2),
            (300, MODIFY, BID, 99, 1, 1),
            (400, ADD, BID, 99, 7, 50),
            (500, CANCEL, BID, 99, 7, 50),
        )
    )
    buy(hbt, 7, 99)
    ahead = []
    for _ in range(5):
        hbt.elapse(100)
        ahead.append(hbt.queue_ahead(0, 7))
    assert ahead == [5.0, 1.0, 1.0, 1.0, 1.0]


def test_level_quantities_are_sums_over_orders():
    hbt = playing(story((200, MODIFY, BID, 98, 2, 1)))
    depth = hbt.depth(0)
    assert (depth.bid_qty_at_tick(99), depth.bid_qty_at_tick(98)) == (8.0, 9.0)
    hbt.elapse(100)
    assert (depth.bid_qty_at_tick(99), depth.bid_qty_at_tick(98)) == (3.0, 11.0)


def test_market_and_queue_model_must_fit():
    with pytest.raises(ConfigError) as caught:
        Asset(story().tape, queue=RiskAverseQueue()).load()
    assert str(caught.value) == (
        "<Tape venue:SYM, 6 events, 5 price levels> is told by order, which RiskAverseQueue cannot follow; give "
        "queue=FifoQueue()"
    )
    with pytest.raises(ConfigError) as caught:
        Asset(market(), queue=FifoQueue()).load()
    assert str(caught.value) == (
        "<Tape venue:LIN, 4 events, 2 price levels> is told by price, which FifoQueue cannot follow; give a queue model of "
        "a market by price"
    )
    with pytest.raises(ConfigError) as caught:
        Asset(story().tape, queue=FifoQueue(), exchange=PartialFill()).load()
    assert str(caught.value) == "a market by order is matched by NoPartialFill only; give exchange=NoPartialFill()"
