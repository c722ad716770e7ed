"""From assets to a backtest: overrides, units, limits, and what a run leaves behind."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import CANCELED, GTC, INVALID_ORDER_REQUEST, LIMIT, MARKET
from queuefront.feed import Tape
from queuefront.sim import (
    ASSET_COUNT_MAX,
    Asset,
    AssetResult,
    FlatFees,
    PartialFill,
    QtyFees,
    ValueFees,
    build_backtester,
    read_changes,
    read_error_code,
    read_results,
)
from tests.small_market import INVERSE, LINEAR, SECOND, T0, market


def traded(asset: Asset, qty: float = 2.0, price: float = 101.0, **options) -> AssetResult:
    """Buy as a taker and return what is left behind."""
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape], **options)
    hbt.elapse(SECOND)
    assert hbt.submit_buy_order(0, 1, price, qty, GTC, LIMIT, True) == 0
    (result,) = read_results(hbt, handles, [asset], [tape])
    return result


# --- building ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [0, ASSET_COUNT_MAX + 1])
def test_no_assets_and_too_many_are_refused(count):
    asset = Asset(market())
    with pytest.raises(ConfigError) as caught:
        build_backtester([asset] * count, [asset.load()] * count)
    assert str(caught.value) == f"a backtest has {count} assets; give between 1 and 4096"


def test_time_begins_at_the_first_event():  # D22
    asset = Asset(market())
    hbt, _ = build_backtester([asset], [asset.load()])
    assert hbt.current_timestamp == T0


def test_an_empty_tape_ends_at_once():
    asset = Asset(Tape.build(market().to_events()[:0], LINEAR, source="nothing"))
    hbt, _ = build_backtester([asset], [asset.load()])
    assert hbt.elapse(1) == 1
    assert np.isnan(hbt.depth(0).best_bid)
    assert len(hbt.depth(0).snapshot()) == 0
    assert hbt.submit_buy_order(0, 1, 1.0, 1.0, GTC, MARKET, False) in (0, INVALID_ORDER_REQUEST)
    assert read_error_code(hbt) == 0


def test_two_backtests_of_one_tape_do_not_meet():
    asset = Asset(market())
    first, second = (build_backtester([asset], [asset.load()])[0] for _ in range(2))
    assert first.submit_buy_order(0, 1, 101.0, 1.0, GTC, LIMIT, True) == 0
    assert (first.position(0), second.position(0), len(second.orders(0))) == (1.0, 0.0, 0)


# --- results ----------------------------------------------------------------------------------------------------------
def test_a_run_leaves_fills_changes_and_a_last_sample():
    result = traded(Asset(market()))
    assert result.fills["lots"].tolist() == [8]
    assert result.changes["is_response"].tolist() == [0, 1]
    assert result.samples["position"].tolist() == [2.0]
    assert result.state["position_lots"][0] == 8


def test_without_records_only_state_and_samples_are_left():
    result = traded(Asset(market()), records=False)
    assert (len(result.fills), len(result.changes), len(result.samples)) == (0, 0, 1)
    assert result.state["position_lots"][0] == 8


def test_samples_are_taken_when_the_run_wakes_after_the_spacing():
    asset = Asset(market())
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape], sample_every_ns=2 * SECOND)
    for _ in range(5):
        hbt.elapse(SECOND)
    (result,) = read_results(hbt, handles, [asset], [tape])
    assert ((result.samples["timestamp"] - T0) // SECOND).tolist() == [1, 2, 4, 5]


def test_reading_results_again_adds_a_sample_and_nothing_else():
    asset = Asset(market())
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    first, second = (read_results(hbt, handles, [asset], [tape])[0] for _ in range(2))
    assert (len(first.samples), len(second.samples)) == (1, 2)
    assert first.fills.tobytes() == second.fills.tobytes()


# --- units ------------------------------------------------------------------------------------------------------------
def test_linear_money_counts_ticks_times_lots():
    result = traded(Asset(market(), fees=ValueFees(0, "0.0005"), multiplier=3))
    fill = result.fills[0]
    # The rates' common step, 500,000 billionths, is part of the unit, so that large orders fit.
    assert (int(fill["amount"]), int(fill["fee"])) == (202 * 8, 202 * 8)
    assert Fraction(result.amount_unit) == Fraction(3, 8)
    assert result.fee_unit == float(Fraction(3, 8) * 500_000 / 10**9)


def test_inverse_money_is_rounded_once_in_a_fine_unit():
    result = traded(Asset(market(INVERSE), fees=ValueFees(0, "0.0005")))
    amount = (2 * 2 * 10**15 + 202) // (2 * 202)  # two lots, half away
    assert int(result.fills[0]["amount"]) == amount
    assert result.amount_unit == 100 / 0.5 / 1e15
    notional = 2 * 100 / 101.0
    assert int(result.fills[0]["fee"]) * result.fee_unit == pytest.approx(notional * 0.0005, rel=1e-12)  # two roundings


@pytest.mark.parametrize(("fees", "currency"), [(QtyFees(0, "0.02"), 0.04), (FlatFees(0, "0.25"), 0.25)])
def test_other_fees_count_billionths(fees, currency):
    result = traded(Asset(market(), fees=fees))
    assert int(result.fills[0]["fee"]) * result.fee_unit == pytest.approx(currency, rel=1e-15)  # one product of floats


# --- what int64 holds -------------------------------------------------------------------------------------------------
def test_a_fee_on_quantity_that_int64_does_not_hold_is_never_booked_wrong():
    asset = Asset(market(), fees=QtyFees(0, 1))
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    hbt.elapse(SECOND)
    lots = 10_000_000_000  # × a rate of 1e9 steps is 1e19
    code = hbt.submit_buy_order(0, 1, 101.0, lots * 0.25, GTC, LIMIT, True)
    (result,) = read_results(hbt, handles, [asset], [tape])
    fees = [int(fee) for fee in result.fills["fee"]]
    assert (code, fees) in [(INVALID_ORDER_REQUEST, []), (0, [lots * 10**9])]


def test_an_inverse_notional_that_int64_does_not_hold_is_never_booked_wrong():
    asset = Asset(market(INVERSE), exchange=PartialFill())
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape])
    hbt.elapse(SECOND)
    tick = 2**53 - 1  # what the level does not give executes at the limit
    code = hbt.submit_buy_order(0, 1, tick * 0.5, 800_000.0, GTC, LIMIT, True)
    (result,) = read_results(hbt, handles, [asset], [tape])
    amounts = [(int(f["price_tick"]), int(f["lots"]), int(f["amount"])) for f in result.fills]
    for price_tick, lots, amount in amounts:
        exact = Fraction(lots * 10**15, price_tick)
        assert amount == (2 * exact + 1) // 2
    assert code in (0, INVALID_ORDER_REQUEST)


def test_a_position_that_int64_does_not_hold_is_never_reached():
    asset = Asset(market())
    tape = asset.load()
    hbt, handles = build_backtester([asset], [tape], records=False)
    hbt.elapse(SECOND)
    lots, sent = 2**53, 0
    for order_id in range(1, 1_100):
        if hbt.submit_buy_order(0, order_id, 101.0, lots * 0.25, GTC, LIMIT, True) == 0:
            sent += lots
        hbt.clear_inactive_orders(0)
    (result,) = read_results(hbt, handles, [asset], [tape])
    assert int(result.state["position_lots"][0]) == sent


def test_order_changes_are_read_from_a_number_on() -> None:
    asset = Asset(market())
    hbt, handles = build_backtester([asset], [asset.load()])
    hbt.submit_buy_order(0, 1, 99.0, 1.0, GTC, LIMIT, False)
    hbt.elapse(0)
    assert read_changes(handles[0], 0)["is_response"].tolist() == [0, 1]
    hbt.cancel(0, 1, False)
    hbt.elapse(0)
    later = read_changes(handles[0], 2)
    assert (len(read_changes(handles[0], 0)), later["status"].tolist()[-1], len(read_changes(handles[0], 4))) == (
        4,
        CANCELED,
        0,
    )
