"""The scanner agrees with the decoder on every line, or leaves it to it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core import EVENT
from queuefront.feed.sources.binance import Wanted, decode_message
from queuefront.feed.sources.binance_compiled import (
    COL_EXCH_TS,
    COL_FIRST_ID,
    COL_KIND,
    COL_LAST_ID,
    COL_LOCAL_TS,
    COL_PREV_ID,
    LINE_COLUMNS,
    OPT_BOOK_TICKER,
    OPT_COMBINED,
    OPT_MARK_PRICE,
    OPT_SPOT,
    scan_lines,
)
from queuefront.feed.sources.refusal import LineRefused

LOCAL_TS = 1_700_000_000_000_000_000
T = 1_700_000_000_004
LAST_EXCH_TS = 1_600_000_000_000_000_000

decimals = st.one_of(
    st.decimals(min_value=0, max_value=10**7, places=3).map(str),
    st.decimals(min_value=0, max_value=10**7, places=8).map(lambda d: f"{d:f}"),
    st.from_regex(r"-?[0-9]{0,19}\.?[0-9]{0,19}([eE]-?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["", "NaN", "0", "-0", "00.5", ".5", "5.", "9007199254740993", "9007199254740992", "1e5", "1.2.3"]),
)
levels = st.lists(st.tuples(decimals, decimals), max_size=4)
whole = st.one_of(
    st.integers(6 * 10**11, 10**13), st.integers(0, 10**13), st.integers(-5, 10**20), st.just("7"), st.just(1.5), st.none()
)
names = st.sampled_from(["trade", "depthUpdate", "bookTicker", "markPriceUpdate", "kline", "trad", "tradee", ""])
fields = st.fixed_dictionaries(
    {},
    optional={
        "e": names,
        "T": whole,
        "E": whole,
        "s": st.sampled_from(["BTCUSDT", "ETHUSDT", "BTC", "BTCUSDTX", "é"]),
        "U": whole,
        "u": whole,
        "pu": whole,
        "p": decimals,
        "q": decimals,
        "X": st.sampled_from(["MARKET", "MARKETS", "NA"]),
        "m": st.one_of(st.booleans(), st.sampled_from([0, 1, "true", None])),
        "b": st.one_of(levels, decimals),
        "a": st.one_of(levels, decimals),
        "B": decimals,
        "A": decimals,
        "i": decimals,
        "r": decimals,
        "M": st.booleans(),
        "x": st.one_of(st.text(max_size=3), st.integers(), st.none(), st.just([]), st.just({}), st.just("tr\\ue")),
    },
)


def typical(event: dict) -> dict:
    """Complete an event, so that it is often valid."""
    return {"e": "trade", "T": T, "E": T + 1, "s": "BTCUSDT", "p": "1.5", "q": "2", "X": "MARKET", "m": False} | event


def rows_of(decoded, local_ts: int) -> list[tuple]:
    exch_ts = decoded.exch_ts or LAST_EXCH_TS
    return [(ev, exch_ts, local_ts, px, qty) for ev, px, qty in decoded.rows]


@pytest.mark.slow
@settings(deadline=None, max_examples=600)
@given(
    event=st.one_of(fields, fields.map(typical)),
    order=st.randoms(use_true_random=False),
    is_spot=st.booleans(),
    is_combined=st.booleans(),
    tickers=st.booleans(),
    marks=st.booleans(),
    spaces=st.booleans(),
)
def test_a_scanned_line_is_what_the_decoder_makes_of_it(event, order, is_spot, is_combined, tickers, marks, spaces):
    items = list(event.items())
    order.shuffle(items)
    separators = (", ", ": ") if spaces else (",", ":")
    body = {"stream": "s", "data": dict(items)} if is_combined else dict(items)
    message = json.dumps(body, separators=separators, ensure_ascii=False).encode()
    options = OPT_SPOT * is_spot | OPT_COMBINED * is_combined | OPT_BOOK_TICKER * tickers | OPT_MARK_PRICE * marks
    line = b"%019d %s\n" % (LOCAL_TS, message)
    lines = np.zeros((2, LINE_COLUMNS), np.int64)
    rows = np.zeros(len(line), EVENT)
    symbol = np.frombuffer(bytearray(b"BTCUSDT"), np.uint8)
    end, count, row_count, last_exch_ts = scan_lines(
        np.frombuffer(line, np.uint8), 0, options, symbol, LAST_EXCH_TS, lines, rows
    )
    if not count:
        assert (end, row_count, last_exch_ts) == (0, 0, LAST_EXCH_TS)
        return
    assert end == len(line)
    try:
        decoded = decode_message(message, Wanted(is_spot, is_combined, tickers, marks))
    except LineRefused as e:
        raise AssertionError(f"scanned, but refused: {e.reason}") from e
    assert decoded.symbol in ("", "BTCUSDT")
    entry = lines[0]
    assert (entry[COL_KIND], entry[COL_LOCAL_TS]) == (decoded.kind, LOCAL_TS)
    if decoded.rows:
        assert entry[COL_EXCH_TS] == (decoded.exch_ts or LAST_EXCH_TS)
    if decoded.first_id or decoded.last_id or decoded.prev_id:
        ids = (entry[COL_FIRST_ID], entry[COL_LAST_ID], entry[COL_PREV_ID])
        assert ids == (decoded.first_id, decoded.last_id, decoded.prev_id)
    got = rows[:row_count]
    assert [tuple(r)[:5] for r in got.tolist()] == rows_of(decoded, LOCAL_TS)
    assert not got["order_id"].any()
    assert not got["ival"].any()
    assert not got["fval"].any()


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**53), st.integers(0, 16))
def test_a_decimal_is_the_nearest_float(mantissa, places):
    digits = f"{mantissa:0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    line = b'%019d {"stream":"s","data":{"e":"trade","T":1700000000004,"p":"%s","q":"1","X":"MARKET","m":true}}\n' % (
        LOCAL_TS,
        text.encode(),
    )
    rows = np.zeros(4, EVENT)
    lines = np.zeros((2, LINE_COLUMNS), np.int64)
    symbol = np.zeros(0, np.uint8)
    _, count, _, _ = scan_lines(np.frombuffer(line, np.uint8), 0, OPT_COMBINED, symbol, 0, lines, rows)
    assert count == (1 if mantissa else 0)
    if mantissa:
        assert rows["px"][0] == float(text)


def test_typical_lines_are_scanned_and_not_left_to_the_decoder():
    event = typical({})
    line = b"%019d %s\n" % (LOCAL_TS, json.dumps({"stream": "s", "data": event}, separators=(",", ":")).encode())
    rows = np.zeros(400, EVENT)
    lines = np.zeros((100, LINE_COLUMNS), np.int64)
    symbol = np.frombuffer(bytearray(b"BTCUSDT"), np.uint8)
    buf = np.frombuffer(line * 3, np.uint8)
    assert scan_lines(buf, 0, OPT_COMBINED, symbol, 0, lines, rows)[:3] == (len(buf), 3, 3)
    for cut in range(1, len(line) - 1):
        torn = np.frombuffer(line[:cut] + b"\n", np.uint8)
        assert scan_lines(torn, 0, OPT_COMBINED, symbol, 0, lines, rows)[:3] == (0, 0, 0)
