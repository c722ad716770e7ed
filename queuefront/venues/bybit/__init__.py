"""Bybit API v5: linear and inverse contracts, and spot, with one connector."""

from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.config import SessionConfig
from queuefront.venues.bybit.encode import OrderTerms
from queuefront.venues.bybit.instruments import Listing
from queuefront.venues.bybit.market_stream import MarketStream
from queuefront.venues.bybit.markets import LIVE, TESTNET, Addresses, Endpoint, Market, Product, market_of
from queuefront.venues.bybit.private_stream import PrivateStream
from queuefront.venues.bybit.venue import BybitVenue
from queuefront.venues.bybit.vocabulary import ExecKind, OrderKind, PositionSide, Side, Status, Tif, word
from queuefront.venues.listed import Listed
from queuefront.venues.market_events import MarketEvents
from queuefront.venues.places import LIVE_TRADING

__all__ = [
    "LIVE",
    "LIVE_TRADING",
    "TESTNET",
    "Addresses",
    "BybitClient",
    "BybitVenue",
    "Endpoint",
    "ExecKind",
    "Listed",
    "Listing",
    "Market",
    "MarketEvents",
    "MarketStream",
    "OrderKind",
    "OrderTerms",
    "PositionSide",
    "PrivateStream",
    "Product",
    "SessionConfig",
    "Side",
    "Status",
    "Tif",
    "market_of",
    "word",
]
