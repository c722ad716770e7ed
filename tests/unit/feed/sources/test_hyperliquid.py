"""Hyperliquid's whole books become changes, and its trades trades."""

from __future__ import annotations

import json

import msgspec
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed.sources.hyperliquid import HyperliquidDecoder, convert_hyperliquid
from queuefront.feed.sources.refusal import LineRefused
from tests.unit.feed.sources.raw_files import START_MS, facts, raw_file

BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT


def book(bids, asks, ms=0, coin="BTC"):
    levels = [[{"px": px, "sz": sz, "n": 1} for px, sz in side] for side in (bids, asks)]
    return {"channel": "l2Book", "data": {"coin": coin, "levels": levels, "time": START_MS + ms}}


def trade(px="100", sz="1", side="B", ms=0, **changes):
    return {"coin": "BTC", "hash": "0x0", "px": px, "side": side, "sz": sz, "tid": 1, "time": START_MS + ms} | changes


def trades(*data):
    return {"channel": "trades", "data": list(data)}


FIRST = book([("100", "1"), ("99", "2"), ("97", "2")], [("101", "3"), ("102", "1")])


def test_levels_that_changed_come_first_and_those_that_are_gone_last(tmp_path):
    second = book([("100", "5"), ("98", "1"), ("97", "2")], [("102", "1"), ("103", "4")], ms=1)
    conversion = convert_hyperliquid(raw_file(tmp_path, FIRST, second))
    assert facts(conversion.events) == [
        (BID, 0, 100.0, 1.0),
        (BID, 0, 99.0, 2.0),
        (BID, 0, 97.0, 2.0),
        (ASK, 0, 101.0, 3.0),
        (ASK, 0, 102.0, 1.0),
        (BID, 1, 100.0, 5.0),
        (BID, 1, 98.0, 1.0),
        (ASK, 1, 103.0, 4.0),
        (BID, 1, 99.0, 0.0),
        (ASK, 1, 101.0, 0.0),
    ]
    assert (conversion.instrument.venue, conversion.instrument.symbol) == ("hyperliquid", "BTC")


def test_levels_out_of_sight_stay_where_asked_for(tmp_path):
    path = raw_file(tmp_path, FIRST, book([("100", "1")], [], ms=1))
    gone = [row for row in facts(convert_hyperliquid(path).events) if row[3] == 0.0]
    assert gone == [(BID, 1, 99.0, 0.0), (BID, 1, 97.0, 0.0), (ASK, 1, 101.0, 0.0), (ASK, 1, 102.0, 0.0)]
    kept = convert_hyperliquid(path, delete_out_of_book=False).events
    assert not [row for row in facts(kept) if row[3] == 0.0]


def test_a_level_between_others_is_gone_whatever_was_asked_for(tmp_path):
    path = raw_file(tmp_path, FIRST, book([("100", "1"), ("97", "2")], [("101", "3"), ("102", "1")], ms=1))
    rows = facts(convert_hyperliquid(path, delete_out_of_book=False).events)
    assert rows[5:] == [(BID, 1, 99.0, 0.0)]


def test_trades_have_the_takers_side_and_their_own_time(tmp_path):
    path = raw_file(tmp_path, trades(trade(ms=-2), trade(side="A", px="99.5"), trade(side="?")))
    conversion = convert_hyperliquid(path, tick_size="0.5", lot_size="1")
    assert facts(conversion.events) == [
        (TRADE_EVENT | BUY_EVENT, -2, 100.0, 1.0),
        (TRADE_EVENT | SELL_EVENT, 0, 99.5, 1.0),
        (TRADE_EVENT, 0, 100.0, 1.0),
    ]
    assert conversion.account.notes == ["1 trades of an unknown side have none"]


def test_best_prices_and_other_channels_are_counted_and_errors_quoted(tmp_path):
    more = [{"channel": "bbo", "data": {}}, {"channel": "pong"}, {}, {"channel": "error", "data": "no such coin"}]
    account = convert_hyperliquid(raw_file(tmp_path, FIRST, *more)).account
    assert account.lines_by_kind == {"bbo": 1, "error": 1, "l2Book": 1, "other": 1, "pong": 1}
    assert account.venue_messages[0].text == "no such coin"


def test_times_may_have_another_step(tmp_path):
    message = json.loads(json.dumps(FIRST).replace(str(START_MS), str(START_MS * 1000)))
    events = convert_hyperliquid(raw_file(tmp_path, message), exch_ts_multiplier=1_000).events
    assert int(events["exch_ts"][0]) == START_MS * 1_000_000


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (book([("0", "1")], []), "Expected `float` > 0.0 - at `$.levels[0][0].px`"),
        (book([], [("1", "-2")]), "Expected `float` >= 0.0 - at `$.levels[1][0].sz`"),
        (
            book([(str(i), "1") for i in range(1, 22)], []),
            "`levels[0]` has 21 levels where levels_max is 20; give more",
        ),
        (
            {"channel": "l2Book", "data": {"coin": "BTC", "levels": [[]], "time": 1}},
            "Expected `array` of length 2 - at `$.levels`",
        ),
        (trades(trade(), trade(coin="ETH")), "trades of BTC and of ETH in one message"),
        (
            trades(trade(time=2**62)),
            "`time` is 4611686018427387904; a time in steps of 1,000,000 ns is 631,152,000,000 (1990) to 9,223,372,036,854",
        ),
    ],
)
def test_messages_that_cannot_be_used_are_refused(message, reason):
    with pytest.raises((LineRefused, msgspec.MsgspecError)) as caught:
        HyperliquidDecoder(20, 1_000_000, delete_out_of_book=True).decode(json.dumps(message).encode())
    assert str(caught.value) == reason


@pytest.mark.parametrize("name", ["levels_max", "exch_ts_multiplier"])
def test_options_that_count_nothing_are_refused(tmp_path, name):
    with pytest.raises(ConfigError) as caught:
        convert_hyperliquid(raw_file(tmp_path, FIRST), **{name: 0})
    assert str(caught.value) == f"{name} is 0; give a whole number from 1"
