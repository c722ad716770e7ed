"""Reports as the kernel's events: ticks, lots, cash and ns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from queuefront.core import ContractKind, Instrument, OffGridError
from queuefront.venues.bybit.events import (
    fill_event,
    fill_tick,
    fills_event,
    funding_event,
    order_event,
    position_event,
)
from queuefront.venues.bybit.orders import FillReport, OrderReport, fill_of, order_of, position_of
from queuefront.venues.bybit.schemas import ExecutionRow, OrderRow, PositionRow, Rows, decode_page, decode_private
from queuefront.venues.bybit.vocabulary import Status
from queuefront.venues.listed import Listed
from queuefront.venues.types import EventKind, Liquidity, Side, VenueEvent
from tests.unit.venues.bybit.fake_rest import execution_row, order_row, position_row

D = Decimal
K = EventKind
MS = 10**6
SCALE = 6


def listed(contract: ContractKind = ContractKind.LINEAR, settlement: str = "USDT") -> Listed:
    instrument = Instrument("bybit-linear", "BTCUSDT", D("0.5"), D("0.001"), contract)
    return Listed(instrument, True, settlement, D(0), D(0), D(0), D(0), D(0), D(0))


def order(status: str = "New", cum: str = "0", **fields: Any) -> OrderReport:
    return order_of(msgspec.convert(order_row(status, cum, **fields), OrderRow))


def fill(exec_id: str = "a", qty: str = "0.004", **fields: Any) -> FillReport:
    return fill_of(msgspec.convert(execution_row(exec_id, qty, **fields), ExecutionRow))


def told(report: OrderReport, **fields: Any) -> VenueEvent:
    return order_event(report, listed().instrument, 5, **fields)


def filled(report: FillReport, cum: str = "0.004", *, is_spot: bool = False) -> VenueEvent:
    return fill_event(report, D(cum), D("0.010"), listed(), SCALE, 5, is_spot=is_spot)


# --- orders ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("New", K.ACK),
        ("Untriggered", K.ACK),
        ("Triggered", K.ACK),
        ("PartiallyFilled", K.PARTIAL_FILL),
        ("Filled", K.FULL_FILL),
        ("Cancelled", K.CANCEL_ACK),
        ("PartiallyFilledCanceled", K.CANCEL_ACK),
        ("Deactivated", K.CANCEL_ACK),
        ("Rejected", K.ORDER_REJECT),
        ("Frozen", K.UNSUPPORTED),
    ],
)
def test_each_status_is_an_event_and_an_unknown_one_keeps_its_text(status: str, kind: EventKind) -> None:
    event = told(order(status))
    assert (event.kind, event.cid, event.venue_order_id) == (kind, "mine", "v-1")
    assert event.raw_kind == ("Frozen" if kind is K.UNSUPPORTED else "")
    assert len(Status) == 10


def test_an_order_is_told_in_ticks_lots_and_ns() -> None:
    event = told(order("PartiallyFilled", "0.004", avgPrice="50000.25"))
    assert (event.cum_lots, event.order_lots, event.price_tick, event.cum_notional) == (4, 10, 100_000, 400_000)
    assert event.average == (200_001, 2)
    assert event.exch_ts == 1767225600005 * MS
    inverse = order_event(order("PartiallyFilled", "0.004"), listed(ContractKind.INVERSE).instrument, 5)
    assert inverse.cum_notional is None


def test_a_sum_of_values_that_is_no_sum_of_ticks_is_not_told() -> None:
    assert told(order("Filled", "0.010", cumExecValue="500.0001")).cum_notional is None


def test_a_post_only_order_that_would_take_is_refused_and_another_end_of_the_venues_is_expiry() -> None:
    refused = told(order("Cancelled", rejectReason="EC_PostOnlyWillTakeLiquidity"))
    assert (refused.kind, refused.reason_code) == (K.ORDER_REJECT, "EC_PostOnlyWillTakeLiquidity")
    expired = told(order("Cancelled", "0.004", rejectReason="EC_NoImmediateQtyToFill"))
    assert (expired.kind, expired.cum_lots) == (K.EXPIRED, 4)
    assert told(order("Cancelled", cancelType="CancelByReduceOnly")).kind is K.EXPIRED
    assert told(order("Rejected", "0.004", rejectReason="UNKNOWN")).kind is K.EXPIRED


def test_other_terms_are_a_modification_while_the_order_lives() -> None:
    assert told(order(), is_modified=True).kind is K.MODIFY_ACK
    assert told(order("Filled", "0.010"), is_modified=True).kind is K.FULL_FILL


def test_what_is_off_the_grid_is_unsupported_and_not_rounded() -> None:
    event = told(order("PartiallyFilled", "0.0045"))
    assert (event.kind, event.cum_lots, event.raw_kind) == (K.UNSUPPORTED, None, "PartiallyFilled")
    assert "quantity 0.0045" in event.reason_text
    assert filled(fill(execPrice="100.25")).kind is K.UNSUPPORTED


# --- fills ----------------------------------------------------------------------------------------------------------------
# H8.11
def test_the_tick_of_a_fill_is_its_price_by_the_tick_size_on_both_paths() -> None:
    message = {"topic": "execution", "data": [execution_row("a", "0.004", execPrice="100.5", orderPrice="99.0")]}
    pushed = decode_private(msgspec.json.encode(message))
    assert isinstance(pushed, Rows)
    answer = {"retCode": 0, "result": {"list": message["data"]}}
    answered = decode_page(ExecutionRow, msgspec.json.encode(answer), "executions")
    by_stream = filled(fill_of(pushed.rows[0]))  # type: ignore[arg-type]
    by_rest = fills_event("mine", "v-1", [fill_of(answered.rows[0])], listed(), SCALE, 5, is_spot=False)
    assert by_stream.last_tick == 201
    assert by_rest.cum_notional == 201 * 4
    assert fill_tick(listed().instrument, D("100.5")) == 201
    with pytest.raises(OffGridError):
        fill_tick(listed().instrument, D("100.7"))


def test_a_fill_is_told_with_its_fee_and_who_rested() -> None:
    event = filled(fill())
    assert (event.kind, event.cum_lots, event.last_lots, event.last_tick) == (K.PARTIAL_FILL, 4, 4, 100_000)
    assert (event.fee, event.fee_asset, event.liquidity) == (50_000, "USDT", Liquidity.MAKER)
    assert (event.event_id, event.exch_ts) == ("BTCUSDT/a", 1767225600004 * MS)
    assert filled(fill(execFee="-0.05", isMaker=False)).fee == -50_000
    assert filled(fill(isMaker=False)).liquidity is Liquidity.TAKER


def test_the_last_fill_is_the_whole_of_the_order() -> None:
    assert filled(fill(), "0.010").kind is K.FULL_FILL


def test_a_fee_that_is_not_told_is_not_guessed() -> None:
    fast = filled(fill(execFee=None, isMaker=None))
    assert (fast.fee, fast.fee_asset, fast.liquidity) == (None, "", Liquidity.UNKNOWN)
    spot = filled(fill(), is_spot=True)
    assert (spot.fee, spot.fee_asset) == (None, "")
    assert filled(fill(feeCurrency="BTC"), is_spot=True).fee_asset == "BTC"


@pytest.mark.parametrize("exec_type", ["AdlTrade", "BustTrade", "Delivery", "Settle"])
def test_a_fill_of_the_venues_own_order_is_a_liquidation_of_the_side_that_it_closes(exec_type: str) -> None:
    event = filled(fill(execType=exec_type, side="Sell", orderLinkId="x"))
    assert (event.kind, event.side, event.cid, event.last_lots) == (K.LIQUIDATION, Side.LONG, "", 4)
    assert filled(fill(execType=exec_type, side="Buy")).side is Side.SHORT


@pytest.mark.parametrize("exec_type", ["MovePosition", "BlockTrade", "FutureSpread", "Gift"])
def test_an_execution_that_no_order_explains_is_unsupported(exec_type: str) -> None:
    event = filled(fill(execType=exec_type))
    assert (event.kind, event.raw_kind) == (K.UNSUPPORTED, exec_type)


def test_all_fills_of_an_order_are_one_exact_sum() -> None:
    fills = [fill("a", "0.004"), fill("b", "0.006", execPrice="50000.5", execTime="1767225600009")]
    event = fills_event("mine", "v-1", fills, listed(), SCALE, 5, is_spot=False)
    assert (event.kind, event.cum_lots, event.cum_notional) == (K.FILL_REPORT, 10, 4 * 100_000 + 6 * 100_001)
    assert (event.cum_fee, event.fee_asset, event.exch_ts) == (100_000, "USDT", 1767225600009 * MS)
    inverse = fills_event("mine", "v-1", fills, listed(ContractKind.INVERSE, "BTC"), SCALE, 5, is_spot=False)
    assert (inverse.cum_notional, inverse.cum_fills, inverse.fee_asset) == (None, ((4, 100_000), (6, 100_001)), "BTC")
    mixed = [fill("a", feeCurrency="BTC"), fill("b", feeCurrency="USDT")]
    assert fills_event("mine", "v-1", mixed, listed(), SCALE, 5, is_spot=True).cum_fee is None
    assert fills_event("mine", "v-1", [], listed(), SCALE, 5, is_spot=False).cum_fee is None


def test_funding_moves_our_cash_the_other_way() -> None:
    paid = funding_event(fill(execType="Funding", execFee="0.25"), listed(), SCALE, 5)
    assert (paid.kind, paid.amount, paid.fee_asset, paid.instrument) == (K.FUNDING, -250_000, "USDT", "BTCUSDT")


# --- positions ------------------------------------------------------------------------------------------------------------
# H8.12
def test_a_position_has_the_same_time_in_ns_on_both_paths() -> None:
    row = position_row("Buy", "0.5", updatedTime="1697673600012")
    pushed = decode_private(msgspec.json.encode({"topic": "position", "creationTime": 1, "data": [row]}))
    assert isinstance(pushed, Rows)
    answered = decode_page(PositionRow, msgspec.json.encode({"retCode": 0, "result": {"list": [row]}}), "positions")
    by_stream, by_rest = position_of(pushed.rows[0]), position_of(answered.rows[0])  # type: ignore[arg-type]
    assert by_stream == by_rest
    assert by_stream.exch_ts == 1_697_673_600_012_000_000


# H8.12
@pytest.mark.parametrize("text", ["1697673600", "1697673600012000000", "0", ""])
def test_a_time_that_cannot_be_one_leaves_no_connector(text: str) -> None:
    assert told(order(updatedTime=text)).exch_ts == 0
    assert filled(fill(execTime=text)).exch_ts == 0
    assert position_of(msgspec.convert(position_row("Buy", "1", updatedTime=text), PositionRow)).exch_ts == 0


# H8.5
def test_a_position_of_an_unknown_side_is_an_unsupported_event() -> None:
    position = position_of(msgspec.convert(position_row("Both", "2"), PositionRow))
    event = position_event(position, 5)
    assert (event.kind, event.raw_kind, event.instrument) == (K.UNSUPPORTED, "position side Both", "BTCUSDT")
    assert event.exch_ts == 1767225600005 * MS
