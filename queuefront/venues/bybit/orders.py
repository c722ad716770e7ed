"""Our orders and fills as the venue's messages tell them, in whatever order and however often they come.

Two topics speak of an order: `order` of its state and its total, `execution` of each fill. Either may be first, a
connection may lose some of either, and an order may be told as closed twice. What is known of the total is the larger of
what the order says and what its fills add up to; it never shrinks, a closed order stays closed, a fill has its id.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Final

from queuefront.core.clock import NS_PER
from queuefront.venues.bybit.schemas import ExecutionRow, OrderRow, PositionRow, number, time_ns
from queuefront.venues.bybit.vocabulary import (
    CLOSED_STATUSES,
    FOREIGN_EXECUTIONS,
    ExecKind,
    OrderKind,
    PositionSide,
    Side,
    Status,
    Tif,
    word,
)

__all__ = [
    "FillReport",
    "News",
    "OrderCounts",
    "OrderReport",
    "OrderTracker",
    "PositionReport",
    "TrackedOrder",
    "fill_of",
    "order_of",
    "position_of",
]

#: Closed orders are kept for late messages, for so long and so many.
KEPT_NS: Final = 600 * NS_PER["s"]
KEPT_MAX: Final = 1000

#: Words for no reason at all.
_NO_REASONS: Final = frozenset({"", "EC_NoError", "UNKNOWN"})
#: Of a cancellation that we asked for: any other is the venue's own.
_OUR_CANCELS: Final = frozenset({"", "UNKNOWN", "CancelByUser"})
#: A second word about an order that is closed already, and no reason of its end.
_ECHO: Final = "EC_OrigClOrdIDDoesNotExist"
_OUR_CANCEL_REASONS: Final = frozenset({"EC_PerCancelRequest", _ECHO})


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What one message says of one order. None is what it does not say; times are ns UTC, 0 where none can be true."""

    cid: str
    order_id: str
    symbol: str
    status: Status
    status_text: str
    exch_ts: int
    cum_qty: Decimal | None = None
    is_buy: bool | None = None
    order_qty: Decimal | None = None
    price: Decimal | None = None
    average: Decimal | None = None
    cum_value: Decimal | None = None
    kind: OrderKind = OrderKind.UNSUPPORTED
    tif: Tif = Tif.UNSUPPORTED
    reason: str = ""
    is_venues_end: bool = False  # canceled, and not because we asked

    @property
    def is_closed(self) -> bool:
        """Whether it can fill no more."""
        return self.status in CLOSED_STATUSES


@dataclass(frozen=True, slots=True)
class FillReport:
    """What one message says of one execution."""

    exec_id: str
    cid: str
    order_id: str
    symbol: str
    kind: ExecKind
    kind_text: str
    exch_ts: int
    qty: Decimal
    price: Decimal | None
    is_buy: bool | None
    fee: Decimal | None = None
    fee_asset: str = ""
    is_maker: bool | None = None

    @property
    def is_trade(self) -> bool:
        """Whether it is a fill of an order of ours."""
        return self.kind is ExecKind.TRADE

    @property
    def is_foreign(self) -> bool:
        """Whether it is a fill of an order that the venue made itself."""
        return self.kind in FOREIGN_EXECUTIONS


@dataclass(frozen=True, slots=True)
class PositionReport:
    """What one message says of one position; `qty` has no sign."""

    symbol: str
    side: PositionSide
    side_text: str
    qty: Decimal
    position_idx: int
    leverage: Decimal | None
    exch_ts: int


def _is_buy(text: str) -> bool | None:
    return {Side.BUY: True, Side.SELL: False}.get(word(Side, text))


def order_of(row: OrderRow) -> OrderReport:
    """Return what a row says, pushed or answered.

    Raises
    ------
    MessageError
        If a number is none.
    """
    status = word(Status, row.order_status)
    reject, cancel = row.reject_reason or "", row.cancel_type or ""
    is_end = status in (Status.CANCELED, Status.PARTIALLY_FILLED_CANCELED)
    is_ours = cancel in _OUR_CANCELS and (reject in _NO_REASONS or reject in _OUR_CANCEL_REASONS)
    reasons = [text for text in (reject, cancel) if text not in _NO_REASONS and text != "CancelByUser"]
    return OrderReport(
        cid=row.order_link_id or "",
        order_id=row.order_id,
        symbol=row.symbol,
        status=status,
        status_text=row.order_status,
        exch_ts=time_ns(row.updated_time),
        cum_qty=number(row.cum_exec_qty, "cumExecQty"),
        is_buy=_is_buy(row.side),
        order_qty=number(row.qty, "qty"),
        price=number(row.price, "price") or None,
        average=number(row.avg_price, "avgPrice") or None,
        cum_value=number(row.cum_exec_value, "cumExecValue"),
        kind=word(OrderKind, row.order_type),
        tif=word(Tif, row.time_in_force),
        reason=reasons[0] if reasons else "",
        is_venues_end=is_end and not is_ours,
    )


def fill_of(row: ExecutionRow) -> FillReport:
    """Return what a row says, pushed or answered.

    Raises
    ------
    MessageError
        If a number is none.
    """
    return FillReport(
        exec_id=row.exec_id,
        cid=row.order_link_id or "",
        order_id=row.order_id,
        symbol=row.symbol,
        kind=word(ExecKind, row.exec_type or "Trade"),
        kind_text=row.exec_type or "Trade",
        exch_ts=time_ns(row.exec_time),
        qty=number(row.exec_qty, "execQty") or Decimal(0),
        price=number(row.exec_price, "execPrice") or None,
        is_buy=_is_buy(row.side),
        fee=number(row.exec_fee, "execFee"),
        fee_asset=row.fee_currency or "",
        is_maker=row.is_maker,
    )


def position_of(row: PositionRow) -> PositionReport:
    """Return what a row says, pushed or answered (H8.5, H8.12).

    Raises
    ------
    MessageError
        If a number is none.
    """
    side_text = row.side or ""
    return PositionReport(
        symbol=row.symbol,
        # Some rows of no position say None instead of nothing.
        side=word(PositionSide, "" if side_text == "None" else side_text),
        side_text=side_text,
        qty=abs(number(row.size, "size") or Decimal(0)),
        position_idx=row.position_idx or 0,
        leverage=number(row.leverage, "leverage"),
        exch_ts=time_ns(row.updated_time),
    )


class News(Enum):
    """What a report was to us."""

    FIRST = "an order that we did not know"
    CHANGED = "the order changed"
    MODIFIED = "its price or quantity changed, and it lives"
    FILL = "a fill that we did not know"
    LATE_FILL = "a fill that we did not know, of a total that we knew"
    COMPLETE = "the last fill that we did not know of a total that we knew: all prices and fees are told"
    SAME = "nothing that we did not know"
    OLD = "less than we know already"
    UNKNOWN_WORD = "a word that nobody knows: ask for the order"


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """One order as it is known."""

    cid: str
    order_id: str
    symbol: str
    status: Status
    cum_qty: Decimal
    order_qty: Decimal | None = None
    price: Decimal | None = None
    exch_ts: int = 0
    is_buy: bool | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it can fill no more."""
        return self.status in CLOSED_STATUSES


@dataclass(slots=True)
class OrderCounts:
    """What messages turned out to be."""

    by_news: dict[str, int] = field(default_factory=dict)
    removed_absent: int = 0
    purged: int = 0


class OrderTracker:
    """All orders of one account, by client order id, or by the venue's where there is none.

    Parameters
    ----------
    kept_ns, kept_max : how long, and how many, closed orders are remembered.
    """

    def __init__(self, kept_ns: int = KEPT_NS, kept_max: int = KEPT_MAX) -> None:
        self.counts = OrderCounts()
        self.last_fill_ts = 0  # of the newest fill, ns UTC
        self._orders: dict[str, TrackedOrder] = {}
        self._closed: OrderedDict[str, int] = OrderedDict()  # key -> when it closed, oldest first
        self._fills: dict[str, dict[str, FillReport]] = {}
        self._others: OrderedDict[str, None] = OrderedDict()  # executions without an order of ours
        self._kept_ns = kept_ns
        self._kept_max = kept_max

    # --- what is told -------------------------------------------------------------------------------------------------
    def apply(self, report: OrderReport, now_ns: int) -> News:
        """Take what an order says of itself; say what was new in it."""
        return self._count(self._apply(report, now_ns), now_ns)

    def apply_fill(self, fill: FillReport, now_ns: int) -> News:
        """Take a fill; say what was new in it."""
        return self._count(self._apply_fill(fill, now_ns), now_ns)

    def _count(self, news: News, now_ns: int) -> News:
        self.counts.by_news[news.name] = self.counts.by_news.get(news.name, 0) + 1
        self._purge(now_ns)
        return news

    def _apply(self, report: OrderReport, now_ns: int) -> News:
        key = report.cid or report.order_id
        known = self._orders.get(key)
        if report.status is Status.UNSUPPORTED:
            return News.UNKNOWN_WORD
        cum = report.cum_qty if report.cum_qty is not None else Decimal(0)
        if known is None:
            self._put(key, report, cum, now_ns)
            return News.FIRST
        if cum < known.cum_qty and not (report.is_closed and not known.is_closed):
            return News.OLD
        if known.is_closed and not report.is_closed:
            if cum > known.cum_qty:
                # A closed order that grew: the total is a fact, the older status is not.
                self._orders[key] = replace(known, cum_qty=cum)
                return News.CHANGED
            return News.OLD
        if known.is_closed and cum == known.cum_qty:
            return News.SAME  # closed is closed, whatever the second word for it is
        has_other_terms = report.order_qty not in (None, known.order_qty) or report.price not in (None, known.price)
        if cum == known.cum_qty and report.status is known.status and not has_other_terms:
            return News.SAME
        if cum == known.cum_qty and not report.is_closed and report.exch_ts < known.exch_ts:
            return News.OLD
        is_modified = has_other_terms and known.order_qty is not None and not report.is_closed
        self._put(key, report, max(cum, known.cum_qty), now_ns)
        return News.MODIFIED if is_modified else News.CHANGED

    def _apply_fill(self, fill: FillReport, now_ns: int) -> News:
        if not fill.is_trade:
            return self._apply_other(fill)
        key = fill.cid or fill.order_id
        fills = self._fills.setdefault(key, {})
        if fill.exec_id in fills:
            return News.SAME
        fills[fill.exec_id] = fill
        self.last_fill_ts = max(self.last_fill_ts, fill.exch_ts)
        total = self._filled(key)
        known = self._orders.get(key)
        if known is None:
            order = TrackedOrder(fill.cid, fill.order_id, fill.symbol, Status.PARTIALLY_FILLED, total, is_buy=fill.is_buy)
            self._orders[key] = order
            return News.FILL
        if total > known.cum_qty:
            status = Status.PARTIALLY_FILLED if known.status is Status.NEW else known.status
            self._orders[key] = replace(known, cum_qty=total, status=status)
            self._note_closed(key, now_ns)
            return News.FILL
        return News.COMPLETE if total == known.cum_qty else News.LATE_FILL

    def _apply_other(self, fill: FillReport) -> News:
        """Take an execution that is no fill of an order of ours, of which only its id is kept."""
        if fill.exec_id in self._others:
            return News.SAME
        self._others[fill.exec_id] = None
        if len(self._others) > KEPT_MAX:
            self._others.popitem(last=False)
        self.last_fill_ts = max(self.last_fill_ts, fill.exch_ts)
        return News.FILL if fill.is_foreign or fill.kind is ExecKind.FUNDING else News.UNKNOWN_WORD

    def _filled(self, key: str) -> Decimal:
        return sum((fill.qty for fill in self._fills.get(key, {}).values()), Decimal(0))

    def _put(self, key: str, report: OrderReport, cum: Decimal, now_ns: int) -> None:
        known = self._orders.get(key)
        self._orders[key] = TrackedOrder(
            cid=report.cid,
            order_id=report.order_id or (known.order_id if known else ""),
            symbol=report.symbol,
            status=report.status,
            cum_qty=cum,
            order_qty=report.order_qty if report.order_qty is not None else (known.order_qty if known else None),
            price=report.price if report.price is not None else (known.price if known else None),
            exch_ts=max(report.exch_ts, known.exch_ts if known else 0),
            is_buy=report.is_buy if report.is_buy is not None else (known.is_buy if known else None),
        )
        self._note_closed(key, now_ns)

    def _note_closed(self, key: str, now_ns: int) -> None:
        if self._orders[key].is_closed and key not in self._closed:
            self._closed[key] = now_ns

    # --- what is known ------------------------------------------------------------------------------------------------
    def get(self, key: str) -> TrackedOrder | None:
        """Return an order, if it is known."""
        return self._orders.get(key)

    def fills(self, key: str) -> list[FillReport]:
        """Return the fills of an order that were told, oldest first."""
        return sorted(self._fills.get(key, {}).values(), key=lambda fill: (fill.exch_ts, fill.exec_id))

    @property
    def live(self) -> list[TrackedOrder]:
        """The orders that may still fill."""
        return [order for order in self._orders.values() if not order.is_closed]

    def __len__(self) -> int:
        return len(self._orders)

    def remove(self, key: str) -> bool:
        """Forget an order; of one that is not there this is counted and does nothing (H8.10)."""
        self._closed.pop(key, None)
        self._fills.pop(key, None)
        if self._orders.pop(key, None) is None:
            self.counts.removed_absent += 1
            return False
        return True

    def _purge(self, now_ns: int) -> None:
        while self._closed:
            key, closed_ns = next(iter(self._closed.items()))
            if len(self._closed) <= self._kept_max and now_ns - closed_ns < self._kept_ns:
                return
            self.remove(key)
            self.counts.purged += 1
