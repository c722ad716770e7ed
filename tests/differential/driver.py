"""Executes a table of actions against a back-test and logs everything that can be seen after every call.

One source for every engine, compiled or interpreted. It decides from what the engine itself shows (is the order
cancellable? where is the best bid?), so that two engines that agree so far are asked the same next.

The log is two tables, a row a call; `log.py` names their columns.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from queuefront.core.enums import (
    BUY,
    INVALID_ORDER_STATUS,
    MARKET,
    NEW,
    NO_ASK_TICK,
    NO_BID_TICK,
    NONE,
    ORDER_ID_EXISTS,
    PARTIALLY_FILLED,
)
from tests.cache_key import cache_key
from tests.differential import engines as op
from tests.differential.engines import AT_BID, AT_TICK, ORDER_IDS, Case, Engine
from tests.differential.log import (
    ASSET_FLOAT_WIDTH,
    ASSET_FLOATS,
    ASSET_INT_WIDTH,
    ASSET_INTS,
    CALL_INTS,
    ORDER_FLOATS,
    ORDER_INTS,
    REACH,
    Log,
)

#: What a price counts from while a side of the book is empty.
FALLBACK_TICK = 1_000

#: Stands for the return code where no call was made, because the order was not in the state for it.
NOT_MADE = -1

CHECKSUM_MASK = 2**61 - 1


@njit
def price_of(hbt, action, tick_size):
    """Return the price that an action names, from the book as the engine shows it."""
    tick = 0
    if action[4] != AT_TICK:
        depth = hbt.depth(action[1])
        bid = depth.best_bid_tick
        ask = depth.best_ask_tick
        tick = bid if action[4] == AT_BID else ask
        if tick in (NO_BID_TICK, NO_ASK_TICK):
            tick = ask if action[4] == AT_BID else bid
        if tick in (NO_BID_TICK, NO_ASK_TICK):
            tick = FALLBACK_TICK
    return (tick + action[5]) * tick_size


@njit
def submit(hbt, action, grid):
    """Submit, unless the id is taken where a free one is asked for, or a MARKET order has no two-sided book to meet."""
    asset = action[1]
    if action[0] == op.SUBMIT_FREE and action[2] in hbt.orders(asset):
        return NOT_MADE
    if action[8] == MARKET:
        depth = hbt.depth(asset)
        if depth.best_bid_tick == NO_BID_TICK or depth.best_ask_tick == NO_ASK_TICK:
            return NOT_MADE
    price = price_of(hbt, action, grid[asset, 0])
    qty = action[6] * grid[asset, 1] / grid[asset, 2]
    wait = action[9] != 0
    if action[3] == BUY:
        return hbt.submit_buy_order(asset, action[2], price, qty, action[7], action[8], wait)
    return hbt.submit_sell_order(asset, action[2], price, qty, action[7], action[8], wait)


@njit
def change(hbt, action, grid):
    """Cancel or modify an order that is cancellable."""
    asset = action[1]
    wait = action[9] != 0
    order = hbt.orders(asset).get(action[2])
    if order is None:
        return NOT_MADE
    if order.req != NONE or order.status not in (NEW, PARTIALLY_FILLED):
        return NOT_MADE
    if action[0] == op.CANCEL:
        return hbt.cancel(asset, action[2], wait)
    # The open quantity, whole lots again after the reference's subtractions.
    lots = np.int64(np.floor(order.leaves_qty * grid[asset, 2] / grid[asset, 1] + 0.5))
    price = order.price_tick * grid[asset, 0]
    if action[0] == op.MODIFY_PRICE:
        price = price_of(hbt, action, grid[asset, 0])
    else:
        lots = max(np.int64(1), lots - action[6])
    return hbt.modify(asset, action[2], price, lots * grid[asset, 1] / grid[asset, 2], wait)


@njit
def act(hbt, action, grid):
    """Make the call that an action asks for and return its code."""
    kind = action[0]
    asset = action[1]
    code = 0
    if kind == op.ELAPSE:
        code = hbt.elapse(action[10])
    elif kind == op.ELAPSE_BT:
        code = hbt.elapse_bt(action[10])
    elif kind == op.WAIT_FEED:
        code = hbt.wait_next_feed(action[9] != 0, action[10])
    elif kind == op.WAIT_RESPONSE:
        code = hbt.wait_order_response(asset, action[2], action[10])
    elif kind in (op.SUBMIT, op.SUBMIT_FREE):
        code = submit(hbt, action, grid)
    elif kind in (op.CANCEL, op.MODIFY_PRICE, op.MODIFY_QTY):
        code = change(hbt, action, grid)
    elif kind == op.CANCEL_ANYWAY:
        code = hbt.cancel(asset, action[2], action[9] != 0)
    elif kind == op.MODIFY_ANYWAY:
        price = price_of(hbt, action, grid[asset, 0])
        code = hbt.modify(asset, action[2], price, action[6] * grid[asset, 1] / grid[asset, 2], action[9] != 0)
    elif kind == op.CLEAR_INACTIVE:
        hbt.clear_inactive_orders(asset)
    elif kind == op.CLEAR_TRADES:
        hbt.clear_last_trades(asset)
    elif kind == op.GOTO_END:
        code = hbt.elapse(np.int64(2**62))  # not `_goto_end`, which the reference's vector book lacks
    return code


@njit
def log_book(hbt, asset, ints, floats):
    """Write best prices and the quantities around them.

    ints, floats : the asset's part of a log row; mutated.
    """
    depth = hbt.depth(asset)
    bid = depth.best_bid_tick
    ask = depth.best_ask_tick
    ints[0] = bid
    ints[1] = ask
    floats[0] = depth.best_bid
    floats[1] = depth.best_ask
    floats[2] = depth.best_bid_qty
    floats[3] = depth.best_ask_qty
    for i in range(2 * REACH + 1):
        if bid != NO_BID_TICK:
            floats[12 + i] = depth.bid_qty_at_tick(bid + i - REACH)
        if ask != NO_ASK_TICK:
            floats[12 + 2 * REACH + 1 + i] = depth.ask_qty_at_tick(ask + i - REACH)


@njit
def log_trades(hbt, asset, ints, floats):
    """Write how many trades are buffered, and sums in which every one of them shows."""
    trades = hbt.last_trades(asset)
    checksum = np.int64(0)
    px = 0.0
    qty = 0.0
    for i in range(len(trades)):
        checksum = ((checksum & CHECKSUM_MASK) << 1) ^ np.int64(trades["ev"][i]) ^ trades["exch_ts"][i]
        checksum = ((checksum & CHECKSUM_MASK) << 1) ^ trades["local_ts"][i]
        px += trades["px"][i] * (i + 1)
        qty += trades["qty"][i] * (i + 1)
    ints[10] = len(trades)
    ints[11] = checksum
    floats[10] = px
    floats[11] = qty


@njit
def log_money(hbt, asset, ints, floats):
    """Write position, money and latencies."""
    values = hbt.state_values(asset)
    ints[2] = values.num_trades
    feed = hbt.feed_latency(asset)
    if feed is not None:
        ints[3] = 1
        ints[4], ints[5] = feed
    latency = hbt.order_latency(asset)
    if latency is not None:
        ints[6] = 1
        ints[7], ints[8], ints[9] = latency
    floats[4] = hbt.position(asset)
    floats[5] = values.position
    floats[6] = values.balance
    floats[7] = values.fee
    floats[8] = values.trading_volume
    floats[9] = values.trading_value


@njit
def log_orders(hbt, asset, ints, floats):
    """Write every order with an id of 1 … ORDER_IDS; an unknown one stays zero."""
    orders = hbt.orders(asset)
    ints[12] = len(orders)
    for order_id in range(1, ORDER_IDS + 1):
        order = orders.get(order_id)
        if order is None:
            continue
        i = ASSET_INTS + (order_id - 1) * ORDER_INTS
        ints[i] = 1
        ints[i + 1] = order.price_tick
        ints[i + 2] = order.exec_price_tick
        ints[i + 3] = order.exch_timestamp
        ints[i + 4] = order.local_timestamp
        ints[i + 5] = order.req
        ints[i + 6] = order.status
        ints[i + 7] = order.side
        ints[i + 8] = order.time_in_force
        ints[i + 9] = order.order_type
        ints[i + 10] = np.int64(order.order_id)
        j = ASSET_FLOATS + (order_id - 1) * ORDER_FLOATS
        floats[j] = order.qty
        floats[j + 1] = order.leaves_qty
        floats[j + 2] = order.exec_qty
        floats[j + 3] = order.price
        floats[j + 4] = order.exec_price


@njit
def drive(hbt, actions, grid, stop_on_error, ints, floats):
    """Execute actions until they end, or until the run is broken, and return how many were logged.

    actions : int64[n, 11], a row an `Action`.   grid : float64[assets, 3], `Case.grid_table`.
    stop_on_error : stop at a code of 10 or 14, which the reference then repeats for ever.
    ints, floats : int64[n, …], float64[n, …], zeroed; mutated.
    """
    for n in range(len(actions)):
        code = act(hbt, actions[n], grid)
        ints[n, 0] = code
        ints[n, 1] = hbt.current_timestamp
        for asset in range(len(grid)):
            i = CALL_INTS + asset * ASSET_INT_WIDTH
            j = asset * ASSET_FLOAT_WIDTH
            asset_ints = ints[n, i : i + ASSET_INT_WIDTH]
            asset_floats = floats[n, j : j + ASSET_FLOAT_WIDTH]
            log_book(hbt, asset, asset_ints, asset_floats)
            log_money(hbt, asset, asset_ints, asset_floats)
            log_trades(hbt, asset, asset_ints, asset_floats)
            log_orders(hbt, asset, asset_ints, asset_floats)
        if stop_on_error and code in (ORDER_ID_EXISTS, INVALID_ORDER_STATUS):
            return n + 1
    return len(actions)


@functools.cache
def cached_drive() -> Any:
    """Return `drive` for our engine, kept on disk; the reference's pointers cannot be.

    Numba looks at the key because it is a variable of the closure: it changes with everything that is compiled in.
    """
    own = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    key = cache_key() + own.hexdigest()

    @njit(cache=True)
    def drive_cached(hbt, actions, grid, stop_on_error, ints, floats):
        if len(key) == 0:
            return 0
        return drive(hbt, actions, grid, stop_on_error, ints, floats)

    return drive_cached


def run(engine: Engine, case: Case, *, strict_reference: bool = False) -> Log:
    """Run a case on an engine and return what it showed.

    Partial fills stop at the first code of 10 or 14: row D3 breaks the reference there.
    """
    with engine.open(case, strict_reference=strict_reference) as backtest:
        return run_on(backtest, case, drive if engine.is_reference else cached_drive())


def run_on(backtest: Any, case: Case, driver: Any = drive) -> Log:
    """Run the actions of a case on a back-test that is already built."""
    assets = len(case.assets)
    ints = np.zeros((len(case.actions), CALL_INTS + assets * ASSET_INT_WIDTH), np.int64)
    floats = np.zeros((len(case.actions), assets * ASSET_FLOAT_WIDTH))
    rows = driver(backtest, case.action_table(), case.grid_table(), case.has_partial_fills, ints, floats)
    return Log(ints[:rows], floats[:rows], assets)
