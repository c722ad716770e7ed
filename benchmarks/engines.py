"""Both engines behind one face, each set up the way its users set it up.

The strategies are the same source text; only the line that imports their constants names another package. Both engines get
the market before the clock starts: ours maps its tape, hftbacktest has the events in memory and need not read its file.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.market import Market

STRATEGIES = Path(__file__).parent / "strategies"

ENTRY_NS = RESPONSE_NS = 10_000_000
MAKER, TAKER = 0.0002, 0.0007


@dataclass(frozen=True)
class Outcome:
    """What a run came to; must be the same on both engines."""

    wakes: int
    fills: int
    position: float


def strategy_file(name: str, engine: str, folder: Path) -> Path:
    """Write the strategy for one engine and return the file."""
    text = (STRATEGIES / f"{name}.py").read_text(encoding="utf-8")
    if engine == "ours":
        text = text.replace("from hftbacktest import", "from queuefront import")
    path = folder / engine / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path) -> Callable[[Any], int]:
    """Return the strategy function of a file."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Numba looks the module up when it loads cached code
    spec.loader.exec_module(module)
    return module.strategy  # type: ignore[no-any-return]


class Ours:
    """Queuefront."""

    name = "ours"

    def __init__(self, market: Market, assets: int = 1) -> None:
        self._market, self._assets = market, assets
        self.load()

    def load(self) -> float:
        """Map the market anew; return the seconds."""
        import queuefront as qf

        market = self._market
        start = time.perf_counter()
        self._backtest = qf.Backtest(
            [
                qf.Asset(
                    tape=qf.Tape.open(market.tape),
                    latency=qf.ConstantLatency(entry_ns=ENTRY_NS, response_ns=RESPONSE_NS),
                    queue=qf.FifoQueue(skips_improving=True) if market.is_by_order else qf.RiskAverseQueue(),
                    exchange=qf.NoPartialFill(),
                    fees=qf.ValueFees(maker=MAKER, taker=TAKER),
                )
                for _ in range(self._assets)
            ]
        )
        return time.perf_counter() - start

    def run(self, strategy: Callable[[Any], int]) -> tuple[float, Outcome]:
        """Return the seconds of one run and what it came to."""
        start = time.perf_counter()
        run = self._backtest.run(strategy)
        seconds = time.perf_counter() - start
        lasts = [result.samples[-1] for result in run.results]
        fills, position = (sum(float(last[name]) for last in lasts) for name in ("num_trades", "position"))
        return seconds, Outcome(int(run.returned), int(fills), position)


class Theirs:
    """hftbacktest, with its hash-map book or its vector book over a range of prices."""

    name = "theirs"

    def __init__(self, market: Market, assets: int = 1, *, is_vector: bool = False, from_file: bool = False) -> None:
        self._market, self._assets, self._is_vector = market, assets, is_vector
        self._data: Any = str(market.npz)
        if not from_file:
            self.load()
        self._bounds = (0.0, 0.0)
        if is_vector:
            import numpy as np

            prices = self._data["px"]
            self._bounds = float(np.nanmin(prices)), float(np.nanmax(prices))

    def load(self) -> float:
        """Read the market anew; return the seconds."""
        import numpy as np

        start = time.perf_counter()
        self._data = np.load(self._market.npz)["data"]
        return time.perf_counter() - start

    def run(self, strategy: Callable[..., int], *parameters: Any) -> tuple[float, Outcome]:
        """Return the seconds of one run and what it came to."""
        from hftbacktest import HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest

        assets = [self._asset() for _ in range(self._assets)]
        backtest = ROIVectorMarketDepthBacktest(assets) if self._is_vector else HashMapMarketDepthBacktest(assets)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it cannot cache the strategy
            wakes = strategy(backtest, *parameters)
        seconds = time.perf_counter() - start
        states = [backtest.state_values(k) for k in range(self._assets)]
        fills, position = (sum(getattr(state, name) for state in states) for name in ("num_trades", "position"))
        outcome = Outcome(int(wakes), int(fills), float(position))
        backtest.close()
        return seconds, outcome

    def _asset(self) -> Any:
        from hftbacktest import BacktestAsset

        market = self._market
        asset = (
            BacktestAsset()
            .data(self._data)
            .linear_asset(1.0)
            .constant_order_latency(ENTRY_NS, RESPONSE_NS)
            .no_partial_fill_exchange()
            .trading_value_fee_model(MAKER, TAKER)
            .tick_size(market.tick_size)
            .lot_size(market.lot_size)
        )
        asset = asset.l3_fifo_queue_model() if market.is_by_order else asset.risk_adverse_queue_model()
        return asset.roi_lb(self._bounds[0]).roi_ub(self._bounds[1]) if self._is_vector else asset


def convert_ours(feed: Path) -> tuple[float, Any]:
    """Return the seconds that the conversion of a raw feed takes, and its events."""
    from queuefront.feed import convert_lines

    start = time.perf_counter()
    conversion = convert_lines("binance-usdm", feed, tick_size="0.1", lot_size="0.001")
    return time.perf_counter() - start, conversion.events


def convert_theirs(feed: Path) -> tuple[float, Any]:
    """Return the seconds that hftbacktest's conversion takes, and its events."""
    from hftbacktest.data.utils import binancefutures

    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        events = binancefutures.convert(str(feed))
        return time.perf_counter() - start, events
