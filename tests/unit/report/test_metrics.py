from __future__ import annotations

import math
import warnings

import numpy as np
import polars as pl
import pytest

from queuefront.report import metrics as m
from queuefront.report.stats import LinearAssetRecord
from tests.unit.report.records import SECOND, samples

ALL = [
    m.SR, m.AnnualRet, m.DailyNumberOfTrades, m.DailyTradingValue, m.DailyTradingVolume, m.MaxDrawdown, m.MaxPositionValue,
    m.MeanPositionValue, m.MedianPositionValue, m.NumberOfTrades, m.Ret, m.ReturnOverMDD, m.ReturnOverTrade, m.Sortino,
    m.TradingValue, m.TradingVolume,
]  # fmt: skip
HOUR = 3600 * SECOND


def prepared(*rows: dict[str, float], every_ns: int = HOUR) -> pl.DataFrame:
    return LinearAssetRecord(samples(*rows, every_ns=every_ns)).resample(None).prepare()


def value(metric: m.Metric, *rows: dict[str, float], every_ns: int = HOUR) -> float:
    (figure,) = metric.compute(prepared(*rows, every_ns=every_ns), {}).values()
    return figure


def balances(*values: float) -> list[dict[str, float]]:
    return [{"balance": v} for v in values]


def test_the_sharpe_ratio_of_a_worked_example() -> None:
    # Changes 1, 3 an hour: mean 2, deviation sqrt(2), 24 samples a day.
    assert value(m.SR(), *balances(0, 1, 4)) == pytest.approx(2 / math.sqrt(2) * math.sqrt(24 * 252), rel=1e-14)
    assert value(m.SR(trading_days_per_year=365), *balances(0, 1, 4)) == pytest.approx(math.sqrt(2 * 24 * 365), rel=1e-14)


def test_the_sortino_ratio_of_a_worked_example() -> None:
    # Changes 3, -1: mean 1, root mean square of the losses sqrt(1/2).
    assert value(m.Sortino(), *balances(0, 3, 2)) == pytest.approx(math.sqrt(2) * math.sqrt(24 * 252), rel=1e-14)


def test_returns_and_drawdown_of_a_worked_example() -> None:
    rows = balances(10, 16, 12, 14)
    assert value(m.Ret(), *rows) == 4
    assert value(m.Ret(book_size=8), *rows) == 0.5
    assert value(m.MaxDrawdown(), *rows) == 4
    assert value(m.MaxDrawdown(book_size=8), *rows) == 0.5
    assert value(m.ReturnOverMDD(), *rows) == 1
    assert value(m.AnnualRet(), *rows) == 4 / (3 / 24) * 252
    assert value(m.AnnualRet(book_size=2, trading_days_per_year=365), *rows) == 4 / (3 / 24) * 365 / 2


def test_fees_lower_the_return() -> None:
    assert value(m.Ret(), {"fee": 1.0}, {"balance": 5.0, "fee": 3.0}) == 3


def test_activity_before_the_first_sample_is_not_counted() -> None:
    rows = (
        {"num_trades": 5, "trading_volume": 1.0, "trading_value": 50.0},
        {"num_trades": 7, "trading_volume": 4.0, "trading_value": 80.0},
    )
    day = 24 * HOUR
    assert value(m.NumberOfTrades(), *rows, every_ns=day) == 2
    assert value(m.TradingVolume(), *rows, every_ns=day) == 3
    assert value(m.TradingValue(), *rows, every_ns=day) == 30
    assert value(m.DailyNumberOfTrades(), *rows, every_ns=day) == 2
    assert value(m.DailyTradingVolume(), *rows, every_ns=day) == 3
    assert value(m.DailyTradingValue(book_size=10), *rows, every_ns=day) == 3
    assert value(m.ReturnOverTrade(), rows[0], rows[1] | {"balance": 60.0}, every_ns=day) == 2


def test_the_value_traded_is_called_turnover_when_there_is_a_book() -> None:
    assert (m.TradingValue().name, m.TradingValue(book_size=1).name) == ("TradingValue", "Turnover")
    assert (m.DailyTradingValue().name, m.DailyTradingValue(book_size=1).name) == ("DailyTradingValue", "DailyTurnover")
    assert m.TradingValue("mine", 1).name == "mine"


def test_position_values_of_a_worked_example() -> None:
    rows = ({"position": -3.0}, {"position": 1.0}, {"position": 2.0}, {"position": 0.0})
    assert value(m.MaxPositionValue(), *rows) == 300
    assert value(m.MeanPositionValue(), *rows) == 150
    assert value(m.MedianPositionValue(), *rows) == 150
    assert value(m.MedianPositionValue(), *rows[:3]) == 200
    assert value(m.MaxLeverage(book_size=600), *rows) == 0.5


def test_samples_without_a_price_are_skipped_by_returns() -> None:
    hole = {"price": math.nan, "position": 1.0}
    rows = (hole, {"balance": 1.0}, hole, {"balance": 4.0}, {"balance": 3.0}, hole)
    assert value(m.Ret(), *rows) == 2
    assert value(m.MaxDrawdown(), *rows) == 1
    assert value(m.MaxPositionValue(), *rows) == 0
    assert math.isnan(value(m.MeanPositionValue(), *rows))


def test_without_any_price_everything_that_needs_one_is_nan() -> None:
    hole = {"price": math.nan, "position": 1.0}
    for metric in (m.Ret, m.MaxDrawdown, m.MaxPositionValue, m.SR, m.Sortino, m.MeanPositionValue, m.MedianPositionValue):
        assert math.isnan(value(metric(), hole, hole))


def test_a_single_sample_gives_nan_for_whatever_needs_a_duration_or_a_difference() -> None:
    # hftbacktest raises here.
    figures = {metric.column: value(metric(), {"position": 2.0}) for metric in ALL}
    is_nan = {name for name, figure in figures.items() if math.isnan(figure)}
    assert is_nan == {
        "SR", "Sortino", "AnnualReturn", "DailyNumberOfTrades", "DailyTradingValue", "DailyTradingVolume", "ReturnOverMDD",
        "ReturnOverTrade",
    }  # fmt: skip
    assert figures["Return"] == figures["MaxDrawdown"] == figures["TradingValue"] == 0
    assert figures["MaxPositionValue"] == figures["MedianPositionValue"] == 200


def test_two_samples_have_no_deviation_and_so_no_sharpe_ratio() -> None:
    assert math.isnan(value(m.SR(), *balances(0, 1)))


def test_a_run_that_never_loses_has_an_infinite_sortino_ratio() -> None:
    assert value(m.Sortino(), *balances(0, 1, 4)) == math.inf


def test_samples_at_one_time_give_no_rates() -> None:
    rows = balances(0, 1, 3)
    assert math.isnan(value(m.DailyTradingVolume(), *rows, every_ns=0))
    assert value(m.SR(), *rows, every_ns=0) == math.inf


def test_uneven_samples_are_warned_about() -> None:
    rows = [row | {"timestamp": t} for row, t in zip(balances(0, 1, 3), (0, SECOND, 3 * SECOND), strict=True)]
    frame = LinearAssetRecord(samples(*rows)).resample(None).prepare()
    with pytest.warns(
        UserWarning, match=r"^the samples are unevenly spaced, so that yearly figures are off; use resample\(\)$"
    ):
        m.SR().compute(frame, {})


def test_leverage_without_a_book_is_warned_about_and_infinite() -> None:
    with pytest.warns(UserWarning, match=r"^MaxLeverage: book_size is 0; give the size of the book$"):
        leverage = m.MaxLeverage()
    assert value(leverage, {"position": 1.0}) == math.inf


def test_a_division_by_zero_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(value(m.ReturnOverTrade(), *balances(0, 0)))
        assert value(m.Ret(book_size=0), *balances(0, 1)) == math.inf


def test_a_figure_can_be_named() -> None:
    assert list(m.SR("mine").compute(prepared(*balances(0, 1, 3)), {})) == ["mine"]


def test_a_metric_without_compute_cannot_be_built() -> None:
    with pytest.raises(TypeError):
        m.Metric()  # type: ignore[abstract]


def test_the_median_ranks_samples_without_a_price_as_the_largest() -> None:
    rows = ({"position": 1.0}, {"position": 1.0, "price": np.nan}, {"position": 3.0})
    assert value(m.MedianPositionValue(), *rows) == 300
