"""What each message means, and which are refused for what."""

from __future__ import annotations

import json

import pytest

from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed.sources.binance import Wanted, decode_message
from queuefront.feed.sources.binance_compiled import (
    LINE_BOOK_TICKER,
    LINE_DEPTH,
    LINE_ERROR,
    LINE_MARK_PRICE,
    LINE_OTHER,
    LINE_SNAPSHOT,
    LINE_TRADE,
    LINE_TRADE_OFF_MARKET,
)
from queuefront.feed.sources.refusal import LineRefused

FUTURES = Wanted(is_spot=False, is_combined=True, book_ticker=True, mark_price=True)
SPOT = FUTURES._replace(is_spot=True)
PLAIN = Wanted(is_spot=False, is_combined=True, book_ticker=False, mark_price=False)

T, E = 1_700_000_000_004, 1_700_000_000_005
TRADE = {"e": "trade", "E": E, "T": T, "s": "BTCUSDT", "t": 1, "p": "100.5", "q": "2", "X": "MARKET", "m": True}
DEPTH = {
    "e": "depthUpdate", "E": E, "T": T, "s": "BTCUSDT", "U": 10, "u": 12, "pu": 9, "b": [["1.5", "2"], ["1", "0"]],
    "a": [["3", "4"]],
}  # fmt: skip
TICKER = {"e": "bookTicker", "u": 7, "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4", "T": T, "E": E}
MARK = {
    "e": "markPriceUpdate",
    "E": E,
    "s": "BTCUSDT",
    "p": "10",
    "P": "11",
    "i": "12",
    "r": "-0.0001",
    "T": T + 28_800_000,
}
SNAPSHOT = {"lastUpdateId": 11, "E": E, "T": T, "bids": [["2", "1"], ["1", "3"]], "asks": [["3", "1"], ["4", "5"]]}


def combined(event: dict) -> bytes:
    return json.dumps({"stream": "s", "data": event}).encode()


def without(event: dict, *names: str, **changes: object) -> dict:
    return {k: v for k, v in (event | changes).items() if k not in names}


def refusal(message: bytes | dict, wanted: Wanted = FUTURES) -> LineRefused:
    with pytest.raises(LineRefused) as caught:
        decode_message(combined(message) if isinstance(message, dict) else message, wanted)
    return caught.value


@pytest.mark.parametrize(("maker", "side"), [(True, SELL_EVENT), (False, BUY_EVENT)])
def test_the_aggressor_of_a_trade_is_the_one_who_was_no_maker(maker, side):
    decoded = decode_message(combined(TRADE | {"m": maker}), FUTURES)
    assert (decoded.kind, decoded.exch_ts, decoded.symbol) == (LINE_TRADE, T * 1_000_000, "BTCUSDT")
    assert decoded.rows == [(TRADE_EVENT | side, 100.5, 2.0)]


def test_trades_off_the_market_make_no_rows():
    decoded = decode_message(combined(TRADE | {"X": "INSURANCE_FUND", "p": "0", "q": "0"}), FUTURES)
    assert (decoded.kind, decoded.rows) == (LINE_TRADE_OFF_MARKET, [])


def test_every_spot_trade_counts():
    assert decode_message(combined(without(TRADE, "X")), SPOT).kind == LINE_TRADE
    assert refusal(without(TRADE, "X")).field == "X"


def test_a_depth_update_makes_a_row_a_level_bids_first():
    decoded = decode_message(combined(DEPTH), FUTURES)
    assert decoded.kind == LINE_DEPTH
    assert decoded.rows == [
        (DEPTH_EVENT | BUY_EVENT, 1.5, 2.0),
        (DEPTH_EVENT | BUY_EVENT, 1.0, 0.0),
        (DEPTH_EVENT | SELL_EVENT, 3.0, 4.0),
    ]
    assert (decoded.first_id, decoded.last_id, decoded.prev_id) == (10, 12, 9)


def test_futures_depth_has_the_transaction_time_and_spot_depth_the_event_time():
    assert decode_message(combined(DEPTH), FUTURES).exch_ts == T * 1_000_000
    assert decode_message(combined(without(DEPTH, "T", "pu")), SPOT).exch_ts == E * 1_000_000


def test_a_book_ticker_makes_two_rows_on_request():
    decoded = decode_message(combined(TICKER), FUTURES)
    assert decoded.rows == [(BEST_BID_EVENT, 1.0, 2.0), (BEST_ASK_EVENT, 3.0, 4.0)]
    assert decoded.exch_ts == T * 1_000_000
    assert decode_message(combined(TICKER | {"b": "nonsense"}), PLAIN).rows == []


def test_a_spot_book_ticker_is_known_by_its_fields_and_has_no_time():
    ticker = without(TICKER, "e", "T", "E")
    decoded = decode_message(combined(ticker), SPOT)
    assert (decoded.kind, decoded.exch_ts, len(decoded.rows)) == (LINE_BOOK_TICKER, 0, 2)
    assert decode_message(combined(ticker), FUTURES).kind == LINE_OTHER
    bare = decode_message(json.dumps(ticker).encode(), SPOT._replace(is_combined=False))
    assert bare.kind == LINE_BOOK_TICKER


def test_a_mark_price_takes_the_event_time_and_not_the_next_funding_time():
    decoded = decode_message(combined(MARK), FUTURES)
    assert (decoded.kind, decoded.exch_ts) == (LINE_MARK_PRICE, E * 1_000_000)
    assert decoded.rows == [
        (INDEX_PRICE_EVENT, 12.0, 0.0),
        (MARK_PRICE_EVENT, 10.0, 0.0),
        (FUNDING_RATE_EVENT, -0.0001, 0.0),
    ]
    assert decode_message(combined(MARK), PLAIN).rows == []


@pytest.mark.parametrize("is_combined", [True, False])
def test_a_snapshot_clears_up_to_the_worst_price_of_each_side(is_combined):  # D51
    decoded = decode_message(json.dumps(SNAPSHOT).encode(), FUTURES._replace(is_combined=is_combined))
    assert (decoded.kind, decoded.exch_ts, decoded.last_id) == (LINE_SNAPSHOT, T * 1_000_000, 11)
    assert decoded.rows == [
        (DEPTH_CLEAR_EVENT | BUY_EVENT, 1.0, 0.0),
        (DEPTH_SNAPSHOT_EVENT | BUY_EVENT, 2.0, 1.0),
        (DEPTH_SNAPSHOT_EVENT | BUY_EVENT, 1.0, 3.0),
        (DEPTH_CLEAR_EVENT | SELL_EVENT, 4.0, 0.0),
        (DEPTH_SNAPSHOT_EVENT | SELL_EVENT, 3.0, 1.0),
        (DEPTH_SNAPSHOT_EVENT | SELL_EVENT, 4.0, 5.0),
    ]


def test_an_empty_side_of_a_snapshot_clears_nothing():
    decoded = decode_message(json.dumps(SNAPSHOT | {"asks": []}).encode(), FUTURES)
    assert len(decoded.rows) == 3
    spot = decode_message(json.dumps(without(SNAPSHOT, "E", "T", bids=[], asks=[])).encode(), SPOT)
    assert (spot.rows, spot.exch_ts) == ([], 0)


def test_the_venues_own_errors_are_quoted():
    decoded = decode_message(b'{"code":-1003,"msg":"Too many requests"}', FUTURES)
    assert (decoded.kind, decoded.message) == (LINE_ERROR, "-1003 Too many requests")


@pytest.mark.parametrize("event", [{"e": "kline", "k": {}}, {"e": "aggTrade", "p": None}, {"foo": 1}, {}])
def test_other_kinds_are_told_and_not_read(event):
    decoded = decode_message(combined(event), FUTURES)
    assert (decoded.kind, decoded.name) == (LINE_OTHER, event.get("e", "other"))


def test_answers_to_a_subscription_are_other():
    assert decode_message(b'{"result":null,"id":1}', FUTURES).kind == LINE_OTHER
    assert decode_message(b'{"data":null,"id":1}', FUTURES).kind == LINE_OTHER


def test_the_wrong_kind_of_stream_is_named_with_the_right_option():
    assert "combined_stream=False" in refusal(json.dumps(TRADE).encode()).reason
    assert "combined_stream=True" in refusal(combined(TRADE), FUTURES._replace(is_combined=False)).reason
    assert decode_message(json.dumps(TRADE).encode(), FUTURES._replace(is_combined=False)).kind == LINE_TRADE


@pytest.mark.parametrize("value", ["NaN", "inf", "1e400", "", "-5", None, "1,5", " 1", "0x10", "1_000", [], True, 10**400])
def test_a_price_that_is_none_is_refused(value):
    assert refusal(TRADE | {"p": value}).field == "p"


@pytest.mark.parametrize("value", ["0", "-0.0", 0])
def test_a_price_is_positive(value):
    assert refusal(TRADE | {"p": value}).reason == f"`p` is {value}; a price is positive"


def test_a_quantity_may_be_zero_and_not_negative():
    assert decode_message(combined(TRADE | {"q": "0"}), FUTURES).rows[0][2] == 0.0
    assert refusal(TRADE | {"q": "-1"}).reason == "`q` is -1; a quantity is not negative"


@pytest.mark.parametrize(("value", "number"), [("1e3", 1000.0), (7, 7.0), (7.25, 7.25), ("0.1", 0.1), ("1E-2", 0.01)])
def test_other_spellings_of_a_decimal_are_read(value, number):
    assert decode_message(combined(TRADE | {"p": value}), FUTURES).rows[0][1] == number


@pytest.mark.parametrize(("name", "index"), [("b", 1), ("a", 0)])
def test_a_bad_level_is_named(name, index):
    levels = [*DEPTH[name][:index], ["NaN", "1"]]
    assert refusal(DEPTH | {name: levels}).field == f"{name}[{index}][0]"
    levels = [*DEPTH[name][:index], ["1", "-1"]]
    assert refusal(DEPTH | {name: levels}).field == f"{name}[{index}][1]"


@pytest.mark.parametrize("levels", [[["1"]], [["1", "2", "3"]], "1", None, [1], [["1", None]]])
def test_a_level_is_a_pair(levels):
    assert refusal(DEPTH | {"b": levels}).field.startswith("b")


@pytest.mark.parametrize("ms", [0, -1, T // 1000, 631_151_999_999, 9_223_372_036_855, T * 1000, "4", 4.5, None])
def test_a_time_in_milliseconds_is_after_1990_and_fits_into_nanoseconds(ms):  # H0.5
    assert refusal(TRADE | {"T": ms}).field == "T"
    assert decode_message(combined(TRADE | {"T": 9_223_372_036_854}), FUTURES).exch_ts == 9_223_372_036_854_000_000


@pytest.mark.parametrize("name", ["U", "u", "pu"])
@pytest.mark.parametrize("number", [-1, 2**63])
def test_an_update_id_fits_into_int64(name, number):
    assert refusal(DEPTH | {name: number}).field == name


@pytest.mark.parametrize("name", ["T", "b", "a"])
def test_depth_needs_its_fields(name):
    assert refusal(without(DEPTH, name)).field == name


@pytest.mark.parametrize("name", ["T", "p", "q", "m"])
def test_a_trade_needs_its_fields(name):
    assert refusal(without(TRADE, name)).field == name


@pytest.mark.parametrize(
    "message", [b"", b"{", b"[]", b"1", b"null", b"\xff", b'{"data":{"e":"trade"', b'{"data":[1]}', b"[" * 100_000]
)
def test_what_is_no_message_is_refused(message):
    assert refusal(message).reason
