"""Databento's market by price becomes depth rows and trades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import DataFormatError
from queuefront.core.enums import BUY_EVENT, DEPTH_EVENT, SELL_EVENT, TRADE_EVENT
from queuefront.feed import check_events
from queuefront.feed.sources import databento_prices
from queuefront.feed.sources.databento import convert_databento
from tests.differential.recorded import feed
from tests.unit.feed.sources.dbn_files import DAY, dbn_file, header, level_message

BID, ASK = DEPTH_EVENT | BUY_EVENT, DEPTH_EVENT | SELL_EVENT
P = 10**9


def rows_of(folder: Path, *messages: bytes, schema: str = "mbp-1", **options: object) -> list[tuple[int, float, float]]:
    events = convert_databento(dbn_file(folder, *messages, head=header(schema)), tick_size=1, lot_size=1, **options).events
    return [(int(row["ev"]) & 0x3FFFFFFF, float(row["px"]), float(row["qty"])) for row in events]


def test_levels_that_are_gone_come_before_those_that_changed(tmp_path):
    first = level_message([(100 * P, 5)], [(101 * P, 2)])
    second = level_message([(101 * P, 1)], [(102 * P, 2)])
    third = level_message([(101 * P, 4)], [])
    assert rows_of(tmp_path, first, second, third) == [
        (BID, 100.0, 5.0),
        (ASK, 101.0, 2.0),
        (BID, 100.0, 0.0),
        (ASK, 101.0, 0.0),
        (BID, 101.0, 1.0),
        (ASK, 102.0, 2.0),
        (ASK, 102.0, 0.0),
        (BID, 101.0, 4.0),
    ]


def test_ten_levels_are_compared_by_price_and_not_by_place(tmp_path):
    bids = [((100 - i) * P, 1 + i) for i in range(10)]
    first = level_message(bids, [(101 * P, 1)], level_count=10)
    second = level_message([(101 * P, 9), *bids[:9]], [], level_count=10)
    rows = rows_of(tmp_path, first, second, schema="mbp-10")
    assert rows[11:] == [(BID, 91.0, 0.0), (ASK, 101.0, 0.0), (BID, 101.0, 9.0)]


def test_a_trade_has_the_takers_side_and_comes_before_its_records_changes(tmp_path):
    book = [(100 * P, 5)], [(101 * P, 2)]
    first = level_message(*book, action="T", side="A", price=100 * P, size=3)
    second = level_message(*book, action="T", side="N", price=101 * P, size=1)
    assert rows_of(tmp_path, first, second) == [
        (TRADE_EVENT | SELL_EVENT, 100.0, 3.0),
        (BID, 100.0, 5.0),
        (ASK, 101.0, 2.0),
        (TRADE_EVENT, 101.0, 1.0),
    ]


def test_a_file_of_trades_has_trades_only(tmp_path):
    trade = level_message([], [], action="T", price=100 * P, size=3, level_count=0)
    assert rows_of(tmp_path, trade, schema="trades") == [(TRADE_EVENT | BUY_EVENT, 100.0, 3.0)]


def test_records_of_a_snapshot_take_the_time_of_their_receipt(tmp_path):
    path = dbn_file(tmp_path, level_message([(P, 1)], [], flags=32 | 128, event_ts=DAY - 10**12), head=header("mbp-1"))
    conversion = convert_databento(path, tick_size=1, lot_size=1)
    assert conversion.events["exch_ts"].tolist() == conversion.events["local_ts"].tolist() == [DAY + 250]
    assert conversion.events["ival"].tolist() == [160]
    assert conversion.account.notes == ["1 rows of snapshots took the time of their receipt"]


def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    messages = [
        level_message([(int(rng.integers(90, 95)) * P, int(rng.integers(1, 4)))], [(int(rng.integers(95, 99)) * P, 1)])
        for _ in range(100)
    ]
    whole = rows_of(tmp_path, *messages)
    monkeypatch.setattr(databento_prices, "_BLOCK_RECORDS", 7)
    assert rows_of(tmp_path, *messages) == whole
    book: dict[tuple[int, float], float] = {}
    for ev, px, qty in whole:
        book[ev, px] = qty
        book = {key: value for key, value in book.items() if value}
    assert len(book) == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"action": "F"}, "field action: 'F' is no action of market by price"),
        ({"side": "X"}, "field side: 'X' is no side"),
        ({"action": "T"}, "field price: 9223372036854775807 is undefined where a price is needed"),
        ({"event_ts": 2**64 - 1}, "field ts_event: 18446744073709551615 is no time"),
    ],
)
def test_records_that_cannot_be_used_stop_or_are_listed(tmp_path, changes, text):
    messages = level_message([(P, 1)], []), level_message([(P, 2)], [], **changes)
    with pytest.raises(DataFormatError, match=text):
        rows_of(tmp_path, *messages)
    assert rows_of(tmp_path, *messages, on_bad="skip") == [(BID, 1.0, 1.0)]


def test_recorded_files_become_markets_that_are_in_order():
    for name, records, trades in (
        ("futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst", 2288, 120),
        ("test_data.mbp-10.dbn.zst", 2, None),
    ):
        conversion = convert_databento(feed(f"databento/{name}"), tick_size="0.25", lot_size=1)
        assert (conversion.account.lines, conversion.account.refused_count) == (records, 0)
        assert conversion.account.lines_by_kind.get("trade") == trades
        assert check_events(conversion.events).ok
