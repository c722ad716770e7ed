"""What is traded: its grid, its contract, and exact conversions between the market's decimals and our integers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import CONTRACT_INVERSE, CONTRACT_LINEAR, ContractKind
from queuefront.core.errors import ConfigError, OffGridError

__all__ = ["Instrument", "Number", "exact", "round_half_away"]

Number = Decimal | int | str | float

#: Largest tick or lot count that may enter the engine: products with a fee rate of 1e-9 steps then stay within int64.
MAX_COUNT: Final = 2**53

_CONTRACT_CODES: Final = {ContractKind.LINEAR: CONTRACT_LINEAR, ContractKind.INVERSE: CONTRACT_INVERSE}


def exact(value: Number, name: str) -> Decimal:
    """Return the decimal that `value` was written as.

    A float stands for its shortest decimal text, so 0.1 is one tenth and not its binary neighbour.

    Raises
    ------
    ConfigError
        If it is not a finite number.
    """
    try:
        number = Decimal(repr(float(value))) if isinstance(value, float | np.floating) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as e:
        raise ConfigError(f"{name} is {value!r}; give a decimal number, for example '0.01'") from e
    if not number.is_finite():
        raise ConfigError(f"{name} is {value!r}; give a finite decimal number, for example '0.01'")
    return number


def round_half_away(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round to nearest, halves away from zero (spec B0.2: neither NumPy's nor Python's `round`)."""
    truncated = np.trunc(x)
    return np.where(np.abs(x - truncated) >= 0.5, truncated + np.sign(x), truncated)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument at one venue.

    Prices are counts of `tick_size`, quantities counts of `lot_size`; the conversions below are exact and refuse what does
    not fit. Decimal fields accept text, integers, decimals, and floats (read as their shortest text).
    """

    venue: str
    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    contract: ContractKind = ContractKind.LINEAR
    multiplier: Decimal = Decimal(1)  # contract size: linear, base units per quantity; inverse, quote units per contract
    min_notional: Decimal | None = None
    base: str = ""
    quote: str = ""

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "multiplier"):
            value = exact(getattr(self, name), name)
            if value <= 0:
                raise ConfigError(f"{name} of {self.venue}:{self.symbol} is {value}; it must be positive")
            object.__setattr__(self, name, value.normalize())
        if self.min_notional is not None:
            object.__setattr__(self, "min_notional", exact(self.min_notional, "min_notional"))
        try:
            object.__setattr__(self, "contract", ContractKind(self.contract))
        except ValueError as e:
            kinds = ", ".join(ContractKind)
            raise ConfigError(f"contract kind {self.contract!r} is unknown; choose one of {kinds}") from e
        for name in ("tick_size", "lot_size"):
            _ratio(getattr(self, name), name)

    # --- one value ---------------------------------------------------------------------------------------------------
    def price_to_tick(self, price: Number) -> int:
        """Return the tick of a price. Raises OffGridError if it lies between two ticks."""
        return self._count(price, self.tick_size, "price", "tick_size")

    def qty_to_lots(self, qty: Number) -> int:
        """Return the lots of a quantity. Raises OffGridError if it is not a whole number of lots."""
        return self._count(qty, self.lot_size, "quantity", "lot_size")

    def tick_to_price(self, tick: int) -> Decimal:
        """Return the price of a tick, exactly."""
        return tick * self.tick_size

    def lots_to_qty(self, lots: int) -> Decimal:
        """Return the quantity of so many lots, exactly."""
        return lots * self.lot_size

    def _count(self, value: Number, step: Decimal, what: str, step_name: str) -> int:
        number = Fraction(exact(value, what)) / Fraction(step)
        if number.denominator != 1:
            raise OffGridError(f"{what} {value} of {self.venue}:{self.symbol} is not a multiple of {step_name} {step}")
        if abs(number) > MAX_COUNT:
            raise OffGridError(
                f"{what} {value} of {self.venue}:{self.symbol} is {int(number):,} steps of {step}; the limit is 2^53"
            )
        return int(number)

    # --- columns ------------------------------------------------------------------------------------------------------
    def ticks(self, prices: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return (ticks, is_on_grid) of float64 prices; see `steps`."""
        return steps(prices, self.tick_size)

    def lots(self, quantities: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return (lots, is_on_grid) of float64 quantities; see `steps`."""
        return steps(quantities, self.lot_size)

    def prices(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the float64 nearest to each tick's price: what parsing its decimal text would give."""
        return values(ticks, self.tick_size)

    def quantities(self, lots: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the float64 nearest to each quantity: what parsing its decimal text would give."""
        return values(lots, self.lot_size)

    # --- constants of compiled code -----------------------------------------------------------------------------------
    @property
    def contract_code(self) -> int:
        """CONTRACT_LINEAR or CONTRACT_INVERSE."""
        return _CONTRACT_CODES[self.contract]

    @property
    def tick_ratio(self) -> tuple[int, int]:
        """Tick size as (numerator, power of ten); price = tick × numerator / denominator, rounded once."""
        return _ratio(self.tick_size, "tick_size")

    @property
    def lot_ratio(self) -> tuple[int, int]:
        """Lot size as (numerator, power of ten)."""
        return _ratio(self.lot_size, "lot_size")

    # --- text ---------------------------------------------------------------------------------------------------------
    def override(self, **changes: Any) -> Instrument:
        """Return a copy with the given fields changed; None means unchanged."""
        known = {f.name for f in fields(self)}
        if unknown := sorted(changes.keys() - known):
            raise ConfigError(f"an instrument has no field {unknown[0]!r}; it has {', '.join(sorted(known))}")
        return replace(self, **{k: v for k, v in changes.items() if v is not None})

    def to_dict(self) -> dict[str, str | None]:
        """Return the fields as text, for JSON and file metadata."""
        return {f.name: None if (v := getattr(self, f.name)) is None else format_decimal(v) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Instrument:
        """Build an instrument from `to_dict`'s result.

        Raises
        ------
        ConfigError
            For a missing or unknown field, or a value that is no number.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(data.keys() - known):
            raise ConfigError(f"an instrument has no field {unknown[0]!r}; it has {', '.join(sorted(known))}")
        missing = [k for k in ("venue", "symbol", "tick_size", "lot_size") if data.get(k) is None]
        if missing:
            raise ConfigError(f"the instrument lacks {missing[0]!r}")
        return cls(**{k: v for k, v in data.items() if v is not None})


def format_decimal(value: object) -> str:
    """Write a decimal without exponent or trailing zeros; anything else by `str`."""
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def _ratio(step: Decimal, name: str) -> tuple[int, int]:
    numerator, denominator = Fraction(step).limit_denominator(10**30).as_integer_ratio()
    exponent = max(0, -int(step.normalize().as_tuple().exponent))
    denominator_10 = 10**exponent
    numerator = numerator * denominator_10 // denominator
    # Powers of ten up to 1e22 are exact in binary64, so the division rounds once.
    if exponent > 18 or numerator > 2**31:
        raise ConfigError(f"{name} {step} is outside 1e-18 … 2^31; quote the market in other units")
    return numerator, denominator_10


def values(counts: npt.NDArray[np.int64], step: Decimal) -> npt.NDArray[np.float64]:
    """Return counts × step as the nearest float64, for |counts × numerator| <= 2^53."""
    numerator, denominator = _ratio(step, "step")
    return (counts * np.int64(numerator)).astype(np.float64) / np.float64(denominator)


def steps(x: npt.NDArray[np.float64], step: Decimal) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the nearest count of `step` for each value, and whether the value is exactly that count.

    A value is on the grid when it is the float64 nearest to the count's decimal, which is what a decimal text on the grid
    parses to. NaN, infinities and counts beyond 2^53 are off the grid and give 0.
    """
    numerator, _ = _ratio(step, "step")
    with np.errstate(invalid="ignore", over="ignore"):
        nearest = round_half_away(x / np.float64(float(step)))
        is_usable = np.isfinite(nearest) & (np.abs(nearest) * numerator <= float(MAX_COUNT))
    counts = np.where(is_usable, nearest, 0.0).astype(np.int64)
    return counts, is_usable & (values(counts, step) == x)
