"""What Binance's USD-M and COIN-M futures answer and send, field by field.

Sources: Binance USD-M and COIN-M "Trade", "Account", "User Data Streams". Since mid 2026 the answers to placing,
modifying and canceling carry no average price and no traded value any more.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from queuefront.core.clock import NS_PER
from queuefront.paper.exchange import PaperExchange
from queuefront.paper.futures_account import LEVERAGE_MAX, FuturesAccount, PaperPosition
from queuefront.paper.listing import Market
from queuefront.paper.orders import ZERO, Execution, PaperOrder
from queuefront.paper.rules import VenueRules
from queuefront.paper.spot_account import FeeRates

__all__ = ["FuturesPayloads", "amount"]

_NO_STP: Final = "NONE"
_ALIAS: Final = "PaPr"


def amount(value: Decimal) -> str:
    """Write an amount with eight decimals."""
    return f"{value:.8f}"


def _ms(ns: int) -> int:
    return ns // NS_PER["ms"]


def _rate(rate: Decimal) -> str:
    return f"{rate:.6f}"


class FuturesPayloads:
    """The payloads of one futures venue."""

    def __init__(self, rules: VenueRules) -> None:
        self._rules = rules
        self._value_field = "cumBase" if rules.is_inverse else "cumQuote"

    def symbol(self, market: Market) -> dict[str, Any]:
        """Return a symbol as exchangeInfo lists it."""
        tick, lot = market.instrument.tick_size, market.instrument.lot_size
        price, qty = market.price_text, market.qty_text
        sizes = {"minQty": qty(lot), "maxQty": qty(lot * 10**9), "stepSize": qty(lot)}
        filters: list[dict[str, Any]] = [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": price(tick),
                "maxPrice": price(tick * 10**9),
                "tickSize": price(tick),
            },
            {"filterType": "LOT_SIZE", **sizes},
            {"filterType": "MARKET_LOT_SIZE", **sizes},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1000", "multiplierDown": "0.0010", "multiplierDecimal": "4"},
        ]
        listed = {
            "symbol": market.symbol,
            "pair": market.pair,
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": market.base,
            "quoteAsset": market.quote,
            "marginAsset": market.asset,
            "pricePrecision": market.price_digits,
            "quantityPrecision": market.qty_digits,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": [],
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012000",
            "marketTakeBound": "0.30",
            "maxMoveOrderLimit": 10000,
            "filters": filters,
            "orderTypes": list(self._rules.order_types),
            "timeInForce": list(self._rules.times_in_force),
        }
        if self._rules.is_inverse:
            return listed | {
                "contractStatus": "TRADING",
                "contractSize": int(market.instrument.multiplier),
                "equalQtyPrecision": 4,
            }
        filters.append({"filterType": "MIN_NOTIONAL", "notional": f"{market.min_notional.normalize():f}"})
        return listed | {"status": "TRADING", "settlePlan": 0}

    # --- orders -------------------------------------------------------------------------------------------------------
    def placed(self, order: PaperOrder) -> dict[str, Any]:
        """Return the answer to placing, modifying or canceling an order."""
        market = order.market
        payload = {
            "orderId": order.order_id,
            "symbol": market.symbol,
            "status": order.status,
            "clientOrderId": order.client_id,
            "price": market.price_text(order.price),
            "origQty": market.qty_text(order.qty),
            "executedQty": market.qty_text(order.filled_qty),
            "cumQty": market.qty_text(order.filled_qty),
            "timeInForce": order.time_in_force,
            "type": order.kind,
            "reduceOnly": order.reduce_only,
            "closePosition": False,
            "side": order.side,
            "positionSide": "BOTH",
            "stopPrice": market.price_text(ZERO),
            "workingType": "CONTRACT_PRICE",
            "priceProtect": False,
            "origType": order.kind,
            "priceMatch": "NONE",
            "selfTradePreventionMode": _NO_STP,
            "goodTillDate": 0,
            "updateTime": _ms(order.updated_ns),
        }
        return payload | ({"pair": market.pair} if self._rules.is_inverse else {})

    def order(self, order: PaperOrder) -> dict[str, Any]:
        """Return an order as a query gives it."""
        payload = self.placed(order)
        del payload["cumQty"]
        return payload | {
            "avgPrice": self._average(order),
            self._value_field: amount(order.spent),
            "time": _ms(order.created_ns),
        }

    def _average(self, order: PaperOrder) -> str:
        return f"{order.average_price:.{order.market.price_digits + 4}f}"

    def trade(self, order: PaperOrder, fill: Execution) -> dict[str, Any]:
        """Return a fill as userTrades gives it."""
        market = order.market
        payload: dict[str, Any] = {
            "symbol": market.symbol,
            "id": fill.trade_id,
            "orderId": fill.order_id,
            "side": fill.side,
            "price": market.price_text(fill.price),
            "qty": market.qty_text(fill.qty),
            "realizedPnl": amount(fill.realized),
            "marginAsset": market.asset,
        }
        payload |= (
            {"pair": market.pair, "baseQty": amount(fill.quote_qty)}
            if self._rules.is_inverse
            else {"quoteQty": amount(fill.quote_qty)}
        )
        return payload | {
            "commission": amount(fill.commission),
            "commissionAsset": fill.commission_asset,
            "time": _ms(fill.ts),
            "positionSide": "BOTH",
            "buyer": fill.side == "BUY",
            "maker": fill.is_maker,
        }

    # --- account ------------------------------------------------------------------------------------------------------
    def position(self, account: FuturesAccount, position: PaperPosition, mark: Decimal | None) -> dict[str, Any]:
        """Return a position as positionRisk gives it."""
        market = position.market
        notional = ZERO if mark is None or not position.qty else market.notional(mark, position.qty)
        payload: dict[str, Any] = {
            "symbol": market.symbol,
            "positionAmt": market.qty_text(position.qty),
            "entryPrice": self._entry(position),
            "breakEvenPrice": self._entry(position),
            "markPrice": amount(mark or ZERO),
            "unRealizedProfit": amount(account.profit_of(position)),
            "liquidationPrice": "0",
            "leverage": str(position.leverage),
            "marginType": "cross",
            "isolatedMargin": "0.00000000",
            "isAutoAddMargin": "false",
            "positionSide": "BOTH",
            "updateTime": _ms(position.updated_ns),
        }
        if self._rules.is_inverse:
            return payload | {"maxQty": "100000000", "notionalValue": amount(notional), "isolatedWallet": "0"}
        margin = amount(account.margin_of(position))
        return payload | {
            "maxNotionalValue": "100000000",
            "notional": amount(notional),
            "isolatedWallet": "0",
            "marginAsset": market.asset,
            "initialMargin": margin,
            "maintMargin": "0.00000000",
            "positionInitialMargin": margin,
            "openOrderInitialMargin": "0.00000000",
            "adl": 0,
            "bidNotional": "0",
            "askNotional": "0",
        }

    def _entry(self, position: PaperPosition) -> str:
        return f"{position.entry_price:.{position.market.price_digits + 4}f}"

    def balances(self, account: FuturesAccount, now_ns: int) -> list[dict[str, Any]]:
        """Return the wallets."""
        listed = []
        for asset, wallet in sorted(account.wallets.items()):
            available = amount(account.available(asset))
            payload: dict[str, Any] = {
                "accountAlias": _ALIAS,
                "asset": asset,
                "balance": amount(wallet),
                "crossWalletBalance": amount(wallet),
                "crossUnPnl": amount(account.profit(asset)),
                "availableBalance": available,
                "updateTime": _ms(now_ns),
            }
            own = (
                {"withdrawAvailable": available}
                if self._rules.is_inverse
                else {
                    "maxWithdrawAmount": available,
                    "marginAvailable": True,
                }
            )
            listed.append(payload | own)
        return listed

    def account(self, account: FuturesAccount, now_ns: int) -> dict[str, Any]:
        """Return wallets and positions together."""
        assets = [self._asset(account, asset, now_ns) for asset in sorted(account.wallets)]
        positions = [self._account_position(account, p) for p in account.positions.values()]
        payload: dict[str, Any] = {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": False,
            "canWithdraw": False,
            "updateTime": 0,
        }
        if not self._rules.is_inverse:
            payload |= {"multiAssetsMargin": False, "tradeGroupId": -1}
            for name in ("totalInitialMargin", "totalMaintMargin", "totalWalletBalance", "totalUnrealizedProfit",
                         "totalMarginBalance", "totalPositionInitialMargin", "totalOpenOrderInitialMargin",
                         "totalCrossWalletBalance", "totalCrossUnPnl"):  # fmt: skip
                field = name.removeprefix("total")
                field = field[0].lower() + field[1:]
                payload[name] = amount(sum((Decimal(asset[field]) for asset in assets), ZERO))
            payload["availableBalance"] = amount(sum((Decimal(asset["availableBalance"]) for asset in assets), ZERO))
            payload["maxWithdrawAmount"] = payload["availableBalance"]
        return payload | {"assets": assets, "positions": positions}

    def _asset(self, account: FuturesAccount, asset: str, now_ns: int) -> dict[str, Any]:
        wallet, profit, margin = account.wallets[asset], account.profit(asset), account.initial_margin(asset)
        available = amount(account.available(asset))
        payload: dict[str, Any] = {
            "asset": asset,
            "walletBalance": amount(wallet),
            "unrealizedProfit": amount(profit),
            "marginBalance": amount(wallet + profit),
            "maintMargin": "0.00000000",
            "initialMargin": amount(margin),
            "positionInitialMargin": amount(margin),
            "openOrderInitialMargin": "0.00000000",
            "crossWalletBalance": amount(wallet),
            "crossUnPnl": amount(profit),
            "availableBalance": available,
            "maxWithdrawAmount": available,
            "updateTime": _ms(now_ns),
        }
        return payload if self._rules.is_inverse else payload | {"marginAvailable": True}

    def _account_position(self, account: FuturesAccount, position: PaperPosition) -> dict[str, Any]:
        margin = amount(account.margin_of(position))
        payload: dict[str, Any] = {
            "symbol": position.market.symbol,
            "initialMargin": margin,
            "maintMargin": "0",
            "unrealizedProfit": amount(account.profit_of(position)),
            "positionInitialMargin": margin,
            "openOrderInitialMargin": "0",
            "leverage": str(position.leverage),
            "isolated": False,
            "entryPrice": self._entry(position),
            "breakEvenPrice": self._entry(position),
            "positionSide": "BOTH",
            "positionAmt": position.market.qty_text(position.qty),
            "updateTime": _ms(position.updated_ns),
        }
        if self._rules.is_inverse:
            return payload | {"maxQty": "100000000", "notionalValue": "0"}
        return payload | {
            "maxNotional": "100000000",
            "bidNotional": "0",
            "askNotional": "0",
            "notional": "0",
            "isolatedMargin": "0.00000000",
            "isolatedWallet": "0",
        }

    def commission(self, symbol: str, fees: FeeRates) -> dict[str, Any]:
        """Return the fee rates of a symbol."""
        return {"symbol": symbol, "makerCommissionRate": _rate(fees.maker), "takerCommissionRate": _rate(fees.taker)}

    def symbol_config(self, position: PaperPosition) -> dict[str, Any]:
        """Return a symbol's settings."""
        return {
            "symbol": position.market.symbol,
            "marginType": "CROSSED",
            "isAutoAddMargin": False,
            "leverage": position.leverage,
            "maxNotionalValue": "100000000",
        }

    def brackets(self, market: Market) -> dict[str, Any]:
        """Return the one step of leverage that there is."""
        own: dict[str, Any]
        if self._rules.is_inverse:
            own = {"qtyCap": 100_000_000, "qtyFloor": 0, "qtylFloor": 0}
        else:
            own = {"notionalCap": 100_000_000, "notionalFloor": 0}
        step = {"bracket": 1, "initialLeverage": LEVERAGE_MAX, **own, "maintMarginRatio": 0.004, "cum": 0.0}
        return {"symbol": market.symbol, "brackets": [step]}

    # --- user data ----------------------------------------------------------------------------------------------------
    def events(
        self, exchange: PaperExchange, order: PaperOrder, kind: str, fill: Execution | None, venue_ns: int
    ) -> list[dict[str, Any]]:
        """Return what the user data stream says of a change of an order."""
        update = self.order_update(order, kind, fill, venue_ns)
        if fill is None:
            return [update]
        return [self._account_update(exchange.futures, order, venue_ns), update]

    def order_update(self, order: PaperOrder, kind: str, fill: Execution | None, venue_ns: int) -> dict[str, Any]:
        """Return an ORDER_TRADE_UPDATE. kind : NEW, TRADE, CANCELED, EXPIRED or AMENDMENT."""
        market = order.market
        is_first = kind == "NEW"
        details: dict[str, Any] = {
            "s": market.symbol,
            "c": order.client_id,
            "S": order.side,
            "o": order.kind,
            "f": order.time_in_force,
            "q": market.qty_text(order.qty),
            "p": market.price_text(order.price),
            "ap": market.price_text(ZERO) if is_first else self._average(order),
            "sp": market.price_text(ZERO),
            "x": kind,
            "X": "NEW" if is_first else order.status,
            "i": order.order_id,
            "l": market.qty_text(fill.qty if fill else ZERO),
            "z": market.qty_text(ZERO if is_first else order.filled_qty),
            "L": market.price_text(fill.price if fill else ZERO),
        }
        if fill:
            details |= {"N": fill.commission_asset, "n": amount(fill.commission)}
        details |= {
            "T": _ms(venue_ns),
            "t": fill.trade_id if fill else 0,
            "b": "0",
            "a": "0",
            "m": fill.is_maker if fill else False,
            "R": order.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": order.kind,
            "ps": "BOTH",
            "cp": False,
            "rp": amount(fill.realized if fill else ZERO),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": _NO_STP,
            "pm": "NONE",
            "gtd": 0,
            "er": self._expiry(order) if kind == "EXPIRED" else "0",
        }
        if self._rules.is_inverse:
            details["ma"] = market.asset
        return {"e": "ORDER_TRADE_UPDATE", "T": _ms(venue_ns), "E": _ms(venue_ns), "o": details}

    def _expiry(self, order: PaperOrder) -> str:
        if order.kind == "MARKET":
            return "9"
        return "2" if order.time_in_force == "IOC" else "4"

    def _account_update(self, account: FuturesAccount, order: PaperOrder, venue_ns: int) -> dict[str, Any]:
        position = account.positions[order.market.symbol]
        wallet = amount(account.wallets[order.market.asset])
        update = {
            "e": "ACCOUNT_UPDATE",
            "T": _ms(venue_ns),
            "E": _ms(venue_ns),
            "a": {
                "B": [{"a": order.market.asset, "wb": wallet, "cw": wallet, "bc": "0"}],
                "P": [
                    {
                        "s": order.market.symbol,
                        "pa": order.market.qty_text(position.qty),
                        "ep": self._entry(position),
                        "bep": self._entry(position),
                        "cr": amount(position.realized),
                        "up": amount(account.profit_of(position)),
                        "mt": "cross",
                        "iw": "0",
                        "ps": "BOTH",
                    }
                ],
                "m": "ORDER",
            },
        }
        return update | ({"i": _ALIAS} if self._rules.is_inverse else {})

    def leverage_update(self, position: PaperPosition, venue_ns: int) -> dict[str, Any]:
        """Return the ACCOUNT_CONFIG_UPDATE of a changed leverage."""
        change = {"s": position.market.symbol, "l": position.leverage}
        return {"e": "ACCOUNT_CONFIG_UPDATE", "E": _ms(venue_ns), "T": _ms(venue_ns), "ac": change}
