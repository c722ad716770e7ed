"""The order constants have the reference's values."""

import hftbacktest.order as reference
import pytest

from queuefront.compat.hftbacktest import order


@pytest.mark.parametrize("name", order.__all__)
def test_a_constant_has_the_reference_s_value(name: str) -> None:
    assert getattr(order, name) == getattr(reference, name)
