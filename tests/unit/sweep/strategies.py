"""Strategies for sweeps, in a file that workers can load."""

import os

from numba import njit

from queuefront.core.enums import GTC, LIMIT


@njit(cache=True)
def strategy(hbt, lots=1, wakes=3):
    for k in range(wakes):
        hbt.elapse(1_000_000_000)
        hbt.submit_buy_order(0, k + 1, hbt.depth(0).best_ask, lots * hbt.depth(0).lot_size, GTC, LIMIT, True)
    return 60 // lots


def dies(hbt, lots=1):
    hbt.elapse(1_000_000_000)
    if lots == 2:
        os._exit(7)
