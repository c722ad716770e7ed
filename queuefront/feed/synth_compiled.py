"""Draw a synthetic limit order book, one step after the other.

Rules of a step
1. Time moves on by an exponential delay. The rate is a base rate plus an excitement that market orders raise and that
   decays (a self-exciting process after Hawkes 1971, with the decay 1 / (1 + x + x²/2) for exp(-x)).
2. The efficient price makes a step of a random walk, in proportion to the square root of the delay.
3. If a best level lies on the wrong side of the efficient price, a market order takes it. Otherwise chance picks a limit
   order, a cancellation or a market order. A trade is followed by the level's new quantity.
4. Levels too far behind the best are withdrawn, so that a side keeps to about the wanted number of levels.

Only sums, products, quotients and square roots are used, which IEEE 754 rounds alike everywhere: a seed gives the same
bytes on every machine, compiled or not. The generator is MRG32k3a (L'Ecuyer 1999), whose products stay within int64.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.core.jit import borrowing, compiled

M1: Final = 4_294_967_087
M2: Final = 4_294_944_443

# Slots of the market's state.
BEST_BID: Final = 0
BEST_ASK: Final = 1
LAST_BID: Final = 2  # the worst bid level
LAST_ASK: Final = 3
BID_COUNT: Final = 4
ASK_COUNT: Final = 5
ROW: Final = 6
EXCH_TS: Final = 7
LOCAL_TS: Final = 8
STATE_SLOTS: Final = 9

# Slots of the parameters.
RATE: Final = 0  # events per nanosecond
EXCITEMENT: Final = 1  # added to the rate by a market order
DECAY: Final = 2  # of the excitement, per nanosecond
VOLATILITY: Final = 3  # ticks per square root of a nanosecond
LEVEL_LOTS: Final = 4  # mean size of a limit order at the best
TRADE_LOTS: Final = 5  # mean size of a market order
LATENCY_NS: Final = 6  # smallest feed latency
JITTER_NS: Final = 7  # mean of what comes on top
LIMIT_SHARE: Final = 8
CANCEL_SHARE: Final = 9
PARAMETER_SLOTS: Final = 10

_SPIKE: Final = 0.002  # share of messages that are late by ten times the jitter


@borrowing
def draw(seed):
    """Return the next random number, in (0, 1); `seed` : int64[6], mutated."""
    first = (1_403_580 * seed[1] - 810_728 * seed[0]) % M1
    second = (527_612 * seed[5] - 1_370_589 * seed[3]) % M2
    seed[0] = seed[1]
    seed[1] = seed[2]
    seed[2] = first
    seed[3] = seed[4]
    seed[4] = seed[5]
    seed[5] = second
    difference = first - second
    if difference <= 0:
        difference += M1
    return difference / (M1 + 1.0)


@borrowing
def natural_log(x):
    """Return ln x, x in (0, 1], by the series of the inverse hyperbolic tangent; right to 1e-12."""
    exponent = 0
    while x < 0.70710678118654752:
        x *= 2.0
        exponent -= 1
    s = (x - 1.0) / (x + 1.0)
    square = s * s
    term = s
    total = 0.0
    for k in range(1, 16, 2):
        total += term / k
        term *= square
    return 2.0 * total + exponent * 0.69314718055994531


@borrowing
def draw_exponential(seed):
    """Return a random number of mean 1, exponentially distributed."""
    return -natural_log(draw(seed))


@borrowing
def draw_normal(seed):
    """Return a random number of mean 0 and variance 1, nearly normal: the sum of four uniform ones."""
    return (draw(seed) + draw(seed) + draw(seed) + draw(seed) - 2.0) * 1.7320508075688772


@borrowing
def put(out, state, ev, tick, lots):
    """Append one row if there is room; `out` : int64[5, n]: ev, exch_ts, local_ts, tick, lots."""
    n = state[ROW]
    if n < out.shape[1]:
        out[0, n] = ev
        out[1, n] = state[EXCH_TS]
        out[2, n] = state[LOCAL_TS]
        out[3, n] = tick
        out[4, n] = lots
        state[ROW] = n + 1


@borrowing
def set_bid(bids, state, out, tick, lots):
    """Set a bid level, tell of it, and keep the best and worst bid true. The side keeps another level."""
    if bids[tick] == 0 and lots > 0:
        state[BID_COUNT] += 1
    if bids[tick] > 0 and lots == 0:
        state[BID_COUNT] -= 1
    bids[tick] = lots
    put(out, state, DEPTH_EVENT | BUY_EVENT, tick, lots)
    if lots > 0:
        state[BEST_BID] = max(state[BEST_BID], tick)
        state[LAST_BID] = min(state[LAST_BID], tick)
    while bids[state[BEST_BID]] == 0:
        state[BEST_BID] -= 1
    while bids[state[LAST_BID]] == 0:
        state[LAST_BID] += 1


@borrowing
def set_ask(asks, state, out, tick, lots):
    """Set an ask level; see `set_bid`."""
    if asks[tick] == 0 and lots > 0:
        state[ASK_COUNT] += 1
    if asks[tick] > 0 and lots == 0:
        state[ASK_COUNT] -= 1
    asks[tick] = lots
    put(out, state, DEPTH_EVENT | SELL_EVENT, tick, lots)
    if lots > 0:
        state[BEST_ASK] = min(state[BEST_ASK], tick)
        state[LAST_ASK] = max(state[LAST_ASK], tick)
    while asks[state[BEST_ASK]] == 0:
        state[BEST_ASK] += 1
    while asks[state[LAST_ASK]] == 0:
        state[LAST_ASK] -= 1


@borrowing
def draw_lots(seed, mean):
    """Return a positive number of lots."""
    return 1 + np.int64(mean * draw_exponential(seed))


@borrowing
def take(is_buy, bids, asks, state, out, lots):
    """Execute a market order against the best level only; the level's new quantity follows the trade."""
    if is_buy:
        tick = state[BEST_ASK]
        traded = min(lots, asks[tick] - (state[ASK_COUNT] < 2))
        if traded > 0:
            put(out, state, TRADE_EVENT | BUY_EVENT, tick, traded)
            set_ask(asks, state, out, tick, asks[tick] - traded)
    else:
        tick = state[BEST_BID]
        traded = min(lots, bids[tick] - (state[BID_COUNT] < 2))
        if traded > 0:
            put(out, state, TRADE_EVENT | SELL_EVENT, tick, traded)
            set_bid(bids, state, out, tick, bids[tick] - traded)


@borrowing
def add(is_bid, bids, asks, state, out, fair, distance, lots):
    """Add a limit order at `distance` ticks behind the foremost tick that neither crosses nor passes the fair price."""
    if is_bid:
        tick = min(state[BEST_ASK] - 1, fair) - distance
        set_bid(bids, state, out, tick, bids[tick] + lots)
    else:
        tick = max(state[BEST_BID] + 1, fair + 1) + distance
        set_ask(asks, state, out, tick, asks[tick] + lots)


@borrowing
def cancel(is_bid, bids, asks, state, out, seed, levels):
    """Withdraw a part of a level that chance picks, nearer ones more often; the side keeps a third of its levels."""
    distance = np.int64(levels * draw(seed) * draw(seed))
    share = draw(seed)
    if is_bid:
        tick = max(state[BEST_BID] - distance, state[LAST_BID])
        left = np.int64(bids[tick] * share)
        if bids[tick] > 0 and (left > 0 or state[BID_COUNT] > max(levels // 3, 1)):
            set_bid(bids, state, out, tick, left)
    else:
        tick = min(state[BEST_ASK] + distance, state[LAST_ASK])
        left = np.int64(asks[tick] * share)
        if asks[tick] > 0 and (left > 0 or state[ASK_COUNT] > max(levels // 3, 1)):
            set_ask(asks, state, out, tick, left)


@borrowing
def trim(bids, asks, state, out, levels):
    """Withdraw the levels that fell too far behind."""
    while state[BEST_BID] - state[LAST_BID] > levels:
        set_bid(bids, state, out, state[LAST_BID], 0)
    while state[LAST_ASK] - state[BEST_ASK] > levels:
        set_ask(asks, state, out, state[LAST_ASK], 0)


@borrowing
def open_book(bids, asks, state, out, parameters, seed, fair, levels):
    """Fill both sides and tell of them as a snapshot."""
    state[BEST_BID] = fair
    state[LAST_BID] = fair - levels + 1
    state[BEST_ASK] = fair + 1
    state[LAST_ASK] = fair + levels
    state[BID_COUNT] = levels
    state[ASK_COUNT] = levels
    put(out, state, DEPTH_CLEAR_EVENT | BUY_EVENT, state[LAST_BID], 0)
    for k in range(levels):
        bids[fair - k] = draw_lots(seed, parameters[LEVEL_LOTS] * (2.0 + 0.1 * k))
        put(out, state, DEPTH_SNAPSHOT_EVENT | BUY_EVENT, fair - k, bids[fair - k])
    put(out, state, DEPTH_CLEAR_EVENT | SELL_EVENT, state[LAST_ASK], 0)
    for k in range(levels):
        asks[fair + 1 + k] = draw_lots(seed, parameters[LEVEL_LOTS] * (2.0 + 0.1 * k))
        put(out, state, DEPTH_SNAPSHOT_EVENT | SELL_EVENT, fair + 1 + k, asks[fair + 1 + k])


@borrowing
def stamp(state, parameters, seed):
    """Let the message of this step arrive: never before the one ahead of it."""
    latency_ns = parameters[LATENCY_NS] + parameters[JITTER_NS] * 0.5 * (draw_exponential(seed) + draw_exponential(seed))
    if draw(seed) < _SPIKE:
        latency_ns += 10.0 * parameters[JITTER_NS] * draw_exponential(seed)
    state[LOCAL_TS] = max(state[LOCAL_TS], state[EXCH_TS] + np.int64(latency_ns))


@compiled
def simulate(seed, parameters, levels, ticks, start_ts, out):
    """Fill `out` with the rows of a market that lives on `ticks` ticks and starts in their middle.

    seed : int64[6], mutated.   parameters : float64[PARAMETER_SLOTS].   out : int64[5, n], written: ev, exch_ts, local_ts,
    tick (from 0), lots.
    """
    bids = np.zeros(ticks, np.int64)
    asks = np.zeros(ticks, np.int64)
    state = np.zeros(STATE_SLOTS, np.int64)
    state[EXCH_TS] = start_ts
    lowest = 4.0 * levels
    highest = ticks - 4.0 * levels
    price = ticks * 0.5
    stamp(state, parameters, seed)
    open_book(bids, asks, state, out, parameters, seed, np.int64(price), levels)
    elapsed_ns = 0.0
    excitement = 0.0
    while state[ROW] < out.shape[1]:
        delay_ns = draw_exponential(seed) / (parameters[RATE] + excitement)
        decay = parameters[DECAY] * delay_ns
        excitement /= 1.0 + decay + 0.5 * decay * decay
        elapsed_ns += delay_ns
        price += parameters[VOLATILITY] * math.sqrt(delay_ns) * draw_normal(seed)
        price = min(max(price, lowest), highest)
        fair = np.int64(price)
        state[EXCH_TS] = start_ts + np.int64(elapsed_ns)
        stamp(state, parameters, seed)
        choice = draw(seed)
        is_buy = draw(seed) < 0.5
        distance = np.int64(levels * draw(seed) * draw(seed) * draw(seed))
        if state[BEST_ASK] <= fair or state[BEST_BID] > fair:
            is_buy = state[BEST_ASK] <= fair
            if state[ASK_COUNT if is_buy else BID_COUNT] < max(levels // 3, 2):
                add(not is_buy, bids, asks, state, out, fair, distance, draw_lots(seed, parameters[LEVEL_LOTS]))
            take(is_buy, bids, asks, state, out, asks[state[BEST_ASK]] if is_buy else bids[state[BEST_BID]])
            excitement += parameters[EXCITEMENT]
        elif choice < parameters[LIMIT_SHARE]:
            lots = draw_lots(seed, parameters[LEVEL_LOTS] * (1.0 + 0.1 * distance))
            add(is_buy, bids, asks, state, out, fair, distance, lots)
        elif choice < parameters[LIMIT_SHARE] + parameters[CANCEL_SHARE]:
            cancel(is_buy, bids, asks, state, out, seed, levels)
        else:
            take(is_buy, bids, asks, state, out, draw_lots(seed, parameters[TRADE_LOTS]))
            excitement += parameters[EXCITEMENT]
        trim(bids, asks, state, out, levels)
