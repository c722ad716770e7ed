"""Wallets and positions of a futures account: one position a symbol, cross margin.

What it leaves out: liquidations, funding, isolated margin and hedge mode. The mark price is the middle of the book. A
symbol's initial margin is the value of the larger of the two positions that its open orders may lead to, over its
leverage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from queuefront.paper.errors import refusal
from queuefront.paper.listing import Market
from queuefront.paper.orders import ZERO, OrderTable, PaperOrder
from queuefront.paper.spot_account import MONEY_STEP, Booking, FeeRates

__all__ = ["LEVERAGE_MAX", "FuturesAccount", "PaperPosition"]

LEVERAGE_MAX: Final = 125
_LEVERAGE: Final = 20


@dataclass(slots=True)
class PaperPosition:
    """One position.

    qty : signed.   cost : sum of qty × price of what it was built of, of inverse contracts of qty / price.
    """

    market: Market
    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    leverage: int = _LEVERAGE
    updated_ns: int = 0

    @property
    def entry_price(self) -> Decimal:
        """The price at which it was built, 0 where there is none."""
        if not self.qty:
            return ZERO
        return self.qty / self.cost if self._is_inverse else self.cost / self.qty

    @property
    def _is_inverse(self) -> bool:
        return self.market.instrument.contract == "inverse"

    def profit_at(self, price: Decimal) -> Decimal:
        """Return the profit that closing it at a price would make."""
        if not self.qty:
            return ZERO
        worth = self.qty / price if self._is_inverse else self.qty * price
        gain = self.cost - worth if self._is_inverse else worth - self.cost
        return (gain * self.market.instrument.multiplier).quantize(MONEY_STEP, ROUND_HALF_UP)

    def take(self, price: Decimal, qty: Decimal) -> Decimal:
        """Add a signed quantity; return the profit that it realized."""
        realized = ZERO
        if self.qty * qty < 0:
            closed = -qty if abs(qty) <= abs(self.qty) else self.qty
            part = self.cost * closed / self.qty
            worth = closed / price if self._is_inverse else closed * price
            gain = part - worth if self._is_inverse else worth - part
            realized = (gain * self.market.instrument.multiplier).quantize(MONEY_STEP, ROUND_HALF_UP)
            self.qty -= closed
            self.cost = self.cost - part if self.qty else ZERO
            qty += closed
        if qty:
            self.cost += qty / price if self._is_inverse else qty * price
            self.qty += qty
        self.realized += realized
        return realized


class FuturesAccount:
    """The wallets by currency, and the positions by symbol.

    mark : gives the mark price of a symbol, None where the market has none yet.
    """

    def __init__(
        self,
        balances: Mapping[str, Decimal],
        fees: FeeRates,
        markets: Mapping[str, Market],
        orders: OrderTable,
        mark: Callable[[str], Decimal | None],
    ) -> None:
        self.wallets = dict(balances)
        for market in markets.values():
            self.wallets.setdefault(market.asset, ZERO)
        self.fees = fees
        self.positions = {symbol: PaperPosition(market) for symbol, market in markets.items()}
        self._orders, self._mark = orders, mark

    # --- what it is worth ---------------------------------------------------------------------------------------------
    def profit(self, asset: str) -> Decimal:
        """Return the unrealized profit in a currency."""
        return sum((self.profit_of(p) for p in self.positions.values() if p.market.asset == asset), ZERO)

    def profit_of(self, position: PaperPosition) -> Decimal:
        """Return a position's unrealized profit."""
        mark = self._mark(position.market.symbol)
        return ZERO if mark is None else position.profit_at(mark)

    def initial_margin(self, asset: str) -> Decimal:
        """Return what positions and open orders bind of a currency."""
        return sum((self.margin_of(p) for p in self.positions.values() if p.market.asset == asset), ZERO)

    def margin_of(self, position: PaperPosition, bought: Decimal = ZERO, sold: Decimal = ZERO) -> Decimal:
        """Return what a symbol binds, were so much more bought or sold by open orders."""
        mark = self._mark(position.market.symbol)
        exposure = self._exposure(position, bought, sold)
        if mark is None or not exposure:
            return ZERO
        return (position.market.notional(mark, exposure) / position.leverage).quantize(MONEY_STEP, ROUND_HALF_UP)

    def _exposure(self, position: PaperPosition, bought: Decimal, sold: Decimal) -> Decimal:
        for order in self._orders.open(position.market.symbol):
            if order.reduce_only:
                continue
            if order.is_buy:
                bought += order.leaves_qty
            else:
                sold += order.leaves_qty
        return max(abs(position.qty + bought), abs(position.qty - sold))

    def available(self, asset: str) -> Decimal:
        """Return what new orders may bind of a currency."""
        return max(ZERO, self.wallets.get(asset, ZERO) + self.profit(asset) - self.initial_margin(asset))

    # --- orders -------------------------------------------------------------------------------------------------------
    def check(self, order: PaperOrder) -> None:
        """Raise the venue's refusal where an order, not yet among the open ones, is not covered or does not reduce."""
        position = self.positions[order.market.symbol]
        if order.reduce_only:
            if position.qty * (1 if order.is_buy else -1) >= 0 or order.qty > abs(position.qty):
                raise refusal("reduce-only")
            return
        bought, sold = (order.qty, ZERO) if order.is_buy else (ZERO, order.qty)
        more = self.margin_of(position, bought, sold) - self.margin_of(position)
        asset = order.market.asset
        if more > 0 and self.wallets[asset] + self.profit(asset) - self.initial_margin(asset) < more:
            raise refusal("margin")

    def book(self, order: PaperOrder, price: Decimal, qty: Decimal, *, is_maker: bool) -> Booking:
        """Book a fill."""
        market = order.market
        position = self.positions[market.symbol]
        rate = self.fees.rate(is_maker=is_maker)
        commission = (market.notional(price, qty) * rate).quantize(MONEY_STEP, ROUND_HALF_UP)
        realized = position.take(price, qty if order.is_buy else -qty)
        position.fees += commission
        self.wallets[market.asset] += realized - commission
        return Booking(commission, market.asset, realized)
