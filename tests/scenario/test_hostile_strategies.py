"""A strategy that does everything wrong gets a code or an exception, and the run goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import ClosedError
from queuefront.core.enums import (
    ALL_ASSETS,
    BUY,
    CANCELED,
    END_OF_DATA,
    EXPIRED,
    FILLED,
    GTC,
    INVALID_ORDER_REQUEST,
    LIMIT,
    MARKET,
    NEW,
    NONE,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    REQUEST_IN_PROGRESS,
)
from queuefront.sim import read_error_code
from tests.small_market import INVERSE, SECOND, T0, running

ROOT = Path(__file__).parents[2]
NUMBERS = [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e17]


@pytest.fixture
def hbt():
    return running()


def buy(hbt, order_id=1, price=90.0, qty=1.0, tif=GTC, kind=LIMIT, wait=False):
    return hbt.submit_buy_order(0, order_id, price, qty, tif, kind, wait)


def sell(hbt, order_id=1, price=110.0, qty=1.0, tif=GTC, kind=LIMIT, wait=False):
    return hbt.submit_sell_order(0, order_id, price, qty, tif, kind, wait)


SIDES = pytest.mark.parametrize("submit", [buy, sell])


def assert_untouched(hbt) -> None:
    assert len(hbt.orders(0)) == 0
    assert hbt.position(0) == 0.0
    assert hbt.current_timestamp == T0 + SECOND


# --- prices -------------------------------------------------------------------------------------------------------
@SIDES
@pytest.mark.parametrize("price", NUMBERS)
def test_a_price_that_is_no_number_of_ticks_is_refused(hbt, submit, price):
    assert submit(hbt, price=price) == INVALID_ORDER_REQUEST
    assert_untouched(hbt)


@pytest.mark.parametrize("price", [0.0, -0.0, 5e-324, -10.0])
def test_a_bid_at_zero_or_below_rests_where_prices_may_be_negative(hbt, price):
    assert buy(hbt, price=price, wait=True) == 0
    assert hbt.orders(0).get(1).status == NEW
    assert hbt.orders(0).get(1).price_tick == round(price * 2)


@pytest.mark.parametrize("price", [0.0, -0.0, 0.1, -10.0])
@SIDES
def test_a_price_of_zero_or_less_is_refused_on_an_inverse_contract(submit, price):
    hbt = running(INVERSE)
    assert submit(hbt, price=price) == INVALID_ORDER_REQUEST
    assert_untouched(hbt)


@pytest.mark.parametrize(("price", "tick"), [(90.2, 180), (90.25, 181), (90.3, 181), (-0.25, -1), (90.24999999999999, 180)])
def test_a_price_between_two_ticks_is_taken_to_the_nearest(hbt, price, tick):
    assert buy(hbt, price=price) == 0
    assert hbt.orders(0).get(1).price_tick == tick


@pytest.mark.parametrize("price", [*NUMBERS, 0.0, -5.0])
@SIDES
def test_a_market_order_does_not_look_at_its_price(hbt, submit, price):
    assert submit(hbt, price=price, kind=MARKET, wait=True) == 0
    assert hbt.orders(0).get(1).status == FILLED


# --- quantities ---------------------------------------------------------------------------------------------------
@SIDES
@pytest.mark.parametrize("qty", [*NUMBERS, 0.0, -0.0, -1.0, -0.25, 0.1, 0.3, 1.0001, 5e-324])
@pytest.mark.parametrize("kind", [LIMIT, MARKET])
def test_a_quantity_that_is_no_positive_number_of_lots_is_refused(hbt, submit, qty, kind):
    assert submit(hbt, qty=qty, kind=kind) == INVALID_ORDER_REQUEST
    assert_untouched(hbt)


@SIDES
def test_the_largest_quantity_is_booked_exactly_and_one_lot_more_is_refused(hbt, submit):
    qty = 2.0**43 * 0.25
    assert submit(hbt, order_id=2, qty=qty + 0.25, kind=MARKET) == INVALID_ORDER_REQUEST
    assert submit(hbt, qty=qty, kind=MARKET, wait=True) == 0
    values = hbt.state_values(0)
    assert abs(values.position) == qty
    assert values.trading_value == qty * (101.0 if submit is buy else 100.0)


@SIDES
def test_a_notional_beyond_int64_is_refused(hbt, submit):
    assert submit(hbt, price=2.0**51, qty=2.0**20) == INVALID_ORDER_REQUEST
    assert_untouched(hbt)


def test_lots_that_floats_reach_by_arithmetic_are_whole(hbt):
    assert buy(hbt, qty=0.1 + 0.2 + 0.2) == 0  # 0.5000000000000001 in binary64
    assert hbt.orders(0).get(1).qty == 0.5


# --- modifying ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("price", NUMBERS)
def test_a_modification_to_no_price_is_refused(hbt, price):
    assert buy(hbt, wait=True) == 0
    assert hbt.modify(0, 1, price, 1.0, False) == INVALID_ORDER_REQUEST
    order = hbt.orders(0).get(1)
    assert (order.price, order.qty, order.status, order.req) == (90.0, 1.0, NEW, NONE)


@pytest.mark.parametrize("qty", [*NUMBERS, 0.0, -1.0, 0.1])
def test_a_modification_to_no_quantity_is_refused(hbt, qty):
    assert buy(hbt, wait=True) == 0
    assert hbt.modify(0, 1, 91.0, qty, False) == INVALID_ORDER_REQUEST
    order = hbt.orders(0).get(1)
    assert (order.price, order.qty, order.status, order.req) == (90.0, 1.0, NEW, NONE)


# --- codes --------------------------------------------------------------------------------------------------------
CODES = [*range(256), -1, -(2**63), 256, 2**32, 2**63 - 1, 2**64, np.nan]


@SIDES
def test_only_the_declared_times_in_force_are_accepted(shared, submit):  # H5.2
    codes = [submit(shared, order_id=shared.free_id(), tif=tif) for tif in CODES]
    assert [tif for tif, code in zip(CODES, codes, strict=True) if code == 0] == [0, 1, 2, 3, CODES[-1]]  # NaN is 0
    assert set(codes) == {0, INVALID_ORDER_REQUEST}


@SIDES
def test_only_the_declared_order_types_are_accepted(shared, submit):  # H5.2
    codes = [submit(shared, order_id=shared.free_id(), kind=kind) for kind in CODES]
    assert [kind for kind, code in zip(CODES, codes, strict=True) if code == 0] == [LIMIT, MARKET, CODES[-1]]
    assert set(codes) == {0, INVALID_ORDER_REQUEST}


class _Shared:
    """One backtest for tests that only send; the order ids are all different."""

    def __init__(self) -> None:
        self._hbt, self._newest = running(), 0

    def free_id(self) -> int:
        self._newest += 1
        return self._newest

    def __getattr__(self, name):
        return getattr(self._hbt, name)


@pytest.fixture(scope="module")
def shared() -> _Shared:
    return _Shared()


@pytest.mark.parametrize("name", ["submit_buy_order", "submit_sell_order"])
def test_an_id_in_use_is_refused_whatever_else_is_wrong(hbt, name):
    assert buy(hbt) == 0
    assert getattr(hbt, name)(0, 1, np.nan, np.nan, 99, 99, False) == ORDER_ID_EXISTS
    assert len(hbt.orders(0)) == 1


def test_an_order_that_does_not_exist_is_not_found(hbt):
    assert hbt.cancel(0, 1, True) == ORDER_NOT_FOUND
    assert hbt.modify(0, 1, np.nan, np.nan, True) == ORDER_NOT_FOUND
    assert hbt.orders(0).get(1) is None
    assert_untouched(hbt)


def test_waiting_for_an_order_that_does_not_exist_ends_with_the_time(hbt):
    assert hbt.wait_order_response(0, 99, 10) == 0
    assert hbt.current_timestamp == T0 + SECOND + 10


def test_a_second_request_on_an_order_waits_its_turn(hbt):
    assert buy(hbt) == 0
    assert hbt.cancel(0, 1, False) == REQUEST_IN_PROGRESS
    assert hbt.modify(0, 1, 91.0, 1.0, False) == REQUEST_IN_PROGRESS
    assert hbt.elapse(1) == 0
    assert hbt.cancel(0, 1, False) == 0
    assert hbt.cancel(0, 1, False) == REQUEST_IN_PROGRESS
    assert hbt.elapse(1) == 0
    assert hbt.orders(0).get(1).status == CANCELED


@pytest.mark.parametrize("again", ["cancel", "modify"])
def test_a_request_on_an_order_that_is_gone_changes_nothing(hbt, again):
    assert buy(hbt, price=101.0, wait=True) == 0
    before = hbt.state_values(0)
    arguments = (0, 1, True) if again == "cancel" else (0, 1, 99.0, 2.0, True)
    for _ in range(3):
        assert getattr(hbt, again)(*arguments) == 0
    order = hbt.orders(0).get(1)
    assert (order.status, order.req, order.qty, order.price) == (FILLED, NONE, 1.0, 101.0)
    assert hbt.state_values(0) == before


# --- asset numbers ------------------------------------------------------------------------------------------------
ASSET_CALLS = {
    "position": (),
    "state_values": (),
    "depth": (),
    "orders": (),
    "last_trades": (),
    "feed_latency": (),
    "order_latency": (),
    "clear_last_trades": (),
    "clear_inactive_orders": (),
    "submit_buy_order": (1, 90.0, 1.0, GTC, LIMIT, False),
    "submit_sell_order": (1, 110.0, 1.0, GTC, LIMIT, False),
    "modify": (1, 90.0, 1.0, False),
    "cancel": (1, False),
    "wait_order_response": (1, 5),
    "queue_ahead": (1,),
    "order_queue": (BUY, 200),
}
TAKES_ALL_ASSETS = ("clear_last_trades", "clear_inactive_orders")


@pytest.mark.parametrize("asset_no", [-2, -1, 1, 2**40, -(2**63), 2**63 - 1, 2**70, 1.5])
@pytest.mark.parametrize("name", ASSET_CALLS)
def test_a_number_that_is_no_assets_raises(shared, name, asset_no):  # H3.16 H3.28
    if asset_no == ALL_ASSETS and name in TAKES_ALL_ASSETS:
        assert getattr(shared, name)(asset_no) is None
        return
    now = shared.current_timestamp
    with pytest.raises(IndexError) as caught:
        getattr(shared, name)(asset_no, *ASSET_CALLS[name])
    assert str(caught.value) == "asset number out of range; assets count from 0"
    assert shared.current_timestamp == now


@pytest.mark.parametrize("name", ASSET_CALLS)
def test_an_asset_number_that_is_no_number_raises(shared, name):  # H3.28
    with pytest.raises(TypeError):
        getattr(shared, name)(None, *ASSET_CALLS[name])


# --- closing ------------------------------------------------------------------------------------------------------
CLOSED_CALLS = {
    **{name: (0, *arguments) for name, arguments in ASSET_CALLS.items()},
    "elapse": (1,),
    "elapse_bt": (1,),
    "wait_next_feed": (True, 1),
    "_goto_end": (),
    "record_value": (0, 1.0),
}


@pytest.fixture(scope="module")
def closed():
    hbt = running()
    assert hbt.close() == 0
    return hbt


@pytest.mark.parametrize("name", CLOSED_CALLS)
def test_a_call_after_close_raises(closed, name):  # H5.14
    with pytest.raises(ClosedError) as caught:
        getattr(closed, name)(*CLOSED_CALLS[name])
    assert str(caught.value) == "this backtest was closed; build a new one"


@pytest.mark.parametrize("name", ["current_timestamp", "num_assets"])
def test_an_attribute_after_close_raises(closed, name):
    with pytest.raises(ClosedError):
        getattr(closed, name)


def test_every_method_is_tried_after_close(closed):
    public = {name for name in vars(type(closed)) if not name.startswith("_")} - {"close"}
    assert public - {"current_timestamp", "num_assets"} <= set(CLOSED_CALLS)


def test_closing_again_does_nothing(closed):  # H5.13
    assert [closed.close() for _ in range(3)] == [0, 0, 0]


def test_views_outlive_the_backtest():  # H5.6 H5.8
    hbt = running()
    assert buy(hbt, wait=True) == 0
    depth, orders, order, trades = hbt.depth(0), hbt.orders(0), hbt.orders(0).get(1), hbt.last_trades(0)
    hbt.close()
    del hbt
    assert (depth.best_bid, depth.best_ask_tick, depth.bid_qty_at_tick(200)) == (100.0, 202, 10.0)
    assert (len(orders), order.status, order.price, len(trades)) == (1, NEW, 90.0, 0)


# --- order ids ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("order_id", [0, 1, 2**31, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1])
def test_any_64_bits_are_an_order_id(hbt, order_id):
    assert buy(hbt, order_id=order_id, wait=True) == 0
    assert int(hbt.orders(0).get(order_id).order_id) == order_id
    assert order_id in hbt.orders(0)
    assert buy(hbt, order_id=order_id) == ORDER_ID_EXISTS
    assert hbt.cancel(0, order_id, True) == 0
    assert hbt.orders(0).get(order_id).status == CANCELED


def test_a_negative_id_is_the_one_with_the_same_bits(hbt):
    assert buy(hbt, order_id=-1) == 0
    assert int(hbt.orders(0).get(2**64 - 1).order_id) == 2**64 - 1


@pytest.mark.parametrize("order_id", [np.nan, np.inf, None, "1.5"])
def test_an_id_that_is_no_number_raises(hbt, order_id):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        buy(hbt, order_id=order_id)
    assert_untouched(hbt)


# --- many orders --------------------------------------------------------------------------------------------------
def test_three_thousand_orders_rest_and_are_canceled(hbt):
    count = 3_000
    for order_id in range(count):
        assert buy(hbt, order_id=order_id, price=50.0 + 0.5 * (order_id % 90)) == 0
    assert hbt.elapse(1) == 0
    orders = hbt.orders(0)
    assert len(orders) == count
    assert [int(o.order_id) for o in orders] == list(range(count))
    assert {int(o.status) for o in orders} == {NEW}
    for order_id in range(count):
        assert hbt.cancel(0, order_id, False) == 0
    assert hbt.elapse(1) == 0
    assert {int(o.status) for o in orders} == {CANCELED}
    hbt.clear_inactive_orders(0)
    assert len(orders) == 0
    assert hbt.position(0) == 0.0


def test_one_trade_fills_every_order_it_goes_through(hbt):
    count = 500
    for order_id in range(count):
        assert buy(hbt, order_id=order_id, price=100.5) == 0
    assert hbt.elapse(6 * SECOND) == 0
    assert hbt.position(0) == float(count)
    assert read_error_code(hbt) == 0


# --- time ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("duration", [-1, -(2**63), -1e300, -np.inf])
def test_time_does_not_go_back(hbt, duration):  # D21
    assert hbt.elapse(duration) == INVALID_ORDER_REQUEST
    assert hbt.elapse_bt(duration) == INVALID_ORDER_REQUEST
    assert hbt.wait_next_feed(True, duration) == INVALID_ORDER_REQUEST
    assert hbt.wait_order_response(0, 1, duration) == INVALID_ORDER_REQUEST
    assert_untouched(hbt)


@pytest.mark.parametrize("duration", [2**63 - 1, 2**70, 1e300, np.inf])
def test_a_duration_past_the_end_of_time_ends_with_the_data(hbt, duration):  # D20
    assert hbt.elapse(duration) == END_OF_DATA
    assert_untouched(hbt)


def test_a_duration_that_is_no_number_is_none(hbt):
    assert hbt.elapse(np.nan) == 0
    assert_untouched(hbt)


def test_after_the_end_of_the_data_every_call_still_answers(hbt):
    assert hbt._goto_end() == END_OF_DATA
    assert hbt.elapse(1) == END_OF_DATA
    assert hbt.wait_next_feed(True, 1) == END_OF_DATA
    assert buy(hbt, price=101.0, wait=True) in (0, END_OF_DATA)
    assert hbt.elapse(1) == END_OF_DATA
    assert hbt.orders(0).get(1).status in (FILLED, EXPIRED)
    assert read_error_code(hbt) == 0


# --- compiled -----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_compiled_strategy_gets_the_same_codes_in_a_process_that_survives():  # H5.2 H5.13 H5.14 H5.22 H3.28
    command = [sys.executable, "-m", "tests.scenario.hostile"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    accepted = "0 1 2 3 256 257"
    out_of_range = "asset number out of range; assets count from 0"
    assert result.stdout.splitlines() == [
        f"accepted {accepted} / {accepted}",
        "refused 13",
        "modified 13 13 13 13 13 13 13 13 13 12",
        f"asset -2 {out_of_range}",
        f"asset -1 {out_of_range}",
        f"asset 1 {out_of_range}",
        f"asset 1099511627776 {out_of_range}",
        "closed this backtest was closed; build a new one",
    ]
