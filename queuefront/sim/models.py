"""The models of a replayed exchange, as a user names them.

Rules and formulas stand with the compiled code and in docs/models.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import LATENCY
from queuefront.core.enums import (
    EXCHANGE_NO_PARTIAL_FILL,
    EXCHANGE_PARTIAL_FILL,
    FEE_FLAT,
    FEE_QTY,
    FEE_VALUE,
    LATENCY_CONSTANT,
    LATENCY_INTERPOLATED,
    QUEUE_LOG,
    QUEUE_LOG_2,
    QUEUE_POWER,
    QUEUE_POWER_2,
    QUEUE_POWER_3,
    QUEUE_RISK_AVERSE,
)
from queuefront.core.errors import ConfigError, DataError
from queuefront.core.instrument import Number, exact
from queuefront.feed import read_records

__all__ = [
    "ConstantLatency",
    "ExchangeModel",
    "FeeModel",
    "FlatFees",
    "InterpolatedLatency",
    "LatencyModel",
    "LogQueue",
    "LogQueue2",
    "NoPartialFill",
    "PartialFill",
    "PowerQueue",
    "PowerQueue2",
    "PowerQueue3",
    "QtyFees",
    "QueueModel",
    "RiskAverseQueue",
    "ValueFees",
]

_LATENCY_NS_MAX: Final = 10**17  # about three years: additions to any timestamp then stay within int64
_EXPONENT_MAX: Final = 16.0


# --- latency ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConstantLatency:
    """The same latency for every order.

    entry_ns : from us to the matching engine. Negative: every request is technically rejected, and we learn of it after the
    absolute value.   response_ns : from the matching engine to us.
    """

    entry_ns: int = 0
    response_ns: int = 0
    code: ClassVar[int] = LATENCY_CONSTANT

    def __post_init__(self) -> None:
        for name in ("entry_ns", "response_ns"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise ConfigError(f"latency {name} is {value!r}; give whole nanoseconds")
            if abs(int(value)) > _LATENCY_NS_MAX:
                raise ConfigError(f"latency {name} is {value:,} ns, more than three years; check its unit")
        if self.response_ns < 0:
            raise ConfigError(f"latency response_ns is {self.response_ns:,}; an answer cannot arrive before it was given")


@dataclass(frozen=True, slots=True)
class InterpolatedLatency:
    """Latencies interpolated between measured round trips.

    rounds : LATENCY rows, an `.npz` file of them (member ``data``), or several files in time order.
    offset_ns : added once to each exchange time and twice to each response time of an answered row.

    Raises
    ------
    ConfigError, DataError
        For no rows, request times or exchange times that go back, or an answer before its request.
    """

    rounds: npt.NDArray[np.void] | str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    offset_ns: int = 0
    code: ClassVar[int] = LATENCY_INTERPOLATED
    rows: npt.NDArray[np.void] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows, source = _read_rounds(self.rounds)
        if rows.dtype != LATENCY:
            raise DataError(f"{source}: latency rows have dtype {rows.dtype}; they must have {LATENCY}")
        if len(rows) == 0:
            raise DataError(f"{source}: there are no latency rows; give at least one round trip")
        if abs(self.offset_ns) > _LATENCY_NS_MAX:
            raise ConfigError(f"latency offset_ns is {self.offset_ns:,} ns, more than three years; check its unit")
        rows = rows.copy()
        is_answered = rows["exch_ts"] > 0
        rows["exch_ts"][is_answered] += self.offset_ns
        rows["resp_ts"][is_answered] += 2 * self.offset_ns
        _require_latency_rows(rows, is_answered, source)
        rows.flags.writeable = False
        object.__setattr__(self, "rows", rows)

    @property
    def answered_rows(self) -> npt.NDArray[np.void]:
        """The rows that the exchange did not refuse."""
        answered = self.rows[self.rows["exch_ts"] > 0]
        answered.flags.writeable = False
        return answered


def _read_rounds(rounds: Any) -> tuple[npt.NDArray[np.void], str]:
    if isinstance(rounds, np.ndarray):
        return rounds, "latency rows"
    paths = [rounds] if isinstance(rounds, str | os.PathLike) else list(rounds)
    if not paths:
        raise ConfigError("no latency files are given; name at least one")
    return np.concatenate([read_records(Path(p), LATENCY) for p in paths]), ", ".join(str(p) for p in paths)


def _require_latency_rows(rows: npt.NDArray[np.void], is_answered: npt.NDArray[np.bool_], source: str) -> None:
    """Refuse rows that the model cannot read forward."""
    answered = np.flatnonzero(is_answered)
    checks = [
        ("req_ts", "goes back", np.flatnonzero(np.diff(rows["req_ts"]) < 0) + 1),
        ("exch_ts", "goes back", answered[1:][np.diff(rows["exch_ts"][answered]) < 0]),
        ("exch_ts", "is before its req_ts", answered[rows["exch_ts"][answered] < rows["req_ts"][answered]]),
        ("resp_ts", "is before its exch_ts", answered[rows["resp_ts"][answered] < rows["exch_ts"][answered]]),
        ("resp_ts", "is before its req_ts", np.flatnonzero(rows["resp_ts"] < rows["req_ts"])),
        (
            "resp_ts",
            "is more than three years after its req_ts",
            np.flatnonzero(rows["resp_ts"].astype(np.float64) - rows["req_ts"].astype(np.float64) > _LATENCY_NS_MAX),
        ),
    ]
    for name, what, bad in checks:
        if len(bad):
            raise DataError(
                f"{source}: row {bad[0]:,}: {name} {rows[name][bad[0]]:,} {what}, like {len(bad):,} rows in all; "
                "sort the rows by req_ts and drop those that no clock could have measured"
            )


LatencyModel = ConstantLatency | InterpolatedLatency


# --- queue --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RiskAverseQueue:
    """Cancels happen behind us: only trades, and a level smaller than what was ahead, bring us forward."""

    code: ClassVar[int] = QUEUE_RISK_AVERSE
    n: ClassVar[float] = 1.0


@dataclass(frozen=True, slots=True)
class _PowerQueue:
    n: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < float(self.n) <= _EXPONENT_MAX:
            raise ConfigError(f"the exponent n of a power queue model is {self.n!r}; it must be above 0 and at most 16")


@dataclass(frozen=True, slots=True)
class PowerQueue(_PowerQueue):
    """A cancel is behind us with probability K^n / (K^n + F^n); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER


@dataclass(frozen=True, slots=True)
class PowerQueue2(_PowerQueue):
    """A cancel is behind us with probability K^n / (K + F)^n; F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER_2


@dataclass(frozen=True, slots=True)
class PowerQueue3(_PowerQueue):
    """A cancel is behind us with probability 1 - (F / (F + K))^n; F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER_3


@dataclass(frozen=True, slots=True)
class LogQueue:
    """A cancel is behind us with probability ln(1+K) / (ln(1+K) + ln(1+F)); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_LOG
    n: ClassVar[float] = 1.0


@dataclass(frozen=True, slots=True)
class LogQueue2:
    """A cancel is behind us with probability ln(1+K) / ln(1+K+F); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_LOG_2
    n: ClassVar[float] = 1.0


QueueModel = RiskAverseQueue | PowerQueue | PowerQueue2 | PowerQueue3 | LogQueue | LogQueue2


# --- exchange -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoPartialFill:
    """Orders fill whole or not at all."""

    code: ClassVar[int] = EXCHANGE_NO_PARTIAL_FILL
    books_only_filled: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class PartialFill:
    """Orders fill by what trades beyond their queue, or by the levels they take.

    books_only_filled : reproduce hftbacktest, which answers several executions at once and books only those that
    end in FILLED.
    """

    books_only_filled: bool = False
    code: ClassVar[int] = EXCHANGE_PARTIAL_FILL


ExchangeModel = NoPartialFill | PartialFill


# --- fees ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fees:
    maker: Number = 0
    taker: Number = 0

    def __post_init__(self) -> None:
        self.rates_e9()

    def rates_e9(self) -> tuple[int, int]:
        """Return (maker, taker) rates × 1e9; ConfigError for a rate with more than nine decimals or above 10."""
        out = []
        for name in ("maker", "taker"):
            rate = exact(getattr(self, name), f"{name} fee")
            scaled = rate.scaleb(9)
            if scaled != scaled.to_integral_value():
                raise ConfigError(f"the {name} fee is {rate}; give at most nine decimals, so that fees stay exact")
            if abs(rate) > self._rate_max():
                raise ConfigError(f"the {name} fee is {rate}; give a fraction, for example 0.0002 for two basis points")
            out.append(int(scaled))
        return out[0], out[1]

    @staticmethod
    def _rate_max() -> int:
        return 10**6


@dataclass(frozen=True, slots=True)
class ValueFees(_Fees):
    """A fraction of the notional, for passive (maker) and taking (taker) executions; negative is a rebate."""

    code: ClassVar[int] = FEE_VALUE

    @staticmethod
    def _rate_max() -> int:
        return 1


@dataclass(frozen=True, slots=True)
class QtyFees(_Fees):
    """An amount of currency per unit of quantity."""

    code: ClassVar[int] = FEE_QTY


@dataclass(frozen=True, slots=True)
class FlatFees(_Fees):
    """An amount of currency per execution."""

    code: ClassVar[int] = FEE_FLAT


FeeModel = ValueFees | QtyFees | FlatFees
