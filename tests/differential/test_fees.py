"""Fees that the reference has in Rust alone, against sums of those that it has in Python: fees move no order."""

from __future__ import annotations

import dataclasses

import pytest

from queuefront.core.enums import BUY
from tests.differential.driver import run
from tests.differential.engines import REFERENCE_MODULE, SUBJECT_MODULE, SUBMIT_FREE, Case, load
from tests.differential.markets import Synthetic
from tests.differential.storms import seeded, touch_case

pytestmark = pytest.mark.slow

MAKER, TAKER = 0.02, 0.05


def with_fee(case: Case, *fee: object) -> Case:
    (asset,) = case.assets
    return dataclasses.replace(case, assets=(dataclasses.replace(asset, fee=fee),))


def fee_of(module: str, case: Case) -> tuple[float, int]:
    """Return what a run paid, and its number of trades."""
    state = run(load(module), case).state(-1)
    return state.fee, state.num_trades


def quiet(seed: int, contract: tuple[str, float], side: int | None) -> Case:
    case = touch_case(seeded(seed), (("risk_adverse",), "no_partial_fill"), Synthetic(seed, 900))
    actions = tuple(a for a in case.actions if a.op != SUBMIT_FREE or side is None or a.side == side)
    (asset,) = case.assets
    return Case((dataclasses.replace(asset, contract=contract),), actions)


@pytest.mark.parametrize("contract", [("linear", 1.0), ("linear", 0.01), ("inverse", 100.0)])
@pytest.mark.parametrize(("side", "buyer", "seller"), [(None, 0.001, 0.001), (BUY, 0.001, 0.3), (-BUY, 0.3, -0.0002)])
def test_a_directional_fee_on_quantity_is_the_references_on_quantity_and_on_value(
    contract: tuple[str, float], side: int | None, buyer: float, seller: float
) -> None:  # B7.8
    for seed in range(3):
        case = quiet(seed, contract, side)
        added = buyer if side in (None, BUY) else seller
        on_quantity, trades = fee_of(REFERENCE_MODULE, with_fee(case, "trading_qty", MAKER, TAKER))
        on_value, _ = fee_of(REFERENCE_MODULE, with_fee(case, "trading_value", added, added))
        ours = fee_of(SUBJECT_MODULE, with_fee(case, "directional_trading_qty", MAKER, TAKER, buyer, seller))
        assert trades > 2
        assert ours == (pytest.approx(on_quantity + on_value, rel=1e-9, abs=1e-9), trades)


@pytest.mark.parametrize("contract", [("linear", 1.0), ("inverse", 100.0)])
@pytest.mark.parametrize("side", [BUY, -BUY])
def test_a_directional_fee_on_value_is_the_references_with_the_rates_of_that_side(
    contract: tuple[str, float], side: int
) -> None:  # B7.8
    for seed in range(3):
        case = quiet(seed, contract, side)
        added = 0.001 if side == BUY else -0.0002
        expected, trades = fee_of(REFERENCE_MODULE, with_fee(case, "trading_value", 0.0001 + added, 0.0005 + added))
        ours = fee_of(SUBJECT_MODULE, with_fee(case, "directional_trading_value", 0.0001, 0.0005, 0.001, -0.0002))
        assert trades > 2
        assert ours == (pytest.approx(expected, rel=1e-9), trades)


def test_the_cases_trade_on_one_side_only() -> None:
    case = quiet(0, ("linear", 1.0), BUY)
    assert {a.side for a in case.actions if a.op == SUBMIT_FREE} == {BUY}
