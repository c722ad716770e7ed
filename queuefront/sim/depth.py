"""The local market depth that a strategy reads."""

from __future__ import annotations

import numpy as np

from queuefront.bot import Struct, attribute, method, struct
from queuefront.core.clock import INT64_MIN
from queuefront.core.dtypes import EVENT
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    NO_ASK_TICK,
    NO_BID_TICK,
    SELL_EVENT,
)
from queuefront.core.jit import borrowing, compiled, internal, viewing
from queuefront.sim.market_compiled import apply_local_rows, best_levels_before, level_of
from queuefront.sim.range_view_compiled import apply_range_rows

__all__ = ["ReplayDepth"]

_SNAPSHOT_BID = EXCH_EVENT | LOCAL_EVENT | BUY_EVENT | DEPTH_SNAPSHOT_EVENT
_SNAPSHOT_ASK = EXCH_EVENT | LOCAL_EVENT | SELL_EVENT | DEPTH_SNAPSHOT_EVENT


@struct("asset")
class ReplayDepth(Struct):
    """The book as we see it, after the feed latency.

    Attributes
    ----------
    best_bid, best_ask : prices, NaN where the side is empty.
    best_bid_tick, best_ask_tick : in ticks, -2^63 and 2^63 - 1 where the side is empty.
    best_bid_qty, best_ask_qty : quantities at the best prices, 0 where the side is empty.
    tick_size, lot_size : of the instrument.
    bid_qty_at_tick(tick), ask_qty_at_tick(tick) : quantities, hidden ones included; 0 where there are none.
    bid_qty_within(ticks), ask_qty_within(ticks), imbalance(ticks), micro_price : of the levels near the best prices.
    snapshot() : the visible levels as EVENT rows, bids from the best down, then asks from the best up; a copy.
    """


@borrowing
def _best_levels(a):
    state = a.state[0]
    return best_levels_before(
        a.best_bid_local,
        a.best_ask_local,
        state["local_row"],
        state["opening_bid_level"],
        state["opening_ask_level"],
    )


@attribute(ReplayDepth)
@viewing
def best_bid_tick(depth):
    """Highest bid in ticks; NO_BID_TICK where there is none."""
    bid, _ = _best_levels(depth.asset)
    return depth.asset.levels[bid] if bid >= 0 else NO_BID_TICK


@attribute(ReplayDepth)
@viewing
def best_ask_tick(depth):
    """Lowest ask in ticks; NO_ASK_TICK where there is none."""
    _, ask = _best_levels(depth.asset)
    return depth.asset.levels[ask] if ask < len(depth.asset.levels) else NO_ASK_TICK


@attribute(ReplayDepth)
@viewing
def best_bid(depth):
    """Highest bid; NaN where there is none."""
    bid, _ = _best_levels(depth.asset)
    return depth.asset.levels[bid] * depth.asset.spec["tick_size"][0] if bid >= 0 else np.nan


@attribute(ReplayDepth)
@viewing
def best_ask(depth):
    """Lowest ask; NaN where there is none."""
    _, ask = _best_levels(depth.asset)
    return depth.asset.levels[ask] * depth.asset.spec["tick_size"][0] if ask < len(depth.asset.levels) else np.nan


@attribute(ReplayDepth)
@viewing
def tick_size(depth):
    """Tick size of the instrument."""
    return depth.asset.spec["tick_size"][0]


@attribute(ReplayDepth)
@viewing
def lot_size(depth):
    """Lot size of the instrument."""
    return depth.asset.spec["lot_size"][0]


@borrowing
def _qty_at(a, place):
    apply_local_rows(a)
    spec = a.spec[0]
    return a.local_lots[place] * spec["lot_numerator"] / spec["lot_denominator"]


@borrowing
def _qty_at_tick(a, price_tick, side):
    spec = a.spec[0]
    if not spec["range_low"] <= price_tick <= spec["range_high"]:
        return np.nan
    level = level_of(a.levels, price_tick)
    return _qty_at(a, 2 * level + side) if level >= 0 else 0.0


@attribute(ReplayDepth)
@viewing
def best_bid_qty(depth):
    """Quantity at the highest bid; 0 where there is none."""
    bid, _ = _best_levels(depth.asset)
    return _qty_at(depth.asset, 2 * bid) if bid >= 0 else 0.0


@attribute(ReplayDepth)
@viewing
def best_ask_qty(depth):
    """Quantity at the lowest ask; 0 where there is none."""
    _, ask = _best_levels(depth.asset)
    return _qty_at(depth.asset, 2 * ask + 1) if ask < len(depth.asset.levels) else 0.0


@method(ReplayDepth)
@viewing
def bid_qty_at_tick(depth, price_tick: int):
    """Quantity bid at a tick, hidden quantity included; 0 where there is none, NaN outside of a bounded book."""
    return _qty_at_tick(depth.asset, price_tick, 0)


@method(ReplayDepth)
@viewing
def ask_qty_at_tick(depth, price_tick: int):
    """Quantity offered at a tick, hidden quantity included; 0 where there is none, NaN outside of a bounded book."""
    return _qty_at_tick(depth.asset, price_tick, 1)


@internal
def _follow_range(a):
    if a.spec["range_low"][0] == INT64_MIN:
        raise ValueError("this book is not bounded; it has no array of levels")
    apply_range_rows(a)


@attribute(ReplayDepth)
@compiled
def bid_depth(depth):
    """Quantities bid at every tick of a bounded book, float64[roi_ub_tick - roi_lb_tick + 1]; read-only.

    The array shows the book as of the last time that `bid_depth` or `ask_depth` was asked for.
    """
    _follow_range(depth.asset)
    return depth.asset.range_bids_shown


@attribute(ReplayDepth)
@compiled
def ask_depth(depth):
    """Quantities offered at every tick of a bounded book, float64[roi_ub_tick - roi_lb_tick + 1]; see `bid_depth`."""
    _follow_range(depth.asset)
    return depth.asset.range_asks_shown


@attribute(ReplayDepth)
@viewing
def roi_lb_tick(depth):
    """Lowest tick of a bounded book; -2^63 where it is not bounded."""
    return depth.asset.spec["range_low"][0]


@attribute(ReplayDepth)
@viewing
def roi_ub_tick(depth):
    """Highest tick of a bounded book; 2^63 - 1 where it is not bounded."""
    return depth.asset.spec["range_high"][0]


@borrowing
def _qty_within(a, level, is_bid, ticks):
    """Return the visible quantity of a side from its best level to so many ticks beyond."""
    spec, levels = a.spec[0], a.levels
    side, step = (0, -1) if is_bid else (1, 1)
    lots = np.int64(0)
    if 0 <= level < len(levels):
        best = levels[level]
        while (
            0 <= level < len(levels)
            and abs(levels[level] - best) <= ticks
            and spec["range_low"] <= levels[level] <= spec["range_high"]
        ):
            lots += max(a.local_lots[2 * level + side], 0)
            level += step
    return lots * spec["lot_numerator"] / spec["lot_denominator"]


@method(ReplayDepth)
@viewing
def bid_qty_within(depth, ticks: int):
    """Quantity bid at the best price and up to so many ticks below it."""
    apply_local_rows(depth.asset)
    return _qty_within(depth.asset, _best_levels(depth.asset)[0], True, ticks)  # noqa: FBT003 - the side


@method(ReplayDepth)
@viewing
def ask_qty_within(depth, ticks: int):
    """Quantity offered at the best price and up to so many ticks above it."""
    apply_local_rows(depth.asset)
    return _qty_within(depth.asset, _best_levels(depth.asset)[1], False, ticks)  # noqa: FBT003 - the side


@method(ReplayDepth)
@viewing
def imbalance(depth, ticks: int):
    """(bid - ask) / (bid + ask) of the quantities within so many ticks of the best prices: -1 to 1, NaN without any."""
    apply_local_rows(depth.asset)
    bid, ask = _best_levels(depth.asset)
    bid_qty = _qty_within(depth.asset, bid, True, ticks)  # noqa: FBT003 - the side
    ask_qty = _qty_within(depth.asset, ask, False, ticks)  # noqa: FBT003 - the side
    total = bid_qty + ask_qty
    return (bid_qty - ask_qty) / total if total > 0.0 else np.nan


@attribute(ReplayDepth)
@viewing
def micro_price(depth):
    """The mid price, drawn to the side with less quantity at its best price; NaN unless both sides have one.

    (bid × ask quantity + ask × bid quantity) / (bid quantity + ask quantity).
    """
    a = depth.asset
    bid, ask = _best_levels(a)
    if bid < 0 or ask >= len(a.levels):
        return np.nan
    bid_qty, ask_qty = _qty_at(a, 2 * bid), _qty_at(a, 2 * ask + 1)
    total = bid_qty + ask_qty
    if not total > 0.0:
        return np.nan
    return (a.levels[bid] * ask_qty + a.levels[ask] * bid_qty) / total * a.spec["tick_size"][0]


@method(ReplayDepth)
@compiled
def snapshot(depth):
    """Return the visible levels as EVENT rows: bids from the best down, then asks from the best up. A copy (spec B2.8)."""
    a = depth.asset
    apply_local_rows(a)
    bid, ask = _best_levels(a)
    spec, lots, count = a.spec[0], a.local_lots, len(a.levels)
    lowest = 0  # levels outside of a bounded book are not in it, though orders may stand there
    while lowest <= bid and a.levels[lowest] < spec["range_low"]:
        lowest += 1
    while count > ask and a.levels[count - 1] > spec["range_high"]:
        count -= 1
    bids = max(bid + 1 - lowest, 0)
    rows = 0
    for v in range(lowest, bid + 1):
        rows += lots[2 * v] > 0
    for v in range(ask, count):
        rows += lots[2 * v + 1] > 0
    out = np.zeros(rows, EVENT)
    i = 0
    for step in range(bids + count - ask):
        is_bid = step < bids
        v = bid - step if is_bid else ask + step - bids
        here = lots[2 * v] if is_bid else lots[2 * v + 1]
        if here > 0:
            out["ev"][i] = _SNAPSHOT_BID if is_bid else _SNAPSHOT_ASK
            out["px"][i] = a.levels[v] * spec["tick_size"]
            out["qty"][i] = here * spec["lot_numerator"] / spec["lot_denominator"]
            i += 1
    return out
