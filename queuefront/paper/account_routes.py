"""Requests about the account.

Sources: Binance Spot "Account endpoints"; USD-M and COIN-M "Account", "Trade", "User Data Streams".
"""

from __future__ import annotations

from typing import Any

from queuefront.core.clock import NS_PER
from queuefront.paper.context import Context, Route
from queuefront.paper.errors import refusal
from queuefront.paper.futures_account import LEVERAGE_MAX
from queuefront.paper.request import Parameters
from queuefront.paper.rules import VenueRules

__all__ = ["API_KEY", "account_routes"]

#: The parameter in which handlers find whose request it is; no client can send it, its name is not percent-encodable.
API_KEY = "\0api-key"


def account_routes(rules: VenueRules) -> list[Route]:
    """Return the endpoints."""
    # Clients ask for currencies and margin pairs whichever market they trade.
    wallet = [
        Route("GET", "/sapi/v1/capital/config/getall", _coins, "SIGNED", 10),
        Route("GET", "/sapi/v1/margin/allPairs", _no_pairs, "KEY"),
        Route("GET", "/sapi/v1/margin/isolated/allPairs", _no_pairs, "KEY"),
    ]
    return [*wallet, *(_spot_routes(rules.prefix) if rules.is_spot else _futures_routes(rules))]


def _spot_routes(prefix: str) -> list[Route]:
    return [
        Route("GET", f"{prefix}/account", _spot_account, "SIGNED", 20),
        Route("GET", f"{prefix}/account/commission", _spot_commission, "SIGNED", 20),
        Route("GET", f"{prefix}/myTrades", _trades, "SIGNED", lambda _, params: 5 if "orderId" in params else 20),
        Route("GET", f"{prefix}/rateLimit/order", _order_limits, "SIGNED", 40),
        Route("GET", "/sapi/v1/asset/tradeFee", _trade_fee, "SIGNED", 1),
    ]


def _futures_routes(rules: VenueRules) -> list[Route]:
    prefix = rules.prefix
    root = prefix.removesuffix("/v1")
    versions = ("v1",) if rules.is_inverse else ("v2", "v3")
    routes = [
        Route("GET", f"{root}/{version}/{name}", handler, "SIGNED", weight)
        for version in versions
        for name, handler, weight in (
            ("account", _account, 5),
            ("balance", _balance, 1 if rules.is_inverse else 5),
            ("positionRisk", _positions, 1 if rules.is_inverse else 5),
        )
    ]
    brackets = f"{root}/v2/leverageBracket" if rules.is_inverse else f"{prefix}/leverageBracket"
    key = f"{prefix}/listenKey"
    return [
        *routes,
        Route("POST", f"{prefix}/leverage", _leverage, "SIGNED"),
        Route("POST", f"{prefix}/marginType", _margin_type, "SIGNED"),
        Route("GET", f"{prefix}/positionSide/dual", _position_mode, "SIGNED", 30),
        Route("POST", f"{prefix}/positionSide/dual", _set_position_mode, "SIGNED"),
        Route("GET", f"{prefix}/userTrades", _trades, "SIGNED", 5),
        Route("GET", f"{prefix}/commissionRate", _commission, "SIGNED", 20),
        Route("GET", f"{prefix}/symbolConfig", _symbol_config, "SIGNED", 5),
        Route("GET", f"{prefix}/accountConfig", _account_config, "SIGNED", 5),
        Route("GET", brackets, _brackets, "SIGNED"),
        Route("POST", key, _create_listen_key, "KEY"),
        Route("PUT", key, _extend_listen_key, "KEY"),
        Route("DELETE", key, _close_listen_key, "KEY"),
    ]


def _trades(context: Context, params: Parameters) -> list[dict[str, Any]]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    from_id, limit = params.integer("fromId", 0), params.integer("limit", 500, most=1000)
    order_id = params.integer("orderId", 0)
    start_ms, end_ms = params.integer("startTime", 0), params.integer("endTime", context.now_ms + 1)
    payload = context.spot.trade if context.rules.is_spot else context.futures.trade
    fills = [
        (fill, order)
        for order in context.exchange.orders.all(symbol)
        for fill in order.executions
        if fill.trade_id >= from_id and order_id in (0, fill.order_id) and start_ms <= fill.ts // NS_PER["ms"] <= end_ms
    ]
    fills.sort(key=lambda pair: pair[0].trade_id)
    fills = fills[:limit] if "fromId" in params else fills[-limit:] if limit else []
    return [payload(order, fill) for fill, order in fills]


# --- spot ---------------------------------------------------------------------------------------------------------


def _spot_account(context: Context, params: Parameters) -> dict[str, Any]:
    return context.spot.account(context.exchange.spot, context.now_ns, omits_zero=params.flag("omitZeroBalances"))


def _spot_commission(context: Context, params: Parameters) -> dict[str, Any]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    return context.spot.commission(symbol, context.exchange.spot.fees)


def _order_limits(context: Context, _params: Parameters) -> list[dict[str, object]]:
    headers = context.limiter.headers(context.now_ns, counts_orders=True)
    endings = {limit.interval: limit.header for limit in context.rules.order_limits}
    return [
        row | {"count": int(headers[f"X-MBX-ORDER-COUNT-{endings[str(row['interval'])]}"])}
        for row in context.limiter.table()
        if row["rateLimitType"] == "ORDERS"
    ]


def _coins(context: Context, _params: Parameters) -> list[dict[str, Any]]:
    markets = [traded.market for traded in context.exchange.markets.values()]
    assets = sorted({asset for market in markets for asset in (market.base, market.quote)})
    balances = context.exchange.spot
    return [
        {
            "coin": asset,
            "name": asset,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "trading": True,
            "isLegalMoney": False,
            "free": f"{balances.balance(asset).free:.8f}",
            "locked": f"{balances.balance(asset).locked:.8f}",
            "networkList": [],
        }
        for asset in assets
    ]


def _no_pairs(_context: Context, _params: Parameters) -> list[dict[str, Any]]:
    return []


def _trade_fee(context: Context, params: Parameters) -> list[dict[str, Any]]:
    fees = context.exchange.spot.fees
    symbols = (
        [context.exchange.market(params.text("symbol")).market.symbol] if "symbol" in params else context.exchange.markets
    )
    return [{"symbol": s, "makerCommission": str(fees.maker), "takerCommission": str(fees.taker)} for s in symbols]


# --- futures ------------------------------------------------------------------------------------------------------


def _account(context: Context, _params: Parameters) -> dict[str, Any]:
    return context.futures.account(context.exchange.futures, context.now_ns)


def _balance(context: Context, _params: Parameters) -> list[dict[str, Any]]:
    return context.futures.balances(context.exchange.futures, context.now_ns)


def _positions(context: Context, params: Parameters) -> list[dict[str, Any]]:
    exchange = context.exchange
    if "symbol" in params:
        symbols = [exchange.market(params.text("symbol")).market.symbol]
    elif "pair" in params:
        symbols = [s for s, traded in exchange.markets.items() if traded.market.pair == params.text("pair")]
    else:
        # The venue lists what has a position or open orders only.
        symbols = [s for s in exchange.markets if exchange.futures.positions[s].qty or exchange.orders.open(s)]
    return [
        context.futures.position(exchange.futures, exchange.futures.positions[s], exchange.markets[s].mark_price())
        for s in symbols
    ]


def _leverage(context: Context, params: Parameters) -> dict[str, Any]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    leverage = params.integer("leverage")
    if not 1 <= leverage <= LEVERAGE_MAX:
        raise refusal("leverage", leverage)
    position = context.exchange.futures.positions[symbol]
    has_changed = position.leverage != leverage
    position.leverage = leverage
    if has_changed:
        context.tell_users(context.futures.leverage_update(position, context.now_ns))
    cap = {"maxQty": "100000000"} if context.rules.is_inverse else {"maxNotionalValue": "100000000"}
    return {"leverage": leverage, "symbol": symbol} | cap


def _margin_type(context: Context, params: Parameters) -> dict[str, Any]:
    context.exchange.market(params.text("symbol"))
    if params.text("marginType") == "CROSSED":
        raise refusal("margin type")
    raise refusal("invalid", "marginType")


def _position_mode(_context: Context, _params: Parameters) -> dict[str, Any]:
    return {"dualSidePosition": False}


def _set_position_mode(_context: Context, params: Parameters) -> dict[str, Any]:
    if not params.flag("dualSidePosition"):
        raise refusal("position side same")
    raise refusal("invalid", "dualSidePosition")


def _commission(context: Context, params: Parameters) -> dict[str, Any]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    return context.futures.commission(symbol, context.exchange.futures.fees)


def _symbol_config(context: Context, params: Parameters) -> list[dict[str, Any]]:
    positions = context.exchange.futures.positions
    symbols = [context.exchange.market(params.text("symbol")).market.symbol] if "symbol" in params else list(positions)
    return [context.futures.symbol_config(positions[symbol]) for symbol in symbols]


def _account_config(_context: Context, _params: Parameters) -> dict[str, Any]:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": False,
        "canWithdraw": False,
        "dualSidePosition": False,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def _brackets(context: Context, params: Parameters) -> Any:
    markets = context.exchange.markets
    symbols = [context.exchange.market(params.text("symbol")).market.symbol] if "symbol" in params else list(markets)
    return [context.futures.brackets(markets[symbol].market) for symbol in symbols]


def _create_listen_key(context: Context, params: Parameters) -> dict[str, Any]:
    return {"listenKey": context.listen_keys.create(params.text(API_KEY), context.now_ns)}


def _extend_listen_key(context: Context, params: Parameters) -> dict[str, Any]:
    return {"listenKey": context.listen_keys.extend(params.text(API_KEY), context.now_ns)}


def _close_listen_key(context: Context, params: Parameters) -> dict[str, Any]:
    context.listen_keys.close(params.text(API_KEY))
    return {}
