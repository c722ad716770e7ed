"""The strategies of hftbacktest's notebooks, each with the calls that it makes, written anew and shorter; see `reading`."""

import warnings

import numpy as np
from hftbacktest import (
    BUY,
    BUY_EVENT,
    GTC,
    GTX,
    LIMIT,
    SELL,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    Recorder,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.data.utils.feed_order_latency import generate_order_latency
from hftbacktest.stats import (
    SR,
    AnnualRet,
    DailyNumberOfTrades,
    LinearAssetRecord,
    MaxDrawdown,
    MaxLeverage,
    MaxPositionValue,
    Metric,
    Ret,
    Sortino,
)
from numba import njit, uint64
from numba.typed import Dict


def asset_of(market):
    return (
        BacktestAsset()
        .data([market["feed"]])
        .initial_snapshot(market["snapshot"])
        .linear_asset(1.0)
        .intp_order_latency([market["latency"]])
        .power_prob_queue_model(2.0)
        .no_partial_fill_exchange()
        .trading_value_fee_model(-0.00005, 0.0007)
        .tick_size(market["tick_size"])
        .lot_size(market["lot_size"])
        .roi_lb(market["low"])
        .roi_ub(market["high"])
        .last_trades_capacity(10_000)
    )


@njit
def update_quotes(hbt, asset_no, bid, ask, step, levels, qty, max_position, tif):
    """Cancel what is not in the grid around two prices, and post what is missing."""
    tick_size = hbt.depth(asset_no).tick_size
    position = hbt.position(asset_no)
    orders = hbt.orders(asset_no)
    new_bids, new_asks = Dict.empty(np.uint64, np.float64), Dict.empty(np.uint64, np.float64)
    if position < max_position and np.isfinite(bid):
        for _ in range(levels):
            new_bids[uint64(round(bid / tick_size))] = bid
            bid -= step
    if position > -max_position and np.isfinite(ask):
        for _ in range(levels):
            new_asks[uint64(round(ask / tick_size))] = ask
            ask += step
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.cancellable and (
            (order.side == BUY and order.order_id not in new_bids)
            or (order.side == SELL and order.order_id not in new_asks)
        ):
            hbt.cancel(asset_no, order.order_id, False)
    for order_id, price in new_bids.items():
        if order_id not in orders:
            hbt.submit_buy_order(asset_no, order_id, price, qty, tif, LIMIT, False)
    for order_id, price in new_asks.items():
        if order_id not in orders:
            hbt.submit_sell_order(asset_no, order_id, price, qty, tif, LIMIT, False)


@njit
def around(fair, half_spread, depth, step):
    """Return the prices of a quote pair that does not cross the market, on the grid."""
    bid = np.minimum(fair - half_spread, depth.best_bid)
    ask = np.maximum(fair + half_spread, depth.best_ask)
    return np.floor(bid / step) * step, np.ceil(ask / step) * step


def played(hbt, strategy, *arguments, assets=1):
    recorder = Recorder(assets, 100_000)
    strategy(hbt, recorder.recorder, *arguments)
    hbt.close()
    return recorder


# --- High-Frequency Grid Trading; … - Simplified from GLFT; … - Comparison Across Other Exchanges ----------------------
@njit
def grid(hbt, recorder, half_spread, skew, qty):
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        step = depth.tick_size
        fair = (depth.best_bid + depth.best_ask) / 2.0 - skew * hbt.position(0) / qty * depth.tick_size
        bid, ask = around(fair, half_spread * depth.tick_size, depth, step)
        update_quotes(hbt, 0, bid, ask, step, 10, qty, 20 * qty, GTX)
        recorder.record(hbt)
    return True


class TradesOverDrawdown(Metric):
    """A metric of one's own, from two others."""

    def compute(self, df, context):
        return {"TradesOverDrawdown": context["DailyNumberOfTrades"] / context["MaxDrawdown"]}


def high_frequency_grid_trading(market):
    recorder = played(ROIVectorMarketDepthBacktest([asset_of(market)]), grid, 1.0, 0.5, market["qty"])
    record = LinearAssetRecord(recorder.get(0)).resample("1s")
    metrics = [SR("SR1", trading_days_per_year=365), Sortino, Ret, AnnualRet, MaxDrawdown, DailyNumberOfTrades]
    stats = record.stats(metrics=[*metrics, TradesOverDrawdown(), MaxLeverage, MaxPositionValue], book_size=100_000)
    stats.plot()
    stats.summary(pretty=True)
    return {"records": recorder.get(0), "summary": stats.summary()}


# --- Making Multiple Markets, its introduction and its second part ----------------------------------------------------
@njit
def many_grids(hbt, recorder, qty):
    while hbt.elapse(100_000_000) == 0:
        for asset_no in range(hbt.num_assets):
            hbt.clear_inactive_orders(asset_no)
            depth = hbt.depth(asset_no)
            step = depth.tick_size * (1 + asset_no)
            fair = (depth.best_bid + depth.best_ask) / 2.0 - hbt.position(asset_no) / qty * depth.tick_size
            bid, ask = around(fair, step, depth, step)
            update_quotes(hbt, asset_no, bid, ask, step, 5, qty, 10 * qty, GTX)
        recorder.record(hbt)
    return True


def making_multiple_markets(market):
    hbt = ROIVectorMarketDepthBacktest([asset_of(market), asset_of(market | {"feed": market["other_feed"]})])
    recorder = played(hbt, many_grids, market["qty"], assets=2)
    recorder.to_npz(market["folder"] + "/stats_example.npz")
    saved = np.load(market["folder"] + "/stats_example.npz")
    return {"first": saved["0"], "second": saved["1"]}


# --- GLFT Market Making Model and Grid Trading ------------------------------------------------------------------------
@njit
def regression(x, y):
    sx, sy = np.sum(x), np.sum(y)
    slope = (len(x) * np.sum(x * y) - sx * sy) / (len(x) * np.sum(x**2) - sx**2)
    return slope, (sy - slope * sx) / len(x)


@njit
def intensity(depths, out):
    longest = 0
    for depth in depths:
        if np.isfinite(depth):
            tick = round(depth / 0.5) - 1
            if 0 <= tick < len(out):
                out[:tick] += 1
                longest = max(longest, tick)
    return out[:longest]


@njit
def glft(hbt, recorder, qty, gamma, adj):
    depths = np.full(100_000, np.nan)
    moves = np.full(100_000, np.nan)
    counts, ticks = np.zeros(500), np.arange(500) + 0.5
    t = 0
    last_mid = mid = np.nan
    sigma, a, k = np.nan, np.nan, np.nan
    while hbt.elapse(100_000_000) == 0:
        if not np.isnan(mid):
            reach = -np.inf
            for trade in hbt.last_trades(0):
                tick = trade.px / hbt.depth(0).tick_size
                if trade.ev & BUY_EVENT == BUY_EVENT:
                    reach = np.nanmax([tick - mid, reach])
                else:
                    reach = np.nanmax([mid - tick, reach])
            depths[t] = reach
        hbt.clear_last_trades(0)
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        last_mid, mid = mid, (depth.best_bid_tick + depth.best_ask_tick) / 2.0
        moves[t] = mid - last_mid
        if t % 20 == 0 and t >= 100:
            counts[:] = 0
            rates = intensity(depths[t - 100 : t + 1], counts)
            if len(rates) > 2:
                rates = rates[:70] / 10
                slope, log_a = regression(ticks[: len(rates)], np.log(rates))
                a, k = np.exp(log_a), -slope
            sigma = np.nanstd(moves[t - 100 : t + 1]) * np.sqrt(10)
        c1 = 1 / gamma * np.log(1 + gamma / k)
        c2 = np.sqrt(np.divide(gamma, 2 * a * k) * ((1 + gamma / k) ** (k / gamma + 1)))
        half_spread = (c1 + sigma * c2 / 2) * adj
        fair = mid - sigma * c2 * adj * hbt.position(0) / qty
        bid_tick = min(np.round(fair - half_spread), depth.best_bid_tick)
        ask_tick = max(np.round(fair + half_spread), depth.best_ask_tick)
        step = max(np.round(half_spread), 1) * depth.tick_size if np.isfinite(half_spread) else depth.tick_size
        bid, ask = np.floor(bid_tick * depth.tick_size / step) * step, np.ceil(ask_tick * depth.tick_size / step) * step
        update_quotes(hbt, 0, bid, ask, step, 5, qty, 10 * qty, GTX)
        recorder.record(hbt)
        t += 1
        if t >= len(depths):
            raise Exception  # noqa: TRY002 - as the notebooks end
    return True


def glft_market_making_model_and_grid_trading(market):
    recorder = played(ROIVectorMarketDepthBacktest([asset_of(market)]), glft, market["qty"], 0.05, 1.0)
    return {"records": recorder.get(0)}


# --- Market Making with Alpha - Order Book Imbalance ------------------------------------------------------------------
@njit
def obi(hbt, recorder, qty, looking, window, c1):
    series = np.full(100_000, np.nan)
    t = 0
    while hbt.elapse(200_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        low = depth.roi_lb_tick
        mid = (depth.best_bid + depth.best_ask) / 2.0
        asks = bids = 0.0
        upto = min(int(np.floor(mid * (1 + looking) / depth.tick_size)), depth.roi_ub_tick)
        for tick in range(max(depth.best_ask_tick, low), upto):
            asks += depth.ask_depth[tick - low]
        upto = max(int(np.ceil(mid * (1 - looking) / depth.tick_size)), low)
        for tick in range(min(depth.best_bid_tick, depth.roi_ub_tick), upto, -1):
            bids += depth.bid_depth[tick - low]
        series[t] = bids - asks
        recent = series[max(0, t + 1 - window) : t + 1]
        alpha = np.divide(series[t] - np.nanmean(recent), np.nanstd(recent))
        fair = mid + c1 * alpha * depth.tick_size - hbt.position(0) / qty * depth.tick_size
        bid, ask = around(fair, depth.tick_size, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 1, qty, 10 * qty, GTX)
        recorder.record(hbt)
        t += 1
    return True


def order_book_imbalance(market):
    hbt = ROIVectorMarketDepthBacktest([asset_of(market)])
    return {"records": played(hbt, obi, market["qty"], 0.0005, 50, 2.0).get(0)}


# --- Market Making with Alpha - Basis; … - APT ------------------------------------------------------------------------
@njit
def with_precomputed(hbt, recorder, qty, data):
    row = 0
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        while row < len(data) - 1 and data[row + 1, 0] <= hbt.current_timestamp:
            row += 1
        depth = hbt.depth(0)
        fair = data[row, 1] * (1.0 + data[row, 2]) - hbt.position(0) / qty * depth.tick_size
        bid, ask = around(fair, depth.tick_size, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 2, qty, 10 * qty, GTX)
        recorder.record(hbt)
    return True


def basis_and_apt(market):
    data = np.load(market["feed"])["data"]
    trades = data[(data["ev"] & 0xFF) == 2]
    past = np.convolve(trades["px"], np.ones(20) / 20)[: len(trades)]
    table = np.column_stack([trades["local_ts"].astype(np.float64), trades["px"], trades["px"] / past - 1])[20:]
    hbt = ROIVectorMarketDepthBacktest([asset_of(market)])
    return {"records": played(hbt, with_precomputed, market["qty"], table).get(0)}


# --- Queue-Based Market Making in Large Tick Size Assets --------------------------------------------------------------
@njit
def queue_based(hbt, recorder, qty):
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        traded = 0.0
        for trade in hbt.last_trades(0):
            traded += trade.qty
        hbt.clear_last_trades(0)
        low = depth.roi_lb_tick
        bid_qty, ask_qty = depth.bid_depth[depth.best_bid_tick - low], depth.ask_depth[depth.best_ask_tick - low]
        pressure = (depth.best_bid * ask_qty + depth.best_ask * bid_qty) / (bid_qty + ask_qty)
        half = depth.tick_size * 0.49
        fair = pressure - half / 10 * hbt.position(0) / qty
        bid, ask = around(fair, half, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 10, qty, 10 * qty, GTX)
        recorder.record(hbt)
    return True


def queue_based_market_making(market):
    recorder = played(ROIVectorMarketDepthBacktest([asset_of(market)]), queue_based, market["qty"])
    return {"records": recorder.get(0)}


# --- Impact of Order Latency ------------------------------------------------------------------------------------------
@njit
def timed_grid(hbt, recorder, qty, out):
    n = 0
    while hbt.elapse(250_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        latency = hbt.order_latency(0)
        if latency is not None:
            out[n, 0], out[n, 1], out[n, 2] = latency
            n += 1
        bid, ask = around((depth.best_bid + depth.best_ask) / 2.0, 0.0, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 1, qty, 10 * qty, GTX)
        recorder.record(hbt)
    return n


def impact_of_order_latency(market):
    found = {}
    files = market["folder"] + "/made_latency.npz"
    generate_order_latency(market["feed"], files, mul_entry=2, mul_resp=1)
    measured = np.load(files)["data"]  # hftbacktest reads arrays in place: it must live as long as the backtest
    for name, setter in {
        "none": lambda asset: asset.constant_order_latency(0, 0),
        "constant": lambda asset: asset.constant_order_latency(5_000_000, 8_000_000),
        "measured": lambda asset: asset.intp_order_latency(measured),
        "made": lambda asset: asset.intp_order_latency(files, 1_000),
    }.items():
        hbt = ROIVectorMarketDepthBacktest([setter(asset_of(market))])
        latencies = np.zeros((1000, 3), np.int64)
        found[name] = played(hbt, timed_grid, market["qty"], latencies).get(0)
        # Row D6: of a cancel the reference names another request time.
        found[f"{name} latencies"] = latencies[:, 1:]
    return found


# --- Probability Queue Models -----------------------------------------------------------------------------------------
def probability_queue_models(market):
    found = {}
    for name, arguments in (
        ("risk_adverse_queue_model", ()),
        ("log_prob_queue_model", ()),
        ("log_prob_queue_model2", ()),
        ("power_prob_queue_model", (3.0,)),
        ("power_prob_queue_model2", (3.0,)),
        ("power_prob_queue_model3", (3.0,)),
    ):
        asset = getattr(asset_of(market), name)(*arguments)
        found[name] = played(ROIVectorMarketDepthBacktest([asset]), queue_based, market["qty"]).get(0)
    return found


# --- Level-3 Backtesting ----------------------------------------------------------------------------------------------
@njit
def level3_grid(hbt, recorder, skew):
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        fair = (depth.best_bid + depth.best_ask) / 2.0 - skew * depth.tick_size * hbt.position(0)
        bid, ask = around(fair, depth.tick_size * 0.4, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 10, 1, 5, GTC)
        recorder.record(hbt)
    return True


def level_3_backtesting(market):
    asset = BacktestAsset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old name
        asset.constant_latency(100_000, 100_000)
    asset = (
        asset.data([market["orders"]])
        .linear_asset(5)
        .l3_fifo_queue_model(*market["fifo"])
        .no_partial_fill_exchange()
        .trading_qty_fee_model(5, 5)
        .tick_size(market["orders_tick_size"])
        .lot_size(market["orders_lot_size"])
        .roi_lb(0.0)
        .roi_ub(market["high"])
    )
    return {"records": played(ROIVectorMarketDepthBacktest([asset]), level3_grid, 0.5).get(0)}


# --- Accelerated Backtesting: its full backtest, with which the shortened one is compared --------------------------------
@njit
def one_level(hbt, recorder, qty):
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        fair = (depth.best_bid + depth.best_ask) / 2.0 - hbt.position(0) / qty * depth.tick_size
        bid, ask = around(fair, depth.tick_size, depth, depth.tick_size)
        update_quotes(hbt, 0, bid, ask, depth.tick_size, 1, qty, 10 * qty, GTX)
        recorder.record(hbt)
    return True


def accelerated_backtesting(market):
    recorder = played(HashMapMarketDepthBacktest([asset_of(market)]), one_level, market["qty"])
    return {"records": recorder.get(0)}
