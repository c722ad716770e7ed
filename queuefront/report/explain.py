"""Why an order filled, or did not: what happened to it at the exchange, and what would have, had it come earlier.

The story is what a traced run kept (`core.dtypes.TRACE`): the queue ahead on arrival, and every trade, change of the book
and execution at its price. The second part sends the same order alone, some milliseconds earlier, into the same market with
the same queue and exchange models; it is modified and canceled when the order was. Other orders of the strategy do not take
part: where liquidity is honest and they queued or took before it, the answer is an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core import ConfigError, Instrument, format_duration, format_ts
from queuefront.core import enums as codes
from queuefront.report.summary_text import number
from queuefront.sim import Asset, ConstantLatency, ValueFees, build_backtester, read_results

if TYPE_CHECKING:
    import polars as pl

    from queuefront.feed import Tape

__all__ = ["EARLIER_NS", "Explanation", "Outcome", "explain_order", "trace_frame"]

EARLIER_NS: Final = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
_SHOWN: Final = 12  # lines of the story before and after what is left out

Records = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an order that comes to the exchange so much earlier comes to.

    arrival_ts : ns.   qty_ahead : on arrival; None if it never rests, NaN where nobody knows.
    filled_qty, filled_ts : of all its executions, and the time of the last; None without any.
    """

    earlier_ns: int
    arrival_ts: int
    qty_ahead: float | None
    filled_qty: float
    filled_ts: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The story of one order; printed, it is a text.

    title : the order in words.   steps : (time, ns; text) of everything that happened to it.   end : what it came to.
    outcomes : of the order as it was (`earlier_ns` 0), and of earlier ones.
    """

    order_id: int
    title: str
    steps: tuple[tuple[int, str], ...]
    end: str
    outcomes: tuple[Outcome, ...]

    def __str__(self) -> str:
        shown = list(self.steps)
        hidden = len(shown) - 2 * _SHOWN
        if hidden > 1:
            shown[_SHOWN:-_SHOWN] = [(0, f"… {hidden:,} more, see run.traces …")]
        lines = [self.title, *(f"  {format_ts(ts)[11:] if ts else ' ' * 19}  {text}" for ts, text in shown), self.end]
        if self.outcomes:
            lines += ["", "Alone in the same market it would have come to:"]
            lines += [f"  {_outcome_text(outcome)}" for outcome in self.outcomes]
        return "\n".join(lines)


def trace_frame(traces: Records, instrument: Instrument) -> pl.DataFrame:
    """Tabulate what happened to our orders at the exchange, one row an event.

    Columns exch_ts, order_id, what (see `core.enums.TRACE_NAMES`), price, qty (of the event), queue_ahead and leaves_qty
    (after it; null where it does not rest), tape_row (null for what a request did).
    """
    import polars as pl

    frame = pl.DataFrame(
        {
            "exch_ts": pl.Series(traces["exch_ts"]).cast(pl.Datetime("ns", "UTC")),
            "order_id": pl.Series(traces["order_id"].view(np.uint64)),
            "what": [codes.TRACE_NAMES[int(what)] for what in traces["what"]],
            "price": instrument.prices(traces["price_tick"]),
            "qty": traces["qty"],
            "queue_ahead": traces["qty_ahead"],
            "leaves_qty": instrument.quantities(traces["leaves_lots"]),
            "tape_row": traces["row"],
        }
    )
    return frame.with_columns(
        pl.col("queue_ahead").fill_nan(None), pl.when(pl.col("tape_row") >= 0).then(pl.col("tape_row")).alias("tape_row")
    )


def explain_order(
    order_id: int,
    traces: Records,
    changes: Records,
    asset: Asset,
    tape: Tape,
    *,
    occurrence: int = -1,
    at: int | datetime | None = None,
    earlier_ns: Sequence[int] = EARLIER_NS,
) -> Explanation:
    """Tell the story of one order.

    Parameters
    ----------
    order_id : the strategy's own.
    traces, changes : TRACE and ORDER_CHANGE records of its asset.
    asset, tape : the market and the models.
    occurrence : an id may be used again once its order is over; which of them, counted from 0, or from the last by -1.
    at : instead, the last one that was sent by this time, ns, or UTC to the microsecond. A fill's time names the order that
        filled.
    earlier_ns : how much earlier the order is tried.

    Raises
    ------
    ConfigError
        If the strategy sent no such order.
    """
    bits = np.uint64(order_id).astype(np.int64) if order_id >= 0 else np.int64(order_id)
    own = changes[changes["order_id"] == bits]
    if len(own) == 0:
        raise ConfigError(f"the strategy sent no order {order_id}; run.orders lists those that it sent")
    starts = [int(i) for i in np.flatnonzero((own["is_response"] == 0) & (own["req"] == codes.NEW))]
    if not -len(starts) <= occurrence < len(starts):
        raise ConfigError(
            f"order id {order_id} was used {len(starts):,} times, not {occurrence}; count from 0, or back from -1"
        )
    if at is not None:
        at_ns = _end_of_microsecond(at) if isinstance(at, datetime) else at
        occurrence = int(np.searchsorted(own["local_ts"][starts], at_ns, side="right")) - 1
        if occurrence < 0:
            first = format_ts(int(own["local_ts"][starts[0]]))
            raise ConfigError(f"order {order_id} was first sent {first}, after {format_ts(at_ns)}; give a later time")
    start = starts[occurrence]
    use = f" (use {starts.index(start) + 1:,} of {len(starts):,} of this id)" if len(starts) > 1 else ""
    own = own[start : next((i for i in starts if i > start), len(own))]
    answers = own[own["is_response"] == 1]
    arrivals = answers["exch_ts"][answers["exch_ts"] > 0]
    title = _title(own[0], tape.instrument) + use
    if len(arrivals) == 0:
        return Explanation(order_id, title, (), "It never reached the exchange.", ())
    story = traces[(traces["order_id"] == bits) & (traces["exch_ts"] >= arrivals[0]) & (traces["exch_ts"] <= arrivals[-1])]
    steps = tuple((int(s["exch_ts"]), _step_text(s, tape.instrument)) for s in story)
    requests = _later_requests(story, tape.instrument)
    outcomes = tuple(_replay(own[0], requests, int(arrivals[0]), earlier, asset, tape) for earlier in (0, *earlier_ns))
    return Explanation(order_id, title, steps, _end_text(own[-1], tape.instrument), outcomes)


def _end_of_microsecond(at: datetime) -> int:
    """Return the last nanosecond that a time may stand for: tables show nanoseconds, which datetime cuts off."""
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1) * 1_000 + 999


def _title(change: np.void, instrument: Instrument) -> str:
    side = "buy" if change["side"] > 0 else "sell"
    kind = codes.ORDER_TYPE_NAMES[int(change["order_type"])]
    tif = codes.TIME_IN_FORCE_NAMES[int(change["time_in_force"])]
    qty, price = instrument.lots_to_qty(int(change["order_lots"])), instrument.tick_to_price(int(change["price_tick"]))
    order_id = int(change["order_id"]) & (2**64 - 1)
    return f"Order {order_id}: {side} {qty:f} @ {price:f}, {kind} {tif}, sent {format_ts(int(change['local_ts']))}"


def _step_text(step: np.void, instrument: Instrument) -> str:
    what, qty = int(step["what"]), number(float(step["qty"]))
    ahead = "?" if np.isnan(step["qty_ahead"]) else number(float(step["qty_ahead"]))
    if what == codes.TRACE_REST:
        return f"comes to rest behind {ahead}"
    if what == codes.TRACE_TRADE:
        return f"{qty} trade at its price: {ahead} ahead"
    if what == codes.TRACE_BOOK and step["qty"] == 0:
        return f"the book at its price is set to what it was: {ahead} ahead"
    if what == codes.TRACE_BOOK:
        return f"{float(step['qty']):+g} in the book at its price: {ahead} ahead"
    if what == codes.TRACE_QUEUE:
        return f"{qty} ahead of it leave: {ahead} ahead"
    leaves = f"{instrument.lots_to_qty(int(step['leaves_lots'])):f} left"
    if what in (codes.TRACE_EXECUTION, codes.TRACE_TAKING):
        return f"{codes.TRACE_NAMES[what]}: {qty}, {leaves}"
    return f"{codes.TRACE_NAMES[what]}, {leaves}"


def _end_text(change: np.void, instrument: Instrument) -> str:
    status = codes.STATUS_NAMES.get(int(change["status"]), str(change["status"]))
    leaves = instrument.lots_to_qty(int(change["leaves_lots"]))
    pending = "" if change["req"] == codes.NONE else f", {codes.STATUS_NAMES[int(change['req'])]} pending"
    return f"In the end: {status}{pending}, {leaves:f} left, as we learned {format_ts(int(change['local_ts']))}."


def _outcome_text(outcome: Outcome) -> str:
    when = "as it came" if outcome.earlier_ns == 0 else f"{format_duration(outcome.earlier_ns)} earlier"
    if outcome.qty_ahead is None:
        ahead = "not resting"
    else:
        ahead = "not known what is ahead" if np.isnan(outcome.qty_ahead) else f"behind {number(outcome.qty_ahead)}"
    if outcome.filled_ts is None:
        return f"{when:<16}{ahead}: not filled"
    after = format_duration(outcome.filled_ts - outcome.arrival_ts)
    return f"{when:<16}{ahead}: {number(outcome.filled_qty)} filled after {after}"


@dataclass(frozen=True, slots=True)
class _Request:
    """What came to the exchange after the order itself: a modification, or without lots a cancel."""

    exch_ts: int
    price: float
    qty: float | None


def _later_requests(story: Records, instrument: Instrument) -> list[_Request]:
    """Return the modifications and the cancel of an order, by what they did at the exchange."""
    requests: list[_Request] = []
    previous_ts = int(story["exch_ts"][0]) if len(story) else 0  # what comes with the order is its arrival
    for step in story[story["row"] < 0]:
        what, exch_ts = int(step["what"]), int(step["exch_ts"])
        if what == codes.TRACE_CANCEL:
            requests.append(_Request(exch_ts, 0.0, None))
        elif exch_ts != previous_ts:
            # What it was asked to be: open afterwards, with what it took first.
            taken = float(step["qty"]) if what == codes.TRACE_TAKING else 0.0
            lots = int(step["leaves_lots"]) + round(taken / float(instrument.lot_size))
            price = float(instrument.tick_to_price(int(step["price_tick"])))
            requests.append(_Request(exch_ts, price, float(instrument.lots_to_qty(lots))))
        previous_ts = exch_ts
    return requests


def _replay(
    order: np.void, requests: Sequence[_Request], arrival_ts: int, earlier_ns: int, asset: Asset, tape: Tape
) -> Outcome:
    """Send the order alone, so much earlier and without latency; modify and cancel it when that was done."""
    start_ts = min(t for t in (tape.meta["first_exch_ts"], tape.meta["first_local_ts"]) if t is not None)
    arrival_ts = max(start_ts, arrival_ts - earlier_ns)
    alone = replace(asset, tape=tape, latency=ConstantLatency(), fees=ValueFees(), funding=(), balances=None)
    hbt: Any
    hbt, handles = build_backtester([alone], [tape])
    hbt.elapse(arrival_ts - start_ts)
    send = hbt.submit_buy_order if order["side"] > 0 else hbt.submit_sell_order
    instrument = tape.instrument
    price = float(instrument.tick_to_price(int(order["price_tick"])))
    qty = float(instrument.lots_to_qty(int(order["order_lots"])))
    send(0, 1, price, qty, int(order["time_in_force"]), int(order["order_type"]), False)  # noqa: FBT003 - `wait`
    for request in requests:
        hbt.elapse(max(0, request.exch_ts - int(hbt.current_timestamp)))
        if request.qty is None:
            hbt.cancel(0, 1, False)  # noqa: FBT003 - `wait`
        else:
            hbt.modify(0, 1, request.price, request.qty, False)  # noqa: FBT003 - `wait`
    hbt._goto_end()  # noqa: SLF001 - hftbacktest's name for it
    result = read_results(hbt, handles, [alone], [tape])[0]
    fills = result.fills
    rested = result.changes["qty_ahead"][(result.changes["is_response"] == 1) & (result.changes["status"] == codes.NEW)]
    return Outcome(
        earlier_ns,
        arrival_ts,
        float(rested[0]) if len(rested) else None,
        float(instrument.lots_to_qty(int(fills["lots"].sum()))),
        int(fills["exch_ts"][-1]) if len(fills) else None,
    )
