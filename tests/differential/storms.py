"""Storms of random actions within what both engines promise to agree on (spec B13.5).

A case comes from a `Draw`: from hypothesis, which explores and shrinks short ones, or from a seed, which makes long ones.

The first call starts the clock; durations are finite and not negative; the driver cancels and modifies only cancellable
orders, a modify changes the price or lowers the quantity, and MARKET orders need a two-sided book. With partial fills
and any latency nothing is modified: the reference revives orders that it forgot to remove (row D3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from queuefront.core.enums import ALL_ASSETS, BUY, FOK, GTC, GTX, IOC, LIMIT, MARKET, SELL
from tests.differential.engines import (
    AT_ASK,
    AT_BID,
    CANCEL,
    CLEAR_INACTIVE,
    CLEAR_TRADES,
    ELAPSE,
    ELAPSE_BT,
    MODIFY_PRICE,
    MODIFY_QTY,
    ORDER_IDS,
    QUERY,
    SUBMIT,
    SUBMIT_FREE,
    WAIT_FEED,
    WAIT_RESPONSE,
    Action,
    AssetCase,
    Case,
)
from tests.differential.markets import Feed, Market, OrderFeed, Synthetic, WithoutClears
from tests.l3_market import OrderMarket

QUEUES: tuple[tuple[Any, ...], ...] = (
    ("risk_adverse",),
    ("power_prob", 2.0),
    ("power_prob2", 1.5),
    ("power_prob3", 3.0),
    ("log_prob",),
    ("log_prob2",),
)
EXCHANGES = ("no_partial_fill", "partial_fill")
FEES = (
    ("trading_value", -0.00005, 0.0007),
    ("trading_qty", 0.02, 0.05),
    ("flat", 0.1, 0.25),
)
CONTRACTS = (("linear", 1.0), ("linear", 0.01), ("inverse", 1.0), ("inverse", 100.0))

#: Feed: tick and lot size, the unit of the storm's durations, lots of the largest order.
FEEDS = {
    "usdm": ((0.1, 0.001), 80_000_000, 2000),
    "coinm": ((0.1, 1.0), 120_000_000, 3000),
    "spot": ((0.01, 0.000001), 100_000_000, 2_000_000),
}
GRIDS = ((1.0, 1.0), (0.5, 0.25), (0.01, 0.001), (0.1, 10.0))
RECORDED_ROWS = 60_000

#: Operations and how often each occurs.
WEIGHTS = {
    ELAPSE: 24,
    ELAPSE_BT: 2,
    WAIT_FEED: 10,
    WAIT_RESPONSE: 5,
    SUBMIT: 4,
    SUBMIT_FREE: 30,
    CANCEL: 8,
    MODIFY_PRICE: 8,
    MODIFY_QTY: 4,
    CLEAR_INACTIVE: 14,
    CLEAR_TRADES: 1,
    QUERY: 1,
}


@dataclass(frozen=True)
class Draw:
    """A source of choices. `integer(low, high)` returns an integer of that closed range."""

    integer: Callable[[int, int], int]

    def choice(self, options: Sequence[Any]) -> Any:
        return options[self.integer(0, len(options) - 1)]

    def one_in(self, count: int) -> bool:
        return self.integer(1, count) == count


def seeded(seed: int) -> Draw:
    """Draw from a seed."""
    rng = np.random.default_rng(seed)
    return Draw(lambda low, high: int(rng.integers(low, high + 1)))


# --- actions --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Storm:
    """How wild the actions are."""

    length: int
    unit: int  # of durations
    lots_max: int


def storm_actions(draw: Draw, storm: Storm, assets: tuple[AssetCase, ...]) -> tuple[Action, ...]:
    """Draw the actions of a storm; the first starts the clock."""
    ops = [op for op, weight in weights_of(assets).items() for _ in range(weight)]
    chosen = [draw.choice((ELAPSE, WAIT_FEED)), *(draw.choice(ops) for _ in range(storm.length))]
    return tuple(one_action(draw, op, storm, len(assets)) for op in chosen)


def weights_of(assets: tuple[AssetCase, ...]) -> dict[int, int]:
    """Leave out what the reference's partial fills spoil."""
    weights = dict(WEIGHTS)
    for asset in assets:
        if asset.queue[0] == "l3_fifo":
            weights.pop(SUBMIT, None)
            weights.pop(MODIFY_PRICE, None)  # the reference lets a modification rest at a crossing price (row D26)
        if asset.exchange == "partial_fill":
            weights.pop(SUBMIT, None)  # the code 10 of a taken id would end the comparison
            if asset.latency != ("constant", 0, 0):
                weights.pop(MODIFY_PRICE, None)
                weights.pop(MODIFY_QTY, None)
    return weights


def one_action(draw: Draw, op: int, storm: Storm, assets: int) -> Action:
    """Draw what an operation is asked to do."""
    asset = draw.integer(0, assets - 1)
    order = draw.integer(1, ORDER_IDS)
    if op in (ELAPSE, ELAPSE_BT, WAIT_FEED, WAIT_RESPONSE):
        unit = storm.unit
        duration = draw.choice((0, 1, unit // 10, unit, 4 * unit, 20 * unit)) + draw.integer(0, unit // 4)
        return Action(op, asset=asset, id=order, flag=draw.integer(0, 1) if op == WAIT_FEED else 0, duration=duration)
    if op in (SUBMIT, SUBMIT_FREE):
        return submission(draw, op, asset, order, storm.lots_max)
    if op == MODIFY_PRICE:
        at = draw.choice((AT_BID, AT_ASK))
        return Action(op, asset, order, at=at, offset=draw.integer(-5, 5), flag=int(draw.one_in(12)))
    if op == MODIFY_QTY:
        return Action(op, asset, order, lots=draw.integer(0, storm.lots_max), flag=int(draw.one_in(12)))
    if op == CANCEL:
        return Action(op, asset, order, flag=int(draw.one_in(8)))
    if op in (CLEAR_INACTIVE, CLEAR_TRADES):
        return Action(op, asset=draw.choice((asset, ALL_ASSETS)))
    return Action(op)


def submission(draw: Draw, op: int, asset: int, order: int, lots_max: int) -> Action:
    """Draw a new order: mostly at or behind its side of the market, now and then through the other."""
    side = draw.choice((BUY, SELL))
    away = draw.integer(-12, 2) if draw.one_in(5) else draw.integer(-1, 4)
    at, offset = (AT_BID, -away) if side == BUY else (AT_ASK, away)
    tif = draw.choice((GTC, GTC, GTC, GTC, GTX, GTX, IOC, FOK))
    kind = MARKET if draw.one_in(16) else LIMIT
    return Action(op, asset, order, side, at, offset, draw.integer(1, lots_max), tif, kind, int(draw.one_in(12)))


# --- models ---------------------------------------------------------------------------------------------------------
def latency(draw: Draw, unit: int, events: np.ndarray) -> tuple[Any, ...]:
    """Draw a constant latency, or a table without refused requests that may end before the market does."""
    if draw.integer(0, 1) == 0:
        choices = (0, 1, unit // 20, unit // 4, unit)
        if draw.one_in(4):
            return ("constant", 0, 0)
        return ("constant", draw.choice(choices), draw.choice(choices))
    start, end = int(events["exch_ts"][0]), int(events["exch_ts"][-1])
    duration = max(10, end - start)
    requests = sorted({start + draw.integer(-duration // 5, duration) for _ in range(draw.integer(1, 20))})
    rows = []
    exchange_ts = response_ts = -(2**62)
    for request_ts in requests:
        # Times at the exchange ascend, and so do receipts, whatever the latencies are.
        exchange_ts = max(exchange_ts + 1, request_ts + draw.integer(0, unit))
        response_ts = max(response_ts, exchange_ts + draw.integer(0, unit))
        rows.append((request_ts, exchange_ts, response_ts))
    return ("interpolated", tuple(rows))


def asset_case(draw: Draw, market: Market, grid: tuple[float, float], unit: int, model: tuple[Any, str]) -> AssetCase:
    """Draw the models of one asset, except its queue and exchange model."""
    return AssetCase(
        market=market,
        tick_size=grid[0],
        lot_size=grid[1],
        contract=draw.choice(CONTRACTS),
        latency=latency(draw, unit, market.events()),
        queue=model[0],
        exchange=model[1],
        fee=draw.choice(FEES),
        last_trades_capacity=draw.choice((0, 1, 10_000)),
    )


# --- cases ----------------------------------------------------------------------------------------------------------
def strange_case(draw: Draw, model: tuple[Any, str], *, sizes: tuple[int, ...] = (300, 1200), length: int = 250) -> Case:
    """Draw a case on one or two random markets."""
    # Sums of quarters are exact, so that the reference's leaves of a partial fill are too.
    grid = draw.choice(GRIDS if model[1] == "no_partial_fill" else GRIDS[:2])
    markets = [Synthetic(draw.integer(0, 2**20), draw.choice(sizes), *grid) for _ in range(draw.integer(1, 2))]
    span = max(int(np.ptp(market.events()["exch_ts"])) for market in markets)
    unit = 1 + span // draw.choice((2 * length, 4 * length))  # most storms end about when the market does
    assets = tuple(asset_case(draw, market, grid, unit, model) for market in markets)
    storm = Storm(length, unit, draw.choice((1, 5, 80)))
    return Case(assets, storm_actions(draw, storm, assets))


def recorded_case(draw: Draw, model: tuple[Any, str], names: tuple[str, ...]) -> Case:
    """Draw a case on recorded feeds: one of them, or all at once."""
    # Not spot: as an inverse contract, which spot never is, one lot of it is worth less than our unit of money resolves.
    names = tuple(name for name in names if name != "spot")
    names = draw.choice([(name,) for name in names] + [names])
    assets = tuple(asset_case(draw, Feed(name, RECORDED_ROWS), *FEEDS[name][:2], model) for name in names)
    _, unit, lots_max = FEEDS[names[0]]
    storm = Storm(400, unit, draw.choice((1, lots_max // 40, lots_max)))
    return Case(assets, storm_actions(draw, storm, assets))


def bounded_case(draw: Draw, model: tuple[Any, str], *, length: int = 250) -> Case:
    """Draw a case whose books hold a range of ticks only, which the market leaves now and then."""
    grid = draw.choice(GRIDS if model[1] == "no_partial_fill" else GRIDS[:2])
    market = WithoutClears(Synthetic(draw.integer(0, 2**20), draw.choice((300, 1200)), *grid))
    ticks = np.rint(market.events()["px"] / grid[0]).astype(np.int64)
    middle, width = int(np.median(ticks)), draw.integer(3, 30)
    unit = 1 + int(np.ptp(market.events()["exch_ts"])) // (3 * length)
    asset = replace(asset_case(draw, market, grid, unit, model), tick_range=(middle - width, middle + width))
    storm = Storm(length, unit, draw.choice((1, 5, 80)))
    return Case((asset,), storm_actions(draw, storm, (asset,)))


def order_case(draw: Draw, *, length: int = 250) -> Case:
    """Draw a case on one or two random markets by order."""
    # Sums of quarters are exact, so that the reference's level quantities are too.
    grid = draw.choice(GRIDS[:2])
    markets = [
        OrderMarket(draw.integer(0, 2**20), draw.choice((150, 600)), *grid, clears=draw.one_in(3))
        for _ in range(draw.integer(1, 2))
    ]
    span = max(int(np.ptp(market.events()["exch_ts"])) for market in markets)
    unit = 1 + span // draw.choice((2 * length, 4 * length))
    assets = tuple(asset_case(draw, market, grid, unit, (("l3_fifo",), "no_partial_fill")) for market in markets)
    storm = Storm(length, unit, draw.choice((1, 5, 80)))
    return Case(assets, storm_actions(draw, storm, assets))


def bounded_order_case(draw: Draw, *, length: int = 250) -> Case:
    """Draw a case on a market by order whose books hold a range of ticks that the market does not leave.

    Outside of it the reference's best price leaves the range (row D18).
    """
    case = order_case(draw, length=length)
    assets = []
    for asset in case.assets:
        ticks = np.rint(asset.market.events()["px"] / asset.tick_size).astype(np.int64)
        assets.append(replace(asset, tick_range=(int(ticks.min()) - 1, int(ticks.max()) + 1)))
    return replace(case, assets=tuple(assets))


def recorded_order_case(draw: Draw, *, length: int = 250) -> Case:
    """Draw a case on a recorded market by order."""
    market = OrderFeed()
    unit = 2_000_000_000 // (2 * length)
    asset = asset_case(draw, market, (0.25, 1.0), unit, (("l3_fifo",), "no_partial_fill"))
    storm = Storm(length, unit, draw.choice((1, 5, 80)))
    return Case((asset,), storm_actions(draw, storm, (asset,)))


@st.composite
def short_cases(draw: Any) -> Case:
    """Let hypothesis draw a short case, of any model."""
    source = Draw(lambda low, high: draw(st.integers(low, high)))
    model = (source.choice(QUEUES), source.choice(EXCHANGES))
    return strange_case(source, model, sizes=(20, 60), length=draw(st.integers(5, 40)))


# --- quotes at the touch --------------------------------------------------------------------------------------------
def touch_case(draw: Draw, model: tuple[Any, str], market: Market, *, grid: tuple[float, float] = (1.0, 1.0)) -> Case:
    """Draw a case that keeps one bid and one ask at the touch and lets them wait: queues decide when they fill."""
    events = market.events()
    rounds = 40
    span = int(np.ptp(events["local_ts"]))
    actions = [Action(ELAPSE, duration=span // 20)]
    for n in range(rounds):
        bid, ask = 1 + 2 * (n % (ORDER_IDS // 2)), 2 + 2 * (n % (ORDER_IDS // 2))
        lots = draw.integer(1, 3)
        actions += [
            Action(SUBMIT_FREE, 0, bid, BUY, AT_BID, 0, lots),
            Action(SUBMIT_FREE, 0, ask, SELL, AT_ASK, 0, lots),
            Action(ELAPSE, duration=draw.integer(0, span // rounds)),
            Action(ELAPSE, duration=draw.integer(0, span // rounds)),
            Action(CLEAR_INACTIVE, asset=ALL_ASSETS),
        ]
    unit = max(1, span // 2000)
    latency = ("constant", draw.integer(0, unit), draw.integer(0, unit))
    asset = AssetCase(market, *grid, latency=latency, queue=model[0], exchange=model[1], fee=FEES[0])
    return Case((asset,), tuple(actions))
