"""Measured order latencies: of each interval the request in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import ConfigError, DataError, DataFormatError, SchemaMismatchError
from queuefront.core.dtypes import LATENCY
from queuefront.feed import read_latencies, resample_order_latency, write_npz


def log_of(*rows: tuple[int, int, int]) -> np.ndarray:
    log = np.zeros(len(rows), LATENCY)
    for i, row in enumerate(rows):
        log["req_ts"][i], log["exch_ts"][i], log["resp_ts"][i] = row
    return log


def times(rows: np.ndarray) -> list[tuple[int, int, int]]:
    return [(int(r["req_ts"]), int(r["exch_ts"]), int(r["resp_ts"])) for r in rows]


LOG = log_of((250, 260, 270), (110, 120, 190), (120, 125, 130), (190, 210, 230), (305, 0, 306))


def test_the_request_with_the_median_round_trip_stands_for_its_interval():
    assert times(resample_order_latency(LOG, resampling_ns=100)) == [(190, 210, 230), (250, 260, 270), (305, 0, 306)]


def test_of_two_the_faster_counts_and_refused_ones_only_where_there_is_no_other():
    log = log_of((10, 15, 40), (11, 12, 13), (12, 0, 13))
    assert times(resample_order_latency(log, resampling_ns=100)) == [(11, 12, 13)]


def test_a_step_of_a_nanosecond_keeps_each_request_in_order():
    assert times(resample_order_latency(LOG, resampling_ns=1)) == sorted(times(LOG))


@pytest.mark.parametrize("name", ["log.csv", "log.npz"])
def test_a_log_is_read_and_the_rows_written(tmp_path, name):
    path, out = tmp_path / name, tmp_path / "out.npz"
    if name == "log.npz":
        write_npz(path, log_of(*sorted(times(LOG))))
    else:
        lines = [f"x,{resp},{exch},{req}" for req, exch, resp in times(LOG)]
        path.write_text("cid,resp_ts,exch_ts,req_ts\n" + "\n".join(lines) + "\n")
    made = resample_order_latency(path, out, 100)
    assert times(made) == times(resample_order_latency(LOG, resampling_ns=100)) == times(read_latencies(out))


def test_a_log_without_requests_has_no_rows():
    assert len(resample_order_latency(log_of())) == 0


@pytest.mark.parametrize("row", [(0, 1, 2), (10, 9, 12), (10, 12, 11), (10, 0, 9)])
def test_times_that_do_not_ascend_are_refused(row):
    with pytest.raises(DataError) as caught:
        resample_order_latency(log_of((5, 6, 7), row))
    assert str(caught.value) == (
        f"log: request 1: sent at {row[0]}, at the engine at {row[1]}, answered at {row[2]}; these times must ascend: "
        "put the clocks right, or leave the request out"
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", DataFormatError, "no readable log (Empty CSV file); times are whole nanoseconds"),
        ("req_ts,exch_ts\n1,2\n", SchemaMismatchError, "the log lacks a column "),
        ("req_ts,exch_ts,resp_ts\n1,2,x\n", DataFormatError, "no readable log ("),
        ("req_ts,exch_ts,resp_ts\n1.5,2,3\n", DataFormatError, "no readable log ("),
        ("req_ts,exch_ts,resp_ts\n1,2,99999999999999999999\n", DataFormatError, "no readable log ("),
        ("req_ts,exch_ts,resp_ts\n1,,3\n", DataFormatError, "1 cells of exch_ts are empty; write 0 where there is no time"),
    ],
)
def test_logs_that_cannot_be_read_are_refused(tmp_path, text, error, message):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(error) as caught:
        resample_order_latency(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_other_rows_and_intervals_are_refused():
    with pytest.raises(SchemaMismatchError, match="log: rows of float64 are no latencies; give req_ts, exch_ts, resp_ts"):
        resample_order_latency(np.zeros(2))
    with pytest.raises(ConfigError, match="resampling_ns is 0; give at least 1"):
        resample_order_latency(LOG, resampling_ns=0)
