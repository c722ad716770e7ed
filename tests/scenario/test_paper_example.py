"""The examples that trade with ccxt and with our connector run against the paper exchange as they stand there (H1.2)."""

from __future__ import annotations

import asyncio
import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from queuefront.paper import PaperServer, WallClock
from tests.paper_market import USDM, config, synthetic

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_example_quotes_and_its_account_agrees_with_the_exchange() -> None:
    async def trade() -> None:
        async with PaperServer(config(USDM, synthetic(USDM)), clock=WallClock()) as server:
            left = await asyncio.wait_for(example("paper_ccxt").quote(server.rest_url, rounds=6), 60)
            exchange = server.venue.exchange
            assert exchange.orders.open() == []
            assert left["position"] == pytest.approx(float(exchange.futures.positions["BTCUSDT"].qty))
            assert left["USDT"] == pytest.approx(
                float(exchange.futures.wallets["USDT"] + exchange.futures.profit("USDT")), abs=1
            )
            placed = list(exchange.orders.all("BTCUSDT"))
            assert placed
            assert {order.status for order in placed} <= {"FILLED", "CANCELED"}

    asyncio.run(trade())


@pytest.mark.slow
def test_the_connectors_example_quotes_and_its_account_agrees_with_the_exchange() -> None:
    async def trade() -> None:
        async with PaperServer(config(USDM, synthetic(USDM)), clock=WallClock()) as server:
            left = await asyncio.wait_for(example("paper_connector").quote(server.rest_url, rounds=6), 60)
            exchange = server.venue.exchange
            assert exchange.orders.open() == []
            assert left == {"position": exchange.futures.positions["BTCUSDT"].qty, "open orders": 0}
            placed = list(exchange.orders.all("BTCUSDT"))
            assert placed
            assert {order.status for order in placed} <= {"FILLED", "CANCELED"}

    asyncio.run(trade())
