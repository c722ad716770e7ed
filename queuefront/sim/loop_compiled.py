"""The run: time moves, both halves of every asset follow (spec B8).

Assets meet only in the strategy, and the two halves of an asset only over the order bus. So each exchange half is run
to the time asked for, or to the awaited response; then every local half receives what has arrived by then. The result
is the same as that of one queue of events ordered by (time, asset, local feed, response, exchange feed, request), at a
fraction of the cost.
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import Struct, struct, sum_to_float
from queuefront.core.clock import INT64_MIN
from queuefront.core.dtypes import SAMPLE, SERIES
from queuefront.core.enums import END_OF_DATA, MARKET_FEED, ORDER_RESPONSE
from queuefront.core.jit import borrowing, compiled, internal, processor_us
from queuefront.sim.bus_compiled import NEVER, due_request, due_response, later
from queuefront.sim.exchange_compiled import AWAIT_ANY, AWAIT_NOTHING, AWAIT_ORDER, run_exchange
from queuefront.sim.local_compiled import deliver_responses, fetch_feed, next_feed_ts, pay_funding, receive_feed
from queuefront.sim.market_compiled import best_levels_before

__all__ = [
    "UNTIL_FEED",
    "UNTIL_FEED_OR_RESPONSE",
    "UNTIL_ORDER",
    "UNTIL_TIME",
    "Backtester",
    "append_value",
    "charge_compute",
    "go_to",
    "mark_compute",
    "record_samples",
]

# What `go_to` stops at, besides the time. Constants are passed on as np.int64(…): Numba would compile a version of the
# callee for every literal otherwise.
UNTIL_TIME = 0
UNTIL_ORDER = 1
UNTIL_FEED = 2
UNTIL_FEED_OR_RESPONSE = 3


@struct("clock assets depths series")
class Backtester(Struct):
    """A running backtest, as a strategy sees it.

    clock : CLOCK[1].   assets : tuple of ReplayAsset.   depths : tuple of ReplayDepth.
    series : SERIES, grown as needed: what the strategy records for itself.
    """


@borrowing
def _next_exchange_ts(a):
    """Return when the exchange half may next answer: the next request, or row while orders rest; NEVER if neither comes."""
    state = a.state[0]
    due = due_request(a)
    if state["resting_bids"] + state["resting_asks"] > 0 and state["exch_row"] < len(a.op):
        # A row that this half does not see only makes the run shorter.
        return min(due, a.exch_ts[state["exch_row"]])
    return due


@borrowing
def _run_interleaved(hbt, until_ts):
    """Run all exchange halves until the first response of any asset arrives; returns the time reached.

    No half may pass the time at which another's response hands control back, so the earliest one runs only to the next one.
    """
    count = len(hbt.assets)
    for k in range(count):
        until_ts = min(until_ts, due_response(hbt.assets[k]))
    if count == 1:
        return run_exchange(hbt.assets[0], until_ts, np.int64(AWAIT_ANY), np.int64(0))
    while True:
        first, earliest, second = 0, NEVER, NEVER
        for k in range(count):
            ts = _next_exchange_ts(hbt.assets[k])
            if ts < earliest:
                first, earliest, second = k, ts, earliest
            else:
                second = min(second, ts)
        if earliest > until_ts or earliest == NEVER:
            for k in range(count):
                run_exchange(hbt.assets[k], until_ts, np.int64(AWAIT_NOTHING), np.int64(0))
            return until_ts
        run_exchange(hbt.assets[first], min(until_ts, second), np.int64(AWAIT_ANY), np.int64(0))
        until_ts = min(until_ts, due_response(hbt.assets[first]))


@borrowing
def _is_over(hbt, until_ts):
    """Whether nothing is left to happen after a time."""
    for k in range(len(hbt.assets)):
        a = hbt.assets[k]
        spec = a.spec[0]
        reached_ts = max(until_ts, a.state["reached_ts"][0])
        if spec["last_exch_ts"] > reached_ts or spec["last_local_ts"] > reached_ts:
            return False
        if due_request(a) != NEVER or due_response(a) != NEVER:
            return False
    return True


@borrowing
def _pay_until_last_event(hbt):
    """Pay the funding that fell due before the last event of any asset; the clock does not say, it stays (D23)."""
    last_ts = INT64_MIN
    for k in range(len(hbt.assets)):
        a = hbt.assets[k]
        spec = a.spec[0]
        last_ts = max(last_ts, spec["last_exch_ts"], spec["last_local_ts"], a.state["last_message_ts"][0])
    for k in range(len(hbt.assets)):
        pay_funding(hbt.assets[k], max(last_ts, INT64_MIN + 1) - 1)


@internal
def _grow_samples(a):
    count = len(a.samples)
    larger = np.zeros(2 * count, SAMPLE)
    for k in range(count):
        larger[k] = a.samples[k]
    a.samples = larger


@compiled
def record_samples(hbt):
    """Append the state of every asset at the present time to its samples."""
    now = hbt.clock["now"][0]
    for k in range(len(hbt.assets)):
        a = hbt.assets[k]
        spec, state = a.spec[0], a.state[0]
        count = state["sample_count"]
        if count == len(a.samples):
            _grow_samples(a)
        bid, ask = best_levels_before(
            a.best_bid_local,
            a.best_ask_local,
            state["local_row"],
            state["opening_bid_level"],
            state["opening_ask_level"],
        )
        sample = a.samples[count]
        sample["timestamp"] = now
        sample["price"] = np.nan
        if bid >= 0 and ask < len(a.levels):
            sample["price"] = (a.levels[bid] * spec["tick_size"] + a.levels[ask] * spec["tick_size"]) / 2.0
        sample["position"] = state["position_lots"] * spec["lot_numerator"] / spec["lot_denominator"]
        sample["balance"] = sum_to_float(state["cash_high"], state["cash_low"]) * spec["amount_unit"]
        sample["fee"] = sum_to_float(state["fee_high"], state["fee_low"]) * spec["fee_unit"]
        sample["num_trades"] = state["num_trades"]
        sample["trading_volume"] = state["volume_lots"] * spec["lot_numerator"] / spec["lot_denominator"]
        sample["trading_value"] = sum_to_float(state["value_high"], state["value_low"]) * spec["amount_unit"]
        state["sample_count"] = count + 1


@internal
def _grow_series(hbt):
    count = len(hbt.series)
    larger = np.zeros(max(2 * count, 256), SERIES)
    for k in range(count):
        larger[k] = hbt.series[k]
    hbt.series = larger


@borrowing
def append_value(hbt, series_no, value):
    """Append a value to one of the strategy's own series."""
    clock = hbt.clock[0]
    count = clock["series_count"]
    if count == len(hbt.series):
        _grow_series(hbt)
    row = hbt.series[count]
    row["timestamp"], row["series_no"], row["value"] = clock["now"], series_no, value
    clock["series_count"] = count + 1


@borrowing
def charge_compute(hbt):
    """Let the processor time since the last call pass in the simulation, where that is asked for."""
    clock = hbt.clock[0]
    if clock["charges_compute"] == 0:
        return
    spent_us = processor_us() - clock["compute_mark_us"]
    if clock["compute_mark_us"] >= 0 and spent_us > 0:
        go_to(hbt, later(clock["now"], spent_us * 1_000), np.int64(UNTIL_TIME), np.int64(0), np.int64(0))


@borrowing
def mark_compute(hbt):
    """Note the processor time at the end of a call; what follows is the strategy's own."""
    clock = hbt.clock[0]
    if clock["charges_compute"] != 0:
        clock["compute_mark_us"] = processor_us()


@borrowing
def _take_error(hbt):
    """Return the first error since the last call, once, and mark the run as failed (D24)."""
    code = 0
    for k in range(len(hbt.assets)):
        state = hbt.assets[k].state[0]
        if state["error_code"] != 0 and code == 0:
            code = state["error_code"]
            hbt.clock["error_code"][0] = code
        state["error_code"] = 0
    return code


@borrowing
def go_to(hbt, until_ts, mode, asset_no, order_id):
    """Advance to a time, the next feed, or an awaited response, whichever comes first. Returns a code, see `core.enums`.

    mode : UNTIL_TIME, UNTIL_ORDER (a response to `order_id` of `asset_no`), UNTIL_FEED, UNTIL_FEED_OR_RESPONSE; an int64.

    At the end of the data the clock stays where it is, whatever arrived in this call (spec B8.2, D23).
    """
    count = len(hbt.assets)
    is_feed_mode = mode == UNTIL_FEED or mode == UNTIL_FEED_OR_RESPONSE
    if is_feed_mode:
        for k in range(count):
            until_ts = min(until_ts, next_feed_ts(hbt.assets[k]))
    for k in range(count):
        fetch_feed(hbt.assets[k], until_ts)
    if mode == UNTIL_FEED_OR_RESPONSE:
        until_ts = _run_interleaved(hbt, until_ts)
    else:
        # The asset that is waited for goes first: it says how far the others may go.
        for turn in range(count):
            k = turn
            if mode == UNTIL_ORDER:
                k = asset_no if turn == 0 else turn - (turn <= asset_no)
            awaits = AWAIT_ORDER if mode == UNTIL_ORDER and turn == 0 else AWAIT_NOTHING
            until_ts = run_exchange(hbt.assets[k], until_ts, np.int64(awaits), order_id)
    result = np.int64(0)
    for k in range(count):
        a = hbt.assets[k]
        seen = a.state["local_feed_row"][0]
        receive_feed(a, until_ts)
        was_answered = deliver_responses(a, until_ts)
        if is_feed_mode and a.state["local_feed_row"][0] != seen:
            result = MARKET_FEED
        if mode == UNTIL_FEED_OR_RESPONSE and was_answered:
            result = ORDER_RESPONSE
    code = _take_error(hbt)
    if code != 0:
        return np.int64(code)
    if _is_over(hbt, until_ts):
        _pay_until_last_event(hbt)
        return END_OF_DATA
    clock = hbt.clock[0]
    clock["now"] = until_ts
    for k in range(count):
        if len(hbt.assets[k].funding) > 0:
            pay_funding(hbt.assets[k], until_ts)
    if clock["sample_every_ns"] > 0 and until_ts >= clock["next_sample_ts"]:
        record_samples(hbt)
        every = clock["sample_every_ns"]
        clock["next_sample_ts"] += ((until_ts - clock["next_sample_ts"]) // every + 1) * every
    return result
