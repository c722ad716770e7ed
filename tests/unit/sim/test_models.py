"""Models refuse what they cannot mean, in words that say how to mend it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from queuefront.core import EVENT, LATENCY, ConfigError, DataError
from queuefront.sim import (
    ConstantLatency,
    FlatFees,
    InterpolatedLatency,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    QtyFees,
    RiskAverseQueue,
    ValueFees,
)

T0 = 1_700_000_000_000_000_000


def rounds(*rows: tuple[int, int, int]) -> np.ndarray:
    """Make latency rows of (request, exchange, response), ns after T0; an exchange time of None is a refusal."""
    table = np.zeros(len(rows), LATENCY)
    for i, (request, exchange, response) in enumerate(rows):
        table["req_ts"][i], table["resp_ts"][i] = T0 + request, T0 + response
        table["exch_ts"][i] = 0 if exchange is None else T0 + exchange
    return table


# --- constant latency -------------------------------------------------------------------------------------------------
def test_a_latency_is_zero_unless_it_is_said():
    assert (ConstantLatency().entry_ns, ConstantLatency().response_ns) == (0, 0)


@pytest.mark.parametrize("entry_ns", [-5, 0, 10**17, -(10**17), np.int64(7)])
def test_an_entry_latency_is_any_whole_number_of_nanoseconds(entry_ns):
    assert ConstantLatency(entry_ns, 1).entry_ns == entry_ns


@pytest.mark.parametrize("name", ["entry_ns", "response_ns"])
@pytest.mark.parametrize("value", [1.5, "5", None, True, np.float64(3)])
def test_a_latency_that_is_no_whole_number_is_refused(name, value):
    with pytest.raises(ConfigError) as caught:
        ConstantLatency(**{name: value})
    assert str(caught.value) == f"latency {name} is {value!r}; give whole nanoseconds"


@pytest.mark.parametrize(("name", "value"), [("entry_ns", 10**17 + 1), ("entry_ns", -(10**17) - 1), ("response_ns", 2**63)])
def test_a_latency_of_years_is_refused(name, value):
    with pytest.raises(ConfigError) as caught:
        ConstantLatency(**{name: value})
    assert str(caught.value) == f"latency {name} is {value:,} ns, more than three years; check its unit"


def test_an_answer_before_its_request_is_refused():  # D30
    with pytest.raises(ConfigError) as caught:
        ConstantLatency(5, -1_000)
    assert str(caught.value) == "latency response_ns is -1,000; an answer cannot arrive before it was given"


# --- interpolated latency ---------------------------------------------------------------------------------------------
def test_round_trips_are_kept_as_a_read_only_copy():
    table = rounds((0, 5, 9), (10, 14, 20))
    model = InterpolatedLatency(table)
    table["exch_ts"] = 1
    assert model.rows.tobytes() == rounds((0, 5, 9), (10, 14, 20)).tobytes()
    assert not model.rows.flags.writeable
    assert not model.answered_rows.flags.writeable


def test_an_offset_moves_answered_rows_only():  # D29
    model = InterpolatedLatency(rounds((0, 5, 9), (10, None, 20)), 100)
    assert model.rows.tobytes() == rounds((0, 105, 209), (10, None, 20)).tobytes()
    assert model.answered_rows.tobytes() == rounds((0, 105, 209)).tobytes()


def test_files_are_read_in_the_order_given(tmp_path):
    for name, row in (("a", (0, 5, 9)), ("b", (10, 14, 20))):
        np.savez(tmp_path / f"{name}.npz", data=rounds(row))
    both = InterpolatedLatency([tmp_path / "a.npz", tmp_path / "b.npz"])
    assert both.rows.tobytes() == rounds((0, 5, 9), (10, 14, 20)).tobytes()
    assert InterpolatedLatency(tmp_path / "a.npz").rows.tobytes() == rounds((0, 5, 9)).tobytes()


def test_no_files_are_refused():
    with pytest.raises(ConfigError) as caught:
        InterpolatedLatency([])
    assert str(caught.value) == "no latency files are given; name at least one"


def test_no_rows_are_refused():  # D30
    with pytest.raises(DataError) as caught:
        InterpolatedLatency(rounds())
    assert str(caught.value) == "latency rows: there are no latency rows; give at least one round trip"


def test_rows_of_another_record_are_refused():
    with pytest.raises(DataError) as caught:
        InterpolatedLatency(np.zeros(1, EVENT))
    assert str(caught.value) == f"latency rows: latency rows have dtype {EVENT}; they must have {LATENCY}"


MEND = "sort the rows by req_ts and drop those that no clock could have measured"


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(0, 5, 9), (-1, 5, 9)], f"row 1: req_ts {T0 - 1:,} goes back, like 1 rows in all"),
        ([(0, 5, 9), (1, 4, 9)], f"row 1: exch_ts {T0 + 4:,} goes back, like 1 rows in all"),
        ([(0, -1, 9)], f"row 0: exch_ts {T0 - 1:,} is before its req_ts, like 1 rows in all"),
        ([(0, 5, 4), (1, 6, 5)], f"row 0: resp_ts {T0 + 4:,} is before its exch_ts, like 2 rows in all"),
        ([(0, None, -1)], f"row 0: resp_ts {T0 - 1:,} is before its req_ts, like 1 rows in all"),
        (
            [(0, 5, 10**17 + 1_000)],
            f"row 0: resp_ts {T0 + 10**17 + 1_000:,} is more than three years after its req_ts, like 1 rows in all",
        ),
    ],
)
def test_rows_that_no_clock_measured_are_refused(rows, what):
    with pytest.raises(DataError) as caught:
        InterpolatedLatency(rounds(*rows))
    assert str(caught.value) == f"latency rows: {what}; {MEND}"


def test_an_offset_that_puts_answers_before_requests_is_refused():
    with pytest.raises(DataError):
        InterpolatedLatency(rounds((0, 5, 9)), -6)


@pytest.mark.parametrize("offset_ns", [2**62, -(2**62), 2**63, -(2**63) - 1])
def test_an_offset_that_leaves_int64_is_refused(offset_ns):  # H0.5
    with pytest.raises((ConfigError, DataError)):
        InterpolatedLatency(rounds((0, 5, 9)), offset_ns)


# --- queues -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", [PowerQueue, PowerQueue2, PowerQueue3])
def test_an_exponent_is_three_unless_it_is_said(model):
    assert model().n == 3.0
    assert model(16).n == 16


@pytest.mark.parametrize("model", [PowerQueue, PowerQueue2, PowerQueue3])
@pytest.mark.parametrize("n", [0, 0.0, -1.0, 16.1, float("nan"), float("inf")])
def test_an_exponent_outside_0_to_16_is_refused(model, n):
    with pytest.raises(ConfigError) as caught:
        model(n)
    assert str(caught.value) == f"the exponent n of a power queue model is {n!r}; it must be above 0 and at most 16"


def test_every_queue_model_has_a_code_of_its_own():
    models = (RiskAverseQueue, PowerQueue, PowerQueue2, PowerQueue3, LogQueue, LogQueue2)
    assert [m().code for m in models] == [0, 1, 2, 3, 4, 5]


# --- exchanges --------------------------------------------------------------------------------------------------------
def test_partial_fills_are_booked_unless_the_old_way_is_asked_for():
    assert not NoPartialFill().books_only_filled
    assert not PartialFill().books_only_filled
    assert PartialFill(books_only_filled=True).books_only_filled
    assert (NoPartialFill().code, PartialFill().code) == (0, 1)


# --- fees -------------------------------------------------------------------------------------------------------------
FEES = pytest.mark.parametrize("model", [ValueFees, QtyFees, FlatFees])


@FEES
@pytest.mark.parametrize("maker", ["-0.00005", -0.00005, Decimal("-5e-5")])
def test_a_rate_is_the_decimal_it_was_written_as(model, maker):
    assert model(maker, "0.000000001").rates_e9() == (-50_000, 1)


@FEES
@pytest.mark.parametrize("name", ["maker", "taker"])
def test_a_rate_finer_than_nine_decimals_is_refused(model, name):
    with pytest.raises(ConfigError) as caught:
        model(**{name: "0.0000000001"})
    assert str(caught.value) == f"the {name} fee is 1E-10; give at most nine decimals, so that fees stay exact"


@FEES
@pytest.mark.parametrize("value", ["much", float("nan"), None])
def test_a_rate_that_is_no_number_is_refused(model, value):
    with pytest.raises(ConfigError) as caught:
        model(taker=value)
    assert str(caught.value).startswith(f"taker fee is {value!r}; give a ")


@pytest.mark.parametrize("rate", ["1.000000001", "-2", 5])
def test_a_fraction_above_one_is_refused(rate):
    with pytest.raises(ConfigError) as caught:
        ValueFees(rate)
    assert str(caught.value) == f"the maker fee is {rate}; give a fraction, for example 0.0002 for two basis points"


@pytest.mark.parametrize("model", [QtyFees, FlatFees])
def test_a_fee_of_more_than_a_million_is_refused(model):
    assert model(10**6).rates_e9() == (10**15, 0)
    with pytest.raises(ConfigError):
        model(10**6 + 1)
