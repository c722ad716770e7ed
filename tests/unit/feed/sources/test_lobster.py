"""LOBSTER's messages become a market by order."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    FILL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Tape, convert_lobster
from tests.unit.feed.sources.csv_files import file

HALVES = 3 << 30
NAME = "AAPL_2012-06-21_34200000_57600000_message_10.csv"
MIDNIGHT = 1_340_251_200_000_000_000  # in New York, which is four hours behind
TEXT = """34200.004241176,1,11,18,5853300,1
34200.025551909,4,11,7,5853300,1
34201,2,11,5,5853300,1
34202.5,1,12,4,5859100,-1
34203,3,11,6,5853300,1
34204,5,0,100,5853900,-1
34205,4,99,50,5859000,-1
34206,6,-1,10,5855000,1
34207,7,0,0,-1,-1
34208,4,12,4,5859100,-1
"""


def test_messages_become_rows_of_orders(tmp_path: Path):
    made = convert_lobster(file(tmp_path, TEXT.replace("6,-1,", "6,1,"), NAME))
    rows = [(int(r["ev"]) - HALVES, int(r["order_id"]), float(r["px"]), float(r["qty"])) for r in made.events]
    assert rows == [
        (ADD_ORDER_EVENT | BUY_EVENT, 11, 585.33, 18.0),
        (TRADE_EVENT | SELL_EVENT, 0, 585.33, 7.0),
        (FILL_EVENT | BUY_EVENT, 11, 585.33, 7.0),
        (MODIFY_ORDER_EVENT | BUY_EVENT, 11, 585.33, 11.0),
        (MODIFY_ORDER_EVENT | BUY_EVENT, 11, 585.33, 6.0),
        (ADD_ORDER_EVENT | SELL_EVENT, 12, 585.91, 4.0),
        (CANCEL_ORDER_EVENT | BUY_EVENT, 11, 585.33, 6.0),
        (TRADE_EVENT | BUY_EVENT, 0, 585.39, 100.0),
        (TRADE_EVENT | BUY_EVENT, 0, 585.9, 50.0),
        (TRADE_EVENT, 0, 585.5, 10.0),
        (TRADE_EVENT | BUY_EVENT, 0, 585.91, 4.0),
        (FILL_EVENT | SELL_EVENT, 12, 585.91, 4.0),
        (CANCEL_ORDER_EVENT | SELL_EVENT, 12, 585.91, 4.0),
    ]
    assert int(made.events["exch_ts"][0]) == MIDNIGHT + 34_200_004_241_176
    account = made.account
    assert account.lines_by_kind["trading halt"] == 1
    assert account.lines_by_kind["of orders entered before the file"] == 1
    assert account.notes == ["1 records are of orders entered before the file begins, which the book lacks"]
    assert (made.instrument.symbol, str(made.instrument.tick_size)) == ("AAPL", "0.01")
    tape = Tape.build(made.events, made.instrument, source="lobster")
    assert len(tape) == 13


def test_the_day_is_given_where_the_name_does_not_say_it(tmp_path: Path):
    path = file(tmp_path, TEXT[: TEXT.index("\n") + 1], "messages.csv")
    with pytest.raises(ConfigError) as caught:
        convert_lobster(path)
    assert str(caught.value) == f"{path}: times count from midnight and the file's name says no day; give date"
    made = convert_lobster(path, date="2012-06-21", timezone="UTC", symbol="AAPL")
    assert int(made.events["exch_ts"][0]) == MIDNIGHT - 4 * 3600 * 10**9 + 34_200_004_241_176


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"date": "today"}, "date is 'today'; give a day, such as 2012-06-21"),
        ({"date": "1066-10-14"}, "date is 1066-10-14; give a day from 1990 to 2099"),
        ({"timezone": "Atlantis"}, "timezone is 'Atlantis', which is not known here; give one such as America/New_York"),
    ],
)
def test_what_is_no_day_or_place_is_said(tmp_path: Path, options, message: str):
    with pytest.raises(ConfigError) as caught:
        convert_lobster(file(tmp_path, TEXT, NAME), **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5,1,1,5,10000,1\n1.5,1,1,5,10000,1\n", "line 2, field order_id: order 1 is entered a second time"),
        ("1.5,1,1,5,10000,1\n1.5,2,1,6,10000,1\n", "line 2, field order_id: order 1 has less left than is taken from it"),
        ("1.5,1,1,0,10000,1\n", "line 1, field size: the size is not positive, or beyond 2^53"),
        ("1.5,1,-1,5,10000,1\n", "line 1, field order_id: the order id is negative"),
        ("1.5,8,1,5,10000,1\n", "line 1, field type: '8' is none of 1, 2, 3, 4, 5, 6, 7"),
        ("86400,1,1,5,10000,1\n", "line 1, field time: '86400' is no time of a day in seconds"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, message: str):
    path = file(tmp_path, text, NAME)
    with pytest.raises(DataFormatError) as caught:
        convert_lobster(path)
    assert str(caught.value).startswith(f"{path}: {message}")
