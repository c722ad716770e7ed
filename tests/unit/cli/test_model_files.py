"""Files of models: every fault is named with file, row and field, and how to mend it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from queuefront.cli.model_files import load_model, read_funding, sampled_latency
from queuefront.core import LATENCY, ConfigError, DataError, StrategyError
from queuefront.sim import Funding, OwnFees, OwnQueue

TS = 1_700_000_000_000_000_000
PAYMENTS = [Funding(TS, Decimal("60000.10"), Decimal("0.0001")), Funding(TS + 8, Decimal(61000), Decimal("-0.00005"))]


def written(folder: Path, text: str, name: str = "funding.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- funding ----------------------------------------------------------------------------------------------------------
def test_payments_are_read_as_the_decimals_they_were_written_as(tmp_path: Path) -> None:
    path = written(tmp_path, f"funding_ts,mark_price,rate\n{TS},60000.10,0.0001\n{TS + 8},61000,-0.00005\n")
    assert read_funding(path) == PAYMENTS


def test_the_order_of_columns_and_further_ones_do_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, f"\ufeffrate,symbol,funding_ts,mark_price\r\n0.0001,BTC,{TS},60000.10\r\n")
    assert read_funding(path) == PAYMENTS[:1]


@pytest.mark.parametrize("kind", [str, float, Decimal])
def test_a_parquet_file_reads_alike(tmp_path: Path, kind: type) -> None:
    columns = {
        "funding_ts": [p.funding_ts for p in PAYMENTS],
        "mark_price": [kind(str(p.mark_price)) for p in PAYMENTS],
        "rate": [kind(str(p.rate)) for p in PAYMENTS],
    }
    pl.DataFrame(columns).write_parquet(tmp_path / "funding.parquet")
    assert read_funding(tmp_path / "funding.parquet") == PAYMENTS


def test_a_file_without_rows_has_no_payments(tmp_path: Path) -> None:
    assert read_funding(written(tmp_path, "funding_ts,mark_price,rate\n")) == []


FAULTS = [
    (f"{TS},60000", "line 3: rate is None; give a decimal number, for example '0.01'"),
    (f"{TS},60000,", "line 3: rate is ''; give a decimal number, for example '0.01'"),
    (f"{TS},high,0.1", "line 3: mark_price is 'high'; give a decimal number, for example '0.01'"),
    (f"{TS},nan,0.1", "line 3: mark_price is 'nan'; give a finite decimal number, for example '0.01'"),
    (f"{TS},0,0.1", "line 3: mark_price is 0; give a positive price"),
    (f"{TS},1,-1.0", "line 3: rate is -1.0; give a fraction, for example 0.0001"),
    ("yesterday,1,0.1", "line 3: funding_ts is 'yesterday'; give whole nanoseconds since 1970"),
    ("1.7e18,1,0.1", "line 3: funding_ts is '1.7e18'; give whole nanoseconds since 1970"),
    ("-5,1,0.1", "line 3: funding_ts is '-5'; give whole nanoseconds since 1970"),
    (f"{2**63},1,0.1", f"line 3: funding_ts is '{2**63}'; give whole nanoseconds since 1970"),
    ("5,1,0.1", "line 3: funding_ts 5 stands at line 2 too; a venue pays once, remove one of them"),
]


@pytest.mark.parametrize(("line", "message"), FAULTS)
def test_a_field_that_is_none_is_named_by_file_line_and_column(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, f"funding_ts,mark_price,rate\n5,1,0\n{line}\n")
    with pytest.raises(DataError) as caught:
        read_funding(path)
    assert str(caught.value) == f"{path}: {message}"


def test_rows_of_parquet_count_from_0(tmp_path: Path) -> None:
    path = tmp_path / "funding.parquet"
    pl.DataFrame({"funding_ts": [5, None], "mark_price": ["1", "1"], "rate": ["0", "0"]}).write_parquet(path)
    with pytest.raises(DataError) as caught:
        read_funding(path)
    assert str(caught.value) == f"{path}: row 1: funding_ts is None; give whole nanoseconds since 1970"


@pytest.mark.parametrize(("head", "shown"), [("funding_ts,rate", "funding_ts, rate"), ("", "nothing")])
def test_a_missing_column_is_named(tmp_path: Path, head: str, shown: str) -> None:
    path = written(tmp_path, head)
    missing = "mark_price" if head else "funding_ts"
    with pytest.raises(DataError) as caught:
        read_funding(path)
    assert str(caught.value) == (
        f"{path}: no column {missing}; it has {shown}, but funding_ts, mark_price, rate are needed"
    )


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "", "funding.json")
    with pytest.raises(DataError) as caught:
        read_funding(path)
    assert str(caught.value) == (
        f"{path}: neither .csv nor .parquet; write the columns funding_ts, mark_price, rate into one of them"
    )


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "funding_ts", "funding.parquet")
    with pytest.raises(DataError, match=r"funding\.parquet: not a Parquet file: .*; write it anew$"):
        read_funding(path)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_missing_file_is_the_systems_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_funding(tmp_path / name)


# --- latencies --------------------------------------------------------------------------------------------------------
def rounds(*rows: tuple[int, int, int]) -> np.ndarray:
    return np.array([(TS + req, TS + exch if exch else 0, TS + resp, 0) for req, exch, resp in rows], LATENCY)


def test_latencies_are_drawn_from_the_answered_rows_of_all_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=rounds((0, 5, 9), (10, 0, 99)))
    columns = rounds((20, 27, 30))
    frame = pl.DataFrame({name: columns[name] for name in ("req_ts", "exch_ts", "resp_ts")})
    frame.write_parquet(tmp_path / "b.parquet")
    model = sampled_latency([tmp_path / "a.npz", tmp_path / "b.parquet"], 3)
    assert (list(model.entry_ns), list(model.response_ns), model.seed) == ([5, 7], [4, 3], 3)


def test_latencies_that_no_clock_measured_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, data=rounds((0, -5, 9)))
    with pytest.raises(DataError) as caught:
        sampled_latency([path], 0)
    assert str(caught.value).startswith(f"{path}: row 0: negative entry latency: exch_ts is ")


def test_a_column_that_counts_no_nanoseconds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"req_ts": [1.5], "exch_ts": [2], "resp_ts": [3]}).write_parquet(path)
    with pytest.raises(DataError) as caught:
        sampled_latency([path], 0)
    assert str(caught.value) == f"{path}: column req_ts is double; write whole nanoseconds as int64"


def test_requests_that_were_all_refused_are_no_latencies(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, data=rounds((0, 0, 9)))
    with pytest.raises(DataError) as caught:
        sampled_latency([path], 0)
    assert str(caught.value) == (f"{path}: the exchange answered none of the requests; give at least one round trip")


def test_no_files_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        sampled_latency([], 0)
    assert str(caught.value) == "no latency files are given; name at least one"


# --- models of one's own ----------------------------------------------------------------------------------------------
MODEL = """
from queuefront import OwnQueue

def trade(order, qty, params):
    order["qty_ahead"] -= qty

model = OwnQueue(trade=trade)
other = OwnQueue()
"""


def test_a_model_is_the_object_of_that_name(tmp_path: Path) -> None:
    path = written(tmp_path, MODEL, "mine.py")
    model = load_model(path, "model", OwnQueue)
    assert model.trade is not None
    assert model.trade.__name__ == "trade"
    assert load_model(path, "other", OwnQueue) == OwnQueue()


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("queue", OwnQueue, "has no queue; name one of model, other"),
        ("trade", OwnQueue, "trade is function, no OwnQueue; name one of model, other"),
        ("model", OwnFees, "model is OwnQueue, no OwnFees; define one: model = OwnFees(…)"),
        ("fees", OwnFees, "has no fees; define one: fees = OwnFees(…)"),
    ],
)
def test_a_file_without_the_model_is_refused(tmp_path: Path, name: str, kind: type, message: str) -> None:
    path = written(tmp_path, MODEL, "mine.py")
    with pytest.raises(StrategyError) as caught:
        load_model(path, name, kind)
    assert str(caught.value) == f"{path}: {message}"


def test_a_file_that_does_not_run_is_refused_at_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1\ny = x / 0\n", "mine.py")
    with pytest.raises(StrategyError) as caught:
        load_model(path, "model", OwnQueue)
    assert str(caught.value) == f"{path}:2: ZeroDivisionError: division by zero; the file must run by itself"
