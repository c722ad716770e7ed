"""Files of Bybit's archive become events."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import DataFormatError
from queuefront.core.enums import BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import Conversion, convert_bybit_history, row_spill
from queuefront.feed.sources import bybit_history
from tests.differential.recorded import feed
from tests.unit.feed.sources.csv_files import file

HALVES = 3 << 30
MS = 1_700_000_000_000
HEAD = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"


def message(kind: str, bids: str, asks: str, *, ms: int = MS, update_id: int = 1, symbol: str = "XRPUSDT") -> str:
    return f'{{"type":"{kind}","ts":{ms},"data":{{"s":"{symbol}","b":{bids},"a":{asks},"u":{update_id}}}}}\n'


def rows(conversion: Conversion) -> list[tuple[int, int, float, float]]:
    return [(int(r["ev"]) - HALVES, int(r["exch_ts"]), float(r["px"]), float(r["qty"])) for r in conversion.events]


def test_a_snapshot_has_sides_and_a_delta_follows(tmp_path: Path):
    """D49."""
    text = message("snapshot", '[["7","1"],["6","2"]]', '[["8","3"]]') + message("delta", "[]", '[["8","0"]]', ms=MS + 1)
    made = convert_bybit_history(file(tmp_path, text, "ob.data"), feed_latency_ns=9)
    at = MS * 10**6
    assert rows(made) == [
        (DEPTH_CLEAR_EVENT | SELL_EVENT, at, 8.0, 0.0),
        (DEPTH_SNAPSHOT_EVENT | SELL_EVENT, at, 8.0, 3.0),
        (DEPTH_CLEAR_EVENT | BUY_EVENT, at, 6.0, 0.0),
        (DEPTH_SNAPSHOT_EVENT | BUY_EVENT, at, 7.0, 1.0),
        (DEPTH_SNAPSHOT_EVENT | BUY_EVENT, at, 6.0, 2.0),
        (DEPTH_EVENT | SELL_EVENT, at + 10**6, 8.0, 0.0),
    ]
    assert made.events["local_ts"][0] == at + 9


def test_trades_keep_every_decimal_of_their_time(tmp_path: Path):
    """D48."""
    path = tmp_path / "XRPUSDT2023-11-14.csv.gz"
    path.write_bytes(gzip.compress((HEAD + "1700000000.1234567,XRPUSDT,Sell,5,7.5,x,y,1,1,1\n").encode()))
    assert rows(convert_bybit_history(path)) == [(TRADE_EVENT | SELL_EVENT, 1_700_000_000_123_456_700, 7.5, 5.0)]


def test_the_sample_is_read_whole():
    made = convert_bybit_history(feed("bybit/xrpusdt-ob500.data.zip"))
    assert made.account.lines_by_kind == {"snapshot": 1, "delta": 49}
    assert made.account.events_by_kind == {"depth": 2966, "clear": 2, "snapshot": 1000}
    assert (made.account.gap_count, str(made.instrument.tick_size)) == (0, "0.0001")


@pytest.mark.parametrize("is_ordered", [True, False])
@pytest.mark.parametrize(("book_count", "trade_count"), [(0, 40), (40, 0), (1, 40), (40, 1), (50, 60), (90, 20)])
@pytest.mark.parametrize("trades_first", [True, False])
def test_trades_and_books_are_in_order_of_time_and_trades_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book_count: int, trade_count: int, is_ordered: bool, trades_first: bool
):
    for module in (row_spill, bybit_history):
        monkeypatch.setattr(module, "BLOCK_ROWS", 8)
    rng = np.random.default_rng(book_count)
    times = [rng.integers(0, 30, count).tolist() for count in (trade_count, book_count)]  # ms, many of them equal
    if is_ordered:
        times = [sorted(of_kind) for of_kind in times]
    trades = "".join(f"{(MS + t) / 1000:.3f},XRPUSDT,Buy,5,{i + 1},x,y,1,1,1\n" for i, t in enumerate(times[0]))
    books = "".join(message("delta", f'[["{i + 1}","1"]]', "[]", ms=MS + t) for i, t in enumerate(times[1]))
    paths = [file(tmp_path, HEAD + trades, "trades.csv"), file(tmp_path, books, "ob.data") if books else None]
    made = convert_bybit_history([path for path in (paths if trades_first else paths[::-1]) if path], feed_latency_ns=7)
    expected = [
        (kind | BUY_EVENT, (MS + t) * 10**6, i + 1.0, qty)
        for kind, qty, of_kind in ((TRADE_EVENT, 5.0, times[0]), (DEPTH_EVENT, 1.0, times[1]))
        for i, t in enumerate(of_kind)
    ]
    assert rows(made) == sorted(expected, key=lambda row: row[1])
    assert (made.events["local_ts"] - made.events["exch_ts"] == 7).all()
    blocks = list(made.blocks.blocks())
    assert all(len(block) for block in blocks)
    assert (np.concatenate(blocks) == made.events).all()


def test_missing_updates_and_silence_are_gaps(tmp_path: Path):
    text = message("snapshot", '[["7","1"]]', "[]", update_id=5)
    text += message("delta", '[["7","2"]]', "[]", update_id=8, ms=MS + 11_000)
    gaps = convert_bybit_history(file(tmp_path, text)).account.gaps
    assert [(gap.kind, gap.line, gap.size) for gap in gaps] == [("time", 2, 11_000_000_000), ("sequence", 2, 2)]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (message("delta", '[["7","1"]]', "[]", symbol="BTC"), "field s: 'BTC' is another symbol than 'XRPUSDT'"),
        (message("delta", '[["-7","1"]]', "[]"), r"field b\[0\]: price -7.0 and quantity 1.0; the one is positive"),
        (message("delta", '[["7","1"]]', "[]", ms=5), "field ts: 5 is no time in ms between 1990-01-01 and 2100-01-01"),
        (message("else", "[]", "[]"), "Invalid enum value 'else'"),
    ],
)
def test_a_bad_message_stops_or_is_counted(tmp_path: Path, line: str, what: str):
    path = file(tmp_path, message("snapshot", '[["7","1"]]', "[]") + line)
    with pytest.raises(DataFormatError, match=what):
        convert_bybit_history(path)
    made = convert_bybit_history(path, on_bad="skip")
    assert (made.account.refused_count, len(made.events)) == (1, 2)


def test_a_chosen_symbol_leaves_the_others_out(tmp_path: Path):
    text = message("snapshot", '[["7","1"]]', "[]", symbol="BTC") + message("snapshot", '[["7","1"]]', "[]")
    made = convert_bybit_history(file(tmp_path, text), symbol="XRPUSDT")
    assert made.account.lines_by_kind == {"of other symbols": 1, "snapshot": 1}
