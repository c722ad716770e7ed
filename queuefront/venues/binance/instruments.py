"""What can be traded: `exchangeInfo` as instruments with their filters, each symbol read by itself.

Steps come from the filters; `pricePrecision` and `quantityPrecision` are digits for display and are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from queuefront.core import ConfigError, ContractKind, Instrument
from queuefront.venues.binance.markets import Market
from queuefront.venues.binance.schemas import ExchangeInfo, SymbolRow, decode
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.listed import Listed

__all__ = ["Listing", "read_listing"]


@dataclass(frozen=True, slots=True)
class Listing:
    """All instruments of a market, what could not be read, and the limits."""

    listed: dict[str, Listed]
    unreadable: dict[str, str]  # symbol -> why
    info: ExchangeInfo

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


def read_listing(market: Market, body: bytes) -> Listing:
    """Read `exchangeInfo` (H9.6, H9.7, H9.8).

    Raises
    ------
    MessageError
        If it is no listing at all; a symbol that cannot be read is left out and named.
    """
    info = decode(ExchangeInfo, body, f"{market.product} instruments")
    listed: dict[str, Listed] = {}
    unreadable: dict[str, str] = {}
    for place, raw in enumerate(info.symbols):
        name = f"symbol {place}"
        try:
            row = decode(SymbolRow, bytes(raw), f"{market.product} symbol {place}")
            name = row.symbol
            listed[name] = _listed(market, row)
        except (MessageError, ConfigError) as e:
            unreadable[name] = str(e)
    return Listing(listed, unreadable, info)


def _listed(market: Market, row: SymbolRow) -> Listed:
    filters = {f.filter_type: f for f in row.filters}
    price, lot = filters.get("PRICE_FILTER"), filters.get("LOT_SIZE")
    if price is None or lot is None or not price.tick_size or not lot.step_size:
        raise MessageError(f"{market.product} {row.symbol}: it lists no PRICE_FILTER and LOT_SIZE, so that it has no grid")
    market_lot = filters.get("MARKET_LOT_SIZE")
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL")
    min_notional = (notional.min_notional or notional.notional) if notional is not None else None
    zero = Decimal(0)
    instrument = Instrument(
        market.product,
        row.symbol,
        price.tick_size,
        lot.step_size,
        ContractKind.INVERSE if market.is_inverse else ContractKind.LINEAR,
        (row.contract_size or Decimal(1)) if market.is_inverse else Decimal(1),
        min_notional,
        row.base_asset,
        row.quote_asset,
    )
    return Listed(
        instrument=instrument,
        is_trading=row.is_trading,
        settlement=row.margin_asset or row.quote_asset,
        min_qty=lot.min_qty or zero,
        max_qty=lot.max_qty or zero,
        market_max_qty=(market_lot.max_qty if market_lot is not None else None) or lot.max_qty or zero,
        min_price=price.min_price or zero,
        max_price=price.max_price or zero,
        min_notional=min_notional or zero,
    )
