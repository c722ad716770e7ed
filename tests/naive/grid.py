"""Numbers and rows as the specification counts them (spec B0, B1): ticks, lots, sides and kinds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from queuefront.core import Instrument
from queuefront.core.enums import BUY, BUY_EVENT, KIND_MASK, NONE, SELL, SELL_EVENT

__all__ = ["Grid", "Row", "RunError", "read_rows", "round_half_away"]


class RunError(Exception):
    """An error inside the run; `code` is what the call returns (spec B8.6)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the run stops with code {code}")
        self.code = code


class Row(NamedTuple):
    """One row of the market (spec B1.1)."""

    ev: int
    exch_ts: int
    local_ts: int
    px: float
    qty: float
    order_id: int
    index: int = 0  # in the tape

    @property
    def kind(self) -> int:
        return self.ev & KIND_MASK

    @property
    def side(self) -> int:
        """BUY, SELL or NONE; a row with both bits acts as BUY (spec B1.2)."""
        if self.ev & BUY_EVENT:
            return BUY
        return SELL if self.ev & SELL_EVENT else NONE


def read_rows(events: np.ndarray) -> list[Row]:
    """Read an EVENT array as rows."""
    columns = [events[name].tolist() for name in Row._fields if name != "index"]
    return [Row(*values, index) for index, values in enumerate(zip(*columns, strict=True))]


def round_half_away(x: float | Fraction) -> int:
    """Round to nearest, halves away from zero (spec B0.2)."""
    whole = math.trunc(x)
    if abs(x - whole) >= Fraction(1, 2):
        whole += 1 if x > 0 else -1
    return whole


@dataclass(frozen=True)
class Grid:
    """Prices as ticks and quantities as lots (spec B0.4)."""

    instrument: Instrument

    @property
    def tick_size(self) -> float:
        return float(self.instrument.tick_size)

    @property
    def lot_size(self) -> float:
        return float(self.instrument.lot_size)

    def tick(self, price: float) -> int:
        return round_half_away(price / self.tick_size)

    def lots(self, qty: float) -> int:
        return round_half_away(qty / self.lot_size)

    def quantity(self, lots: int) -> float:
        """Return the float that the decimal quantity parses to."""
        return float(lots * Fraction(self.instrument.lot_size))

    def is_whole_lots(self, qty: float) -> bool:
        """Whether a quantity is a positive whole number of lots, as far as floats can tell (D41)."""
        count = qty / self.lot_size
        return math.isfinite(count) and self.lots(qty) > 0 and abs(count - self.lots(qty)) <= max(1e-6, count * 1e-15)
