"""Instruments: exact conversions that refuse what does not fit."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core.enums import CONTRACT_INVERSE, CONTRACT_LINEAR, ContractKind
from queuefront.core.errors import ConfigError, OffGridError
from queuefront.core.instrument import MAX_COUNT, Instrument, exact, format_decimal, round_half_away, steps, values


def instrument(**changes: object) -> Instrument:
    fields: dict[str, object] = {"venue": "here", "symbol": "X", "tick_size": "0.1", "lot_size": "0.001"}
    return Instrument(**{**fields, **changes})  # type: ignore[arg-type]


# --- decimals -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "number"),
    [(0.1, "0.1"), ("0.10", "0.10"), (5, "5"), (Decimal("1e-8"), "1E-8"), (np.float64(0.3), "0.3"), (1e22, "1E+22")],
)
def test_a_number_stands_for_the_decimal_it_was_written_as(value: object, number: str) -> None:
    assert exact(value, "x") == Decimal(number)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["ten", None, [1], ""])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        exact(value, "tick_size")  # type: ignore[arg-type]
    assert str(caught.value) == f"tick_size is {value!r}; give a decimal number, for example '0.01'"


@pytest.mark.parametrize("value", [float("nan"), "Infinity", float("-inf")])
def test_what_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        exact(value, "tick_size")  # type: ignore[arg-type]
    assert str(caught.value) == f"tick_size is {value!r}; give a finite decimal number, for example '0.01'"


@pytest.mark.parametrize(
    ("x", "rounded"),
    [(0.5, 1.0), (-0.5, -1.0), (2.5, 3.0), (-2.5, -3.0), (0.49999999999999994, 0.0), (1e300, 1e300), (-1.4, -1.0)],
)
def test_halves_are_rounded_away_from_zero(x: float, rounded: float) -> None:
    assert round_half_away(np.array([x]))[0] == rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.100"), "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-8"), "0.00000001"),
        (ContractKind.LINEAR, "linear"),
    ],
)
def test_a_decimal_is_written_plainly(value: object, text: str) -> None:
    assert format_decimal(value) == text


# --- making one -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tick_size": "0"}, "tick_size of here:X is 0; it must be positive"),
        ({"lot_size": -1}, "lot_size of here:X is -1; it must be positive"),
        ({"multiplier": 0.0}, "multiplier of here:X is 0.0; it must be positive"),
        ({"contract": "future"}, "contract kind 'future' is unknown; choose one of linear, inverse"),
        ({"min_notional": "x"}, "min_notional is 'x'; give a decimal number, for example '0.01'"),
        ({"tick_size": "1e-19"}, "tick_size 1E-19 is outside 1e-18 … 2^31; quote the market in other units"),
        ({"lot_size": 2**31 + 1}, "lot_size 2147483649 is outside 1e-18 … 2^31; quote the market in other units"),
    ],
)
def test_an_instrument_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    """D41."""
    with pytest.raises(ConfigError) as caught:
        instrument(**changes)
    assert str(caught.value) == message


def test_it_survives_being_written_as_text() -> None:
    one = instrument(contract="inverse", multiplier=100, min_notional="5", base="BTC", quote="USD")
    assert Instrument.from_dict(one.to_dict()) == one
    assert one.to_dict()["min_notional"] == "5"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"tik_size": "1"},
            "an instrument has no field 'tik_size'; it has "
            + ", ".join(sorted(field.name for field in fields(Instrument))),
        ),
        ({"venue": "here", "symbol": "X", "tick_size": "1", "lot_size": None}, "the instrument lacks 'lot_size'"),
    ],
)
def test_text_that_is_no_instrument_is_refused(data: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Instrument.from_dict(data)
    assert str(caught.value) == message


def test_an_override_changes_what_is_given_and_keeps_the_rest() -> None:
    assert instrument().override(tick_size="0.5", multiplier=None) == instrument(tick_size="0.5")
    with pytest.raises(ConfigError, match=r"^an instrument has no field 'tik'; it has base, contract"):
        instrument().override(tik=1)


def test_the_contract_has_its_code() -> None:
    assert instrument().contract_code == CONTRACT_LINEAR
    assert instrument(contract="inverse").contract_code == CONTRACT_INVERSE


# --- one value ------------------------------------------------------------------------------------------------------------
def test_prices_and_quantities_become_counts_and_come_back() -> None:
    one = instrument()
    assert one.price_to_tick("61800.3") == 618_003
    assert one.price_to_tick(-0.1) == -1
    assert one.qty_to_lots(0.006) == 6
    assert one.tick_to_price(618_003) == Decimal("61800.3")
    assert one.lots_to_qty(6) == Decimal("0.006")


def test_a_value_between_two_steps_is_refused() -> None:
    with pytest.raises(OffGridError) as caught:
        instrument().price_to_tick("61800.35")
    assert str(caught.value) == "price 61800.35 of here:X is not a multiple of tick_size 0.1"
    with pytest.raises(OffGridError) as caught:
        instrument().qty_to_lots("0.0005")
    assert str(caught.value) == "quantity 0.0005 of here:X is not a multiple of lot_size 0.001"


def test_a_count_beyond_the_limit_is_refused() -> None:
    assert instrument(tick_size=1).price_to_tick(MAX_COUNT) == MAX_COUNT
    with pytest.raises(OffGridError) as caught:
        instrument(tick_size=1).price_to_tick(MAX_COUNT + 1)
    assert str(caught.value) == ("price 9007199254740993 of here:X is 9,007,199,254,740,993 steps of 1; the limit is 2^53")


# --- columns --------------------------------------------------------------------------------------------------------------
STEPS = st.sampled_from([Decimal(s) for s in ("0.1", "0.001", "0.00001", "1", "0.5", "0.25", "25", "1e-8", "10")])


@given(step=STEPS, count=st.integers(-(10**9), 10**9))
def test_a_decimal_on_the_grid_is_its_count_and_comes_back_as_the_nearest_float(step: Decimal, count: int) -> None:
    text = format_decimal(step * count)
    counts, is_on_grid = steps(np.array([float(text)]), step)
    assert (counts[0], is_on_grid[0]) == (count, True)
    assert values(np.array([count]), step)[0] == float(text)


@given(step=STEPS, x=st.floats(allow_nan=True, allow_infinity=True))
def test_a_float_is_on_the_grid_only_if_some_count_means_exactly_it(step: Decimal, x: float) -> None:
    counts, is_on_grid = steps(np.array([x]), step)
    count = int(counts[0])
    is_exact = np.isfinite(x) and abs(count) <= MAX_COUNT and float(Fraction(step) * count) == x
    assert not is_on_grid[0] or is_exact


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf, 1e300])
def test_what_has_no_count_is_off_the_grid_and_zero(x: float) -> None:
    counts, is_on_grid = steps(np.array([x]), Decimal("0.1"))
    assert (counts[0], is_on_grid[0]) == (0, False)


def test_columns_go_both_ways() -> None:
    one = instrument()
    np.testing.assert_array_equal(one.ticks(np.array([0.1, 0.25]))[0], [1, 3])
    np.testing.assert_array_equal(one.ticks(np.array([0.1, 0.25]))[1], [True, False])
    np.testing.assert_array_equal(one.lots(np.array([0.006]))[0], [6])
    np.testing.assert_array_equal(one.prices(np.array([3])), [0.3])
    np.testing.assert_array_equal(one.quantities(np.array([3])), [0.003])


def test_ratios_divide_once() -> None:
    assert instrument(tick_size="0.25").tick_ratio == (25, 100)
    assert instrument().lot_ratio == (1, 1000)
    assert instrument(tick_size=10).tick_ratio == (10, 1)
