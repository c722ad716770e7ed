"""What one unit of exact money is worth."""

from fractions import Fraction

from queuefront.core.money import amount_unit
from tests.small_market import INVERSE, LINEAR


def test_the_unit_of_a_linear_amount_is_one_lot_at_one_tick() -> None:
    assert amount_unit(LINEAR) == Fraction(1, 8)


def test_the_unit_of_an_inverse_amount_is_fine() -> None:
    assert amount_unit(INVERSE) == Fraction(100) / Fraction(1, 2) / 10**15
