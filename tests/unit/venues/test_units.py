"""Cash in whole units, and times that may be true."""

from __future__ import annotations

from decimal import Decimal

import pytest

from queuefront.venues.units import cash, plausible_ns


def test_cash_is_counted_in_units_halves_to_even() -> None:
    assert (cash(Decimal("0.125"), 2), cash(Decimal("-1.5"), 0), cash(None, 3)) == (12, -2, None)


# H8.12
@pytest.mark.parametrize(
    ("ms", "ns"),
    [
        (946_684_799_999, None),
        (946_684_800_000, 946_684_800 * 10**9),
        (4_102_444_799_999, 4_102_444_799_999 * 10**6),
        (4_102_444_800_000, None),
        (0, None),
        (-1, None),
        (1_697_673_600, None),  # seconds
        (1_697_673_600_012 * 10**6, None),  # ns already
    ],
)
def test_a_time_lies_between_2000_and_2100(ms: int, ns: int | None) -> None:
    assert plausible_ns(ms) == ns


def test_other_units_are_scaled() -> None:
    assert plausible_ns(1_697_673_600, "s") == plausible_ns(1_697_673_600_000)
