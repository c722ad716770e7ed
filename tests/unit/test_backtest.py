"""The facade: a run gives tables, figures, a report and the configuration that repeats it."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from numba import njit

from queuefront import Asset, Backtest, ConstantLatency, InterpolatedLatency, PowerQueue, Run, ValueFees
from queuefront.core import LATENCY, ClosedError, ConfigError, StrategyError
from queuefront.core.enums import GTC, LIMIT
from queuefront.core.jit import IS_INTERPRETED
from tests.small_market import SECOND, T0, market


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
