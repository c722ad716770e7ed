from __future__ import annotations

import pytest

from queuefront.venues import ORDER_KINDS, EventKind, Side


def test_an_unknown_kind_is_unsupported_and_no_error() -> None:
    assert EventKind(1_234) is EventKind.UNSUPPORTED
    with pytest.raises(ValueError, match="ACK"):
        EventKind("ACK")  # a word is a mistake of ours, not news of the venue's


def test_sides_have_signs_and_orders_their_kinds() -> None:
    assert (Side.LONG.sign, Side.SHORT.sign) == (1, -1)
    assert set(EventKind) - ORDER_KINDS == {
        EventKind.MARK_PRICE,
        EventKind.FUNDING,
        EventKind.LIQUIDATION,
        EventKind.POSITION_DRIFT,
    }
