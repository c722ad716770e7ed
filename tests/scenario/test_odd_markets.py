"""Markets that are hardly any: one event, one instant, one side. Each shows the same on the fast and the naive engine.

Nothing here is slow, so that the bounds-checked and the interpreted run repeat it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from tests.differential import engines as op
from tests.differential.engines import Action, AssetCase, Case
from tests.differential.markets import BOTH, Market, Rows, Synthetic
from tests.differential.storms import seeded
from tests.l3_market import OrderMarket
from tests.property.duel import Duel, check
from tests.property.duel_storms import one_action

MODELS = ("no_partial_fill", "partial_fill", "honest")


def storm(market: Market, exchange: str, seed: int, **models: Any) -> Duel:
    """Ask thirty things of a market, then go to its end."""
    draw = seeded(seed)
    actions = (*(one_action(draw, 20, 5, 1) for _ in range(30)), Action(op.GOTO_END))
    return check(Case((AssetCase(market, exchange=exchange, **models),), actions))


KINDS = (DEPTH_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_BBO_EVENT, 100)


@pytest.mark.parametrize("exchange", MODELS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_tape_of_one_event_is_a_market(kind: int, exchange: str) -> None:
    for side, halves in itertools.product((BUY_EVENT, SELL_EVENT, 0), (BOTH, EXCH_EVENT, LOCAL_EVENT)):
        storm(Rows(((kind | side | halves, 1_000, 1_010, 1_000.0, 3.0),)), exchange, kind)


def test_a_tape_of_one_order_is_a_market() -> None:
    rows = Rows(((ADD_ORDER_EVENT | BUY_EVENT | BOTH, 1_000, 1_010, 1_000.0, 3.0, 7),))
    storm(rows, "no_partial_fill", 1, queue=("l3_fifo",))


def at_one_time(market: Market) -> Rows:
    events = market.events().copy()
    events["exch_ts"], events["local_ts"] = 1_000_000, 1_000_000
    return Rows.of(events)


@pytest.mark.parametrize("exchange", MODELS)
@pytest.mark.parametrize("latency", [("constant", 0, 0), ("constant", 10, 10)])
def test_a_market_may_happen_all_at_once(exchange: str, latency: tuple[Any, ...]) -> None:
    for seed in range(3):
        storm(at_one_time(Synthetic(seed, 80)), exchange, seed, latency=latency)


@pytest.mark.parametrize("latency", [("constant", 0, 0), ("constant", 10, 10)])
def test_a_market_by_order_may_happen_all_at_once(latency: tuple[Any, ...]) -> None:
    for seed in range(3):
        storm(at_one_time(OrderMarket(seed, 80)), "no_partial_fill", seed, latency=latency, queue=("l3_fifo",))


def one_sided(market: Market, flag: int) -> Rows:
    """Leave what sets or adds on one side only; trades stay."""
    events = market.events()
    is_trade = events["ev"] & np.uint64(0xFF) == TRADE_EVENT
    return Rows.of(events[(events["ev"] & np.uint64(flag) != 0) | is_trade])


@pytest.mark.parametrize("exchange", MODELS)
@pytest.mark.parametrize("flag", [BUY_EVENT, SELL_EVENT])
def test_a_book_that_never_has_two_sides_is_a_book(flag: int, exchange: str) -> None:
    for seed in range(3):
        storm(one_sided(Synthetic(seed, 80), flag), exchange, seed)


@pytest.mark.parametrize("flag", [BUY_EVENT, SELL_EVENT])
def test_a_book_of_orders_that_never_has_two_sides_is_a_book(flag: int) -> None:
    for seed in range(3):
        storm(one_sided(OrderMarket(seed, 80), flag), "no_partial_fill", seed, queue=("l3_fifo",))


@pytest.mark.parametrize("exchange", MODELS)
def test_prices_outside_of_the_tape_and_of_a_bounded_book_are_prices(exchange: str) -> None:
    """Orders rest where the tape never was; trades reach them there."""
    rows = [(TRADE_EVENT | BOTH | side, 2_000_000, 2_000_000, px, 3.0) for side, px in THROUGH]
    for seed, tick_range in itertools.product(range(3), (None, (998, 1_002))):
        market = Rows.of(np.concatenate([Synthetic(seed, 60).events(), Rows(tuple(rows)).events()]))
        ends = [Action(op.SUBMIT, 0, 90 + i, side, offset=tick, lots=2) for i, (side, tick) in enumerate(FAR)]
        draw = seeded(seed)
        actions = (*ends, *(one_action(draw, 20, 5, 1) for _ in range(20)), Action(op.GOTO_END))
        duel = check(Case((AssetCase(market, exchange=exchange, tick_range=tick_range),), actions))
        assert duel.fills > 0


THROUGH = ((SELL_EVENT, 1.0), (BUY_EVENT, 4_000_000.0))
FAR = ((1, 1), (1, -5), (1, 900), (-1, 1_100), (-1, 3_999_999), (-1, 2**40))
