"""A report as the kernel's event: integers, exact, and nothing made up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from queuefront.core import ContractKind, Instrument
from queuefront.venues.binance.events import event_of, fills_event
from queuefront.venues.binance.orders import Report
from queuefront.venues.binance.schemas import TradeRow
from queuefront.venues.binance.vocabulary import Execution, Status
from queuefront.venues.types import EventKind, Liquidity, Side, VenueEvent
from queuefront.venues.units import cash

D = Decimal
LINEAR = Instrument("binance-usdm", "BTCUSDT", D("0.1"), D("0.001"))
INVERSE = Instrument("binance-coinm", "BTCUSD_PERP", D("0.1"), D(1), ContractKind.INVERSE, D(100))


def event(status: str = "NEW", cum: str = "0", instrument: Instrument = LINEAR, **fields: Any) -> VenueEvent:
    report = Report(
        cid="mine",
        order_id="7",
        symbol=instrument.symbol,
        status=Status(status) if status in Status.__members__ else Status.UNSUPPORTED,
        status_text=status,
        exch_ms=1767225600005,
        cum_qty=D(cum),
        **fields,
    )
    return event_of(report, instrument, 8, 99)


FILL: dict[str, Any] = {
    "execution": Execution.TRADE, "last_qty": D("0.004"), "last_price": D("50000.1"), "trade_id": 11, "fee": D("0.08"),
    "fee_asset": "USDT", "is_maker": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("NEW", EventKind.ACK),
        ("PENDING_NEW", EventKind.ACK),
        ("PENDING_CANCEL", EventKind.ACK),
        ("PARTIALLY_FILLED", EventKind.PARTIAL_FILL),
        ("FILLED", EventKind.FULL_FILL),
        ("CANCELED", EventKind.CANCEL_ACK),
        ("REJECTED", EventKind.ORDER_REJECT),
        ("EXPIRED", EventKind.EXPIRED),
        ("EXPIRED_IN_MATCH", EventKind.EXPIRED),
        ("HALF_DONE", EventKind.UNSUPPORTED),
    ],
)
def test_each_status_is_an_event_and_an_unknown_one_keeps_its_text(status: str, kind: EventKind) -> None:
    """H8.17, H8.18: none is dropped."""
    told = event(status, "0.004")
    assert (told.kind, told.cum_lots, told.cid, told.venue_order_id) == (kind, 4, "mine", "7")
    assert told.raw_kind == ("HALF_DONE" if kind is EventKind.UNSUPPORTED else "")
    assert (told.ts, told.exch_ts) == (99, 1767225600005 * 10**6)


def test_every_status_has_an_event() -> None:
    for status in Status:
        assert isinstance(event(status, "0").kind, EventKind)


def test_a_fill_has_its_lots_tick_fee_and_liquidity() -> None:
    told = event("PARTIALLY_FILLED", "0.006", **FILL)
    assert (told.kind, told.last_lots, told.last_tick, told.cum_lots) == (EventKind.PARTIAL_FILL, 4, 500001, 6)
    assert (told.fee, told.fee_asset, told.liquidity) == (8_000_000, "USDT", Liquidity.MAKER)
    assert told.event_id == "BTCUSDT/11"
    assert event("FILLED", "0.006", **FILL).kind is EventKind.FULL_FILL
    assert event("FILLED", "0.006", **{**FILL, "is_maker": False}).liquidity is Liquidity.TAKER


def test_what_is_not_said_is_none() -> None:
    told = event("PARTIALLY_FILLED", "0.006", **{**FILL, "last_price": None, "fee": None, "is_maker": None})
    assert (told.last_tick, told.fee, told.liquidity, told.average) == (None, None, Liquidity.UNKNOWN, None)


def test_the_terms_and_a_modification_are_told() -> None:
    told = event("NEW", "0", order_qty=D("0.010"), price=D("50000.0"))
    assert (told.order_lots, told.price_tick) == (10, 500_000)
    amended = event("NEW", "0", order_qty=D("0.020"), price=D("50000.1"), execution=Execution.AMENDMENT)
    assert (amended.kind, amended.order_lots, amended.price_tick) == (EventKind.MODIFY_ACK, 20, 500_001)


def test_an_average_is_a_ratio_and_a_quote_sum_exact_where_it_is_whole() -> None:
    assert event("FILLED", "0.01", average=D("50000.05")).average == (1_000_001, 2)
    assert event("FILLED", "0.01", cum_quote=D("500.001")).cum_notional == 5_000_010
    assert event("FILLED", "0.01", cum_quote=D("500.00001")).cum_notional is None
    assert event("FILLED", "1", INVERSE, cum_quote=D("500")).cum_notional is None


@pytest.mark.parametrize(
    ("is_buy", "position_side", "side"),
    [(False, "BOTH", Side.LONG), (True, "BOTH", Side.SHORT), (True, "LONG", Side.LONG), (False, "SHORT", Side.SHORT)],
)
def test_a_fill_of_the_venues_own_order_is_a_liquidation(is_buy: bool, position_side: str, side: Side) -> None:
    told = event("FILLED", "0.004", is_buy=is_buy, position_side=position_side, is_foreign=True, **FILL)
    assert (told.kind, told.side, told.last_lots, told.cid) == (EventKind.LIQUIDATION, side, 4, "")


def test_a_liquidation_of_quantity_zero_moves_nothing() -> None:
    assert event("FILLED", "0", is_foreign=True, execution=Execution.CALCULATED).kind is EventKind.UNSUPPORTED


def test_what_is_off_the_grid_is_not_rounded_into_it() -> None:
    told = event("PARTIALLY_FILLED", "0.0005")
    assert (told.kind, told.raw_kind, told.cum_lots) == (EventKind.UNSUPPORTED, "PARTIALLY_FILLED", None)
    assert told.reason_text == "quantity 0.0005 of binance-usdm:BTCUSDT is not a multiple of lot_size 0.001"


def test_equal_messages_have_equal_ids_and_others_have_others() -> None:
    assert event("NEW").event_id == event("NEW").event_id
    assert len({event("NEW").event_id, event("NEW", "0.001").event_id, event("CANCELED").event_id}) == 3


@pytest.mark.parametrize(
    ("amount", "units"), [("1.5", 150_000_000), ("-0.00000001", -1), ("0.000000005", 0), ("0.000000015", 2), (None, None)]
)
def test_cash_is_in_units_halves_to_even(amount: str | None, units: int | None) -> None:
    assert cash(None if amount is None else D(amount), 8) == units


def trade(i: int, qty: str, price: str, fee: str | None = "0.01", asset: str = "USDT") -> TradeRow:
    return TradeRow(
        symbol="X", id=i, order_id=7, price=D(price), qty=D(qty), time=1767225600005 + i,
        commission=D(fee) if fee else None, commission_asset=asset,
    )  # fmt: skip


def test_the_fills_of_an_order_add_up_exactly() -> None:
    told = fills_event("mine", "7", [trade(1, "0.004", "50000.1"), trade(2, "0.006", "50000.2")], LINEAR, 8, 99)
    assert (told.kind, told.cum_lots, told.cum_notional) == (EventKind.FILL_REPORT, 10, 4 * 500001 + 6 * 500002)
    assert (told.cum_fee, told.fee_asset, told.exch_ts) == (2_000_000, "USDT", 1767225600007 * 10**6)
    inverse = fills_event("mine", "7", [trade(1, "4", "50000.1"), trade(2, "6", "50000.2")], INVERSE, 8, 99)
    assert (inverse.cum_lots, inverse.cum_notional, inverse.cum_fills) == (10, None, ((4, 500001), (6, 500002)))


def test_a_time_that_cannot_be_one_is_none() -> None:
    # H8.12
    for status in ("NEW", "FILLED"):
        report = Report(
            cid="mine", order_id="7", symbol="BTCUSDT", status=Status(status), status_text=status, exch_ms=5, cum_qty=D(0)
        )  # fmt: skip
        assert event_of(report, LINEAR, 8, 99).exch_ts == 0
    row = msgspec.structs.replace(trade(1, "0.004", "1"), time=10**16)
    assert fills_event("mine", "7", [row], LINEAR, 8, 99).exch_ts == 0


@pytest.mark.parametrize(
    "rows", [[trade(1, "0.004", "1", None)], [trade(1, "0.004", "1"), trade(2, "0.004", "1", asset="BNB")], []]
)
def test_a_fee_that_is_not_one_sum_is_not_told(rows: list[TradeRow]) -> None:
    told = fills_event("mine", "7", rows, LINEAR, 8, 99)
    assert (told.cum_fee, told.fee_asset) == (None, "")
