"""The strategies of hftbacktest's notebooks, each with the calls that it makes, written anew and shorter; see `reading`."""

import warnings

import numpy as np
import polars as pl
from hftbacktest import (
    BUY,
    BUY_EVENT,
    GTC,
    GTX,
    LIMIT,
    SELL,
    SELL_EVENT,
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


def asset_of(market, files=None):
    return (
        BacktestAsset()
        .data(files or [market["feed"]])
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
def update_quotes(hbt, asset_no, bid, ask, step, levels, qty, max_position, tif, widens=False):
    """Cancel what is not in the grid around two prices, and post what is missing; a grid may widen from level to level."""
    tick_size = hbt.depth(asset_no).tick_size
    position = hbt.position(asset_no)
    orders = hbt.orders(asset_no)
    new_bids, new_asks = Dict.empty(np.uint64, np.float64), Dict.empty(np.uint64, np.float64)
    if position < max_position and np.isfinite(bid):
        for i in range(levels):
            if widens or i > 0:
                bid -= i * step if widens else step
            new_bids[uint64(round(bid / tick_size))] = bid
    if position > -max_position and np.isfinite(ask):
        for i in range(levels):
            if widens or i > 0:
                ask += i * step if widens else step
            new_asks[uint64(round(ask / tick_size))] = ask
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


# --- High-Frequency Grid Trading; … - Comparison Across Other Exchanges -------------------------------------------------
@njit
def grid(hbt, recorder, half_spread, interval, qty, limit):
    """Keep orders at fixed distances around the middle."""
    tick_size = hbt.depth(0).tick_size
    step = tick_size * interval
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        mid = (depth.best_bid + depth.best_ask) / 2.0
        bid = np.floor((mid - tick_size * half_spread) / step) * step
        ask = np.ceil((mid + tick_size * half_spread) / step) * step
        update_quotes(hbt, 0, bid, ask, step, 20, qty, limit, GTX)
        recorder.record(hbt)
    return True


@njit
def skewed_grid(hbt, recorder, half_spread, interval, skew, qty, limit):
    """Move the grid against the position, without crossing the market."""
    tick_size = hbt.depth(0).tick_size
    step = tick_size * interval
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        fair = (depth.best_bid + depth.best_ask) / 2.0 - skew * tick_size * hbt.position(0)
        bid, ask = around(fair, tick_size * half_spread, depth, step)
        update_quotes(hbt, 0, bid, ask, step, 20, qty, limit, GTX)
        recorder.record(hbt)
    return True


# --- … - Simplified from GLFT ------------------------------------------------------------------------------------------
@njit
def by_volatility(hbt, recorder, volatility_share, step_min, skew, value, value_max, window):
    """Quote a grid around the price that the quantities at the best prices lean to, as far away as the market moves."""
    tick_size, lot_size = hbt.depth(0).tick_size, hbt.depth(0).lot_size
    moves = np.full(100_000, np.nan)
    t, last_mid, sigma = 0, np.nan, np.nan
    while hbt.elapse(100_000_000) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid_qty, ask_qty = depth.best_bid_qty, depth.best_ask_qty
        fair = (depth.best_bid * ask_qty + depth.best_ask * bid_qty) / (bid_qty + ask_qty)
        mid = (depth.best_bid + depth.best_ask) / 2.0
        moves[t] = mid / tick_size - last_mid
        last_mid = mid / tick_size
        if t % 20 == 0 and t >= window - 1:
            sigma = np.nanstd(moves[t + 1 - window : t + 1]) * np.sqrt(10)
        lean = skew * hbt.position(0) * mid / value_max
        half_spread = sigma * volatility_share
        qty = max(round((value / mid) / lot_size), 1) * lot_size
        step = max(np.round(half_spread * tick_size / step_min) * step_min, step_min)
        bid = np.floor(np.minimum(fair - half_spread * (1 + lean) * tick_size, depth.best_bid) / step) * step
        ask = np.ceil(np.maximum(fair + half_spread * (1 - lean) * tick_size, depth.best_ask) / step) * step
        update_quotes(hbt, 0, bid, ask, step, 20, qty, value_max / mid, GTX)
        t += 1
        if t >= len(moves):
            raise Exception  # noqa: TRY002 - as the notebook ends
        recorder.record(hbt)


class TradesOverDrawdown(Metric):
    """A metric of one's own, from two others."""

    def compute(self, df, context):
        return {"TradesOverDrawdown": context["DailyNumberOfTrades"] / context["MaxDrawdown"]}


def high_frequency_grid_trading(market):
    # A quantity whose sums are exact: with 0.1, as there, a limit of 5 is passed at 4.999999999999999 (row D60).
    qty, limit, found = 0.125, 5.0, {}
    # Quantities at the best prices are prices in hftbacktest's vector book (row D14), which the simplified one uses there.
    for name, strategy, book, numbers in (
        ("plain", grid, ROIVectorMarketDepthBacktest, (4, 2, qty, limit)),
        ("skewed", skewed_grid, ROIVectorMarketDepthBacktest, (2, 2, 1.0, qty, limit)),
        ("simplified", by_volatility, HashMapMarketDepthBacktest, (0.5, market["tick_size"], 1.0, 7_500, 75_000, 100)),
    ):
        asset = asset_of(market, market["parts"]).intp_order_latency([market["latency"], market["later_latency"]])
        recorder = played(book([asset]), strategy, *numbers)
        found[name] = recorder.get(0)
        found[f"{name}, summary"] = LinearAssetRecord(recorder.get(0)).stats(book_size=10_000).summary()
    record = LinearAssetRecord(found["skewed"]).resample("1s")
    metrics = [SR("SR1", trading_days_per_year=365), Sortino, Ret, AnnualRet, MaxDrawdown, DailyNumberOfTrades]
    stats = record.stats(metrics=[*metrics, TradesOverDrawdown(), MaxLeverage, MaxPositionValue], book_size=100_000)
    stats.plot()
    stats.summary(pretty=True)
    found["summary"] = stats.summary()
    return found


# --- GLFT Market Making Model and Grid Trading, on which three notebooks more are built ---------------------------------
@njit
def regression(x, y):
    sx, sy = np.sum(x), np.sum(y)
    slope = np.divide(len(x) * np.sum(x * y) - sx * sy, len(x) * np.sum(x**2) - sx**2)
    return slope, np.divide(sy - slope * sx, len(x))


@njit
def intensity(depths, out):
    """Count the trades that would have reached each half tick."""
    longest = 0
    for depth in depths:
        if np.isfinite(depth):
            tick = round(depth / 0.5) - 1
            if 0 <= tick < len(out):
                out[:tick] += 1
                longest = max(longest, tick)
    return out[:longest]


@njit
def coefficients(gamma, xi, a, k):
    """Return how far from the middle, and how far a unit of volatility moves it; of a xi of 0 in the limit."""
    if xi > 0:
        c1 = np.log(1 + xi * np.divide(1, k)) / xi
        return c1, np.sqrt(np.divide(gamma, 2 * a * k) * ((1 + xi * np.divide(1, k)) ** (k / xi + 1)))
    return np.divide(1, k), np.sqrt(np.divide(gamma * np.exp(1), 2 * a * k))


@njit
def glft(hbt, recorder, qty, gamma, xi, skew_share, limit, window, every, from_best, widens):
    """Quote by trades' reach and volatility of a window of steps, which are looked at every so many steps.

    skew_share : of the volatility's coefficient, a unit of position.   from_best : depths count from the best prices.
    """
    depths = np.full(100_000, np.nan)
    moves = np.full(100_000, np.nan)
    counts, ticks = np.zeros(500), np.arange(500) + 0.5
    t = 0
    last_mid = mid = np.nan
    sigma, a, k = np.nan, np.nan, np.nan
    tick_size = hbt.depth(0).tick_size
    while hbt.elapse(100_000_000) == 0:
        if not np.isnan(mid):
            reach = -np.inf
            for trade in hbt.last_trades(0):
                tick = trade.px / tick_size
                reach = max(tick - mid if trade.ev & BUY_EVENT == BUY_EVENT else mid - tick, reach)
            depths[t] = reach
        hbt.clear_last_trades(0)
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        position = hbt.position(0)
        last_mid, mid = mid, (depth.best_bid_tick + depth.best_ask_tick) / 2.0
        moves[t] = mid - last_mid
        if t % every == 0 and t >= window - 1:
            counts[:] = 0
            rates = intensity(depths[t + 1 - window : t + 1], counts)
            if len(rates) > 2:
                rates = rates[:70] / (window / 10)
                slope, log_a = regression(ticks[: len(rates)], np.log(rates))
                a, k = np.exp(log_a), -slope
            sigma = np.nanstd(moves[t + 1 - window : t + 1]) * np.sqrt(10)
        c1, c2 = coefficients(gamma, xi, a, k)
        half_spread = c1 + c2 * sigma / 2
        lean = c2 * sigma * skew_share * position
        if from_best:
            bid_depth, ask_depth = half_spread + lean, half_spread - lean
            if not np.isfinite(bid_depth):
                bid_depth = 1_000
            if not np.isfinite(ask_depth):
                ask_depth = 1_000
            bid_tick = min(depth.best_bid_tick - bid_depth, depth.best_bid_tick)
            ask_tick = max(depth.best_ask_tick + ask_depth, depth.best_ask_tick)
        else:
            bid_tick = min(np.round(mid - lean - half_spread), depth.best_bid_tick)
            ask_tick = max(np.round(mid - lean + half_spread), depth.best_ask_tick)
        step = max(np.round(half_spread) * tick_size, tick_size)
        bid, ask = np.floor(bid_tick * tick_size / step) * step, np.ceil(ask_tick * tick_size / step) * step
        update_quotes(hbt, 0, bid, ask, step, 20, qty, limit, GTX, widens)
        t += 1
        if t >= len(depths):
            raise Exception  # noqa: TRY002 - as the notebooks end
        recorder.record(hbt)


def glft_of(market, asset, gamma, xi, skew_share, limit, from_best=False, widens=False):
    """Play the model with these numbers, `skew_share` and `limit` in units of the order's quantity."""
    qty = quantity_of(market)
    numbers = (qty, gamma, xi, skew_share / qty, limit * qty, 100, 20, from_best, widens)
    return played(ROIVectorMarketDepthBacktest([asset]), glft, *numbers)


def quantity_of(market):
    """Return the quantity of an order of a fixed value, by the middle of the snapshot."""
    rows = np.load(market["snapshot"])["data"]
    best_bid = max(rows[rows["ev"] & BUY_EVENT == BUY_EVENT]["px"])
    best_ask = min(rows[rows["ev"] & SELL_EVENT == SELL_EVENT]["px"])
    return max(round(7_500 / ((best_bid + best_ask) / 2.0) / market["lot_size"]), 1) * market["lot_size"]


def glft_market_making_model_and_grid_trading(market):
    return {"records": glft_of(market, asset_of(market), 0.05, 0.05, 1.0, 10).get(0)}


# --- Making Multiple Markets, and its second part, which sets xi to 0 ----------------------------------------------------
def making_multiple_markets(market):
    found, equity = {}, {}
    latencies = np.concatenate([np.load(market[name])["data"] for name in ("latency", "later_latency")])
    for name in ("feed", "other_feed"):
        for part, numbers in (("", (0.05, 0.05, 1 / 20, 20)), (" 2", (0.01, 0.0, 1.0, 50, True, True))):
            asset = asset_of(market | {"feed": market[name]}).intp_order_latency(latencies)
            asset.roi_lb(0.0).roi_ub(market["high"] * 1.5)
            recorder = glft_of(market, asset, *numbers)
            path = f"{market['folder']}/stats_{name}{part}.npz"
            recorder.to_npz(path)
            found[name + part] = np.load(path)["0"]
            frame = LinearAssetRecord(found[name + part]).resample("5s").stats(book_size=10_000).entire
            equity[name + part] = frame.select("timestamp", (pl.col("equity_wo_fee") - pl.col("fee")).alias(name + part))
    book = equity.pop("feed")
    for frame in equity.values():
        book = book.join(frame, on="timestamp", how="full", coalesce=True)
    book = book.sort("timestamp").fill_null(strategy="forward").fill_null(0.0)
    found["book"] = book.select(total=pl.sum_horizontal(pl.exclude("timestamp")))["total"].to_numpy()
    return found


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
def middles(path, name):
    """Return the price every 100 ms, by the trades of a feed; there, by a quote stream of Tardis."""
    rows = np.load(path)["data"]
    rows = rows[(rows["ev"] & 0xFF) == 2]
    frame = (
        pl.DataFrame({"at": rows["local_ts"], name: rows["px"]})
        .sort("at")
        .with_columns(pl.col("at").cast(pl.Datetime("ns")))
    )
    frame = frame.group_by_dynamic("at", every="100ms").agg(pl.col(name).last())
    return frame.upsample("at", every="100ms").select(pl.all().forward_fill())


def spot_and_future(market):
    both = middles(market["other_feed"], "spot").join(middles(market["feed"], "future"), on="at", how="full", coalesce=True)
    return both.sort("at").with_columns(pl.col("spot", "future").forward_fill())


@njit
def with_precomputed(hbt, recorder, half_spread, skew, table, interval, value, value_max, is_basis):
    """Quote around what a table of (time, a, b) says is fair: a + b of a basis, a * (1 + b) of a return."""
    row, first, second = 0, np.nan, np.nan
    tick_size, lot_size = hbt.depth(0).tick_size, hbt.depth(0).lot_size
    while hbt.elapse(interval) == 0:
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        position = hbt.position(0)
        mid = (depth.best_bid + depth.best_ask) / 2.0
        qty = max(round((value / mid) / lot_size) * lot_size, lot_size)
        lean = skew * position / qty
        while row < len(table):
            if table[row, 0] > hbt.current_timestamp:
                if row > 0:
                    first, second = table[row - 1, 1], table[row - 1, 2]
                break
            row += 1
        fair = first + second if is_basis else first * (1.0 + second)
        bid = np.floor(min(fair * (1.0 - half_spread - lean), depth.best_bid) / tick_size) * tick_size
        ask = np.ceil(max(fair * (1.0 + half_spread - lean), depth.best_ask) / tick_size) * tick_size
        update_quotes(hbt, 0, bid, ask, tick_size, 1, qty, value_max / mid, GTX)
        recorder.record(hbt)


def basis_and_apt(market):
    both = spot_and_future(market)
    basis = both.select(
        pl.col("at").dt.timestamp("ns"), "spot", mean=(pl.col("future") - pl.col("spot")).rolling_mean(window_size=50)
    )
    past = both.with_columns(pl.col("spot", "future").rolling_mean(window_size=40).shift(20).name.prefix("past_"))
    returns = past.select(
        pl.col("at").dt.timestamp("ns"),
        "past_future",
        spot=pl.col("spot") / pl.col("past_spot") - 1,
        future=pl.col("future") / pl.col("past_future") - 1,
    )
    known = returns.drop_nulls()
    beta = np.polyfit(known["spot"].to_numpy(), known["future"].to_numpy(), 1)[0]
    apt = returns.select("at", "past_future", pl.col("spot") * beta)
    found = {}
    for name, table in (("basis", basis), ("apt", apt)):
        asset = asset_of(market).power_prob_queue_model(3)
        numbers = (0.000002, 0.000002 / 20, table.to_numpy(), 100_000_000, 7_500, 150_000, name == "basis")
        recorder = played(ROIVectorMarketDepthBacktest([asset]), with_precomputed, *numbers)
        found[name] = recorder.get(0)
        found[f"{name}, summary"] = LinearAssetRecord(recorder.get(0)).resample("5s").stats(book_size=1_000_000).summary()
    return found


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
def impact_of_order_latency(market):
    found = {}
    made, longer = market["folder"] + "/made_latency.npz", market["folder"] + "/longer_latency.npz"
    generate_order_latency(market["feed"], made)
    generate_order_latency(market["feed"], longer, mul_entry=4, mul_resp=3)
    measured = np.load(market["latency"])["data"]  # hftbacktest reads arrays in place: it must live as long as the backtest
    for name, setter in {
        "feed's": lambda asset: asset.intp_order_latency([made]),
        "longer": lambda asset: asset.intp_order_latency(longer, 1_000),
        "measured": lambda asset: asset.intp_order_latency(measured),
        "constant": lambda asset: asset.constant_order_latency(50_000_000, 50_000_000),
        "none": lambda asset: asset.constant_order_latency(0, 0),
    }.items():
        recorder = glft_of(market, setter(asset_of(market)), 0.05, 0.05, 1 / 20, 20)
        found[name] = recorder.get(0)
        found[f"{name}, summary"] = LinearAssetRecord(recorder.get(0)).stats(book_size=25_000).summary()
    return found


# --- Probability Queue Models, which is written for version 1 and names three of them -------------------------------------
def probability_queue_models(market):
    found = {}
    for name, arguments in (
        ("risk_adverse_queue_model", ()),
        ("log_prob_queue_model", ()),
        ("log_prob_queue_model2", ()),
        ("power_prob_queue_model", (2.0,)),
        ("power_prob_queue_model2", (3.0,)),
        ("power_prob_queue_model3", (3.0,)),
    ):
        asset = getattr(asset_of(market), name)(*arguments)
        found[name] = glft_of(market, asset, 0.00005, 0.0, 1.0, 50, widens=True).get(0)
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
