"""Funding: what longs and shorts of a perpetual contract pay one another.

At each funding time the position that we know of, after everything that has reached us by then, pays

- linear: position × mark price × multiplier × rate; cash falls by it;
- inverse: position × multiplier / mark price × rate, in base currency; as an inverse balance carries its sign inverted, the
  balance rises by it, so that equity falls in both cases where a long position pays.

The payment is rounded, half away from zero, to the unit in which the account counts cash (`core.money`). It is no
trade: value, volume and fees stay. Source: Binance, "Introduction to Binance Futures Funding Rates".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from queuefront.core.dtypes import FUNDING
from queuefront.core.enums import CONTRACT_LINEAR
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number, exact
from queuefront.core.money import amount_unit

__all__ = ["Funding", "funding_table"]

_BASE_MAX: Final = 3 * 10**18
_WHOLE_MAX: Final = 10**12  # times a position of millions of lots stays within int64


@dataclass(frozen=True, slots=True)
class Funding:
    """One payment: when, at which mark price, at which rate. A positive rate is paid by those who are long."""

    funding_ts: int
    mark_price: Number
    rate: Number


def funding_table(payments: Sequence[Funding], instrument: Instrument) -> npt.NDArray[np.void]:
    """Return FUNDING rows, ascending by time.

    Raises
    ------
    ConfigError
        For a price that is not positive, a rate of 1 or more, or numbers of too many digits to pay exactly.
    """
    rows = np.zeros(len(payments), FUNDING)
    for row, payment in zip(rows, sorted(payments, key=lambda p: p.funding_ts), strict=True):
        mark, rate = Fraction(exact(payment.mark_price, "mark_price")), Fraction(exact(payment.rate, "funding rate"))
        if mark <= 0 or abs(rate) >= 1:
            raise ConfigError(
                f"funding at {payment.funding_ts}: mark price {payment.mark_price}, rate {payment.rate}; give a "
                "positive price and a fraction, for example 0.0001"
            )
        lot_value = Fraction(instrument.lot_size) * Fraction(instrument.multiplier)
        is_linear = instrument.contract_code == CONTRACT_LINEAR
        per_lot = (lot_value * mark if is_linear else -lot_value / mark) * rate / amount_unit(instrument)
        whole = int(per_lot)
        rest = per_lot - whole
        if rest.denominator > _BASE_MAX or abs(whole) > _WHOLE_MAX:
            raise ConfigError(
                f"funding at {payment.funding_ts}: mark price {payment.mark_price} and rate {payment.rate} have too "
                "many digits to pay exactly; round them to what the venue publishes"
            )
        row["funding_ts"], row["whole"] = payment.funding_ts, whole
        row["rest"], row["base"] = rest.numerator, rest.denominator
    rows.flags.writeable = False
    return rows
