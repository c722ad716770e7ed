"""Models of one's own stand where the built-in ones stand: written alike, they do alike."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from queuefront.core import ConfigError
from queuefront.sim import (
    Asset,
    ConstantLatency,
    FifoQueue,
    OwnExchange,
    OwnFees,
    OwnLatency,
    OwnQueue,
    PartialFill,
    RiskAverseQueue,
    ValueFees,
)
from queuefront.sim.own import hooks_of
from tests.own_models import constant_latency, partial_fill, risk_averse_queue, value_fees
from tests.property.storm import LINEAR, asset_of, play, storm_of

SEEDS = (0, 3, 4)


def storm(asset: Asset, seed: int) -> Any:
    return play([asset], storm_of(seed, 150))


def base(seed: int, exchange: str = "no partial fill") -> Asset:
    return replace(asset_of(seed, "linear", exchange, "value"), queue=RiskAverseQueue())


def require_same_but_fees(found: np.ndarray, expected: np.ndarray) -> None:
    for name in expected.dtype.names or ():
        if name != "fee":
            np.testing.assert_array_equal(found[name], expected[name], name)
    assert found["fee"].any()


@pytest.mark.soak
def test_an_own_queue_written_like_the_built_in_one_fills_alike_to_the_byte():
    for seed, exchange in zip(SEEDS, ("no partial fill", "partial fill", "no partial fill"), strict=True):
        built_in, own = (
            storm(replace(base(seed, exchange), queue=q), seed) for q in (RiskAverseQueue(), risk_averse_queue())
        )
        assert len(built_in.results[0].fills) > 5
        assert own.results[0].fills.tobytes() == built_in.results[0].fills.tobytes()
        assert own.results[0].changes.tobytes() == built_in.results[0].changes.tobytes()
        assert own.log == built_in.log


@pytest.mark.soak
def test_own_latency_fees_and_exchange_written_like_the_built_in_ones_do_alike():
    """Fees are rounded to 1e-9 each, so that they agree to half of that a fill."""
    maker, taker = "-0.00005", "0.000753"
    for seed in SEEDS:
        asset = replace(base(seed), latency=ConstantLatency(7, 3, cancel_ns=11), exchange=PartialFill())
        own = replace(
            asset,
            latency=constant_latency(7, 3, 11),
            fees=value_fees(float(maker), float(taker), float(LINEAR.multiplier)),
            exchange=partial_fill(),
        )
        expected, found = storm(replace(asset, fees=ValueFees(maker, taker)), seed), storm(own, seed)
        fills, own_fills = expected.results[0].fills, found.results[0].fills
        assert len(fills) > 5
        require_same_but_fees(own_fills, fills)
        fees, own_fees = fills["fee"] * expected.results[0].fee_unit, own_fills["fee"] * found.results[0].fee_unit
        np.testing.assert_allclose(own_fees, fees, rtol=0, atol=1e-9)
        assert found.results[0].changes.tobytes() == expected.results[0].changes.tobytes()


def test_the_same_models_do_the_same_interpreted():
    """Own models run in plain Python where Numba is switched off."""
    script = (
        "from tests.unit.sim.test_own import *\n"
        "own = replace(base(0), queue=risk_averse_queue(), fees=value_fees(0.001, 0.002, 3.0),"
        " latency=constant_latency(7, 3, 11), exchange=partial_fill())\n"
        "built_in = replace(base(0), latency=ConstantLatency(7, 3, cancel_ns=11), exchange=PartialFill())\n"
        "fills, expected = (storm(a, 0).results[0].fills for a in (own, built_in))\n"
        "require_same_but_fees(fills, expected)\n"
        "print(len(fills))"
    )
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parents[3]
    ran = subprocess.run([sys.executable, "-c", script], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert int(ran.stdout) > 5


# --- refusals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (OwnQueue(enter=5), "enter of a queue model is 5; give a function"),
        (OwnQueue(filled="f"), "filled of a queue model is 'f'; give a function"),
        (OwnLatency(entry=[]), "entry of a latency model is []; give a function"),
        (OwnLatency(response=1.5), "response of a latency model is 1.5; give a function"),
        (OwnFees(fee=0.001), "fee of a fee model is 0.001; give a function"),
        (OwnExchange(taking=0), "taking of an exchange model is 0; give a function"),
    ],
)
def test_what_is_no_function_is_refused(model, message):
    with pytest.raises(ConfigError) as caught:
        hooks_of(model)
    assert str(caught.value) == message


@pytest.mark.parametrize("params", [[float("nan")], [[1.0]], [float("inf"), 1]])
def test_params_that_are_no_finite_numbers_are_refused(params):
    with pytest.raises(ConfigError) as caught:
        hooks_of(OwnQueue(params=params))
    assert str(caught.value) == f"params of OwnQueue are {params!r}; give a list of finite numbers"


def test_params_that_are_no_numbers_are_refused():
    with pytest.raises(ConfigError) as caught:
        hooks_of(OwnLatency(params=["fast"]))
    assert str(caught.value) == "params of OwnLatency are ['fast']; give a list of finite numbers"


def test_a_fee_model_needs_its_function():
    with pytest.raises(ConfigError) as caught:
        hooks_of(OwnFees(None))
    assert str(caught.value) == "OwnFees has no fee; give a function"


def test_an_own_queue_is_for_markets_by_price():
    from tests.scenario.test_market_by_order import story

    with pytest.raises(ConfigError) as caught:
        replace(story(), queue=risk_averse_queue()).load()
    assert str(caught.value) == (
        "<Tape venue:SYM, 6 events, 5 price levels> is told by order, which OwnQueue cannot follow; give queue=FifoQueue()"
    )


def test_an_own_exchange_is_for_markets_by_price():
    from tests.scenario.test_market_by_order import story

    with pytest.raises(ConfigError) as caught:
        replace(story(), queue=FifoQueue(), exchange=partial_fill()).load()
    assert str(caught.value) == "a market by order is matched by NoPartialFill only; give exchange=NoPartialFill()"


# --- the hooks --------------------------------------------------------------------------------------------------------
def test_only_what_is_given_is_replaced():
    hooks, params = hooks_of(
        OwnQueue(trade=risk_averse_queue().trade, params=[1, 2]), ConstantLatency(), ValueFees(), partial_fill()
    )
    assert sorted(hooks) == ["exec_at_price", "exec_reached", "exec_taking", "exec_through", "queue_trade"]
    assert [p.tolist() for p in params] == [[1.0, 2.0], [], [], []]
    assert not any(p.flags.writeable for p in params)
