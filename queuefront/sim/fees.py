"""The fee models of a replayed exchange, as a user names them.

Inside, a fee is an integer: a rate in steps of 1e-9 times an exact notional or quantity, see `bot.money_compiled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import FEE_TIER
from queuefront.core.enums import CONTRACT_LINEAR, FEE_DIRECTIONAL_QTY, FEE_FLAT, FEE_QTY, FEE_VALUE
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number, exact
from queuefront.core.money import E18, INVERSE_SCALE, amount_unit

__all__ = [
    "DirectionalFees",
    "DirectionalQtyFees",
    "FeeModel",
    "FlatFees",
    "QtyFees",
    "TieredFees",
    "ValueFees",
    "fee_table",
]


Tier = tuple[Fraction, int, int, int, int]  # from this traded value: maker buy, maker sell, taker buy, taker sell


def _rate_e9(value: Number, name: str, rate_max: int) -> int:
    rate = exact(value, f"{name} fee")
    scaled = rate.scaleb(9)
    if scaled != scaled.to_integral_value():
        raise ConfigError(f"the {name} fee is {rate}; give at most nine decimals, so that fees stay exact")
    if abs(rate) > rate_max:
        raise ConfigError(f"the {name} fee is {rate}; give a fraction, for example 0.0002 for two basis points")
    return int(scaled)


@dataclass(frozen=True, slots=True)
class _Fees:
    maker: Number = 0
    taker: Number = 0

    def __post_init__(self) -> None:
        self.tiers_e9()

    def rates_e9(self) -> tuple[int, int]:
        """Return (maker, taker) rates × 1e9; ConfigError for a rate with more than nine decimals or above 10."""
        maker, taker = (_rate_e9(getattr(self, name), name, self._rate_max()) for name in ("maker", "taker"))
        return maker, taker

    def tiers_e9(self) -> list[Tier]:
        """Return the rates × 1e9 of every side, from each traded value on."""
        maker, taker = self.rates_e9()
        return [(Fraction(0), maker, maker, taker, taker)]

    @staticmethod
    def _rate_max() -> int:
        return 10**6


@dataclass(frozen=True, slots=True)
class ValueFees(_Fees):
    """A fraction of the notional, for passive (maker) and taking (taker) executions; negative is a rebate."""

    code: ClassVar[int] = FEE_VALUE

    @staticmethod
    def _rate_max() -> int:
        return 1


@dataclass(frozen=True, slots=True)
class QtyFees(_Fees):
    """An amount of currency per unit of quantity."""

    code: ClassVar[int] = FEE_QTY


@dataclass(frozen=True, slots=True)
class FlatFees(_Fees):
    """An amount of currency per execution."""

    code: ClassVar[int] = FEE_FLAT


@dataclass(frozen=True, slots=True)
class DirectionalFees(ValueFees):
    """A fraction of the notional, to which buyers and sellers add one of their own, as for a stamp duty."""

    buyer: Number = 0
    seller: Number = 0

    def tiers_e9(self) -> list[Tier]:
        """Return the rates × 1e9 of every side."""
        maker, taker = self.rates_e9()
        buyer, seller = (_rate_e9(getattr(self, name), name, self._rate_max()) for name in ("buyer", "seller"))
        return [(Fraction(0), maker + buyer, maker + seller, taker + buyer, taker + seller)]


@dataclass(frozen=True, slots=True)
class DirectionalQtyFees(QtyFees):
    """An amount of currency per unit of quantity, to which buyers and sellers add a fraction of the notional."""

    buyer: Number = 0
    seller: Number = 0
    code: ClassVar[int] = FEE_DIRECTIONAL_QTY

    def __post_init__(self) -> None:
        self.tiers_e9()
        self.sides_e9()

    def sides_e9(self) -> tuple[int, int]:
        """Return the fractions × 1e9 that (buyers, sellers) add; ConfigError for more than nine decimals or above 1."""
        buyer, seller = (_rate_e9(getattr(self, name), name, 1) for name in ("buyer", "seller"))
        return buyer, seller


@dataclass(frozen=True, slots=True)
class TieredFees:
    """A fraction of the notional that depends on the value traded so far.

    tiers : (traded value, maker, taker) rows, ascending by value and beginning with 0. A fill pays the rates of the value
        that was traded before it.
    """

    tiers: Sequence[tuple[Number, Number, Number]]
    code: ClassVar[int] = FEE_VALUE

    def __post_init__(self) -> None:
        values = [tier[0] for tier in self.tiers_e9()]
        if not values or values[0] != 0 or any(b <= a for a, b in pairwise(values)):
            shown = ", ".join(str(row[0]) for row in self.tiers) or "none"
            raise ConfigError(f"the tiers of a fee begin at {shown}; give ascending traded values, the first of them 0")

    def rates_e9(self) -> tuple[int, int]:
        """Return the (maker, taker) rates × 1e9 of the first tier."""
        _, maker, _, taker, _ = self.tiers_e9()[0]
        return maker, taker

    def tiers_e9(self) -> list[Tier]:
        """Return the rates × 1e9 of every side, from each traded value on."""
        out = []
        for value, maker, taker in self.tiers:
            maker_e9, taker_e9 = _rate_e9(maker, "maker", 1), _rate_e9(taker, "taker", 1)
            out.append((Fraction(exact(value, "traded value")), maker_e9, maker_e9, taker_e9, taker_e9))
        return out


FeeModel = ValueFees | QtyFees | FlatFees | DirectionalFees | DirectionalQtyFees | TieredFees


# --- for the engine -----------------------------------------------------------------------------------------------


def fee_table(fees: FeeModel, instrument: Instrument) -> tuple[npt.NDArray[np.void], Fraction]:
    """Return (FEE_TIER rows, currency of one fee unit).

    On a linear notional rates are counted in their greatest common divisor, so that fees stay exact and large orders still
    fit.
    """
    if isinstance(fees, DirectionalQtyFees):
        return _directional_qty_table(fees, instrument)
    unit = amount_unit(instrument)
    tiers = fees.tiers_e9()
    is_linear = instrument.contract_code == CONTRACT_LINEAR
    step = (gcd(*(rate for tier in tiers for rate in tier[1:])) or 1) if fees.code == FEE_VALUE and is_linear else 1
    rows = np.zeros(len(tiers), FEE_TIER)
    for row, (value, *rates) in zip(rows, tiers, strict=True):
        units = -(-value // unit)  # the first whole amount at which it is reached
        row["from_high"], row["from_low"] = divmod(units, E18)
        for name, rate in zip(_RATE_NAMES, rates, strict=True):
            row[name] = rate // step
    rows.flags.writeable = False
    if fees.code == FEE_VALUE:
        return rows, unit * step / 10**9 if is_linear else unit / 10**4
    return rows, Fraction(instrument.lot_size) / 10**9 if fees.code == FEE_QTY else Fraction(1, 10**9)


def _directional_qty_table(fees: DirectionalQtyFees, instrument: Instrument) -> tuple[npt.NDArray[np.void], Fraction]:
    """Return the one row of a fee on quantity and of each side on value, and the currency of one fee unit.

    The unit divides the greatest common divisor of the fees of one lot so often that, on a linear notional, what the sides
    add is a whole number of units too. On an inverse one that is rounded, to about 1e-12 of the largest fee of one
    lot: on quantity, or on value at a price of one tick.
    """
    maker, taker = fees.rates_e9()
    step, amount = gcd(maker, taker) or 1, amount_unit(instrument)
    lot_fee = Fraction(instrument.lot_size) * step / 10**9
    added = [amount * side / 10**9 for side in fees.sides_e9()]
    parts = lcm(*((x / lot_fee).denominator for x in added))
    if instrument.contract_code != CONTRACT_LINEAR:
        largest = max(*(lot_fee * abs(rate) / step for rate in (maker, taker)), *(abs(x) * INVERSE_SCALE for x in added))
        if maker == taker == 0:
            lot_fee = largest or lot_fee
        parts = max(int(lot_fee * _INVERSE_PARTS / largest), 1) if largest else 1
    rows = np.zeros(1, FEE_TIER)
    for name, rate in zip(_RATE_NAMES, (maker, maker, taker, taker), strict=True):
        rows[name] = rate // step * parts
    for name, x in zip(("buyer", "seller"), added, strict=True):
        per_amount = x * parts / lot_fee
        whole = int(per_amount)
        rest = (per_amount - whole).limit_denominator(_BASE_MAX)
        rows[f"{name}_whole"], rows[f"{name}_rest"], rows[f"{name}_base"] = whole, rest.numerator, rest.denominator
    rows.flags.writeable = False
    return rows, lot_fee / parts


_BASE_MAX: Final = 3 * 10**18
_INVERSE_PARTS: Final = 10**12  # fine enough for satoshis, and orders of millions of contracts still fit
_RATE_NAMES: Final = ("maker_buy_e9", "maker_sell_e9", "taker_buy_e9", "taker_sell_e9")
