"""What raw streams refuse in numbers, and how."""

from __future__ import annotations

import msgspec
import pytest

from queuefront.feed.sources.refusal import Level, LineRefused, check_update_id, ms_to_ns, refusal_of


class Trade(msgspec.Struct):
    px: float


@pytest.mark.parametrize(
    ("level", "reason"),
    [
        ('["0", "1"]', "Expected `float` > 0.0 - at `$[0]`"),
        ("[-1, 1]", "Expected `float` > 0.0 - at `$[0]`"),
        ('["nan", "1"]', "Expected `float` > 0.0 - at `$[0]`"),
        ('["inf", "1"]', "Expected `float` <= 1.7976931348623157e+308 - at `$[0]`"),
        ('["1", "-0.5"]', "Expected `float` >= 0.0 - at `$[1]`"),
        ('["1", "NaN"]', "Expected `float` >= 0.0 - at `$[1]`"),
        ('["1", "Infinity"]', "Expected `float` <= 1.7976931348623157e+308 - at `$[1]`"),
        ('["1", "1e999"]', "Number out of range - at `$[1]`"),
    ],
)
def test_levels_that_cannot_be_are_refused(level, reason):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(level, type=Level, strict=False)
    assert str(caught.value) == reason


def test_a_quantity_of_nothing_is_a_removed_level():
    assert msgspec.json.decode('["1.5", "0"]', type=Level, strict=False) == (1.5, 0.0)


@pytest.mark.parametrize(
    ("ms", "fits"),
    [
        (631_152_000_000, True),
        (631_151_999_999, False),
        (1_700_000_000, False),
        (0, False),
        (-1, False),
        (9_223_372_036_854, True),
        (9_223_372_036_855, False),
    ],
)
def test_times_that_do_not_fit_are_refused(ms, fits):
    """H0.5."""
    if fits:
        assert ms_to_ns(ms, "T") == ms * 1_000_000
        return
    with pytest.raises(LineRefused) as caught:
        ms_to_ns(ms, "T")
    assert caught.value.reason == (
        f"`T` is {ms}; a time in steps of 1,000,000 ns is 631,152,000,000 (1990) to 9,223,372,036,854"
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
