"""From a venue's units to ours: cash in whole units, times in ns that may be true."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from queuefront.core.clock import NS_PER

__all__ = ["cash", "plausible_ns"]

#: 2000-01-01 and 2100-01-01, ns UTC: milliseconds taken for ns, or an id taken for a time, lie outside.
_EARLIEST_NS: Final = 946_684_800 * NS_PER["s"]
_END_NS: Final = 4_102_444_800 * NS_PER["s"]


def cash(amount: Decimal | None, scale: int) -> int | None:
    """Return an amount in units of 10^-scale, halves to even; None stays None."""
    return None if amount is None else int(amount.scaleb(scale).to_integral_value(ROUND_HALF_EVEN))


def plausible_ns(value: int, unit: str = "ms") -> int | None:
    """Return a venue's time in ns UTC, or None where it is not between 2000 and 2100 and so cannot be one (H8.12)."""
    ns = value * NS_PER[unit]
    return ns if _EARLIEST_NS <= ns < _END_NS else None
