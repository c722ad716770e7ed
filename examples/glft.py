"""Market making by the formulas of Guéant, Lehalle and Fernandez-Tapia (GLFT), fitted while it runs.

How often are we filled at a distance d from the middle? Suppose A exp(-k d) times a second: far quotes earn more and fill
less. With that, the volatility s of the price and our dislike of risk g, the best quotes far from the end of trading are

    half spread = ln(1 + g / k) / g + c s / 2        skew = c s        c = sqrt(g / (2 A k) (1 + g / k) ^ (k / g + 1))

in ticks, with positions counted in orders. Each order that we hold moves both quotes by one skew, so as to get rid of it.
Source: Guéant, Lehalle, Fernandez-Tapia, "Dealing with the inventory risk: a solution to the market making problem",
Mathematics and Financial Economics 7 (2013), pages 477 to 507, the closed-form approximation of the asymptotic quotes.

It needs the market's trades: last_trades_capacity in the configuration.

Run it:  qf backtest examples/glft.py --tape FILE.tape --out DIR --config examples/glft.toml
"""

import math

import numpy as np
from numba import njit

from queuefront import BUY, GTX, LIMIT, SELL

ASSET = 0
DISTANCES = 40  # we look at trades up to so many ticks from the middle


@njit(cache=True)
def strategy(
    hbt,
    order_lots=10,
    max_orders=10,  # no more than so many orders long or short
    risk_dislike=0.05,  # g
    window=100,  # so many steps make a fit
    interval_ns=100_000_000,
):
    """Quote one bid and one ask until the tape ends."""
    # Of each of the last steps: the distance that trades reached, and how far the middle went. Old ones are overwritten.
    reached = np.zeros(window)
    moved = np.zeros(window)
    step, last_middle = 0, np.nan
    half_spread, skew = np.nan, np.nan

    while hbt.elapse(interval_ns) == 0:
        hbt.clear_inactive_orders(ASSET)
        depth = hbt.depth(ASSET)
        if not depth.best_bid < depth.best_ask:
            hbt.clear_last_trades(ASSET)
            continue
        tick_size, lot_size = depth.tick_size, depth.lot_size
        middle = (depth.best_bid_tick + depth.best_ask_tick) / 2

        # What we would have needed to quote, seen from the middle of the step before, to be filled in this one.
        if last_middle == last_middle:
            furthest = 0.0
            for trade in hbt.last_trades(ASSET):
                furthest = max(furthest, abs(trade["px"] / tick_size - last_middle))
            reached[step % window] = furthest
            moved[step % window] = middle - last_middle
            step += 1
        hbt.clear_last_trades(ASSET)
        last_middle = middle

        if step >= window and step % 10 == 0:
            a, k = fit_intensity(reached, interval_ns / 1e9)
            volatility = np.std(moved) * math.sqrt(1e9 / interval_ns)  # ticks per square root of a second
            if a > 0.0 and k > 0.0:
                g = risk_dislike
                c = math.sqrt(g / (2.0 * a * k) * (1.0 + g / k) ** (k / g + 1.0))
                half_spread, skew = math.log(1.0 + g / k) / g + 0.5 * c * volatility, c * volatility

        bid = ask = -1
        if half_spread == half_spread:  # there has been a fit
            qty = order_lots * lot_size
            held = hbt.position(ASSET) / qty
            if held < max_orders:
                bid = min(math.floor(middle - half_spread - skew * held), depth.best_bid_tick)
            if held > -max_orders:
                ask = max(math.ceil(middle + half_spread - skew * held), depth.best_ask_tick)
        quote(hbt, BUY, bid, order_lots)
        quote(hbt, SELL, ask, order_lots)


@njit(cache=True)
def fit_intensity(reached, seconds):
    """Fit ln(fills a second) = ln A - k d through the distances that were reached more than once. Returns (A, k)."""
    n = sum_d = sum_y = sum_dd = sum_dy = 0.0
    for d in range(DISTANCES):
        count = np.sum(reached > d)
        if count < 2:
            break
        y = math.log(count / (len(reached) * seconds))
        n, sum_d, sum_y, sum_dd, sum_dy = n + 1, sum_d + d, sum_y + y, sum_dd + d * d, sum_dy + d * y
    if n < 2:
        return 0.0, 0.0
    slope = (n * sum_dy - sum_d * sum_y) / (n * sum_dd - sum_d * sum_d)
    return math.exp((sum_y - slope * sum_d) / n), -slope


@njit(cache=True)
def quote(hbt, side, tick, lots):
    """Have one order of a side at a tick and none elsewhere; none at all for a tick below 0."""
    orders = hbt.orders(ASSET)
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.side == side and order.price_tick != tick and order.cancellable:
            hbt.cancel(ASSET, order.order_id, False)
    order_id = 2 * tick + (1 if side == SELL else 0)
    if tick < 0 or order_id in orders:
        return
    depth = hbt.depth(ASSET)
    price, qty = tick * depth.tick_size, lots * depth.lot_size
    if side == BUY:
        hbt.submit_buy_order(ASSET, order_id, price, qty, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(ASSET, order_id, price, qty, GTX, LIMIT, False)
