"""What raw streams refuse in numbers, and how."""

from __future__ import annotations

import msgspec
import pytest

from queuefront.feed.sources.refusal import LineRefused, check_levels, check_update_id, ms_to_ns, refusal_of


class Trade(msgspec.Struct):
    px: float


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ([(1.0, 1.0), (0.0, 1.0)], "`b[1]` has the price 0.0; a price is positive and finite"),
        ([(-1.0, 1.0)], "`b[0]` has the price -1.0; a price is positive and finite"),
        ([(float("nan"), 1.0)], "`b[0]` has the price nan; a price is positive and finite"),
        ([(float("inf"), 1.0)], "`b[0]` has the price inf; a price is positive and finite"),
        ([(1.0, -0.5)], "`b[0]` has the quantity -0.5; a quantity is finite and not negative"),
        ([(1.0, float("nan"))], "`b[0]` has the quantity nan; a quantity is finite and not negative"),
        ([(1.0, float("inf"))], "`b[0]` has the quantity inf; a quantity is finite and not negative"),
    ],
)
def test_levels_that_cannot_be_are_refused(levels, reason):
    with pytest.raises(LineRefused) as caught:
        check_levels(levels, "b")
    assert caught.value.reason == reason
    assert caught.value.field == reason.split("`")[1]


def test_a_quantity_of_nothing_is_a_removed_level():
    check_levels([(1.0, 0.0)], "b")


@pytest.mark.parametrize(
    ("ms", "fits"), [(1, True), (0, False), (-1, False), (9_223_372_036_854, True), (9_223_372_036_855, False)]
)
def test_times_that_do_not_fit_are_refused(ms, fits):
    """H0.5."""
    if fits:
        assert ms_to_ns(ms, "T") == ms * 1_000_000
        return
    with pytest.raises(LineRefused) as caught:
        ms_to_ns(ms, "T")
    assert caught.value.reason == (
        f"`T` is {ms}; a time in steps of 1,000,000 ns is positive and at most 9,223,372,036,854"
    )


@pytest.mark.parametrize("number", [-1, 2**63])
def test_update_ids_that_do_not_fit_are_refused(number):
    check_update_id(0, "u")
    check_update_id(2**63 - 1, "u")
    with pytest.raises(LineRefused) as caught:
        check_update_id(number, "u")
    assert caught.value.reason == f"`u` is {number}; an update id is at least 0 and below 2^63"


def test_a_decoders_error_names_its_field():
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(b'{"px":"x"}', type=Trade)
    refused = refusal_of(caught.value)
    assert (refused.field, refused.reason) == ("px", "Expected `float`, got `str` - at `$.px`")
    assert refusal_of(RecursionError("deep")).field == ""
