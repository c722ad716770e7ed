"""Latency models: what they refuse, what they draw, and which request takes which time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from queuefront.core import EVENT, LATENCY, ConfigError, DataError
from queuefront.core.enums import GTC, LIMIT
from queuefront.sim import Asset, ConstantLatency, InterpolatedLatency, SampledLatency, build_backtester
from tests.small_market import market

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


# --- a latency for each kind of request -------------------------------------------------------------------------------
def test_cancels_and_modifications_travel_like_new_orders_unless_it_is_said():
    assert (ConstantLatency(5, 1).cancel_ns, ConstantLatency(5, 1).modify_ns) == (None, None)
    assert exchange_times(ConstantLatency(5, 1)) == [5, 5, 5]


def test_each_kind_of_request_takes_its_own_time():
    assert exchange_times(ConstantLatency(5, 1, cancel_ns=30, modify_ns=20)) == [5, 20, 30]
    assert exchange_times(ConstantLatency(5, 1, cancel_ns=0)) == [5, 5, 0]


@pytest.mark.parametrize("name", ["cancel_ns", "modify_ns"])
@pytest.mark.parametrize("value", [1.5, "5", True])
def test_a_latency_of_one_kind_that_is_no_whole_number_is_refused(name, value):
    with pytest.raises(ConfigError) as caught:
        ConstantLatency(**{name: value})
    assert str(caught.value) == f"latency {name} is {value!r}; give whole nanoseconds"


@pytest.mark.parametrize("name", ["cancel_ns", "modify_ns"])
def test_a_latency_of_one_kind_of_years_is_refused(name):
    with pytest.raises(ConfigError) as caught:
        ConstantLatency(**{name: -(10**17) - 1})
    assert str(caught.value) == f"latency {name} is -100,000,000,000,000,001 ns, more than three years; check its unit"


def test_a_cancel_that_is_refused_on_the_way_leaves_the_order_resting():
    hbt = backtest(ConstantLatency(5, 1, cancel_ns=-10))
    start = hbt.current_timestamp
    assert hbt.submit_buy_order(0, 1, 99.0, 1.0, GTC, LIMIT, True) == 0
    assert hbt.cancel(0, 1, True) == 0
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.cancellable) == (1, 0, True)
    assert hbt.current_timestamp == start + 6 + 10


def backtest(latency: Any) -> Any:
    asset = Asset(market(), latency=latency)
    return build_backtester([asset], [asset.load()])[0]


def exchange_times(latency: Any) -> list[int]:
    """Return how long a new order, a modification and a cancel take to the exchange."""
    hbt, times = backtest(latency), []
    hbt.elapse(1)
    for request in (
        lambda: hbt.submit_buy_order(0, 1, 99.0, 1.0, GTC, LIMIT, True),
        lambda: hbt.modify(0, 1, 98.0, 1.0, True),
        lambda: hbt.cancel(0, 1, True),
    ):
        assert request() == 0
        sent, arrived, _ = hbt.order_latency(0)
        times.append(int(arrived - sent))
    return times


# --- sampled latency --------------------------------------------------------------------------------------------------
ENTRY, RESPONSE = [10, 20, 40, 80], [1, 3]


def drawn(latency: Any, count: int) -> list[tuple[int, int]]:
    """Return (entry, response) latencies of so many orders, one after the other."""
    hbt, times = backtest(latency), []
    hbt.elapse(1)
    for order_id in range(count):
        assert hbt.submit_buy_order(0, order_id, 99.0, 1.0, GTC, LIMIT, True) == 0
        times.append(tuple(int(b - a) for a, b in zip(hbt.order_latency(0), hbt.order_latency(0)[1:], strict=False)))
    return times


def test_the_same_seed_draws_the_same_and_another_does_not():
    first, second, other = (drawn(SampledLatency(ENTRY, RESPONSE, seed), 60) for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_only_measured_values_are_drawn_each_about_as_often_as_it_was_measured():
    times = drawn(SampledLatency([*ENTRY, 80], RESPONSE, 1), 2_000)
    entries, responses = (np.unique(column, return_counts=True) for column in zip(*times, strict=True))
    assert (entries[0].tolist(), responses[0].tolist()) == (ENTRY, RESPONSE)
    np.testing.assert_allclose(entries[1] / 2_000, [0.2, 0.2, 0.2, 0.4], atol=0.04)  # 4 standard deviations
    np.testing.assert_allclose(responses[1] / 2_000, [0.5, 0.5], atol=0.045)


def test_draws_one_after_the_other_are_independent():
    entries = np.array([entry for entry, _ in drawn(SampledLatency([0, 1], [0], 3), 2_000)])
    assert abs(np.corrcoef(entries[:-1], entries[1:])[0, 1]) < 0.09  # 4 standard deviations


def test_a_single_measured_value_is_a_constant():
    assert set(drawn(SampledLatency([25], [4]), 20)) == {(25, 4)}


def test_samples_are_kept_as_a_read_only_copy():
    samples = np.array(ENTRY)
    model = SampledLatency(samples, RESPONSE)
    samples[:] = 0
    assert model.entry_ns.tolist() == ENTRY
    assert not model.entry_ns.flags.writeable


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("entry_ns", [], "float64[0]"),
        ("entry_ns", [1.5], "float64[1]"),
        ("response_ns", [[1, 2]], "int64[1, 2]"),
        ("response_ns", 5, "int64[]"),
        ("response_ns", ["1"], "<U1[1]"),
    ],
)
def test_samples_that_are_no_nanoseconds_are_refused(name, value, shown):
    with pytest.raises(ConfigError) as caught:
        SampledLatency(**{"entry_ns": [1], "response_ns": [1], name: value})
    assert str(caught.value) == f"latency {name} is {shown}; give whole nanoseconds, one at least"


@pytest.mark.parametrize(("value", "shown"), [(-5, "-5"), (10**17 + 1, "100,000,000,000,000,001")])
def test_samples_that_no_clock_measured_are_refused(value, shown):
    with pytest.raises(ConfigError) as caught:
        SampledLatency([1, value], [1])
    assert str(caught.value) == f"latency entry_ns has {shown} ns; give values from 0 to three years, in nanoseconds"


@pytest.mark.parametrize("seed", [-1, 2**31 - 100])
def test_a_seed_beyond_the_generator_is_refused(seed):
    with pytest.raises(ConfigError) as caught:
        SampledLatency([1], [1], seed)
    assert str(caught.value) == f"the seed of a sampled latency is {seed}; give a whole number from 0 to 2^31 - 101"


def test_the_largest_seed_draws():
    assert len(drawn(SampledLatency(ENTRY, RESPONSE, 2**31 - 101), 3)) == 3


def test_rows_and_files_in_hftbacktests_spelling_are_taken(tmp_path: Path) -> None:
    spelling = [("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")]
    rows = np.array([(100, 110, 130, 0), (200, 215, 240, 0)], spelling)
    np.savez(tmp_path / "latency.npz", data=rows)
    for given in (rows, tmp_path / "latency.npz", [str(tmp_path / "latency.npz")]):
        model = InterpolatedLatency(given)
        assert model.rows.dtype == LATENCY
        assert model.rows["resp_ts"].tolist() == [130, 240]
