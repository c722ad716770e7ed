"""Funding: payments as exact as the account counts, and refusals in words that say how to mend them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import GTC, LIMIT
from queuefront.core.money import amount_unit
from queuefront.sim import Asset, Funding, build_backtester
from queuefront.sim.build import read_results
from queuefront.sim.funding import funding_table
from tests.small_market import INVERSE, LINEAR, SECOND, T0, market


def per_lot(payment: Funding, instrument: Any = LINEAR) -> Fraction:
    (row,) = funding_table([payment], instrument)
    return (int(row["whole"]) + Fraction(int(row["rest"]), int(row["base"]))) * amount_unit(instrument)


def cash_after(payments: list[Funding], qty: float, instrument: Any = LINEAR, until: int = 9) -> Fraction:
    """Buy (or sell, below 0) at the start; return the cash some seconds later."""
    asset = Asset(market(instrument), funding=payments)
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    hbt.elapse(SECOND)
    send, price = (hbt.submit_buy_order, 101.0) if qty > 0 else (hbt.submit_sell_order, 100.0)
    assert send(0, 1, price, abs(qty), GTC, LIMIT, True) == 0
    hbt.elapse((until - 1) * SECOND)
    (result,) = read_results(hbt, handles, [asset], [tape])
    state = result.state[0]
    return (int(state["cash_high"]) * 10**18 + int(state["cash_low"])) * amount_unit(instrument)


# --- the table --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("mark", "rate"), [("100.5", "0.0001"), ("61803.398", "-0.00012345"), (1, 0)])
def test_a_lot_pays_position_times_mark_times_rate(mark, rate):
    assert per_lot(Funding(T0, mark, rate)) == Fraction("0.25") * Fraction(mark) * Fraction(rate)


def test_an_inverse_lot_pays_in_base_currency_with_inverted_sign():
    # 100 of quote currency at 80 are 1.25 of base currency.
    assert per_lot(Funding(T0, 80, "0.0001"), INVERSE) == -Fraction("1.25") * Fraction("0.0001")


def test_payments_are_sorted_by_time_and_read_only():
    rows = funding_table([Funding(T0 + 2, 1, 0), Funding(T0 + 1, 1, 0)], LINEAR)
    assert rows["funding_ts"].tolist() == [T0 + 1, T0 + 2]
    assert not rows.flags.writeable


@pytest.mark.parametrize(("mark", "rate"), [(0, "0.1"), (-5, "0.1"), (100, 1), (100, "-1.5")])
def test_a_price_or_rate_that_cannot_be_is_refused(mark, rate):
    with pytest.raises(ConfigError) as caught:
        funding_table([Funding(T0, mark, rate)], LINEAR)
    assert str(caught.value) == (
        f"funding at {T0}: mark price {mark}, rate {rate}; give a positive price and a fraction, for example 0.0001"
    )


@pytest.mark.parametrize(("name", "shown"), [("mark_price", "mark_price"), ("rate", "funding rate")])
def test_what_is_no_number_is_refused(name, shown):
    with pytest.raises(ConfigError) as caught:
        funding_table([Funding(**{"funding_ts": T0, "mark_price": 1, "rate": 0, name: "high"})], LINEAR)
    assert str(caught.value) == f"{shown} is 'high'; give a decimal number, for example '0.01'"


def test_numbers_of_too_many_digits_to_pay_exactly_are_refused():
    mark, rate = "100." + "1" * 15, "0." + "3" * 12
    with pytest.raises(ConfigError) as caught:
        funding_table([Funding(T0, mark, rate)], LINEAR)
    assert str(caught.value) == (
        f"funding at {T0}: mark price {mark} and rate {rate} have too many digits to pay exactly; round them to what the "
        "venue publishes"
    )


def test_a_price_that_no_account_holds_is_refused():
    with pytest.raises(ConfigError, match="too many digits"):
        funding_table([Funding(T0, 10**15, "0.1")], LINEAR)


# --- the payment ------------------------------------------------------------------------------------------------------
def test_longs_pay_a_positive_rate_and_shorts_receive_it():
    paid = 2 * 100 * Fraction("0.001")
    assert cash_after([Funding(T0 + 3 * SECOND, 100, "0.001")], 2.0) == -202 - round_unit(paid)
    assert cash_after([Funding(T0 + 3 * SECOND, 100, "0.001")], -2.0) == 200 + round_unit(paid)


def round_unit(paid: Fraction) -> Fraction:
    """Round to the account's eighths, halves away from zero."""
    return Fraction(int(paid * 8 + Fraction(1, 2)), 8)


def test_a_payment_is_rounded_half_away_from_zero():
    # 2 × 100 × 0.0003125 is half of an eighth; one step less is nothing.
    assert cash_after([Funding(T0 + 3 * SECOND, 100, "0.0003125")], 2.0) == -202 - Fraction(1, 8)
    assert cash_after([Funding(T0 + 3 * SECOND, 100, "0.0003124")], 2.0) == -202
    assert cash_after([Funding(T0 + 3 * SECOND, 100, "-0.0003125")], 2.0) == -202 + Fraction(1, 8)


@pytest.mark.parametrize(("second", "is_paid"), [(0, False), (1, True), (2, True), (8, True), (9, False)])
def test_a_payment_is_made_on_the_position_at_its_time(second, is_paid):
    """The order fills at second 1; a payment of that instant meets what is known by then."""
    cash = cash_after([Funding(T0 + second * SECOND + 1, 100, "0.1")], 2.0)
    assert cash == -202 - (20 if is_paid else 0)


def test_an_inverse_balance_rises_where_longs_pay():
    # Two contracts of 100 at 80 are 2.5 of base currency.
    first, second = (cash_after(f, 2.0, INVERSE) for f in ([], [Funding(T0 + 3 * SECOND, 80, "0.01")]))
    assert abs(second - first - Fraction("0.025")) <= amount_unit(INVERSE) / 2


def test_a_payment_is_no_trade():
    asset = Asset(market(), funding=[Funding(T0 + 3 * SECOND, 100, "0.1")])
    hbt, _ = build_backtester([asset], [asset.load()])
    hbt.elapse(SECOND)
    assert hbt.submit_buy_order(0, 1, 101.0, 2.0, GTC, LIMIT, True) == 0
    before = hbt.state_values(0)
    hbt.elapse(5 * SECOND)
    after = hbt.state_values(0)
    assert after.balance == before.balance - 20.0
    assert before._replace(balance=0) == after._replace(balance=0)
