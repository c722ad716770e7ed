"""The latency models of a replayed exchange, as a user names them; the formulas stand in `latency_compiled`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import LATENCY
from queuefront.core.enums import LATENCY_CONSTANT, LATENCY_INTERPOLATED, LATENCY_SAMPLED
from queuefront.core.errors import ConfigError, DataError

__all__ = ["ConstantLatency", "InterpolatedLatency", "LatencyModel", "SampledLatency"]

#: hftbacktest's spelling of the same record.
_HFTBACKTEST_LATENCY: Final = np.dtype([("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")])

_LATENCY_NS_MAX: Final = 10**17  # about three years: additions to any timestamp then stay within int64


@dataclass(frozen=True, slots=True)
class ConstantLatency:
    """The same latency for every order.

    entry_ns : from us to the matching engine. Negative: every request is technically rejected, and we learn of it after the
        absolute value.
    response_ns : from the matching engine to us.
    cancel_ns, modify_ns : from us to the matching engine, for cancels and modifications; as `entry_ns` where not given. A
        message never overtakes an earlier one.
    """

    entry_ns: int = 0
    response_ns: int = 0
    cancel_ns: int | None = None
    modify_ns: int | None = None
    code: ClassVar[int] = LATENCY_CONSTANT

    def __post_init__(self) -> None:
        for name in ("entry_ns", "response_ns", "cancel_ns", "modify_ns"):
            value = getattr(self, name)
            if value is None and name in ("cancel_ns", "modify_ns"):
                continue
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
        return rounds.view(LATENCY) if rounds.dtype == _HFTBACKTEST_LATENCY else rounds, "latency rows"
    from queuefront.feed import read_records

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


@dataclass(frozen=True, slots=True)
class SampledLatency:
    """Latencies drawn at random, with replacement, from measured ones; the same seed draws the same.

    entry_ns, response_ns : measured latencies, int64[n] each, none negative.
    seed : of the draws; each asset of a run draws for itself.
    """

    entry_ns: npt.ArrayLike
    response_ns: npt.ArrayLike
    seed: int = 0
    code: ClassVar[int] = LATENCY_SAMPLED

    def __post_init__(self) -> None:
        for name in ("entry_ns", "response_ns"):
            values = np.asarray(getattr(self, name))
            if values.ndim != 1 or len(values) == 0 or values.dtype.kind not in "iu":
                raise ConfigError(
                    f"latency {name} is {values.dtype}{list(values.shape)}; give whole nanoseconds, one at least"
                )
            values = values.astype(np.int64)
            if values.min() < 0 or values.max() > _LATENCY_NS_MAX:
                worst = values.min() if values.min() < 0 else values.max()
                raise ConfigError(f"latency {name} has {worst:,} ns; give values from 0 to three years, in nanoseconds")
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if not 0 <= int(self.seed) < 2**31 - 100:
            raise ConfigError(f"the seed of a sampled latency is {self.seed}; give a whole number from 0 to 2^31 - 101")


LatencyModel = ConstantLatency | InterpolatedLatency | SampledLatency
