"""Every request of the connector as a `Call`, and every message to a stream: built from structures, never from text.

Source: Bybit API v5 documentation, "Place Order", "Amend Order", "Cancel Order", "Get Open & Closed Orders" and "Connect",
read 2026-07.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec

from queuefront.core import ConfigError
from queuefront.venues.bybit.markets import Endpoint, Market
from queuefront.venues.bybit.vocabulary import OrderKind, Tif
from queuefront.venues.rest import Call

__all__ = [
    "OrderTerms",
    "account_call",
    "amend_call",
    "book_call",
    "cancel_all_call",
    "cancel_call",
    "executions_call",
    "fees_call",
    "history_call",
    "instruments_call",
    "leverage_call",
    "orders_call",
    "place_call",
    "positions_call",
    "stream_message",
    "time_call",
    "topics",
    "wallet_call",
]

_SYMBOL: Final = re.compile(r"[A-Z0-9]{2,30}(-[A-Z0-9]{1,12})?")
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_KINDS: Final = ("orderbook", "publicTrade", "tickers")


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """An order to place. `extra` holds parameters of the venue that have no field here, as it names them.

    `position_idx` is 0 for one position a symbol; 1 the long and 2 the short one of an account in hedge mode.
    """

    symbol: str
    is_buy: bool
    cid: str
    qty: Decimal
    price: Decimal | None = None
    kind: OrderKind = OrderKind.LIMIT
    tif: Tif = Tif.GTC
    reduce_only: bool = False
    position_idx: int = 0
    extra: Mapping[str, str | int | bool | Decimal] = field(default_factory=dict)


def check_symbol(symbol: str) -> str:
    """Return a symbol that may stand in a request (H8.31).

    Raises
    ------
    ConfigError
        If it is not capitals and digits, as the venue writes them.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(f"symbol {symbol!r} is not one of Bybit's; write it as in BTCUSDT or BTCUSD")
    return symbol


def check_client_id(cid: str) -> str:
    """Return a client order id that the venue takes."""
    if not _CLIENT_ID.fullmatch(cid):
        raise ConfigError(f"client order id {cid!r} is not 1 to 36 of letters, digits, '-' and '_'; choose another")
    return cid


def _which(cid: str, order_id: str) -> dict[str, Any]:
    return {"orderId": order_id} if order_id else {"orderLinkId": check_client_id(cid)}


# --- orders -----------------------------------------------------------------------------------------------------------
def place_call(market: Market, terms: OrderTerms) -> Call:
    """Place an order: never sent twice. GTC is the venue's own default for a limit, and IOC for a market order."""
    is_market = terms.kind is OrderKind.MARKET
    parameters = {
        "symbol": check_symbol(terms.symbol),
        "side": "Buy" if terms.is_buy else "Sell",
        "orderType": terms.kind,
        "category": market.category,
        # A market order of spot would buy for so many units of the quote coin.
        "marketUnit": "baseCoin" if market.is_spot and is_market else None,
        "qty": terms.qty,
        "price": None if is_market else terms.price,
        "timeInForce": None if is_market or terms.tif is Tif.GTC else terms.tif,
        "reduceOnly": True if terms.reduce_only and not market.is_spot else None,
        "positionIdx": terms.position_idx or None,
        **terms.extra,
        "orderLinkId": check_client_id(terms.cid),
    }
    return Call("POST", Endpoint.PLACE, parameters, is_signed=True, orders=1)


def amend_call(market: Market, symbol: str, qty: Decimal, price: Decimal, *, cid: str = "", order_id: str = "") -> Call:
    """Change quantity and price of an order."""
    parameters = {
        "symbol": check_symbol(symbol),
        **_which(cid, order_id),
        "category": market.category,
        "qty": qty,
        "price": price,
    }
    return Call("POST", Endpoint.AMEND, parameters, is_signed=True, orders=1)


def cancel_call(market: Market, symbol: str, *, cid: str = "", order_id: str = "") -> Call:
    """Cancel one order. Urgent, and not repeated here: whoever asked knows whether it still matters."""
    parameters = {
        "symbol": check_symbol(symbol),
        "orderFilter": "Order" if market.is_spot else None,
        **_which(cid, order_id),
        "category": market.category,
    }
    return Call("POST", Endpoint.CANCEL, parameters, is_signed=True, is_urgent=True)


def cancel_all_call(market: Market, symbol: str) -> Call:
    """Cancel all orders of a symbol, at most 500 of them in one call."""
    parameters = {"symbol": check_symbol(symbol), "category": market.category}
    return Call("POST", Endpoint.CANCEL_ALL, parameters, is_signed=True, is_urgent=True)


def leverage_call(market: Market, symbol: str, leverage: int) -> Call:
    """Set the leverage of a symbol, of both sides; setting it twice does no harm."""
    parameters = {
        "symbol": check_symbol(symbol),
        "buyLeverage": str(leverage),
        "sellLeverage": str(leverage),
        "category": market.category,
    }
    return Call("POST", Endpoint.LEVERAGE, parameters, is_signed=True, is_repeatable=True)


# --- questions --------------------------------------------------------------------------------------------------------
def _ask(endpoint: Endpoint, parameters: Mapping[str, Any]) -> Call:
    return Call("GET", endpoint, parameters, is_signed=True, is_repeatable=True, is_urgent=True)


def _of(market: Market, symbol: str | None, settle_coin: str) -> dict[str, Any]:
    """Whose rows: a symbol's, or all of a settlement coin where the category wants one named."""
    if symbol is not None:
        return {"symbol": check_symbol(symbol), "category": market.category}
    is_linear = not (market.is_spot or market.is_inverse)
    return {"settleCoin": settle_coin if is_linear else None, "category": market.category}


def orders_call(
    market: Market,
    symbol: str | None = None,
    *,
    cid: str = "",
    order_id: str = "",
    settle_coin: str = "USDT",
    cursor: str = "",
    limit: int | None = None,
) -> Call:
    """Ask for open orders, or for one order, which may have closed lately."""
    which = _which(cid, order_id) if cid or order_id else {}
    parameters = {**_of(market, symbol, settle_coin), **which, "limit": limit, "cursor": cursor or None}
    return _ask(Endpoint.ORDERS, parameters)


def history_call(market: Market, symbol: str, *, cid: str = "", order_id: str = "") -> Call:
    """Ask for one order that closed; the venue keeps those without fills for a day."""
    return _ask(Endpoint.ORDER_HISTORY, {**_of(market, symbol, ""), **_which(cid, order_id)})


def executions_call(
    market: Market,
    symbol: str,
    *,
    exec_type: str = "",
    order_id: str = "",
    start_ms: int | None = None,
    cursor: str = "",
    limit: int | None = None,
) -> Call:
    """Ask for executions, of an order or since a time; the newest come first."""
    parameters = {
        "execType": exec_type or None,
        **_of(market, symbol, ""),
        "orderId": order_id or None,
        "startTime": start_ms,
        "limit": limit,
        "cursor": cursor or None,
    }
    return _ask(Endpoint.EXECUTIONS, parameters)


def positions_call(
    market: Market, symbol: str | None = None, *, settle_coin: str = "USDT", cursor: str = "", limit: int | None = None
) -> Call:
    """Ask for positions (linear, inverse)."""
    return _ask(Endpoint.POSITIONS, {**_of(market, symbol, settle_coin), "limit": limit, "cursor": cursor or None})


def wallet_call() -> Call:
    """Ask for the balances of the unified account."""
    return _ask(Endpoint.WALLET, {"accountType": "UNIFIED"})


def account_call() -> Call:
    """Ask what kind of account it is."""
    return _ask(Endpoint.ACCOUNT, {})


def fees_call(market: Market, symbol: str) -> Call:
    """Ask for fee rates."""
    return _ask(Endpoint.FEES, {"symbol": check_symbol(symbol), "category": market.category})


def time_call() -> Call:
    """Ask for the venue's time."""
    return Call("GET", Endpoint.TIME, is_repeatable=True, is_urgent=True)


def instruments_call(market: Market, cursor: str = "") -> Call:
    """Ask what can be traded, a page at a time."""
    parameters: dict[str, Any] = {"category": market.category, "limit": 1000, "cursor": cursor or None}
    return Call("GET", Endpoint.INSTRUMENTS, parameters, is_repeatable=True)


def book_call(market: Market, symbol: str, limit: int = 200) -> Call:
    """Ask for the order book. Not repeated here: a snapshot is worth nothing once it is late."""
    parameters: dict[str, Any] = {"category": market.category, "symbol": check_symbol(symbol), "limit": limit}
    return Call("GET", Endpoint.BOOK, parameters)


# --- streams ----------------------------------------------------------------------------------------------------------
def topics(market: Market, symbols: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return the topics of symbols, as the venue names them (H8.31)."""
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if unknown:
        raise ConfigError(f"stream {unknown[0]!r} is not used here; choose of {', '.join(_KINDS)}")
    names = {kind: f"{kind}.{market.book_levels}" if kind == "orderbook" else kind for kind in kinds}
    return [f"{names[kind]}.{check_symbol(symbol)}" for symbol in symbols for kind in kinds]


def stream_message(op: str, args: Sequence[Any] = (), request_id: str = "") -> bytes:
    """Return a message to a stream, written by a serialiser (H8.31)."""
    message: dict[str, Any] = {"req_id": request_id} if request_id else {}
    message["op"] = op
    if args:
        message["args"] = args
    return msgspec.json.encode(message)
