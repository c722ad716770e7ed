"""Requests about the market: no key needed.

Sources: Binance Spot "Market data endpoints"; USD-M and COIN-M "Market Data".
"""

from __future__ import annotations

from typing import Any

from queuefront.core.clock import NS_PER
from queuefront.paper.context import Context, Route
from queuefront.paper.errors import refusal
from queuefront.paper.exchange import TradedMarket
from queuefront.paper.replay import MarketTrade
from queuefront.paper.request import Parameters
from queuefront.paper.rules import VenueRules

__all__ = ["depth_payload", "market_routes"]


def market_routes(rules: VenueRules) -> list[Route]:
    """Return the endpoints."""
    prefix = rules.prefix
    spot = rules.is_spot
    routes = [
        Route("GET", f"{prefix}/ping", _ping),
        Route("GET", f"{prefix}/time", _time),
        Route("GET", f"{prefix}/exchangeInfo", _exchange_info, weight=20 if spot else 1),
        Route("GET", f"{prefix}/depth", _depth, weight=_depth_weight),
        Route("GET", f"{prefix}/trades", _trades, weight=25 if spot else 5),
        Route("GET", f"{prefix}/ticker/bookTicker", _book_ticker, weight=2),
        Route("GET", f"{prefix}/ticker/price", _price, weight=2),
    ]
    if spot:
        return routes
    return [*routes, Route("GET", f"{prefix}/premiumIndex", _premium_index)]


def _ping(_context: Context, _params: Parameters) -> dict[str, Any]:
    return {}


def _time(context: Context, _params: Parameters) -> dict[str, Any]:
    return {"serverTime": context.now_ms}


def _exchange_info(context: Context, params: Parameters) -> dict[str, Any]:
    payloads = context.spot if context.rules.is_spot else context.futures
    wanted = params.text("symbol", "") if "symbol" in params else ""
    listed = [context.exchange.market(wanted)] if wanted else list(context.exchange.markets.values())
    info: dict[str, Any] = {
        "timezone": "UTC",
        "serverTime": context.now_ms,
        "rateLimits": context.limiter.table(),
        "exchangeFilters": [],
    }
    if not context.rules.is_spot and not context.rules.is_inverse:
        info["futuresType"] = "U_MARGINED"
        assets = sorted({traded.market.asset for traded in context.exchange.markets.values()})
        info["assets"] = [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "0"} for asset in assets]
    return info | {"symbols": [payloads.symbol(traded.market) for traded in listed]}


def _depth_weight(context: Context, params: Parameters) -> int:
    return context.rules.depth_weight(_depth_limit(context, params))


def _depth_limit(context: Context, params: Parameters) -> int:
    if context.rules.is_spot:
        return params.integer("limit", 100, most=5000)
    limit = params.integer("limit", 500)
    if limit not in context.rules.depth_limits:
        raise refusal("invalid", "limit")
    return limit


def _depth(context: Context, params: Parameters) -> dict[str, Any]:
    return depth_payload(context, context.exchange.market(params.text("symbol")), _depth_limit(context, params))


def depth_payload(context: Context, traded: TradedMarket, limit: int) -> dict[str, Any]:
    """Return the best levels of a market as the REST snapshot gives them."""
    market = traded.market
    payload: dict[str, Any] = {"lastUpdateId": traded.replay.update_id}
    if not context.rules.is_spot:
        if context.rules.is_inverse:
            payload |= {"symbol": market.symbol, "pair": market.pair}
        payload |= {"E": context.now_ms, "T": context.now_ms}
    traded.replay.give()
    bids, asks = traded.replay.snapshot(limit)
    payload["bids"] = [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in bids]
    payload["asks"] = [[market.tick_text(tick), market.lots_text(lots)] for tick, lots in asks]
    return payload


def _trades(context: Context, params: Parameters) -> list[dict[str, Any]]:
    traded = context.exchange.market(params.text("symbol"))
    limit = params.integer("limit", 500, most=1000)
    trades = list(traded.replay.recent_trades)[-limit:] if limit else []
    return [_trade(context, traded, trade) for trade in trades]


def _trade(context: Context, traded: TradedMarket, trade: MarketTrade) -> dict[str, Any]:
    market = traded.market
    price, qty = market.instrument.tick_to_price(trade.price_tick), market.instrument.lots_to_qty(trade.lots)
    value = f"{market.notional(price, qty):.8f}"
    payload: dict[str, Any] = {
        "id": trade.trade_id,
        "price": market.price_text(price),
        "qty": market.qty_text(qty),
        "baseQty" if context.rules.is_inverse else "quoteQty": value,
        "time": context.exchange.tape_time.venue_ns(trade.ts) // NS_PER["ms"],
        "isBuyerMaker": trade.is_buyer_maker,
    }
    return payload | ({"isBestMatch": True} if context.rules.is_spot else {})


def _asked(context: Context, params: Parameters) -> tuple[list[TradedMarket], bool]:
    """Return the markets asked for, and whether the answer is a list."""
    if "symbol" in params:
        return [context.exchange.market(params.text("symbol"))], context.rules.is_inverse
    return list(context.exchange.markets.values()), True


def _book_ticker(context: Context, params: Parameters) -> Any:
    markets, is_list = _asked(context, params)
    payloads = [_ticker(context, traded) for traded in markets]
    return payloads if is_list else payloads[0]


def _ticker(context: Context, traded: TradedMarket) -> dict[str, Any]:
    market, top = traded.market, traded.replay.top()
    payload: dict[str, Any] = {} if context.rules.is_spot else {"lastUpdateId": top.update_id}
    payload |= {"symbol": market.symbol} | ({"pair": market.pair} if context.rules.is_inverse else {})
    payload |= {
        "bidPrice": market.tick_text(top.bid_tick or 0),
        "bidQty": market.lots_text(top.bid_lots),
        "askPrice": market.tick_text(top.ask_tick or 0),
        "askQty": market.lots_text(top.ask_lots),
    }
    return payload if context.rules.is_spot else payload | {"time": context.now_ms}


def _price(context: Context, params: Parameters) -> Any:
    markets, is_list = _asked(context, params)
    payloads = []
    for traded in markets:
        payload: dict[str, Any] = {"symbol": traded.market.symbol, "price": traded.market.tick_text(_last_tick(traded))}
        payloads.append(payload if context.rules.is_spot else payload | {"time": context.now_ms})
    return payloads if is_list else payloads[0]


def _last_tick(traded: TradedMarket) -> int:
    return traded.last_trade_tick or traded.replay.top().bid_tick or 0


def _premium_index(context: Context, params: Parameters) -> Any:
    markets, is_list = _asked(context, params)
    payloads = []
    for traded in markets:
        mark = f"{traded.mark_price() or 0:.8f}"
        payload: dict[str, Any] = {"symbol": traded.market.symbol}
        if context.rules.is_inverse:
            payload["pair"] = traded.market.pair
        payload |= {
            "markPrice": mark,
            "indexPrice": mark,
            "estimatedSettlePrice": mark,
            "lastFundingRate": "0.00000000",
            "interestRate": "0.00000000",
            "nextFundingTime": 0,
            "time": context.now_ms,
        }
        payloads.append(payload)
    return payloads if is_list else payloads[0]
