"""Statistics of a recorded run, with the names and numbers of hftbacktest's `hftbacktest.stats`.

::

    stats = LinearAssetRecord(samples).resample("5m").daily().stats(book_size=10_000)
    stats.summary()          # a row a day, and one for the whole period
    stats.plot()

Rules: times become naive UTC datetimes; trades, volume and value become differences between
successive samples, the first being zero; samples are gathered in windows aligned to the epoch, of which the three
differences are summed and everything else takes the last value; windows without samples are absent.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from queuefront.core import ConfigError, DataError
from queuefront.report.metrics import (
    SR,
    AnnualRet,
    DailyNumberOfTrades,
    DailyTradingValue,
    DailyTradingVolume,
    MaxDrawdown,
    MaxLeverage,
    MaxPositionValue,
    MeanPositionValue,
    MedianPositionValue,
    Metric,
    NumberOfTrades,
    Ret,
    ReturnOverMDD,
    ReturnOverTrade,
    Sortino,
    TradingValue,
    TradingVolume,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    import polars as pl

__all__ = [
    "SR",
    "AnnualRet",
    "DailyNumberOfTrades",
    "DailyTradingValue",
    "DailyTradingVolume",
    "InverseAssetRecord",
    "LinearAssetRecord",
    "MaxDrawdown",
    "MaxLeverage",
    "MaxPositionValue",
    "MeanPositionValue",
    "MedianPositionValue",
    "Metric",
    "NumberOfTrades",
    "Ret",
    "ReturnOverMDD",
    "ReturnOverTrade",
    "Sortino",
    "Stats",
    "TradingValue",
    "TradingVolume",
]

#: What `stats()` computes unless told otherwise, in this order.
DEFAULT_METRICS: tuple[type[Metric], ...] = (
    SR,
    Sortino,
    Ret,
    MaxDrawdown,
    DailyNumberOfTrades,
    DailyTradingValue,
    ReturnOverMDD,
    ReturnOverTrade,
    MaxPositionValue,
)

TimeUnit = Literal["s", "ms", "us", "ns"]
_TIME_UNITS = get_args(TimeUnit)
_INTERVAL_COLUMNS = ("num_trades_", "trading_volume_", "trading_value_")


class Stats:
    """The figures of a run.

    Attributes
    ----------
    entire : the prepared samples of the whole period.
    splits : the figures, a mapping a period, the whole period last.
    kwargs : what `stats()` was given besides the metrics, such as `book_size`.
    """

    def __init__(self, entire: pl.DataFrame, splits: Sequence[Mapping[str, Any]], kwargs: Mapping[str, Any]) -> None:
        self.entire = entire
        self.splits = list(splits)
        self.kwargs = dict(kwargs)

    def summary(self, pretty: bool = False) -> pl.DataFrame:
        """Return the figures as a table: start, end, then a column a metric; a row a period, the whole period last.

        With `pretty`, as text rounded for reading.
        """
        import polars as pl

        frame = pl.DataFrame(self.splits, infer_schema_length=None)
        if not pretty:
            return frame
        text = {
            name: [_pretty(value) for value in frame[name]]
            for name, kind in frame.schema.items()
            if kind.is_numeric() or kind.is_temporal()
        }
        return frame.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in text.items())

    def plot(self, price_as_ret: bool = False, backend: str = "plotly") -> go.Figure:
        """Draw equity against the price, and the position, as a Plotly figure.

        Parameters
        ----------
        price_as_ret : draw the price as its return since the first sample. Equity is a return whenever `stats()` was
            given a `book_size`.
        backend : "plotly", the only one there is.

        Raises
        ------
        ConfigError
            For another backend.
        """
        if backend != "plotly":
            raise ConfigError(f"backend {backend!r} is not available; figures are drawn with plotly, drop the argument")
        from queuefront.report.plots import stats_figure

        return stats_figure(self.entire, book_size=self.kwargs.get("book_size"), has_price_as_return=price_as_ret)


class _AssetRecord(ABC):
    def __init__(self, data: npt.NDArray[np.void] | pl.DataFrame) -> None:
        self.data = data
        self._contract_size = 1.0
        self._time_unit: TimeUnit = "ns"
        self._frequency: str | None = "10s"
        self._partition: str | None = None

    def contract_size(self, contract_size: float) -> Self:
        """Set the contract size; 1 unless set."""
        self._contract_size = contract_size
        return self

    def time_unit(self, time_unit: str) -> Self:
        """Set the unit of integer timestamps: s, ms, us or ns; ns unless set."""
        if time_unit not in _TIME_UNITS:
            raise ConfigError(f"time_unit {time_unit!r} is unknown; choose one of {', '.join(_TIME_UNITS)}")
        self._time_unit = cast(TimeUnit, time_unit)
        return self

    def resample(self, frequency: str | None) -> Self:
        """Set the window that samples are gathered in, as Polars writes durations ("5m"); None keeps every sample."""
        self._frequency = frequency
        return self

    def monthly(self) -> Self:
        """Compute the figures of each UTC month as well."""
        self._partition = "1mo"
        return self

    def daily(self) -> Self:
        """Compute the figures of each UTC day as well."""
        self._partition = "1d"
        return self

    def prepare(self) -> pl.DataFrame:
        """Return the samples as the metrics read them.

        Raises
        ------
        DataError
            If there are no samples, a column is missing, or time runs backward.
        ConfigError
            If the resampling window is not a duration.
        """
        frame = _with_times(_as_frame(self.data), self._time_unit)
        if frame.is_empty():
            raise DataError("there are no samples; record at least one before asking for statistics")
        if not frame["timestamp"].is_sorted():
            raise DataError("the samples are not in time order; sort them by timestamp")
        frame = self._with_activity(frame)
        frame = frame.with_columns(equity_wo_fee=self._equity_wo_fee())
        if self._frequency is None:
            return frame
        return _gathered(frame, self._frequency)

    def stats(self, metrics: Sequence[Metric | type[Metric]] | None = None, **kwargs: Any) -> Stats:
        """Compute the figures.

        Parameters
        ----------
        metrics : metrics, or their classes, which are built with the matching arguments of this call; DEFAULT_METRICS
            unless given.
        **kwargs : such as `book_size` or `trading_days_per_year`, for the classes that take them.
        """
        import polars as pl

        chosen = [_built(metric, kwargs) for metric in (DEFAULT_METRICS if metrics is None else metrics)]
        entire = self.prepare()
        periods: list[pl.DataFrame] = []
        if self._partition is not None:
            periods = [
                part for _, part in entire.group_by(pl.col("timestamp").dt.truncate(self._partition), maintain_order=True)
            ]
        return Stats(entire, [_figures(period, chosen) for period in [*periods, entire]], kwargs)

    def _with_activity(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        change = pl.col("position").diff().fill_null(0.0)
        instead = {
            "num_trades": (change != 0).cast(pl.Float64),
            "trading_volume": change.abs(),
            "trading_value": self._value_of(change),
        }
        return frame.with_columns(
            (pl.col(name).diff().fill_null(0) if name in frame.columns else fallback).alias(f"{name}_")
            for name, fallback in instead.items()
        )

    @abstractmethod
    def _equity_wo_fee(self) -> pl.Expr: ...

    @abstractmethod
    def _value_of(self, qty: pl.Expr) -> pl.Expr: ...


class LinearAssetRecord(_AssetRecord):
    """Samples of a linear contract: equity in quote currency, `balance + position × price × contract_size`."""

    def _equity_wo_fee(self) -> pl.Expr:
        import polars as pl

        return pl.col("balance") + self._value_of(pl.col("position"))

    def _value_of(self, qty: pl.Expr) -> pl.Expr:
        import polars as pl

        return qty * pl.col("price") * self._contract_size


class InverseAssetRecord(_AssetRecord):
    """Samples of an inverse contract: equity in base currency, `-balance - position / price × contract_size`."""

    def _equity_wo_fee(self) -> pl.Expr:
        import polars as pl

        return -pl.col("balance") - self._value_of(pl.col("position"))

    def _value_of(self, qty: pl.Expr) -> pl.Expr:
        import polars as pl

        return qty / pl.col("price") * self._contract_size


def _as_frame(data: npt.NDArray[np.void] | pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    if isinstance(data, pl.DataFrame):
        frame = data
    elif isinstance(data, np.ndarray) and data.dtype.names:
        frame = pl.DataFrame({name: np.ascontiguousarray(data[name]) for name in data.dtype.names})
    else:
        raise DataError(f"samples are a structured array or a Polars frame, not {type(data).__name__}; pass recorder rows")
    missing = [name for name in ("timestamp", "price", "position", "balance", "fee") if name not in frame.columns]
    if missing:
        raise DataError(f"the samples lack column {missing[0]!r}; they have {', '.join(frame.columns)}")
    return frame


def _with_times(frame: pl.DataFrame, time_unit: TimeUnit) -> pl.DataFrame:
    import polars as pl

    kind = frame.schema["timestamp"]
    if isinstance(kind, pl.Datetime):
        times = (
            pl.col("timestamp").dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            if kind.time_zone
            else pl.col("timestamp")
        )
        return frame.with_columns(times)
    return frame.with_columns(pl.from_epoch("timestamp", time_unit=time_unit))


def _gathered(frame: pl.DataFrame, frequency: str) -> pl.DataFrame:
    import polars as pl

    rest = pl.all().exclude("timestamp", *_INTERVAL_COLUMNS).last()
    try:
        return frame.group_by_dynamic("timestamp", every=frequency).agg(rest, pl.col(*_INTERVAL_COLUMNS).sum())
    except pl.exceptions.PolarsError as e:
        raise ConfigError(
            f"resample({frequency!r}): {str(e).splitlines()[0]}; give a duration such as '10s', '5m' or '1h'"
        ) from e


def _built(metric: Metric | type[Metric], kwargs: Mapping[str, Any]) -> Metric:
    if not isinstance(metric, type):
        return metric
    wanted = inspect.signature(metric).parameters
    return metric(**{name: value for name, value in kwargs.items() if name in wanted})


def _figures(period: pl.DataFrame, metrics: Sequence[Metric]) -> dict[str, Any]:
    # Python datetimes, and so the table's start and end, hold microseconds.
    figures: dict[str, Any] = {"start": period["timestamp"][0], "end": period["timestamp"][-1]}
    for metric in metrics:
        figures.update(metric.compute(period, figures))
    return figures


def _pretty(value: Any) -> str | None:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4g}"
    return None if value is None else f"{value:%Y-%m-%d %H:%M:%S}"
