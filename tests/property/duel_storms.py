"""Cases for a duel: any mix of calls on any mix of models, on one asset or two.

Unlike the storms of `tests/differential`, these ask for everything: orders of ids that are taken, cancels and modifies of
orders that are over or unknown, quantities of nothing, unknown times in force, MARKET orders into an empty book, waits
without an end, time that should run backwards, requests that are refused on the way, tables of latencies with refused
round trips.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from queuefront.core.enums import (
    ALL_ASSETS,
    BUY,
    BUY_EVENT,
    FOK,
    GTC,
    GTX,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    SELL_EVENT,
    UNTIL_END_OF_DATA,
)
from tests.differential import engines as op
from tests.differential.engines import AT_ASK, AT_BID, Action, AssetCase, Case
from tests.differential.markets import Feed, Market, Synthetic
from tests.differential.storms import CONTRACTS, EXCHANGES, FEEDS, FEES, GRIDS, QUEUES, Draw, touch_case
from tests.l3_market import OrderMarket

#: Orders have the ids 1 … ORDER_IDS: few enough to meet again.
ORDER_IDS = 6
RECORDED_ROWS = 4_000
UNKNOWN_CODE = 7

#: Operations and how often each occurs.
WEIGHTS = {
    op.ELAPSE: 24,
    op.ELAPSE_BT: 2,
    op.WAIT_FEED: 10,
    op.WAIT_RESPONSE: 6,
    op.SUBMIT: 40,
    op.CANCEL_ANYWAY: 12,
    op.MODIFY_ANYWAY: 16,
    op.CLEAR_INACTIVE: 16,
    op.CLEAR_TRADES: 1,
}


def one_action(draw: Draw, unit: int, lots_max: int, assets: int) -> Action:
    """Draw one call."""
    chosen = draw.choice([name for name, weight in WEIGHTS.items() for _ in range(weight)])
    asset, order_id = draw.integer(0, assets - 1), draw.integer(1, ORDER_IDS)
    if chosen in (op.ELAPSE, op.ELAPSE_BT, op.WAIT_FEED, op.WAIT_RESPONSE):
        duration = draw.choice((0, 1, unit // 10, unit, 4 * unit, 20 * unit)) + draw.integer(0, unit // 4)
        if draw.one_in(150):
            duration = draw.choice((-1, UNTIL_END_OF_DATA))
        return Action(chosen, asset, order_id, flag=draw.integer(0, 1), duration=duration)
    if chosen in (op.CLEAR_INACTIVE, op.CLEAR_TRADES):
        return Action(chosen, draw.choice((asset, ALL_ASSETS)))
    waits = int(draw.one_in(10))
    if chosen == op.CANCEL_ANYWAY:
        return Action(chosen, asset, order_id, flag=waits)
    side = draw.choice((BUY, SELL))
    away = draw.integer(-12, 2) if draw.one_in(4) else draw.integer(-1, 4)
    at, offset = (AT_BID, -away) if side == BUY else (AT_ASK, away)
    lots = 0 if draw.one_in(60) else draw.integer(1, lots_max)
    if chosen == op.MODIFY_ANYWAY:
        return Action(chosen, asset, order_id, at=at, offset=offset, lots=lots, flag=waits)
    tif = UNKNOWN_CODE if draw.one_in(80) else draw.choice((GTC, GTC, GTC, GTC, GTX, GTX, IOC, FOK))
    kind = MARKET if draw.one_in(12) else LIMIT
    return Action(chosen, asset, order_id, side, at, offset, lots, tif, kind, waits)


def latency(draw: Draw, unit: int, events: np.ndarray) -> tuple[Any, ...]:
    """Draw a constant latency, now and then one that refuses everything; or a table, with refused rows or without."""
    choices = (0, 0, 1, unit // 20, unit // 4, unit)
    if draw.integer(0, 1) == 0 or len(events) == 0:
        entry = draw.choice(choices)
        own = [draw.choice((None, *choices)), draw.choice((None, *choices))] if draw.one_in(3) else []
        return ("constant", -1 - entry if draw.one_in(12) else entry, draw.choice(choices), *own)
    start, duration = int(events["exch_ts"][0]), max(10, int(np.ptp(events["exch_ts"])))
    requests = sorted({start + draw.integer(-duration // 5, duration) for _ in range(draw.integer(1, 12))})
    refuses = draw.one_in(2)
    rows = []
    exch_ts = resp_ts = 0
    for req_ts in requests:
        exch_ts = max(exch_ts, req_ts + draw.integer(0, unit))
        resp_ts = max(resp_ts, exch_ts + draw.integer(0, unit))
        rows.append((req_ts, 0 if refuses and draw.one_in(3) else exch_ts, resp_ts))
    return ("interpolated", tuple(rows), *([draw.integer(0, unit)] if draw.one_in(4) else []))


def snapshot(draw: Draw, grid: tuple[float, float]) -> tuple[tuple[float, ...], ...]:
    """Draw a book to start from; some of its levels are empty."""
    rows = []
    for side, sign in ((BUY_EVENT, -1), (SELL_EVENT, 1)):
        ticks = {1_000 + sign * draw.integer(1, 9) for _ in range(draw.integer(0, 4))}
        for tick in sorted(ticks):
            counts = ((tick, grid[0]), (draw.integer(0, 9), grid[1]))
            rows.append((side, 0, 0, *(float(count * Fraction(str(step))) for count, step in counts)))
    return tuple(rows)


def asset_case(draw: Draw, market: Market, grid: tuple[float, float], unit: int, model: tuple[Any, str]) -> AssetCase:
    """Draw the models of one asset except its queue and exchange model."""
    return AssetCase(
        market=market,
        tick_size=grid[0],
        lot_size=grid[1],
        contract=draw.choice(CONTRACTS),
        latency=latency(draw, unit, market.events()),
        queue=model[0],
        exchange=model[1],
        fee=draw.choice(FEES),
        last_trades_capacity=draw.choice((0, 1000)),
        funding=funding(draw, market.events()),
    )


def funding(draw: Draw, events: np.ndarray) -> tuple[tuple[int, str, str], ...]:
    """Draw some funding payments, mostly none."""
    if len(events) == 0 or not draw.one_in(3):
        return ()
    start, duration = int(events["exch_ts"][0]), max(10, int(np.ptp(events["exch_ts"])))
    times = sorted(start + draw.integer(0, duration) for _ in range(draw.integer(1, 4)))
    # The account rounds a payment of one lot to its unit; odd numbers show how.
    return tuple(
        (ts, f"{draw.integer(1, 99_999)}.3", f"{draw.choice(('', '-'))}0.000{draw.integer(1, 999)}") for ts in times
    )


def wild_case(draw: Draw, model: tuple[Any, str], *, rows: tuple[int, ...] = (300, 900), length: int = 150) -> Case:
    """Draw a case on one or two random markets; the second has another grid and other models."""
    assets = []
    markets = []
    for number in range(draw.integer(1, 2)):
        grid = draw.choice(GRIDS)
        market = Synthetic(draw.integer(0, 2**20), draw.choice(rows), *grid)
        unit = 1 + int(np.ptp(market.events()["exch_ts"])) // draw.choice((length, 2 * length))
        if number:
            model = (draw.choice(QUEUES), draw.choice(EXCHANGES))
        asset = asset_case(draw, market, grid, unit, model)
        if draw.one_in(4):
            asset = replace(asset, snapshot=snapshot(draw, grid))
        assets.append(asset)
        markets.append(unit)
    lots_max = draw.choice((1, 5, 80))
    return Case(tuple(assets), tuple(one_action(draw, max(markets), lots_max, len(assets)) for _ in range(length)))


def recorded_case(draw: Draw, model: tuple[Any, str], names: tuple[str, ...]) -> Case:
    """Draw a case on the beginning of recorded feeds: one of them, or two at once."""
    chosen = [draw.choice(names)] if draw.one_in(2) else list(names[:2])
    _, unit, lots_max = FEEDS[chosen[0]]
    assets = []
    for name in chosen:
        market = Feed(name, RECORDED_ROWS)
        # A spot market is no inverse contract: one lot of it would be worth less than the unit of money resolves.
        asset = asset_case(draw, market, FEEDS[name][0], unit, model)
        assets.append(replace(asset, contract=("linear", 1.0)) if name == "spot" else asset)
    unit //= 10  # the beginning of a feed is short
    # More would be refused as too large an inverse order where a book is still empty and prices count from a small tick.
    lots_max = min(1_500, draw.choice((1, lots_max // 40, lots_max)))
    return Case(tuple(assets), tuple(one_action(draw, unit, lots_max, len(assets)) for _ in range(150)))


def order_case(draw: Draw) -> Case:
    """Draw a case on one or two random markets by order."""
    assets, units = [], []
    for _ in range(draw.integer(1, 2)):
        grid = draw.choice(GRIDS)
        market = OrderMarket(draw.integer(0, 2**20), draw.choice((60, 300, 900)), *grid, clears=draw.one_in(3))
        units.append(1 + int(np.ptp(market.events()["exch_ts"])) // draw.choice((100, 200)))
        assets.append(asset_case(draw, market, grid, units[-1], (("l3_fifo",), "no_partial_fill")))
    lots_max = draw.choice((1, 5, 80))
    return Case(tuple(assets), tuple(one_action(draw, max(units), lots_max, len(assets)) for _ in range(150)))


def quiet_case(draw: Draw, model: tuple[Any, str]) -> Case:
    """Draw a case that quotes at the touch and waits: queues decide what fills."""
    case = touch_case(draw, model, Synthetic(draw.integer(0, 2**20), 900))
    actions = (a._replace(op=op.SUBMIT) if a.op == op.SUBMIT_FREE else a for a in case.actions)
    return replace(case, actions=tuple(actions))


#: What hftbacktest has not, and the storms that both packages play cannot ask for.
OPTION_FEES = (
    ("directional_trading_value", 0.0002, -0.00005, 0.001, 0.0),
    ("directional_trading_value", 0.0, 0.0, -0.0001, 0.003),
    ("directional_trading_qty", 0.02, 0.05, 0.0, 0.001),
    ("directional_trading_qty", -0.000000007, 0.013, 0.00237, 0.0005),
    ("directional_trading_qty", 0.0, 0.0, 0.000000001, -0.3),
    ("tiered", ((0, 0.0002, 0.0005), (3, 0.0001, 0.0004), (5_000, -0.00005, 0.0003), (90_000, -0.0001, 0.000000001))),
)


def with_options(draw: Draw, asset: AssetCase) -> AssetCase:
    """Let an asset have some of the options that hftbacktest has not."""
    asset = replace(asset, fee=draw.choice(OPTION_FEES))
    duration = 200
    if draw.one_in(3):
        choices = (0, 1, duration // 20, duration // 4, duration)
        samples = [tuple(draw.choice(choices) for _ in range(draw.integer(1, 5))) for _ in range(2)]
        asset = replace(asset, latency=("sampled", *samples, draw.integer(0, 2**31 - 102)))
    if asset.contract[0] == "linear" and draw.integer(0, 1):
        notional = 1_000 * asset.tick_size * asset.lot_size * asset.contract[1]
        base, quote = (
            draw.integer(0, 60) * asset.lot_size,
            draw.integer(0, 60) * notional + draw.choice((0, 0.3)) * notional,
        )
        asset = replace(asset, balances=(f"{base:.6f}", f"{quote:.12f}"))
    if asset.queue[0] != "l3_fifo" and draw.one_in(3):
        events = asset.market.events()
        ticks = np.rint(events["px"][np.isfinite(events["px"])] / asset.tick_size)
        if len(ticks):
            middle = int(np.median(ticks))
            asset = replace(asset, tick_range=(middle - draw.integer(0, 12), middle + draw.integer(0, 12)))
    return asset


def option_case(draw: Draw, model: tuple[Any, str]) -> Case:
    """Draw a wild case, of markets by price or by order, with options that hftbacktest has not."""
    case = order_case(draw) if model[0][0] == "l3_fifo" else wild_case(draw, model)
    return replace(case, assets=tuple(with_options(draw, asset) for asset in case.assets))


@st.composite
def small_cases(draw: Any) -> Case:
    """Let hypothesis draw a small case, of any model."""
    source = Draw(lambda low, high: draw(st.integers(low, high)))
    model = (source.choice(QUEUES), source.choice(EXCHANGES))
    return wild_case(source, model, rows=(20, 60), length=draw(st.integers(5, 40)))
