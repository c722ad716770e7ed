"""What the compiled scanner of CSV records takes, and what it leaves to the parser."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.feed.sources.csv_columns import Column
from queuefront.feed.sources.csv_plan import ScanPlan

COLUMNS = (
    Column("ts", "time", units=("ms",)),
    Column("symbol", "same"),
    Column("side", "choice", choices={b"b": 1, b"bid": 2, b"unknown": 0}),
    Column("px", "price"),
    Column("qty", "qty", is_optional=True),
    Column("rate", "number"),
    Column("id", "whole"),
    Column("s", "seconds"),
)
NAMES = ["ts", "note", "other", "symbol", "side", "px", "qty", "rate", "id", "s"]
PLAN = ScanPlan(NAMES, COLUMNS, [NAMES.index(c.name) for c in COLUMNS], {"ts": "ms"}, {"symbol": "BTC-PERP"})
GOOD = "1723075200001,n,,BTC-PERP,bid,100.25,7.5,-0.0001,-12,1723075200.6912\n"


def scan(text: str) -> tuple[int, int, dict[str, np.ndarray]]:
    return PLAN.scan(text.encode(), 0)


def test_a_plain_line_is_taken() -> None:
    end, count, columns = scan(GOOD * 3)
    assert (end, count) == (3 * len(GOOD), 3)
    assert {name: values.tolist() for name, values in columns.items()} == {
        "ts": [1_723_075_200_001_000_000] * 3,
        "side": [2] * 3,
        "px": [100.25] * 3,
        "qty": [7.5] * 3,
        "rate": [-0.0001] * 3,
        "id": [-12] * 3,
        "s": [1_723_075_200_691_200_000] * 3,
    }


@pytest.mark.parametrize(
    ("field", "good", "name", "value"),
    [
        ("100.25", "1e-7", "px", 1e-7),
        ("100.25", "9007199254740992", "px", 2.0**53),
        ("100.25", "0.1e22", "px", 1e21),
        ("100.25", "12345678.12345678", "px", 12345678.12345678),
        (",7.5,", ",,", "qty", np.nan),
        (",7.5,", ",0,", "qty", 0.0),
        ("-12", "999999999999999999", "id", 999_999_999_999_999_999),
        ("1723075200.6912", "1723075200.123456789", "s", 1_723_075_200_123_456_789),
        ("1723075200.6912", "1723075200", "s", 1_723_075_200_000_000_000),
        ("n,,BTC", '"x" 0x10,a b,BTC', "id", -12),
        ("\n", "\r\n", "id", -12),
    ],
)
def test_values_at_their_limits(field: str, good: str, name: str, value: float) -> None:
    text = GOOD.replace(field, good) + GOOD
    end, count, columns = scan(text)
    assert (end, count) == (len(text), 2)
    np.testing.assert_equal(columns[name][0], value)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("1723075200001,", "17230752000010000,"),  # of another unit
        ("1723075200001,", "-1723075200001,"),
        ("1723075200001,", "1234567890123456789,"),
        ("BTC-PERP", "BTC-PERQ"),
        ("BTC-PERP", "BTC-PERP2"),
        ("BTC-PERP", "BTC"),
        ("bid", "bi"),
        ("bid", "bidd"),
        ("bid", " bid"),
        ("100.25", "0"),
        ("100.25", "-1"),
        ("100.25", ""),
        ("100.25", "9007199254740993"),
        ("100.25", "1e23"),
        ("100.25", "100."),
        ("100.25", ".5"),
        ("100.25", "0100"),
        ("100.25", "1.2345678901234567890123456789"),
        ("100.25", "nan"),
        ("100.25", "1.5x"),
        ("1723075200.6912", "1723075200.1234567891"),
        ("1723075200.6912", "1723075200."),
        ("1723075200.6912", "172307520.5"),
        ("-12", "--12"),
        ("-12", ""),
        ("-12", "1.0"),
        ("n,", "n,n,"),
        ("n,,", "n,"),
        ("n,,", "\0,,"),
        ("n,,", "é,,"),
        ("\n", "\0\n"),
        ("\n", "\r\r\n"),
        (GOOD, "\n"),
    ],
)
def test_anything_else_is_left_where_it_begins(field: str, bad: str) -> None:
    assert field in GOOD
    end, count, _ = scan(GOOD + GOOD.replace(field, bad, 1) + GOOD)
    assert (end, count) == (len(GOOD), 1)
