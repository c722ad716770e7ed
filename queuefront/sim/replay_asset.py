"""The state of one replayed asset: its tape, both halves of the engine, and the order bus between them."""

from __future__ import annotations

import numpy as np

from queuefront.bot import Struct, new_orders, new_table, struct
from queuefront.core.dtypes import EVENT, ORDER, OWN_STEP, TRACE
from queuefront.core.jit import compiled

__all__ = ["ReplayAsset", "new_asset"]


@struct(
    "spec state models fee_tiers funding "
    # the tape, read-only
    "ev op exch_ts local_ts level lots best_bid_exch best_ask_exch best_bid_local best_ask_local levels "
    "order_no order_id prior_level prior_lots prior_row "
    "rows_by_place place_starts block_exch_ts block_local_ts block_high block_low "
    # exchange half
    "exch_lots place_cursor cleared_row turns is_waited taken_lots "
    "own_count resting resting_ids resting_table bid_queue ask_queue "
    # order bus and latencies
    "requests responses latency_rows answered_rows entry_samples response_samples "
    # local half
    "local_lots range_bids range_asks range_bids_shown range_asks_shown orders trades links link_lots link_ids ends "
    "own_steps "
    # what is recorded
    "fills changes samples traces "
    # for models of one's own
    "queue_params latency_params fee_params exchange_params memory"
)
class ReplayAsset(Struct):
    """One replayed asset; the records are described in `core.dtypes`.

    spec : ASSET_SPEC[1].   state : ASSET_STATE[1].   ev … levels : the tape's columns.
    models : ModelFunctions, see `hooks`.   fee_tiers : FEE_TIER[n].   funding : FUNDING[n], by time.
    order_no … prior_row : the tape's columns of a market by order; empty otherwise.
    rows_by_place … block_low : see `feed.replay_index_compiled`.
    exch_lots, local_lots : int64[2 × levels], lots by level and side: bids at 2 × level, asks at 2 × level + 1. What the
        exchange has is brought up to date where it is asked for, see `place_compiled`.
    place_cursor, cleared_row, turns, is_waited : see `place_compiled`.
    taken_lots : int64[2 × levels], what we have taken since the market set the level; empty unless liquidity is honest.
    range_bids, range_asks : float64[ticks of the range], quantities of a bounded book, see `range_view_compiled`; empty
        without bounds.   range_bids_shown, range_asks_shown : the same memory, read-only.
    own_count : int32[2 × levels], how many of our orders rest there.
    resting : ORDER[capacity], our orders in the exchange's book; free places are chained by `order_lots`.
    resting_ids, resting_table : see `bot.id_table_compiled`.
    bid_queue, ask_queue : int64[capacity, 2], (tick, place in resting); the best price last, and within a price the
        earliest last, so that the next order to fill is at the end.
    requests, responses : ORDER[power of two], rings indexed by the heads and tails of `state`.
    latency_rows, answered_rows : LATENCY[n], the measured round trips, and those that the exchange did not refuse.
    entry_samples, response_samples : int64[n], ns, of the sampled latency model.
    links … ends : the market's queues, see `queue_view_compiled`; empty until they are asked for.
    own_steps : OWN_STEP, grown as needed; empty unless liquidity is honest.
    orders : Orders, as the strategy believes them.   trades : EVENT[capacity], shown by last_trades.
    fills, changes, samples, traces : FILL, ORDER_CHANGE, SAMPLE, TRACE; grown as needed.
    queue_params … exchange_params : float64[n], what the user gave with a model of his own.   memory : float64[16], for
        them to keep what they like; 0 at the start.
    """


@compiled
def new_asset(  # tidy: allow size: one line a field
    layout, spec, state, models, tables, columns, bests, levels, prior, index, book, latencies, kept, params, views
):  # fmt: skip
    """Return a replayed asset before its first event.

    layout : LAYOUT.   models : ModelFunctions.   tables : (fee_tiers, funding).
    columns : (ev, op, exch_ts, local_ts, level, lots).   bests : the tape's four columns of best levels.
    prior : (order_no, order_id, prior_level, prior_lots, prior_row), empty unless the market is by order.
    index : (rows_by_place, place_starts, block_exch_ts, block_local_ts, block_high, block_low).
    book : (exch_lots, taken_lots, local_lots).   params : (queue_params, latency_params, fee_params, exchange_params).
    latencies : (latency_rows, answered_rows, entry_samples, response_samples).   kept : (fills, changes, samples), empty.
    views : (range_bids … range_asks_shown).
    """
    capacity = 64
    resting = np.zeros(capacity, ORDER)
    resting["order_lots"][:] = np.arange(1, capacity + 1)
    return ReplayAsset(
        spec,
        state,
        models,
        tables[0],
        tables[1],
        columns[0],
        columns[1],
        columns[2],
        columns[3],
        columns[4],
        columns[5],
        bests[0],
        bests[1],
        bests[2],
        bests[3],
        levels,
        prior[0],
        prior[1],
        prior[2],
        prior[3],
        prior[4],
        index[0],
        index[1],
        index[2],
        index[3],
        index[4],
        index[5],
        book[0],
        index[1][:-1].copy(),
        np.full(len(book[0]), -1, np.int32),
        np.zeros(capacity, np.int32),
        np.zeros(len(book[0]), np.bool_),
        book[1],
        np.zeros(len(book[0]), np.int32),
        resting,
        np.zeros(capacity, np.int64),
        new_table(capacity),
        np.zeros((capacity, 2), np.int64),
        np.zeros((capacity, 2), np.int64),
        np.zeros(capacity, ORDER),
        np.zeros(capacity, ORDER),
        latencies[0],
        latencies[1],
        latencies[2],
        latencies[3],
        book[2],
        views[0],
        views[1],
        views[2],
        views[3],
        new_orders(layout, spec),
        np.zeros(0, EVENT),
        np.zeros((0, 3), np.int32),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, 2), np.int32),
        np.zeros(0, OWN_STEP),
        kept[0],
        kept[1],
        kept[2],
        np.zeros(0, TRACE),
        params[0],
        params[1],
        params[2],
        params[3],
        np.zeros(16, np.float64),
    )
