"""What is measured of a run: figures over a table of samples, named and computed as hftbacktest's statistics do.

Every metric reads the table that `stats.LinearAssetRecord` and `stats.InverseAssetRecord` prepare, with E = equity without
fees less fees, dE its successive differences, `days` the time from first to last sample, and `spd` the number of samples a
day *as the first two samples are spaced*. Durations are taken in whole microseconds.

Kept as they are there, because people compare the numbers: activity before the first sample is not
counted, and position values leave out the contract size. Where the book has an empty side the sample has no price: E and
its differences skip it, `MeanPositionValue` becomes NaN, and `MedianPositionValue` ranks it as the largest value.

A table of a single sample has neither a duration nor a difference: everything that needs one is NaN, where hftbacktest
fails. Any other division by zero gives what IEEE 754 says, inf or NaN, without a warning.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = [
    "SR",
    "AnnualRet",
    "DailyNumberOfTrades",
    "DailyTradingValue",
    "DailyTradingVolume",
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
    "TradingValue",
    "TradingVolume",
]

Floats = npt.NDArray[np.float64]
_SECONDS_PER_DAY = 86_400.0


class Metric(ABC):
    """One or more named figures of a table of samples. Subclass it for a figure of your own."""

    @abstractmethod
    def compute(self, df: pl.DataFrame, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the figures by name.

        Parameters
        ----------
        df : prepared samples: timestamp, price, position, balance, fee, equity_wo_fee, and per sample num_trades_,
            trading_volume_, trading_value_.
        context : `start`, `end`, and the figures computed before this one.
        """


class _Figure(Metric):
    # A metric of exactly one figure, called `column` unless it is given a name.
    column: ClassVar[str]

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.column

    def compute(self, df: pl.DataFrame, context: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 see Metric
        return {self.name: self._value(df)}

    @abstractmethod
    def _value(self, df: pl.DataFrame) -> float: ...


class _BookFigure(_Figure):
    # A figure that is divided by the size of the book, if one is given.
    def __init__(self, name: str | None = None, book_size: float | None = None) -> None:
        super().__init__(name)
        self.book_size = book_size

    def _per_book(self, value: float) -> float:
        return value if self.book_size is None else _ratio(value, self.book_size)


class _YearlyFigure(_Figure):
    # A figure scaled from the sampling interval to a year of trading days.
    def __init__(self, name: str | None = None, trading_days_per_year: float = 252) -> None:
        super().__init__(name)
        self.trading_days_per_year = trading_days_per_year

    def _yearly(self, df: pl.DataFrame, ratio: float) -> float:
        return ratio * float(np.sqrt(_samples_per_day(df) * self.trading_days_per_year))


class SR(_YearlyFigure):
    """Sharpe ratio: mean of dE over its standard deviation (n - 1), scaled to a year; NaNs dropped."""

    column = "SR"

    def _value(self, df: pl.DataFrame) -> float:
        changes = _equity_changes(df)
        deviation = cast(float, changes.std()) if len(changes) > 1 else float("nan")
        return self._yearly(df, _ratio(_mean(changes), deviation))


class Sortino(_YearlyFigure):
    """Sortino ratio: mean of dE over the root mean square of its losses, scaled to a year; NaNs dropped."""

    column = "Sortino"

    def _value(self, df: pl.DataFrame) -> float:
        changes = _equity_changes(df)
        return self._yearly(df, _ratio(_mean(changes), float(np.sqrt(_mean(changes.clip(upper_bound=0.0) ** 2)))))


class Ret(_BookFigure):
    """Return: last E less first E, NaNs dropped; over `book_size` if given."""

    column = "Return"

    def _value(self, df: pl.DataFrame) -> float:
        return self._per_book(_return(df))


class AnnualRet(_BookFigure):
    """Return scaled from the table's duration to a year of trading days; over `book_size` if given."""

    column = "AnnualReturn"

    def __init__(self, name: str | None = None, book_size: float | None = None, trading_days_per_year: float = 252) -> None:
        super().__init__(name, book_size)
        self.trading_days_per_year = trading_days_per_year

    def _value(self, df: pl.DataFrame) -> float:
        return self._per_book(_ratio(_return(df), _days(df)) * self.trading_days_per_year)


class MaxDrawdown(_BookFigure):
    """Deepest fall of E below its highest value so far, as a positive number; over `book_size` if given."""

    column = "MaxDrawdown"

    def _value(self, df: pl.DataFrame) -> float:
        return self._per_book(_max_drawdown(df))


class ReturnOverMDD(_Figure):
    """Return over maximum drawdown, both in money."""

    column = "ReturnOverMDD"

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(_return(df), _max_drawdown(df))


class ReturnOverTrade(_Figure):
    """Return over the value traded, both in money: what a unit of turnover earned."""

    column = "ReturnOverTrade"

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(_return(df), float(df["trading_value_"].sum()))


class NumberOfTrades(_Figure):
    """How often we traded."""

    column = "NumberOfTrades"

    def _value(self, df: pl.DataFrame) -> float:
        # A whole number stays one, as in hftbacktest.
        return cast(float, df["num_trades_"].sum())


class DailyNumberOfTrades(_Figure):
    """How often we traded, a day."""

    column = "DailyNumberOfTrades"

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(float(df["num_trades_"].sum()), _days(df))


class TradingVolume(_Figure):
    """The quantity traded."""

    column = "TradingVolume"

    def _value(self, df: pl.DataFrame) -> float:
        return float(df["trading_volume_"].sum())


class DailyTradingVolume(_Figure):
    """The quantity traded, a day."""

    column = "DailyTradingVolume"

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(float(df["trading_volume_"].sum()), _days(df))


class TradingValue(_BookFigure):
    """The value traded; with `book_size`, the turnover."""

    column = "TradingValue"

    def __init__(self, name: str | None = None, book_size: float | None = None) -> None:
        super().__init__(name or ("TradingValue" if book_size is None else "Turnover"), book_size)

    def _value(self, df: pl.DataFrame) -> float:
        return self._per_book(float(df["trading_value_"].sum()))


class DailyTradingValue(_BookFigure):
    """The value traded, a day; with `book_size`, the daily turnover."""

    column = "DailyTradingValue"

    def __init__(self, name: str | None = None, book_size: float | None = None) -> None:
        super().__init__(name or ("DailyTradingValue" if book_size is None else "DailyTurnover"), book_size)

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(self._per_book(float(df["trading_value_"].sum())), _days(df))


class MaxPositionValue(_Figure):
    """Largest |position| × price."""

    column = "MaxPositionValue"

    def _value(self, df: pl.DataFrame) -> float:
        return _max_position_value(df)


class MeanPositionValue(_Figure):
    """Mean of |position| × price; NaN if any sample has no price."""

    column = "MeanPositionValue"

    def _value(self, df: pl.DataFrame) -> float:
        return _mean(df["position"].abs() * df["price"])


class MedianPositionValue(_Figure):
    """Median of |position| × price; samples without a price rank as the largest."""

    column = "MedianPositionValue"

    def _value(self, df: pl.DataFrame) -> float:
        ranked = np.sort(_position_values(df))
        middle = len(ranked) // 2
        return float(ranked[middle]) if len(ranked) % 2 else float(ranked[middle - 1] + ranked[middle]) / 2


class MaxLeverage(_Figure):
    """Largest |position| × price over `book_size`. Warns without a positive one, and gives inf or NaN."""

    column = "MaxLeverage"

    def __init__(self, name: str | None = None, book_size: float = 0.0) -> None:
        super().__init__(name)
        if book_size <= 0:
            warnings.warn(f"MaxLeverage: book_size is {book_size:g}; give the size of the book", stacklevel=2)
        self.book_size = book_size

    def _value(self, df: pl.DataFrame) -> float:
        return _ratio(_max_position_value(df), self.book_size)


def _ratio(numerator: float, denominator: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(numerator) / np.float64(denominator))


def _mean(x: pl.Series) -> float:
    # Polars' mean, as in hftbacktest: where gains and losses cancel, the order of adding shows in the result.
    return cast(float, x.mean()) if len(x) else float("nan")


def _equity(df: pl.DataFrame) -> Floats:
    equity: Floats = (df["equity_wo_fee"] - df["fee"]).cast(float).to_numpy()
    return equity


def _equity_changes(df: pl.DataFrame) -> pl.Series:
    return (df["equity_wo_fee"] - df["fee"]).cast(float).diff().drop_nulls().drop_nans()


def _return(df: pl.DataFrame) -> float:
    equity = _equity(df)
    known = equity[~np.isnan(equity)]
    return float(known[-1] - known[0]) if len(known) else float("nan")


def _max_drawdown(df: pl.DataFrame) -> float:
    equity = _equity(df)
    known = equity[~np.isnan(equity)]
    return float(abs(np.min(known - np.maximum.accumulate(known)))) if len(known) else float("nan")


def _position_values(df: pl.DataFrame) -> Floats:
    values: Floats = (df["position"].abs() * df["price"]).cast(float).to_numpy()
    return values


def _max_position_value(df: pl.DataFrame) -> float:
    values = _position_values(df)
    known = values[~np.isnan(values)]
    return float(np.max(known)) if len(known) else float("nan")


def _times_us(df: pl.DataFrame) -> npt.NDArray[np.int64]:
    times: npt.NDArray[np.int64] = df["timestamp"].dt.epoch("us").to_numpy()
    return times


def _days(df: pl.DataFrame) -> float:
    times = _times_us(df)
    seconds = float(times[-1] - times[0]) / 1e6
    return seconds / _SECONDS_PER_DAY if seconds else float("nan")


def _samples_per_day(df: pl.DataFrame) -> float:
    times = _times_us(df)
    if len(times) < 2:
        return float("nan")
    spacing = np.diff(times)
    if np.any(spacing != spacing[0]):
        warnings.warn("the samples are unevenly spaced, so that yearly figures are off; use resample()", stacklevel=2)
    return _ratio(_SECONDS_PER_DAY, float(spacing[0]) / 1e6)
