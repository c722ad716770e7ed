"""Position and money of one asset, exactly (spec B3.6, B7), and funding.

Amounts are rational numbers of the currency. What does not end is rounded once, half away from zero, where it is booked:

- a linear notional is multiplier × price × quantity, exact; so is a fee on it;
- an inverse notional is multiplier × quantity / price, rounded to 1e-15 of multiplier × lot size / tick size; a fee on it
  is rounded to 1e-19 of the same;
- fees on quantities and per execution are exact.

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

from queuefront.core import Instrument
from tests.naive.grid import round_half_away
from tests.naive.orders import Order

__all__ = ["Account", "Fees", "Fill", "Funding"]

LINEAR = "linear"


@dataclass(frozen=True)
class Fees:
    """A rate on value, on quantity, or flat per execution; negative is a rebate (spec B7.5 to B7.7)."""

    kind: str = "value"  # value, qty or flat
    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)


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
        fee = self._fee(amount, lots, is_maker=message.is_maker)
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

    def _fee(self, amount: Fraction, lots: int, *, is_maker: bool) -> Fraction:
        rate = Fraction(self.fees.maker if is_maker else self.fees.taker)
        if self.fees.kind == "flat":
            return rate
        if self.fees.kind == "qty":
            return rate * lots * Fraction(self.instrument.lot_size)
        if self.instrument.contract == LINEAR:
            return rate * amount
        return _to_step(rate * amount, self.amount_unit / 10**4)


def _to_step(x: Fraction, step: Fraction) -> Fraction:
    """Round to a multiple of a step, halves away from zero."""
    return round_half_away(x / step) * step
