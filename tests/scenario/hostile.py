"""A strategy that does everything wrong, compiled; run as a module it prints what each call returned."""

from __future__ import annotations

import numpy as np
from numba import njit

from queuefront.core.enums import GTC, LIMIT
from tests.small_market import running


@njit(cache=True)
def invalid_orders(hbt, codes):
    """Sweep what an order can be; codes : int64[2, 256 + 256 + numbers], filled for both sides, 0 where it was accepted."""
    numbers = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e17, -1.0, 0.0, 0.1)
    order_id = 1
    for k in range(256):
        codes[0, k] = hbt.submit_buy_order(0, order_id, 90.0, 1.0, k, LIMIT, False)
        codes[1, k] = hbt.submit_sell_order(0, order_id + 1, 110.0, 1.0, k, LIMIT, False)
        codes[0, 256 + k] = hbt.submit_buy_order(0, order_id + 2, 90.0, 1.0, GTC, k, False)
        codes[1, 256 + k] = hbt.submit_sell_order(0, order_id + 3, 110.0, 1.0, GTC, k, False)
        order_id += 4
    for k in range(len(numbers)):
        codes[0, 512 + k] = hbt.submit_buy_order(0, order_id, 90.0, numbers[k], GTC, LIMIT, False)
        codes[1, 512 + k] = hbt.submit_sell_order(0, order_id, 110.0, numbers[k], GTC, LIMIT, False)


@njit(cache=True)
def invalid_modifications(hbt, codes):
    """Modify a resting order to what it cannot be; codes : int64[numbers + 1], filled, the last for an order unknown."""
    numbers = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e17, -1.0, 0.0, 0.1)
    hbt.submit_buy_order(0, 7, 90.0, 1.0, GTC, LIMIT, True)
    for k in range(len(numbers)):
        codes[k] = hbt.modify(0, 7, 90.0, numbers[k], False)
    codes[len(numbers)] = hbt.modify(0, 8, 90.0, 1.0, False)


@njit(cache=True)
def position_of(hbt, asset_no):
    return hbt.position(asset_no)


@njit(cache=True)
def close_and_go_on(hbt):
    hbt.close()
    hbt.close()
    hbt.elapse(1)


if __name__ == "__main__":
    table = np.full((2, 512 + 9), -1, np.int64)
    invalid_orders(running(), table)
    print("accepted", *np.flatnonzero(table[0] == 0), "/", *np.flatnonzero(table[1] == 0))
    print("refused", *np.unique(table[table != 0]))
    row = np.full(10, -1, np.int64)
    invalid_modifications(running(), row)
    print("modified", *row)
    for asset_no in (-2, -1, 1, 2**40):
        try:
            position_of(running(), asset_no)
        except IndexError as e:
            print("asset", asset_no, e)
    try:
        close_and_go_on(running())
    except RuntimeError as e:
        print("closed", e)
