"""What can be traded: pages of `instruments-info` as instruments with their bounds, each symbol read by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from queuefront.core import ConfigError, ContractKind, Instrument
from queuefront.venues.bybit.markets import Market
from queuefront.venues.bybit.schemas import InstrumentRow, Rows, Text, decode_page, number
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.listed import Listed

__all__ = ["Listing", "read_page"]


@dataclass(frozen=True, slots=True)
class Listing:
    """All instruments of a market, and what could not be read."""

    listed: dict[str, Listed] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)  # symbol or place -> why

    def __getitem__(self, symbol: str) -> Listed:
        """Return an instrument.

        Raises
        ------
        VenueError
            If there is none of that name, or what the venue says of it could not be read.
        """
        if (found := self.listed.get(symbol)) is not None:
            return found
        if symbol in self.unreadable:
            raise VenueError(f"{symbol}: {self.unreadable[symbol]}")
        raise VenueError(f"the venue lists no {symbol}; `qf venue check` shows what it lists")


def read_page(market: Market, body: bytes, listing: Listing) -> str:
    """Add a page of instruments to a listing; return where the next begins, empty after the last.

    Raises
    ------
    MessageError
        If it is no listing at all; a symbol that cannot be read is left out and named.
    """
    page: Rows[InstrumentRow] = decode_page(InstrumentRow, body, f"{market.product} instruments")
    for why in page.unreadable:
        listing.unreadable[f"unnamed {len(listing.unreadable)}"] = why
    for row in page.rows:
        try:
            listing.listed[row.symbol] = _listed(market, row)
        except (MessageError, ConfigError) as e:
            listing.unreadable[row.symbol] = str(e)
    return page.cursor


def _listed(market: Market, row: InstrumentRow) -> Listed:
    price, lot = row.price_filter, row.lot_size_filter
    tick_size = number(price.tick_size, "tickSize")
    lot_size = number(lot.base_precision if market.is_spot else lot.qty_step, "qtyStep")
    if not tick_size or not lot_size:
        raise MessageError(f"{market.product} {row.symbol}: it lists no tick size or no quantity step, and so no grid")
    min_notional = number(lot.min_order_amt if market.is_spot else lot.min_notional_value, "least notional")
    settlement = row.settle_coin or (row.base_coin if market.is_inverse else row.quote_coin)
    instrument = Instrument(
        market.product,
        row.symbol,
        tick_size,
        lot_size,
        ContractKind.INVERSE if market.is_inverse else ContractKind.LINEAR,
        Decimal(1),  # inverse: a contract is one USD
        min_notional,
        row.base_coin,
        row.quote_coin,
    )
    max_qty = _bound(lot.max_order_qty, "maxOrderQty")
    return Listed(
        instrument=instrument,
        is_trading=row.status == "Trading",
        settlement=settlement,
        min_qty=_bound(lot.min_order_qty, "minOrderQty"),
        max_qty=max_qty,
        market_max_qty=_bound(lot.max_mkt_order_qty, "maxMktOrderQty") or max_qty,
        min_price=_bound(price.min_price, "minPrice"),
        max_price=_bound(price.max_price, "maxPrice"),
        min_notional=min_notional or Decimal(0),
    )


def _bound(text: Text, field_name: str) -> Decimal:
    return number(text, field_name) or Decimal(0)
