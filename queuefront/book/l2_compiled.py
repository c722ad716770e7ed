"""The L2 book in compiled code: quantity by level, and the best level of each side.

Rules (those of hftbacktest's hash-map book, spec B2; D11, D13 and D16 mended):

- A *level* is an index into a sorted table of ticks, so that the levels of a market are dense however wide its prices.
  `NO_BID` (-1) and the number of levels stand for "no best bid" and "no best ask".
- Setting a level to zero or fewer lots removes it.
- The newer side wins: a bid at or through the best ask moves the best ask to the first ask above it. The asks passed over
  stay in the book, hidden: their quantity still counts for whoever queues there, and they are found again when the best
  bid falls back.
- A search never looks beyond the lowest bid (highest ask) inserted since that side was last empty; the limits are part of
  the state because hidden levels outside them are not found again.

The state is passed as scalars and returned, so that a loop over events keeps it in registers.
"""

from __future__ import annotations

from queuefront.core.jit import compiled

__all__ = ["NO_BID", "clear_asks", "clear_bids", "highest_bid_below", "lowest_ask_above", "set_ask", "set_bid"]

NO_BID = -1


@compiled
def highest_bid_below(bid_lots, level, low_bid):
    """Return the highest level below `level`, not below `low_bid`, that holds bids; NO_BID if there is none."""
    v = level - 1
    while v >= low_bid and v >= 0:
        if bid_lots[v] > 0:
            return v
        v -= 1
    return NO_BID


@compiled
def lowest_ask_above(ask_lots, level, high_ask):
    """Return the lowest level above `level`, not above `high_ask`, that holds asks.

    The number of levels if there is none.
    """
    v = level + 1
    count = len(ask_lots)
    while v <= high_ask and v < count:
        if ask_lots[v] > 0:
            return v
        v += 1
    return count


@compiled
def set_bid(bid_lots, ask_lots, level, lots, best_bid, best_ask, low_bid, high_ask):
    """Set the quantity at one bid level. Returns (best_bid, best_ask, low_bid).

    bid_lots, ask_lots : int64[levels], lots by level; `bid_lots` is mutated.
    level : 0 <= level < levels, checked when the tape was made.
    best_bid, best_ask, low_bid, high_ask : levels, see the module's rules.
    """
    if lots <= 0:
        bid_lots[level] = 0
        if level == best_bid:
            best_bid = highest_bid_below(bid_lots, level, low_bid)
            if best_bid == NO_BID:
                low_bid = len(bid_lots)
    else:
        bid_lots[level] = lots
        if level > best_bid:
            best_bid = level
            if best_bid >= best_ask:
                best_ask = lowest_ask_above(ask_lots, best_bid, high_ask)
        low_bid = min(low_bid, level)
    return best_bid, best_ask, low_bid


@compiled
def set_ask(bid_lots, ask_lots, level, lots, best_bid, best_ask, low_bid, high_ask):
    """Set the quantity at one ask level, the mirror image of `set_bid`. Returns (best_bid, best_ask, high_ask)."""
    if lots <= 0:
        ask_lots[level] = 0
        if level == best_ask:
            best_ask = lowest_ask_above(ask_lots, level, high_ask)
            if best_ask == len(ask_lots):
                high_ask = NO_BID
    else:
        ask_lots[level] = lots
        if level < best_ask:
            best_ask = level
            if best_bid >= best_ask:
                best_bid = highest_bid_below(bid_lots, best_ask, low_bid)
        high_ask = max(high_ask, level)
    return best_bid, best_ask, high_ask


@compiled
def clear_bids(bid_lots, level, best_bid, low_bid):
    """Remove the bids from `level` up to the best bid; all of them where `level` is -1. Returns (best_bid, low_bid).

    Hidden bids above the best bid stay, as they do for any other update (spec B2.5); the new best bid is the nearest
    remaining one (spec D11).
    """
    if level < 0:
        bid_lots[:] = 0
        return NO_BID, len(bid_lots)
    for v in range(level, best_bid + 1):
        bid_lots[v] = 0
    best_bid = highest_bid_below(bid_lots, level, low_bid)
    if best_bid == NO_BID:
        low_bid = len(bid_lots)
    return best_bid, low_bid


@compiled
def clear_asks(ask_lots, level, best_ask, high_ask):
    """Remove the asks from the best ask up to `level`; all of them where `level` is -1. Returns (best_ask, high_ask)."""
    count = len(ask_lots)
    if level < 0:
        ask_lots[:] = 0
        return count, NO_BID
    for v in range(best_ask, level + 1):
        ask_lots[v] = 0
    best_ask = lowest_ask_above(ask_lots, level, high_ask)
    if best_ask == count:
        high_ask = NO_BID
    return best_ask, high_ask
