"""Money is exact: notionals, fees and their sums equal rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from queuefront.bot import add_to_sum, amount_of, divide_product, fee_of, sum_to_float
from queuefront.core.enums import CONTRACT_INVERSE, CONTRACT_LINEAR, FEE_FLAT, FEE_QTY, FEE_VALUE
from queuefront.core.jit import compiled
from queuefront.core.money import E18, INVERSE_SCALE

AMOUNT_MAX = 4 * E18


@compiled
def added(high, low, x):
    return add_to_sum(high, low, x)


@compiled
def as_float(high, low):
    return sum_to_float(high, low)


@compiled
def amount(contract, price_tick, lots):
    return amount_of(contract, price_tick, lots)


@compiled
def fee(fee_model, contract, rate_e9, notional, lots):
    return fee_of(fee_model, contract, rate_e9, notional, lots)


@compiled
def divided(x, rest, base):
    return divide_product(x, rest, base)


def half_away(x: Fraction) -> int:
    whole = (2 * abs(x) + 1) // 2
    return int(whole) if x >= 0 else -int(whole)


# --- sums ---------------------------------------------------------------------------------------------------------
TERMS = st.integers(-8 * E18 + 1, 8 * E18 - 1)


@settings(deadline=None, max_examples=150)
@given(st.lists(TERMS | st.sampled_from([0, 1, -1, E18, -E18, E18 - 1, 1 - E18]), max_size=60))
def test_a_sum_is_exact_and_its_low_part_within_bounds(terms):
    high = low = 0
    for x in terms:
        high, low = added(high, low, x)
        assert 0 <= low < E18
    assert high * E18 + low == sum(terms)


def test_a_sum_beyond_int64_is_exact():
    high = low = 0
    for _ in range(1_000):
        high, low = added(high, low, 8 * E18 - 1)
    assert high * E18 + low == 1_000 * (8 * E18 - 1)


@settings(deadline=None, max_examples=150)
@given(st.integers(-8 * E18, 8 * E18 - 1))
def test_a_sum_within_int64_is_the_nearest_float(total):
    high, low = divmod(total, E18)
    assert as_float(high, low) == float(total)


@pytest.mark.parametrize("total", [-1, -100, -(2**40), 1, 0])
def test_a_small_negative_sum_does_not_cancel_to_noise(total):
    high, low = divmod(total, E18)
    assert as_float(high, low) == float(total)


@settings(deadline=None, max_examples=100)
@given(st.integers(-(2**62), 2**62), st.integers(0, E18 - 1))
def test_a_larger_sum_is_as_near_as_three_roundings_allow(high, low):
    exact = high * E18 + low
    assert abs(Fraction(as_float(high, low)) - exact) <= Fraction(3, 2**53) * abs(exact)


# --- notionals ----------------------------------------------------------------------------------------------------
@settings(deadline=None, max_examples=100)
@given(st.integers(-(2**31), 2**31), st.integers(1, 1_862_645_149))
def test_a_linear_notional_is_ticks_times_lots(tick, lots):
    assert amount(CONTRACT_LINEAR, tick, lots) == tick * lots


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 2**46), st.integers(1, 2**53))
@example(3, 1)
@example(2, 1)
@example(1, 4_000)
@example(2**46, 2**53)
def test_an_inverse_notional_is_rounded_once(tick, lots):
    lots = max(1, min(lots, 4_000 * tick))
    assert amount(CONTRACT_INVERSE, tick, lots) == half_away(Fraction(lots * INVERSE_SCALE, tick))


@pytest.mark.parametrize("tick", [89_999_999_999_999, 90_000_000_000_000])
def test_an_inverse_notional_at_the_highest_ticks_is_rounded_once(tick):
    lots = 12_345_678_901
    assert amount(CONTRACT_INVERSE, tick, lots) == half_away(Fraction(lots * INVERSE_SCALE, tick))


# --- fees ---------------------------------------------------------------------------------------------------------
RATES = st.integers(-(10**9), 10**9)


@settings(deadline=None, max_examples=100)
@given(RATES, st.integers(-4 * 10**9, 4 * 10**9))
def test_a_fee_on_a_linear_notional_is_exact(rate, notional):
    assert fee(FEE_VALUE, CONTRACT_LINEAR, rate, notional, 1) == rate * notional


@settings(deadline=None, max_examples=200)
@given(RATES, st.integers(0, AMOUNT_MAX // 10**4))
@example(1, 50_000)
@example(-1, 50_000)
@example(1, 49_999)
@example(10**9, AMOUNT_MAX // 10**4)
def test_a_fee_on_an_inverse_notional_is_rounded_once_half_away_from_zero(rate, notional):
    assert fee(FEE_VALUE, CONTRACT_INVERSE, rate, notional, 1) == half_away(Fraction(rate * notional, 10**5))


@pytest.mark.parametrize("contract", [CONTRACT_LINEAR, CONTRACT_INVERSE])
def test_a_fee_on_quantity_is_rate_times_lots(contract):
    assert fee(FEE_QTY, contract, -7, 10**18, 12) == -84


@pytest.mark.parametrize("contract", [CONTRACT_LINEAR, CONTRACT_INVERSE])
def test_a_flat_fee_is_its_rate(contract):
    assert fee(FEE_FLAT, contract, -7, 10**18, 12) == -7


# --- products that are divided ----------------------------------------------------------------------------------------
@given(st.integers(-(2**62), 2**62), st.integers(1, 3 * E18), st.data())
def test_a_divided_product_is_rounded_half_away_from_zero(x: int, base: int, data: st.DataObject) -> None:
    rest = data.draw(st.integers(1 - base, base - 1))
    assert divided(x, rest, base) == half_away(Fraction(x * rest, base))
