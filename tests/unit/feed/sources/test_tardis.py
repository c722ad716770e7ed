"""Tardis' files become events."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    FUNDING_RATE_EVENT,
    INDEX_PRICE_EVENT,
    KIND_MASK,
    MARK_PRICE_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import Conversion, convert_tardis
from tests.differential.recorded import feed
from tests.unit.feed.sources.csv_files import tardis_file

AT = 1_700_000_000_000_000
HALVES = 3 << 30


def rows(conversion: Conversion) -> list[tuple[int, int, float, float]]:
    return [
        (int(r["ev"]) - HALVES, int(r["local_ts"]) // 1000 - AT, float(r["px"]), float(r["qty"])) for r in conversion.events
    ]


def test_trades_and_updates_become_rows_in_the_order_of_receipt(tmp_path: Path):
    depth = tardis_file(tmp_path, "incremental_book_L2", f"{AT},false,ask,8,0", f"{AT + 9},false,bid,7,1")
    trades = tardis_file(tmp_path, "trades", f"{AT},1,buy,8,2", f"{AT + 1},2,sell,7,1", f"{AT + 2},3,unknown,7,1")
    made = convert_tardis([depth, trades])
    assert rows(made) == [
        (TRADE_EVENT | BUY_EVENT, 0, 8.0, 2.0),
        (DEPTH_EVENT | SELL_EVENT, 0, 8.0, 0.0),
        (TRADE_EVENT | SELL_EVENT, 1, 7.0, 1.0),
        (TRADE_EVENT, 2, 7.0, 1.0),
        (DEPTH_EVENT | BUY_EVENT, 9, 7.0, 1.0),
    ]
    assert made.events["exch_ts"][0] == (AT - 5) * 1000
    assert (made.instrument.venue, made.instrument.symbol) == ("deribit", "BTC")


def test_a_ticker_gives_what_it_has(tmp_path: Path):
    path = tardis_file(tmp_path, "derivative_ticker", f"{AT},{AT},-0.0001,,1,7,7.5,7.25", f"{AT + 1},,,,,,,7.5")
    made = convert_tardis(path, tick_size="0.01", lot_size=1)
    assert rows(made) == [
        (INDEX_PRICE_EVENT, 0, 7.5, 0.0),
        (MARK_PRICE_EVENT, 0, 7.25, 0.0),
        (FUNDING_RATE_EVENT, 0, -0.0001, 0.0),
        (MARK_PRICE_EVENT, 1, 7.5, 0.0),
    ]


def test_quotes_are_best_prices_where_there_are_some(tmp_path: Path):
    path = tardis_file(tmp_path, "quotes", f"{AT},2,8,7,3", f"{AT + 1},,,7.5,1")
    assert rows(convert_tardis(path)) == [
        (BEST_ASK_EVENT, 0, 8.0, 2.0),
        (BEST_BID_EVENT, 0, 7.0, 3.0),
        (BEST_BID_EVENT, 1, 7.5, 1.0),
    ]


def test_quotes_correct_the_depth_of_one_book(tmp_path: Path):
    depth = tardis_file(
        tmp_path, "incremental_book_L2", f"{AT},false,bid,8,1", f"{AT},false,bid,7,1", f"{AT},false,ask,9,1"
    )
    quotes = tardis_file(tmp_path, "quotes", f"{AT + 3},2,9,7,3")
    made = convert_tardis([depth, quotes], fuse=True)
    assert (DEPTH_EVENT | BUY_EVENT, 3, 8.0, 0.0) in rows(made)


def test_an_ignored_snapshot_is_known_to_the_fused_book(tmp_path: Path):
    depth = tardis_file(
        tmp_path, "incremental_book_L2", f"{AT},true,bid,8,1", f"{AT},true,bid,7,1", f"{AT + 1},false,ask,9,1"
    )
    quotes = tardis_file(tmp_path, "quotes", f"{AT + 3},2,9,7,3")
    made = convert_tardis([depth, quotes], fuse=True, snapshot_mode="ignore")
    kinds = [ev & KIND_MASK for ev, *_ in rows(made)]
    assert DEPTH_CLEAR_EVENT not in kinds
    assert DEPTH_SNAPSHOT_EVENT not in kinds
    assert (DEPTH_EVENT | BUY_EVENT, 3, 8.0, 0.0) in rows(made)


def test_periodic_books_of_a_sample_become_changes():
    for levels, count in ((5, 25), (25, 63)):
        made = convert_tardis(feed(f"tardis/binance-futures_book_snapshot_{levels}_BTCUSDT.csv"))
        assert made.account.events_by_kind == {"depth": count}
        assert made.account.lines_by_kind == {"header": 1, f"book_snapshot_{levels}": 10}


def test_samples_are_read_whole():
    made = convert_tardis(feed("tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv"))
    assert made.account.events_by_kind == {"clear": 1, "snapshot": 15}
    made = convert_tardis(feed("tardis/huobi-dm-swap_quotes_BTC-USD.csv"))
    assert made.account.events_by_kind == {"best ask": 10, "best bid": 10}
    made = convert_tardis(feed("tardis/bitmex_trades_XBTUSD.csv"))
    assert made.account.events_by_kind == {"trade": 10}


def test_half_a_level_is_refused(tmp_path: Path):
    path = tardis_file(tmp_path, "quotes", f"{AT},,8,7,3")
    with pytest.raises(DataFormatError, match="line 2, field ask_price: only one of ask_price and ask_amount is given"):
        convert_tardis(path)


def test_files_of_different_markets_are_not_mixed(tmp_path: Path):
    trades = tardis_file(tmp_path, "trades", f"{AT},1,buy,8,2")
    depth = tardis_file(tmp_path, "incremental_book_L2", f"{AT},false,ask,8,0")
    depth.write_text(depth.read_text().replace("deribit", "bitmex"))
    with pytest.raises(DataFormatError, match="field exchange: 'bitmex' is another exchange than 'deribit'"):
        convert_tardis([trades, depth])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"snapshot_mode": "x"}, "snapshot_mode is 'x'; choose one of process, ignore_sod, ignore"),
        ({"fuse": True}, "fuse puts quotes into depth; give files of both incremental_book_L2 and quotes (book_ticker)"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, options, message: str):
    with pytest.raises(ConfigError) as caught:
        convert_tardis(tardis_file(tmp_path, "trades", f"{AT},1,buy,8,2"), **options)
    assert str(caught.value) == message


def test_updates_and_periodic_books_are_one_too_many(tmp_path: Path):
    depth = tardis_file(tmp_path, "incremental_book_L2", "1598918403810979,false,ask,8,1")
    depth.write_text(depth.read_text().replace("deribit,BTC", "binance-futures,BTCUSDT"))
    with pytest.raises(ConfigError, match="the files hold both updates and snapshots of one book; give one kind only"):
        convert_tardis([depth, feed("tardis/binance-futures_book_snapshot_5_BTCUSDT.csv")])
