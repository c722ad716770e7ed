"""How much of a position one exit closes (spec 7).

A leg is its ratio of what remains, rounded down to a lot; the last leg, and any EXIT beyond the legs, is everything that
remains. A leg below the venue's minimum joins the next; what a leg would leave below the minimum joins the leg.
"""

from __future__ import annotations

from typing import NamedTuple

from queuefront.kernel.records import Spec
from queuefront.kernel.state import Slot

__all__ = ["Leg", "next_leg"]


class Leg(NamedTuple):
    """The leg that an EXIT closes: its number from 0 after merging, its size, and the size that its ratios asked for."""

    number: int
    lots: int
    intended: int


def next_leg(slot: Slot, spec: Spec, bound: int | None, reference_tick: int) -> Leg:
    """Return the leg that the next EXIT closes.

    Parameters
    ----------
    slot : an open slot.
    spec : its instrument.
    bound : an upper bound of the caller's, or None.
    reference_tick : prices the venue's minimum notional.
    """
    remaining = slot.size
    minimum = least_lots(spec, reference_tick)
    index = slot.leg_index
    if slot.leg_intended:
        lots = min(slot.leg_intended - slot.leg_filled, remaining)
    else:
        index, lots = _planned(slot, remaining, minimum)
    if remaining - lots < minimum:
        lots = remaining
    intended = lots + (slot.leg_filled if slot.leg_intended else 0)
    return Leg(index, lots if bound is None else min(lots, bound), intended)


def _planned(slot: Slot, remaining: int, minimum: int) -> tuple[int, int]:
    lots = 0
    for index in range(slot.leg_index, len(slot.exit_legs)):
        if index >= len(slot.exit_legs) - 1:
            return index, remaining
        numerator, denominator = slot.exit_legs[index]
        lots += (remaining - lots) * numerator // denominator
        if lots >= minimum:
            return index, lots
    return max(slot.leg_index, len(slot.exit_legs) - 1), remaining


def least_lots(spec: Spec, reference_tick: int) -> int:
    """Return the smallest quantity that the venue takes at a price."""
    by_notional = 0
    if spec.min_notional and spec.is_inverse:
        by_notional = -(-spec.min_notional * reference_tick // spec.unit)
    elif spec.min_notional:
        by_notional = -(-spec.min_notional // (spec.unit * reference_tick))
    return max(spec.min_lots, by_notional, 1)
