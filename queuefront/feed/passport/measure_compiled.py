"""One pass over a tape's columns: what happened in each span of time at the exchange, and how late we heard of it.

Spans are of the exchange's clock. A span's figures stand in one row of COUNTS (whole numbers) and one of SUMS (integrals
over time), in the order of the names below. The state of the book between two times counts from the last row of the first
time on: what a message shows half-way, between its own rows, has no duration and is not seen.

The tape's best prices never cross, because a level that the other side has crossed is hidden by it. A book is *crossed*
here while such hidden levels hold a quantity beyond the best price of the other side, *locked* while they hold one at that
price only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_AT_EXCH,
    OP_AT_LOCAL,
    OP_BID,
    OP_BUY_TRADE,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_ASKS,
    OP_CLEAR_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MODIFY_ORDER,
    OP_OTHER_TRADE,
    OP_SET_ASK,
    OP_SET_BID,
)
from queuefront.core.jit import borrowing, compiled

__all__ = [
    "BUCKETS",
    "BUCKETS_AN_OCTAVE",
    "COUNTS",
    "SUMS",
    "bucket_top",
    "end_measuring",
    "measure_rows",
    "new_figures",
    "new_market",
]

#: Whole numbers of each span.
COUNTS = (
    "events",  # rows that the exchange sees
    "trades",
    "book_changes",  # rows that tell of the book
    "duplicates",  # such rows that say of a place what was said of it at the same time already
    "repeated_trades",  # trades equal to the one before in time, price, quantity and aggressor
    "one_sided_rows",  # rows that only one half sees, because the two clocks disagree about the order
    "inversions",  # rows that reached us before they happened
    "latency_min_ns",
    "latency_max_ns",
    "latencies",
    "silence_ns",  # longest time without a row at the exchange that touches the span
    "frozen_ns",  # longest time without a change of the book during which the trades of `frozen_trades` happened
    "frozen_trades",
    "covered_ns",  # time of the span between the first and the last row of the tape
    "crossed_ns",
    "locked_ns",
    "hidden_levels",  # most levels that the other side's best price hides
    "empty_ns",  # time in which a side of the book had no price
    "spread_min_ticks",
    "spread_max_ticks",
    "outside_trades",  # trades below the best bid or above the best ask
    "outside_max_ticks",  # furthest of them
    "jump_half_ticks",  # largest change of the mid price from one time to the next
    "spike_half_ticks",  # largest such change that the next one undid, as much of it as was undone
)
#: Integrals over the time in which both sides had a price.
SUMS = ("spread_tick_ns", "bid_lot_ns", "ask_lot_ns", "mid_half_tick_ns", "two_sided_ns")

BUCKETS_AN_OCTAVE = 8
BUCKETS = 488
"""Distributions are counts of buckets, eight an octave, so that a quantile is known to 13 %; the last ends with int64."""

_FAR = 2**62
_NO_LATENCY = 2**62

(
    _EVENTS, _TRADES, _BOOK_CHANGES, _DUPLICATES, _REPEATED_TRADES, _ONE_SIDED_ROWS, _INVERSIONS, _LATENCY_MIN,
    _LATENCY_MAX, _LATENCIES, _SILENCE, _FROZEN, _FROZEN_TRADES, _COVERED, _CROSSED, _LOCKED, _HIDDEN, _EMPTY, _SPREAD_MIN,
    _SPREAD_MAX, _OUTSIDE, _OUTSIDE_MAX, _JUMP, _SPIKE,
) = range(len(COUNTS))  # fmt: skip
_SPREAD_SUM, _BID_SUM, _ASK_SUM, _MID_SUM, _TWO_SIDED = range(len(SUMS))


@borrowing
def _bucket(ns):
    """Return the bucket of a positive duration: its octave and the eighth of it."""
    octave = 0
    rest = ns
    while rest >= 16:
        rest >>= 1
        octave += 1
    return min(BUCKETS_AN_OCTAVE * octave + rest, BUCKETS - 1)


def bucket_top(bucket: int) -> int:
    """Return the longest duration of a bucket."""
    if bucket < 16:
        return bucket
    octave, eighth = divmod(bucket - 8, BUCKETS_AN_OCTAVE)
    return ((eighth + 9) << octave) - 1


@borrowing
def _difference(later, earlier):
    """Return a difference of two times that cannot leave int64."""
    return min(max(later, -_FAR), _FAR - 1) - min(max(earlier, -_FAR), _FAR - 1)


@borrowing
def _spread_over(counts, sums, span_ns, first_ts, start, stop, silence, state, lots):
    """Let the state of the book count for the time from `start` to `stop`, span by span.

    silence : how long no row came.   state : int64[7]: best bid tick, best ask tick, whether there is a bid, an ask,
    crossed, locked; hidden levels.   lots : int64[2], at the best prices.
    """
    at = start
    while at < stop:
        k = (at - first_ts) // span_ns
        end = min(stop, first_ts + (k + 1) * span_ns)
        ns = end - at
        row = counts[k]
        row[_COVERED] += ns
        row[_SILENCE] = max(row[_SILENCE], silence)
        row[_HIDDEN] = max(row[_HIDDEN], state[6])
        if state[4]:
            row[_CROSSED] += ns
        elif state[5]:
            row[_LOCKED] += ns
        if state[2] and state[3]:
            spread = state[1] - state[0]
            row[_SPREAD_MIN] = min(row[_SPREAD_MIN], spread)
            row[_SPREAD_MAX] = max(row[_SPREAD_MAX], spread)
            sums[k, _SPREAD_SUM] += float(spread) * ns
            sums[k, _BID_SUM] += float(lots[0]) * ns
            sums[k, _ASK_SUM] += float(lots[1]) * ns
            sums[k, _MID_SUM] += float(state[0] + state[1]) * ns
            sums[k, _TWO_SIDED] += float(ns)
        else:
            row[_EMPTY] += ns
        at = end


@borrowing
def _freeze(counts, span_ns, first_ts, start, stop, trades):
    """Note a time without a change of the book in the spans that it touches."""
    if trades == 0:
        return
    for k in range((start - first_ts) // span_ns, (stop - first_ts) // span_ns + 1):
        if trades > counts[k, _FROZEN_TRADES]:
            counts[k, _FROZEN_TRADES] = trades
            counts[k, _FROZEN] = stop - start


@borrowing
def _held_levels(book_lots, reach, side, low, stop):
    """Return how many levels of a side from `low` to before `stop` hold something. reach : see `measure_rows`."""
    count = np.int64(0)
    for v in range(max(low, reach[side, 0]), min(stop, reach[side, 1] + 1)):
        count += book_lots[2 * v + side] > 0
    return count


@borrowing
def _hide(book_lots, hidden, reach, bid, ask, next_bid, next_ask):
    """Count the hidden levels anew where the best prices went from (bid, ask) to (next_bid, next_ask).

    hidden : int64[1], asks at or below the best bid and bids at or above the best ask that hold a quantity; mutated.
    """
    bids, asks = np.int64(0), np.int64(1)
    hidden[0] += _held_levels(book_lots, reach, asks, bid + 1, next_bid + 1)
    hidden[0] += _held_levels(book_lots, reach, bids, next_ask, ask)
    if hidden[0] > 0:
        hidden[0] -= _held_levels(book_lots, reach, asks, next_bid + 1, bid + 1)
        hidden[0] -= _held_levels(book_lots, reach, bids, ask, next_ask)


@borrowing
def _set_place(book_lots, hidden, place, lots, bid, ask):
    """Set what a place holds. bid, ask : the best levels that `hidden` was counted for."""
    is_hidden = place >> 1 <= bid if place & 1 else place >> 1 >= ask
    if is_hidden:
        hidden[0] += np.int64(lots > 0) - np.int64(book_lots[place] > 0)
    book_lots[place] = lots


@borrowing
def _reach_out(reach, place):
    """Let a clear look as far as to a place that is set. reach : int64[2, 2], see `measure_rows`; mutated."""
    side, level = place & 1, place >> 1
    reach[side, 0], reach[side, 1] = min(reach[side, 0], level), max(reach[side, 1], level)


@borrowing
def _clear_side(book_lots, hidden, reach, side, low, high, bid, ask):
    """Empty a side from `low` to `high`, as far as levels were set at all since it was last emptied."""
    for v in range(max(low, reach[side, 0]), min(high, reach[side, 1]) + 1):
        if book_lots[2 * v + side] != 0:
            _set_place(book_lots, hidden, 2 * v + side, np.int64(0), bid, ask)
    if low == 0 and high == len(book_lots) // 2 - 1:
        reach[side, 0], reach[side, 1] = len(book_lots), -1


@borrowing
def _apply_clear(book_lots, hidden, reach, what, level, bid, ask):
    """Empty what a clear empties."""
    last = np.int64(len(book_lots) // 2 - 1)
    if what == OP_CLEAR_BIDS:
        _clear_side(book_lots, hidden, reach, np.int64(0), level, bid, bid, ask)
    elif what == OP_CLEAR_ASKS:
        _clear_side(book_lots, hidden, reach, np.int64(1), ask, level, bid, ask)
    if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
        _clear_side(book_lots, hidden, reach, np.int64(0), np.int64(0), last, bid, ask)
    if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
        _clear_side(book_lots, hidden, reach, np.int64(1), np.int64(0), last, bid, ask)


@borrowing
def _apply_book(book_lots, hidden, reach, said_ts, code, level, lots, prior_level, prior_lots, bid, ask, ts):
    """Apply a row that tells of the book. Returns whether it repeats what was said at the same time.

    said_ts : int64[places], when a place was last set.
    """
    what = code & OP_MASK
    if what == OP_SET_BID or what == OP_SET_ASK:
        place = 2 * level + what - 1
        is_repeated = said_ts[place] == ts and book_lots[place] == lots
        said_ts[place] = ts
        _set_place(book_lots, hidden, place, lots, bid, ask)
        _reach_out(reach, place)
        return is_repeated
    if what >= OP_ADD_ORDER:
        side = 0 if code & OP_BID else 1
        if what == OP_CANCEL_ORDER or what == OP_MODIFY_ORDER:
            place = 2 * prior_level + side
            _set_place(book_lots, hidden, place, book_lots[place] - prior_lots, bid, ask)
        if what == OP_ADD_ORDER or what == OP_MODIFY_ORDER:
            place = 2 * level + side
            _set_place(book_lots, hidden, place, book_lots[place] + lots, bid, ask)
            _reach_out(reach, place)
        return what == OP_MODIFY_ORDER and level == prior_level and lots == prior_lots
    _apply_clear(book_lots, hidden, reach, what, level, bid, ask)
    return False


@borrowing
def _note_latency(counts, histogram, k, ns):
    row = counts[k]
    row[_LATENCY_MIN], row[_LATENCY_MAX] = min(row[_LATENCY_MIN], ns), max(row[_LATENCY_MAX], ns)
    row[_LATENCIES] += 1
    if ns < 0:
        row[_INVERSIONS] += 1
    histogram[k, _bucket(max(ns, np.int64(0)))] += 1


@borrowing
def _tell_state(state, lots, levels, book_lots, hidden, bid, ask):
    """Write the book as it stands into `state` and `lots`, see `_spread_over`."""
    has_bid, has_ask = bid >= 0, ask < len(levels)
    state[0], state[1] = levels[bid] if has_bid else 0, levels[ask] if has_ask else 0
    state[2], state[3] = has_bid, has_ask
    lots[0] = book_lots[2 * bid] if has_bid else 0
    lots[1] = book_lots[2 * ask + 1] if has_ask else 0
    at_best = np.int64(0)
    if has_bid:
        at_best += book_lots[2 * bid + 1] > 0
    if has_ask:
        at_best += book_lots[2 * ask] > 0
    state[4], state[5], state[6] = hidden[0] > at_best, at_best > 0, hidden[0]


@borrowing
def _move(counts, k, mid, moves):
    """Note a change of the mid price. moves : int64[3]: the last mid price, whether there is one, the last change."""
    if moves[1]:
        change = mid - moves[0]
        if change != 0:
            counts[k, _JUMP] = max(counts[k, _JUMP], abs(change))
            if (change > 0) != (moves[2] > 0):
                counts[k, _SPIKE] = max(counts[k, _SPIKE], min(abs(change), abs(moves[2])))
            moves[2] = change
    moves[0], moves[1] = mid, 1


@borrowing
def _trade(counts, k, tick, levels, bid, ask):
    counts[k, _TRADES] += 1
    outside = np.int64(0)
    if ask < len(levels) and tick > levels[ask]:
        outside = tick - levels[ask]
    elif bid >= 0 and tick < levels[bid]:
        outside = levels[bid] - tick
    if outside > 0:
        counts[k, _OUTSIDE] += 1
        counts[k, _OUTSIDE_MAX] = max(counts[k, _OUTSIDE_MAX], outside)


(
    _BID, _ASK, _NOW, _CHANGE_TS, _FROZEN_COUNT, _TRADE_TS, _TRADE_LOTS, _TRADE_LEVEL, _TRADE_WHAT, _HAS_TRADE, _IS_BEGUN,
) = range(11)  # fmt: skip


def new_figures(span_count: int) -> Any:
    """Return what `measure_rows` counts, of no row yet."""
    counts = np.zeros((span_count, len(COUNTS)), np.int64)
    counts[:, _LATENCY_MIN] = counts[:, _SPREAD_MIN] = _NO_LATENCY
    sums = np.zeros((span_count, len(SUMS)), np.float64)
    latencies = np.zeros((span_count, BUCKETS), np.int32)
    return counts, sums, latencies, *(np.zeros(BUCKETS, np.int64) for _ in range(3))


def new_market(opening: Any, level_count: int, first_ts: int) -> Any:
    """Return what `measure_rows` remembers of the market, before the first row.

    opening : int64[2 × levels], lots of each place.   first_ts : beginning of the first span.
    """
    said_ts = np.full(len(opening), first_ts - 1, np.int64)
    # Lowest and highest level of bids and of asks that may hold something: no row must look at all levels of a tape.
    reach = np.zeros((2, 2), np.int64)
    reach[:, 0], reach[:, 1] = len(opening), -1
    for place in np.flatnonzero(opening).tolist():
        side, level = place & 1, place >> 1
        reach[side, 0], reach[side, 1] = min(reach[side, 0], level), max(reach[side, 1], level)
    memory = np.zeros(11, np.int64)
    memory[_BID], memory[_ASK], memory[_NOW], memory[_CHANGE_TS] = -1, level_count, first_ts, first_ts
    memory[_TRADE_TS] = first_ts - 1
    state, best_lots, moves = np.zeros(7, np.int64), np.zeros(2, np.int64), np.zeros(3, np.int64)
    return opening.copy(), np.zeros(1, np.int64), said_ts, reach, state, best_lots, moves, memory


@compiled
def measure_rows(  # tidy: allow size: one pass, whose state would be a record of twenty fields otherwise
    op, exch_ts, local_ts, level, lots, best_bid, best_ask, levels, prior, spans, figures, market
):  # fmt: skip
    """Measure rows of a tape, which may come part by part; see `end_measuring`.

    op … best_ask : the tape's columns, at the exchange.   prior : (prior_level, prior_lots), empty unless by order.
    spans : (beginning of the first one, length, number).   figures, market : see `new_figures`, `new_market`; mutated.
    figures : (counts, sums, latencies, intervals, book_intervals, move_sizes):
    counts : int64[spans, len(COUNTS)].   sums : float64[spans, len(SUMS)].   latencies : int32[spans, BUCKETS].
    intervals, book_intervals : int64[BUCKETS], times between different times of rows, and of rows that tell of the book.
    move_sizes : int64[BUCKETS], changes of the mid price, half ticks.

    Rows before the first span and beyond the last one count as of these.
    """
    counts, sums, latencies, intervals, book_intervals, move_sizes = figures
    book_lots, hidden, said_ts, reach, state, best_lots, moves, memory = market
    first_ts, span_ns, span_count = spans
    last_ts = first_ts + span_ns * span_count - 1
    bid, ask, now, change_ts, frozen = memory[_BID], memory[_ASK], memory[_NOW], memory[_CHANGE_TS], memory[_FROZEN_COUNT]
    trade_ts, trade_lots, trade_level = memory[_TRADE_TS], memory[_TRADE_LOTS], memory[_TRADE_LEVEL]
    trade_what, has_trade, is_begun = memory[_TRADE_WHAT], memory[_HAS_TRADE] != 0, memory[_IS_BEGUN] != 0
    is_by_order = len(prior[0]) > 0
    for i in range(len(op)):
        code = op[i]
        ts = min(max(exch_ts[i], first_ts), last_ts)
        k = (ts - first_ts) // span_ns
        if code & OP_AT_LOCAL:
            _note_latency(counts, latencies, k, _difference(local_ts[i], exch_ts[i]))
        if (code & OP_AT_EXCH) == 0 or (code & OP_AT_LOCAL) == 0:
            counts[k, _ONE_SIDED_ROWS] += (code & (OP_AT_EXCH | OP_AT_LOCAL)) != 0
        if (code & OP_AT_EXCH) == 0:
            continue
        if not is_begun:
            is_begun = True
            now = change_ts = ts
        elif ts > now:
            _tell_state(state, best_lots, levels, book_lots, hidden, bid, ask)
            if state[2] and state[3]:
                before = moves[0]
                was_known = moves[1]
                _move(counts, (now - first_ts) // span_ns, state[0] + state[1], moves)
                if was_known and moves[0] != before:
                    move_sizes[_bucket(abs(moves[0] - before))] += 1
            _spread_over(counts, sums, span_ns, first_ts, now, ts, ts - now, state, best_lots)
            intervals[_bucket(ts - now)] += 1
            now = ts
        row = counts[k]
        row[_EVENTS] += 1
        what = code & OP_MASK
        if OP_BUY_TRADE <= what <= OP_OTHER_TRADE:
            _trade(counts, k, levels[level[i]], levels, bid, ask)
            if has_trade and trade_ts == exch_ts[i]:
                row[_REPEATED_TRADES] += trade_lots == lots[i] and trade_level == level[i] and trade_what == what
            frozen += ts > trade_ts or not has_trade
            trade_ts, trade_lots, trade_level, trade_what = exch_ts[i], lots[i], np.int64(level[i]), np.int64(what)
            has_trade = True
        elif what != 0 and what <= OP_FILL_ORDER:
            if what == OP_FILL_ORDER:
                frozen += 1
                continue
            row[_BOOK_CHANGES] += 1
            prior_level, prior_lots = np.int64(0), np.int64(0)
            if is_by_order:
                prior_level, prior_lots = np.int64(prior[0][i]), prior[1][i]
            if _apply_book(
                book_lots, hidden, reach, said_ts, code, np.int64(level[i]), lots[i], prior_level, prior_lots, bid, ask, ts
            ):
                row[_DUPLICATES] += 1
            next_bid, next_ask = np.int64(best_bid[i]), np.int64(best_ask[i])
            _hide(book_lots, hidden, reach, bid, ask, next_bid, next_ask)
            bid, ask = next_bid, next_ask
            if ts > change_ts:
                _freeze(counts, span_ns, first_ts, change_ts, ts, frozen)
                book_intervals[_bucket(ts - change_ts)] += 1
                change_ts, frozen = ts, 0
    memory[_BID], memory[_ASK], memory[_NOW], memory[_CHANGE_TS], memory[_FROZEN_COUNT] = bid, ask, now, change_ts, frozen
    memory[_TRADE_TS], memory[_TRADE_LOTS], memory[_TRADE_LEVEL] = trade_ts, trade_lots, trade_level
    memory[_TRADE_WHAT], memory[_HAS_TRADE], memory[_IS_BEGUN] = trade_what, has_trade, is_begun


@compiled
def end_measuring(levels, spans, figures, market):
    """Count what the last row began; arguments as of `measure_rows`."""
    counts = figures[0]
    book_lots, hidden, _, _, state, best_lots, moves, memory = market
    first_ts, span_ns, _ = spans
    now = memory[_NOW]
    if memory[_IS_BEGUN]:
        _tell_state(state, best_lots, levels, book_lots, hidden, memory[_BID], memory[_ASK])
        if state[2] and state[3]:
            _move(counts, (now - first_ts) // span_ns, state[0] + state[1], moves)
        _freeze(counts, span_ns, first_ts, memory[_CHANGE_TS], now, memory[_FROZEN_COUNT])
