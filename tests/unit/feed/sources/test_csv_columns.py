"""What fields may hold."""

from __future__ import annotations

import pyarrow as pa
import pytest

from queuefront.feed.sources.csv_columns import Column


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("time", b"12", ""),
        ("time", b"1.5", "'1.5' is no whole number"),
        ("whole", b"0x10", "'0x10' is no whole number"),
        ("whole", b"9223372036854775808", "'9223372036854775808' does not fit into int64"),
        ("price", b"1e3", ""),
        ("price", b"abc", "'abc' is no decimal number"),
        ("price", b"", "the field is empty"),
        ("seconds", b"1.5", ""),
        ("choice", b"anything", ""),
    ],
)
def test_the_form_of_a_field_is_checked(kind, text: bytes, reason: str):
    assert Column("x", kind).fault_of(text) == reason


def test_a_field_may_be_empty_where_it_says_so():
    assert Column("x", "price", is_optional=True).fault_of(b"") == ""


def test_the_unit_of_a_time_is_found_by_its_size():
    column = Column("t", "time", units=("ms", "us"))
    assert [column.unit_of(ts) for ts in (1_700_000_000_000, 1_700_000_000_000_000, 5)] == ["ms", "us", "ms"]


def test_seconds_with_decimals_stay_exact():
    column = Column("t", "seconds")
    array = pa.array(["1700000000.123456789", "1700000000.1"]).cast(pa.decimal128(20, 9))
    ns, faults = column.take(array, "")
    assert ns.tolist() == [1_700_000_000_123_456_789, 1_700_000_000_100_000_000]
    assert not faults[0][0].any()
    assert column.take(array[1:], "")[0].tolist() == [1_700_000_000_100_000_000]


def test_a_time_of_another_unit_is_a_fault_and_does_not_overflow():
    column = Column("t", "time")
    ns, [(is_far, what)] = column.take(pa.array([2**63 - 1, 1_700_000_000_000, 1_700_000_000_000_000]), "us")
    assert is_far.tolist() == [True, True, False]
    assert ns[2] == 1_700_000_000_000_000_000
    assert what == "is no time in us between 1990-01-01 and 2100-01-01"
