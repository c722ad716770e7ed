"""A whole strategy, one source, on both engines: the grid of twenty orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.differential.engines import AssetCase, Case, Engine
from tests.differential.markets import Feed, Market, Synthetic
from tests.differential.strategies import grid

pytestmark = pytest.mark.slow

#: Columns that are sums of floats: balance, fee and traded value.
MONEY = (4, 5, 10)
LOTS = (3, 7)
TAKER_FEE = 0.0007


@pytest.fixture(scope="module")
def strategies(reference: Engine, subject: Engine) -> tuple[Any, Any]:
    theirs = grid.make(reference.module)
    return theirs, theirs if subject is reference else grid.make(subject.module)


def samples_of(engine: Engine, strategy: Any, asset: AssetCase, *parameters: float) -> np.ndarray:
    samples = np.zeros((2000, grid.SAMPLE_WIDTH))
    with engine.open(Case((asset,))) as backtest:
        return samples[: strategy(backtest, *parameters, samples)]


def assert_alike(theirs: np.ndarray, ours: np.ndarray, lot_size: float) -> None:
    assert len(theirs) == len(ours)
    exact = [i for i in range(grid.SAMPLE_WIDTH) if i not in MONEY and i not in LOTS]
    rows, columns = np.nonzero(theirs[:, exact] != ours[:, exact])
    assert not len(rows), f"sample {rows[0]}, column {exact[columns[0]]}: {theirs[rows[0]]} and {ours[rows[0]]}"
    assert (np.rint(theirs[:, LOTS] / lot_size) == np.rint(ours[:, LOTS] / lot_size)).all()
    # Rounding errors scale with all that was ever traded, and paid.
    gross = theirs[:, 10:] * (1, TAKER_FEE, 1)
    assert (np.abs(theirs[:, MONEY] - ours[:, MONEY]) <= 1e-9 * gross).all()


def compare(reference: Engine, subject: Engine, strategies: tuple[Any, Any], asset: AssetCase, *parameters: float) -> int:
    theirs = samples_of(reference, strategies[0], asset, *parameters)
    assert_alike(theirs, samples_of(reference, strategies[0], asset, *parameters), asset.lot_size)
    assert_alike(theirs, samples_of(subject, strategies[1], asset, *parameters), asset.lot_size)
    return int(theirs[-1, 6])


def asset_on(market: Market, tick_size: float, lot_size: float, queue: tuple[Any, ...], **models: Any) -> AssetCase:
    return AssetCase(market, tick_size, lot_size, queue=queue, fee=("trading_value", -0.00005, TAKER_FEE), **models)


@pytest.mark.parametrize("queue", [("risk_adverse",), ("power_prob3", 3.0), ("log_prob2",)], ids=lambda queue: queue[0])
def test_the_grid_trades_alike_on_a_recorded_linear_market(reference, subject, strategies, feeds, queue) -> None:
    if "usdm" not in feeds:
        pytest.skip("the feed usdm is not here")
    asset = asset_on(Feed("usdm", 300_000), 0.1, 0.001, queue, latency=("constant", 3_000_000, 5_000_000))
    trades = compare(reference, subject, strategies, asset, 10, 1, 1, 0.001, 20, 100_000_000)
    assert trades > 20


def test_the_grid_trades_alike_on_a_recorded_inverse_market(reference, subject, strategies, feeds) -> None:
    if "coinm" not in feeds:
        pytest.skip("the feed coinm is not here")
    table = tuple(
        (1723161256000000000 + i * 10**9, 1723161256000000000 + i * 10**9 + 2_000_000 + i * 7000) for i in range(300)
    )
    rows = tuple((request, exch, exch + 1_000_000) for request, exch in table)
    models = {"contract": ("inverse", 100.0), "latency": ("interpolated", rows)}
    asset = asset_on(Feed("coinm", 250_000), 0.1, 1.0, ("log_prob",), **models)
    trades = compare(reference, subject, strategies, asset, 10, 2, 2, 1.0, 30, 150_000_000)
    assert trades > 10


@pytest.mark.parametrize("seed", range(6))
def test_the_grid_trades_alike_on_a_strange_market(reference, subject, strategies, seed: int) -> None:
    asset = asset_on(Synthetic(300 + seed, 1500), 1.0, 1.0, ("power_prob2", 2.0), latency=("constant", seed, 3))
    span = int(np.ptp(asset.market.events()["exch_ts"]))
    compare(reference, subject, strategies, asset, 3, 1, 1, 1.0, 20, 1 + span // 500)


def test_a_sample_that_is_off_is_found() -> None:
    samples = np.ones((4, grid.SAMPLE_WIDTH))
    for column in range(grid.SAMPLE_WIDTH):
        other = samples.copy()
        other[2, column] += 1e-3 if column in MONEY else 1
        with pytest.raises(AssertionError):
            assert_alike(samples, other, 1.0)
