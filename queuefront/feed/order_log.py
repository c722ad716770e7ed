"""Order latencies that were measured: from the log of a session to the rows that a backtest interpolates between.

A log has three times for each request, ns UTC: when it was sent, when the venue's matching engine had it, and when the
answer came. Of each interval of `resampling_ns` by the time of sending, the request with the median round trip counts, so
that one outlier does not stand for its interval; of an even number the faster of the two. A request that the venue
refused without the engine having had it has the time 0 there, and counts only in intervals where there is no other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import LATENCY
from queuefront.core.errors import ConfigError, DataError, DataFormatError, SchemaMismatchError
from queuefront.feed.check import validate_latencies
from queuefront.feed.npz import read_records, write_npz

__all__ = ["resample_order_latency"]

Rows = npt.NDArray[Any]

_TIMES: Final = ("req_ts", "exch_ts", "resp_ts")


def resample_order_latency(
    log: str | os.PathLike[str] | Rows,
    output: str | os.PathLike[str] | None = None,
    resampling_ns: int = 1_000_000_000,
) -> Rows:
    """Return one `LATENCY` row for each interval in which a request was sent.

    Parameters
    ----------
    log : a CSV file with the columns req_ts, exch_ts and resp_ts, an `.npz` file of `LATENCY` rows, or such rows; in any
        order.
    output : an `.npz` file to write the rows to.
    resampling_ns : length of an interval; 1 keeps a row for each time of sending.

    Raises
    ------
    ConfigError
        For an interval that is not positive.
    DataFormatError
        If the file cannot be read; SchemaMismatchError if it lacks a column.
    DataError
        Naming the request whose answer came before it was sent, or before the engine had it.
    """
    if resampling_ns < 1:
        raise ConfigError(f"resampling_ns is {resampling_ns:,}; give at least 1")
    rows, source = (log, "log") if isinstance(log, np.ndarray) else (_read(Path(log)), str(log))
    if rows.dtype != LATENCY:
        raise SchemaMismatchError(f"{source}: rows of {rows.dtype} are no latencies; give {', '.join(_TIMES)}")
    req_ts, exch_ts, resp_ts = (np.ascontiguousarray(rows[name]) for name in _TIMES)
    is_wrong = (req_ts <= 0) | (resp_ts < req_ts) | ((exch_ts > 0) & ((exch_ts < req_ts) | (resp_ts < exch_ts)))
    if is_wrong.any():
        i = int(np.argmax(is_wrong))
        raise DataError(
            f"{source}: request {i:,}: sent at {req_ts[i]}, at the engine at {exch_ts[i]}, answered at {resp_ts[i]}; these "
            "times must ascend: put the clocks right, or leave the request out"
        )
    interval, round_trip, is_refused = req_ts // resampling_ns, resp_ts - req_ts, exch_ts <= 0
    order = np.lexsort((req_ts, round_trip, is_refused, interval))
    begin = np.flatnonzero(np.diff(interval[order], prepend=-1))
    end = np.append(begin[1:], len(order))[: len(begin)]
    chosen = []
    for first, last in zip(begin.tolist(), end.tolist(), strict=True):
        accepted = int(np.count_nonzero(~is_refused[order[first:last]]))
        chosen.append(order[first + ((accepted or last - first) - 1) // 2])
    made = np.zeros(len(chosen), LATENCY)
    for name in _TIMES:
        made[name] = rows[name][chosen]
    made = made[np.argsort(made["req_ts"], kind="stable")]
    validate_latencies(made, f"latencies of {source}")
    if output is not None:
        write_npz(output, made)
    return made


def _read(path: Path) -> Rows:
    if path.suffix in (".npz", ".npy"):
        return read_records(path, LATENCY)
    import pyarrow as pa
    from pyarrow import csv

    path.stat()
    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(_TIMES, pa.int64()), include_columns=_TIMES),
        )
    except KeyError as e:
        raise SchemaMismatchError(f"{path}: the log lacks a column ({e}); it needs {', '.join(_TIMES)}") from e
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise DataFormatError(f"{path}: no readable log ({str(e)[:160]}); times are whole nanoseconds") from e
    rows = np.zeros(len(table), LATENCY)
    for name in _TIMES:
        column = table[name]
        if column.null_count:
            raise DataFormatError(
                f"{path}: {column.null_count:,} cells of {name} are empty; write 0 where there is no time"
            )
        rows[name] = column.to_numpy()
    return rows
