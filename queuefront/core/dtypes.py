"""Every record that is stored, mapped or shared between compiled functions.

Records are packed, little-endian and of fixed width; gaps are named fields that stay zero. `register` verifies that when
this module is imported, and the golden sizes and offsets stand beside the fields, so that a changed layout cannot pass
unnoticed: bump the schema version of whatever stores the record, then change the golden numbers.
"""

from __future__ import annotations

import keyword
from typing import Any, Final

import numpy as np

from queuefront.core.errors import InvariantError

__all__ = [
    "ASSET_SPEC",
    "ASSET_STATE",
    "CLOCK",
    "EVENT",
    "FEE_TIER",
    "FILL",
    "FUNDING",
    "LATENCY",
    "ORDER",
    "ORDER_CHANGE",
    "REGISTRY",
    "SAMPLE",
    "SERIES",
    "TRACE",
    "SchemaError",
    "register",
]

_ALLOWED: Final = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")

REGISTRY: Final[dict[str, np.dtype[Any]]] = {}
"""Name of every registered record, with its dtype."""


class SchemaError(InvariantError):
    """A record is declared in a way that cannot be stored safely."""


def register(name: str, fields: list[tuple[str, str]], *, itemsize: int) -> np.dtype[Any]:
    """Declare a record and verify that its bytes mean the same everywhere.

    Parameters
    ----------
    name : what the record is called in messages.
    fields : (field, type) pairs; a type is one of i1 … i8, u1 … u8, f4, f8.
    itemsize : the golden size in bytes; the sum of the fields' sizes must equal it.

    Raises
    ------
    SchemaError
        For no fields, an unnamed, repeated or reserved field name, a type of platform-dependent width, an object, a string,
        or a size other than the golden one.
    """
    if not fields:
        raise SchemaError(f"record {name!r}: it has no fields; name at least one")
    seen: set[str] = set()
    for field, kind in fields:
        if not field.isidentifier() or keyword.iskeyword(field):
            raise SchemaError(f"record {name!r}: {field!r} is not a usable field name; use an identifier")
        if field in seen:
            raise SchemaError(f"record {name!r}: field {field!r} stands twice; rename one")
        seen.add(field)
        if kind not in _ALLOWED:
            raise SchemaError(f"record {name!r}, field {field!r}: type {kind!r} is not one of {', '.join(_ALLOWED)}")
    dtype = np.dtype([(field, "<" + kind) for field, kind in fields])
    if dtype.itemsize != itemsize:
        raise SchemaError(
            f"record {name!r}: {dtype.itemsize} bytes where {itemsize} were declared; "
            "bump the schema version of what stores it, then the golden size"
        )
    REGISTRY[name] = dtype
    return dtype


#: One market event; the bytes of hftbacktest's `event_dtype`. Times are ns UTC, price and quantity in the market's units.
EVENT: Final = register(
    "event",
    [
        ("ev", "u8"),  # flags and kind, see core.enums
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),  # market-by-order feeds only
        ("ival", "i8"),  # spare
        ("fval", "f8"),  # spare
    ],
    itemsize=64,
)

#: One measured order round trip; the bytes of hftbacktest's latency rows. `exch_ts <= 0`: the exchange refused it.
LATENCY: Final = register(
    "latency", [("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("padding", "i8")], itemsize=32
)

#: One of our orders: as the local half believes it, as the exchange half holds it, and as a message between them.
ORDER: Final = register(
    "order",
    [
        ("order_id", "i8"),  # the strategy's; the bits of a uint64
        ("price_tick", "i8"),
        ("order_lots", "i8"),  # asked for by the last submit or modify
        ("leaves_lots", "i8"),  # open
        ("exec_lots", "i8"),  # of the last execution
        ("exec_price_tick", "i8"),  # of the last execution
        ("exch_ts", "i8"),  # last processed by the exchange; 0 before
        ("local_ts", "i8"),  # last requested by us
        ("due_ts", "i8"),  # message: when it arrives
        ("prior_price_tick", "i8"),  # local: before the pending modify
        ("prior_order_lots", "i8"),  # local: before the pending modify
        ("qty_ahead", "f8"),  # exchange: estimated quantity before ours at our tick
        ("traded_qty", "f8"),  # exchange: traded at our tick since the last depth change
        ("arrival_qty_ahead", "f8"),  # quantity before ours when the order came to rest; NaN if it never rested
        ("rest_row", "i8"),  # exchange: rows of the tape that it had consumed when the order came to rest
        ("rest_no", "i8"),  # exchange: which of our requests brought it to rest; orders at a price stand in this order
        ("rest_lots", "i8"),  # exchange: lots of the market at our price when the order came to rest
        ("rest_ahead_lots", "i8"),  # exchange: how many of those were ahead of it
        ("acted_row", "i8"),  # exchange: the row that executed the order last, or rows consumed at our last request
        ("memory_0", "f8"),  # exchange: for a queue model of one's own
        ("memory_1", "f8"),
        ("reserve_tick", "i8"),  # exchange, spot: price at which a balance is held for the order
        ("seen_row", "i8"),  # local: rows that our own estimate of the queue has taken in
        ("seen_lots", "i8"),  # local: lots at our price after those rows
        ("own_level", "i4"),  # exchange: tape level of price_tick, -1 where the tape never names that tick
        ("side", "i1"),
        ("is_maker", "u1"),  # the last execution was passive
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("req", "u1"),  # pending request; in a message, what is asked or REJECTED
        ("status", "u1"),
        ("is_execution", "u1"),  # message: it reports exactly one execution
        ("is_technical", "u1"),  # message: refused on the way, the exchange never saw it
        ("reserved", "i4"),
    ],
    itemsize=208,
)

#: One step by which an order of ours got or lost its place in a queue, as we learned of it; where liquidity is honest.
OWN_STEP: Final = register(
    "own_step",
    [
        ("row", "i8"),  # of the tape, that executed it; rows consumed where a request of ours took it away
        ("rest_no", "i8"),  # see ORDER
        ("side", "i8"),
        ("price_tick", "i8"),
        ("lots", "i8"),  # executed; 0 where a request took it away
        ("leaves_lots", "i8"),  # left at its place
    ],
    itemsize=48,
)

#: One fill, as booked by the local half.
FILL: Final = register(
    "fill",
    [
        ("order_id", "i8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),  # when we learned of it
        ("price_tick", "i8"),
        ("lots", "i8"),
        ("position_lots", "i8"),  # after the fill
        ("amount", "i8"),  # notional, in the account's amount unit
        ("fee", "i8"),  # in the account's fee unit
        ("arrival_qty_ahead", "f8"),  # see ORDER
        ("side", "i1"),
        ("is_maker", "u1"),
        ("asset_no", "i2"),
        ("reserved", "i4"),
    ],
    itemsize=80,
)

#: One change of one of our orders, as the local half sees it: a request leaving, or a response arriving.
ORDER_CHANGE: Final = register(
    "order_change",
    [
        ("order_id", "i8"),
        ("local_ts", "i8"),  # when we sent or learned it
        ("exch_ts", "i8"),  # when the exchange did it; 0 if it has not
        ("price_tick", "i8"),
        ("order_lots", "i8"),
        ("leaves_lots", "i8"),
        ("exec_lots", "i8"),
        ("exec_price_tick", "i8"),
        ("qty_ahead", "f8"),  # at the exchange when it answered; NaN in requests
        ("side", "i1"),
        ("is_maker", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("req", "u1"),
        ("status", "u1"),
        ("is_response", "u1"),  # 0: our request; 1: an answer
        ("padding", "u1"),
    ],
    itemsize=80,
)

#: The state of one asset at one time; the bytes of hftbacktest's recorder rows.
SAMPLE: Final = register(
    "sample",
    [
        ("timestamp", "i8"),
        ("price", "f8"),  # mid of the local book, NaN if a side is empty
        ("position", "f8"),
        ("balance", "f8"),
        ("fee", "f8"),
        ("num_trades", "i8"),
        ("trading_volume", "f8"),
        ("trading_value", "f8"),
    ],
    itemsize=64,
)

#: What does not change about one replayed asset: its grid, contract and models.
ASSET_SPEC: Final = register(
    "asset_spec",
    [
        ("tick_size", "f8"),
        ("lot_size", "f8"),
        ("tick_numerator", "f8"),  # price = tick × numerator / denominator, rounded once
        ("tick_denominator", "f8"),
        ("lot_numerator", "f8"),
        ("lot_denominator", "f8"),
        ("amount_unit", "f8"),  # one unit of ASSET_STATE's cash and amounts, in currency
        ("fee_unit", "f8"),  # one unit of fees, in currency
        ("queue_exponent", "f8"),
        ("entry_latency_ns", "i8"),
        ("response_latency_ns", "i8"),
        ("cancel_latency_ns", "i8"),  # entry latency of a cancel, and of a modification
        ("modify_latency_ns", "i8"),
        ("amount_max", "f8"),  # largest notional of an order, in amount units: keeps every product within int64
        ("lots_max", "f8"),  # largest order
        ("tick_low", "i8"),  # bounds of the prices at which an order may execute against the tape
        ("tick_high", "i8"),
        ("trades_capacity", "i8"),  # 0: last_trades stays empty
        ("last_exch_ts", "i8"),  # of the tape; -1 if that half has no rows
        ("last_local_ts", "i8"),
        ("contract", "u1"),
        ("latency_model", "u1"),
        ("queue_model", "u1"),
        ("exchange_model", "u1"),
        ("fee_model", "u1"),
        ("books_only_filled", "u1"),  # reproduce hftbacktest's loss of partial fills
        ("records_orders", "u1"),
        ("records_fills", "u1"),
        ("is_by_order", "u1"),  # the market is told by order (L3)
        ("is_honest", "u1"),  # our orders use up what they take, and queue behind one another
        ("skips_improving", "u1"),  # reproduce hftbacktest's fills at the best price of a market by order
        ("keeps_balances", "u1"),  # spot: refuse what the balances do not cover
        ("traces", "u1"),
        ("reserved_0", "u1"),
        ("reserved_1", "u2"),
        ("order_count", "i8"),  # market by order: how many orders the tape names
        ("range_low", "i8"),  # ticks that bounded books hold; all, where they are not bounded
        ("range_high", "i8"),
    ],
    itemsize=200,
)

#: Fee rates × 1e9 that hold from a traded value on; on linear notionals divided by their common step.
FEE_TIER: Final = register(
    "fee_tier",
    [
        ("from_high", "i8"),  # value = high × 1e18 + low, in amount units
        ("from_low", "i8"),
        ("maker_buy_e9", "i8"),
        ("maker_sell_e9", "i8"),
        ("taker_buy_e9", "i8"),
        ("taker_sell_e9", "i8"),
        # What a side adds where fees are on quantity: (whole + rest / base) fee units for each amount unit.
        ("buyer_whole", "i8"),
        ("buyer_rest", "i8"),
        ("buyer_base", "i8"),
        ("seller_whole", "i8"),
        ("seller_rest", "i8"),
        ("seller_base", "i8"),
    ],
    itemsize=96,
)

#: One funding payment: per lot of position, (whole + rest / base) amount units of cash; whole and rest have one sign.
FUNDING: Final = register("funding", [("funding_ts", "i8"), ("whole", "i8"), ("rest", "i8"), ("base", "i8")], itemsize=32)

#: One thing that happened to an order of ours at the exchange, kept where a run is traced.
TRACE: Final = register(
    "trace",
    [
        ("order_id", "i8"),
        ("exch_ts", "i8"),
        ("row", "i8"),  # of the tape; -1 for what a request of ours did
        ("qty_ahead", "f8"),  # before our order, after the event
        ("qty", "f8"),  # of the event: traded, canceled, executed
        ("price_tick", "i8"),
        ("leaves_lots", "i8"),  # after the event
        ("what", "u1"),  # core.enums.TRACE_*
        ("reserved_0", "u1"),
        ("reserved_1", "u2"),
        ("reserved_2", "u4"),
    ],
    itemsize=64,
)

#: What changes about one replayed asset during a run. Rows are positions in the tape, levels indices of its tick table.
ASSET_STATE: Final = register(
    "asset_state",
    [
        ("exch_row", "i8"),  # rows that the exchange half has consumed
        ("local_row", "i8"),  # rows that the local half has consumed
        ("local_feed_row", "i8"),  # last row the local half saw; -1 before
        ("local_book_row", "i8"),  # rows applied to the local quantities, which follow on demand
        ("trades_row", "i8"),  # first row that last_trades may show
        ("trades_scanned_row", "i8"),  # rows whose trades are in the buffer
        ("trades_count", "i8"),
        ("own_best_bid_level", "i8"),  # highest level at or below our best bid; -1 without bids
        ("own_best_ask_level", "i8"),  # lowest level at or above our best ask; INT32_MAX without asks
        ("resting_bids", "i8"),
        ("resting_asks", "i8"),
        ("free_head", "i8"),  # first free place among the exchange's orders
        ("request_head", "i8"),  # order bus: first message, and one past the last
        ("request_tail", "i8"),
        ("response_head", "i8"),
        ("response_tail", "i8"),
        ("entry_latency_row", "i8"),  # forward-only cursors of the interpolated model
        ("response_latency_row", "i8"),
        ("position_lots", "i8"),
        ("cash_high", "i8"),  # cash = high × 1e18 + low, 0 <= low < 1e18, in amount units
        ("cash_low", "i8"),
        ("fee_high", "i8"),
        ("fee_low", "i8"),
        ("value_high", "i8"),
        ("value_low", "i8"),
        ("volume_lots", "i8"),
        ("num_trades", "i8"),
        ("latency_req_ts", "i8"),  # last order round trip
        ("latency_exch_ts", "i8"),
        ("latency_resp_ts", "i8"),
        ("has_order_latency", "i8"),
        ("fill_count", "i8"),
        ("change_count", "i8"),
        ("sample_count", "i8"),
        ("error_code", "i8"),  # first error inside the run; 0 while there is none
        ("reached_ts", "i8"),  # both halves have consumed every row up to this time
        ("opening_bid_level", "i8"),  # best levels before the first row
        ("opening_ask_level", "i8"),
        ("fee_tier", "i8"),  # the row of FEE_TIER that holds
        ("funding_row", "i8"),  # the next row of FUNDING
        ("funding_high", "i8"),  # paid so far, in amount units; part of cash
        ("funding_low", "i8"),
        ("random_0", "i8"),  # of the sampled latency model
        ("random_1", "i8"),
        ("trace_count", "i8"),
        ("free_base_lots", "i8"),  # spot: what the exchange has of ours and no order holds
        ("free_quote_high", "i8"),
        ("free_quote_low", "i8"),
        ("last_message_ts", "i8"),  # when the last request or response was handled
        ("queues_row", "i8"),  # market by order: rows that the market's queues, as we see them, have taken in
        (
            "range_row",
            "i8",
        ),  # bounded books: rows that the arrays of all levels have taken in; -1 before they were asked for
        ("own_step_count", "i8"),
        ("turn_count", "i8"),  # places in the asset's `turns`
    ],
    itemsize=424,
)

#: One value of a series that a strategy records for itself.
SERIES: Final = register("series", [("timestamp", "i8"), ("series_no", "i8"), ("value", "f8")], itemsize=24)

#: The clock of a replay.
CLOCK: Final = register(
    "clock",
    [
        ("now", "i8"),
        ("sample_every_ns", "i8"),  # 0: no samples
        ("next_sample_ts", "i8"),
        ("is_closed", "i8"),
        ("error_code", "i8"),
        ("series_count", "i8"),  # values of the strategy's own series
        ("charges_compute", "i8"),  # computing time passes in the simulation
        ("compute_mark_us", "i8"),  # processor time when the last call ended; -1 before
    ],
    itemsize=64,
)
