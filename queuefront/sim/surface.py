"""The methods of a running backtest (spec B8.3, B11.3), for compiled strategies and for Python."""

from __future__ import annotations

import numpy as np

from queuefront.bot import Id, StateValues, attribute, entry, remove_inactive, sum_to_float
from queuefront.core.clock import INT64_MAX
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    ALL_ASSETS,
    BUY,
    INVALID_ORDER_REQUEST,
    OP_AT_LOCAL,
    OP_BUY_TRADE,
    OP_MASK,
    OP_OTHER_TRADE,
    SELL,
)
from queuefront.core.errors import ClosedError
from queuefront.core.jit import borrowing, compiled, internal, viewing
from queuefront.sim.bus_compiled import later
from queuefront.sim.local_compiled import cancel_order, modify_order, submit_order
from queuefront.sim.loop_compiled import (
    UNTIL_FEED,
    UNTIL_FEED_OR_RESPONSE,
    UNTIL_ORDER,
    UNTIL_TIME,
    Backtester,
    append_value,
    charge_compute,
    go_to,
    mark_compute,
)
from queuefront.sim.queue_view_compiled import follow_orders, queue_rows
from queuefront.sim.queue_view_compiled import queue_ahead as queue_ahead_of

__all__: list[str] = []


@borrowing
def _check_open(hbt):
    if hbt.clock["is_closed"][0]:
        raise ClosedError("this backtest was closed; build a new one")


@borrowing
def _check(hbt, asset_no):
    """Refuse a closed backtest and a number that is no asset's."""
    if hbt.clock["is_closed"][0]:
        raise ClosedError("this backtest was closed; build a new one")
    if asset_no < 0 or asset_no >= len(hbt.assets):
        raise IndexError("asset number out of range; assets count from 0")


# Methods are thin: what they do stands in borrowing functions, which cost no reference counts.


@entry(Backtester, "_go_to")
@borrowing
def _go_to(hbt, until_ts: int, mode: int, asset_no: int, order_id: Id):
    """Run, see `loop_compiled.go_to`. An entry of its own, so that the engine is compiled once and not in every method."""
    code = go_to(hbt, until_ts, mode, asset_no, order_id)
    mark_compute(hbt)
    return code


@entry(Backtester, "_charge_compute")
@borrowing
def _charge_compute(hbt):
    charge_compute(hbt)


@borrowing
def _let_compute_pass(hbt):
    if hbt.clock["charges_compute"][0] != 0:
        hbt._charge_compute()
        mark_compute(hbt)


# --- state --------------------------------------------------------------------------------------------------------


@attribute(Backtester)
@viewing
def current_timestamp(hbt):
    """The present time of the backtest, ns."""
    _check_open(hbt)
    return hbt.clock["now"][0]


@attribute(Backtester)
@viewing
def num_assets(hbt):
    """How many assets there are."""
    _check_open(hbt)
    return len(hbt.assets)


@borrowing
def _position(hbt, asset_no):
    _check(hbt, asset_no)
    a = hbt.assets[asset_no]
    spec = a.spec[0]
    return a.state["position_lots"][0] * spec["lot_numerator"] / spec["lot_denominator"]


@entry(Backtester)
@viewing
def position(hbt, asset_no: int):
    """Our position, in quantity, by the executions that we know of."""
    return _position(hbt, asset_no)


@borrowing
def _state_values(hbt, asset_no):
    _check(hbt, asset_no)
    a = hbt.assets[asset_no]
    spec, state = a.spec[0], a.state[0]
    return StateValues(
        state["position_lots"] * spec["lot_numerator"] / spec["lot_denominator"],
        sum_to_float(state["cash_high"], state["cash_low"]) * spec["amount_unit"],
        sum_to_float(state["fee_high"], state["fee_low"]) * spec["fee_unit"],
        state["num_trades"],
        state["volume_lots"] * spec["lot_numerator"] / spec["lot_denominator"],
        sum_to_float(state["value_high"], state["value_low"]) * spec["amount_unit"],
    )


@entry(Backtester)
@viewing
def state_values(hbt, asset_no: int):
    """Position, balance, fee and totals of an asset; a copy."""
    return _state_values(hbt, asset_no)


@entry(Backtester)
@compiled
def depth(hbt, asset_no: int):
    """The market depth of an asset as we see it; a live view."""
    _check(hbt, asset_no)
    return hbt.depths[asset_no]


@entry(Backtester)
@compiled
def orders(hbt, asset_no: int):
    """Our orders of an asset; a live view. Views of single orders are valid until time advances or orders are dropped."""
    _check(hbt, asset_no)
    return hbt.assets[asset_no].orders


@internal
def _grow_trades(a):
    count = len(a.trades)
    larger = np.zeros(max(2 * count, 64), EVENT)
    for k in range(count):
        larger[k] = a.trades[k]
    a.trades = larger


@borrowing
def _collect_trades(a):
    """Append the trades that the local half has received since the last look to `a.trades`."""
    state, spec = a.state[0], a.spec[0]
    count = state["trades_count"]
    for row in range(max(state["trades_scanned_row"], state["trades_row"]), state["local_row"]):
        what = a.op[row] & OP_MASK
        if (a.op[row] & OP_AT_LOCAL) and OP_BUY_TRADE <= what <= OP_OTHER_TRADE:
            if count == len(a.trades):
                _grow_trades(a)
            trade = a.trades[count]
            trade["ev"] = a.ev[row]
            trade["exch_ts"] = a.exch_ts[row]
            trade["local_ts"] = a.local_ts[row]
            trade["px"] = a.levels[a.level[row]] * spec["tick_numerator"] / spec["tick_denominator"]
            trade["qty"] = a.lots[row] * spec["lot_numerator"] / spec["lot_denominator"]
            count += 1
    state["trades_count"] = count
    state["trades_scanned_row"] = state["local_row"]


@entry(Backtester)
@compiled
def last_trades(hbt, asset_no: int):
    """The market's trades received since the last `clear_last_trades`, EVENT[n], a copy.

    Empty unless a capacity was set.
    """
    _check(hbt, asset_no)
    a = hbt.assets[asset_no]
    if a.spec["trades_capacity"][0] > 0:
        _collect_trades(a)
    return a.trades[: a.state["trades_count"][0]].copy()


@borrowing
def _clear_last_trades(hbt, asset_no):
    _check(hbt, max(asset_no, np.int64(0)) if asset_no == ALL_ASSETS else asset_no)
    for k in range(len(hbt.assets)):
        if asset_no == ALL_ASSETS or k == asset_no:
            state = hbt.assets[k].state[0]
            state["trades_count"] = 0
            state["trades_row"] = state["local_row"]


@entry(Backtester)
@viewing
def clear_last_trades(hbt, asset_no: int):
    """Forget the trades received so far, of one asset or of ALL_ASSETS."""
    _clear_last_trades(hbt, asset_no)


@borrowing
def _clear_inactive_orders(hbt, asset_no):
    _check(hbt, max(asset_no, np.int64(0)) if asset_no == ALL_ASSETS else asset_no)
    for k in range(len(hbt.assets)):
        if asset_no == ALL_ASSETS or k == asset_no:
            remove_inactive(hbt.assets[k].orders)


@entry(Backtester)
@viewing
def clear_inactive_orders(hbt, asset_no: int):
    """Drop our orders that are EXPIRED, FILLED or CANCELED, of one asset or of ALL_ASSETS."""
    _clear_inactive_orders(hbt, asset_no)


@borrowing
def _queue_ahead(hbt, asset_no, order_id):
    _check(hbt, asset_no)
    return queue_ahead_of(hbt.assets[asset_no], order_id)


@entry(Backtester)
@viewing
def queue_ahead(hbt, asset_no: int, order_id: Id):
    """The quantity before an order of ours in its queue, by what has reached us; NaN where it does not rest.

    Estimated by the asset's queue model; exact in a market by order.
    """
    return _queue_ahead(hbt, asset_no, order_id)


@entry(Backtester)
@compiled
def order_queue(hbt, asset_no: int, side: int, price_tick: int):
    """The market's orders at a price as we see them, first come first: EVENT[n] with order_id, px and qty; a copy.

    Empty in a market by price.
    """
    _check(hbt, asset_no)
    a = hbt.assets[asset_no]
    follow_orders(a)
    return queue_rows(a, side, price_tick)


@entry(Backtester)
@viewing
def feed_latency(hbt, asset_no: int):
    """(exch_ts, local_ts) of the last row received, ns; None before the first."""
    _check(hbt, asset_no)
    a = hbt.assets[asset_no]
    row = a.state["local_feed_row"][0]
    if row < 0:
        return None
    return a.exch_ts[row], a.local_ts[row]


@entry(Backtester)
@viewing
def order_latency(hbt, asset_no: int):
    """(request, exchange, response) times of the last order message received, ns; None before the first."""
    _check(hbt, asset_no)
    state = hbt.assets[asset_no].state[0]
    if state["has_order_latency"] == 0:
        return None
    return state["latency_req_ts"], state["latency_exch_ts"], state["latency_resp_ts"]


# --- orders -------------------------------------------------------------------------------------------------------


@borrowing
def _request(hbt, code, wait, asset_no, order_id):
    """Return the code of a request, or with `wait` that of waiting for its response."""
    if code != 0 or not wait:
        return np.int64(code)
    return hbt._go_to(np.int64(INT64_MAX), np.int64(UNTIL_ORDER), asset_no, order_id)


@borrowing
def _submit(hbt, asset_no, order_id, side, price, qty, time_in_force, order_type):
    _check(hbt, asset_no)
    _let_compute_pass(hbt)
    now = hbt.clock["now"][0]
    return submit_order(hbt.assets[asset_no], order_id, side, price, qty, time_in_force, order_type, now)


@borrowing
def _modify(hbt, asset_no, order_id, price, qty):
    _check(hbt, asset_no)
    _let_compute_pass(hbt)
    return modify_order(hbt.assets[asset_no], order_id, price, qty, hbt.clock["now"][0])


@borrowing
def _cancel(hbt, asset_no, order_id):
    _check(hbt, asset_no)
    _let_compute_pass(hbt)
    return cancel_order(hbt.assets[asset_no], order_id, hbt.clock["now"][0])


@entry(Backtester)
@viewing
def submit_buy_order(
    hbt, asset_no: int, order_id: Id, price: float, qty: float, time_in_force: int, order_type: int, wait: bool
):  # fmt: skip
    """Send an order to buy; with `wait`, go on until its response. Returns 0, 1 (end of data) or an error code."""
    code = _submit(hbt, asset_no, order_id, np.int64(BUY), price, qty, time_in_force, order_type)
    return _request(hbt, code, wait, asset_no, order_id)


@entry(Backtester)
@viewing
def submit_sell_order(
    hbt, asset_no: int, order_id: Id, price: float, qty: float, time_in_force: int, order_type: int, wait: bool
):  # fmt: skip
    """Send an order to sell; with `wait`, go on until its response. Returns 0, 1 (end of data) or an error code."""
    code = _submit(hbt, asset_no, order_id, np.int64(SELL), price, qty, time_in_force, order_type)
    return _request(hbt, code, wait, asset_no, order_id)


@entry(Backtester)
@viewing
def modify(hbt, asset_no: int, order_id: Id, price: float, qty: float, wait: bool):
    """Ask for another price and open quantity of an order; less at the same price keeps its queue position."""
    return _request(hbt, _modify(hbt, asset_no, order_id, price, qty), wait, asset_no, order_id)


@entry(Backtester)
@viewing
def cancel(hbt, asset_no: int, order_id: Id, wait: bool):
    """Ask for an order to be canceled."""
    return _request(hbt, _cancel(hbt, asset_no, order_id), wait, asset_no, order_id)


# --- time ---------------------------------------------------------------------------------------------------------


@borrowing
def _later(hbt, duration):
    return later(hbt.clock["now"][0], duration)


@entry(Backtester)
@viewing
def elapse(hbt, duration: int):
    """Let time pass, ns. Returns 0, 1 at the end of the data, or 13 for a negative duration."""
    _check_open(hbt)
    if duration < 0:
        return np.int64(INVALID_ORDER_REQUEST)
    _let_compute_pass(hbt)
    return hbt._go_to(_later(hbt, duration), np.int64(UNTIL_TIME), np.int64(0), np.int64(0))


@entry(Backtester)
@viewing
def elapse_bt(hbt, duration: int):
    """Let time pass in a backtest only: live, it does nothing. Used to model computing time."""
    return elapse(hbt, duration)


@entry(Backtester)
@viewing
def wait_order_response(hbt, asset_no: int, order_id: Id, timeout: int):
    """Go on until a response to an order arrives, or for `timeout` ns. Returns 0 for both, 1 at the end of the data."""
    _check(hbt, asset_no)
    if timeout < 0:
        return np.int64(INVALID_ORDER_REQUEST)
    _let_compute_pass(hbt)
    return hbt._go_to(_later(hbt, timeout), np.int64(UNTIL_ORDER), asset_no, order_id)


@entry(Backtester)
@viewing
def wait_next_feed(hbt, include_order_resp: bool, timeout: int):
    """Go on to the next market event of any asset, or order response if asked.

    Returns 0 (timeout), 1, 2 (feed) or 3 (response).
    """
    _check_open(hbt)
    if timeout < 0:
        return np.int64(INVALID_ORDER_REQUEST)
    _let_compute_pass(hbt)
    mode = UNTIL_FEED_OR_RESPONSE if include_order_resp else UNTIL_FEED
    return hbt._go_to(_later(hbt, timeout), np.int64(mode), np.int64(0), np.int64(0))


@entry(Backtester, "_goto_end")
@viewing
def go_to_end(hbt):
    """Go on to the end of the data. Returns 1."""
    _check_open(hbt)
    return hbt._go_to(np.int64(INT64_MAX), np.int64(UNTIL_TIME), np.int64(0), np.int64(0))


@entry(Backtester)
@viewing
def record_value(hbt, series_no: int, value: float):
    """Append a value, at the present time, to one of the strategy's own series; they are counted from 0 (`Run.series`)."""
    _check_open(hbt)
    append_value(hbt, series_no, value)


@entry(Backtester)
@viewing
def close(hbt):
    """Close the backtest; every other method raises ClosedError from then on. Closing again does nothing. Returns 0."""
    hbt.clock["is_closed"][0] = 1
    return np.int64(0)
