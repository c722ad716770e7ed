"""What fills add up to, exactly, and what that is worth in cash: linear and inverse contracts.

- *Linear*: a fill adds tick × lots, a whole number; a long position of it is worth `unit × notional`.
- *Inverse* (coin-margined): a fill adds lots / tick, a ratio. A contract is worth a fixed amount of quote currency, so a
  long position of it is worth `-unit × notional` of the base currency that it settles in, and a trade earns
  `unit × lots × (1/entry - 1/exit)`.

An inverse notional is summed as a ratio and never rounded. It becomes cash when it is booked, to the nearest whole unit,
halves to even, and always from the whole sum: a posting moves the rounded sum after it less the rounded sum before it.
Thereby roundings do not add up, whatever the number of fills: a trade's profit is its exact profit, rounded once.
"""

from __future__ import annotations

from fractions import Fraction

from queuefront.kernel.records import Record, Spec
from queuefront.venues import VenueEvent

__all__ = ["Amount", "Ratio", "amount_of", "cash_value", "part_of", "ratio_of", "told_notional", "worst_value"]


class Ratio(Record, frozen=True):
    """An exact fraction in lowest terms, as it is stored; its denominator is positive."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction:
        """The fraction to calculate with."""
        return Fraction(self.numerator, self.denominator)

    def __add__(self, other: Amount) -> Ratio:
        return _ratio(self.value + ratio_of(other))

    __radd__ = __add__

    def __sub__(self, other: Amount) -> Ratio:
        return _ratio(self.value - ratio_of(other))

    def __rsub__(self, other: int) -> Ratio:
        return _ratio(other - self.value)

    def __bool__(self) -> bool:
        return self.numerator != 0


#: A sum over fills: a whole number for linear contracts, a ratio for inverse ones.
Amount = int | Ratio


def _ratio(value: Fraction) -> Ratio:
    return Ratio(value.numerator, value.denominator)


def ratio_of(amount: Amount) -> Fraction:
    """Return a sum over fills as a fraction."""
    return amount.value if isinstance(amount, Ratio) else Fraction(amount)


def amount_of(spec: Spec, tick: int, lots: int) -> Amount:
    """Return what `lots` at one positive tick add to a sum over fills."""
    return _ratio(Fraction(lots, tick)) if spec.is_inverse else tick * lots


def part_of(amount: Amount, lots: int, all_lots: int) -> Amount:
    """Return the share that `lots` of `all_lots` have: exact for a ratio, rounded down for a whole number."""
    return _ratio(amount.value * lots / all_lots) if isinstance(amount, Ratio) else amount * lots // all_lots


def cash_value(spec: Spec, amount: Amount) -> int:
    """Return what a long position of a sum over fills is worth, in cash units; a short one is worth its negative."""
    return -round(spec.unit * ratio_of(amount)) if spec.is_inverse else spec.unit * amount  # type: ignore[operator,return-value]


def worst_value(spec: Spec, lots: int, *ticks: int) -> int:
    """Return the largest cash value that `lots` may have at one of some ticks, those that are not positive left out."""
    if spec.is_inverse:
        return -(-lots * spec.unit // min(tick for tick in ticks if tick > 0))
    return lots * max(ticks) * spec.unit


def told_notional(spec: Spec, event: VenueEvent) -> Amount | None:
    """Return the exact sum over all fills of an order that an event tells, None where it does not."""
    if not spec.is_inverse:
        return event.cum_notional
    if not event.cum_fills or sum(lots for lots, _ in event.cum_fills) != event.cum_lots:
        return None
    if any(lots <= 0 or tick <= 0 for lots, tick in event.cum_fills):
        return None
    return _ratio(sum((Fraction(lots, tick) for lots, tick in event.cum_fills), Fraction(0)))
