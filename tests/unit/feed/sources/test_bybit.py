"""Bybit's raw stream becomes events: one level of the book, or all of them fused."""

from __future__ import annotations

import json

import msgspec
import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.sources.bybit import BybitDecoder, convert_bybit
from queuefront.feed.sources.refusal import LineRefused
from tests import venue_data
from tests.unit.feed.sources.raw_files import START_MS, facts, raw_file

BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT
SNAP_BID, SNAP_ASK = DEPTH_SNAPSHOT_EVENT | BUY_EVENT, DEPTH_SNAPSHOT_EVENT | SELL_EVENT
CLEAR_BID, CLEAR_ASK = DEPTH_CLEAR_EVENT | BUY_EVENT, DEPTH_CLEAR_EVENT | SELL_EVENT


def book(bids, asks, *, u=1, level=50, ms=0, kind="delta", **changes):
    data = {"s": "XYZUSDT", "b": bids, "a": asks, "u": u, "seq": 9}
    message = {"topic": f"orderbook.{level}.XYZUSDT", "type": kind, "ts": START_MS + ms, "data": data, "cts": START_MS - 3}
    return message | changes


def trade(px="100.5", v="2", side="Buy", ms=0, **changes):
    return {"T": START_MS + ms, "s": "XYZUSDT", "S": side, "v": v, "p": px, "L": "PlusTick", "BT": False} | changes


def trades(*data, ms=1):
    return {"topic": "publicTrade.XYZUSDT", "type": "snapshot", "ts": START_MS + ms, "data": list(data)}


SNAPSHOT = book([["100", "1"], ["99", "2"]], [["101", "3"]], kind="snapshot")


def test_one_level_clears_up_to_the_worst_price_and_takes_the_snapshot(tmp_path):
    delta = book([["99", "0"]], [["101", "1.5"], ["102", "4"]], u=2, ms=1)
    conversion = convert_bybit(raw_file(tmp_path, SNAPSHOT, delta), level=50)
    assert facts(conversion.events) == [
        (CLEAR_BID, 0, 99.0, 0.0),
        (SNAP_BID, 0, 100.0, 1.0),
        (SNAP_BID, 0, 99.0, 2.0),
        (CLEAR_ASK, 0, 101.0, 0.0),
        (SNAP_ASK, 0, 101.0, 3.0),
        (BID, 1, 99.0, 0.0),
        (ASK, 1, 101.0, 1.5),
        (ASK, 1, 102.0, 4.0),
    ]
    assert (conversion.instrument.venue, conversion.instrument.symbol) == ("bybit", "XYZUSDT")
    assert conversion.account.gap_count == 0


def test_other_levels_are_counted(tmp_path):
    path = raw_file(tmp_path, SNAPSHOT, book([["100", "1"]], [], level=1, kind="snapshot"), {"topic": "tickers.XYZUSDT"})
    account = convert_bybit(path, level=50).account
    assert account.lines_by_kind == {"orderbook.1 (not taken)": 1, "orderbook.50": 1, "tickers": 1}


def test_trades_take_their_own_time_and_the_takers_side(tmp_path):
    path = raw_file(tmp_path, SNAPSHOT, trades(trade(ms=1), trade("100", "1", "Sell", ms=2), ms=3))
    rows = [row for row in facts(convert_bybit(path, level=50).events) if row[0] & 0xFF == TRADE_EVENT]
    assert rows == [(TRADE_EVENT | BUY_EVENT, 1, 100.5, 2.0), (TRADE_EVENT | SELL_EVENT, 2, 100.0, 1.0)]


def test_block_trades_make_no_rows_and_an_unknown_side_is_kept_without(tmp_path):
    path = raw_file(tmp_path, SNAPSHOT, trades(trade(BT=True), trade(side="None"), trade(RPI=True)))
    conversion = convert_bybit(path, level=50, tick_size="0.5", lot_size="1")
    kinds = [row[0] for row in facts(conversion.events)]
    assert kinds[-2:] == [TRADE_EVENT, TRADE_EVENT | BUY_EVENT]
    assert conversion.account.notes == [
        "1 block trades, agreed on beside the book, make no rows",
        "1 trades of an unknown side have none",
    ]


def test_all_levels_are_fused_and_trades_join_by_exchange_time(tmp_path):
    best = book([["100.5", "7"]], [["101", "3"]], level=1, kind="snapshot", ms=3)
    stale = book([["100", "9"]], [], u=2, ms=2)  # sent before what the best prices already told
    path = raw_file(tmp_path, SNAPSHOT, best, stale, trades(trade(ms=1)))
    conversion = convert_bybit(path, tick_size="0.5", lot_size="1")
    rows = facts(conversion.events[conversion.events["ev"] >> 31 & 1 == 1])
    assert [row for row in rows if row[0] & 0xFF == DEPTH_CLEAR_EVENT] == []
    assert (SNAP_BID, 3, 100.5, 7.0) in rows
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert (TRADE_EVENT | BUY_EVENT, 1, 100.5, 2.0) in rows


def test_the_grid_is_inferred_for_the_fused_book_too(tmp_path):
    account = convert_bybit(raw_file(tmp_path, SNAPSHOT)).account
    assert (account.tick_size, account.lot_size, account.tick_size_inferred_from) == ("1", "1", 3)


def test_a_hole_in_the_update_ids_of_a_topic_is_a_gap(tmp_path):
    path = raw_file(tmp_path, SNAPSHOT, book([], [], u=2), book([], [], u=7, level=1), book([], [], u=5))
    account = convert_bybit(path, tick_size=1, lot_size=1).account
    assert [(gap.line, gap.size) for gap in account.gaps] == [(4, 2)]


def test_answers_are_counted_and_failures_quoted(tmp_path):
    answers = [
        {"success": True, "ret_msg": "", "conn_id": "x", "op": "subscribe"},
        {"success": False, "ret_msg": "Invalid topic", "op": "subscribe"},
        {"code": 10001, "msg": "no"},
        {},
    ]
    account = convert_bybit(raw_file(tmp_path, SNAPSHOT, *answers)).account
    assert account.lines_by_kind == {"answer": 1, "error": 2, "orderbook.50": 1, "other": 1}
    assert [message.text for message in account.venue_messages] == ["subscribe: Invalid topic", "10001 no"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (book([], [], kind="other"), "`type` is 'other'; it is snapshot or delta"),
        (book([["x", "1"]], []), "Expected `float`, got `str` - at `$.b[0][0]`"),
        (book([["1"]], []), "Expected `array` of length 2 - at `$.b[0]`"),
        (book([["nan", "1"]], []), "Expected `float` > 0.0 - at `$.b[0][0]`"),
        (book([], [["1", "-1"]]), "Expected `float` >= 0.0 - at `$.a[0][1]`"),
        (book([], [], u=-1), "`u` is -1; an update id is at least 0 and below 2^63"),
        (book([], [], u=2**64), "`u` is 18446744073709551616; an update id is at least 0 and below 2^63"),
        (
            book([], [], ts=0),
            "`ts` is 0; a time in steps of 1,000,000 ns is 631,152,000,000 (1990) to 9,223,372,036,854",
        ),
        (book([], [], data={"s": "X"}), "Object missing required field `b`"),
        (trades(trade(v="1e999")), "Number out of range - at `$[0].v`"),
        (trades(trade(), trade(s="ABC")), "trades of XYZUSDT and of ABC in one message"),
    ],
)
def test_messages_that_cannot_be_used_are_refused(message, reason):
    with pytest.raises((LineRefused, msgspec.MsgspecError)) as caught:
        BybitDecoder(None).decode(json.dumps(message).encode())
    assert str(caught.value) == reason


def test_a_level_below_one_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        convert_bybit(raw_file(tmp_path, SNAPSHOT), level=0)
    assert str(caught.value) == "level is 0; give the number in orderbook.<level>, or none to fuse all"


def test_two_symbols_in_a_file_are_refused(tmp_path):
    other = json.loads(json.dumps(SNAPSHOT).replace("XYZUSDT", "ABC"))
    with pytest.raises(DataFormatError, match="the message is of ABC, the file of XYZUSDT"):
        convert_bybit(raw_file(tmp_path, SNAPSHOT, other))


def test_d83_a_fused_file_without_trades_is_whole(tmp_path):
    """D83."""
    rows = facts(convert_bybit(raw_file(tmp_path, SNAPSHOT)).events)
    assert rows == [(SNAP_BID, 0, 100.0, 1.0), (SNAP_BID, 0, 99.0, 2.0), (SNAP_ASK, 0, 101.0, 3.0)]


@venue_data.needs_data
def test_every_recorded_message_is_decoded():
    """Unknown fields and kinds lose nothing: each recording of 2023 and 2026 is decoded, and each level makes a row."""
    count = 0
    for path in venue_data.files("bybit/ws_public/*.json"):
        messages = json.loads(path.read_text("utf-8"))
        for message in messages if isinstance(messages, list) else [messages]:
            decoded = BybitDecoder(None).decode(json.dumps(message).encode())
            data = message.get("data", [])
            if message.get("topic", "").startswith("orderbook."):
                assert sum(len(levels) for _, _, levels in decoded.runs) == len(data["b"]) + len(data["a"])
                count += 1
            elif message.get("topic", "").startswith("publicTrade."):
                assert sum(len(levels) for _, _, levels in decoded.runs) == len(data)
                count += 1
    assert count > 10
