"""What models of a run configuration are read from: funding payments, measured latencies, Python files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from queuefront.core import LATENCY, ConfigError, DataError, StrategyError
from queuefront.core.instrument import exact

if TYPE_CHECKING:
    from queuefront.sim import Funding, SampledLatency

__all__ = ["load_model", "read_funding", "sampled_latency"]

T = TypeVar("T")

_FUNDING_COLUMNS: Final = ("funding_ts", "mark_price", "rate")
_ROUND_COLUMNS: Final = ("req_ts", "exch_ts", "resp_ts")


# --- funding ----------------------------------------------------------------------------------------------------------
def read_funding(path: Path) -> list[Funding]:
    """Read payments from a .csv or .parquet file with the columns funding_ts (ns), mark_price and rate.

    Prices and rates are decimal text, or numbers read as their shortest text.

    Raises
    ------
    OSError
        If the file cannot be read.
    DataError
        If a column is missing, or a field is none that a venue pays by; names file, row and field.
    """
    from queuefront.sim import Funding

    payments: list[Funding] = []
    seen: dict[int, str] = {}
    for place, row in _rows(path, _FUNDING_COLUMNS):
        where = f"{path}: {place}"
        ts = _nanoseconds(row["funding_ts"], where)
        if ts in seen:
            raise DataError(f"{where}: funding_ts {ts} stands at {seen[ts]} too; a venue pays once, remove one of them")
        seen[ts] = place
        try:
            mark, rate = exact(row["mark_price"], "mark_price"), exact(row["rate"], "rate")
        except ConfigError as e:
            raise DataError(f"{where}: {e}") from e
        if mark <= 0:
            raise DataError(f"{where}: mark_price is {mark}; give a positive price")
        if abs(rate) >= 1:
            raise DataError(f"{where}: rate is {rate}; give a fraction, for example 0.0001")
        payments.append(Funding(ts, mark, rate))
    return payments


def _nanoseconds(value: Any, where: str) -> int:
    try:
        ts = int(value)
    except (TypeError, ValueError):
        ts = -1
    if not 0 < ts < 2**63 or isinstance(value, float):
        raise DataError(f"{where}: funding_ts is {value!r}; give whole nanoseconds since 1970")
    return ts


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place in the file, row) of a .csv or .parquet file that has the columns."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _require_columns(path, reader.fieldnames or (), columns)
            for row in reader:
                yield f"line {reader.line_num}", row
    elif path.suffix == ".parquet":
        table = _read_parquet(path, columns)
        for i, row in enumerate(table.to_pylist()):
            yield f"row {i}", row
    else:
        raise DataError(f"{path}: neither .csv nor .parquet; write the columns {', '.join(columns)} into one of them")


def _read_parquet(path: Path, columns: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.stat()
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as e:
        raise DataError(f"{path}: not a Parquet file: {e}; write it anew") from e
    _require_columns(path, table.column_names, columns)
    return table.select(list(columns))


def _require_columns(path: Path, there: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in there]
    if missing:
        shown = ", ".join(there) or "nothing"
        raise DataError(f"{path}: no column {missing[0]}; it has {shown}, but {', '.join(columns)} are needed")


# --- latencies --------------------------------------------------------------------------------------------------------
def sampled_latency(paths: Sequence[Path], seed: int) -> SampledLatency:
    """Return a model that draws from the answered round trips of .npz or .parquet files of latency rows.

    Raises
    ------
    OSError, DataError
        If a file cannot be read, an answered row goes back in time, or none was answered.
    """
    from queuefront.sim import SampledLatency

    if not paths:
        raise ConfigError("no latency files are given; name at least one")
    rows = np.concatenate([_read_rounds(path) for path in paths])
    rows = rows[rows["exch_ts"] > 0]
    names = ", ".join(str(path) for path in paths)
    if len(rows) == 0:
        raise DataError(f"{names}: the exchange answered none of the requests; give at least one round trip")
    return SampledLatency(rows["exch_ts"] - rows["req_ts"], rows["resp_ts"] - rows["exch_ts"], seed)


def _read_rounds(path: Path) -> npt.NDArray[np.void]:
    from queuefront.feed import read_records, validate_latencies

    if path.suffix != ".parquet":
        rows = read_records(path, LATENCY)
    else:
        table = _read_parquet(path, _ROUND_COLUMNS)
        rows = np.zeros(table.num_rows, LATENCY)
        for name in _ROUND_COLUMNS:
            column = table[name].to_numpy()
            if column.dtype.kind not in "iu":
                raise DataError(f"{path}: column {name} is {table[name].type}; write whole nanoseconds as int64")
            rows[name] = column
    validate_latencies(rows, str(path))
    return rows


# --- models of one's own ----------------------------------------------------------------------------------------------
def load_model(path: Path, name: str, kind: type[T]) -> T:
    """Return the model of a Python file, an object of the given class.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StrategyError
        If the file does not run, or has no such model.
    """
    from queuefront.cli.strategy_file import load_module

    module = load_module(path, f"_model_{path.stem}")
    model = getattr(module, name, None)
    if isinstance(model, kind):
        return model
    fitting = sorted(key for key, value in vars(module).items() if isinstance(value, kind))
    mend = f"name one of {', '.join(fitting)}" if fitting else f"define one: {name} = {kind.__name__}(…)"
    what = f"has no {name}" if model is None else f"{name} is {type(model).__name__}, no {kind.__name__}"
    raise StrategyError(f"{path}: {what}; {mend}")
