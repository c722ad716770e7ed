"""The exchange half: the market's rows and our requests, in the order of time (spec B4).

What it assumes, and when that fails:

- Our orders do not move the market: they never change the book, never trade with each other, and each sees the full
  quantity of every trade. A strategy that is large against the book sees fills that it would not have had; see `honest`.
- *No partial fill*: an order is filled whole or not at all. A marketable order fills whole at the opposite best price,
  whatever rests there.
- *Partial fill*: passive orders fill by what trades beyond the queue ahead; taking orders walk the book's levels, which are
  not consumed. What a crossing GTC order cannot get from the levels executes in full at its limit.
- A resting order is filled whole when the opposite best price reaches it, and when a trade goes through its price.

Orders are visited in price-time priority, so that runs are repeatable (D8).
"""

from __future__ import annotations

from queuefront.core.jit import borrowing
from queuefront.sim.bus_compiled import NEVER, due_request
from queuefront.sim.honest_compiled import process_honest_row, skip_to_own_row_honest
from queuefront.sim.level_rows_compiled import process_level_row
from queuefront.sim.market_compiled import skip_to_own_row, skip_to_own_row_by_order
from queuefront.sim.order_rows_compiled import process_order_row
from queuefront.sim.place_compiled import next_own_row
from queuefront.sim.requests_compiled import dispatch_due

__all__ = ["AWAIT_ANY", "AWAIT_NOTHING", "AWAIT_ORDER", "run_exchange"]

# What ends a run early: nothing, a response to one order, or any response.
AWAIT_NOTHING = 0
AWAIT_ORDER = 1
AWAIT_ANY = 2


@borrowing
def _awaited_ts(a, since, awaits, order_id, until_ts):
    """Return when the first awaited response queued from position `since` on arrives, or `until_ts` if sooner."""
    if awaits == AWAIT_NOTHING:
        return until_ts
    mask = len(a.responses) - 1
    for position in range(since, a.state["response_tail"][0]):
        if awaits == AWAIT_ANY or a.responses["order_id"][position & mask] == order_id:
            return min(until_ts, a.responses["due_ts"][position & mask])
    return until_ts


@borrowing
def _run_level_rows(a, until_ts, awaits, order_id):
    """Process the rows of a market by price up to a time, or to the awaited response to a fill among them."""
    state = a.state[0]
    # Taken into locals once: loading them from the asset at every row of ours would cost as much as the row.
    op, exch_ts, level = a.op, a.exch_ts, a.level
    best_bid, best_ask = a.best_bid_exch, a.best_ask_exch
    block_exch_ts, block_high, block_low = a.block_exch_ts, a.block_high, a.block_low
    count = len(op)
    row = state["exch_row"]
    while True:
        own_bid, own_ask = state["own_best_bid_level"], state["own_best_ask_level"]
        row = skip_to_own_row(
            op, exch_ts, level, best_bid, best_ask, block_exch_ts, block_high, block_low,
            row, until_ts, own_bid, own_ask, next_own_row(a, row),
        )  # fmt: skip
        if row >= count or exch_ts[row] > until_ts:
            break
        queued = state["response_tail"]
        process_level_row(a, row)
        row += 1
        if state["response_tail"] != queued:
            until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
    state["exch_row"] = row


@borrowing
def _run_other_rows(a, until_ts, awaits, order_id):
    """Do the same in a market by order, or where liquidity is honest."""
    spec, state, exch_ts = a.spec[0], a.state[0], a.exch_ts
    row = state["exch_row"]
    while True:
        row = _skip_by_order(a, row, until_ts) if spec["is_by_order"] else skip_to_own_row_honest(a, row, until_ts)
        if row >= len(exch_ts) or exch_ts[row] > until_ts:
            break
        queued = state["response_tail"]
        if spec["is_by_order"]:
            process_order_row(a, row)
        else:
            process_honest_row(a, row)
        row += 1
        if state["response_tail"] != queued:
            until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
    state["exch_row"] = row


@borrowing
def _skip_by_order(a, row, until_ts):
    state = a.state[0]
    return skip_to_own_row_by_order(
        a.op,
        a.exch_ts,
        a.level,
        a.lots,
        a.prior_level,
        a.prior_lots,
        a.best_bid_exch,
        a.best_ask_exch,
        a.exch_lots,
        a.own_count,
        row,
        until_ts,
        state["own_best_bid_level"],
        state["own_best_ask_level"],
    )


@borrowing
def _run_rows(a, until_ts, awaits, order_id):
    """Process the market's rows up to a time, or to the awaited response to a fill among them."""
    if a.spec[0]["is_by_order"] or a.spec[0]["is_honest"]:
        _run_other_rows(a, until_ts, awaits, order_id)
    else:
        _run_level_rows(a, until_ts, awaits, order_id)


@borrowing
def run_exchange(a, until_ts, awaits, order_id):
    """Run the exchange half up to a time, or until the awaited response is on its way. Returns the time to which it
    may be run.

    a : ReplayAsset.   awaits : AWAIT_NOTHING, AWAIT_ORDER (a response to `order_id`) or AWAIT_ANY.

    While nothing of ours rests there or is on its way, the market's rows are left for later: they change nothing but
    quantities, which are brought up to date when the next order arrives. Within one asset, rows at a request's time come
    before the request (spec B1.5).
    """
    state = a.state[0]
    # A call that ran into the end of the data left the clock where it was, but consumed the rows: they stay consumed.
    reached_ts = state["reached_ts"]
    until_ts = _awaited_ts(a, state["response_head"], awaits, order_id, until_ts)
    while True:
        due = due_request(a)
        if due > until_ts and state["resting_bids"] + state["resting_asks"] == 0:
            break
        queued = state["response_tail"]
        _run_rows(a, max(min(until_ts, due), reached_ts), awaits, order_id)
        until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
        if due > until_ts or due == NEVER:
            break
        queued = state["response_tail"]
        dispatch_due(a, due)
        until_ts = _awaited_ts(a, queued, awaits, order_id, until_ts)
    state["reached_ts"] = max(reached_ts, until_ts)
    return until_ts
