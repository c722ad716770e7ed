"""Where a venue is: addresses that keys may be sent to, and whether real money is behind them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from queuefront.core import ConfigError

__all__ = ["HTTP", "LIVE_TRADING", "LOCAL_HOSTS", "WEBSOCKET", "checked_address", "hosts_of", "require_live_trading"]

#: Schemes of an address: the first for everywhere, the second for this machine only, because keys would go in the clear.
HTTP: Final = ("https", "http")
WEBSOCKET: Final = ("wss", "ws")

#: What a configuration must say, in so many words, before an order goes to a live venue.
LIVE_TRADING: Final = "yes, trade real money"

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_address(name: str, value: str, schemes: tuple[str, str]) -> str:
    """Return an address without a slash at its end.

    Raises
    ------
    ConfigError
        If it is no address of these schemes, or goes unencrypted to another machine.
    """
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in schemes and bool(parts.hostname) and not parts.query and not parts.username
        is_address = is_address and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ConfigError(f"{name} is {value!r}; give an address that begins with {schemes[0]}://")
    if parts.scheme == schemes[1] and parts.hostname not in LOCAL_HOSTS:
        raise ConfigError(f"{name} is {value!r}: keys would go unencrypted; use {schemes[0]}://")
    return value.rstrip("/")


def hosts_of(*addresses: str) -> frozenset[str]:
    """Return the machines that addresses name."""
    return frozenset(urlsplit(address).hostname or "" for address in addresses)


def require_live_trading(venue: str, rest: str, words: str) -> None:
    """Refuse to trade at a live address unless the configuration says LIVE_TRADING, word for word.

    Raises
    ------
    ConfigError
    """
    if words != LIVE_TRADING:
        raise ConfigError(
            f"{venue}: {rest} is live; to trade there set live_trading = {LIVE_TRADING!r}, or use environment 'testnet'"
        )
