"""One message at a time gives the rows of the converter: there is one decoder, with two callers."""

from __future__ import annotations

import gc
import gzip
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.core.enums import BEST_BID_EVENT, BUY_EVENT, DEPTH_EVENT, KIND_MASK, SELL_EVENT, TRADE_EVENT
from queuefront.core.errors import DataFormatError
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.row_spill import Rows
from queuefront.feed.sources.binance import Wanted
from queuefront.feed.sources.binance_lines import LineConverter
from queuefront.feed.sources.binance_message import MessageDecoder
from queuefront.feed.sources.raw import RawLines
from tests.differential.recorded import feed

NOW = 1_767_225_600_000_000_000
DEPTH = b'{"e":"depthUpdate","E":1767225600001,"T":1767225600000,"s":"BTCUSDT","U":5,"u":9,"pu":4,"b":[["1.5","2"]],"a":[]}'
TRADE = b'{"e":"trade","E":1767225600001,"T":1767225600000,"s":"BTCUSDT","t":1,"p":"1.5","q":"2","X":"MARKET","m":true}'
AGG = b'{"e":"aggTrade","E":1767225600001,"s":"BTCUSDT","a":1,"p":"1.5","q":"2","f":1,"l":1,"T":1767225600000,"m":false}'


def decoder(*, spot: bool = False, combined: bool = False) -> MessageDecoder:
    return MessageDecoder("BTCUSDT", is_spot=spot, is_combined=combined)


@pytest.mark.parametrize(
    ("name", "symbol", "is_spot"),
    [
        ("binance_usdm_btcusdt_20240808.gz", "BTCUSDT", False),
        ("binance_spot_btcusdt_20240808.gz", "BTCUSDT", True),
        ("binance_coinm_btcusd_perp_20240808.gz", "BTCUSD_PERP", False),
    ],
)
def test_a_recorded_session_gives_the_rows_of_the_converter(name: str, symbol: str, is_spot: bool, tmp_path: Path) -> None:
    """Trades, depth, book tickers; snapshots of spot take their time from what follows, which a live session cannot."""
    with gzip.open(feed(name)) as file:
        lines = [file.readline() for _ in range(3000)]
    lines = [line for line in lines if b'"stream"' in line[:60]]
    path = tmp_path / "part"
    path.write_bytes(b"".join(lines))
    account = ConversionAccount("x", str(path))
    wanted = Wanted(is_spot, is_combined=True, book_ticker=True, mark_price=True)
    expected = Rows([LineConverter(RawLines(path), wanted, account, stops=True).run(None)]).whole()
    live = MessageDecoder(symbol, is_spot=is_spot, is_combined=True)
    messages = [live.decode(line[20:-1], int(line[:19])) for line in lines]
    rows = np.concatenate([message.rows for message in messages])
    assert len(rows) > 4000
    if is_spot:  # a ticker before the first event has no time: the converter leaves it out, a session takes its own
        first = int(np.argmax((rows["ev"] & KIND_MASK) == DEPTH_EVENT))
        rows, expected = rows[first:], expected[-(len(rows) - first) :]
    assert rows.tobytes() == expected.tobytes()


def test_a_change_of_the_book_keeps_its_ids() -> None:
    message = decoder().decode(DEPTH, NOW)
    assert (message.kind, message.first_id, message.last_id, message.prev_id) == ("depth", 5, 9, 4)
    assert (message.exch_ts, message.local_ts, message.is_exch_ts_local) == (1_767_225_600_000_000_000, NOW, False)
    assert message.rows[["ev", "px", "qty"]].tolist() == [(DEPTH_EVENT | BUY_EVENT, 1.5, 2.0)]


@pytest.mark.parametrize("blank", [b"", b" "])
def test_only_a_change_or_a_whole_book_has_ids(blank: bytes) -> None:
    """J3: found by fuzzing; the scanner took the id of a ticker for one of a change, the decoder beside it did not."""
    ticker = b'{"e":"bookTicker","u":7,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1","T":1767225600000,"E":1767225600000%s}'
    message = decoder().decode(ticker % blank, NOW)
    assert message.kind == "book ticker"
    assert (message.first_id, message.last_id, message.prev_id) == (0, 0, 0)
    assert decoder()._decode(ticker % blank, decoder()._wanted, NOW)[:7] == message[:7]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7])
def test_a_number_in_place_of_the_kind_is_no_kind(number: int) -> None:
    """J3: found by fuzzing; the scanner took the number for its own code of a kind."""
    message = json.dumps({**json.loads(TRADE), "e": number}).encode()
    with pytest.raises(DataFormatError, match="field e: "):
        decoder().decode(message, NOW)


def test_a_combined_message_is_the_same_in_its_envelope() -> None:
    bare = decoder().decode(DEPTH, NOW)
    wrapped = decoder(combined=True).decode(b'{"stream":"btcusdt@depth@100ms","data":' + DEPTH + b"}", NOW)
    assert wrapped.rows.tobytes() == bare.rows.tobytes()


@pytest.mark.parametrize(("message", "side"), [(TRADE, SELL_EVENT), (AGG, BUY_EVENT)])
def test_a_trade_names_its_aggressor_alone_or_together(message: bytes, side: int) -> None:
    decoded = decoder().decode(message, NOW)
    assert decoded.kind == "trade"
    assert decoded.rows[["ev", "px", "qty"]].tolist() == [(TRADE_EVENT | side, 1.5, 2.0)]


def test_white_space_and_unknown_fields_change_nothing() -> None:
    loose = json.dumps({**json.loads(DEPTH), "st": 1, "ps": "BTCUSDT"}, indent=1).encode()
    assert decoder().decode(loose, NOW).rows.tobytes() == decoder().decode(DEPTH, NOW).rows.tobytes()


def test_a_second_line_within_a_message_is_not_read_as_another() -> None:
    smuggled = DEPTH + b"\n1767225600000000000 " + TRADE
    with pytest.raises(DataFormatError):
        decoder().decode(smuggled, NOW)


def test_a_large_message_finds_room() -> None:
    levels = [[f"{1 + i / 8}", "1"] for i in range(5000)]
    large = json.dumps({**json.loads(DEPTH), "b": levels}, separators=(",", ":")).encode()
    assert len(decoder().decode(large, NOW).rows) == 5000


def test_a_spot_snapshot_takes_our_time_and_says_so() -> None:
    """H8.13: the id 160 is never a time."""
    snapshot = decoder(spot=True, combined=True).decode_snapshot(
        b'{"lastUpdateId":160,"bids":[["1","10"]],"asks":[["2","100"]]}', NOW
    )
    assert (snapshot.last_id, snapshot.exch_ts, snapshot.is_exch_ts_local) == (160, NOW, True)
    assert set(snapshot.rows["exch_ts"]) == {NOW}
    futures = decoder().decode_snapshot(b'{"lastUpdateId":160,"E":2,"T":1767225600000,"bids":[],"asks":[]}', NOW + 5)
    assert (futures.exch_ts, futures.is_exch_ts_local) == (1_767_225_600_000_000_000, False)


def test_a_spot_ticker_takes_the_time_of_the_event_before_or_ours() -> None:
    spot = decoder(spot=True)
    ticker = b'{"u":400900217,"s":"BTCUSDT","b":"25.35","B":"31.21","a":"25.36","A":"40.66"}'
    first = spot.decode(ticker, NOW)
    assert (first.exch_ts, first.is_exch_ts_local, first.rows["ev"][0]) == (NOW, True, BEST_BID_EVENT)
    spot.decode(b'{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1767225600007,"m":true,"M":true}', NOW)
    assert spot.decode(ticker, NOW + 1).exch_ts == 1_767_225_600_007_000_000


def test_what_is_not_of_the_market_is_named() -> None:
    assert decoder().decode(b'{"result":null,"id":1}', NOW).kind == "other"
    kline = decoder().decode(b'{"e":"kline","s":"BTCUSDT"}', NOW)
    assert (kline.kind, kline.name, len(kline.rows)) == ("other", "kline", 0)
    error = decoder().decode(b'{"code":-1121,"msg":"Invalid symbol."}', NOW)
    assert (error.kind, error.name) == ("error", "-1121 Invalid symbol.")


def test_another_symbol_is_refused() -> None:
    with pytest.raises(DataFormatError) as caught:
        decoder().decode(DEPTH.replace(b"BTCUSDT", b"ETHUSDT"), NOW)
    begin = DEPTH.replace(b"BTCUSDT", b"ETHUSDT").decode()
    assert str(caught.value) == f"BTCUSDT, field s: the message is of ETHUSDT; the message begins {begin!r}"


def test_a_receipt_time_in_other_units_is_refused() -> None:
    with pytest.raises(DataFormatError) as caught:
        decoder().decode(DEPTH, 1_767_225_600_000)
    assert str(caught.value) == ("the receipt time 1,767,225,600,000 is not in ns since the epoch; hand in the wall clock")


def test_an_answer_that_is_no_book_is_refused() -> None:
    with pytest.raises(DataFormatError) as caught:
        decoder().decode_snapshot(b'{"code":-1121,"msg":"x"}', NOW)
    assert str(caught.value) == """BTCUSDT: the order book is an answer of kind error: '{"code":-1121,"msg":"x"}'"""


@settings(max_examples=300)
@given(st.sampled_from([DEPTH, TRADE, AGG]), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 4))
def test_mutated_messages_raise_nothing_else(message: bytes, place: int, put: bytes, cut: int) -> None:
    at = place % len(message)
    mutated = message[:at] + put + message[at + cut :]
    for live in (decoder(), decoder(spot=True), decoder(combined=True)):
        with suppress(DataFormatError):
            rows = live.decode(mutated, NOW).rows
            assert np.isfinite(rows["px"]).all()


@pytest.mark.parametrize("is_spot", [True, False])
def test_a_change_of_the_book_becomes_records_of_64_bytes_and_no_dictionary(is_spot: bool) -> None:
    """H2.9 (futures), H2.10 (spot): one row a level, whatever else the venue's other messages may hold."""
    gc.collect()
    live = decoder(spot=is_spot)
    live.decode(DEPTH, NOW)
    before = sum(type(thing) is dict for thing in gc.get_objects())
    kept = [live.decode(DEPTH, NOW) for _ in range(100)]
    assert sum(type(thing) is dict for thing in gc.get_objects()) - before < 10
    assert {message.rows.nbytes for message in kept} == {64}
