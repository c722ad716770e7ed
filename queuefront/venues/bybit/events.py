"""Reports of orders, fills and positions as the kernel's events: prices in ticks, quantities in lots, cash in units.

What does not fit the instrument's grid is not rounded into it: the event is UNSUPPORTED, keeps the venue's text, and the
order is asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from queuefront.core import ContractKind, DataError, Instrument
from queuefront.venues.bybit.orders import FillReport, OrderReport, PositionReport
from queuefront.venues.bybit.vocabulary import Status
from queuefront.venues.listed import Listed
from queuefront.venues.types import EventKind, Liquidity, Side, VenueEvent
from queuefront.venues.units import cash

__all__ = ["fill_event", "fill_tick", "fills_event", "funding_event", "order_event", "position_event"]

K = EventKind

_KINDS: Final = {
    Status.NEW: K.ACK,
    Status.UNTRIGGERED: K.ACK,
    Status.TRIGGERED: K.ACK,
    Status.PARTIALLY_FILLED: K.PARTIAL_FILL,
    Status.FILLED: K.FULL_FILL,
    Status.CANCELED: K.CANCEL_ACK,
    Status.PARTIALLY_FILLED_CANCELED: K.CANCEL_ACK,
    Status.DEACTIVATED: K.CANCEL_ACK,
    Status.REJECTED: K.ORDER_REJECT,
    Status.UNSUPPORTED: K.UNSUPPORTED,
}
#: Events in which the order's own terms are of use: it may have been modified.
_TERMS_KINDS: Final = (K.ACK, K.MODIFY_ACK, K.PARTIAL_FILL, K.FULL_FILL)
_LIQUIDITY: Final = {None: Liquidity.UNKNOWN, True: Liquidity.MAKER, False: Liquidity.TAKER}


def fill_tick(instrument: Instrument, price: Decimal) -> int:
    """Return the tick of a fill's price: price / tick size, wherever a fill is told (H8.11).

    Raises
    ------
    OffGridError
        If the price lies between two ticks.
    """
    return instrument.price_to_tick(price)


def order_event(report: OrderReport, instrument: Instrument, now_ns: int, *, is_modified: bool = False) -> VenueEvent:
    """Return what a report of an order is to the kernel."""
    kind = _kind(report, is_modified=is_modified)
    try:
        return _order_event(report, kind, instrument, now_ns)
    except DataError as e:
        return VenueEvent(
            ts=now_ns,
            kind=K.UNSUPPORTED,
            cid=report.cid,
            venue_order_id=report.order_id,
            instrument=report.symbol,
            exch_ts=report.exch_ts,
            reason_text=str(e)[:300],
            raw_kind=report.status_text,
        )


def _kind(report: OrderReport, *, is_modified: bool) -> EventKind:
    kind = _KINDS[report.status]
    if is_modified and kind in (K.ACK, K.PARTIAL_FILL):
        return K.MODIFY_ACK
    if report.is_venues_end:
        # A post-only order that would have taken is canceled by the venue before it ever rested.
        return K.ORDER_REJECT if report.reason == "EC_PostOnlyWillTakeLiquidity" and not report.cum_qty else K.EXPIRED
    if kind is K.ORDER_REJECT and report.cum_qty:
        return K.EXPIRED  # spot calls the end of a part-filled order so: what was filled stays
    return kind


def _order_event(report: OrderReport, kind: EventKind, instrument: Instrument, now_ns: int) -> VenueEvent:
    lots, has_terms = instrument.qty_to_lots, kind in _TERMS_KINDS
    suffix = "/modified" if kind is K.MODIFY_ACK else ""
    return VenueEvent(
        ts=now_ns,
        kind=kind,
        event_id=(
            f"{report.symbol}/{report.order_id}/{report.status_text}/{report.cum_qty}/{report.exch_ts}"
            f"/{report.order_qty}@{report.price}{suffix}"
        ),
        exch_ts=report.exch_ts,
        cid=report.cid,
        venue_order_id=report.order_id,
        instrument=report.symbol,
        order_lots=lots(report.order_qty) if report.order_qty is not None and has_terms else None,
        cum_lots=lots(report.cum_qty) if report.cum_qty is not None else None,
        cum_notional=_cum_notional(report, instrument),
        average=_average(report, instrument),
        price_tick=instrument.price_to_tick(report.price) if report.price and has_terms else None,
        reason_code=report.reason,
        raw_kind=report.status_text if kind is K.UNSUPPORTED else "",
    )


def _cum_notional(report: OrderReport, instrument: Instrument) -> int | None:
    """Return the exact sum of tick × lots, where the venue's sum of values is one."""
    if instrument.contract is not ContractKind.LINEAR or report.cum_value is None:
        return None
    whole = Fraction(report.cum_value) / (Fraction(instrument.tick_size) * Fraction(instrument.lot_size))
    return int(whole) if whole.denominator == 1 else None


def _average(report: OrderReport, instrument: Instrument) -> tuple[int, int] | None:
    if report.average is None:
        return None
    ratio = Fraction(report.average) / Fraction(instrument.tick_size)
    return ratio.numerator, ratio.denominator


def _fee_asset(fill: FillReport, listed: Listed, *, is_spot: bool) -> str:
    """The coin of a fee: contracts pay in what they settle in; spot in either coin, and only some messages say which."""
    return fill.fee_asset or ("" if is_spot else listed.settlement)


def fill_event(
    fill: FillReport, cum_qty: Decimal, order_qty: Decimal | None, listed: Listed, scale: int, now_ns: int, *, is_spot: bool
) -> VenueEvent:
    """Return what a fill is to the kernel; `cum_qty` is the order's total with it.

    A fill of an order that the venue made itself (liquidation, auto-deleveraging, delivery) is LIQUIDATION.
    """
    instrument = listed.instrument
    is_all = order_qty is not None and cum_qty >= order_qty
    kind = K.LIQUIDATION if fill.is_foreign else K.FULL_FILL if is_all else K.PARTIAL_FILL
    asset = _fee_asset(fill, listed, is_spot=is_spot)
    try:
        lots, tick = instrument.qty_to_lots(fill.qty), fill_tick(instrument, fill.price) if fill.price else None
        cum_lots = None if fill.is_foreign else instrument.qty_to_lots(cum_qty)
        reason = ""
    except DataError as e:
        kind, lots, tick, cum_lots, reason = K.UNSUPPORTED, 0, None, None, str(e)[:300]
    if not (fill.is_trade or fill.is_foreign):
        kind = K.UNSUPPORTED  # moved, agreed on, or of a kind that nobody knows: no order of ours explains it
    is_foreign = kind is K.LIQUIDATION
    return VenueEvent(
        ts=now_ns,
        kind=kind,
        event_id=f"{fill.symbol}/{fill.exec_id}",
        exch_ts=fill.exch_ts,
        cid="" if is_foreign else fill.cid,
        venue_order_id=fill.order_id,
        instrument=fill.symbol,
        # The venue's order sells what was long.
        side=None if not is_foreign or fill.is_buy is None else Side.SHORT if fill.is_buy else Side.LONG,
        cum_lots=cum_lots,
        last_lots=lots or None,
        last_tick=tick,
        fee=cash(fill.fee, scale) if asset else None,
        fee_asset=asset if fill.fee is not None else "",
        liquidity=_LIQUIDITY[fill.is_maker],
        reason_text=reason,
        raw_kind=fill.kind_text if kind is K.UNSUPPORTED else "",
    )


def fills_event(
    cid: str, order_id: str, fills: Sequence[FillReport], listed: Listed, scale: int, now_ns: int, *, is_spot: bool
) -> VenueEvent:
    """Return the exact sum of an order's fills.

    Raises
    ------
    OffGridError
        If a fill is off the grid.
    """
    instrument = listed.instrument
    counted = tuple(
        (instrument.qty_to_lots(fill.qty), fill_tick(instrument, fill.price)) for fill in fills if fill.price is not None
    )
    assets = {_fee_asset(fill, listed, is_spot=is_spot) for fill in fills}
    fees = [fill.fee for fill in fills if fill.fee is not None]
    is_fee_known = bool(fills) and len(fees) == len(fills) and len(assets) == 1 and "" not in assets
    is_inverse = instrument.contract is ContractKind.INVERSE
    return VenueEvent(
        ts=now_ns,
        kind=K.FILL_REPORT,
        event_id=f"{instrument.symbol}/{order_id}/fills/{len(fills)}",
        exch_ts=max((fill.exch_ts for fill in fills), default=0),
        cid=cid,
        venue_order_id=order_id,
        instrument=instrument.symbol,
        cum_lots=sum(lots for lots, _ in counted),
        cum_notional=None if is_inverse else sum(lots * tick for lots, tick in counted),
        cum_fee=cash(sum(fees, Decimal(0)), scale) if is_fee_known else None,
        fee_asset=assets.pop() if is_fee_known else "",
        cum_fills=counted if is_inverse else (),
    )


def funding_event(fill: FillReport, listed: Listed, scale: int, now_ns: int) -> VenueEvent:
    """Return a payment of funding: what the venue calls a fee was paid, so that our cash moves the other way."""
    return VenueEvent(
        ts=now_ns,
        kind=K.FUNDING,
        event_id=f"funding/{fill.symbol}/{fill.exec_id}",
        exch_ts=fill.exch_ts,
        instrument=fill.symbol,
        amount=cash(-fill.fee if fill.fee is not None else None, scale),
        fee_asset=fill.fee_asset or listed.settlement,
    )


def position_event(position: PositionReport, now_ns: int) -> VenueEvent:
    """Return a position of a side that nobody knows, which no snapshot can hold (H8.5)."""
    return VenueEvent(
        ts=now_ns,
        kind=K.UNSUPPORTED,
        event_id=f"position/{position.symbol}/{position.position_idx}/{position.side_text[:40]}/{position.exch_ts}",
        exch_ts=position.exch_ts,
        instrument=position.symbol,
        raw_kind=f"position side {position.side_text[:40]}",
        reason_text=f"{position.symbol}: a position of {position.qty} on side {position.side_text[:40]!r}",
    )
