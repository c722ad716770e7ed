"""Requests about orders.

Sources: Binance Spot "Trading endpoints"; USD-M and COIN-M "Trade".
"""

from __future__ import annotations

import json
from typing import Any, Final

from queuefront.core.clock import NS_PER
from queuefront.paper.context import Context, Route
from queuefront.paper.errors import ApiError, refusal
from queuefront.paper.order_entry import find_order, read_client_id, read_modification, read_order, read_shrinking
from queuefront.paper.orders import PaperOrder
from queuefront.paper.request import Parameters
from queuefront.paper.rules import VenueRules

__all__ = ["trade_routes"]

_BATCH_MAX: Final = 5
_CANCEL_BATCH_MAX: Final = 10
_DONE: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}


def trade_routes(rules: VenueRules) -> list[Route]:
    """Return the endpoints."""
    order, all_orders = f"{rules.prefix}/order", f"{rules.prefix}/allOrders"
    spot = rules.is_spot
    routes = [
        Route("POST", order, _place, "SIGNED", 1 if spot else 0, is_order=True),
        Route("DELETE", order, _cancel, "SIGNED", 1),
        Route("GET", order, _query, "SIGNED", 4 if spot else 1),
        Route("GET", f"{rules.prefix}/openOrders", _open_orders, "SIGNED", _open_orders_weight),
        Route("GET", all_orders, _all_orders, "SIGNED", 20 if spot else 5),
        Route("POST", f"{order}/test", _test, "SIGNED", 1),
    ]
    if spot:
        return [
            *routes,
            Route("DELETE", f"{rules.prefix}/openOrders", _cancel_all_spot, "SIGNED", 1),
            Route("PUT", f"{order}/amend/keepPriority", _shrink, "SIGNED", 4),
        ]
    batch = f"{rules.prefix}/batchOrders"
    return [
        *routes,
        Route("PUT", order, _modify, "SIGNED", 0, is_order=True),
        Route("GET", f"{rules.prefix}/openOrder", _open_order, "SIGNED", 1),
        Route("DELETE", f"{rules.prefix}/allOpenOrders", _cancel_all, "SIGNED", 1),
        Route("POST", batch, _place_batch, "SIGNED", 5),
        Route("DELETE", batch, _cancel_batch, "SIGNED", 1),
        Route("POST", f"{rules.prefix}/countdownCancelAll", _countdown, "SIGNED", 10),
    ]


def _answer(context: Context, order: PaperOrder) -> dict[str, Any]:
    return context.spot.order(order) if context.rules.is_spot else context.futures.order(order)


def _place(context: Context, params: Parameters) -> dict[str, Any]:
    wanted = read_order(context, params)
    answer = params.text("newOrderRespType", "FULL" if context.rules.is_spot else "ACK")
    if answer not in ("ACK", "RESULT", "FULL"):
        raise refusal("invalid", "newOrderRespType")
    order = context.exchange.place(wanted)
    if context.rules.is_spot:
        return context.spot.placed(order, answer, context.now_ns)
    return context.futures.placed(order)


def _test(context: Context, params: Parameters) -> dict[str, Any]:
    read_order(context, params)
    if not context.rules.is_spot or not params.flag("computeCommissionRates"):
        return {}
    return context.spot.commission_for_order(context.exchange.spot.fees)


def _modify(context: Context, params: Parameters) -> dict[str, Any]:
    order, tick, lots = read_modification(context, params)
    context.exchange.modify(order, tick, lots)
    return context.futures.placed(order) | {"pair": order.market.pair}


def _shrink(context: Context, params: Parameters) -> dict[str, Any]:
    order, lots, client_id = read_shrinking(context, params)
    former_id = order.client_id
    context.exchange.shrink(order, lots, client_id)
    return context.spot.amended(order, former_id, context.now_ns)


def _cancel(context: Context, params: Parameters) -> dict[str, Any]:
    order = find_order(context, params, "cancel")
    if not context.rules.is_spot:
        context.exchange.cancel(order)
        return context.futures.placed(order)
    own_id = read_client_id(context, params) or f"cancel{order.order_id}"
    context.exchange.cancel(order, own_id)
    return context.spot.canceled(order, context.now_ns)


def _query(context: Context, params: Parameters) -> dict[str, Any]:
    return _answer(context, find_order(context, params, "no order"))


def _open_order(context: Context, params: Parameters) -> dict[str, Any]:
    order = find_order(context, params, "no order")
    if not order.is_open:
        raise refusal("no order")
    return _answer(context, order)


def _open_orders_weight(context: Context, params: Parameters) -> int:
    if context.rules.is_spot:
        return 6 if "symbol" in params else 80
    return 1 if "symbol" in params else 40


def _symbol(context: Context, params: Parameters) -> str | None:
    return context.exchange.market(params.text("symbol")).market.symbol if "symbol" in params else None


def _open_orders(context: Context, params: Parameters) -> list[dict[str, Any]]:
    return [_answer(context, order) for order in context.exchange.orders.open(_symbol(context, params))]


def _all_orders(context: Context, params: Parameters) -> list[dict[str, Any]]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    first_id = params.integer("orderId", 0)
    start_ns = params.integer("startTime", 0) * NS_PER["ms"]
    end_ms = params.integer("endTime", context.now_ms + 1)
    limit = params.integer("limit", 500, most=1000)
    orders = [
        order
        for order in context.exchange.orders.all(symbol)
        if order.order_id >= first_id and start_ns <= order.created_ns and order.created_ns // NS_PER["ms"] <= end_ms
    ]
    orders = orders[:limit] if first_id else orders[-limit:] if limit else []
    return [_answer(context, order) for order in orders]


def _cancel_all_spot(context: Context, params: Parameters) -> list[dict[str, Any]]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    orders = context.exchange.orders.open(symbol)
    if not orders:
        raise refusal("cancel")
    for order in orders:
        context.exchange.cancel(order, f"cancel{order.order_id}")
    return [context.spot.canceled(order, context.now_ns) for order in orders]


def _cancel_all(context: Context, params: Parameters) -> dict[str, Any]:
    context.exchange.cancel_all(context.exchange.market(params.text("symbol")).market.symbol)
    return _DONE


def _place_batch(context: Context, params: Parameters) -> list[dict[str, Any]]:
    answers = []
    for entry in _entries(params, "batchOrders", _BATCH_MAX):
        try:
            if not isinstance(entry, dict):
                raise refusal("invalid", "batchOrders")
            own = {name: value if isinstance(value, str) else json.dumps(value) for name, value in entry.items()}
            context.limiter.charge_order(context.now_ns)
            answers.append(_place(context, Parameters(own, is_spot=False)))
        except ApiError as e:
            answers.append({"code": e.code, "msg": e.text})
    return answers


def _cancel_batch(context: Context, params: Parameters) -> list[dict[str, Any]]:
    # The documentation writes orderIdList, recorded requests write it in lower case.
    names = {"orderIdList": "orderId", "orderidlist": "orderId", "origClientOrderIdList": "origClientOrderId"}
    name, key = next(((name, key) for name, key in names.items() if name in params), list(names.items())[-1])
    answers = []
    for entry in _entries(params, name, _CANCEL_BATCH_MAX):
        own = {"symbol": params.text("symbol"), key: str(entry)}
        try:
            answers.append(_cancel(context, Parameters(own, is_spot=False)))
        except ApiError as e:
            answers.append({"code": e.code, "msg": e.text})
    return answers


def _entries(params: Parameters, name: str, most: int) -> list[Any]:
    try:
        entries = json.loads(params.text(name))
    except (ValueError, RecursionError) as e:
        raise refusal("invalid", name) from e
    if not isinstance(entries, list) or not 0 < len(entries) <= most:
        raise refusal("invalid", name)
    return entries


def _countdown(context: Context, params: Parameters) -> dict[str, Any]:
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    countdown_ms = params.integer("countdownTime")
    if countdown_ms:
        context.exchange.cancel_all_at[symbol] = context.exchange.now_ns + countdown_ms * NS_PER["ms"]
    else:
        context.exchange.cancel_all_at.pop(symbol, None)
    return {"symbol": symbol, "countdownTime": str(countdown_ms)}
