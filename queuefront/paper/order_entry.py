"""From the parameters of a request to an order that passes the symbol's filters.

Sources: Binance Spot "Filters" and "Trading endpoints"; USD-M and COIN-M "New Order", "Modify Order".
"""

from __future__ import annotations

import re
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import Final

from queuefront.paper.context import Context
from queuefront.paper.errors import refusal
from queuefront.paper.exchange import OrderRequest, TradedMarket
from queuefront.paper.orders import PaperOrder
from queuefront.paper.request import Parameters

__all__ = ["find_order", "read_client_id", "read_modification", "read_order", "read_shrinking"]

_SPOT_ID: Final = re.compile(r"[a-zA-Z0-9-_]{1,36}")
_FUTURES_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")

_ALGO_TYPES: Final = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
_LOTS_MAX: Final = 10**9
_TICK_MAX: Final = 10**9
_ID_LENGTH_MAX: Final = 36
_EXACT: Final = DecimalContext(prec=100)  # forty digits may come in, steps have up to eighteen decimals


def read_order(context: Context, params: Parameters) -> OrderRequest:
    """Return the order that a request asks for. Raises the venue's refusal where it is none that it would take."""
    rules = context.rules
    traded = context.exchange.market(params.text("symbol"))
    side = params.choice("side", ("BUY", "SELL"), "side")
    kind = params.text("type")
    if kind in _ALGO_TYPES and not rules.is_spot:
        raise refusal("algo")
    if kind not in rules.order_types:
        raise refusal("order type")
    time_in_force, reduce_only = _time_in_force(context, params, kind), False
    if not rules.is_spot:
        if params.text("positionSide", "BOTH") != "BOTH":
            raise refusal("position side")
        reduce_only = params.flag("reduceOnly")
    tick = None if kind == "MARKET" else _tick(context, traded, params.decimal("price"))
    if "price" in params and kind == "MARKET":
        raise refusal("not required", "price")
    lots = _lots(context, traded, _quantity(context, traded, params, kind, side))
    _check_notional(context, traded, tick, lots, is_exempt=reduce_only, is_buy=side == "BUY")
    return OrderRequest(
        traded.market.symbol, read_client_id(context, params), side, kind, time_in_force, tick, lots, reduce_only
    )


def read_modification(context: Context, params: Parameters) -> tuple[PaperOrder, int, int]:
    """Return the order that is to be modified, its new tick and lots."""
    order = find_order(context, params, "no order")
    traded = context.exchange.market(order.market.symbol)
    if params.choice("side", ("BUY", "SELL"), "side") != order.side:
        raise refusal("invalid", "side")
    tick, lots = _tick(context, traded, params.decimal("price")), _lots(context, traded, params.decimal("quantity"))
    _check_notional(context, traded, tick, lots, is_exempt=order.reduce_only, is_buy=order.is_buy)
    return order, tick, lots


def read_shrinking(context: Context, params: Parameters) -> tuple[PaperOrder, int, str]:
    """Return the spot order that is to be made smaller, its new lots, and its client id from then on."""
    order = find_order(context, params, "cancel")
    traded = context.exchange.market(order.market.symbol)
    lots = _lots(context, traded, params.decimal("newQty"))
    return order, lots, read_client_id(context, params) or f"amend{order.order_id}"


def find_order(context: Context, params: Parameters, refused: str) -> PaperOrder:
    """Return the order that `orderId` or `origClientOrderId` names; `refused` is the refusal where there is none."""
    symbol = context.exchange.market(params.text("symbol")).market.symbol
    if "orderId" in params:
        order = context.exchange.orders.find(symbol, params.integer("orderId"), None)
    elif "origClientOrderId" in params:
        order = context.exchange.orders.find(symbol, None, params.text("origClientOrderId"))
    else:
        raise refusal("either", "origClientOrderId", "orderId")
    if order is None:
        raise refusal(refused)
    return order


def read_client_id(context: Context, params: Parameters, name: str = "newClientOrderId") -> str:
    """Return the client's id, empty where it gave none."""
    client_id = params.text(name, "") if name in params else ""
    pattern = _SPOT_ID if context.rules.is_spot else _FUTURES_ID
    if not client_id or pattern.fullmatch(client_id):
        return client_id
    if len(client_id) > _ID_LENGTH_MAX and not context.rules.is_spot:
        raise refusal("id length")
    raise refusal("characters in", name, f"^{pattern.pattern}$")


def _time_in_force(context: Context, params: Parameters, kind: str) -> str:
    given = params.text("timeInForce", "") if "timeInForce" in params else ""
    if kind != "LIMIT":
        if given and context.rules.is_spot:
            raise refusal("time in force not required", is_spot=True)
        if given and given not in context.rules.times_in_force:
            raise refusal("time in force")
        return "GTC"
    if not given:
        raise refusal("missing", "timeInForce")
    if given not in context.rules.times_in_force:
        raise refusal("time in force")
    return given


def _quantity(context: Context, traded: TradedMarket, params: Parameters, kind: str, side: str) -> Decimal:
    if not (context.rules.is_spot and kind == "MARKET" and "quoteOrderQty" in params):
        return params.decimal("quantity")
    if "quantity" in params:
        raise refusal("not required", "quoteOrderQty")
    top = traded.replay.top()
    best = top.ask_tick if side == "BUY" else top.bid_tick
    if best is None:
        return traded.market.instrument.lot_size
    instrument = traded.market.instrument
    value = params.decimal("quoteOrderQty")
    return _EXACT.divide_int(value, instrument.tick_to_price(best) * instrument.lot_size) * instrument.lot_size


def _tick(context: Context, traded: TradedMarket, price: Decimal) -> int:
    count, rest = _EXACT.divmod(price, traded.market.instrument.tick_size)
    if context.rules.is_spot:
        if rest or not 1 <= count <= _TICK_MAX:
            raise refusal("filter", "PRICE_FILTER", is_spot=True)
        return int(count)
    if count < 1:
        raise refusal("price low")
    if count > _TICK_MAX:
        raise refusal("price high")
    if rest:
        raise refusal("tick" if _fits(price, traded.market.price_digits) else "precision")
    return int(count)


def _lots(context: Context, traded: TradedMarket, qty: Decimal) -> int:
    count, rest = _EXACT.divmod(qty, traded.market.instrument.lot_size)
    if context.rules.is_spot:
        if rest or not 1 <= count <= _LOTS_MAX:
            raise refusal("filter", "LOT_SIZE", is_spot=True)
        return int(count)
    if not qty:
        raise refusal("quantity negative")
    if rest:
        raise refusal("step" if _fits(qty, traded.market.qty_digits) else "precision")
    if count > _LOTS_MAX:
        raise refusal("quantity high")
    return int(count)


def _fits(value: Decimal, digits: int) -> bool:
    return -int(value.normalize().as_tuple().exponent) <= digits


def _check_notional(
    context: Context, traded: TradedMarket, tick: int | None, lots: int, *, is_exempt: bool, is_buy: bool
) -> None:
    market = traded.market
    if tick is None:
        top = traded.replay.top()
        tick = top.ask_tick if is_buy else top.bid_tick
    if is_exempt or tick is None or not market.min_notional:
        return
    if market.notional(market.instrument.tick_to_price(tick), market.instrument.lots_to_qty(lots)) < market.min_notional:
        if context.rules.is_spot:
            raise refusal("filter", "NOTIONAL", is_spot=True)
        raise refusal("notional", f"{market.min_notional.normalize():f}")
