"""Position and money of one asset, exactly (spec B3.6, B7), and funding.

Amounts are rational numbers of the currency. What does not end is rounded once, half away from zero, where it is booked:

- a linear notional is multiplier × price × quantity, exact; so is a fee on it;
- an inverse notional is multiplier × quantity / price, rounded to 1e-15 of multiplier × lot size / tick size; a fee on it
  is rounded to 1e-19 of the same;
- fees on quantities and per execution are exact; what a side adds to a fee on quantity is on value: exact if linear, else
  rounded to about 1e-12 of the largest fee of one lot (see `Account.added_unit`).

Funding, which the specification does not have. A payment (funding_ts, mark price, rate) is booked on the position that the
local half knows of after all events up to and including `funding_ts`, before any later event, and no later than when the
clock reaches `funding_ts`:

- linear: payment = position × mark price × multiplier × rate; cash falls by it;
- inverse: payment = position × multiplier / mark price × rate; cash rises by it, because an inverse balance carries its
  sign inverted (spec B7.4), so that equity falls in both cases where a long position pays;
- the payment is rounded half away from zero to a whole number of the unit in which the account counts cash: multiplier ×
  tick size × lot size if linear, 1e-15 × multiplier × lot size / tick size if inverse;
- it is no trade: number of trades, volume, value and fees stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import gcd

from queuefront.core import Instrument
from queuefront.core.enums import BUY
from tests.naive.grid import round_half_away
from tests.naive.orders import Order

__all__ = ["Account", "Fees", "Fill", "Funding"]

LINEAR = "linear"


@dataclass(frozen=True)
class Fees:
    """A rate on value, on quantity, or flat per execution; negative is a rebate (spec B7.5 to B7.8).

    buyer, seller : on value, added to a rate on value or to a fee on quantity.
    tiers : (value traded before, maker, taker), instead of maker and taker.
    """

    kind: str = "value"  # value, qty or flat
    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    buyer: Decimal = Decimal(0)
    seller: Decimal = Decimal(0)
    tiers: tuple[tuple[Decimal, Decimal, Decimal], ...] = ()


@dataclass(frozen=True)
class Funding:
    """One payment between longs and shorts; a positive rate is paid by the long side."""

    funding_ts: int
    mark_price: Decimal
    rate: Decimal


@dataclass(frozen=True)
class Fill:
    """One execution, as it was booked."""

    order_id: int
    exch_ts: int
    local_ts: int
    price_tick: int
    lots: int
    position_lots: int
    amount: Fraction
    fee: Fraction
    side: int
    is_maker: bool
    arrival_qty_ahead: float


@dataclass
class Account:
    """What one asset's executions add up to."""

    instrument: Instrument
    fees: Fees = field(default_factory=Fees)
    position_lots: int = 0
    cash: Fraction = Fraction(0)
    fee: Fraction = Fraction(0)
    value: Fraction = Fraction(0)
    volume_lots: int = 0
    num_trades: int = 0
    fills: list[Fill] = field(default_factory=list)

    def book(self, message: Order, now: int) -> None:
        """Book one execution (spec B3.6)."""
        lots = message.exec_lots
        amount = self._amount(message.exec_price_tick, lots)
        fee = self._fee(amount, lots, side=message.side, is_maker=message.is_maker)
        self.position_lots += message.side * lots
        self.cash -= message.side * amount
        self.fee += fee
        self.value += amount
        self.volume_lots += lots
        self.num_trades += 1
        self.fills.append(
            Fill(
                message.order_id,
                message.exch_ts,
                now,
                message.exec_price_tick,
                lots,
                self.position_lots,
                amount,
                fee,
                message.side,
                message.is_maker,
                message.arrival_qty_ahead,
            )
        )

    def pay_funding(self, funding: Funding) -> None:
        """Book one funding payment; see the module's rules."""
        position = self.position_lots * Fraction(self.instrument.lot_size)
        mark, multiplier = Fraction(funding.mark_price), Fraction(self.instrument.multiplier)
        if self.instrument.contract == LINEAR:
            payment = position * mark * multiplier * Fraction(funding.rate)
            self.cash -= _to_step(payment, self.amount_unit)
        else:
            payment = position * multiplier / mark * Fraction(funding.rate)
            self.cash += _to_step(payment, self.amount_unit)

    @property
    def amount_unit(self) -> Fraction:
        """The unit that cash is a whole number of."""
        multiplier, lot = Fraction(self.instrument.multiplier), Fraction(self.instrument.lot_size)
        tick = Fraction(self.instrument.tick_size)
        if self.instrument.contract == LINEAR:
            return multiplier * tick * lot
        return multiplier * lot / tick / 10**15

    def _amount(self, tick: int, lots: int) -> Fraction:
        price, qty = tick * Fraction(self.instrument.tick_size), lots * Fraction(self.instrument.lot_size)
        multiplier = Fraction(self.instrument.multiplier)
        if self.instrument.contract == LINEAR:
            return multiplier * price * qty
        return _to_step(multiplier * qty / price, self.amount_unit)

    def _fee(self, amount: Fraction, lots: int, *, side: int, is_maker: bool) -> Fraction:
        maker, taker = self.fees.maker, self.fees.taker
        for value, tier_maker, tier_taker in self.fees.tiers:
            if self.value >= Fraction(value):
                maker, taker = tier_maker, tier_taker
        rate, added = Fraction(maker if is_maker else taker), Fraction(self.fees.buyer if side == BUY else self.fees.seller)
        is_linear = self.instrument.contract == LINEAR
        if self.fees.kind == "flat":
            return rate
        if self.fees.kind == "qty":
            on_value = added * amount if is_linear else _to_step(added * amount, self.added_unit)
            return rate * lots * Fraction(self.instrument.lot_size) + on_value
        if is_linear:
            return (rate + added) * amount
        return _to_step((rate + added) * amount, self.amount_unit / 10**4)

    @property
    def added_unit(self) -> Fraction:
        """The unit to which what a side adds to a fee on quantity is rounded, on an inverse contract.

        1e-12 of the largest fee of one lot, on quantity, or on value at a price of one tick; adjusted, so that it
        divides the fees on quantity.
        """
        fees, lot = self.fees, Fraction(self.instrument.lot_size)
        on_quantity = [abs(Fraction(rate)) * lot for rate in (fees.maker, fees.taker)]
        lot_value = Fraction(self.instrument.multiplier) * lot / Fraction(self.instrument.tick_size)
        on_value = [abs(Fraction(rate)) * lot_value for rate in (fees.buyer, fees.seller)]
        wanted = max(*on_quantity, *on_value) / 10**12
        common = Fraction(gcd(*(int(fee / lot * 10**9) for fee in on_quantity)), 10**9) * lot
        if not wanted or not common:
            return wanted or Fraction(1)
        return common / max(int(common / wanted), 1)


def _to_step(x: Fraction, step: Fraction) -> Fraction:
    """Round to a multiple of a step, halves away from zero."""
    return round_half_away(x / step) * step
