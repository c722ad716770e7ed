"""The scanner of a file knows the names and the symbol that it was told, and nothing that it was not."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT
from queuefront.feed.sources.bybit_compiled import USE_BOOK, USE_TRADES, scan_lines
from queuefront.feed.sources.message_compiled import STATE_GAPS, STATE_LOCAL_TS, STATE_SET_ASIDE, USE_COUNT
from queuefront.feed.sources.message_scan import LineScan, Name, Scan
from tests.unit.feed.sources.raw_files import LATENCY_NS, START, START_MS, raw_line
from tests.unit.feed.sources.test_bybit import book, trade, trades

BOOK = Name("orderbook.50.XYZUSDT", USE_BOOK, "orderbook.50", "orderbook.50.XYZUSDT")
TRADES = Name("publicTrade.XYZUSDT", USE_TRADES, "publicTrade", "")


def scan_of(*names, symbol="XYZUSDT", silence_ns=10**10):
    scan = LineScan(Scan(scan_lines), silence_ns)
    scan.state[STATE_LOCAL_TS] = -1
    for name in names:
        scan.learn(symbol, name)
    return scan


def text_of(*messages, step_ns=1_000_000):
    return b"".join(raw_line(message, START + i * step_ns + LATENCY_NS) for i, message in enumerate(messages))


def run(scan, text, last_ids=None, counts=None):
    ids, taken = {} if last_ids is None else last_ids, {"orderbook.50": 0, "publicTrade": 0, "kline": 0}
    end, lines, rows = scan.run(np.frombuffer(text, np.uint8), 0, ids, taken if counts is None else counts)
    return end, lines, [(int(row["ev"]), float(row["px"]), float(row["qty"])) for row in rows]


def test_a_message_is_taken_once_its_name_is_known():
    text = text_of(book([["99", "1"]], [["101", "2"]]))
    assert run(scan_of(), text) == (0, 0, [])
    assert run(scan_of(TRADES), text) == (0, 0, [])
    rows = [(DEPTH_EVENT | BUY_EVENT, 99.0, 1.0), (DEPTH_EVENT | SELL_EVENT, 101.0, 2.0)]
    assert run(scan_of(TRADES, BOOK), text) == (len(text), 1, rows)


def test_a_message_of_another_symbol_is_left_to_the_decoder():
    text = text_of(book([["99", "1"]], []))
    assert run(scan_of(BOOK, symbol="XYZUSD"), text)[:2] == (0, 0)
    assert run(scan_of(BOOK, symbol=""), text)[:2] == (0, 0)


def test_the_scan_ends_before_the_line_that_it_does_not_know():
    known = text_of(book([["99", "1"]], []))
    end, lines, rows = run(scan_of(BOOK), known + text_of({"topic": "other"}) + known)
    assert (end, lines, len(rows)) == (len(known), 1, 1)


def test_ids_counts_gaps_and_what_is_set_aside_are_told():
    scan, ids, counts = scan_of(BOOK, TRADES, silence_ns=0), {BOOK.stream: 4}, {"orderbook.50": 2, "publicTrade": 0}
    text = text_of(
        book([["99", "1"]], [], u=7),
        trades(trade(BT=True), trade()),
        book([["99", "1"]], [], u=5),
        book([["99", "1"]], [], u=1, kind="snapshot"),
    )
    assert run(scan, text, ids, counts)[1] == 4
    assert (ids, counts) == ({BOOK.stream: 1}, {"orderbook.50": 5, "publicTrade": 1})
    received = [START + LATENCY_NS + i * 1_000_000 for i in range(4)]
    assert scan.gaps[: scan.state[STATE_GAPS]].tolist() == [
        [0, 1, received[0], 2],
        [1, 0, received[1], 1_000_000],
        [2, 0, received[2], 1_000_000],
        [2, 1, received[2], -3],
        [3, 0, received[3], 1_000_000],
    ]
    assert scan.state[STATE_LOCAL_TS] == received[3]
    assert scan.state[STATE_SET_ASIDE] == 1


def test_names_of_one_stream_share_its_ids():
    one, two = (Name(text, USE_BOOK, "orderbook.50", "ids") for text in (BOOK.text, "orderbook.50.other"))
    ids: dict[str, int] = {}
    text = text_of(book([], [], u=3), {**book([], [], u=4), "topic": two.text})
    assert run(scan_of(one, two), text, ids)[1] == 2
    assert ids == {"ids": 4}


@pytest.mark.parametrize("message", [{"topic": "kline", "ts": START_MS, "data": [{"a": None}]}, {"topic": "kline"}])
def test_messages_that_are_only_counted_make_no_rows(message):
    counts = {"kline": 0}
    assert run(scan_of(Name("kline", USE_COUNT, "kline", "")), text_of(message), counts=counts)[1:] == (1, [])
    assert counts == {"kline": 1}


def test_a_name_that_is_too_long_and_one_too_many_are_not_kept():
    long = "x" * 80
    assert run(scan_of(Name(long, USE_COUNT, "kline", "")), text_of({"topic": long}))[1] == 0
    scan = scan_of(*[Name(f"name{i}", USE_COUNT, "kline", "") for i in range(17)])
    assert run(scan, text_of({"topic": "name15"}))[1] == 1
    assert run(scan, text_of({"topic": "name16"}))[1] == 0
