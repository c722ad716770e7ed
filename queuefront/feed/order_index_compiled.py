"""The index of a market by order: what each row did, and to an order standing where (spec B2.9, B4.11).

The path of every order in the market is the same in every run, so it is followed once, for each half, when a tape is made:

- the *place* of an order in its queue is the row at which it joined the end of it: when it was added, and again when a
  modification changed its price or made it larger. Of two orders at one price, the one with the smaller place is ahead.
- the book's quantity at a price is the sum over its orders; the best prices follow the rules of every L2 book (`book`).

An order of ours that came to rest when the exchange had seen `r` rows is behind exactly those orders whose place is less
than `r`, which is all that a replay needs to know of a queue.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from queuefront.book import NO_BID, clear_asks, clear_bids, set_ask, set_bid
from queuefront.core.enums import (
    OP_ADD_ORDER,
    OP_BID,
    OP_CANCEL_ORDER,
    OP_CLEAR_ALL_ASKS,
    OP_CLEAR_ALL_BIDS,
    OP_CLEAR_BOTH,
    OP_FILL_ORDER,
    OP_MASK,
    OP_MODIFY_ORDER,
    OP_NOTHING,
)
from queuefront.core.jit import compiled

__all__ = ["new_orders", "new_totals", "trace_orders"]


@compiled
def _add(totals_bid, totals_ask, is_bid, level, lots, best):
    """Add an order's lots to a level. best : int64[4], as `start` of `trace_best`; mutated."""
    if is_bid:
        total = totals_bid[level] + lots
        best[0], best[1], best[2] = set_bid(totals_bid, totals_ask, level, total, best[0], best[1], best[2], best[3])
    else:
        total = totals_ask[level] + lots
        best[0], best[1], best[3] = set_ask(totals_bid, totals_ask, level, total, best[0], best[1], best[2], best[3])


@compiled
def _take(totals_bid, totals_ask, is_bid, level, lots, best):
    """Take an order's lots from a level; the best levels change only where nothing is left."""
    totals = totals_bid if is_bid else totals_ask
    if totals[level] > lots:
        totals[level] -= lots
    else:
        _add(totals_bid, totals_ask, is_bid, level, -totals[level], best)


@compiled
def _clear_side(totals, is_bid, best):
    """Empty a side."""
    if is_bid:
        best[0], best[2] = clear_bids(totals, NO_BID, best[0], best[2])
    else:
        best[1], best[3] = clear_asks(totals, NO_BID, best[1], best[3])


@compiled
def _cancel(totals_bid, totals_ask, is_bid, level, lots, held, best):
    """Take a whole order away. held : (first, last) level that the book holds, both included."""
    if held[0] <= level <= held[1]:
        _take(totals_bid, totals_ask, is_bid, level, lots, best)


@compiled
def _modify(totals_bid, totals_ask, is_bid, prior_level, prior_lots, level, lots, held, best):
    """Give an order another level or other lots."""
    if level != prior_level:
        _cancel(totals_bid, totals_ask, is_bid, prior_level, prior_lots, held, best)
        if held[0] <= level <= held[1]:
            _add(totals_bid, totals_ask, is_bid, level, lots, best)
    elif held[0] <= level <= held[1]:
        (totals_bid if is_bid else totals_ask)[level] += lots - prior_lots


def new_orders(count: int) -> Any:
    """Return what is known of `count` orders, none of which is there: see `trace_orders`."""
    return (
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.int64),
        np.zeros(count, np.int32),
    )


def new_totals(level_count: int) -> Any:
    """Return the empty book of a half: see `trace_orders`."""
    best = np.array([-1, level_count, level_count, -1, 0, 0], np.int64)
    return np.zeros(level_count, np.int64), np.zeros(level_count, np.int64), best


@compiled
def trace_orders(op, half, order_no, level, lots, first_row, orders, totals, held, prior, best_bid, best_ask):
    """Follow every order through the rows that one half sees. Returns how many rows name an order that is not there.

    op : uint8[rows]; rows that add an order which is there, or name one which is not, become OP_NOTHING in place. Rows that
        cancel, modify or fill take the side (OP_BID) of the order that they name.
    half : OP_AT_EXCH or OP_AT_LOCAL.   order_no : int32[rows], 0 <= order_no < number of orders.
    level, lots : as in `trace_best`.   first_row : number of the first row, as rows may come part by part.
    orders : is_live, is_bid, level, place, lots and era of each order; mutated. An order is there if its side was not
        cleared since it was added: if it is of the side's era.
    totals : lots of each level of the bids and of the asks, and int64[6]: best_bid, best_ask, low_bid, high_ask, era of
        the bids and of the asks; mutated.
    held : (first, last) level that the book holds, both included. An order outside of them is remembered, without weight:
        it is in no total and no best price (D18, H7.2).
    prior : (level, lots, place) of the order before the row, int32, int64, int32 [rows], filled; -1, 0 and -1 where it was
        not there.
    best_bid, best_ask : int32[rows], filled as by `trace_best`.
    """
    is_live, order_is_bid, order_level, order_place, order_lots, order_era = orders
    totals_bid, totals_ask, best = totals
    prior_level, prior_lots, prior_row = prior
    bid_era, ask_era = best[4], best[5]
    unknown_count = 0
    for i in range(len(op)):
        prior_level[i], prior_lots[i], prior_row[i] = -1, 0, -1
        what = op[i] & OP_MASK
        if (op[i] & half) and OP_ADD_ORDER <= what <= OP_FILL_ORDER:
            k = order_no[i]
            is_there = is_live[k] and order_era[k] == (bid_era if order_is_bid[k] else ask_era)
            if is_there == (what == OP_ADD_ORDER):
                op[i] = OP_NOTHING
                unknown_count += 1
            elif what == OP_ADD_ORDER:
                is_bid = (op[i] & OP_BID) != 0
                is_live[k], order_is_bid[k] = True, is_bid
                order_level[k], order_lots[k], order_place[k] = level[i], lots[i], first_row + i
                order_era[k] = bid_era if is_bid else ask_era
                if held[0] <= level[i] <= held[1]:
                    _add(totals_bid, totals_ask, is_bid, level[i], lots[i], best)
            else:
                is_bid = order_is_bid[k]
                prior_level[i], prior_lots[i], prior_row[i] = order_level[k], order_lots[k], order_place[k]
                op[i] = (op[i] & ~np.uint8(OP_BID)) | np.uint8(OP_BID if is_bid else 0)
                if what == OP_CANCEL_ORDER:
                    is_live[k] = False
                    _cancel(totals_bid, totals_ask, is_bid, order_level[k], order_lots[k], held, best)
                elif what == OP_MODIFY_ORDER:
                    prior = order_level[k], order_lots[k]
                    _modify(totals_bid, totals_ask, is_bid, prior[0], prior[1], level[i], lots[i], held, best)
                    if level[i] != order_level[k] or lots[i] > order_lots[k]:
                        order_place[k] = first_row + i
                    order_level[k], order_lots[k] = level[i], lots[i]
        elif op[i] & half:
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_BIDS:
                bid_era += 1
                _clear_side(totals_bid, True, best)  # noqa: FBT003 - the side
            if what == OP_CLEAR_BOTH or what == OP_CLEAR_ALL_ASKS:
                ask_era += 1
                _clear_side(totals_ask, False, best)  # noqa: FBT003 - the side
        best_bid[i], best_ask[i] = best[0], best[1]
    best[4], best[5] = bid_era, ask_era
    return unknown_count
