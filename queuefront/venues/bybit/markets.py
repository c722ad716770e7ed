"""The markets of Bybit's API v5: one interface, and a `category` that says which; addresses and paths in one table each.

Source: Bybit API v5 documentation, "Integration Guidance" and "Connect" (WebSocket), read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from queuefront.core import ConfigError
from queuefront.venues.places import HTTP, WEBSOCKET, checked_address, hosts_of

__all__ = ["LIVE", "TESTNET", "Addresses", "Endpoint", "Market", "Product", "market_of"]


class Product(StrEnum):
    """A market of Bybit, by the name that Queuefront gives it."""

    LINEAR = "bybit-linear"
    INVERSE = "bybit-inverse"
    SPOT = "bybit-spot"


class Endpoint(StrEnum):
    """What is asked for, by its path."""

    TIME = "/v5/market/time"
    INSTRUMENTS = "/v5/market/instruments-info"
    BOOK = "/v5/market/orderbook"
    PLACE = "/v5/order/create"
    AMEND = "/v5/order/amend"
    CANCEL = "/v5/order/cancel"
    CANCEL_ALL = "/v5/order/cancel-all"
    ORDERS = "/v5/order/realtime"
    ORDER_HISTORY = "/v5/order/history"
    EXECUTIONS = "/v5/execution/list"
    POSITIONS = "/v5/position/list"
    LEVERAGE = "/v5/position/set-leverage"
    WALLET = "/v5/account/wallet-balance"
    ACCOUNT = "/v5/account/info"
    FEES = "/v5/account/fee-rate"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Bybit answers: REST without a path; streams up to and with `/v5`, of public data and of accounts.

    Raises
    ------
    ConfigError
        If one is no address of its kind; `http` and `ws` are for this machine only, because keys would go in the clear.
    """

    rest: str
    public: str
    private: str

    def __post_init__(self) -> None:
        for name, schemes in (("rest", HTTP), ("public", WEBSOCKET), ("private", WEBSOCKET)):
            object.__setattr__(self, name, checked_address(name, getattr(self, name), schemes))

    @property
    def hosts(self) -> frozenset[str]:
        """The machines they name."""
        return hosts_of(self.rest, self.public, self.private)


LIVE: Final = Addresses("https://api.bybit.com", "wss://stream.bybit.com/v5", "wss://stream.bybit.com/v5")
TESTNET: Final = Addresses(
    "https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5", "wss://stream-testnet.bybit.com/v5"
)


@dataclass(frozen=True, slots=True)
class Market:
    """What differs between the categories, asked by name."""

    product: Product

    @property
    def category(self) -> str:
        """The venue's word for it."""
        return self.product.removeprefix("bybit-")

    @property
    def is_spot(self) -> bool:
        """Spot: no positions, no leverage."""
        return self.product is Product.SPOT

    @property
    def is_inverse(self) -> bool:
        """Quantities are contracts of one USD, money is the base coin."""
        return self.product is Product.INVERSE

    @property
    def book_levels(self) -> int:
        """Levels of the book stream: those that come every 20 ms."""
        return 50


def market_of(name: str) -> Market:
    """Return the market of a venue's name."""
    try:
        return Market(Product(name))
    except ValueError:
        raise ConfigError(f"venue {name!r} is unknown; choose one of {', '.join(Product)}") from None
