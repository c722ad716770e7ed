"""Files of Binance's archive become events."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.core.enums import BEST_ASK_EVENT, BEST_BID_EVENT, BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import Conversion, convert_binance_history, convert_binance_snapshot
from tests.property.hostile import packed
from tests.unit.feed.sources.csv_files import file

HALVES = 3 << 30
MS = 1_700_000_000_000
AGG_HEAD = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
TRADES = f"1,8,2,16,{MS},true\n2,7.5,1,7.5,{MS + 1},false\n"


def rows(conversion: Conversion) -> list[tuple[int, int, float, float]]:
    return [(int(r["ev"]) - HALVES, int(r["exch_ts"]), float(r["px"]), float(r["qty"])) for r in conversion.events]


WANTED = [
    (TRADE_EVENT | SELL_EVENT, MS * 10**6, 8.0, 2.0),
    (TRADE_EVENT | BUY_EVENT, (MS + 1) * 10**6, 7.5, 1.0),
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BTCUSDT-trades-2023-11-14.csv", TRADES),
        ("BTCUSDT-trades-2023-11-14.csv", "id,price,qty,quote_qty,time,is_buyer_maker\n" + TRADES),
        ("BTCUSDT-trades-2023-11-14.csv", TRADES.replace("true", "True,True").replace("false", "False,True")),
        ("BTCUSDT-aggTrades-2023-11-14.csv", f"1,8,2,1,3,{MS},True,True\n2,7.5,1,4,4,{MS + 1},False,True\n"),
        (
            "BTCUSDT-aggTrades-2023-11-14.csv",
            f"{AGG_HEAD}1,8,2,1,3,{MS},true\n2,7.5,1,4,4,{MS + 1},false\n",
        ),
        ("BTCUSDT-trades-2025-01-01.csv", TRADES.replace(str(MS), f"{MS}000").replace(str(MS + 1), f"{MS + 1}000")),
    ],
    ids=["futures", "with a header", "spot", "aggTrades of spot", "aggTrades of futures", "microseconds"],
)
def test_trades_of_every_form_become_the_same_rows(tmp_path: Path, name: str, text: str):
    """D44, D45."""
    made = convert_binance_history(file(tmp_path, text, name), feed_latency_ns=7)
    assert rows(made) == WANTED
    assert (made.events["local_ts"] - made.events["exch_ts"]).tolist() == [7, 7]
    assert made.instrument.symbol == "BTCUSDT"
    zipped = file(tmp_path, packed(text.encode(), "zip"), name.replace(".csv", ".zip"))
    assert rows(convert_binance_history(zipped)) == WANTED


def test_a_book_ticker_gives_both_sides(tmp_path: Path):
    text = (
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"
        f"1,7,1,8,2,{MS},{MS + 3}\n"
    )
    made = convert_binance_history(file(tmp_path, text, "BTCUSDT-bookTicker-2023-11-14.csv"))
    assert rows(made) == [(BEST_ASK_EVENT, MS * 10**6, 8.0, 2.0), (BEST_BID_EVENT, MS * 10**6, 7.0, 1.0)]


DEPTH = f"BTCUSDT,{MS},1,1,2,b,set,7,1\nBTCUSDT,{MS},1,1,2,a,set,9,2\nBTCUSDT,{MS},1,1,2,a,set,8,3\n"


def test_depth_follows_trades_of_equal_time(tmp_path: Path):
    depth = file(tmp_path, DEPTH, "depth.csv")
    trades = file(tmp_path, TRADES, "BTCUSDT-trades-2023-11-14.csv")
    made = [ev & 0xFF for ev, *_ in rows(convert_binance_history([depth, trades]))]
    assert made == [TRADE_EVENT, DEPTH_EVENT, DEPTH_EVENT, DEPTH_EVENT, TRADE_EVENT]


def test_a_snapshot_is_ordered_by_price(tmp_path: Path):
    """D46."""
    made = convert_binance_snapshot(file(tmp_path, DEPTH))
    assert made["px"].tolist() == [7.0, 8.0, 9.0]


def test_a_file_that_mixes_units_is_refused(tmp_path: Path):
    text = TRADES.replace(str(MS + 1), f"{MS + 1}000")
    with pytest.raises(DataFormatError, match="line 2, field time: '1700000000001000' is no time in ms between"):
        convert_binance_history(file(tmp_path, text))


def test_what_is_no_book_is_refused(tmp_path: Path):
    path = file(tmp_path, "timestamp,percentage,depth,notional\n", "BTCUSDT-bookDepth-2023-11-14.csv")
    with pytest.raises(DataFormatError) as caught:
        convert_binance_history(path)
    assert str(caught.value) == (
        f"{path}: bookDepth has sums of quantities within percentages of the price and no book; take trades, aggTrades, "
        "bookTicker or depth updates"
    )


def test_two_markets_are_not_mixed(tmp_path: Path):
    paths = [file(tmp_path, TRADES, f"{name}-trades-2023-11-14.csv") for name in ("BTCUSDT", "ETHUSDT")]
    with pytest.raises(DataFormatError) as caught:
        convert_binance_history(paths)
    assert str(caught.value) == f"{paths[1]}: the file is of ETHUSDT, and the others are of BTCUSDT; convert each alone"


def test_trades_are_not_taken_twice(tmp_path: Path):
    trades = file(tmp_path, TRADES, "BTCUSDT-trades-2023-11-14.csv")
    joined = file(tmp_path, f"1,8,2,1,3,{MS},True,True\n", "BTCUSDT-aggTrades-2023-11-14.csv")
    with pytest.raises(ConfigError, match="trades and aggTrades are the same trades"):
        convert_binance_history([trades, joined])
