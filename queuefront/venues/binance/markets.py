"""The three markets of Binance: addresses and endpoints, in one table each.

Source: Binance developer documentation, "General Info" of each market and "Important WebSocket Change Notice", of 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from queuefront.core import ConfigError
from queuefront.venues.places import HTTP, WEBSOCKET, checked_address, hosts_of

__all__ = ["LIVE", "TESTNET", "Addresses", "Endpoint", "Market", "Product", "market_of"]


class Product(StrEnum):
    """A market of Binance, by the name that Queuefront gives it."""

    SPOT = "binance-spot"
    USDM = "binance-usdm"
    COINM = "binance-coinm"


class Endpoint(StrEnum):
    """What is asked for, whatever path it has."""

    TIME = "time"
    INSTRUMENTS = "exchangeInfo"
    BOOK = "depth"
    TRADES = "trades"
    ORDER = "order"
    REPLACE = "order/cancelReplace"
    SHRINK = "order/amend/keepPriority"
    ALL_OPEN_ORDERS = "allOpenOrders"
    OPEN_ORDERS = "openOrders"
    FILLS = "userTrades"
    POSITIONS = "positionRisk"
    BALANCES = "balance"
    ACCOUNT = "account"
    MODE = "positionSide/dual"
    LEVERAGE = "leverage"
    COMMISSION = "commissionRate"
    LISTEN_KEY = "listenKey"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a market answers: REST, streams, WebSocket API, without a path at the end.

    Raises
    ------
    ConfigError
        If one is no address of its kind; `http` and `ws` are for this machine only, because keys would go in the clear.
    """

    rest: str
    streams: str
    websocket_api: str

    def __post_init__(self) -> None:
        for name, kinds in (("rest", HTTP), ("streams", WEBSOCKET), ("websocket_api", WEBSOCKET)):
            object.__setattr__(self, name, checked_address(name, getattr(self, name), kinds))

    @property
    def hosts(self) -> frozenset[str]:
        """The machines they name."""
        return hosts_of(self.rest, self.streams, self.websocket_api)


LIVE: Final = {
    Product.SPOT: Addresses(
        "https://api.binance.com", "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3"
    ),
    Product.USDM: Addresses(
        "https://fapi.binance.com", "wss://fstream.binance.com", "wss://ws-fapi.binance.com/ws-fapi/v1"
    ),
    Product.COINM: Addresses(
        "https://dapi.binance.com", "wss://dstream.binance.com", "wss://ws-dapi.binance.com/ws-dapi/v1"
    ),
}

TESTNET: Final = {
    Product.SPOT: Addresses(
        "https://testnet.binance.vision",
        "wss://stream.testnet.binance.vision",
        "wss://ws-api.testnet.binance.vision/ws-api/v3",
    ),
    Product.USDM: Addresses(
        "https://demo-fapi.binance.com", "wss://demo-fstream.binance.com", "wss://testnet.binancefuture.com/ws-fapi/v1"
    ),
    Product.COINM: Addresses(
        "https://demo-dapi.binance.com", "wss://demo-dstream.binance.com", "wss://testnet.binancefuture.com/ws-dapi/v1"
    ),
}

_V3: Final = "/api/v3/"
_PATHS: Final[dict[Product, dict[Endpoint, str]]] = {
    Product.SPOT: {
        # H8.22: one table, and depth is v3.
        **{
            e: _V3 + e
            for e in (
                Endpoint.TIME, Endpoint.INSTRUMENTS, Endpoint.BOOK, Endpoint.TRADES, Endpoint.ORDER, Endpoint.REPLACE,
                Endpoint.SHRINK, Endpoint.OPEN_ORDERS, Endpoint.ACCOUNT,
            )
        },
        Endpoint.ALL_OPEN_ORDERS: _V3 + "openOrders",
        Endpoint.FILLS: _V3 + "myTrades",
        Endpoint.BALANCES: _V3 + "account",
        Endpoint.COMMISSION: _V3 + "account/commission",
    },
    Product.USDM: {
        **{e: f"/fapi/v1/{e}" for e in Endpoint if e not in (Endpoint.REPLACE, Endpoint.SHRINK)},
        Endpoint.POSITIONS: "/fapi/v3/positionRisk",
        Endpoint.BALANCES: "/fapi/v3/balance",
        Endpoint.ACCOUNT: "/fapi/v3/account",
    },
    Product.COINM: {e: f"/dapi/v1/{e}" for e in Endpoint if e not in (Endpoint.REPLACE, Endpoint.SHRINK)},
}  # fmt: skip

#: Depth snapshot: (most levels, weight) of each limit that the market knows.
_BOOK_WEIGHTS: Final = {
    Product.SPOT: ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    Product.USDM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
    Product.COINM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
_WEIGHTS: Final[dict[Product, dict[Endpoint, int]]] = {
    Product.SPOT: {
        Endpoint.INSTRUMENTS: 20, Endpoint.TRADES: 25, Endpoint.SHRINK: 4, Endpoint.FILLS: 20, Endpoint.BALANCES: 20,
        Endpoint.ACCOUNT: 20, Endpoint.COMMISSION: 20,
    },
    Product.USDM: {
        Endpoint.TRADES: 5, Endpoint.FILLS: 5, Endpoint.POSITIONS: 5, Endpoint.BALANCES: 5, Endpoint.ACCOUNT: 5,
        Endpoint.MODE: 30, Endpoint.COMMISSION: 20,
    },
    Product.COINM: {
        Endpoint.TRADES: 5, Endpoint.FILLS: 5, Endpoint.ACCOUNT: 5, Endpoint.MODE: 30, Endpoint.COMMISSION: 20,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Market:
    """What differs between the three, asked by name."""

    product: Product

    @property
    def is_spot(self) -> bool:
        """Spot: no positions, other orders, another user stream."""
        return self.product is Product.SPOT

    @property
    def is_inverse(self) -> bool:
        """COIN-M: quantities are contracts, money is the base coin."""
        return self.product is Product.COINM

    def path(self, endpoint: Endpoint) -> str:
        """Return the path of an endpoint."""
        try:
            return _PATHS[self.product][endpoint]
        except KeyError:
            raise ConfigError(f"{self.product} has no {endpoint.name.lower().replace('_', ' ')}") from None

    def weight(self, endpoint: Endpoint, *, is_of_all: bool = False) -> int:
        """Return the request weight of an endpoint, other than the book's."""
        if endpoint is Endpoint.OPEN_ORDERS and is_of_all:
            return 80 if self.is_spot else 40
        if self.is_spot and endpoint is Endpoint.OPEN_ORDERS:
            return 6
        return _WEIGHTS[self.product].get(endpoint, 1)

    def book_weight(self, limit: int) -> int:
        """Return the request weight of a depth snapshot of so many levels."""
        rows = _BOOK_WEIGHTS[self.product]
        for most, weight in rows:
            if limit <= most:
                return weight
        raise ConfigError(f"{self.product}: a book of {limit:,} levels; the most is {rows[-1][0]:,}")

    @property
    def book_limit(self) -> int:
        """Levels of a snapshot to begin a book with: enough, and not the price of the whole minute."""
        return 1000

    @property
    def has_routes(self) -> bool:
        """USD-M streams are reached by a route, and are mute on another (2026)."""
        return self.product is Product.USDM


def market_of(name: str) -> Market:
    """Return the market of a venue's name."""
    try:
        return Market(Product(name))
    except ValueError:
        raise ConfigError(f"venue {name!r} is unknown; choose one of {', '.join(Product)}") from None
