"""Binance: spot, USD-M and COIN-M futures, with one connector."""

from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.config import SessionConfig
from queuefront.venues.binance.encode import OrderTerms
from queuefront.venues.binance.instruments import Listing
from queuefront.venues.binance.market_stream import MarketStream
from queuefront.venues.binance.markets import LIVE, TESTNET, Addresses, Endpoint, Market, Product, market_of
from queuefront.venues.binance.user_stream import UserStream
from queuefront.venues.binance.venue import BinanceVenue
from queuefront.venues.binance.vocabulary import Execution, OrderKind, PositionSide, Status, Tif, word
from queuefront.venues.listed import Listed
from queuefront.venues.market_events import MarketEvents
from queuefront.venues.places import LIVE_TRADING

__all__ = [
    "LIVE",
    "LIVE_TRADING",
    "TESTNET",
    "Addresses",
    "BinanceClient",
    "BinanceVenue",
    "Endpoint",
    "Execution",
    "Listed",
    "Listing",
    "Market",
    "MarketEvents",
    "MarketStream",
    "OrderKind",
    "OrderTerms",
    "PositionSide",
    "Product",
    "SessionConfig",
    "Status",
    "Tif",
    "UserStream",
    "market_of",
    "word",
]
