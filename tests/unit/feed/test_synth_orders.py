"""The synthetic market by order obeys the rules of a feed, and a seed gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import SynthConfig, Tape, check_events, synthesize_orders, synthetic_instrument

SMALL = SynthConfig(seed=7, events=3_000, levels=8)
CONFIGS = (SMALL, SynthConfig(4, 20_000, levels=2, volatility_ticks=200.0), SynthConfig(5, 20_000, market_share=0.5))


def digest(events: np.ndarray) -> str:
    return hashlib.sha256(events.tobytes()).hexdigest()


def walk(events: np.ndarray) -> Iterator[tuple[int, bool, int, int, int, dict[int, list[int]]]]:
    """Yield (kind, is a bid, tick, lots, order id, orders before) of each row; orders are [is a bid, tick, lots]."""
    orders: dict[int, list[int]] = {}
    for event in events:
        kind, is_bid = int(event["ev"]) & KIND_MASK, bool(int(event["ev"]) & BUY_EVENT)
        tick, lots, order_id = round(event["px"] * 10), round(event["qty"] * 1000), int(event["order_id"])
        yield kind, is_bid, tick, lots, order_id, orders
        if kind in (ADD_ORDER_EVENT, MODIFY_ORDER_EVENT):
            orders[order_id] = [is_bid, tick, lots]
        elif kind == CANCEL_ORDER_EVENT:
            del orders[order_id]


def test_a_seed_gives_the_same_bytes_for_ever():
    assert digest(synthesize_orders(SMALL)) == GOLDEN
    assert digest(synthesize_orders(replace(SMALL, seed=8))) != GOLDEN


def test_a_longer_market_begins_as_the_shorter_one():
    assert synthesize_orders(replace(SMALL, events=5_000))[:3_000].tobytes() == synthesize_orders(SMALL).tobytes()


@pytest.mark.parametrize("config", CONFIGS)
def test_there_are_as_many_rows_as_asked_for_and_nothing_is_wrong_with_them(config):
    events = synthesize_orders(config)
    assert len(events) == config.events
    assert not events.flags.writeable
    assert check_events(events, synthetic_instrument(config)).ok
    assert (events["ev"] & np.uint64(EXCH_EVENT | LOCAL_EVENT) == EXCH_EVENT | LOCAL_EVENT).all()
    assert (np.diff(events["exch_ts"]) >= 0).all()
    assert (np.diff(events["local_ts"]) >= 0).all()
    assert (events["local_ts"] > events["exch_ts"]).all()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_order_is_added_once_and_the_book_never_crosses_nor_empties(config):
    opening = 6 * config.levels
    for i, (kind, is_bid, tick, lots, order_id, orders) in enumerate(walk(synthesize_orders(config))):
        assert lots > 0
        assert (order_id in orders) == (kind not in (ADD_ORDER_EVENT, TRADE_EVENT))
        if kind == CANCEL_ORDER_EVENT:
            assert orders[order_id] == [is_bid, tick, lots]
        if i >= opening:
            assert max(t for b, t, _ in orders.values() if b) < min(t for b, t, _ in orders.values() if not b)


@pytest.mark.parametrize("config", CONFIGS)
def test_trades_fill_the_best_price_first_come_first_served(config):
    left, fills = 0, 0
    for kind, is_bid, tick, lots, order_id, orders in walk(synthesize_orders(config)):
        if kind == TRADE_EVENT:
            assert left == 0
            left = lots
            assert tick == (min if is_bid else max)(t for b, t, _ in orders.values() if b != is_bid)
        elif kind == FILL_EVENT:
            left -= lots
            fills += 1
            assert orders[order_id][:2] == [is_bid, tick]
            assert lots <= orders[order_id][2]
        elif kind == ADD_ORDER_EVENT:
            assert left == 0
    assert fills > 50


def test_a_tape_of_it_is_by_order():
    tape = Tape.build(synthesize_orders(SMALL), synthetic_instrument(SMALL), source="test")
    assert tape.is_by_order
    assert len(tape) == 3_000


def test_impossible_markets_are_refused():
    with pytest.raises(ConfigError):
        SynthConfig(seed=-1)


GOLDEN = "8fbb897635b087e53b236c384be516b15f9c7286401dd0d70e7539e8a0bc820f"
