"""Our orders at the paper exchange, open and closed, found by either id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from queuefront.paper.listing import Market

__all__ = ["ZERO", "Execution", "OrderTable", "PaperOrder"]

ZERO: Final = Decimal(0)

_OPEN: Final = ("NEW", "PARTIALLY_FILLED")


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of one of our orders, with what it cost and made."""

    trade_id: int
    order_id: int
    ts: int
    side: str
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    commission: Decimal
    commission_asset: str
    realized: Decimal
    is_maker: bool


@dataclass(slots=True)
class PaperOrder:
    """One order. Times are ns of the venue; tick is None for a MARKET order; spent is what its fills were worth.

    cancel_id : of the cancel that ended it, on spot.   former_id : its client id before it was given another.
    """

    order_id: int
    client_id: str
    market: Market
    side: str
    kind: str
    time_in_force: str
    tick: int | None
    lots: int
    created_ns: int
    reduce_only: bool = False
    engine_id: int = 0
    status: str = "NEW"
    filled_lots: int = 0
    spent: Decimal = ZERO
    updated_ns: int = 0
    change_count: int = 0
    cancel_id: str = ""
    former_id: str = ""
    executions: list[Execution] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether something of it can still fill."""
        return self.status in _OPEN

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side == "BUY"

    @property
    def leaves_lots(self) -> int:
        """What is open, lots."""
        return self.lots - self.filled_lots if self.is_open else 0

    @property
    def price(self) -> Decimal:
        """Its price, 0 for a MARKET order."""
        return ZERO if self.tick is None else self.market.instrument.tick_to_price(self.tick)

    @property
    def qty(self) -> Decimal:
        """What was asked for."""
        return self.market.instrument.lots_to_qty(self.lots)

    @property
    def filled_qty(self) -> Decimal:
        """What was filled."""
        return self.market.instrument.lots_to_qty(self.filled_lots)

    @property
    def leaves_qty(self) -> Decimal:
        """What is open."""
        return self.market.instrument.lots_to_qty(self.leaves_lots)

    @property
    def average_price(self) -> Decimal:
        """The price of its fills, 0 where there are none."""
        if not self.filled_lots:
            return ZERO
        qty = self.filled_qty * self.market.instrument.multiplier
        return qty / self.spent if self.market.instrument.contract == "inverse" else self.spent / qty


class OrderTable:
    """All orders of the account, in the order in which they came."""

    def __init__(self) -> None:
        self._by_id: dict[int, PaperOrder] = {}
        self._by_client_id: dict[tuple[str, str], PaperOrder] = {}
        self._open: dict[int, PaperOrder] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, order: PaperOrder) -> None:
        """Take an order in; its client id leads to it from now on."""
        self._by_id[order.order_id] = order
        self._by_client_id[order.market.symbol, order.client_id] = order
        self._open[order.order_id] = order

    def close(self, order: PaperOrder) -> None:
        """Note that an order is no longer open."""
        self._open.pop(order.order_id, None)

    def rename(self, order: PaperOrder, client_id: str) -> None:
        """Give an order another client id; the former one leads nowhere any more."""
        self._by_client_id.pop((order.market.symbol, order.client_id), None)
        order.former_id, order.client_id = order.client_id, client_id
        self._by_client_id[order.market.symbol, client_id] = order

    def drop(self, order: PaperOrder) -> None:
        """Forget an order that was refused."""
        del self._by_id[order.order_id]
        self._by_client_id.pop((order.market.symbol, order.client_id), None)
        self._open.pop(order.order_id, None)

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> PaperOrder | None:
        """Return an order of a symbol by the venue's id, or by the client's."""
        if order_id is not None:
            order = self._by_id.get(order_id)
            return order if order is not None and order.market.symbol == symbol else None
        return self._by_client_id.get((symbol, client_id or ""))

    def open(self, symbol: str | None = None) -> list[PaperOrder]:
        """Return the open orders of a symbol, or all."""
        return [order for order in self._open.values() if symbol in (None, order.market.symbol)]

    def all(self, symbol: str) -> Iterator[PaperOrder]:
        """Yield the orders of a symbol, the first first."""
        return (order for order in self._by_id.values() if order.market.symbol == symbol)
