"""Fee models: exact rates, exact sums, and refusals in words that say how to mend them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import BUY, GTC, INVALID_ORDER_REQUEST, LIMIT
from queuefront.core.money import amount_unit
from queuefront.sim import (
    Asset,
    DirectionalFees,
    DirectionalQtyFees,
    FlatFees,
    PartialFill,
    QtyFees,
    TieredFees,
    ValueFees,
    build_backtester,
)
from queuefront.sim.build import read_results
from queuefront.sim.fees import fee_table
from tests.property.storm import CONTRACTS, asset_of, play, storm_of
from tests.small_market import LINEAR, SECOND, market

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


# --- directional ------------------------------------------------------------------------------------------------------
def test_buyers_and_sellers_add_a_rate_of_their_own():
    fees = DirectionalFees("0.0001", "0.0005", buyer="0.001", seller="0.002")
    assert fees.tiers_e9() == [(0, 1_100_000, 2_100_000, 1_500_000, 2_500_000)]
    assert fees.rates_e9() == (100_000, 500_000)


def test_without_rates_of_their_own_directional_fees_are_fees_on_value():
    assert DirectionalFees("0.0001", "0.0005").tiers_e9() == ValueFees("0.0001", "0.0005").tiers_e9()


@pytest.mark.parametrize("name", ["buyer", "seller"])
@pytest.mark.parametrize(
    ("rate", "mend"),
    [
        ("1.5", "give a fraction, for example 0.0002 for two basis points"),
        ("1E-10", "give at most nine decimals, so that fees stay exact"),
    ],
)
def test_a_rate_of_one_side_that_is_none_is_refused_when_it_is_given(name, rate, mend):
    with pytest.raises(ConfigError) as caught:
        DirectionalFees(**{name: rate})
    assert str(caught.value) == f"the {name} fee is {rate}; {mend}"


def test_a_duty_on_sales_is_paid_by_sales_alone():
    fills, fee = traded(DirectionalFees(0, 0, seller="0.001"), [(1, 2.0), (-1, 2.0)])
    assert [fee for *_, fee in fills] == [0, Fraction(200, 1000)]
    assert fee == Fraction(200, 1000)


# --- directional, on quantity (B7.8) -----------------------------------------------------------------------------------
def test_a_fee_on_quantity_and_one_of_each_side_on_value_add_up():
    fees = DirectionalQtyFees("0.02", "0.05", buyer="0.001", seller="0.002")
    fills, fee = traded(fees, [(1, 2.0), (-1, 2.0)])
    assert [fee for *_, fee in fills] == [
        2 * Fraction("0.05") + 202 * Fraction("0.001"),
        2 * Fraction("0.05") + 200 * Fraction("0.002"),
    ]
    assert fee == sum(fee for *_, fee in fills)


def test_without_rates_of_their_own_the_sides_pay_the_fee_on_quantity():
    assert traded(DirectionalQtyFees("0.02", "0.05"), [(1, 2.0)]) == traded(QtyFees("0.02", "0.05"), [(1, 2.0)])


def test_a_fee_of_the_sides_alone_is_a_directional_fee_on_value():
    orders = [(1, 2.0), (-1, 1.25)]
    on_value = traded(DirectionalFees(0, 0, buyer="0.001", seller="-0.000000003"), orders)
    assert traded(DirectionalQtyFees(0, 0, buyer="0.001", seller="-0.000000003"), orders) == on_value


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
@pytest.mark.parametrize("rates", [("-0.000000007", "0.013", "0.00237", "0.0005"), (0, 0, "0.000000001", "-0.3")])
def test_directional_fees_on_quantity_of_a_storm_sum_up_to_the_last_digit(contract, rates):
    fees = DirectionalQtyFees(*rates)
    maker, taker, buyer, seller = (Fraction(str(rate)) for rate in rates)
    asset = asset_of(1, contract, "partial fill", "value")
    asset = Asset(asset.tape, latency=asset.latency, queue=asset.queue, exchange=PartialFill(), fees=fees)
    (result,) = play([asset], storm_of(1, 300)).results
    assert {(int(f["side"]), int(f["is_maker"])) for f in result.fills} == {(1, 0), (1, 1), (-1, 0), (-1, 1)}
    instrument = CONTRACTS[contract]
    unit, (_, fee_unit) = amount_unit(instrument), fee_table(fees, instrument)
    for fill in result.fills:
        on_quantity = int(fill["lots"]) * Fraction(instrument.lot_size) * (maker if fill["is_maker"] else taker)
        on_value = int(fill["amount"]) * unit * (buyer if fill["side"] == BUY else seller)
        error = abs(int(fill["fee"]) * fee_unit - on_quantity - on_value)
        assert error == 0 if contract == "linear" else error <= fee_unit / 2
    assert fee_unit < Fraction(1, 10**8)


@pytest.mark.parametrize("name", ["buyer", "seller"])
def test_a_side_cannot_add_more_than_the_value(name):
    with pytest.raises(ConfigError) as caught:
        DirectionalQtyFees(3, 5, **{name: "1.5"})
    assert str(caught.value) == f"the {name} fee is 1.5; give a fraction, for example 0.0002 for two basis points"
    assert DirectionalQtyFees(3, 5, seller=-1).sides_e9() == (0, -(10**9))


def test_an_order_whose_fee_would_not_fit_is_refused():
    """One of the two parts at a time: the size alone, and the value alone."""
    for fees, qty in (
        (DirectionalQtyFees(10**6, "1E-9", seller=1), 2.0**32),
        (DirectionalQtyFees("1E-9", 0, buyer=1), 2.0**38),
    ):
        asset = Asset(market(), fees=fees)
        hbt, _ = build_backtester([asset], [asset.load()])
        hbt.elapse(SECOND)
        assert hbt.submit_buy_order(0, 1, 101.0, qty, GTC, LIMIT, False) == INVALID_ORDER_REQUEST
        assert hbt.submit_buy_order(0, 2, 101.0, 1.0, GTC, LIMIT, False) == 0


# --- tiers ------------------------------------------------------------------------------------------------------------
TIERS = TieredFees([(0, "0.0002", "0.001"), (404, "0.0001", "0.0005"), ("1000.5", "-0.0001", "0.0003")])


def test_a_fill_pays_the_rate_of_the_value_traded_before_it():
    """Each buys 202 of value: the second fill reaches 404 exactly, so that the third pays less."""
    fills, fee = traded(TIERS, [(1, 2.0)] * 6)
    rates = ["0.001", "0.001", "0.0005", "0.0005", "0.0005", "0.0003"]
    assert [fee for *_, fee in fills] == [202 * Fraction(rate) for rate in rates]
    assert fee == sum(202 * Fraction(rate) for rate in rates)


def test_a_fill_across_a_boundary_pays_one_rate():
    fills, _ = traded(TIERS, [(1, 1.75), (1, 10.0), (1, 0.25)])
    assert [fee for *_, fee in fills] == [Fraction("0.17675"), Fraction("1.01"), Fraction("0.0075750")]


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_tiers_of_a_storm_sum_up_to_the_last_digit(contract):
    """The naive rule in fractions: the tier of the value before each fill; inverse fees are rounded once each."""
    tiers = [(0, "0.0007", "0.0012"), (20_000, "-0.00005", "0.00081"), (50_000, "0.000000001", "0.0005")]
    if contract == "inverse":
        tiers = [(0, "0.0007", "0.0012"), (5, "-0.00005", "0.00081"), (20, "0.000000001", "0.0005")]
    asset = asset_of(3, contract, "partial fill", "value")
    asset = Asset(asset.tape, latency=asset.latency, queue=asset.queue, exchange=PartialFill(), fees=TieredFees(tiers))
    (result,) = play([asset], storm_of(3, 300)).results
    instrument = CONTRACTS[contract]
    unit, (_, fee_unit) = amount_unit(instrument), fee_table(asset.fees, instrument)
    value, paid, used = Fraction(0), 0, set()
    for fill in result.fills:
        rates = [row for row in tiers if Fraction(row[0]) <= value][-1]
        used.add(rates[0])
        rate = Fraction(rates[1] if fill["is_maker"] else rates[2])
        exact = int(fill["amount"]) * unit * rate / fee_unit
        assert int(fill["fee"]) == exact if contract == "linear" else abs(int(fill["fee"]) - exact) <= Fraction(1, 2)
        value += int(fill["amount"]) * unit
        paid += int(fill["fee"])
    assert used == {row[0] for row in tiers}  # the storm passes through all of them
    assert int(result.state["fee_high"][0]) * 10**18 + int(result.state["fee_low"][0]) == paid


@pytest.mark.parametrize(
    ("tiers", "shown"),
    [
        ([], "none"),
        ([(1, 0, 0)], "1"),
        ([(0, 0, 0), (5, 0, 0), (5, 0, 0)], "0, 5, 5"),
        ([(0, 0, 0), (5, 0, 0), ("4.5", 0, 0)], "0, 5, 4.5"),
    ],
)
def test_tiers_that_do_not_ascend_from_0_are_refused(tiers, shown):
    with pytest.raises(ConfigError) as caught:
        TieredFees(tiers)
    assert str(caught.value) == (f"the tiers of a fee begin at {shown}; give ascending traded values, the first of them 0")


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        (("much", 0, 0), "traded value is 'much'; give a decimal number, for example '0.01'"),
        ((0, 2, 0), "the maker fee is 2; give a fraction, for example 0.0002 for two basis points"),
        ((0, 0, "1E-10"), "the taker fee is 1E-10; give at most nine decimals, so that fees stay exact"),
    ],
)
def test_a_tier_of_no_numbers_is_refused(tier, message):
    with pytest.raises(ConfigError) as caught:
        TieredFees([tier])
    assert str(caught.value) == message


def test_the_rates_of_a_tiered_fee_are_those_of_its_first_tier():
    assert TIERS.rates_e9() == (200_000, 1_000_000)


# --- for the engine ---------------------------------------------------------------------------------------------------
def test_linear_rates_are_counted_in_their_greatest_common_divisor():
    rows, unit = fee_table(TieredFees([(0, "0.0002", "0.0004"), (1, "0.0006", "-0.0002")]), LINEAR)
    assert rows["maker_buy_e9"].tolist() == [1, 3]
    assert rows["taker_sell_e9"].tolist() == [2, -1]
    assert unit == Fraction(1, 8) * Fraction(2, 10_000)
    assert not rows.flags.writeable


def test_a_tier_between_two_amounts_is_reached_by_the_next_one():
    rows, _ = fee_table(TieredFees([(0, 0, 0), ("0.3", 0, 0)]), LINEAR)  # the unit is an eighth
    assert rows["from_low"].tolist() == [0, 3]


def traded(fees: Any, orders: list[tuple[int, float]]) -> tuple[list[tuple[int, Fraction]], Fraction]:
    """Send taking orders of (side, quantity); return (side, fee) of each fill, and the fees in all."""
    asset = Asset(market(), fees=fees)
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    hbt.elapse(SECOND)
    for order_id, (side, qty) in enumerate(orders):
        send, price = (hbt.submit_buy_order, 101.0) if side == BUY else (hbt.submit_sell_order, 100.0)
        assert send(0, order_id, price, qty, GTC, LIMIT, True) == 0
    (result,) = read_results(hbt, handles, [asset], [tape])
    _, unit = fee_table(fees, tape.instrument)
    total = int(result.state["fee_high"][0]) * 10**18 + int(result.state["fee_low"][0])
    return [(int(f["side"]), int(f["fee"]) * unit) for f in result.fills], total * unit
