"""How a session at Binance is configured: where it goes, and whether it may trade there."""

from __future__ import annotations

from dataclasses import dataclass

from queuefront.core import ConfigError
from queuefront.venues.binance.markets import LIVE, TESTNET, Addresses, Market, market_of
from queuefront.venues.places import LOCAL_HOSTS, require_live_trading

__all__ = ["SessionConfig"]


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """One session at one market.

    Parameters
    ----------
    venue : binance-spot, binance-usdm or binance-coinm.
    environment : `live`, `testnet`, or `custom` with `addresses`.
    symbols : what is traded or watched.
    live_trading : orders leave for a live address only if this is LIVE_TRADING, word for word.
    is_hedge_mode : how the account must be set: one position a side, or one a symbol; it is checked and never changed.
    cash_scale : decimals of a cash unit in events; the kernel's own.
    has_routes : whether streams are reached by `/public`, `/market`, `/private`; the market's own rule where None.
    """

    venue: str
    environment: str = "live"
    symbols: tuple[str, ...] = ()
    addresses: Addresses | None = None
    live_trading: str = ""
    is_hedge_mode: bool = False
    cash_scale: int = 12
    has_routes: bool | None = None

    def __post_init__(self) -> None:
        market_of(self.venue)
        if self.environment not in ("live", "testnet", "custom"):
            raise ConfigError(f"environment is {self.environment!r}; choose live, testnet, or custom with addresses")
        if (self.environment == "custom") != (self.addresses is not None):
            raise ConfigError("addresses go with environment 'custom', and only with it; give both or neither")

    @property
    def market(self) -> Market:
        """The market."""
        return market_of(self.venue)

    @property
    def where(self) -> Addresses:
        """The addresses."""
        product = self.market.product
        if self.addresses is not None:
            return self.addresses
        return (LIVE if self.environment == "live" else TESTNET)[product]

    @property
    def is_live(self) -> bool:
        """Whether real money may be behind the addresses: all but this machine's and the test venues'."""
        harmless = LOCAL_HOSTS.union(*(addresses.hosts for addresses in TESTNET.values()))
        return not self.where.hosts <= harmless

    @property
    def routed(self) -> bool:
        """Whether streams are reached by a route."""
        return self.market.has_routes if self.has_routes is None else self.has_routes

    def require_trading(self) -> None:
        """Refuse to trade at a live address that the configuration does not name as such.

        Raises
        ------
        ConfigError
        """
        if self.is_live:
            require_live_trading(self.venue, self.where.rest, self.live_trading)
