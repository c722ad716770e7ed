"""The facade: a run gives tables, figures, a report and the configuration that repeats it."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from numba import njit

from queuefront import Asset, Backtest, ConstantLatency, InterpolatedLatency, PowerQueue, Run, ValueFees
from queuefront.backtest import _model_failure
from queuefront.core import LATENCY, ClosedError, ConfigError, Instrument, StrategyError
from queuefront.core.enums import GTC, LIMIT
from queuefront.core.jit import IS_INTERPRETED
from queuefront.feed import PassportThresholds
from tests.passport_market import T0 as T0_PASSPORT
from tests.passport_market import tape_of
from tests.small_market import SECOND, T0, market

ROOT = Path(__file__).parents[2]


def take(hbt, qty=1.0):
    """Buy once and wait for the end of the data."""
    hbt.elapse(SECOND)
    hbt.submit_buy_order(0, 1, 101.0, qty, GTC, LIMIT, True)
    while hbt.elapse(SECOND) == 0:
        pass
    return "done"


def do_nothing(hbt):
    return None


def backtest(**options) -> Backtest:
    return Backtest(Asset(market(), fees=ValueFees(0, "0.0005")), **options)


@pytest.fixture(scope="module")
def run() -> Run:
    return backtest().run(take, 2.0)


def test_preparing_compiles_and_does_not_run():
    calls = []
    strategy = njit(lambda hbt, qty: qty)
    backtest().prepare(strategy, 2.0)
    if not IS_INTERPRETED:
        assert len(strategy.signatures) == 1
    backtest().prepare(calls.append)
    assert calls == []


def test_what_does_not_compile_is_the_strategys_error():
    if IS_INTERPRETED:
        pytest.skip("nothing is compiled")
    with pytest.raises(StrategyError) as caught:
        backtest().prepare(njit(lambda hbt: hbt.nothing))
    assert str(caught.value) == (
        "strategy '<lambda>' raised TypingError: Failed in nopython mode pipeline (step: nopython frontend)"
    )


# --- building ---------------------------------------------------------------------------------------------------------
def test_one_asset_need_not_be_a_list():
    asset = Asset(market())
    assert Backtest(asset).assets == [asset]
    assert Backtest([asset]).assets == [asset]


def test_what_is_no_asset_is_refused():
    with pytest.raises(ConfigError) as caught:
        Backtest([Asset(market()), "b.tape"])
    assert str(caught.value) == "asset 1 is 'str'; give queuefront.Asset objects"


def test_no_assets_are_refused_when_they_run():
    with pytest.raises(ConfigError) as caught:
        Backtest([]).run(do_nothing)
    assert str(caught.value) == "a backtest has 0 assets; give between 1 and 4096"


def test_a_negative_spacing_is_refused():
    with pytest.raises(ConfigError) as caught:
        backtest(sample_every_ns=-1)
    assert str(caught.value) == "sample_every_ns is -1; give nanoseconds, or 0 for no samples"


def test_samples_are_a_second_apart_unless_it_is_said():
    assert backtest().sample_every_ns == SECOND
    assert backtest(sample_every_ns=0).sample_every_ns == 0


# --- running ----------------------------------------------------------------------------------------------------------
def test_a_run_keeps_what_the_strategy_returned(run):
    assert run.returned == "done"
    assert run.error_code == 0
    assert run.seconds >= 0


def test_a_run_describes_itself(run):
    assert repr(run).startswith("<Run of take over 1 assets: 1 fills in ")


def test_runs_do_not_influence_one_another():
    both = backtest()
    first, second = both.run(take), both.run(take)
    assert first.fills.equals(second.fills)
    assert first.equity.equals(second.equity)


def test_a_strategy_that_raises_is_named():
    def broken(hbt):
        raise KeyError("price\nand more")

    with pytest.raises(StrategyError) as caught:
        backtest().run(broken)
    assert str(caught.value) == "strategy 'broken' raised KeyError: 'price\\nand more'"
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_of_ours_is_passed_on():
    def closing(hbt):
        hbt.close()
        hbt.elapse(1)

    with pytest.raises(ClosedError) as caught:
        backtest().run(closing)
    assert str(caught.value) == "this backtest was closed; build a new one"


def test_a_strategy_may_close_its_backtest():
    def closing(hbt):
        hbt.elapse(SECOND)
        hbt.submit_buy_order(0, 1, 101.0, 1.0, GTC, LIMIT, True)
        return hbt.close()

    closed = backtest().run(closing)
    assert (closed.returned, closed.fills.height) == (0, 1)


# --- tables -----------------------------------------------------------------------------------------------------------
def test_fills_are_a_table(run):
    assert run.fills.height == 1
    row = run.fills.row(0, named=True)
    assert (row["price"], row["qty"]) == (101.0, 2.0)


def test_orders_are_a_table_of_requests_and_answers(run):
    assert run.orders.height == 2
    assert run.orders["asset"].to_list() == [0, 0]
    assert run.orders["symbol"].to_list() == ["LIN", "LIN"]


def test_equity_is_a_table_over_time(run):
    assert run.equity["timestamp"].is_sorted()
    assert run.equity["position"].to_list()[-1] == 2.0
    assert run.equity.height == len(run.results[0].samples)


def test_without_records_the_tables_of_orders_and_fills_are_empty():
    bare = backtest(records=False).run(take)
    assert (bare.fills.height, bare.orders.height) == (0, 0)
    assert bare.equity["position"].to_list()[-1] == 1.0


@pytest.mark.slow
def test_tables_of_several_assets_are_one_in_order_of_time():
    def both(hbt):
        hbt.elapse(SECOND)
        for asset_no in (1, 0):
            hbt.submit_buy_order(asset_no, 1, 101.0, 1.0, GTC, LIMIT, True)
            hbt.elapse(SECOND)

    run = Backtest([Asset(market()), Asset(market())]).run(both)
    assert run.orders["asset"].to_list() == [1, 1, 0, 0]
    assert run.fills["local_ts"].is_sorted()
    assert run.equity["timestamp"].is_sorted()
    assert set(run.equity["asset"]) == {0, 1}


# --- what came of it --------------------------------------------------------------------------------------------------
def test_a_summary_prints_as_a_table(run):
    assert "LIN" in str(run.summary())


def test_a_run_without_orders_has_a_summary():
    assert str(backtest().run(do_nothing).summary())


def test_a_plot_is_a_figure(run):
    figure = run.plot()
    assert isinstance(figure, go.Figure)
    assert "venue:LIN" in figure.layout.title.text


def test_a_plot_of_another_asset_is_refused(run):
    with pytest.raises(IndexError):
        run.plot(1)


def test_a_report_is_one_page(run, tmp_path):
    path = run.report(tmp_path / "a.html", title="My run")
    assert path == tmp_path / "a.html"
    assert "My run" in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_saving_writes_every_table_and_the_report(run, tmp_path):
    folder = run.save(tmp_path / "new" / "run")
    names = ["equity.parquet", "fills.parquet", "orders.parquet", "report.html", "summary.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert pl.read_parquet(folder / "fills.parquet").equals(run.fills)
    assert pl.read_parquet(folder / "orders.parquet").equals(run.orders)
    assert pl.read_parquet(folder / "equity.parquet").equals(run.equity)
    assert isinstance(json.loads((folder / "summary.json").read_text()), dict)
    assert "Backtest of take" in (folder / "report.html").read_text(encoding="utf-8")


# --- configuration ----------------------------------------------------------------------------------------------------
def test_the_configuration_is_plain_values(run):
    config = run.config()
    assert json.loads(json.dumps(config)) == config
    assert config["strategy"] == {"function": "take", "arguments": [2.0]}
    assert config["run"] == {"sample_every_ns": SECOND, "result": "ok"}
    (asset,) = config["assets"]
    assert asset["instrument"]["symbol"] == "LIN"
    assert asset["latency"] == {"model": "ConstantLatency", "entry_ns": 0, "response_ns": 0}
    assert asset["fees"] == {"model": "ValueFees", "maker": 0, "taker": "0.0005"}


def test_the_configuration_names_models_and_arguments_of_any_kind():
    rounds = np.zeros(1, LATENCY)
    rounds["req_ts"], rounds["exch_ts"], rounds["resp_ts"] = T0, T0 + 1, T0 + 2
    for latency, wanted in (
        (InterpolatedLatency(rounds, 5), {"model": "InterpolatedLatency", "rows": 1, "offset_ns": 5}),
        (ConstantLatency(7, 8), {"model": "ConstantLatency", "entry_ns": 7, "response_ns": 8}),
    ):
        asset = Asset(market(), latency=latency, queue=PowerQueue(2.0))
        run = Backtest(asset).run(lambda hbt, *args: None, np.int64(3), np.zeros((2, 3)), None, (1, 2))
        config = run.config()
        assert config["assets"][0]["latency"] == wanted
        assert config["assets"][0]["queue"] == {"model": "PowerQueue", "n": 2.0}
        assert config["strategy"]["arguments"] == [3, "array of float64, shape (2, 3)", None, "(1, 2)"]
        assert json.loads(json.dumps(config)) == config


def record_the_spread(hbt):
    while hbt.elapse(SECOND) == 0:
        hbt.record_value(0, hbt.depth(0).best_ask - hbt.depth(0).best_bid)
        hbt.record_value(1, hbt.position(0))


def test_a_strategy_records_series_of_its_own() -> None:
    series = Backtest(Asset(market()), series=["spread"]).run(record_the_spread).series
    assert series.columns == ["timestamp", "series", "value"]
    assert series.filter(pl.col("series") == "spread")["value"].to_list() == [1.0] * 9
    assert set(series["series"]) == {"spread", "1"}


def think(hbt, rounds):
    """Send an order after much thought; return how much later than it was begun it left."""
    hbt.elapse(SECOND)
    begun = hbt.current_timestamp
    x = 1.0
    for i in range(rounds):
        x = x * 1.000001 + i % 3
    hbt.submit_buy_order(0, 1, 99.0, 1.0 if x > 0 else 2.0, GTC, LIMIT, False)
    return int(hbt.orders(0).get(1).local_timestamp - begun)


def test_computing_takes_simulated_time_where_it_is_charged() -> None:
    assert Backtest(Asset(market())).run(think, 2_000_000).returned == 0
    short, long = (Backtest(Asset(market()), charge_compute=True).run(think, n).returned for n in (10, 2_000_000))
    assert 0 <= short < long < 8 * SECOND
    assert long > 1_000_000  # two million rounds take more than a millisecond on any machine


CACHED_STRATEGY = """
from numba import njit

@njit(cache=True)
def wakes(hbt):
    count = 0
    while hbt.elapse(1_000_000_000) == 0:
        count += 1
    return count

@njit(cache=True)
def strategy(hbt):
    return wakes(hbt)
"""

RUN_UNDER_A_NAME = """
import importlib.util, sys
import queuefront as qf
from tests.small_market import market

name, path = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, path)
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
print(qf.Backtest([qf.Asset(market())]).run(module.strategy).returned)
"""


@pytest.mark.slow
@pytest.mark.skipif(IS_INTERPRETED, reason="nothing is compiled, so nothing is cached")
def test_a_strategy_that_was_compiled_under_another_module_name_runs(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(CACHED_STRATEGY)
    said = []
    for name in ("_strategy_mine", "mine", "notebook.mine"):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", RUN_UNDER_A_NAME, name, str(file)]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=300)
        said.append(run.stdout)
    assert len(set(said)) == 1


def test_of_a_model_that_does_not_compile_the_line_and_the_reason_are_told():
    """As Numba 0.61 and later tell it; the engine's own frames around it are left out."""
    package = Path(inspect.getfile(Backtest)).parent
    message = (
        "Failed in nopython mode pipeline (step: nopython frontend)\n\x1b[1mField 'nope' was not found in record\n"
        f"During: typing of call at /home/me/mine.py (3)\x1b[0m\n\nDuring: typing of call at {package}/sim/own.py (9)\n"
    )
    assert _model_failure(message) == (
        "/home/me/mine.py:3: a model of one's own does not compile: Field 'nope' was not found in record; mend the line"
    )
    assert _model_failure("Nothing known\n") == "a model of one's own does not compile: Nothing known"


# --- how good the data were -------------------------------------------------------------------------------------------
def holed_market():
    """Return a minute that is silent from 21 to 28 s, in which a trade reaches an ask at 103 at 23 and at 45 s."""
    rows = [(k / 20, "bid", 100, 5 + k % 2) for k in range(1_201) if not 420 < k < 560]
    more = [(0, "ask", 102, 10), (23, "buy", 104, 1), (45, "buy", 104, 1)]
    return tape_of(
        *sorted([*rows, *more], key=lambda row: row[0]), instrument=Instrument("venue", "X", "1", "1", quote="USD")
    )


def sell_once(hbt):
    """Offer one lot at 103 before the bad span."""
    hbt.elapse(2 * SECOND)
    hbt.submit_sell_order(0, 1, 103.0, 1.0, GTC, LIMIT, True)
    while hbt.elapse(SECOND) == 0:
        pass


def test_a_summary_says_how_good_the_data_were_and_what_was_earned_in_bad_spans():
    summary = Backtest(Asset(holed_market())).run(sell_once).summary()
    data = summary.assets[0].market_data
    assert (data.verdict, data.is_masked) == ("bad", False)
    assert data.bad_time == pytest.approx(1 / 6)
    assert (data.bad_fills, data.suspect_fills) == (1, 0)
    assert data.bad_profit == summary.assets[0].net_profit == 2.0  # sold at 103, worth 101
    assert data.bad_profit_share == 1.0
    table = " ".join(str(summary).split())
    assert "Verdict of the tape │ bad" in table
    assert "Net profit in bad spans │ 2 (100.00%)" in table


def test_a_masked_asset_fills_outside_of_bad_spans_only():
    run = Backtest(Asset(holed_market(), mask_bad_spans=True)).run(sell_once)
    assert run.fills["exch_ts"].to_physical().to_list() == [T0_PASSPORT + 45 * SECOND]
    data = run.summary().assets[0].market_data
    assert (data.is_masked, data.bad_fills, data.bad_profit) == (True, 0, 0.0)
    assert run.config()["assets"][0]["mask_bad_spans"]


def test_limits_of_an_asset_judge_its_tape():
    lenient = PassportThresholds(silence_bad_ms=60_000, silence_suspect_ms=60_000)
    run = Backtest(Asset(holed_market(), mask_bad_spans=True, passport=lenient)).run(sell_once)
    assert run.summary().assets[0].market_data.verdict == "good"
    assert len(run.fills) == 1
