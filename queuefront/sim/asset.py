"""The state of one replayed asset: its tape, both halves of the engine, and the order bus between them."""

from __future__ import annotations

import numpy as np

from queuefront.bot import Struct, new_orders, new_table, struct
from queuefront.core.dtypes import EVENT, FILL, ORDER, ORDER_CHANGE, SAMPLE
from queuefront.core.jit import compiled

__all__ = ["ReplayAsset", "new_asset"]


@struct(
    "spec state "
    # the tape, read-only
    "ev op exch_ts local_ts level lots best_bid_exch best_ask_exch best_bid_local best_ask_local levels "
    # exchange half
    "exch_lots own_count resting resting_ids resting_table bid_queue ask_queue "
    # order bus and latencies
    "requests responses latency_rows answered_rows "
    # local half
    "local_lots orders trades "
    # what is recorded
    "fills changes samples"
)
class ReplayAsset(Struct):
    """One replayed asset; the records are described in `core.dtypes`.

    spec : ASSET_SPEC[1].   state : ASSET_STATE[1].   ev … levels : the tape's columns.
    exch_lots, local_lots : int64[2 × levels], lots by level and side: bids at 2 × level, asks at 2 × level + 1.
    own_count : int32[2 × levels], how many of our orders rest there.
    resting : ORDER[capacity], our orders in the exchange's book; free places are chained by `order_lots`.
    resting_ids, resting_table : see `bot.id_table_compiled`.
    bid_queue, ask_queue : int64[capacity, 2], (tick, place in resting); the best price last, and within a price the
    earliest
    last, so that the next order to fill is at the end.
    requests, responses : ORDER[power of two], rings indexed by the heads and tails of `state`.
    latency_rows, answered_rows : LATENCY[n], the measured round trips, and those that the exchange did not refuse.
    orders : Orders, as the strategy believes them.   trades : EVENT[capacity], shown by last_trades.
    fills, changes, samples : FILL, ORDER_CHANGE, SAMPLE; grown as needed.
    """


@compiled
def new_asset(
    layout, spec, state, columns, bests, levels, exch_lots, local_lots, latency_rows, answered_rows
):  # fmt: skip
    """Return a replayed asset before its first event.

    layout : LAYOUT.   columns : (ev, op, exch_ts, local_ts, level, lots).   bests : the tape's four columns of best levels.
    """
    capacity = 64
    state["free_head"][0] = 0
    resting = np.zeros(capacity, ORDER)
    for k in range(capacity):
        resting["order_lots"][k] = k + 1
    ev, op, exch_ts, local_ts, level, lots = columns
    best_bid_exch, best_ask_exch, best_bid_local, best_ask_local = bests
    return ReplayAsset(
        spec,
        state,
        ev,
        op,
        exch_ts,
        local_ts,
        level,
        lots,
        best_bid_exch,
        best_ask_exch,
        best_bid_local,
        best_ask_local,
        levels,
        exch_lots,
        np.zeros(len(exch_lots), np.int32),
        resting,
        np.zeros(capacity, np.int64),
        new_table(capacity),
        np.zeros((capacity, 2), np.int64),
        np.zeros((capacity, 2), np.int64),
        np.zeros(capacity, ORDER),
        np.zeros(capacity, ORDER),
        latency_rows,
        answered_rows,
        local_lots,
        new_orders(layout, spec),
        np.zeros(0, EVENT),
        np.zeros(256, FILL),
        np.zeros(1024, ORDER_CHANGE),
        np.zeros(256, SAMPLE),
    )
