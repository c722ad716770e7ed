"""The example that trades with ccxt runs against the paper exchange as it stands there."""

from __future__ import annotations

import asyncio
import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from queuefront.paper import PaperServer, WallClock
from tests.paper_market import USDM, config, synthetic

EXAMPLE = Path(__file__).parents[2] / "examples" / "paper_ccxt.py"


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("paper_ccxt", EXAMPLE)
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
            left = await asyncio.wait_for(example().quote(server.rest_url, rounds=6), 60)
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
