"""With honest liquidity our orders at a price stand behind one another, and `queue_ahead` knows it: on both engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from queuefront.core.enums import FILLED, GTC, IOC, LIMIT, PARTIALLY_FILLED
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    ConstantLatency,
    FifoQueue,
    LogQueue,
    LogQueue2,
    OwnQueue,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    RiskAverseQueue,
    build_backtester,
)
from tests.naive.engine import AssetConfig, NaiveEngine
from tests.naive.latency import ConstantLatency as NaiveLatency
from tests.naive.queue import QueueModel
from tests.property.test_views import BY_ORDER, Play, by_order, by_price
from tests.scenario.naive_story import ASK, BID, BOOK, BUYS, LATE, PLAIN, SELLS, buy, events_of, sell

MODELS = {
    "risk_adverse": RiskAverseQueue(),
    "power_prob": PowerQueue(2.0),
    "power_prob2": PowerQueue2(2.0),
    "power_prob3": PowerQueue3(2.0),
    "log_prob": LogQueue(),
    "log_prob2": LogQueue2(),
}
Engine = Callable[..., Any]


def naive(*rows: tuple[float, ...], model: str = "risk_adverse", latency: tuple[int, int] = (10, 10)) -> NaiveEngine:
    events = events_of(*sorted((*BOOK, *rows, LATE), key=lambda row: row[0]))
    queue = QueueModel(model, 2.0)
    config = AssetConfig(events, PLAIN, NaiveLatency(*latency), queue, partial_fills=True, honest_liquidity=True)
    hbt = NaiveEngine([config])
    hbt.elapse(0)
    return hbt


def fast(*rows: tuple[float, ...], model: str = "risk_adverse", latency: tuple[int, int] = (10, 10)) -> Any:
    events = events_of(*sorted((*BOOK, *rows, LATE), key=lambda row: row[0]))
    tape = Tape.build(events, PLAIN, source="story")
    asset = Asset(tape, ConstantLatency(*latency), MODELS[model], PartialFill(honest=True))
    hbt, _ = build_backtester([asset], [asset.load()])
    hbt.elapse(0)
    return hbt


both_engines = pytest.mark.parametrize("engine", [naive, fast])
each_model = pytest.mark.parametrize("model", MODELS)


def three_bids(hbt: Any, price: int = 99) -> list[float]:
    """Let three bids of 4, 3 and 2 come to rest; return what is ahead of each."""
    for order_id, lots in ((1, 4), (2, 3), (3, 2)):
        assert buy(hbt, order_id, price, lots) == 0
    hbt.elapse(50)
    return ahead(hbt)


def ahead(hbt: Any) -> list[float]:
    return [float(hbt.queue_ahead(0, order_id)) for order_id in (1, 2, 3)]


# --- the place falls with what stands before it -------------------------------------------------------------------------
@both_engines
@each_model
def test_own_orders_that_came_earlier_are_ahead(engine: Engine, model: str) -> None:
    assert three_bids(engine(model=model)) == [5.0, 9.0, 12.0]


@both_engines
@each_model
def test_a_canceled_order_is_no_longer_ahead_of_later_ones(engine: Engine, model: str) -> None:
    hbt = engine(model=model)
    three_bids(hbt)
    hbt.cancel(0, 1, False)
    assert ahead(hbt) == [5.0, 9.0, 12.0]  # we do not know yet
    hbt.elapse(50)
    assert ahead(hbt)[1:] == [5.0, 8.0]
    assert math.isnan(ahead(hbt)[0])
    hbt.cancel(0, 3, True)
    assert ahead(hbt)[1] == 5.0  # a later one was never ahead


@both_engines
@each_model
@pytest.mark.parametrize(("price", "lots"), [(98, 4), (99, 6)])
def test_an_order_that_was_modified_away_is_behind_the_others(engine: Engine, model: str, price: int, lots: int) -> None:
    hbt = engine(model=model)
    three_bids(hbt)
    hbt.modify(0, 1, price, lots, False)
    assert ahead(hbt) == [5.0, 9.0, 12.0]
    hbt.elapse(50)
    assert ahead(hbt) == [5.0 if price == 98 else 10.0, 5.0, 8.0]


@both_engines
@each_model
def test_an_order_that_was_made_smaller_is_ahead_with_what_is_left(engine: Engine, model: str) -> None:
    hbt = engine(model=model)
    three_bids(hbt)
    hbt.modify(0, 1, 99, 1, False)
    hbt.elapse(50)
    assert ahead(hbt) == [5.0, 6.0, 9.0]


@both_engines
@each_model
def test_a_trade_moves_all_by_its_size_whoever_had_it(engine: Engine, model: str) -> None:
    hbt = engine((300, SELLS, 99, 7), (400, SELLS, 99, 3), model=model)
    three_bids(hbt)
    hbt.elapse(200)  # five of the market's, then two of the first order
    assert hbt.orders(0).get(1).status == PARTIALLY_FILLED
    assert ahead(hbt) == [0.0, 2.0, 5.0]
    hbt.elapse(100)
    assert hbt.orders(0).get(1).status == FILLED
    assert ahead(hbt)[1:] == [0.0, 2.0]


@both_engines
@pytest.mark.parametrize("looks", [False, True])
def test_news_of_a_fill_that_comes_after_the_trade_counts_once(engine: Engine, looks: bool) -> None:
    """The trade is received at 300, the answer at 340: until then all its lots may have been the market's."""
    hbt = engine((300, SELLS, 99, 7), latency=(10, 40))
    three_bids(hbt)
    hbt.elapse(150)
    if looks:
        assert ahead(hbt) == [0.0, 4.0, 7.0]
    hbt.elapse(50)
    assert ahead(hbt) == [0.0, 2.0, 5.0]


@both_engines
def test_a_level_that_reaches_us_fills_the_first_and_leaves_the_queue_of_the_others(engine: Engine) -> None:
    hbt = engine((300, ASK, 99, 6))
    three_bids(hbt)
    hbt.elapse(200)
    assert hbt.orders(0).get(1).status == FILLED
    assert ahead(hbt)[1:] == [5.0, 6.0]  # six less four: two of the second order, whose place is what it was


@both_engines
def test_a_trade_through_our_price_leaves_only_our_own_orders_ahead(engine: Engine) -> None:
    hbt = engine((300, BUYS, 103, 1))
    for order_id, lots in ((1, 4), (2, 3)):
        sell(hbt, order_id, 102, lots)
    hbt.elapse(250)
    assert ahead(hbt)[:2] == [0.0, 3.0]


@both_engines
def test_orders_at_other_prices_and_of_the_other_side_are_not_ahead(engine: Engine) -> None:
    hbt = engine()
    buy(hbt, 1, 98, 4)
    sell(hbt, 2, 101, 4)
    buy(hbt, 3, 99, 2)
    hbt.elapse(50)
    assert ahead(hbt) == [5.0, 5.0, 5.0]


@both_engines
def test_what_a_taking_order_leaves_has_a_place_at_once(engine: Engine) -> None:
    hbt = engine((150, BID, 101, 0))
    buy(hbt, 1, 101, 7)
    buy(hbt, 2, 101, 2)
    hbt.elapse(50)
    assert hbt.orders(0).get(1).status == PARTIALLY_FILLED
    assert ahead(hbt)[:2] == [0.0, 2.0]


@both_engines
def test_a_pending_modification_does_not_move_our_estimate(engine: Engine) -> None:
    """While the modification is under way the order still stands at its old price, where two lots leave."""
    hbt = engine((205, SELLS, 99, 2), (205, BID, 98, 1), latency=(60, 10))
    assert hbt.submit_buy_order(0, 1, 99, 4, GTC, LIMIT, True) == 0
    hbt.elapse(30)
    hbt.modify(0, 1, 98, 4, False)
    hbt.elapse(10)
    assert hbt.queue_ahead(0, 1) == 3.0
    hbt.elapse(80)
    assert hbt.queue_ahead(0, 1) == 1.0


@both_engines
def test_an_order_that_never_rests_has_no_place(engine: Engine) -> None:
    hbt = engine()
    buy(hbt, 1, 101, 7, IOC)
    hbt.elapse(50)
    assert math.isnan(ahead(hbt)[0])


@pytest.mark.parametrize("honest", [False, True])
@pytest.mark.parametrize("is_naive", [False, True])
def test_outside_of_a_bounded_book_an_order_learns_its_queue_from_the_next_row(is_naive: bool, honest: bool) -> None:
    """The book holds 98 to 102. What rests at 96 is unknown until a row says it."""
    rows = [(200, BID, 96, 2), (300, SELLS, 96, 3), LATE]
    events = events_of(*BOOK, *rows)
    hbt: Any
    if is_naive:
        options: dict[str, Any] = {"partial_fills": True, "honest_liquidity": honest, "tick_range": (98, 102)}
        hbt = NaiveEngine([AssetConfig(events, PLAIN, NaiveLatency(10, 10), **options)])
    else:
        tape = Tape.build(events, PLAIN, source="story", tick_range=(98, 102))
        asset = Asset(tape, ConstantLatency(10, 10), exchange=PartialFill(honest=honest))
        hbt, _ = build_backtester([asset], [asset.load()])
    hbt.elapse(0)
    buy(hbt, 1, 96, 4)
    hbt.elapse(50)
    assert math.isnan(hbt.queue_ahead(0, 1))
    hbt.elapse(100)
    assert hbt.queue_ahead(0, 1) == 2.0
    hbt.elapse(100)
    assert hbt.orders(0).get(1).leaves_qty == 3.0


# --- by chance ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(6))
@each_model
def test_without_latencies_we_see_what_is_ahead_at_the_honest_exchange(seed: int, model: str) -> None:
    tape = by_price(seed)
    config = AssetConfig(
        tape.to_events(), tape.instrument, queue=QueueModel(model, 2.0), partial_fills=True, honest_liquidity=True
    )
    hbt = NaiveEngine([config])
    exchange: Any = hbt.assets[0].exchange
    play = Play(seed, Asset(tape, queue=MODELS[model], exchange=PartialFill(honest=True)), beside=hbt)
    seen = behind_own = 0
    for _ in range(120):
        if not play.step(30):
            break
        shown = play.shown()
        own = {i: sum(o.leaves_lots for o in exchange.own_ahead(order)) for i, order in exchange.resting.items()}
        assert shown == {
            i: max(exchange.positions[i].front, 0.0) + hbt.assets[0].grid.quantity(lots) for i, lots in own.items()
        }
        seen, behind_own = seen + len(shown), behind_own + sum(lots > 0 for lots in own.values())
    assert seen > 30
    assert behind_own > 3


@pytest.mark.parametrize("seed", range(4))
@each_model
def test_when_we_look_does_not_matter_where_liquidity_is_honest(seed: int, model: str) -> None:
    def seen(every: int) -> dict[int, float]:
        asset = Asset(
            by_price(seed), queue=MODELS[model], latency=ConstantLatency(5, 70), exchange=PartialFill(honest=True)
        )
        play = Play(seed, asset)
        for i in range(80):
            play.step(40)
            if i % every == 0:
                play.shown()
        return play.shown()

    assert seen(1) == seen(1_000)


@pytest.mark.soak  # an own model lets the whole engine be compiled
def test_an_own_queue_model_begins_our_estimate_as_it_begins_the_exchanges() -> None:
    def enter(order: Any, qty: float, _params: Any) -> None:
        order["qty_ahead"], order["memory_0"] = qty / 2.0, qty

    def trade(order: Any, qty: float, _params: Any) -> None:
        order["memory_0"] -= qty
        order["qty_ahead"] = order["memory_0"]

    tape = Tape.build(events_of(*BOOK, (200, SELLS, 99, 2), LATE), PLAIN, source="story")
    asset = Asset(tape, queue=OwnQueue(enter=enter, trade=trade), exchange=PartialFill())
    hbt, _ = build_backtester([asset], [asset.load()])
    hbt.elapse(0)
    buy(hbt, 1, 99, 4)
    hbt.elapse(50)
    assert hbt.queue_ahead(0, 1) == 2.5
    hbt.elapse(100)
    assert hbt.queue_ahead(0, 1) == 3.0


# --- a market by order ----------------------------------------------------------------------------------------------------
@both_engines
def test_a_market_by_order_counts_the_markets_orders_alone(engine: Engine) -> None:
    """Orders fill whole there, whatever the size of a fill: ours before ours take nothing from us."""
    tape, events = by_order(3, clears=False)
    naive_hbt = NaiveEngine([AssetConfig(events, BY_ORDER, market_by_order=True)])
    asset = Asset(tape, queue=FifoQueue())
    hbt: Any = naive_hbt if engine is naive else build_backtester([asset], [asset.load()])[0]
    hbt.elapse(2_000)
    best = int(hbt.depth(0).best_bid_tick)
    lots = float(hbt.depth(0).best_bid_qty)
    for order_id in (1, 2):
        buy(hbt, order_id, best, 4)
    hbt.elapse(0)
    assert [hbt.queue_ahead(0, i) for i in (1, 2)] == [lots, lots]
    hbt.cancel(0, 1, False)
    hbt.elapse(0)
    assert hbt.queue_ahead(0, 2) == lots
