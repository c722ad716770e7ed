"""What hftbacktest's notebooks do with a market: look at it, prepare it, join other data to it. Written anew and shorter.

A script for hftbacktest. The test changes `hftbacktest` in the import lines to our name, and nothing else, and runs it too.
Each function is named after its notebook, takes the files of a market and returns what came out.
"""

import warnings

import numpy as np
import polars as pl
from hftbacktest import (
    ALL_ASSETS,
    BUY_EVENT,
    CANCELED,
    EXCH_EVENT,
    EXPIRED,
    FILLED,
    GTC,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    NEW,
    NONE,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    Recorder,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from hftbacktest.data import FuseMarketDepth, correct_event_order, correct_local_timestamp, validate_event_order
from hftbacktest.data.utils import binancefutures
from hftbacktest.data.utils.difforderbooksnapshot import INSERTED, DiffOrderBookSnapshot
from hftbacktest.data.utils.feed_order_latency import generate_order_latency
from hftbacktest.data.utils.snapshot import create_last_snapshot
from hftbacktest.stats import LinearAssetRecord
from numba import njit
from numba.typed import List
from numba.types import Tuple, float64


def asset_of(market):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebooks use the old name of constant_order_latency
        asset = BacktestAsset().constant_latency(10_000_000, 10_000_000)
    return (
        asset.data([market["feed"]])
        .initial_snapshot(market["snapshot"])
        .linear_asset(1.0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0007)
        .tick_size(market["tick_size"])
        .lot_size(market["lot_size"])
        .last_trades_capacity(10_000)
        .roi_lb(market["low"])
        .roi_ub(market["high"])
    )


# --- Getting Started --------------------------------------------------------------------------------------------------
@njit
def show_orders(hbt):
    values = hbt.orders(0).values()
    while values.has_next():
        order = values.get()
        status = "?"
        if order.status == NONE:
            status = "NONE"
        elif order.status == NEW:
            status = "NEW"
        elif order.status == FILLED:
            status = "FILLED"
        elif order.status == CANCELED:
            status = "CANCELED"
        elif order.status == EXPIRED:
            status = "EXPIRED"
        print(hbt.current_timestamp, order.order_id, np.round(order.price, 1), order.qty, status, order.req == CANCELED)


@njit
def quote_and_show(hbt, recorder):
    is_first = True
    while hbt.elapse(2 * 1e9) == 0:
        depth = hbt.depth(0)
        print("now", hbt.current_timestamp, "bid", np.round(depth.best_bid, 1), "ask", np.round(depth.best_ask, 1))
        shown = 0
        for tick in range(depth.best_ask_tick, depth.best_ask_tick + 100):
            qty = depth.ask_qty_at_tick(tick)
            if qty > 0:
                print("ask", np.round(qty, 3), np.round(tick * depth.tick_size, 1))
                shown += 1
                if shown == 3:
                    break
        for tick in range(depth.best_bid_tick, max(depth.best_bid_tick - 100, 0), -1):
            if depth.bid_qty_at_tick(tick) > 0:
                print("bid", np.round(depth.bid_qty_at_tick(tick), 3), np.round(tick * depth.tick_size, 1))
        show_orders(hbt)
        if is_first:
            hbt.submit_buy_order(0, 1, depth.best_bid - 300 * depth.tick_size, 1, GTC, LIMIT, False)
            hbt.submit_buy_order(0, 2, depth.best_ask + 10 * depth.tick_size, 1, GTC, LIMIT, True)
            hbt.submit_sell_order(0, 3, depth.best_bid - 10 * depth.tick_size, 1, GTX, LIMIT, False)
            is_first = False
        elif 1 in hbt.orders(0) and hbt.orders(0).get(1).cancellable:
            hbt.cancel(0, 1, False)
            print("answer", hbt.wait_order_response(0, 1, 5_000_000_000))
        hbt.clear_inactive_orders(ALL_ASSETS)
        recorder.record(hbt)
    return True


def getting_started(market):
    hbt = HashMapMarketDepthBacktest([asset_of(market)])
    recorder = Recorder(1, 1000)
    quote_and_show(hbt, recorder.recorder)
    hbt.close()
    stats = LinearAssetRecord(recorder.get(0)).stats()
    stats.plot()
    return {"records": recorder.get(0), "summary": stats.summary()}


# --- Working with Market Depth and Trades -----------------------------------------------------------------------------
@njit
def imbalance_and_volume(hbt, out):
    while hbt.elapse(1 * 1e9) == 0:
        depth = hbt.depth(0)
        low, high = depth.roi_lb_tick, depth.roi_ub_tick
        mid = (depth.best_bid + depth.best_ask) / 2.0
        asks = bids = 0.0
        for tick in range(depth.best_ask_tick, high + 1):
            if (tick * depth.tick_size - mid) / mid > 0.0005:
                break
            asks += depth.ask_depth[tick - low]
        for tick in range(depth.best_bid_tick, low - 1, -1):
            if (mid - tick * depth.tick_size) / mid > 0.0005:
                break
            bids += depth.bid_depth[tick - low]
        at_touch = depth.bid_depth[depth.best_bid_tick - low] - depth.ask_depth[depth.best_ask_tick - low]
        bought = sold = 0.0
        for trade in hbt.last_trades(0):
            if trade.ev & BUY_EVENT == BUY_EVENT:
                bought += trade.qty * trade.px
            else:
                sold += trade.qty * trade.px
        hbt.clear_last_trades(0)
        out.append((hbt.current_timestamp, at_touch, bids - asks, bought - sold))
    return True


def working_with_market_depth_and_trades(market):
    hbt = ROIVectorMarketDepthBacktest([asset_of(market)])
    out = List.empty_list(Tuple((float64, float64, float64, float64)), allocated=1000)
    imbalance_and_volume(hbt, out)
    hbt.close()
    return {"rows": pl.DataFrame(list(out), orient="row").to_numpy()}


# --- Fusing Depth Data ------------------------------------------------------------------------------------------------
@njit
def best_prices(hbt, timeout):
    out = np.full((100_000, 5), np.nan, np.float64)
    t = 0
    last = np.full(4, np.nan)
    while hbt.wait_next_feed(False, timeout) in [0, 2]:
        depth = hbt.depth(0)
        now = np.array(
            [
                depth.best_bid,
                depth.best_ask,
                depth.bid_qty_at_tick(depth.best_bid_tick),
                depth.ask_qty_at_tick(depth.best_ask_tick),
            ]
        )
        if (now != last).any():
            out[t, 0] = hbt.current_timestamp
            out[t, 1:] = now
            last = now
            t += 1
            if t >= len(out):
                raise Exception  # noqa: TRY002 - as the notebooks end
    return out[:t]


@njit
def fuse(events, tick_size, lot_size):
    depth = FuseMarketDepth(tick_size, lot_size)
    for i in range(len(events)):
        kind = events[i].ev & 0xFF
        if kind == 1 or kind == 4 or kind == 5:
            depth.process_event(events, i, True)
    rows = depth.fused_events.copy()
    depth.close()
    return rows


def fusing_depth_data(market):
    hbt = ROIVectorMarketDepthBacktest([asset_of(market)])
    bests = best_prices(hbt, 100_000_000)
    hbt.close()
    fused = fuse(np.load(market["feed"])["data"], market["tick_size"], market["lot_size"])
    return {"bests": bests, "fused": fused}


# --- Order Latency Data, Impact of Order Latency ----------------------------------------------------------------------
def order_latency_data(market):
    feed = pl.DataFrame(np.load(market["feed"])["data"])
    both = EXCH_EVENT | LOCAL_EVENT
    feed = feed.filter(pl.col("ev") & both == both).with_columns(pl.col("local_ts").alias("ts"))
    rows = feed.group_by_dynamic("ts", every="1000000000i").agg(pl.col("exch_ts").last(), pl.col("local_ts").last())
    made = generate_order_latency(market["feed"], mul_entry=4, mul_resp=3)
    return {"sampled": rows.drop("ts").to_numpy(), "latencies": made}


# --- Integrating Custom Data ------------------------------------------------------------------------------------------
@njit
def basis(hbt, spot, out):
    row = n = 0
    while hbt.elapse(500_000_000) == 0:
        while row < len(spot) and spot[row, 0] <= hbt.current_timestamp:
            row += 1
        price = spot[row - 1, 1] if row > 0 else np.nan
        depth = hbt.depth(0)
        out[n, 0], out[n, 1] = hbt.current_timestamp, (depth.best_bid + depth.best_ask) / 2.0 - price
        latency = hbt.feed_latency(0)
        if latency is not None:
            exch_ts, local_ts = latency
            out[n, 2] = local_ts - exch_ts
        n += 1
    return out[:n]


def integrating_custom_data(market):
    """Join a series of one's own to the market twice: beside it, and as rows of a kind of one's own."""
    data = np.load(market["feed"])["data"]
    trades = data[(data["ev"] & 0xFF) == 2]
    spot = np.column_stack([trades["local_ts"].astype(np.float64), trades["px"] - 5.0])
    own = trades[::10].copy()
    own["ev"] = 110 | LOCAL_EVENT
    joined = np.concatenate([data, own]).astype(event_dtype)
    joined = joined[np.argsort(joined["local_ts"], kind="stable")]
    joined = correct_event_order(
        joined, np.argsort(joined["exch_ts"], kind="mergesort"), np.argsort(joined["local_ts"], kind="mergesort")
    )
    validate_event_order(joined)
    asset = asset_of(market | {"feed": joined})
    hbt = HashMapMarketDepthBacktest([asset])
    out = basis(hbt, spot, np.full((1000, 3), np.nan))
    hbt.close()
    return {"joined": joined, "rows": out}


# --- Data Preparation -------------------------------------------------------------------------------------------------
@njit
def changes(prices, qtys, tick_size, lot_size):
    """Count how the levels of whole books change: what the converters of venues that send whole books do."""
    diff = DiffOrderBookSnapshot(prices.shape[2], tick_size, lot_size)
    inserted = gone = 0
    for i in range(len(prices)):
        bids, asks, bids_gone, asks_gone = diff.snapshot(prices[i, 0], qtys[i, 0], prices[i, 1], qtys[i, 1])
        for k in range(prices.shape[2]):
            inserted += (bids[k, 2] == INSERTED) + (asks[k, 2] == INSERTED)
        gone += len(bids_gone) + len(asks_gone)
    return inserted, gone


def data_preparation(market):
    data = binancefutures.convert(market["lines"])
    moved = data.copy()
    moved["local_ts"] -= 100_000_000
    moved = correct_local_timestamp(moved, 0)
    end = create_last_snapshot(
        [market["feed"]],
        tick_size=market["tick_size"],
        lot_size=market["lot_size"],
        initial_snapshot=market["snapshot"],
    )
    rng = np.random.default_rng(5)
    steps = np.sort(rng.choice(np.arange(40), (30, 2, 8)), axis=2)
    steps += np.arange(8) * 40  # so that no level is there twice
    steps[:, 0] = steps[:, 0, ::-1]
    counts = changes(steps * 0.5, rng.integers(1, 4, (30, 2, 8)) * 1.0, 0.5, 1.0)
    return {"converted": data, "moved": moved, "end": end, "changes": np.array(counts)}
