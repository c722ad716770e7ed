"""Every request of the connector as a `Call`, and every message to a stream: built from structures, never from text.

Source: Binance developer documentation, "Trading endpoints" and "New Order" of the three markets, read 2026-07.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

import msgspec

from queuefront.core import ConfigError
from queuefront.venues.binance.markets import Endpoint, Market
from queuefront.venues.binance.vocabulary import OrderKind, PositionSide, Tif
from queuefront.venues.parameters import parameter_text
from queuefront.venues.rest import Call

__all__ = [
    "OrderTerms",
    "account_call",
    "balances_call",
    "book_call",
    "cancel_all_call",
    "cancel_call",
    "cancel_many_call",
    "cancel_replace_call",
    "commission_call",
    "control_message",
    "fills_call",
    "instruments_call",
    "leverage_call",
    "listen_key_call",
    "mode_call",
    "modify_call",
    "open_orders_call",
    "place_call",
    "place_many_call",
    "positions_call",
    "query_call",
    "shrink_call",
    "stream_names",
    "time_call",
]

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}(_[A-Z0-9]{1,12})?")
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_PATH_KEYS: Final = ("depth@100ms", "trade", "aggTrade", "bookTicker", "markPrice@1s")


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """An order to place. `extra` holds parameters of the venue that have no field here, as it names them."""

    symbol: str
    is_buy: bool
    cid: str
    qty: Decimal | None
    price: Decimal | None = None
    kind: OrderKind = OrderKind.LIMIT
    tif: Tif = Tif.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    extra: Mapping[str, str | int | bool | Decimal] = field(default_factory=dict)


def check_symbol(symbol: str) -> str:
    """Return a symbol that may stand in a request (H8.31).

    Raises
    ------
    ConfigError
        If it is not capitals and digits, as the venue writes them.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(f"symbol {symbol!r} is not one of Binance's; write it as in BTCUSDT or BTCUSD_PERP")
    return symbol


def check_client_id(cid: str) -> str:
    """Return a client order id that every market takes."""
    if not _CLIENT_ID.fullmatch(cid):
        raise ConfigError(f"client order id {cid!r} is not 1 to 36 of letters, digits, '-' and '_'; choose another")
    return cid


# --- orders -------------------------------------------------------------------------------------------------------------
def _terms(market: Market, terms: OrderTerms) -> dict[str, Any]:
    is_limit = terms.kind is OrderKind.LIMIT
    kind, tif = terms.kind, terms.tif if is_limit else None
    if market.is_spot and is_limit and tif is Tif.GTX:
        kind, tif = OrderKind.LIMIT_MAKER, None  # spot has a type for it, which takes no time in force
    is_one_way = terms.position_side is PositionSide.BOTH
    return {
        "symbol": check_symbol(terms.symbol),
        "side": "BUY" if terms.is_buy else "SELL",
        "type": kind,
        "timeInForce": tif,
        "quantity": terms.qty,
        "price": terms.price,
        "newClientOrderId": check_client_id(terms.cid),
        "newOrderRespType": "FULL" if market.is_spot else "RESULT",
        "positionSide": None if market.is_spot or is_one_way else terms.position_side,
        # Spot has no positions; in hedge mode the position side says it, and the venue refuses both.
        "reduceOnly": True if terms.reduce_only and not market.is_spot and is_one_way else None,
        **terms.extra,
    }


def place_call(market: Market, terms: OrderTerms) -> Call:
    """Place an order: never sent twice."""
    return Call(
        "POST", market.path(Endpoint.ORDER), _terms(market, terms), is_signed=True, weight=int(market.is_spot), orders=1
    )


def place_many_call(market: Market, orders: Sequence[OrderTerms]) -> Call:
    """Place up to five orders (futures)."""
    if market.is_spot or not 1 <= len(orders) <= 5:
        raise ConfigError(
            f"{market.product}: {len(orders)} orders at once; futures take 1 to 5, spot takes them one by one"
        )
    rows = [{k: parameter_text(v) for k, v in _terms(market, o).items() if v is not None} for o in orders]
    path = market.path(Endpoint.ORDER).removesuffix("order") + "batchOrders"
    parameters = {"batchOrders": msgspec.json.encode(rows).decode()}
    return Call("POST", path, parameters, is_signed=True, weight=5, orders=len(orders))


def _which(cid: str, order_id: str) -> dict[str, Any]:
    if order_id:
        return {"orderId": order_id}
    return {"origClientOrderId": check_client_id(cid)}


def modify_call(market: Market, terms: OrderTerms, order_id: str = "") -> Call:
    """Change price and quantity of a futures order, which goes to the end of the queue."""
    parameters = {
        "symbol": check_symbol(terms.symbol),
        "side": "BUY" if terms.is_buy else "SELL",
        **_which(terms.cid, order_id),
        "quantity": terms.qty,
        "price": terms.price,
        **terms.extra,
    }
    return Call("PUT", market.path(Endpoint.ORDER), parameters, is_signed=True, orders=1)


def shrink_call(market: Market, symbol: str, cid: str, qty: Decimal, order_id: str = "") -> Call:
    """Make a spot order smaller, which keeps its place in the queue and its id."""
    parameters = {
        "symbol": check_symbol(symbol),
        **_which(cid, order_id),
        "newClientOrderId": check_client_id(cid),
        "newQty": qty,
    }
    return Call("PUT", market.path(Endpoint.SHRINK), parameters, is_signed=True, weight=market.weight(Endpoint.SHRINK))


def cancel_replace_call(market: Market, terms: OrderTerms, *, cancel_cid: str = "", cancel_order_id: str = "") -> Call:
    """Cancel a spot order and place another under another id; the new one only where the cancel was done."""
    which = {"cancelOrderId": cancel_order_id} if cancel_order_id else {"cancelOrigClientOrderId": cancel_cid}
    parameters = {**_terms(market, terms), "cancelReplaceMode": "STOP_ON_FAILURE", **which}
    return Call("POST", market.path(Endpoint.REPLACE), parameters, is_signed=True, orders=1)


def cancel_call(market: Market, symbol: str, cid: str = "", order_id: str = "") -> Call:
    """Cancel one order. Urgent, and not repeated here: whoever asked knows whether it still matters."""
    parameters = {"symbol": check_symbol(symbol), **_which(cid, order_id)}
    return Call("DELETE", market.path(Endpoint.ORDER), parameters, is_signed=True, is_urgent=True)


def cancel_many_call(market: Market, symbol: str, order_ids: Sequence[str]) -> Call:
    """Cancel up to ten orders by the venue's ids (futures). The list's name is the recorded request's, in lower case."""
    if market.is_spot or not 1 <= len(order_ids) <= 10:
        raise ConfigError(f"{market.product}: {len(order_ids)} cancels at once; futures take 1 to 10, spot one by one")
    path = market.path(Endpoint.ORDER).removesuffix("order") + "batchOrders"
    parameters = {"symbol": check_symbol(symbol), "orderidlist": f"[{','.join(order_ids)}]"}
    return Call("DELETE", path, parameters, is_signed=True, is_urgent=True)


def cancel_all_call(market: Market, symbol: str) -> Call:
    """Cancel all orders of a symbol."""
    path = market.path(Endpoint.ALL_OPEN_ORDERS)
    return Call("DELETE", path, {"symbol": check_symbol(symbol)}, is_signed=True, is_urgent=True)


# --- questions ----------------------------------------------------------------------------------------------------------
def _ask(market: Market, endpoint: Endpoint, parameters: Mapping[str, Any], *, is_of_all: bool = False) -> Call:
    weight = market.weight(endpoint, is_of_all=is_of_all)
    return Call("GET", market.path(endpoint), parameters, is_signed=True, is_repeatable=True, is_urgent=True, weight=weight)


def query_call(market: Market, symbol: str, cid: str = "", order_id: str = "") -> Call:
    """Ask for one order."""
    call = _ask(market, Endpoint.ORDER, {"symbol": check_symbol(symbol), **_which(cid, order_id)})
    return replace(call, weight=4 if market.is_spot else 1)


def open_orders_call(market: Market, symbol: str | None = None) -> Call:
    """Ask for open orders, of one symbol or of all."""
    parameters: dict[str, Any] = {} if symbol is None else {"symbol": check_symbol(symbol)}
    return _ask(market, Endpoint.OPEN_ORDERS, parameters, is_of_all=symbol is None)


def fills_call(market: Market, symbol: str, *, order_id: str = "", from_id: int | None = None, limit: int = 500) -> Call:
    """Ask for our fills, of an order or since a trade id; the venue takes one of the two with an order."""
    parameters = {
        "symbol": check_symbol(symbol),
        "orderId": order_id or None,
        "fromId": None if order_id else from_id,
        "limit": limit,
    }
    return _ask(market, Endpoint.FILLS, parameters)


def positions_call(market: Market) -> Call:
    """Ask for positions (futures)."""
    return _ask(market, Endpoint.POSITIONS, {})


def balances_call(market: Market) -> Call:
    """Ask for balances."""
    return _ask(market, Endpoint.BALANCES, {"omitZeroBalances": True} if market.is_spot else {})


def account_call(market: Market) -> Call:
    """Ask for the account: whether it may trade."""
    return _ask(market, Endpoint.ACCOUNT, {})


def mode_call(market: Market) -> Call:
    """Ask whether the account keeps one position a symbol or one a side (futures)."""
    return _ask(market, Endpoint.MODE, {})


def commission_call(market: Market, symbol: str) -> Call:
    """Ask for fee rates."""
    return _ask(market, Endpoint.COMMISSION, {"symbol": check_symbol(symbol)})


def leverage_call(market: Market, symbol: str, leverage: int) -> Call:
    """Set the leverage of a symbol (futures); setting it twice does no harm."""
    parameters: dict[str, Any] = {"symbol": check_symbol(symbol), "leverage": leverage}
    return Call("POST", market.path(Endpoint.LEVERAGE), parameters, is_signed=True, is_repeatable=True)


def time_call(market: Market) -> Call:
    """Ask for the venue's time."""
    return Call("GET", market.path(Endpoint.TIME), is_repeatable=True, is_urgent=True)


def instruments_call(market: Market) -> Call:
    """Ask what can be traded."""
    return Call("GET", market.path(Endpoint.INSTRUMENTS), is_repeatable=True, weight=market.weight(Endpoint.INSTRUMENTS))


def book_call(market: Market, symbol: str, limit: int | None = None) -> Call:
    """Ask for the order book. Not repeated here: a snapshot is worth nothing once it is late."""
    limit = market.book_limit if limit is None else limit
    parameters: dict[str, Any] = {"symbol": check_symbol(symbol), "limit": limit}
    return Call("GET", market.path(Endpoint.BOOK), parameters, weight=market.book_weight(limit))


def listen_key_call(market: Market, method: str) -> Call:
    """Make (POST), extend (PUT) or end (DELETE) a listen key (futures); each may be repeated."""
    return Call(method, market.path(Endpoint.LISTEN_KEY), is_keyed=True, is_repeatable=True, is_urgent=True)


# --- streams ------------------------------------------------------------------------------------------------------------
def stream_names(symbols: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return the streams of symbols, as the venue names them: in lower case (H8.31)."""
    unknown = [kind for kind in kinds if kind not in _PATH_KEYS]
    if unknown:
        raise ConfigError(f"stream {unknown[0]!r} is not used here; choose of {', '.join(_PATH_KEYS)}")
    return [f"{check_symbol(symbol).lower()}@{kind}" for symbol in symbols for kind in kinds]


def control_message(method: str, params: Sequence[str] | Mapping[str, Any], request_id: int | str) -> bytes:
    """Return a message to a stream or to the WebSocket API, written by a serialiser (H8.31)."""
    return msgspec.json.encode({"method": method, "params": params, "id": request_id})
