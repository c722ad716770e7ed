"""An instrument as a venue lists it: its grid, its bounds, and what may be sent within them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from queuefront.core import ContractKind, Instrument
from queuefront.venues.errors import VenueError

__all__ = ["Listed"]


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
