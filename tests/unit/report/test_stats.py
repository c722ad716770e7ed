from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import hftbacktest.stats as reference
import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from queuefront.core import ConfigError, DataError
from queuefront.report import stats as ours
from tests.unit.report.records import SECOND, T0, random_samples, samples

METRICS = (
    "Ret", "AnnualRet", "SR", "Sortino", "MaxDrawdown", "ReturnOverMDD", "ReturnOverTrade", "NumberOfTrades",
    "DailyNumberOfTrades", "TradingVolume", "DailyTradingVolume", "TradingValue", "DailyTradingValue", "MaxPositionValue",
    "MeanPositionValue", "MedianPositionValue", "MaxLeverage",
)  # fmt: skip
HOUR = 3600 * SECOND
KINDS = ("LinearAssetRecord", "InverseAssetRecord")


def figures(
    library: Any, kind: str, data: Any, split: str | None, frequency: str | None, **kwargs: Any
) -> list[Mapping[str, Any]]:
    record = getattr(library, kind)(data).contract_size(2.5).resample(frequency)
    if split:
        getattr(record, split)()
    return record.stats([getattr(library, name) for name in METRICS], **kwargs).splits


def differences(expected: list[Mapping[str, Any]], actual: list[Mapping[str, Any]], tolerance: float = 1e-12) -> list[str]:
    """Name every figure that differs by more than rounding: the two add in different orders."""
    assert [list(row) for row in expected] == [list(row) for row in actual]
    found = []
    for row, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
        for name in wanted:
            a, b = wanted[name], got[name]
            if name in ("start", "end"):
                is_same = a == b
            else:
                is_same = (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)
            if not is_same:
                found.append(f"row {row}, {name}: {a} and {b}")
    return found


def test_the_comparison_finds_a_difference() -> None:
    found = differences([{"start": 1, "x": 1.0}], [{"start": 2, "x": 1.0 + 3e-12}])
    assert found == ["row 0, start: 1 and 2", "row 0, x: 1.0 and 1.000000000003"]
    assert differences([{"x": 1.0}], [{"x": math.nan}]) == ["row 0, x: 1.0 and nan"]
    assert differences([{"x": math.nan}], [{"x": math.nan}]) == []


@pytest.mark.filterwarnings("ignore:The sampling interval is not consistent", "ignore:the samples are unevenly spaced")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", [None, "daily", "monthly"])
@pytest.mark.parametrize("frequency", ["10s", "5m", None])
@pytest.mark.parametrize("jitter_ns", [0, SECOND])
def test_all_figures_equal_hftbacktests(kind: str, split: str | None, frequency: str | None, jitter_ns: int) -> None:
    for seed in range(2):
        data = random_samples(800, seed, every_ns=(97 + 900 * seed) * SECOND, jitter_ns=jitter_ns)
        for with_holes in (False, True):
            if with_holes:
                data["price"][np.random.default_rng(seed).random(len(data)) < 0.05] = np.nan
            expected = figures(reference, kind, data, split, frequency, book_size=1000.0)
            assert differences(expected, figures(ours, kind, data, split, frequency, book_size=1000.0)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frequency", ["10s", None])
def test_frames_without_activity_columns_equal_hftbacktests(kind: str, frequency: str | None) -> None:
    data = random_samples(200, 1)
    whole = pl.DataFrame({name: data[name] for name in data.dtype.names})
    for frame in (
        whole,
        whole.drop("trading_volume"),
        whole.drop("num_trades", "trading_volume", "trading_value"),
        whole.with_columns(pl.from_epoch("timestamp", "ns"), extra=1),
    ):
        expected = figures(reference, kind, frame, None, frequency, book_size=10.0)
        assert differences(expected, figures(ours, kind, frame, None, frequency, book_size=10.0)) == []


@pytest.mark.parametrize(("unit", "step"), [("s", 10**9), ("ms", 10**6), ("us", 10**3)])
def test_times_in_other_units_equal_hftbacktests(unit: str, step: int) -> None:
    data = random_samples(100, 2)
    data["timestamp"] //= step
    expected = reference.LinearAssetRecord(data).time_unit(unit).stats().splits
    assert differences(expected, ours.LinearAssetRecord(data).time_unit(unit).stats().splits) == []


def test_the_default_summary_equals_hftbacktests_in_columns_types_and_values() -> None:
    data = random_samples(500, 3, every_ns=600 * SECOND)
    expected = reference.LinearAssetRecord(data).daily().stats().summary()
    actual = ours.LinearAssetRecord(data).daily().stats().summary()
    assert actual.schema == expected.schema
    assert differences(expected.to_dicts(), actual.to_dicts()) == []


def test_a_split_of_one_sample_gives_nan_where_hftbacktest_fails() -> None:
    # The reference takes the spacing from a second sample that is not there; the expectation is worked by hand.
    data = samples({}, {"balance": 1.0}, {"balance": 3.0}, every_ns=12 * HOUR)
    with pytest.raises((IndexError, TypeError, ZeroDivisionError)):
        figures(reference, "LinearAssetRecord", data, "daily", None, book_size=1.0)
    first, second, whole = figures(ours, "LinearAssetRecord", data, "daily", None, book_size=1.0)
    assert math.isnan(first["SR"])
    assert math.isnan(first["DailyTurnover"])
    assert (first["Return"], second["Return"], whole["Return"]) == (0.0, 2.0, 3.0)
    assert whole["SR"] == pytest.approx(1.5 / math.sqrt(0.5) * math.sqrt(2 * 252), rel=1e-14)


def test_our_names_cover_hftbacktests_classes() -> None:
    assert set(reference.__all__) <= set(ours.__all__)


def test_aware_times_are_taken_as_utc() -> None:
    data = random_samples(100, 4)
    frame = pl.DataFrame({name: data[name] for name in data.dtype.names})
    aware = frame.with_columns(
        pl.from_epoch("timestamp", "ns").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    )
    assert ours.LinearAssetRecord(aware).stats().splits == ours.LinearAssetRecord(frame).stats().splits


def test_windows_are_labelled_by_their_start_and_empty_ones_are_absent() -> None:
    rows = [{"timestamp": T0 + s * SECOND, "balance": float(s), "num_trades": s} for s in (1, 9, 11, 35)]
    entire = ours.LinearAssetRecord(samples(*rows)).prepare()
    assert [t.second for t in entire["timestamp"]] == [20, 30, 50]
    assert entire["balance"].to_list() == [9.0, 11.0, 35.0]
    assert entire["num_trades_"].to_list() == [8, 2, 24]


def test_a_metric_of_ones_own_sees_the_figures_before_it() -> None:
    class Doubled(ours.Metric):
        def compute(self, df: pl.DataFrame, context: Mapping[str, Any]) -> Mapping[str, Any]:
            return {"Doubled": 2 * context["Return"], "Rows": len(df)}

    row = ours.LinearAssetRecord(samples({}, {"balance": 3.0})).resample(None).stats([ours.Ret, Doubled]).splits[0]
    assert (row["Doubled"], row["Rows"]) == (6.0, 2)


def test_classes_take_only_the_arguments_they_know_and_instances_none() -> None:
    record = ours.LinearAssetRecord(samples({}, {"balance": 3.0})).resample(None)
    row = record.stats([ours.Ret, ours.NumberOfTrades, ours.Ret("raw")], book_size=2.0, unknown=1).splits[0]
    assert (row["Return"], row["raw"]) == (1.5, 3.0)


def test_the_pretty_summary_is_text() -> None:
    stats = ours.LinearAssetRecord(samples({}, {"balance": 1234.5, "num_trades": 4321})).resample(None)
    pretty = stats.stats([ours.Ret, ours.NumberOfTrades, ours.SR, ours.MaxPositionValue]).summary(pretty=True)
    assert pretty.rows() == [("2023-11-14 22:13:20", "2023-11-14 22:13:21", "1,234.50", "4,321", "nan", "0")]


def test_a_pretty_summary_keeps_unknowns_and_text_of_own_metrics() -> None:
    stats = ours.Stats(pl.DataFrame(), [{"text": "x", "n": None}, {"text": "y", "n": 1}], {})
    assert stats.summary(pretty=True).rows() == [("x", None), ("y", "1")]


def test_the_plot_is_a_plotly_figure_with_equity_price_and_position() -> None:
    stats = ours.LinearAssetRecord(random_samples(50, 1)).resample(None).stats(book_size=100.0)
    assert isinstance(stats.plot(), go.Figure)
    assert [trace.name for trace in stats.plot(price_as_ret=True).data] == [
        "Price, % since the start", "Before fees", "Net of fees", "Position",
    ]  # fmt: skip


def test_another_plotting_backend_is_refused() -> None:
    stats = ours.LinearAssetRecord(samples({}, {})).stats([ours.Ret])
    with pytest.raises(ConfigError) as caught:
        stats.plot(backend="matplotlib")
    assert str(caught.value) == "backend 'matplotlib' is not available; figures are drawn with plotly, drop the argument"


def test_no_samples_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        ours.LinearAssetRecord(samples()).stats()
    assert str(caught.value) == "there are no samples; record at least one before asking for statistics"


def test_unordered_samples_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        ours.LinearAssetRecord(samples({}, {"timestamp": 0})).stats()
    assert str(caught.value) == "the samples are not in time order; sort them by timestamp"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError) as caught:
        ours.LinearAssetRecord(pl.DataFrame({"timestamp": [1], "price": [1.0]})).stats()
    assert str(caught.value) == "the samples lack column 'position'; they have timestamp, price"


@pytest.mark.parametrize("data", [[1, 2], np.zeros(3)])
def test_other_data_is_refused_by_type(data: Any) -> None:
    with pytest.raises(DataError) as caught:
        ours.LinearAssetRecord(data).stats()
    name = type(data).__name__
    assert str(caught.value) == f"samples are a structured array or a Polars frame, not {name}; pass recorder rows"


def test_an_unknown_time_unit_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        ours.LinearAssetRecord(samples({})).time_unit("h")
    assert str(caught.value) == "time_unit 'h' is unknown; choose one of s, ms, us, ns"


def test_a_window_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^resample\('soon'\): .*; give a duration such as '10s', '5m' or '1h'$"):
        ours.LinearAssetRecord(samples({}, {})).resample("soon").stats()
