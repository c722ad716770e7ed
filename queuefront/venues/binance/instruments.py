"""What can be traded: `exchangeInfo` as instruments with their filters, each symbol read by itself.

Steps come from the filters; `pricePrecision` and `quantityPrecision` are digits for display and are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from queuefront.core import ConfigError, ContractKind, Instrument
from queuefront.venues.binance.markets import Market
from queuefront.venues.binance.schemas import ExchangeInfo, SymbolRow, decode
from queuefront.venues.errors import MessageError, VenueError

__all__ = ["Listed", "Listing", "read_listing"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument as the venue lists it.

    `settlement` is the currency of fees and profit. Bounds of zero are none.
    """

    instrument: Instrument
    is_trading: bool
    settlement: str
    min_qty: Decimal
    max_qty: Decimal
    market_max_qty: Decimal
    min_price: Decimal
    max_price: Decimal
    min_notional: Decimal

    @property
    def symbol(self) -> str:
        """The venue's name for it."""
        return self.instrument.symbol

    def round_price(self, price: Decimal, *, is_buy: bool) -> Decimal:
        """Return the nearest price on the grid that is not worse: buys down, sells up."""
        tick = self.instrument.tick_size
        return (price / tick).to_integral_value(ROUND_FLOOR if is_buy else ROUND_CEILING) * tick

    def round_qty(self, qty: Decimal) -> Decimal:
        """Return the largest quantity on the grid that is not more."""
        lot = self.instrument.lot_size
        return (qty / lot).to_integral_value(ROUND_DOWN) * lot

    def check(self, qty: Decimal, price: Decimal | None, *, reduce_only: bool = False) -> None:
        """Refuse what the venue's filters would refuse, before anything is sent.

        Raises
        ------
        OffGridError
            If price or quantity is off the grid.
        VenueError
            If it is outside of the venue's bounds.
        """
        instrument, name = self.instrument, f"{self.instrument.venue}:{self.symbol}"
        instrument.qty_to_lots(qty)
        most = self.market_max_qty if price is None else self.max_qty
        if qty < self.min_qty or qty <= 0 or (most and qty > most):
            raise VenueError(f"{name}: quantity {qty} is outside of {self.min_qty} … {most or 'any'}; change the quantity")
        if price is None:
            return
        instrument.price_to_tick(price)
        if price <= 0 or price < self.min_price or (self.max_price and price > self.max_price):
            raise VenueError(
                f"{name}: price {price} is outside of {self.min_price} … {self.max_price or 'any'}; change the price"
            )
        is_inverse = instrument.contract is ContractKind.INVERSE
        notional = qty * instrument.multiplier * (1 if is_inverse else price)
        if notional < self.min_notional and not reduce_only:
            raise VenueError(
                f"{name}: notional {notional.normalize():f} is below {self.min_notional.normalize():f}; raise the quantity"
            )


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
