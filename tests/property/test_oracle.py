"""The fast engine and the naive one show the same after every call, whatever is asked of them."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from queuefront import sim
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FILL_EVENT,
    KIND_MASK,
    SELL,
    SELL_EVENT,
    TRADE_EVENT,
)
from tests.differential import engines as op
from tests.differential.engines import Action, AssetCase, Case
from tests.differential.markets import BOTH, FEED_FILES, Rows, Synthetic, feed_is_recorded
from tests.differential.storms import EXCHANGES, QUEUES, seeded
from tests.property import duel
from tests.property.duel import State, check, differences, fight
from tests.property.duel_storms import option_case, order_case, quiet_case, recorded_case, small_cases, wild_case

MODELS = list(itertools.product(QUEUES, (*EXCHANGES, "honest")))
SOAK_RUNS = 500

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model[0][0]}-{model[1]}")


def seed_of(model: tuple[Any, str], run: int) -> int:
    return 1_000 * run + MODELS.index(model)


def recorded_or_random(seed: int, model: tuple[Any, str]) -> Case:
    """Draw a case on recorded feeds; on a random market where none can be read."""
    names = tuple(name for name in FEED_FILES if feed_is_recorded(name))
    return recorded_case(seeded(seed), model, names) if names else wild_case(seeded(seed), model, rows=(4_000,))


@pytest.mark.slow
@each_model
def test_a_wild_storm_shows_the_same_on_both_engines(model):  # H0.3
    assert all(check(wild_case(seeded(seed_of(model, run)), model)).calls > 5 for run in range(3))


@pytest.mark.slow
@each_model
def test_a_storm_on_a_recorded_market_shows_the_same_on_both_engines(model):
    check(recorded_or_random(seed_of(model, 0), model))


@pytest.mark.slow
@each_model
def test_quotes_that_wait_in_a_queue_fill_alike(model):
    assert check(quiet_case(seeded(seed_of(model, 0)), model)).fills > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_storm_on_a_market_by_order_shows_the_same_on_both_engines(seed):  # D26, D53
    check(order_case(seeded(seed)))


@pytest.mark.soak
def test_five_hundred_storms_on_markets_by_order_show_the_same_on_both_engines():
    for seed in range(1_000, 1_000 + SOAK_RUNS):
        check(order_case(seeded(seed)))


OPTION_MODELS = [*MODELS, (("l3_fifo",), "no_partial_fill")]
each_option_model = pytest.mark.parametrize("model", OPTION_MODELS, ids=lambda model: f"{model[0][0]}-{model[1]}")


@pytest.mark.slow
@each_option_model
def test_a_storm_with_options_of_our_own_shows_the_same_on_both_engines(model):
    """Balances, bounded books, sampled latencies, directional and tiered fees."""
    for run in range(2):
        check(option_case(seeded(500_000 + 1_000 * run + OPTION_MODELS.index(model)), model))


@pytest.mark.soak
@each_option_model
def test_five_hundred_storms_with_options_of_our_own_show_the_same_on_both_engines(model):
    for run in range(-(-SOAK_RUNS // len(OPTION_MODELS))):
        check(option_case(seeded(600_000 + 1_000 * run + OPTION_MODELS.index(model)), model))


# The check reduces a failing case itself: it reduces the market too.
@pytest.mark.slow
@settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(case=small_cases())
def test_a_small_storm_shows_the_same_on_both_engines(case):
    check(case)


@pytest.mark.soak
@each_model
def test_five_hundred_storms_show_the_same_on_both_engines(model):
    for run in range(-(-SOAK_RUNS // len(MODELS))):
        seed = seed_of(model, 1_000 + run)
        draw = (wild_case, recorded_or_random, quiet_case)[run % 3]
        check(draw(seed, model) if draw is recorded_or_random else draw(seeded(seed), model))


# --- what the naive engine must know ----------------------------------------------------------------------------------
#: Options of an asset that a duel gives to both engines, or why it need not.
COVERED = {
    "tape": "markets by price and by order, with openings, ranges, BBO rows and rows of kinds that nobody knows",
    "latency": "LATENCIES",
    "queue": "QUEUES",
    "exchange": "EXCHANGES",
    "fees": "FEES and TieredFees",
    "funding": "funding",
    "balances": "balances",
    "last_trades_capacity": "last_trades_capacity",
    "tick_size": "another tape: Asset.load",
    "lot_size": "another tape: Asset.load",
    "contract": "contract",
    "multiplier": "contract",
    "mask_bad_spans": "another tape, and one rule of new orders: tests/scenario/test_masked_spans.py",
    "passport": "limits of the mask",
    "depth_range": "tick_range, which the tape is built with; by order: tests/unit/sim/test_range_view_compiled.py",
}
#: Models written like the built-in ones do alike to the byte (tests/unit/sim/test_own.py), which duels hold to the naive
#: engine. FifoQueue(skips_improving) and PartialFill(books_only_filled) reproduce hftbacktest, and are compared with it.
OWN = {sim.OwnLatency, sim.OwnQueue, sim.OwnExchange, sim.OwnFees}


def test_every_model_and_option_of_an_asset_is_fought_over():
    assert {f.name for f in fields(sim.Asset)} == COVERED.keys()
    fought = {*duel.LATENCIES.values(), *duel.QUEUES.values(), *duel.FEES.values(), sim.TieredFees}
    fought |= {type(exchange) for exchange in duel.EXCHANGES.values()}
    unions = (sim.LatencyModel, sim.QueueModel, sim.ExchangeModel, sim.FeeModel)
    assert fought | OWN == {kind for union in unions for kind in get_args(union)} | OWN


def test_the_storms_ask_for_every_option():
    assets = [a for seed in range(300) for a in option_case(seeded(seed), OPTION_MODELS[seed % len(OPTION_MODELS)]).assets]
    assert {a.fee[0] for a in assets} == {"tiered", "directional_trading_value", "directional_trading_qty"}
    for name in ("balances", "tick_range", "funding", "snapshot"):
        assert sum(bool(getattr(a, name)) for a in assets) > 10, name
    assert {a.latency[0] for a in assets} == duel.LATENCIES.keys()
    assert any(a.latency[0] == "constant" and len(a.latency) > 3 for a in assets)  # cancels and modifies of their own
    assert any(a.latency[0] == "constant" and a.latency[1] < 0 for a in assets)  # refused on the way
    kinds = {int(kind) for a in assets[:40] for kind in np.unique(a.market.events()["ev"] & np.uint64(KIND_MASK))}
    assert {DEPTH_BBO_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_CLEAR_EVENT, TRADE_EVENT, ADD_ORDER_EVENT, FILL_EVENT} <= kinds


@pytest.mark.parametrize("rows", [(), ((BUY_EVENT | DEPTH_EVENT, 100, 200, 99.0, 1.0),)])
def test_a_market_that_nobody_sees_is_over_at_once_on_both_engines(rows):  # H3.8
    actions = (Action(op.ELAPSE, duration=10), Action(op.WAIT_FEED, flag=1, duration=10), Action(op.GOTO_END))
    check(Case((AssetCase(Rows(rows)),), actions))


# --- the comparison itself ----------------------------------------------------------------------------------------------
SMALL = Case(
    (AssetCase(Synthetic(5, 60)),),
    (
        Action(op.ELAPSE, duration=500),
        Action(op.SUBMIT, 0, 1, BUY, offset=1_010, lots=2),
        Action(op.ELAPSE, duration=50),
        Action(op.CLEAR_INACTIVE),
    ),
)


def add_to(name: str, call: int, amount: Any, at: int, state: State) -> None:
    if at == call:
        state[name] += amount


@pytest.mark.parametrize("name", ["position_lots", "cash", "fee", "value", "volume_lots", "num_trades", "best_bid_qty"])
def test_the_comparison_sees_one_unit_more(name):
    assert not fight(SMALL).found
    found = fight(SMALL, spoil=partial(add_to, name, 2, 1)).found
    assert len(found) == 1
    assert found[0].startswith(f"after call 2, Action(ELAPSE, duration=50): asset 0: {name} is ")


def test_the_comparison_sees_a_field_of_an_order_and_one_that_is_missing():
    assert fight(SMALL).fills == 1
    naive: State = {"order 1 status": 3, "order 1 price": 99.5, "last_trades": [(1, 2.0)], "only naive": 0}
    fast: State = {"order 1 status": 1, "order 1 price": 99.50000000000001, "last_trades": [(1, 2.5)]}
    assert differences(naive, fast) == [
        "last_trades is [(1, 2.0)] in the naive engine, [(1, 2.5)] in the fast one",
        "only naive is 0 in the naive engine, 'absent' in the fast one",
        "order 1 price is 99.5 in the naive engine, 99.50000000000001 in the fast one",
        "order 1 status is 3 in the naive engine, 1 in the fast one",
    ]


def test_sums_may_be_rounded_in_the_last_digit_and_no_more():
    assert not differences({"state fee": 0.1}, {"state fee": 0.10000000000000002})
    assert differences({"state fee": 0.1}, {"state fee": 0.1000000000001})


def test_a_failing_case_is_printed_as_a_small_test_to_paste():
    play = partial(fight, spoil=partial(add_to, "num_trades", 1, 1))
    with pytest.raises(AssertionError) as caught:
        check(SMALL, play)
    text = str(caught.value)
    assert "num_trades is 1 in the naive engine, 2 in the fast one" in text or "num_trades is 0" in text
    assert "def test_the_reduced_case():\n    case = Case(assets=(\n        AssetCase(market=Rows((" in text
    assert text.rstrip().endswith("check(case)")
    assert text.count("Action(") == 3  # one in the message, two calls that are left


# --- what the engines disagreed about -----------------------------------------------------------------------------------
MARKET = Rows(
    (
        (BOTH | BUY_EVENT | DEPTH_EVENT, 100, 100, 99.0, 5.0),
        (BOTH | SELL_EVENT | DEPTH_EVENT, 100, 100, 101.0, 5.0),
        (BOTH | SELL_EVENT | TRADE_EVENT, 10_000, 10_000, 98.0, 5.0),
    )
)


def test_an_answer_after_the_end_of_the_data_is_not_early():  # B5.6
    table = ((100, 110, 120), (9_000, 9_010, 9_020), (10_000, 10_010, 20_010))
    asset = AssetCase(MARKET, latency=("interpolated", table))
    # The fill at 10,000 moves the table's cursor; the data end in that call, and the clock stays at 100.
    actions = (
        Action(op.SUBMIT, 0, 1, BUY, offset=99, lots=1),
        Action(op.ELAPSE, duration=30_000),
        Action(op.SUBMIT, 0, 2, BUY, offset=99, lots=1, flag=1),
    )
    check(Case((asset,), actions))


@pytest.mark.parametrize("kind", ["flat", "trading_qty"])
def test_a_fee_that_is_not_on_value_does_not_bound_the_size_of_an_inverse_order(kind):  # D41
    asset = AssetCase(MARKET, contract=("inverse", 100.0), fee=(kind, 0.1, 0.25))
    order = Action(op.SUBMIT, 0, 1, SELL, offset=1_000, lots=1_985)
    check(Case((replace(asset, fee=("trading_value", 0.0001, 0.00025)),), (order,)))
    check(Case((asset,), (order,)))


def test_an_order_in_a_market_without_events_does_not_arrive_at_time_zero():  # D20
    actions = (Action(op.ELAPSE, duration=10), Action(op.SUBMIT, 0, 1, BUY, offset=99, lots=1, flag=1))
    check(Case((AssetCase(Rows(())),), actions))
