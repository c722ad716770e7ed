"""Books, trades and marks as event rows, with the venue's time or an honest substitute."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.venues.book_sync import BookSync, Notice, Rule
from queuefront.venues.bybit.market_data import BookMessage, MarketDecoder, PublicControl, RowsMessage
from queuefront.venues.errors import MessageError
from tests.venue_data import DATA, files, load, needs_data

NOW = 1_767_225_600_500_000_000
MS = 10**6
BOOK: dict[str, Any] = {
    "topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": 1767225600010, "cts": 1767225600003,
    "data": {"s": "BTCUSDT", "b": [["100.5", "2"]], "a": [["101", "1"], ["102", "3"]], "u": 7, "seq": 9},
}  # fmt: skip
TRADE: dict[str, Any] = {
    "topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1767225600010,
    "data": [
        {"T": 1767225600001, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "101", "i": "a", "BT": False},
        {"T": 1767225600002, "s": "BTCUSDT", "S": "Sell", "v": "0.25", "p": "100.5", "i": "b", "BT": False},
    ],
}  # fmt: skip


def decode(message: Any, decoder: MarketDecoder | None = None) -> Any:
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return (decoder or MarketDecoder()).decode(raw, NOW)


# --- books and trades -----------------------------------------------------------------------------------------------------
def test_a_book_is_bids_and_asks_at_the_time_of_the_engine() -> None:
    book = decode(BOOK)
    assert (book.symbol, book.is_whole, book.first_id, book.last_id) == ("BTCUSDT", True, 7, 7)
    assert book.rows["ev"].tolist() == [DEPTH_SNAPSHOT_EVENT | side for side in (BUY_EVENT, SELL_EVENT, SELL_EVENT)]
    assert book.rows["px"].tolist() == [100.5, 101.0, 102.0]
    assert set(book.rows["exch_ts"].tolist()) == {1767225600003 * MS}
    assert set(book.rows["local_ts"].tolist()) == {NOW}
    change = decode({**BOOK, "type": "delta", "data": {**BOOK["data"], "b": [["100.5", "0"]], "a": [], "u": 8}})
    assert (change.is_whole, change.rows["ev"].tolist(), change.rows["qty"].tolist()) == (
        False, [DEPTH_EVENT | BUY_EVENT], [0.0],
    )  # fmt: skip


def test_update_one_is_a_whole_book_whatever_it_says() -> None:
    assert decode({**BOOK, "type": "delta", "data": {**BOOK["data"], "u": 1}}).is_whole


def test_trades_say_who_took_and_each_its_own_time() -> None:
    trades = decode(TRADE)
    assert trades.kind == "trade"
    assert trades.rows["ev"].tolist() == [TRADE_EVENT | BUY_EVENT, TRADE_EVENT | SELL_EVENT]
    assert trades.rows["exch_ts"].tolist() == [1767225600001 * MS, 1767225600002 * MS]
    assert trades.exch_ts == 1767225600002 * MS


def test_a_block_trade_makes_no_row_and_a_sideless_one_keeps_its() -> None:
    decoder = MarketDecoder()
    block, sideless = {**TRADE["data"][0], "BT": True}, {**TRADE["data"][1], "S": "Both"}
    trades = decode({**TRADE, "data": [block, sideless]}, decoder)
    assert trades.rows["ev"].tolist() == [TRADE_EVENT]
    assert (decoder.block_trades, decoder.sideless_trades) == (1, 1)


def test_a_ticker_is_the_marks_that_it_names() -> None:
    data = {"symbol": "BTCUSDT", "markPrice": "100.1", "indexPrice": "100.2", "fundingRate": "-0.0001", "bid1Price": "1"}
    marks = decode({"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": 1767225600010, "data": data})
    assert marks.kind == "mark price"
    assert marks.rows["ev"].tolist() == [MARK_PRICE_EVENT, INDEX_PRICE_EVENT, FUNDING_RATE_EVENT]
    assert marks.rows["px"].tolist() == [100.1, 100.2, -0.0001]
    data = {"symbol": "BTCUSDT", "fundingRate": ""}
    assert len(decode({"topic": "tickers.BTCUSDT", "type": "delta", "ts": 1767225600010, "data": data}).rows) == 0


# --- time -----------------------------------------------------------------------------------------------------------------
# H8.3
@pytest.mark.parametrize("cts", ["missing", None, "", 0, 5, "junk", 99999999999999999, True, [1]])
def test_a_book_without_the_engines_time_takes_the_envelopes_and_is_counted(cts: Any) -> None:
    decoder = MarketDecoder()
    message = {k: v for k, v in BOOK.items() if k != "cts"} if cts == "missing" else {**BOOK, "cts": cts}
    book = decode(message, decoder)
    assert (book.exch_ts, book.is_exch_ts_local) == (1767225600010 * MS, False)
    assert (decoder.times.by_envelope, decoder.times.by_receipt) == (1, 0)
    assert len(book.rows) == 3


# H8.3
def test_a_book_without_any_time_takes_ours_and_says_so() -> None:
    decoder = MarketDecoder()
    book = decode({k: v for k, v in BOOK.items() if k not in ("cts", "ts")}, decoder)
    assert (book.exch_ts, book.is_exch_ts_local) == (NOW, True)
    assert set(book.rows["exch_ts"].tolist()) == {NOW}
    assert (decoder.times.by_envelope, decoder.times.by_receipt) == (0, 1)


# H8.3
def test_a_trade_without_its_time_takes_the_envelopes_and_then_ours() -> None:
    decoder = MarketDecoder()
    data = [{k: v for k, v in TRADE["data"][0].items() if k != "T"}, TRADE["data"][1]]
    trades = decode({**TRADE, "data": data}, decoder)
    assert trades.rows["exch_ts"].tolist() == [1767225600010 * MS, 1767225600002 * MS]
    assert (decoder.times.by_envelope, decoder.times.by_receipt, trades.is_exch_ts_local) == (1, 0, False)
    trades = decode({"topic": TRADE["topic"], "data": data[:1]}, decoder)
    assert (trades.rows["exch_ts"].tolist(), trades.is_exch_ts_local) == ([NOW], True)
    assert (decoder.times.by_envelope, decoder.times.by_receipt) == (1, 1)


def test_a_whole_message_counts_no_fallback() -> None:
    decoder = MarketDecoder()
    decode(BOOK, decoder)
    decode(TRADE, decoder)
    assert (decoder.times.by_envelope, decoder.times.by_receipt) == (0, 0)


# --- recordings -----------------------------------------------------------------------------------------------------------
def recorded() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for path in files("bybit/ws_public/*.json"):
        body = json.loads(path.read_text())
        found += [(path.stem, message) for message in (body if isinstance(body, list) else [body])]
    pages = [p for p in load("bybit/ws_doc_examples.json") if p["page"].startswith("websocket/public")]
    return found + [(p["page"], message) for p in pages for message in p["examples"]]


@needs_data
def test_every_recorded_public_message_decodes() -> None:
    counts: dict[str, int] = {}
    for name, message in recorded():
        decoder = MarketDecoder()
        decoded = decode(message, decoder)
        counts[type(decoded).__name__] = counts.get(type(decoded).__name__, 0) + 1
        topic = str(message.get("topic", ""))
        data = message.get("data")
        if isinstance(decoded, BookMessage):
            assert topic.startswith("orderbook."), name
            assert len(decoded.rows) == len(data["b"]) + len(data["a"]), name
            assert decoded.exch_ts == message.get("cts", message["ts"]) * MS, name
            assert decoder.times.by_envelope == ("cts" not in message), name
        elif isinstance(decoded, RowsMessage) and decoded.kind == "trade":
            assert len(decoded.rows) == sum(not trade.get("BT", False) for trade in data), name
            assert decoded.rows["px"].tolist() == [float(t["p"]) for t in data if not t.get("BT", False)], name
            assert decoder.sideless_trades == 0, name
        elif isinstance(decoded, RowsMessage):
            assert topic.startswith("tickers."), name
            named = [data.get(key) for key in ("markPrice", "indexPrice", "fundingRate")]
            assert decoded.rows["px"].tolist() == [float(value) for value in named if value], name
        elif isinstance(decoded, PublicControl):
            assert decoded.is_success is message.get("success", False), name
        else:
            assert decoded == topic, name
    assert counts["BookMessage"] > 10
    assert counts["RowsMessage"] > 10
    assert counts["PublicControl"] >= 4


@needs_data
def test_a_recorded_session_makes_one_whole_book_without_a_gap() -> None:
    sync = BookSync(Rule.IN_STREAM)
    sync.connect(0)
    notices = []
    for message in json.loads((DATA / "bybit/ws_public/recorded_orderbook50_2026.json").read_text()):
        decoded = decode(message)
        if isinstance(decoded, BookMessage):
            published = sync.replace(decoded) if decoded.is_whole else sync.receive(decoded)
            notices += [p.notice for p in published]
    assert notices == [Notice.SYNCED, None]
    assert (sync.is_valid, sync.counts.gaps) == (True, 0)
    assert sync.book.best_bid is not None
    assert sync.book.best_ask is not None
    assert sync.book.best_bid[0] < sync.book.best_ask[0]


@needs_data
def test_a_recorded_answer_of_the_book_decodes() -> None:
    book = MarketDecoder().decode_answer((DATA / "bybit/rest/get_orderbook.json").read_bytes(), NOW)
    assert (book.symbol, book.is_whole, book.last_id) == ("BTCUSDT", True, 1234567)
    assert book.rows["px"].tolist() == [27450.5, 27450.0, 27449.5, 27451.0, 27451.5, 27452.0]
    assert (book.exch_ts, book.is_exch_ts_local) == (1709891679000 * MS, False)


# --- what cannot be used --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "partial"}, "`type` is 'partial'; it is snapshot or delta"),
        ({"data": {**BOOK["data"], "u": -1}}, "`u` is -1"),
        ({"data": {**BOOK["data"], "b": [["-1", "2"]]}}, "a level is -1.0"),
        ({"data": {**BOOK["data"], "b": [["NaN", "2"]]}}, "a level is nan"),
        ({"data": {**BOOK["data"], "b": [["1", "-2"]]}}, "a level is 1.0 × -2.0"),
        ({"data": {}}, "missing required field"),
    ],
)
def test_a_book_that_cannot_be_is_refused_whole(change: dict[str, Any], words: str) -> None:
    with pytest.raises(MessageError, match=words):
        decode({**BOOK, **change})


def test_trades_of_two_symbols_are_refused() -> None:
    with pytest.raises(MessageError, match="trades of BTCUSDT and of ETHUSDT"):
        decode({**TRADE, "data": [TRADE["data"][0], {**TRADE["data"][1], "s": "ETHUSDT"}]})


def test_an_answer_that_is_no_book_is_refused() -> None:
    for body in (b"<html>", b'{"retCode":0}', b'{"retCode":0,"result":{}}'):
        with pytest.raises(MessageError, match=r"order book: .*the answer begins"):
            MarketDecoder().decode_answer(body, NOW)


def test_an_answer_without_success_is_a_failure_without_words() -> None:
    assert decode({"op": "subscribe", "req_id": "3"}) == PublicControl("subscribe", "3", False, "")


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(message: bytes) -> None:
    try:
        MarketDecoder().decode(message, NOW)
    except MessageError:
        return
