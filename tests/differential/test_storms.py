"""Random orders against both engines, with every model that the reference has."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.differential.engines import Case, Engine
from tests.differential.markets import ORDER_FEED_FILE, OrderFeed
from tests.differential.storms import (
    EXCHANGES,
    QUEUES,
    bounded_case,
    bounded_order_case,
    order_case,
    recorded_case,
    recorded_order_case,
    seeded,
    short_cases,
    strange_case,
)
from tests.differential.verdict import Judge

MODELS = list(itertools.product(QUEUES, EXCHANGES))
RUNS = int(os.environ.get("QF_DIFFERENTIAL_RUNS", "60"))
SOAK_RUNS = 500
FIRST_SEED = int(os.environ.get("QF_DIFFERENTIAL_SEED", "0"))

pytestmark = pytest.mark.slow


def seeds(runs: int) -> range:
    """Return the seeds of one model's share of so many runs; QF_DIFFERENTIAL_SEED moves them."""
    return range(FIRST_SEED, FIRST_SEED - -runs // len(MODELS))


def name_of(model: tuple[Any, str]) -> str:
    return f"{model[0][0]}-{model[1]}"


each_model = pytest.mark.parametrize("model", MODELS, ids=name_of)


@each_model
def test_a_storm_on_a_strange_market_ends_alike(judge: Judge, model: tuple[Any, str]) -> None:
    for seed in seeds(RUNS):
        judge.check(strange_case(seeded(seed), model))


@each_model
def test_a_storm_on_a_recorded_market_ends_alike(judge: Judge, feeds: tuple[str, ...], model: tuple[Any, str]) -> None:
    for seed in seeds(RUNS):
        judge.check(recorded_case(seeded(seed), model, feeds))


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue[0])
def test_partial_fills_are_booked_as_the_reference_books_them_if_asked(
    judge: Judge, ours: Engine, feeds: tuple[str, ...], queue: Any
) -> None:
    # B13 D1, D2: with the old way of booking, money is compared too.
    for seed in seeds(RUNS):
        judge.check(strange_case(seeded(500 + seed), (queue, "partial_fill")), strict_reference=True)
        judge.check(recorded_case(seeded(500 + seed), (queue, "partial_fill"), feeds), strict_reference=True)


@each_model
def test_a_storm_on_a_bounded_book_ends_alike(judge: Judge, model: tuple[Any, str]) -> None:  # H7.16
    for seed in seeds(RUNS):
        # Row D14: the reference returns prices for the quantities at its bests.
        judge.check(bounded_case(seeded(seed), model), ignored=("best_bid_qty", "best_ask_qty"))


def test_a_storm_on_a_market_by_order_ends_alike(judge: Judge) -> None:
    # With the reference's fills at the best price (row D53), everything is compared, money too.
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
        judge.check(order_case(seeded(seed)), strict_reference=True)


def test_a_storm_on_a_bounded_book_by_order_ends_alike(judge: Judge) -> None:  # D14 as above
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS // 4):
        case = bounded_order_case(seeded(700 + seed))
        judge.check(case, ignored=("best_bid_qty", "best_ask_qty"), strict_reference=True)


@pytest.mark.skipif(not OrderFeed.is_recorded(), reason=f"there is no {ORDER_FEED_FILE} beside the repository")
def test_a_storm_on_a_recorded_market_by_order_ends_alike(judge: Judge) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS // 4):
        judge.check(recorded_order_case(seeded(seed)), strict_reference=True)


# Ours cuts a failing case down, not hypothesis: it cuts the market too.
@settings(
    max_examples=RUNS,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(case=short_cases())
def test_a_short_storm_ends_alike(judge: Judge, case: Case) -> None:
    judge.check(case)


@pytest.mark.soak
@each_model
def test_five_hundred_storms_on_strange_markets_end_alike(judge: Judge, model: tuple[Any, str]) -> None:
    for seed in seeds(SOAK_RUNS):
        judge.check(strange_case(seeded(1_000_000 + seed), model))


@pytest.mark.soak
def test_five_hundred_storms_on_markets_by_order_end_alike(judge: Judge) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + SOAK_RUNS):
        judge.check(order_case(seeded(1_000_000 + seed)), strict_reference=True)


@pytest.mark.soak
@each_model
def test_five_hundred_storms_on_recorded_markets_end_alike(
    judge: Judge, feeds: tuple[str, ...], model: tuple[Any, str]
) -> None:
    for seed in seeds(SOAK_RUNS):
        judge.check(recorded_case(seeded(1_000_000 + seed), model, feeds))
