"""The venue's words; any other is UNSUPPORTED and never an error."""

from __future__ import annotations

from typing import Any

import pytest

from queuefront.venues.bybit.vocabulary import CLOSED_STATUSES, ExecKind, OrderKind, PositionSide, Side, Status, Tif, word

KINDS: list[Any] = [Status, Side, PositionSide, OrderKind, Tif, ExecKind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_word_is_known_and_an_invented_one_is_told_as_such(kind: Any) -> None:
    for member in kind:
        assert word(kind, member.value) is member
    for text in ("Invented", "new", None, 7, ["New"]):
        assert word(kind, text) is kind.UNSUPPORTED


def test_an_empty_position_side_is_flat_and_an_empty_side_is_none() -> None:
    assert word(PositionSide, "") is PositionSide.FLAT
    assert word(Side, "") is Side.UNSUPPORTED


def test_orders_that_can_fill_no_more() -> None:
    assert {status.value for status in CLOSED_STATUSES} == {
        "Filled", "Cancelled", "PartiallyFilledCanceled", "Rejected", "Deactivated",
    }  # fmt: skip
