"""The grid of hftbacktest's examples: orders a step apart on both sides, skewed by the position.

Written once against names that every engine's module has; `make` compiles it with that module's constants.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numba import njit, types
from numba.typed import Dict

#: Columns of a sample: time, best bid and ask tick, position, balance, fee, trades, volume, orders, order checksum, value.
SAMPLE_WIDTH = 11

#: Ticks beyond this stand for an empty side.
TICK_MAX = 2**53


def make(engine: ModuleType) -> Any:
    """Compile the strategy for an engine.

    The result takes a back-test, the parameters (levels on a side, step and half spread in ticks, order quantity, the
    position in orders at which a side stops, time between rounds) and float64 samples, and returns how many it wrote.
    """
    buy, sell, gtx, limit = engine.BUY, engine.SELL, engine.GTX, engine.LIMIT

    @njit
    def wanted(anchor, levels, step, is_open):
        """Return the ticks at which a side wants orders."""
        ticks = Dict.empty(types.int64, types.int64)
        if is_open:
            for i in range(levels):
                ticks[anchor + i * step] = anchor + i * step
        return ticks

    @njit
    def replace(hbt, bids, asks, qty, tick_size):
        """Cancel what is not wanted any more, submit what is wanted and missing."""
        orders = hbt.orders(0)
        values = orders.values()
        while values.has_next():
            order = values.get()
            if order.cancellable:
                tick = order.price_tick
                if (order.side == buy and tick not in bids) or (order.side == sell and tick not in asks):
                    hbt.cancel(0, order.order_id, False)
        for tick in bids:
            if tick not in orders:
                hbt.submit_buy_order(0, tick, tick * tick_size, qty, gtx, limit, False)
        for tick in asks:
            if tick not in orders:
                hbt.submit_sell_order(0, tick, tick * tick_size, qty, gtx, limit, False)

    @njit
    def checksum(hbt):
        """Return a number in which every order shows, whatever the order in which they are seen."""
        total = 0.0
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            state = order.status * 16 + order.req
            total += (order.price_tick % 9973) * (state + 1) + (order.exch_timestamp % 99991) + order.side
        return total

    @njit
    def run(hbt, levels, step, half_spread, qty, position_max, interval, samples):
        depth = hbt.depth(0)
        tick_size = depth.tick_size
        n = 0
        while n < len(samples) and hbt.elapse(interval) == 0:
            hbt.clear_inactive_orders(0)
            depth = hbt.depth(0)
            # In whole orders: the reference's float sums would fall on either side of a threshold.
            position = np.round(hbt.position(0) / qty)
            bid = depth.best_bid_tick
            ask = depth.best_ask_tick
            # The absolute value of the sentinel for no bid, -2^63, is not defined.
            if bid > -(2**53) and ask < 2**53:
                skew = np.int64(np.round(position / position_max * half_spread))
                middle = (bid + ask) / 2.0 - skew
                bid_anchor = min(np.int64(np.floor((middle - half_spread) / step)) * step, bid)
                ask_anchor = max(np.int64(np.ceil((middle + half_spread) / step)) * step, ask)
                bids = wanted(bid_anchor, levels, -step, position < position_max)
                asks = wanted(ask_anchor, levels, step, position > -position_max)
                replace(hbt, bids, asks, qty, tick_size)
            values = hbt.state_values(0)
            samples[n, 0] = hbt.current_timestamp
            samples[n, 1] = bid
            samples[n, 2] = ask
            samples[n, 3] = values.position
            samples[n, 4] = values.balance
            samples[n, 5] = values.fee
            samples[n, 6] = values.num_trades
            samples[n, 7] = values.trading_volume
            samples[n, 8] = len(hbt.orders(0))
            samples[n, 9] = checksum(hbt)
            samples[n, 10] = values.trading_value
            n += 1
        return n

    return run
