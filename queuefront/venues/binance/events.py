"""A report of an order as the kernel's event: prices in ticks, quantities in lots, cash in units, times in ns.

What does not fit the instrument's grid is not rounded into it: the event is UNSUPPORTED, keeps the venue's text, and the
order is asked for again.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from queuefront.core import ContractKind, DataError, Instrument
from queuefront.venues.binance.orders import Report
from queuefront.venues.binance.schemas import TradeRow
from queuefront.venues.binance.vocabulary import Execution, Status
from queuefront.venues.types import EventKind, Liquidity, Side, VenueEvent
from queuefront.venues.units import cash, plausible_ns

__all__ = ["event_of", "fills_event"]

K = EventKind

_KINDS: Final = {
    Status.NEW: K.ACK,
    Status.PENDING_NEW: K.ACK,
    Status.PENDING_CANCEL: K.ACK,
    Status.PARTIALLY_FILLED: K.PARTIAL_FILL,
    Status.FILLED: K.FULL_FILL,
    Status.CANCELED: K.CANCEL_ACK,
    Status.REJECTED: K.ORDER_REJECT,
    Status.EXPIRED: K.EXPIRED,
    Status.EXPIRED_IN_MATCH: K.EXPIRED,
    Status.NEW_INSURANCE: K.UNSUPPORTED,
    Status.NEW_ADL: K.UNSUPPORTED,
    Status.UNSUPPORTED: K.UNSUPPORTED,
}


def event_of(report: Report, instrument: Instrument, scale: int, now_ns: int) -> VenueEvent:
    """Return what a report is to the kernel."""
    try:
        return _event(report, instrument, scale, now_ns)
    except DataError as e:
        return VenueEvent(
            ts=now_ns,
            kind=K.UNSUPPORTED,
            cid=report.cid,
            venue_order_id=report.order_id,
            instrument=report.symbol,
            exch_ts=plausible_ns(report.exch_ms) or 0,
            reason_text=str(e)[:300],
            raw_kind=report.status_text,
        )


def _event(report: Report, instrument: Instrument, scale: int, now_ns: int) -> VenueEvent:
    kind = _kind(report)
    if report.is_fill and report.trade_id is not None:
        event_id = f"{report.symbol}/{report.trade_id}"
    else:
        event_id = f"{report.symbol}/{report.order_id}/{report.status_text}/{report.cum_qty}/{report.exch_ms}"
    lots, tick = instrument.qty_to_lots, instrument.price_to_tick
    is_foreign = kind is K.LIQUIDATION
    cum_notional = None
    if instrument.contract is ContractKind.LINEAR and report.cum_quote is not None and report.order_id:
        whole = Fraction(report.cum_quote) / (Fraction(instrument.tick_size) * Fraction(instrument.lot_size))
        cum_notional = int(whole) if whole.denominator == 1 and report.average is None else None
    return VenueEvent(
        ts=now_ns,
        kind=kind,
        event_id=event_id,
        exch_ts=plausible_ns(report.exch_ms) or 0,
        cid="" if is_foreign else report.cid,
        venue_order_id=report.order_id,
        instrument=report.symbol,
        side=_closed_side(report) if is_foreign else None,
        order_lots=None if report.order_qty is None or kind not in _TERMS_KINDS else lots(report.order_qty),
        cum_lots=None if report.cum_qty is None or is_foreign else lots(report.cum_qty),
        cum_notional=cum_notional,
        last_lots=lots(report.last_qty) if report.last_qty else None,
        last_tick=tick(report.last_price) if report.last_price else None,
        average=_average(report, instrument),
        fee=cash(report.fee, scale),
        fee_asset=report.fee_asset,
        liquidity=_LIQUIDITY[report.is_maker],
        price_tick=tick(report.price) if report.price and kind in _TERMS_KINDS else None,
        reason_code=report.reason,
        raw_kind=report.status_text if kind is K.UNSUPPORTED else "",
    )


#: Events in which the order's own terms are of use: it may have been modified.
_TERMS_KINDS: Final = (K.ACK, K.MODIFY_ACK, K.PARTIAL_FILL, K.FULL_FILL)
_LIQUIDITY: Final = {None: Liquidity.UNKNOWN, True: Liquidity.MAKER, False: Liquidity.TAKER}


def _kind(report: Report) -> EventKind:
    if report.status is Status.UNSUPPORTED or report.execution is Execution.UNSUPPORTED:
        return K.UNSUPPORTED
    if report.is_foreign:
        return K.LIQUIDATION if report.is_fill else K.UNSUPPORTED
    if report.is_fill:
        return K.FULL_FILL if report.status is Status.FILLED else K.PARTIAL_FILL
    if report.execution is Execution.AMENDMENT and _KINDS[report.status] in (K.ACK, K.PARTIAL_FILL):
        return K.MODIFY_ACK
    return _KINDS[report.status]


def _closed_side(report: Report) -> Side:
    """The side of the position that an order of the venue itself closes."""
    if report.position_side in ("LONG", "SHORT"):
        return Side[report.position_side]
    return Side.SHORT if report.is_buy else Side.LONG


def _average(report: Report, instrument: Instrument) -> tuple[int, int] | None:
    if report.average is None:
        return None
    ratio = Fraction(report.average) / Fraction(instrument.tick_size)
    return ratio.numerator, ratio.denominator


def fills_event(
    cid: str, order_id: str, rows: list[TradeRow], instrument: Instrument, scale: int, now_ns: int
) -> VenueEvent:
    """Return the exact sum of an order's fills.

    Raises
    ------
    OffGridError
        If a fill is off the grid.
    """
    fills = tuple((instrument.qty_to_lots(row.qty), instrument.price_to_tick(row.price)) for row in rows)
    assets = {row.commission_asset for row in rows}
    fees = [row.commission for row in rows if row.commission is not None]
    is_fee_known = bool(rows) and len(fees) == len(rows) and len(assets) == 1
    is_inverse = instrument.contract is ContractKind.INVERSE
    return VenueEvent(
        ts=now_ns,
        kind=K.FILL_REPORT,
        event_id=f"{instrument.symbol}/{order_id}/fills/{len(rows)}",
        exch_ts=max((plausible_ns(row.time) or 0 for row in rows), default=0),
        cid=cid,
        venue_order_id=order_id,
        instrument=instrument.symbol,
        cum_lots=sum(lots for lots, _ in fills),
        cum_notional=None if is_inverse else sum(lots * tick for lots, tick in fills),
        cum_fee=cash(sum(fees, Decimal(0)), scale) if is_fee_known else None,
        fee_asset=assets.pop() if is_fee_known else "",
        cum_fills=fills if is_inverse else (),
    )
