"""Run the local half's rows through a book, and list what is left, in compiled code."""

from __future__ import annotations

from typing import Final

from queuefront.book import NO_BID, clear_asks, clear_bids, set_ask, set_bid
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    SELL_EVENT,
)
from queuefront.core.jit import compiled

__all__ = ["apply_local", "list_levels", "open_from_snapshot"]

_BID: Final = EXCH_EVENT | LOCAL_EVENT | DEPTH_SNAPSHOT_EVENT | BUY_EVENT
_ASK: Final = EXCH_EVENT | LOCAL_EVENT | DEPTH_SNAPSHOT_EVENT | SELL_EVENT


@compiled
def open_from_snapshot(ev, level, lots, bid_lots, ask_lots, state):
    """Fill an empty book from a snapshot: of `ev` only the side counts, and later rows replace earlier ones (spec B2.8).

    ev : uint64[n].   level, lots : int64[n].   bid_lots, ask_lots : int64[levels], mutated.
    state : int64[4], best_bid, best_ask, low_bid, high_ask; mutated.
    """
    for i in range(len(ev)):
        v = level[i]
        if ev[i] & BUY_EVENT != 0:
            bid_lots[v] = lots[i]
            if lots[i] > 0:
                state[0] = max(state[0], v)
                state[2] = min(state[2], v)
        elif ev[i] & SELL_EVENT != 0:
            ask_lots[v] = lots[i]
            if lots[i] > 0:
                state[1] = min(state[1], v)
                state[3] = max(state[3], v)


@compiled
def apply_local(ev, level, lots, bid_lots, ask_lots, state):
    """Apply the rows that the local half sees; as `open_from_snapshot`, with `level` -1 where a row has no price."""
    count = len(bid_lots)
    bid, ask, low, high = state[0], state[1], state[2], state[3]
    for i in range(len(ev)):
        if ev[i] & LOCAL_EVENT == 0:
            continue
        kind = ev[i] & KIND_MASK
        is_bid = ev[i] & BUY_EVENT != 0
        is_ask = not is_bid and ev[i] & SELL_EVENT != 0
        if kind == DEPTH_EVENT or kind == DEPTH_SNAPSHOT_EVENT:
            if is_bid:
                bid, ask, low = set_bid(bid_lots, ask_lots, level[i], lots[i], bid, ask, low, high)
            elif is_ask:
                bid, ask, high = set_ask(bid_lots, ask_lots, level[i], lots[i], bid, ask, low, high)
        elif kind == DEPTH_CLEAR_EVENT:
            if is_bid:
                bid, low = clear_bids(bid_lots, level[i], bid, low)
            elif is_ask:
                ask, high = clear_asks(ask_lots, level[i], ask, high)
            else:
                bid_lots[:] = 0
                ask_lots[:] = 0
                bid, ask, low, high = NO_BID, count, count, NO_BID
    state[0], state[1], state[2], state[3] = bid, ask, low, high


@compiled
def list_levels(bid_lots, ask_lots, best_bid, best_ask, ev, level, lots):
    """List the bids from the best down, then the asks from the best up; return how many rows were used.

    ev : uint64[n], level, lots : int64[n]; written, large enough for every level of both sides.
    """
    n = 0
    for v in range(best_bid, -1, -1):
        if bid_lots[v] > 0:
            ev[n] = _BID
            level[n] = v
            lots[n] = bid_lots[v]
            n += 1
    for v in range(best_ask, len(ask_lots)):
        if ask_lots[v] > 0:
            ev[n] = _ASK
            level[n] = v
            lots[n] = ask_lots[v]
            n += 1
    return n
