"""Our orders as the venue's messages tell them, in whatever order and however often they come.

Stream, answer and query overtake one another. Quantities are cumulative and never shrink, a closed order stays closed, a
fill is known by its trade id; whatever says less than is known already changes nothing and is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Final

from queuefront.core.clock import NS_PER
from queuefront.venues.binance.schemas import OrderRow
from queuefront.venues.binance.stream_schemas import OrderUpdate
from queuefront.venues.binance.vocabulary import CLOSED_STATUSES, Execution, OrderKind, Status, Tif

__all__ = ["News", "OrderCounts", "OrderTracker", "Report", "TrackedOrder", "of_row", "of_update"]

#: Closed orders are kept for late messages, for so long and so many.
KEPT_NS: Final = 600 * NS_PER["s"]
KEPT_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says of one order. None is what it does not say."""

    cid: str
    order_id: str
    symbol: str
    status: Status
    status_text: str
    exch_ms: int
    cum_qty: Decimal | None
    is_buy: bool | None = None
    execution: Execution | None = None
    execution_text: str = ""
    order_qty: Decimal | None = None
    price: Decimal | None = None
    average: Decimal | None = None
    cum_quote: Decimal | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    trade_id: int | None = None
    fee: Decimal | None = None
    fee_asset: str = ""
    is_maker: bool | None = None
    is_foreign: bool = False
    reason: str = ""
    kind: OrderKind = OrderKind.UNSUPPORTED
    tif: Tif = Tif.UNSUPPORTED
    position_side: str = ""

    @property
    def is_fill(self) -> bool:
        """Whether it reports one fill by itself."""
        return bool(self.last_qty)

    @property
    def fill_key(self) -> tuple[str, int] | None:
        """What names the fill: trade ids are unique within a symbol."""
        return (self.symbol, self.trade_id) if self.trade_id is not None and self.trade_id > 0 else None


def _side(text: str) -> bool | None:
    return {"BUY": True, "SELL": False}.get(text)


def of_update(update: OrderUpdate) -> Report:
    """Return what a push says."""
    return Report(
        cid=update.cid,
        order_id=str(update.order_id) if update.order_id else "",
        symbol=update.symbol,
        status=update.status,
        status_text=update.status_text,
        exch_ms=update.trade_ms,
        cum_qty=update.cum_qty,
        is_buy=_side(update.side),
        execution=update.execution,
        execution_text=update.execution_text,
        order_qty=update.qty,
        price=update.price,
        average=update.average or None,
        cum_quote=update.cum_quote,
        last_qty=update.last_qty if update.is_fill else None,
        last_price=update.last_price if update.is_fill and update.last_price else None,
        trade_id=update.trade_id if update.is_fill else None,
        fee=update.fee if update.is_fill else None,
        fee_asset=update.fee_asset or "",
        is_maker=update.is_maker if update.is_fill else None,
        is_foreign=update.is_foreign,
        reason="" if update.reject_reason in (None, "NONE") else str(update.reject_reason),
        kind=update.kind,
        tif=update.tif,
        position_side=update.position_side_text,
    )


def of_row(row: OrderRow) -> Report:
    """Return what an answer says of an order as a whole; its fills, where it lists them, are `of_fill`'s."""
    cum_quote = row.cum_quote_spot if row.cum_quote_spot is not None else row.cum_quote
    return Report(
        cid=row.cid,
        order_id=str(row.order_id or ""),
        symbol=row.symbol,
        status=row.status,
        status_text=row.status_text,
        exch_ms=row.exch_ms,
        cum_qty=row.executed_qty,
        is_buy=_side(row.side),
        order_qty=row.qty,
        price=row.price,
        average=row.avg_price or None,
        cum_quote=cum_quote if cum_quote is not None and cum_quote >= 0 else None,  # old spot orders: negative
        kind=row.kind,
        tif=row.tif,
        position_side=row.position_side_text,
    )


class News(Enum):
    """What a report was to us."""

    FIRST = "an order that we did not know"
    CHANGED = "the order changed"
    FILL = "a fill that we did not know"
    LATE_FILL = "a fill that we did not know, of a total that we knew"
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
    order_qty: Decimal | None
    price: Decimal | None
    exch_ms: int
    is_buy: bool | None
    position_side: str = ""
    closed_ns: int = 0

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
    """All orders of one account, by client order id.

    Parameters
    ----------
    kept_ns, kept_max : how long, and how many, closed orders are remembered.
    """

    def __init__(self, kept_ns: int = KEPT_NS, kept_max: int = KEPT_MAX) -> None:
        self.counts = OrderCounts()
        self._orders: dict[str, TrackedOrder] = {}
        self._closed: OrderedDict[str, int] = OrderedDict()  # key -> when it closed, oldest first
        self._fills: dict[str, set[tuple[str, int]]] = {}
        self._kept_ns = kept_ns
        self._kept_max = kept_max
        self._last_fill_id: dict[str, int] = {}

    def apply(self, report: Report, now_ns: int) -> News:
        """Take a report; say what was new in it."""
        news = self._apply(report, now_ns)
        self.counts.by_news[news.name] = self.counts.by_news.get(news.name, 0) + 1
        self._purge(now_ns)
        return news

    def _apply(self, report: Report, now_ns: int) -> News:
        key = report.cid or report.order_id
        known = self._orders.get(key)
        if report.status is Status.UNSUPPORTED or report.execution is Execution.UNSUPPORTED:
            return News.UNKNOWN_WORD
        is_new_fill = self._is_new_fill(key, report)
        cum = report.cum_qty if report.cum_qty is not None else Decimal(0)
        if known is None:
            self._put(key, report, cum, now_ns)
            return News.FILL if is_new_fill else News.FIRST
        if is_new_fill:
            is_late = cum <= known.cum_qty
            if not (known.is_closed and not _closes(report)):
                self._put(key, report, max(cum, known.cum_qty), now_ns)
            elif cum > known.cum_qty:
                # A closed order that grew: the total is a fact, the older status is not.
                self._orders[key] = replace(known, cum_qty=cum)
            return News.LATE_FILL if is_late else News.FILL
        if report.is_fill and report.fill_key is not None:
            return News.SAME
        if cum < known.cum_qty or (known.is_closed and not _closes(report)):
            return News.OLD
        is_same = (
            cum == known.cum_qty
            and report.status is known.status
            and report.order_qty in (None, known.order_qty)
            and report.price in (None, known.price)
        )
        if is_same:
            return News.SAME
        if cum == known.cum_qty and report.exch_ms < known.exch_ms and not _closes(report):
            return News.OLD
        self._put(key, report, cum, now_ns)
        return News.CHANGED

    def _is_new_fill(self, key: str, report: Report) -> bool:
        if not report.is_fill or report.fill_key is None:
            return False
        fills = self._fills.setdefault(key, set())
        if report.fill_key in fills:
            return False
        fills.add(report.fill_key)
        symbol, trade_id = report.fill_key
        self._last_fill_id[symbol] = max(self._last_fill_id.get(symbol, 0), trade_id)
        return True

    def _put(self, key: str, report: Report, cum: Decimal, now_ns: int) -> None:
        known = self._orders.get(key)
        order = TrackedOrder(
            cid=report.cid,
            order_id=report.order_id or (known.order_id if known else ""),
            symbol=report.symbol,
            status=report.status,
            cum_qty=cum,
            order_qty=report.order_qty if report.order_qty is not None else (known.order_qty if known else None),
            price=report.price if report.price is not None else (known.price if known else None),
            exch_ms=max(report.exch_ms, known.exch_ms if known else 0),
            is_buy=report.is_buy if report.is_buy is not None else (known.is_buy if known else None),
            position_side=report.position_side,
            closed_ns=now_ns if report.status in CLOSED_STATUSES else 0,
        )
        self._orders[key] = order
        if order.is_closed and key not in self._closed:
            self._closed[key] = now_ns

    def note_fill_id(self, symbol: str, trade_id: int) -> None:
        """Remember the newest trade id, from which a later question begins."""
        self._last_fill_id[symbol] = max(self._last_fill_id.get(symbol, 0), trade_id)

    def last_fill_id(self, symbol: str) -> int | None:
        """The newest trade id of ours that is known."""
        return self._last_fill_id.get(symbol)

    @property
    def fill_symbols(self) -> list[str]:
        """Symbols of which fills are known, sorted."""
        return sorted(self._last_fill_id)

    def get(self, cid: str) -> TrackedOrder | None:
        """Return an order, if it is known."""
        return self._orders.get(cid)

    @property
    def live(self) -> list[TrackedOrder]:
        """The orders that may still fill."""
        return [order for order in self._orders.values() if not order.is_closed]

    def __len__(self) -> int:
        return len(self._orders)

    def remove(self, cid: str) -> bool:
        """Forget an order; of one that is not there this is counted and does nothing (H8.8, H8.9)."""
        if self._orders.pop(cid, None) is None:
            self.counts.removed_absent += 1
            return False
        self._closed.pop(cid, None)
        self._fills.pop(cid, None)
        return True

    def _purge(self, now_ns: int) -> None:
        while self._closed:
            key, closed_ns = next(iter(self._closed.items()))
            if len(self._closed) <= self._kept_max and now_ns - closed_ns < self._kept_ns:
                return
            self.remove(key)
            self.counts.purged += 1


def _closes(report: Report) -> bool:
    return report.status in CLOSED_STATUSES
