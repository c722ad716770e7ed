"""The logic of hftbacktest's example notebooks, on both engines, with only the import lines changed (spec B11).

The scripts in `notebooks/` make the calls of the notebooks that they name; `docs/compat.md` lists which run.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from queuefront.feed import SynthConfig, create_last_snapshot, synthesize, synthesize_orders, write_npz
from tests.differential.engines import REFERENCE_MODULE, SUBJECT_MODULE

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).parent / "notebooks"

#: What runs with every change; the others take the reference seconds each to compile.
QUICK = (("reading", "working_with_market_depth_and_trades"), ("making", "high_frequency_grid_trading"))
LONG = (
    ("reading", "getting_started"),
    ("making", "level_3_backtesting"),
    ("reading", "fusing_depth_data"),
    ("reading", "order_latency_data"),
    ("reading", "integrating_custom_data"),
    ("reading", "data_preparation"),
    ("making", "making_multiple_markets"),
    ("making", "glft_market_making_model_and_grid_trading"),
    ("making", "order_book_imbalance"),
    ("making", "basis_and_apt"),
    ("making", "queue_based_market_making"),
    ("making", "impact_of_order_latency"),
    ("making", "probability_queue_models"),
    ("making", "accelerated_backtesting"),
)


def write_market(folder: Path) -> dict[str, Any]:
    """Write the files that the notebooks read: two feeds, the book before them, latencies, orders and raw lines."""
    config = SynthConfig(seed=3, events=24_000, volatility_ticks=6)
    events = synthesize(config)
    start = int(events["local_ts"][0])
    opening = create_last_snapshot(events[:200], 0.1, 0.001)
    latency = np.zeros(200, [("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")])
    latency["req_ts"] = start + np.arange(200) * 250_000_000
    latency["exch_ts"] = latency["req_ts"] + 3_000_000 + np.arange(200) % 7 * 100_000
    latency["resp_ts"] = latency["exch_ts"] + 2_000_000
    orders = SynthConfig(seed=4, events=12_000, tick_size="0.25", lot_size="1", mid_price="5000", volatility_ticks=4)
    for name, rows in {
        "feed": events[200:],
        "part_0": events[200:12_000],
        "part_1": events[12_000:],
        "other": synthesize(SynthConfig(seed=8, events=24_000, volatility_ticks=9)),
        "snapshot": opening,
        "latency": latency[:120],
        "later_latency": latency[120:],
        "orders": synthesize_orders(orders),
    }.items():
        if name.endswith("latency"):
            np.savez_compressed(folder / f"{name}.npz", data=rows)
        else:
            write_npz(folder / f"{name}.npz", rows)
    files = {name: str(folder / f"{name}.npz") for name in ("feed", "snapshot", "latency", "later_latency", "orders")}
    return files | {
        "parts": [str(folder / "part_0.npz"), str(folder / "part_1.npz")],
        "other_feed": str(folder / "other.npz"),
        "tick_size": 0.1,
        "lot_size": 0.001,
        "qty": 1.0,
        "low": 59_000.0,
        "high": 61_000.0,
        "orders_tick_size": 0.25,
        "orders_lot_size": 1.0,
        "fifo": (),
    }


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def script_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    """Return what loads a script for an engine: only the lines that import are changed."""
    folder, loaded = tmp_path_factory.mktemp("scripts"), {}

    def load(script: str, engine: str) -> Any:
        if (script, engine) not in loaded:
            lines = (SCRIPTS / f"{script}.py").read_text(encoding="utf-8").splitlines(keepends=True)
            lines = [
                line.replace("from hftbacktest", f"from {engine}") if line.startswith("from ") else line for line in lines
            ]
            name = f"{script}_{engine.replace('.', '_')}"
            path = folder / f"{name}.py"
            path.write_text("".join(lines), encoding="utf-8")
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            loaded[script, engine] = module
        return loaded[script, engine]

    return load


def columns_of(found: Any) -> dict[str, np.ndarray]:
    """Return arrays by name of whatever a notebook may end with."""
    if isinstance(found, pl.DataFrame):
        return {name: found[name].to_numpy() for name in found.columns}
    if found.dtype.names:
        return {name: found[name] for name in found.dtype.names}
    return {"values": found}


def assert_alike(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    assert list(theirs) == list(ours)
    for name, found in theirs.items():
        wanted, made = columns_of(found), columns_of(ours[name])
        assert list(wanted) == list(made), name
        for column, values in wanted.items():
            message = f"{name}, {column}"
            if np.issubdtype(values.dtype, np.floating):
                np.testing.assert_allclose(made[column], values, rtol=1e-9, atol=1e-7, err_msg=message)
            else:
                np.testing.assert_array_equal(made[column], values, err_msg=message)


def compare(script_of: Any, market: dict[str, Any], script: str, name: str, folder: Path, capsys: Any) -> dict[str, Any]:
    results, printed = [], []
    for engine in (REFERENCE_MODULE, SUBJECT_MODULE):
        own = folder / engine
        own.mkdir()
        # Row D53: with the reference's fills at the best price of a market by order.
        options = {"folder": str(own), "fifo": (True,) if engine == SUBJECT_MODULE else ()}
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # divisions by a spread of zero, and what the reference says of its caches
            results.append(getattr(script_of(script, engine), name)(market | options))
        # Row D8: the reference shows orders in hash order.
        lines = capsys.readouterr().out.splitlines()
        printed.append(sorted(line for line in lines if line.startswith(("now", "ask", "bid", "answer", "17"))))
    assert_alike(*results)
    assert printed[0] == printed[1]
    return results[1]  # type: ignore[no-any-return]


def assert_means_something(found: dict[str, Any]) -> None:
    for name, rows in found.items():
        if not isinstance(rows, pl.DataFrame):
            assert len(rows), name
            if rows.dtype.names and "num_trades" in rows.dtype.names:
                assert rows["num_trades"][-1] > 0, name


@pytest.mark.parametrize(("script", "name"), QUICK, ids=lambda value: value)
def test_a_notebook_comes_to_the_same_with_another_import(
    script_of: Any, market: dict[str, Any], script: str, name: str, tmp_path: Path, capsys: Any
) -> None:
    assert_means_something(compare(script_of, market, script, name, tmp_path, capsys))


def test_a_difference_is_seen() -> None:
    rows = np.zeros(3, [("timestamp", "i8"), ("position", "f8")])
    other = rows.copy()
    other["position"][2] = 0.001
    with pytest.raises(AssertionError, match="records, position"):
        assert_alike({"records": rows}, {"records": other})
    with pytest.raises(AssertionError):
        assert_alike({"records": rows}, {"other": rows})


@pytest.mark.soak
@pytest.mark.parametrize(("script", "name"), LONG, ids=lambda value: value)
def test_a_longer_notebook_comes_to_the_same_with_another_import(
    script_of: Any, market: dict[str, Any], script: str, name: str, tmp_path: Path, capsys: Any
) -> None:
    if name == "data_preparation":
        from tests.differential.recorded import feed

        market = market | {"lines": str(feed("binance_usdm_btcusdt_20240808.gz"))}
    assert_means_something(compare(script_of, market, script, name, tmp_path, capsys))
