"""What Binance Spot answers and sends, field by field.

Sources: Binance Spot "Rest API", "User Data Streams for Binance". Amounts are text with eight decimals, times ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from queuefront.core.clock import NS_PER
from queuefront.paper.exchange import PaperExchange
from queuefront.paper.listing import Market
from queuefront.paper.orders import ZERO, Execution, PaperOrder
from queuefront.paper.spot_account import FeeRates, SpotAccount

__all__ = ["SpotPayloads", "amount"]

_NO_STP: Final = "NONE"
_EXPIRY: Final = {"IOC": "UNFILLED_IOC_QUANTITY_EXPIRED", "FOK": "UNFILLED_FOK_ORDER_EXPIRED"}


def amount(value: Decimal) -> str:
    """Write an amount with eight decimals."""
    return f"{value:.8f}"


def _ms(ns: int) -> int:
    return ns // NS_PER["ms"]


class SpotPayloads:
    """The payloads of one spot venue."""

    def symbol(self, market: Market) -> dict[str, Any]:
        """Return a symbol as exchangeInfo lists it."""
        tick, lot = market.instrument.tick_size, market.instrument.lot_size
        return {
            "symbol": market.symbol,
            "status": "TRADING",
            "baseAsset": market.base,
            "baseAssetPrecision": 8,
            "quoteAsset": market.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "icebergAllowed": False,
            "ocoAllowed": False,
            "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": False,
            "cancelReplaceAllowed": False,
            "amendAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": amount(tick),
                    "maxPrice": amount(tick * 10**9),
                    "tickSize": amount(tick),
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": amount(lot),
                    "maxQty": amount(lot * 10**9),
                    "stepSize": amount(lot),
                },
                {
                    "filterType": "NOTIONAL",
                    "minNotional": amount(market.min_notional),
                    "applyMinToMarket": True,
                    "maxNotional": "9000000.00000000",
                    "applyMaxToMarket": False,
                    "avgPriceMins": 5,
                },
                {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            ],
            "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": _NO_STP,
            "allowedSelfTradePreventionModes": [_NO_STP],
        }

    # --- orders -------------------------------------------------------------------------------------------------------
    def _base(self, order: PaperOrder) -> dict[str, Any]:
        return {
            "symbol": order.market.symbol,
            "orderId": order.order_id,
            "orderListId": -1,
            "clientOrderId": order.client_id,
        }

    def _state(self, order: PaperOrder) -> dict[str, Any]:
        return {
            "price": amount(order.price),
            "origQty": amount(order.qty),
            "executedQty": amount(order.filled_qty),
            "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": amount(order.spent),
            "status": order.status,
            "timeInForce": order.time_in_force,
            "type": order.kind,
            "side": order.side,
        }

    def placed(self, order: PaperOrder, answer: str, now_ns: int) -> dict[str, Any]:
        """Return the answer to a new order. answer : ACK, RESULT or FULL."""
        payload = self._base(order) | {"transactTime": _ms(now_ns)}
        if answer == "ACK":
            return payload
        payload |= self._state(order) | {"workingTime": _ms(order.created_ns), "selfTradePreventionMode": _NO_STP}
        if answer == "FULL":
            payload["fills"] = [
                {
                    "price": amount(fill.price),
                    "qty": amount(fill.qty),
                    "commission": amount(fill.commission),
                    "commissionAsset": fill.commission_asset,
                    "tradeId": fill.trade_id,
                }
                for fill in order.executions
            ]
        return payload

    def canceled(self, order: PaperOrder, now_ns: int) -> dict[str, Any]:
        """Return the answer to a cancel: the id is the cancel's own."""
        payload = {"symbol": order.market.symbol, "origClientOrderId": order.client_id}
        payload |= (
            self._base(order) | {"clientOrderId": order.cancel_id} | {"transactTime": _ms(now_ns)} | self._state(order)
        )
        return payload | {"selfTradePreventionMode": _NO_STP}

    def amended(self, order: PaperOrder, former_id: str, now_ns: int) -> dict[str, Any]:
        """Return the answer to an order's being made smaller."""
        changed = {"symbol": order.market.symbol, "orderId": order.order_id, "orderListId": -1}
        changed |= {"origClientOrderId": former_id, "clientOrderId": order.client_id, "price": amount(order.price)}
        changed |= {"qty": amount(order.qty), "executedQty": amount(order.filled_qty), "preventedQty": "0.00000000"}
        changed |= {"quoteOrderQty": "0.00000000", "cumulativeQuoteQty": amount(order.spent), "status": order.status}
        changed |= {"timeInForce": order.time_in_force, "type": order.kind, "side": order.side}
        changed |= {"workingTime": _ms(order.created_ns), "selfTradePreventionMode": _NO_STP}
        return {"transactTime": _ms(now_ns), "executionId": order.order_id, "amendedOrder": changed}

    def order(self, order: PaperOrder) -> dict[str, Any]:
        """Return an order as a query gives it."""
        payload = self._base(order) | self._state(order)
        return payload | {
            "stopPrice": "0.00000000",
            "icebergQty": "0.00000000",
            "time": _ms(order.created_ns),
            "updateTime": _ms(order.updated_ns),
            "isWorking": True,
            "workingTime": _ms(order.created_ns),
            "selfTradePreventionMode": _NO_STP,
        }

    def trade(self, order: PaperOrder, fill: Execution) -> dict[str, Any]:
        """Return a fill as myTrades gives it."""
        return {
            "symbol": order.market.symbol,
            "id": fill.trade_id,
            "orderId": fill.order_id,
            "orderListId": -1,
            "price": amount(fill.price),
            "qty": amount(fill.qty),
            "quoteQty": amount(fill.quote_qty),
            "commission": amount(fill.commission),
            "commissionAsset": fill.commission_asset,
            "time": _ms(fill.ts),
            "isBuyer": fill.side == "BUY",
            "isMaker": fill.is_maker,
            "isBestMatch": True,
        }

    # --- account ------------------------------------------------------------------------------------------------------
    def account(self, account: SpotAccount, now_ns: int, *, omits_zero: bool) -> dict[str, Any]:
        """Return the balances."""
        maker, taker = account.fees.maker, account.fees.taker
        return {
            "makerCommission": int(maker * 10_000),
            "takerCommission": int(taker * 10_000),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": amount(maker),
                "taker": amount(taker),
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": _ms(now_ns),
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": amount(balance.free), "locked": amount(balance.locked)}
                for asset, balance in sorted(account.balances.items())
                if not omits_zero or balance.free or balance.locked
            ],
            "permissions": ["SPOT"],
            "uid": 1,
        }

    def commission(self, symbol: str, fees: FeeRates) -> dict[str, Any]:
        """Return the fee rates of a symbol."""
        none = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}
        rates = {"maker": amount(fees.maker), "taker": amount(fees.taker), "buyer": amount(ZERO), "seller": amount(ZERO)}
        discount = {"enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "BNB", "discount": "0.00000000"}
        return {
            "symbol": symbol,
            "standardCommission": rates,
            "specialCommission": none,
            "taxCommission": none,
            "discount": discount,
        }

    def commission_for_order(self, fees: FeeRates) -> dict[str, Any]:
        """Return the rates as a tested order is answered with."""
        told = self.commission("", fees)
        kinds = ("standardCommission", "specialCommission", "taxCommission")
        rates = {f"{kind}ForOrder": {side: told[kind][side] for side in ("maker", "taker")} for kind in kinds}
        return rates | {"discount": told["discount"]}

    # --- user data ----------------------------------------------------------------------------------------------------
    def events(
        self, exchange: PaperExchange, order: PaperOrder, kind: str, fill: Execution | None, venue_ns: int
    ) -> list[dict[str, Any]]:
        """Return what the user data stream says of a change of an order."""
        position = self._position(exchange.spot, (order.market.base, order.market.quote), venue_ns)
        return [self.execution_report(order, kind, fill, venue_ns), position]

    def execution_report(self, order: PaperOrder, kind: str, fill: Execution | None, venue_ns: int) -> dict[str, Any]:
        """Return an executionReport. kind : NEW, TRADE, CANCELED or EXPIRED."""
        price, qty = (fill.price, fill.qty) if fill else (ZERO, ZERO)
        report: dict[str, Any] = {
            "e": "executionReport",
            "E": _ms(venue_ns),
            "s": order.market.symbol,
            "c": order.cancel_id or order.client_id,
            "S": order.side,
            "o": order.kind,
            "f": order.time_in_force,
            "q": amount(order.qty),
            "p": amount(order.price),
            "P": "0.00000000",
            "F": "0.00000000",
            "g": -1,
            "C": order.client_id if order.cancel_id else order.former_id if kind == "REPLACED" else "",
            "x": kind,
            "X": order.status if kind != "NEW" else "NEW",
            "r": "NONE",
            "i": order.order_id,
            "l": amount(qty),
            "z": amount(ZERO if kind == "NEW" else order.filled_qty),
            "L": amount(price),
            "n": amount(fill.commission) if fill else "0",
            "N": fill.commission_asset if fill else None,
            "T": _ms(venue_ns),
            "t": fill.trade_id if fill else -1,
            "v": 0,
            "I": 2 * order.order_id + len(order.executions),
            "w": order.is_open or kind == "NEW",
            "m": fill.is_maker if fill else False,
            "M": False,
            "O": _ms(order.created_ns),
            "Z": amount(ZERO if kind == "NEW" else order.spent),
            "Y": amount(fill.quote_qty) if fill else "0.00000000",
            "Q": "0.00000000",
            "W": _ms(order.created_ns),
            "V": _NO_STP,
        }
        if kind == "EXPIRED":
            report["eR"] = _EXPIRY.get(order.time_in_force if order.kind == "LIMIT" else "", "INSUFFICIENT_LIQUIDITY")
        return report

    def _position(self, account: SpotAccount, assets: Iterable[str], venue_ns: int) -> dict[str, Any]:
        balances = [(asset, account.balance(asset)) for asset in assets]
        return {
            "e": "outboundAccountPosition",
            "E": _ms(venue_ns),
            "u": _ms(venue_ns),
            "B": [{"a": asset, "f": amount(b.free), "l": amount(b.locked)} for asset, b in balances],
        }
