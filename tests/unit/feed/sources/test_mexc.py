"""MEXC's changes, best levels and deals become events."""

from __future__ import annotations

import json

import msgspec
import pytest

from queuefront.core import ConfigError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed.sources.mexc import MexcDecoder, convert_mexc
from queuefront.feed.sources.refusal import LineRefused
from tests.unit.feed.sources.raw_files import START_MS, facts, raw_file


def message(name, data, ms=0, **changes):
    return {"c": f"spot@public.{name}.v3.api@SOLUSDT", "d": data, "s": "SOLUSDT", "t": START_MS + ms} | changes


def levels(*pairs):
    return [{"p": px, "v": qty} for px, qty in pairs]


def change(r="1", ms=0, **sides):
    return message("increase.depth", {**sides, "e": "spot@public.increase.depth.v3.api", "r": r}, ms)


def limit(r="1", ms=0, **sides):
    return message("limit.depth", {**sides, "r": r}, ms, c="spot@public.limit.depth.v3.api@SOLUSDT@10")


def deals(*data, ms=0):
    return message("deals", {"deals": list(data), "e": "spot@public.deals.v3.api"}, ms)


def test_changes_best_levels_and_deals_make_their_rows(tmp_path):
    path = raw_file(
        tmp_path,
        limit(bids=levels(("186.69", "46.87")), asks=levels(("186.70", "340.03"))),
        change("2", 1, asks=levels(("187.57", "0.00")), bids=levels(("186.2", "1"))),
        deals({"p": "186.7", "v": "1.5", "S": 2, "t": START_MS + 1}, {"p": "186.7", "v": "2", "S": 1, "t": START_MS + 2}),
    )
    conversion = convert_mexc(path)
    assert facts(conversion.events) == [
        (DEPTH_SNAPSHOT_EVENT | BUY_EVENT, 0, 186.69, 46.87),
        (DEPTH_SNAPSHOT_EVENT | SELL_EVENT, 0, 186.7, 340.03),
        (DEPTH_EVENT | BUY_EVENT, 1, 186.2, 1.0),
        (DEPTH_EVENT | SELL_EVENT, 1, 187.57, 0.0),
        (TRADE_EVENT | SELL_EVENT, 1, 186.7, 1.5),
        (TRADE_EVENT | BUY_EVENT, 2, 186.7, 2.0),
    ]
    assert (conversion.instrument.venue, conversion.instrument.symbol) == ("mexc", "SOLUSDT")
    assert str(conversion.instrument.tick_size) == "0.01"


def test_a_hole_in_the_versions_is_a_gap_and_best_levels_have_none(tmp_path):
    bids = levels(("1", "1"))
    path = raw_file(tmp_path, change("5", bids=bids), limit("9", bids=bids), change("6", bids=bids), change("8", bids=bids))
    account = convert_mexc(path).account
    assert [(gap.line, gap.size) for gap in account.gaps] == [(4, 1)]


def test_answers_are_counted_and_errors_quoted(tmp_path):
    more = [{"id": 0, "code": 0, "msg": "spot@public.deals.v3.api@SOLUSDT"}, {"code": 5, "msg": "no"}, {}]
    path = raw_file(tmp_path, change(bids=levels(("1", "1"))), *more, message("kline", {}))
    account = convert_mexc(path).account
    assert account.lines_by_kind == {"answer": 1, "error": 1, "increase.depth": 1, "kline": 1, "other": 1}
    assert account.venue_messages[0].text == "5 no"


def test_a_deal_of_an_unknown_side_is_kept_without(tmp_path):
    path = raw_file(tmp_path, deals({"p": "1", "v": "1", "S": 7, "t": START_MS}))
    conversion = convert_mexc(path, tick_size=1, lot_size=1)
    assert facts(conversion.events) == [(TRADE_EVENT, 0, 1.0, 1.0)]
    assert conversion.account.notes == ["1 trades of an unknown side have none"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (change(bids=levels(("-1", "1"))), "Expected `float` > 0.0 - at `$.bids[0].p`"),
        (change("-7"), "`d.r` is -7; an update id is at least 0 and below 2^63"),
        (change(bids=[{"p": "1"}]), "Object missing required field `v` - at `$.bids[0]`"),
        (deals({"p": "1", "v": "inf", "t": 1}), "Expected `float` <= 1.7976931348623157e+308 - at `$.deals[0].v`"),
        (
            change(ms=-START_MS),
            "`t` is 0; a time in steps of 1,000,000 ns is 631,152,000,000 (1990) to 9,223,372,036,854",
        ),
    ],
)
def test_messages_that_cannot_be_used_are_refused(wrong, reason):
    with pytest.raises((LineRefused, msgspec.MsgspecError)) as caught:
        MexcDecoder(1_000_000).decode(json.dumps(wrong).encode())
    assert str(caught.value) == reason


def test_a_step_of_no_time_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        convert_mexc(raw_file(tmp_path, change()), exch_ts_multiplier=0.5)
    assert str(caught.value) == "exch_ts_multiplier is 0.5; give a whole number from 1"
