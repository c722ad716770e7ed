"""Archive files of Tardis, Binance and Bybit: our rows beside those of hftbacktest's converters."""

from __future__ import annotations

import contextlib
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from queuefront.compat.hftbacktest.data.utils import binancehistmktdata, bybithistmktdata, tardis
from queuefront.core import EVENT, DataFormatError
from queuefront.core.enums import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from tests.differential.recorded import feed

SIDES = BUY_EVENT | SELL_EVENT


def reference(module: str, function: str, *arguments: object, **named: object) -> np.ndarray:
    import importlib

    with contextlib.redirect_stdout(io.StringIO()):
        return getattr(importlib.import_module(f"hftbacktest.data.utils.{module}"), function)(*arguments, **named)


def assert_equal_rows(made: np.ndarray, wanted: np.ndarray, *, but: tuple[str, ...] = ()) -> None:
    assert len(made) == len(wanted)
    for name in EVENT.names:
        if name not in but:
            assert np.array_equal(made[name], wanted[name]), name


def kinds(rows: np.ndarray) -> list[int]:
    return (rows["ev"] & np.uint64(KIND_MASK)).astype(int).tolist()


# --- Tardis -------------------------------------------------------------------------------------------------------------
HEAD = "exchange,symbol,timestamp,local_timestamp,"
SMALL = {"buffer_size": 100_000, "ss_buffer_size": 1_000}


def tardis_depth(path: Path, rows: list[tuple]) -> str:
    """Write (receipt time in us, is_snapshot, side, price, amount)."""
    lines = [f"x,BTC,{t - 700},{t},{str(s).lower()},{side},{px},{qty}" for t, s, side, px, qty in rows]
    path.write_text("\n".join([HEAD + "is_snapshot,side,price,amount", *lines]) + "\n")
    return str(path)


def tardis_day(folder: Path, seed: int, count: int = 3_000) -> tuple[str, str, str]:
    """Draw trades, depth and quotes of a day, with one block of 20 levels in its middle, and equal times."""
    rng = np.random.default_rng(seed)
    ts = 1_700_000_000_000_000 + np.cumsum(rng.integers(0, 4_000, count))
    depth = [
        (
            int(t),
            False,
            "bid" if rng.random() < 0.5 else "ask",
            100 + int(rng.integers(-50, 50)) * 0.1,
            rng.integers(0, 9) * 0.25,
        )
        for t in ts
    ]
    depth = [(t, s, side, round(px, 1), qty) for t, s, side, px, qty in depth]
    at = int(ts[count // 2])
    block = [(at, True, "ask", round(101 + i * 0.1, 1), 1.5) for i in range(20)]
    block += [(at, True, "bid", round(99 - i * 0.1, 1), 2.5) for i in range(20)]
    depth[count // 2 : count // 2] = block
    names = (folder / "trades.csv", folder / "incremental_book_L2.csv", folder / "book_ticker.csv")
    trades = [
        f"x,BTC,{t - 900},{t},{i},{('buy', 'sell', 'unknown')[i % 3]},{100 + i % 7 / 10},{1 + i % 5}"
        for i, t in enumerate(ts[::3])
    ]
    names[0].write_text("\n".join([HEAD + "id,side,price,amount", *trades]) + "\n")
    tardis_depth(names[1], depth)
    quotes = [
        f"x,BTC,{t - 1_200},{t + 1},{1 + i % 3},{100.5 + i % 11 / 10:.1f},{100.1 + i % 11 / 10:.1f},{2 + i % 4}"
        for i, t in enumerate(ts[::2])
    ]
    names[2].write_text("\n".join([HEAD + "ask_amount,ask_price,bid_price,bid_amount", *quotes]) + "\n")
    return str(names[0]), str(names[1]), str(names[2])


@pytest.mark.slow
def test_tardis_rows_equal_the_references(tmp_path: Path):
    trades, depth, _ = tardis_day(tmp_path, 1)
    for mode in ("process", "ignore_sod", "ignore"):
        wanted = reference("tardis", "convert", [trades, depth], snapshot_mode=mode, **SMALL)
        made = tardis.convert([trades, depth], snapshot_mode=mode)
        assert len(made) > 3_900
        assert_equal_rows(made, wanted)


@pytest.mark.slow
def test_rows_of_tardis_samples_equal_the_references():
    path = str(feed("tardis/bitmex_trades_XBTUSD.csv"))
    assert_equal_rows(tardis.convert([path]), reference("tardis", "convert", [path], **SMALL))
    path = str(feed("tardis/deltas_with_snapshot.csv"))
    assert_equal_rows(tardis.convert([path]), reference("tardis", "convert", [path], **SMALL))


@pytest.mark.slow
def test_fused_rows_of_tardis_equal_the_references(tmp_path: Path):
    """Prices of removed levels are the decimals' floats (D54)."""
    files = tardis_day(tmp_path, 2)
    wanted = reference("tardis", "convert_fuse", *files, 0.1, 0.25)
    made = tardis.convert_fuse(*files, 0.1, 0.25)
    assert len(made) > 4_000
    assert_equal_rows(made, wanted, but=("px",))
    np.testing.assert_allclose(made["px"], wanted["px"], rtol=1e-15)


def snapshots(first: int, second: int, third: int, *, is_flushed: bool = True) -> list[tuple]:
    """Return blocks of so many bids, a second apart, each followed by an update."""
    rows = []
    for k, count in enumerate((first, second, third)):
        at = 1_700_000_000_000_000 + 1_000_000 * k
        rows += [(at, True, "bid", 100 - i, 1) for i in range(count)]
        rows.append((at + 10, False, "bid", 50, k + 1))
    return rows if is_flushed else rows[:-1]


@pytest.mark.slow
def test_d47_a_block_is_whole_after_a_shorter_one(tmp_path: Path):
    path = tardis_depth(tmp_path / "incremental_book_L2.csv", snapshots(3, 2, 2))
    assert_equal_rows(tardis.convert([path]), reference("tardis", "convert", [path], **SMALL))
    path = tardis_depth(tmp_path / "incremental_book_L2.csv", snapshots(2, 3, 4, is_flushed=False))
    made = tardis.convert([path])
    assert kinds(made).count(DEPTH_SNAPSHOT_EVENT) == 2 + 3 + 4
    try:  # its buffer has two rows after the first block: the third bid is written past its end
        wanted = reference("tardis", "convert", [path], **SMALL)
    except (IndexError, ValueError):
        return
    assert kinds(wanted).count(DEPTH_SNAPSHOT_EVENT) == 2 + 2


@pytest.mark.slow
def test_d47_a_day_that_ends_in_a_snapshot_keeps_it():
    path = str(feed("tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv"))
    assert len(reference("tardis", "convert", [path], **SMALL)) == 0
    assert kinds(tardis.convert([path])) == [DEPTH_CLEAR_EVENT] + [DEPTH_SNAPSHOT_EVENT] * 15


@pytest.mark.slow
def test_d47_only_the_first_snapshot_of_a_day_is_its_start_when_fused(tmp_path: Path):
    trades, _, quotes = tardis_day(tmp_path, 3, 30)
    depth = tardis_depth(tmp_path / "incremental_book_L2.csv", snapshots(3, 3, 3))
    made = tardis.convert_fuse(trades, depth, quotes, 1.0, 0.25, snapshot_mode="ignore_sod")
    wanted = reference("tardis", "convert_fuse", trades, depth, quotes, 1.0, 0.25, snapshot_mode="ignore_sod")
    assert (kinds(made).count(DEPTH_CLEAR_EVENT), kinds(wanted).count(DEPTH_CLEAR_EVENT)) == (2, 0)


@pytest.mark.slow
def test_d70_a_block_ends_where_the_receipt_time_changes_and_its_clear_reaches_the_worst_price(tmp_path: Path):
    at = 1_700_000_000_000_000
    rows = [
        (at, True, "bid", 99, 1),
        (at, True, "bid", 100, 1),
        (at + 5, True, "bid", 98, 1),
        (at + 9, False, "bid", 97, 1),
    ]
    path = tardis_depth(tmp_path / "incremental_book_L2.csv", rows)
    clears = [row["px"] for row in tardis.convert([path]) if row["ev"] & KIND_MASK == DEPTH_CLEAR_EVENT]
    assert clears == [99.0, 98.0]
    wanted = reference("tardis", "convert", [path], **SMALL)
    assert [row["px"] for row in wanted if row["ev"] & KIND_MASK == DEPTH_CLEAR_EVENT] == [98.0]


@pytest.mark.slow
def test_d71_the_order_of_the_files_does_not_matter(tmp_path: Path):
    trades, depth, _ = tardis_day(tmp_path, 4, 300)
    assert tardis.convert([depth, trades]).tobytes() == tardis.convert([trades, depth]).tobytes()
    there, here = (reference("tardis", "convert", files, **SMALL) for files in ([depth, trades], [trades, depth]))
    assert there.tobytes() != here.tobytes()


@pytest.mark.slow
def test_d72_a_side_that_is_none_is_refused(tmp_path: Path):
    path = tardis_depth(tmp_path / "incremental_book_L2.csv", [(1_700_000_000_000_000, False, "bit", 100, 1)])
    assert reference("tardis", "convert", [path], **SMALL)["ev"].tolist() == [
        EXCH_EVENT | LOCAL_EVENT | DEPTH_EVENT | SELL_EVENT
    ]
    with pytest.raises(DataFormatError, match="line 2, field side: 'bit' is none of bid, buy, ask, sell"):
        tardis.convert([path])


# --- Binance ------------------------------------------------------------------------------------------------------------
MS = 1_000_000


def binance_day(folder: Path, seed: int, count: int = 2_000) -> tuple[str, str]:
    rng = np.random.default_rng(seed)
    ts = 1_700_000_000_000 + np.cumsum(rng.integers(0, 9, count))
    depth, trades = folder / "depth.csv", folder / "trades.csv"
    lines = [
        f"BTCUSDT,{t},1,{i},{i},{'ab'[rng.integers(2)]},set,{100 + rng.integers(-50, 50) / 10},{rng.integers(0, 9) / 4}"
        for i, t in enumerate(ts)
    ]
    header = "symbol,timestamp,trans_id,first_update_id,last_update_id,side,update_type,price,qty\n" if seed % 2 else ""
    depth.write_text(header + "\n".join(lines) + "\n")
    lines = [f"{i},{100 + i % 9 / 10},{1 + i % 3},5,{t},{('true', 'false')[i % 2]}" for i, t in enumerate(ts[::2])]
    trades.write_text(("id,price,qty,quote_qty,time,is_buyer_maker\n" if seed % 2 else "") + "\n".join(lines) + "\n")
    return str(depth), str(trades)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_d44_d45_rows_of_binances_archive_equal_the_references_but_for_unit_and_side(tmp_path: Path, seed):
    """D44, D45. Depth comes first there and trades here: rows of one kind are compared."""
    depth, trades = binance_day(tmp_path, seed)
    wanted = reference("binancehistmktdata", "convert", depth, trades, feed_latency=3, buffer_size=10_000)
    made = binancehistmktdata.convert(depth, trades, feed_latency=3 * MS)
    for kind in (DEPTH_EVENT, TRADE_EVENT):
        ours, theirs = (rows[(rows["ev"] & np.uint64(KIND_MASK)) == kind] for rows in (made, wanted))
        assert len(ours) >= 1_000
        assert ours["exch_ts"].tolist() == (theirs["exch_ts"] * MS).tolist()
        assert ours["local_ts"].tolist() == (theirs["local_ts"] * MS).tolist()
        assert_equal_rows(ours, theirs, but=("exch_ts", "local_ts", *(("ev",) if kind == TRADE_EVENT else ())))
        if kind == TRADE_EVENT:
            sides = (ours["ev"] & np.uint64(SIDES)).tolist()
            assert sides == [SELL_EVENT, BUY_EVENT] * (len(ours) // 2)
            assert set((theirs["ev"] & np.uint64(SIDES)).tolist()) == {SELL_EVENT}


@pytest.mark.slow
def test_d46_a_snapshot_of_binances_archive_is_in_the_order_of_its_prices(tmp_path: Path):
    path, _ = binance_day(tmp_path, 1, 60)
    wanted = reference("binancehistmktdata", "convert_snapshot", path, ss_buffer_size=100)
    made = binancehistmktdata.convert_snapshot(path)
    wanted["exch_ts"] *= MS
    wanted["local_ts"] *= MS
    assert sorted(made.tolist()) == sorted(wanted.tolist())
    is_bid = (made["ev"] & np.uint64(BUY_EVENT)) != 0
    bids, asks = made["px"][is_bid], made["px"][~is_bid]
    assert is_bid.tolist() == sorted(is_bid.tolist(), reverse=True)
    assert (bids.tolist(), asks.tolist()) == (sorted(bids, reverse=True), sorted(asks))
    assert wanted["px"].tolist() != made["px"].tolist()


# --- Bybit --------------------------------------------------------------------------------------------------------------
def bybit_trades(folder: Path) -> str:
    path = folder / "XRPUSDT2024-12-01.csv.gz"
    header = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
    lines = [
        f"{1733011200 + i * 7 // 10}.{i * 7 % 10}{i:03d},XRPUSDT,{('Buy', 'Sell')[i % 2]},{i + 1},1.95{i:02d},Tick,m,1,1,1"
        for i in range(20)
    ]
    with gzip.open(path, "wt") as f:
        f.write("\n".join([header, *lines]) + "\n")
    return str(path)


@pytest.mark.slow
def test_d48_d49_rows_of_bybits_archive_equal_the_references_but_for_sides_of_snapshots(tmp_path: Path):
    """D48, D49."""
    depth, trades = str(feed("bybit/xrpusdt-ob500.data.zip")), bybit_trades(tmp_path)
    wanted = reference("bybithistmktdata", "convert", depth, trades, feed_latency=1_000, buffer_size=10_000)
    made = bybithistmktdata.convert(depth, trades, feed_latency=1_000)
    for kind in (DEPTH_EVENT, DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT, TRADE_EVENT):
        ours, theirs = (rows[(rows["ev"] & np.uint64(KIND_MASK)) == kind] for rows in (made, wanted))
        is_snapshot = kind == DEPTH_SNAPSHOT_EVENT
        assert len(ours) == {DEPTH_EVENT: 2966, DEPTH_CLEAR_EVENT: 2, DEPTH_SNAPSHOT_EVENT: 1000, TRADE_EVENT: 20}[kind]
        assert_equal_rows(ours, theirs, but=("exch_ts", "local_ts", *(("ev",) if is_snapshot else ())))
        assert 0 < int(np.abs(ours["exch_ts"] - theirs["exch_ts"]).max()) <= 256
        if is_snapshot:
            assert ours["ev"].tolist() == [
                EXCH_EVENT | LOCAL_EVENT | kind | side for side in (SELL_EVENT, BUY_EVENT) for _ in range(500)
            ]
            assert not (theirs["ev"] & np.uint64(SIDES)).any()
        if kind == TRADE_EVENT:
            assert ours["exch_ts"][1] == 1733011200_700100000


def test_the_zip_of_bybit_is_read_as_it_is(tmp_path: Path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "{}")
        archive.writestr("b", "{}")
    with pytest.raises(DataFormatError, match=r"the archive has 2 members \(a, b\), and one is expected"):
        bybithistmktdata.convert(path, bybit_trades(tmp_path))
