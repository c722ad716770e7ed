"""What a tape is traded as: its symbol and currencies at the venue, and the steps and texts of its prices."""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from queuefront.core.enums import CONTRACT_INVERSE
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument
from queuefront.feed import Tape
from queuefront.paper.rules import VenueRules

__all__ = ["Listing", "Market", "list_market"]

_QUOTES: Final = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
_MONEY_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """A tape, and the names that it shall have at the venue where those of its instrument do not do."""

    tape: Tape | str | os.PathLike[str]
    symbol: str | None = None
    base: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol of the venue. asset : what profit, margin and fees are paid in; empty on spot."""

    symbol: str
    pair: str
    base: str
    quote: str
    asset: str
    instrument: Instrument
    min_notional: Decimal
    price_digits: int
    qty_digits: int

    def price_text(self, price: Decimal) -> str:
        """Write a price as the venue does."""
        return f"{price:.{self.price_digits}f}"

    def qty_text(self, qty: Decimal) -> str:
        """Write a quantity as the venue does."""
        return f"{qty:.{self.qty_digits}f}"

    def tick_text(self, tick: int) -> str:
        """Write the price of a tick."""
        return self.price_text(self.instrument.tick_to_price(tick))

    def lots_text(self, lots: int) -> str:
        """Write the quantity of so many lots."""
        return self.qty_text(self.instrument.lots_to_qty(lots))

    def notional(self, price: Decimal, qty: Decimal) -> Decimal:
        """Return what a quantity is worth at a price: in quote currency, of inverse contracts in base currency."""
        if self.instrument.contract_code == CONTRACT_INVERSE:
            return qty * self.instrument.multiplier / price
        return qty * self.instrument.multiplier * price


def list_market(listing: Listing, rules: VenueRules) -> tuple[Market, Tape]:
    """Return the market that a tape makes at a venue, and the tape.

    Raises
    ------
    ConfigError
        If the tape's contract is none of the venue's, or its currencies are not known.
    """
    tape = listing.tape if isinstance(listing.tape, Tape) else Tape.open(Path(listing.tape))
    instrument = tape.instrument
    if (instrument.contract_code == CONTRACT_INVERSE) != rules.is_inverse:
        kinds = ("a linear", "an inverse") if rules.is_inverse else ("an inverse", "a linear")
        raise ConfigError(
            f"{tape!r} holds {kinds[0]} contract, which {rules.name} does not trade; "
            f"give a tape of {kinds[1]} one, or another --venue"
        )
    symbol = (listing.symbol or instrument.symbol).upper()
    pair = symbol.partition("_")[0]
    base, quote = listing.base or instrument.base, listing.quote or instrument.quote
    if listing.symbol or not base or not quote:
        base, quote = _split(pair, listing.base, listing.quote)
    if rules.is_spot:
        price_digits, qty_digits, asset = _MONEY_DIGITS, _MONEY_DIGITS, ""
    else:
        price_digits, qty_digits = _digits(instrument.tick_size), _digits(instrument.lot_size)
        asset = base if rules.is_inverse else quote
    min_notional = rules.min_notional if instrument.min_notional is None else instrument.min_notional
    market = Market(symbol, pair, base, quote, asset, instrument, min_notional, price_digits, qty_digits)
    return market, tape


def _split(pair: str, base: str | None, quote: str | None) -> tuple[str, str]:
    if base and quote:
        return base, quote
    for known in _QUOTES:
        if pair.endswith(known) and len(pair) > len(known):
            return base or pair.removesuffix(known), quote or known
    raise ConfigError(f"the symbol {pair!r} does not say its currencies; name it like BTCUSDT, or give base and quote")


def _digits(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
