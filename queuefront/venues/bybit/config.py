"""How a session at Bybit is configured: where it goes, and whether it may trade there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from queuefront.core import ConfigError
from queuefront.venues.bybit.markets import LIVE, TESTNET, Addresses, Market, market_of
from queuefront.venues.places import LOCAL_HOSTS, require_live_trading

__all__ = ["SessionConfig"]

_COIN: Final = re.compile(r"[A-Z0-9]{2,16}")


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """One session at one market of a unified account.

    Parameters
    ----------
    venue : bybit-linear, bybit-inverse or bybit-spot.
    environment : `live`, `testnet`, or `custom` with `addresses`.
    symbols : what is traded or watched.
    live_trading : orders leave for a live address only if this is `LIVE_TRADING`, word for word.
    is_hedge_mode : how the account must be set: one position a side, or one a symbol; it is compared and never changed.
    cash_scale : decimals of a cash unit in events; the kernel's own.
    settle_coin : whose orders and positions of linear contracts are ours to see.
    orders_per_s : what the account may place and change; higher tiers exist.
    """

    venue: str
    environment: str = "live"
    symbols: tuple[str, ...] = ()
    addresses: Addresses | None = None
    live_trading: str = ""
    is_hedge_mode: bool = False
    cash_scale: int = 12
    settle_coin: str = "USDT"
    orders_per_s: int = 10

    def __post_init__(self) -> None:
        market_of(self.venue)
        if self.environment not in ("live", "testnet", "custom"):
            raise ConfigError(f"environment is {self.environment!r}; choose live, testnet, or custom with addresses")
        if (self.environment == "custom") != (self.addresses is not None):
            raise ConfigError("addresses go with environment 'custom', and only with it; give both or neither")
        if not _COIN.fullmatch(self.settle_coin):
            raise ConfigError(f"settle_coin is {self.settle_coin!r}; give a coin as the venue writes it, for example USDT")
        if self.orders_per_s < 1:
            raise ConfigError(f"orders_per_s is {self.orders_per_s}; give at least 1")

    @property
    def market(self) -> Market:
        """The market."""
        return market_of(self.venue)

    @property
    def where(self) -> Addresses:
        """The addresses."""
        if self.addresses is not None:
            return self.addresses
        return LIVE if self.environment == "live" else TESTNET

    @property
    def is_live(self) -> bool:
        """Whether real money may be behind the addresses: all but this machine's and the test venue's."""
        return not self.where.hosts <= LOCAL_HOSTS | TESTNET.hosts

    def require_trading(self) -> None:
        """Refuse to trade at a live address that the configuration does not name as such.

        Raises
        ------
        ConfigError
        """
        if self.is_live:
            require_live_trading(self.venue, self.where.rest, self.live_trading)
