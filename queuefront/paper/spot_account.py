"""Balances of a spot account: what is free, and what open orders hold.

A buy holds quote currency at its limit (a MARKET order at the worst price it can reach), a sell holds what it sells.
The fee is taken from what a fill brings in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from queuefront.paper.errors import refusal
from queuefront.paper.orders import ZERO, PaperOrder
from queuefront.paper.rules import VenueRules

__all__ = ["MARKET_REACH_TICKS", "MONEY_STEP", "Balance", "Booking", "FeeRates", "SpotAccount"]

MONEY_STEP: Final = Decimal("0.00000001")
#: How far beyond the best price a MARKET order executes (`sim`, spec B4.4).
MARKET_REACH_TICKS: Final = 100


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Shares of a fill's value."""

    maker: Decimal
    taker: Decimal

    @classmethod
    def of(cls, rules: VenueRules, fees: tuple[Decimal, Decimal] | None) -> FeeRates:
        """Return the rates asked for, or the venue's."""
        return cls(*fees) if fees else cls(rules.maker, rules.taker)

    def rate(self, *, is_maker: bool) -> Decimal:
        """Return the rate of a fill."""
        return self.maker if is_maker else self.taker


@dataclass(frozen=True, slots=True)
class Booking:
    """What a fill did to the account."""

    commission: Decimal
    commission_asset: str
    realized: Decimal = ZERO


@dataclass(slots=True)
class Balance:
    """One currency of a spot account."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


class SpotAccount:
    """The balances, by currency."""

    def __init__(self, balances: Mapping[str, Decimal], fees: FeeRates) -> None:
        self.balances = {asset: Balance(amount) for asset, amount in balances.items()}
        self.fees = fees
        self._held: dict[int, Decimal] = {}
        self._hold_price: dict[int, Decimal] = {}

    def balance(self, asset: str) -> Balance:
        """Return a currency's balance."""
        return self.balances.setdefault(asset, Balance())

    def hold(self, order: PaperOrder, price: Decimal) -> None:
        """Hold what an order may need, a MARKET order at `price`. Raises the venue's refusal where it is not there."""
        amount = order.market.notional(price, order.qty) if order.is_buy else order.qty
        balance = self._paid_with(order)
        if balance.free < amount:
            raise refusal("balance", is_spot=True)
        balance.free -= amount
        balance.locked += amount
        self._held[order.order_id], self._hold_price[order.order_id] = amount, price

    def release(self, order: PaperOrder) -> None:
        """Give back what an order holds that is over."""
        amount = self._held.pop(order.order_id, ZERO)
        self._hold_price.pop(order.order_id, None)
        balance = self._paid_with(order)
        balance.locked -= amount
        balance.free += amount

    def reduce(self, order: PaperOrder, qty: Decimal) -> None:
        """Give back what an order holds for a quantity that it no longer asks for."""
        amount = order.market.notional(self._hold_price[order.order_id], qty) if order.is_buy else qty
        self._held[order.order_id] -= amount
        balance = self._paid_with(order)
        balance.locked -= amount
        balance.free += amount

    def book(self, order: PaperOrder, price: Decimal, qty: Decimal, *, is_maker: bool) -> Booking:
        """Book a fill."""
        market = order.market
        value = market.notional(price, qty)
        held = market.notional(self._hold_price[order.order_id], qty) if order.is_buy else qty
        self._held[order.order_id] -= held
        paid = self._paid_with(order)
        paid.locked -= held
        paid.free += held - (value if order.is_buy else qty)
        asset, got = (market.base, qty) if order.is_buy else (market.quote, value)
        commission = (got * self.fees.rate(is_maker=is_maker)).quantize(MONEY_STEP, ROUND_HALF_UP)
        self.balance(asset).free += got - commission
        return Booking(commission, asset)

    def _paid_with(self, order: PaperOrder) -> Balance:
        return self.balance(order.market.quote if order.is_buy else order.market.base)
