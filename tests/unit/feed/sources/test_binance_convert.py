"""Raw files become events and an account that adds up."""

from __future__ import annotations

import gzip
import hashlib
import json
from decimal import Decimal

import numpy as np
import pytest

from queuefront.core import ConfigError, ContractKind, DataError, DataFormatError, TruncatedFileError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, KIND_MASK, LOCAL_EVENT
from queuefront.feed.check import check_events
from queuefront.feed.conversion import Gap, Refusal
from queuefront.feed.sources.binance_convert import convert_lines

START = 1_700_000_000_000  # ms


class Feed:
    """A raw file, line by line; every line is 1 ms later than the one before, and 5 ms under way."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.last_id = 100

    @property
    def ms(self) -> int:
        return START + len(self.lines)

    def raw(self, message: bytes | str, local_ts: int | None = None) -> Feed:
        stamp = (self.ms + 5) * 1_000_000 if local_ts is None else local_ts
        self.lines.append(b"%019d %s" % (stamp, message.encode() if isinstance(message, str) else message))
        return self

    def event(self, event: dict, **kwargs: int) -> Feed:
        return self.raw(json.dumps({"stream": "s", "data": event}, separators=(",", ":")), **kwargs)

    def trade(self, px: object = "100.5", qty: object = "2", **changes: object) -> Feed:
        event = {"e": "trade", "E": self.ms, "T": self.ms, "s": "BTCUSDT", "p": px, "q": qty, "X": "MARKET", "m": True}
        return self.event(event | changes)

    def depth(self, bids: list, asks: list, *, last_id: int | None = None, **changes: object) -> Feed:
        before, self.last_id = self.last_id, self.last_id + 10 if last_id is None else last_id
        ids = {"U": before + 1, "u": self.last_id, "pu": before}
        event = {"e": "depthUpdate", "E": self.ms, "T": self.ms, "s": "BTCUSDT"} | ids | {"b": bids, "a": asks}
        return self.event(event | changes)

    def snapshot(self, last_id: int, **changes: object) -> Feed:
        body = {"lastUpdateId": last_id, "E": self.ms, "T": self.ms, "bids": [["100", "1"]], "asks": [["101", "1"]]}
        return self.raw(json.dumps({k: v for k, v in (body | changes).items() if v is not None}))


@pytest.fixture
def convert(tmp_path):
    def _convert(feed: Feed | bytes, source: str = "binance-usdm", **options: object):
        path = tmp_path / "btcusdt_20240808.gz"
        text = feed if isinstance(feed, bytes) else b"".join(line + b"\n" for line in feed.lines)
        path.write_bytes(text)
        return convert_lines(source, path, **{"tick_size": "0.1", "lot_size": "0.001"} | options)

    return _convert


def market() -> Feed:
    return (
        Feed()
        .depth([["100.1", "1"]], [["100.2", "2"], ["100.3", "0"]])
        .trade("100.2", "0.5", m=False)
        .snapshot(120)
        .depth([["100.1", "3"]], [])
    )


# --- events ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_becomes_events_in_order(convert, pack):
    conversion = convert(pack(b"".join(line + b"\n" for line in market().lines)))
    events = conversion.events
    assert check_events(events, conversion.instrument).ok
    assert (events["ev"] & np.uint64(KIND_MASK)).tolist() == [1, 1, 1, 2, 3, 4, 3, 4, 1]
    assert events["px"].tolist() == [100.1, 100.2, 100.3, 100.2, 100.0, 100.0, 101.0, 101.0, 100.1]
    assert (events["exch_ts"] // 1_000_000 - START).tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 3]
    assert set(events["local_ts"] - events["exch_ts"]) == {5_000_000}
    assert not events.flags.writeable


def test_the_account_adds_up(convert):
    conversion = convert(market().trade(X="NA").event({"e": "kline"}).raw('{"code":-1,"msg":"no"}'))
    account = conversion.account
    assert account.lines == 7
    assert account.lines_by_kind == {
        "trade": 1, "trade off market": 1, "depthUpdate": 2, "snapshot": 1, "error": 1, "kline": 1,
    }  # fmt: skip
    assert sum(account.lines_by_kind.values()) == account.lines
    assert account.events_by_kind == {"depth": 4, "trade": 1, "clear": 2, "snapshot": 2}
    assert (account.events, account.rows_split, account.local_ts_shift_ns) == (9, 0, 0)
    assert (account.first_exch_ts, account.last_exch_ts) == (START * 10**6, (START + 3) * 10**6)
    assert (account.first_local_ts, account.last_local_ts) == ((START + 5) * 10**6, (START + 8) * 10**6)
    assert [(m.line, m.text) for m in account.venue_messages] == [(7, "-1 no")]
    assert json.loads(json.dumps(account.to_dict()))["lines"] == 7


def test_the_account_names_the_very_bytes(convert, tmp_path):
    account = convert(market()).account
    data = (tmp_path / "btcusdt_20240808.gz").read_bytes()
    assert account.sha256 == hashlib.sha256(data).hexdigest()
    assert account.input_bytes == len(data)


def test_blank_lines_are_counted_and_skipped(convert):
    feed = market()
    feed.lines.insert(1, b"")
    feed.lines.append(b"  ")
    assert convert(feed).account.lines_by_kind["blank"] == 2


def test_a_slow_clock_is_shifted_and_its_base_latency_added(convert):
    feed = Feed().trade()
    feed.lines[0] = b"%019d" % (START * 10**6 - 700) + feed.lines[0][19:]
    feed.trade()
    account = convert(feed, base_latency_ns=50).account
    assert account.local_ts_shift_ns == 750
    assert convert(market(), base_latency_ns=50).account.local_ts_shift_ns == 0  # D43
    assert convert(market(), base_latency_ns=50, always_add_latency=True).account.local_ts_shift_ns == 50


def test_rows_whose_times_disagree_are_split(convert):
    feed = Feed().trade(T=START + 9).trade(T=START + 7)
    conversion = convert(feed)
    assert conversion.account.rows_split == 1
    assert sorted((conversion.events["ev"] & np.uint64(EXCH_EVENT | LOCAL_EVENT)).tolist()) == [
        LOCAL_EVENT,
        EXCH_EVENT,
        EXCH_EVENT | LOCAL_EVENT,
    ]


def test_keys_may_stand_in_any_order(convert):
    feed, turned = Feed(), Feed()
    for kind in ("depth", "trade"):
        getattr(feed, kind)(*(([["100", "1"]], [["101", "2"]]) if kind == "depth" else ()))
        stamp, _, message = feed.lines[-1].partition(b" ")
        envelope = json.loads(message)
        envelope = {"data": dict(reversed(envelope["data"].items())), "stream": "s"}
        turned.raw(json.dumps(envelope, separators=(",", ":")), local_ts=int(stamp))
    assert convert(turned).events.tobytes() == convert(feed).events.tobytes()


def test_white_space_and_escapes_make_no_difference(convert):
    feed = Feed().trade()
    text = feed.lines[0].replace(b'":', b'" : ').replace(b'"trade"', b'"\\u0074rade"') + b"\r"
    assert convert(text + b"\n").events.tobytes() == convert(feed).events.tobytes()


def test_single_streams_are_read_with_snapshots(convert):  # D51
    feed = market()
    for i, line in enumerate(feed.lines):
        message = json.loads(line[20:])
        feed.lines[i] = line[:20] + json.dumps(message.get("data", message), separators=(",", ":")).encode()
    assert convert(feed, combined_stream=False).events.tobytes() == convert(market()).events.tobytes()


def test_tickers_and_mark_prices_make_rows_on_request(convert):
    feed = Feed().trade()
    ticker = {"e": "bookTicker", "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4", "T": START, "E": START}
    mark = {"e": "markPriceUpdate", "E": START, "s": "BTCUSDT", "p": "10", "i": "12", "r": "0.0001", "T": START + 10**7}
    feed.event(ticker).event(mark)
    for opt, kinds in (("", [2]), ("t", [2, 103, 104]), ("m", [2, 100, 101, 102]), ("mt", [2, 103, 104, 100, 101, 102])):
        conversion = convert(feed, opt=opt)
        assert sorted((conversion.events["ev"] & np.uint64(KIND_MASK)).tolist()) == sorted(kinds)
        assert conversion.account.lines_by_kind == {"trade": 1, "bookTicker": 1, "markPriceUpdate": 1}
        assert conversion.account.local_ts_shift_ns == 0


# --- refusals -------------------------------------------------------------------------------------------------------
def test_a_bad_line_stops_with_file_line_field_and_value(convert, tmp_path):
    feed = market().depth([["100.1", "1"], ["NaN", "1"]], [])
    with pytest.raises(DataFormatError) as caught:
        convert(feed)
    assert str(caught.value).startswith(
        f"{tmp_path}/btcusdt_20240808.gz: line 5, field b[1][0]: `b[1][0]` is 'NaN', which is no decimal number; "
        "mend the line or convert with on_bad='skip'; it reads '17000000000"
    )


def test_a_bad_line_leaves_no_rows_when_skipped(convert):
    feed = market()
    feed.lines.insert(1, Feed().depth([["7", "1"], ["NaN", "1"]], [["8", "1"]]).lines[0])
    conversion = convert(feed, on_bad="skip")
    assert conversion.events.tobytes() == convert(market()).events.tobytes()
    account = conversion.account
    assert account.refused_count == 1
    assert account.lines_by_kind["refused"] == 1
    assert account.refused == [Refusal(2, "`b[1][0]` is 'NaN', which is no decimal number", feed.lines[1].decode())]


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"170000000000000000 {}",
        b"17000000000000000000 {}",
        b"1700000000000000000{}",
        b"-100000000000000000 {}",
        b"0000000000000000000 {}",
        b"9999999999999999999 {}",
        b"1700000000000000000 {",
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_none_is_refused(convert, line):
    feed = market()
    feed.lines.append(line)
    assert convert(feed, on_bad="skip").account.refused[0].line == 5
    with pytest.raises(DataFormatError, match="line 5"):
        convert(feed)


def test_a_file_holds_one_symbol(convert):
    feed = market().trade(s="ETHUSDT")
    account = convert(feed, on_bad="skip").account
    assert account.refused[0].reason == "the message is of ETHUSDT, the file of BTCUSDT; convert one symbol at a time"
    assert convert(market().event({"e": "kline", "s": "ETHUSDT"})).account.refused_count == 0


def test_a_long_line_is_quoted_in_part(convert):
    refusal = convert(market().trade("NaN", x="-" * 500), on_bad="skip").account.refused[0]
    assert len(refusal.text) == 200
    assert refusal.text.endswith("-…")


def test_the_list_of_refusals_is_bounded_and_their_count_is_not(convert):
    feed = market()
    for _ in range(1100):
        feed.trade("NaN")
    account = convert(feed, on_bad="skip").account
    assert (account.refused_count, len(account.refused)) == (1100, 1000)


def test_a_file_that_is_cut_off_stops_or_gives_what_is_there(convert):
    feed = market()
    for _ in range(500):
        feed.trade()
    data = gzip.compress(b"".join(line + b"\n" for line in feed.lines))[:-40]
    with pytest.raises(TruncatedFileError):
        convert(data)
    account = convert(data, on_bad="skip").account
    assert account.damage is not None
    assert account.lines_by_kind["trade"] > 300


# --- gaps -----------------------------------------------------------------------------------------------------------
def test_a_break_in_the_futures_sequence_is_named(convert):
    feed = market()
    feed.depth([], [], pu=feed.last_id + 7)
    account = convert(feed).account
    assert account.gaps == [Gap("sequence", 5, (START + 4 + 5) * 10**6, 7)]
    assert account.gap_count == 1


def test_a_break_in_the_spot_sequence_is_named(convert):
    feed = Feed().depth([["1", "1"]], [])
    feed.depth([], [], U=feed.last_id + 4).depth([], [])
    assert [(g.kind, g.line, g.size) for g in convert(feed, "binance-spot").account.gaps] == [("sequence", 2, 3)]


def test_a_refused_update_is_missing_from_the_sequence(convert):
    feed = market().depth([["NaN", "1"]], []).depth([], [])
    assert [(g.line, g.size) for g in convert(feed, on_bad="skip").account.gaps] == [(6, 10)]


def test_silence_beyond_the_threshold_is_named(convert):
    feed = market()
    feed.raw('{"id":1}', local_ts=(START + 8) * 10**6 + 10_000_000_001).raw('{"id":1}', local_ts=START * 10**6 + 10**12)
    gaps = convert(feed).account.gaps
    assert [(g.kind, g.line, g.size) for g in gaps] == [("time", 5, 10_000_000_001), ("time", 6, 10**12 - 10_008_000_001)]
    assert convert(feed, gap_threshold_ns=10**13).account.gaps == []


# --- spot times -----------------------------------------------------------------------------------------------------
def spot_times(conversion) -> set[int]:
    kinds = conversion.events["ev"] & np.uint64(KIND_MASK)
    return set((conversion.events["exch_ts"][kinds == DEPTH_SNAPSHOT_EVENT] // 10**6 - START).tolist())


def test_a_spot_snapshot_takes_the_time_of_the_next_update_that_reaches_beyond(convert):
    feed = Feed().depth([["1", "1"]], []).snapshot(115, T=None, E=None).trade().depth([["1", "2"]], [])
    assert spot_times(convert(feed, "binance-spot")) == {3}


def test_a_spot_snapshot_that_overtook_updates_takes_the_time_of_the_last_event(convert):
    feed = Feed().depth([["1", "1"]], []).trade().snapshot(500, T=None, E=None).depth([["1", "2"]], [])
    assert spot_times(convert(feed, "binance-spot")) == {1}


def test_a_spot_snapshot_before_everything_takes_the_time_of_the_first_update(convert):
    feed = Feed().snapshot(500, T=None, E=None).depth([["1", "2"]], [])
    assert spot_times(convert(feed, "binance-spot")) == {1}


def test_a_spot_snapshot_after_everything_takes_the_time_of_the_last_event(convert):
    feed = Feed().depth([["1", "2"]], []).snapshot(50, T=None, E=None)
    assert spot_times(convert(feed, "binance-spot")) == {0}


def test_a_spot_snapshot_alone_takes_the_time_of_its_receipt(convert):
    conversion = convert(Feed().snapshot(50, T=None, E=None), "binance-spot")
    assert spot_times(conversion) == {5}
    assert conversion.instrument.symbol == "BTCUSDT"  # of the file's name


def test_a_spot_ticker_takes_the_time_of_the_last_event(convert):
    ticker = {"u": 7, "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4"}
    feed = Feed().event(ticker).trade().event(ticker)
    conversion = convert(feed, "binance-spot", opt="t")
    assert conversion.account.lines_by_kind == {"bookTicker": 2, "trade": 1}
    assert conversion.events["px"].tolist() == [100.5, 1.0, 3.0]
    assert (conversion.events["exch_ts"] // 10**6 - START).tolist() == [1, 1, 1]


# --- the instrument -------------------------------------------------------------------------------------------------
def test_the_grid_is_inferred_where_it_is_not_given(convert):
    conversion = convert(market(), tick_size=None, lot_size=None)
    assert (conversion.instrument.tick_size, conversion.instrument.lot_size) == (Decimal("0.1"), Decimal("0.5"))
    account = conversion.account
    assert (account.tick_size, account.tick_size_inferred_from) == ("0.1", 9)
    assert (account.lot_size, account.lot_size_inferred_from) == ("0.5", 6)
    assert account.notes[0] == "tick_size was inferred from 9 values; give tick_size to be sure"


def test_a_grid_that_is_given_is_taken(convert):
    account = convert(market()).account
    assert (account.tick_size, account.tick_size_inferred_from, account.notes) == ("0.1", None, [])


def test_rows_that_are_no_market_do_not_make_the_grid(convert):
    mark = {"e": "markPriceUpdate", "E": START, "s": "BTCUSDT", "p": "10.12345678", "i": "12", "r": "0.0001", "T": START}
    assert convert(Feed().trade().event(mark), opt="m", tick_size=None).account.tick_size == "0.5"


@pytest.mark.parametrize(
    ("source", "symbol", "kind", "multiplier"),
    [
        ("binance-usdm", "BTCUSDT", ContractKind.LINEAR, 1),
        ("binance-spot", "BTCUSDT", ContractKind.LINEAR, 1),
        ("binance-coinm", "BTCUSD_PERP", ContractKind.INVERSE, 100),
        ("binance-coinm", "ETHUSD_PERP", ContractKind.INVERSE, 10),
    ],
)
def test_the_contract_is_that_of_the_market(convert, source, symbol, kind, multiplier):
    instrument = convert(Feed().trade(s=symbol), source).instrument
    assert (instrument.venue, instrument.symbol) == (source, symbol)
    assert (instrument.contract, instrument.multiplier) == (kind, multiplier)


def test_the_contract_can_be_given(convert):
    instrument = convert(market(), "binance-coinm", contract="linear").instrument
    assert (instrument.contract, instrument.multiplier) == (ContractKind.LINEAR, 1)
    assert convert(market(), "binance-coinm", multiplier=7).instrument.multiplier == 7


def test_a_file_without_prices_needs_its_grid(convert):
    with pytest.raises(DataError, match="there is no value to infer tick_size from"):
        convert(b"", tick_size=None)
    conversion = convert(b"")
    assert len(conversion.events) == 0
    assert conversion.account.first_exch_ts is None


# --- calling --------------------------------------------------------------------------------------------------------
def test_progress_ends_at_the_whole_file(convert, tmp_path):
    calls: list[tuple[int, int]] = []
    convert(market(), progress=lambda done, total: calls.append((done, total)))
    size = (tmp_path / "btcusdt_20240808.gz").stat().st_size
    assert calls[-1] == (size, size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "binance"}, "source 'binance' is unknown; choose one of binance-usdm, binance-coinm, binance-spot"),
        ({"opt": "x"}, "opt is 'x'; choose one of '', 'm', 't', 'mt'"),
        ({"on_bad": "ignore"}, "on_bad is 'ignore'; choose 'stop' or 'skip'"),
    ],
)
def test_unknown_options_are_refused(convert, options, message):
    with pytest.raises(ConfigError) as caught:
        convert(market(), **options)
    assert str(caught.value) == message


def test_depth_rows_carry_their_side(convert):
    events = convert(Feed().depth([["1", "1"]], [])).events
    assert events["ev"].tolist() == [DEPTH_EVENT | BUY_EVENT | EXCH_EVENT | LOCAL_EVENT]
