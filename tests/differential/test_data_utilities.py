"""Fused books, snapshots, latencies, book differences, migration and Databento: ours beside hftbacktest's, row for row."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from queuefront.book import FusedBook
from queuefront.compat.hftbacktest.data import FuseMarketDepth
from queuefront.compat.hftbacktest.data.utils import difforderbooksnapshot
from queuefront.core import EVENT
from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_BBO_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    KIND_MASK,
    LOCAL_EVENT,
    SELL_EVENT,
)
from queuefront.feed import (
    SynthConfig,
    convert_databento,
    convert_lines,
    create_last_snapshot,
    generate_order_latency,
    migrate_version1,
    synthesize,
    write_npz,
)
from queuefront.feed.snapshot_diff import DiffOrderBookSnapshot
from tests.differential.recorded import feed
from tests.unit.feed.sources.dbn_files import dbn_file, header, message

BOTH = EXCH_EVENT | LOCAL_EVENT


# --- fused books ------------------------------------------------------------------------------------------------------
def reference_fused(events: np.ndarray, is_added: np.ndarray, tick_size: float, lot_size: float) -> np.ndarray:
    from hftbacktest.data import FuseMarketDepth as Reference

    @njit
    def run(events, is_added, tick_size, lot_size):
        fused = Reference(tick_size, lot_size)
        for i in range(len(events)):
            fused.process_event(events, i, is_added[i])
        rows = fused.fused_events.copy()
        fused.close()
        return rows

    return run(events, is_added, tick_size, lot_size)


@njit
def compat_fused(events, is_added, tick_size, lot_size):
    """Do what `reference_fused` does with ours under the reference's name."""
    fused = FuseMarketDepth(tick_size, lot_size)
    for i in range(len(events)):
        fused.process_event(events, i, is_added[i])
    rows = fused.fused_events.copy()
    fused.close()
    return rows


def random_stream(seed: int, count: int) -> np.ndarray:
    """Draw rows that meet and cross often; clears of both sides only (D11)."""
    rng = np.random.default_rng(seed)
    kinds = [DEPTH_EVENT] * 6 + [DEPTH_SNAPSHOT_EVENT] + [DEPTH_BBO_EVENT] * 3 + [DEPTH_CLEAR_EVENT] * (seed % 2)
    events = np.zeros(count, EVENT)
    kind = rng.choice(kinds, count)
    side = np.where(rng.random(count) < 0.5, BUY_EVENT, SELL_EVENT)
    events["ev"] = np.where(kind == DEPTH_CLEAR_EVENT, kind, kind | side)
    events["px"] = (100 + rng.integers(0, 12, count) + np.where(side == BUY_EVENT, -4, 4)) * 0.5
    events["qty"] = rng.integers(0, 5, count) * 0.25
    events["exch_ts"] = 1000 + np.arange(count) * 10 + rng.integers(-60, 60, count)
    events["local_ts"] = 2000 + np.arange(count) * 10
    return events


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(25), pytest.param(range(25, 1000), marks=pytest.mark.soak)])
def test_fused_rows_of_random_streams_equal_the_references(seeds):
    streams = [random_stream(seed, 400) for seed in seeds]
    # Streams behind one another, each begun by a clear: so the reference compiles once.
    clear = np.zeros(1, EVENT)
    clear["ev"], clear["exch_ts"] = DEPTH_CLEAR_EVENT, 0
    events = np.concatenate([part for stream in streams for part in (clear, stream)])
    wanted = reference_fused(events, np.ones(len(events), np.bool_), 0.5, 0.25)
    made = FusedBook("0.5", "0.25").fuse(events)
    assert len(made) > len(events) // 2
    assert made.tobytes() == wanted.tobytes()
    assert compat_fused(events, np.ones(len(events), np.bool_), 0.5, 0.25).tobytes() == wanted.tobytes()


@pytest.mark.slow
def test_rows_that_are_not_added_equal_the_references():
    events = random_stream(1, 600)
    is_added = np.random.default_rng(2).random(600) < 0.5
    book = FusedBook("0.5", "0.25")
    for i in range(len(events)):
        book.process_event(events, i, bool(is_added[i]))
    wanted = reference_fused(events, is_added, 0.5, 0.25).tobytes()
    assert book.fused_events.tobytes() == wanted
    assert compat_fused(events, is_added, 0.5, 0.25).tobytes() == wanted


@pytest.mark.slow
def test_fused_rows_of_a_recorded_feed_equal_the_references():
    """Depth and book ticker of Binance: the same rows; prices of removed levels are the decimals' floats (D54)."""
    rows = convert_lines("binance-usdm", feed("binance_usdm_btcusdt_20240808.gz"), opt="t").events
    rows = rows[(rows["ev"] & np.uint64(LOCAL_EVENT)) != 0]
    kind = (rows["ev"] & np.uint64(KIND_MASK)).astype(np.int64)
    side = (rows["ev"] & np.uint64(BUY_EVENT | SELL_EVENT)).astype(np.int64)
    side[kind == BEST_BID_EVENT], side[kind == BEST_ASK_EVENT] = BUY_EVENT, SELL_EVENT
    kind[np.isin(kind, (BEST_BID_EVENT, BEST_ASK_EVENT))] = DEPTH_BBO_EVENT
    rows["ev"] = kind | side
    rows = np.ascontiguousarray(rows[np.isin(kind, (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_BBO_EVENT))])
    wanted = reference_fused(rows, np.ones(len(rows), np.bool_), 0.1, 0.001)
    made = FusedBook("0.1", "0.001").fuse(rows)
    assert len(made) > 100_000
    for name in ("ev", "exch_ts", "local_ts", "qty"):
        assert np.array_equal(made[name], wanted[name]), name
    np.testing.assert_allclose(made["px"], wanted["px"], rtol=1e-15)
    assert compat_fused(rows, np.ones(len(rows), np.bool_), 0.1, 0.001).tobytes() == made.tobytes()


@pytest.mark.slow
def test_d11_a_fused_clear_finds_the_level_beside_the_cleared_ones():
    """Bids at ticks 98, 99 and 100; 100 is cleared. A best-price row at 97 removes what stood above it, if it is known."""
    events = np.zeros(5, EVENT)
    events["ev"] = [DEPTH_EVENT | BUY_EVENT] * 3 + [DEPTH_CLEAR_EVENT | BUY_EVENT, DEPTH_BBO_EVENT | BUY_EVENT]
    events["px"], events["qty"], events["exch_ts"] = [49.0, 49.5, 50.0, 50.0, 48.5], 1.0, np.arange(5)
    ours = FusedBook("0.5", "0.25").fuse(events)["px"].tolist()
    theirs = reference_fused(events, np.ones(5, np.bool_), 0.5, 0.25)["px"].tolist()
    assert ours == [49.0, 49.5, 50.0, 50.0, 48.5, 49.0, 49.5]
    assert theirs == [49.0, 49.5, 50.0, 50.0, 48.5, 49.0]


@pytest.mark.slow
def test_d54_a_removed_level_has_the_price_that_it_was_given():
    events = np.zeros(2, EVENT)
    events["ev"] = [DEPTH_EVENT | BUY_EVENT, DEPTH_BBO_EVENT | BUY_EVENT]
    events["px"], events["qty"], events["exch_ts"] = [0.3, 0.2], 1.0, [1, 2]
    assert FusedBook("0.1", "1").fuse(events)["px"].tolist() == [0.3, 0.2, 0.3]
    assert reference_fused(events, np.ones(2, np.bool_), 0.1, 1.0)["px"].tolist() == [0.3, 0.2, 3 * 0.1]


# --- end-of-day snapshots ---------------------------------------------------------------------------------------------
def reference_snapshot(data: list, tick_size: float, lot_size: float, initial: str | None = None) -> np.ndarray:
    from hftbacktest.data.utils.snapshot import create_last_snapshot

    return create_last_snapshot(data, tick_size, lot_size, initial)


def assert_snapshots_equal(made: np.ndarray, wanted: np.ndarray) -> None:
    assert len(made) > 10
    assert made["ev"].tolist() == wanted["ev"].tolist()
    assert made["qty"].tolist() == wanted["qty"].tolist()
    np.testing.assert_allclose(made["px"], wanted["px"], rtol=1e-15)  # D54
    for name in ("exch_ts", "local_ts", "order_id", "ival", "fval"):
        assert np.array_equal(made[name], wanted[name]), name


@pytest.mark.slow
def test_the_snapshot_of_synthetic_days_equals_the_references(tmp_path: Path):
    days = [tmp_path / "first.npz", tmp_path / "second.npz"]
    events = synthesize(SynthConfig(events=40_000, seed=5))
    write_npz(days[0], np.ascontiguousarray(events[:25_000]))
    write_npz(days[1], np.ascontiguousarray(events[25_000:]))
    names = [str(day) for day in days]
    assert_snapshots_equal(create_last_snapshot(names, "0.1", "0.001"), reference_snapshot(names, 0.1, 0.001))
    morning = tmp_path / "morning.npz"
    create_last_snapshot(names[:1], "0.1", "0.001", output=morning)
    made = create_last_snapshot(names[1:], "0.1", "0.001", morning)
    assert_snapshots_equal(made, reference_snapshot(names[1:], 0.1, 0.001, str(morning)))


@pytest.mark.slow
def test_the_snapshot_of_a_recorded_feed_equals_the_references(tmp_path: Path):
    path = tmp_path / "day.npz"
    write_npz(path, convert_lines("binance-usdm", feed("binance_usdm_btcusdt_20240808.gz")).events)
    assert_snapshots_equal(create_last_snapshot(path, "0.1", "0.001"), reference_snapshot([str(path)], 0.1, 0.001))


# --- order latencies --------------------------------------------------------------------------------------------------
#: The reference adds fractions in float64: times near 1.7e18 are then multiples of 256, and two sums are rounded.
FLOAT_NS = 3 * 128 + 1


def both_latencies(folder: Path, **model: float) -> tuple[np.ndarray, np.ndarray]:
    from hftbacktest.data.utils.feed_order_latency import generate_order_latency as reference

    path = folder / "feed.npz"
    write_npz(path, synthesize(SynthConfig(events=20_000, seed=3)))
    made, wanted = generate_order_latency(path, **model), reference(str(path), **model)
    assert len(made) > 30
    return made, wanted


@pytest.mark.slow
@pytest.mark.parametrize("model", [{}, {"mul_entry": 4, "offset_entry": 1000, "mul_resp": 3, "resampling_ns": 250_000_000}])
def test_latencies_by_whole_factors_equal_the_references(tmp_path: Path, model):
    made, wanted = both_latencies(tmp_path, **model)
    assert made.tobytes() == wanted.tobytes()


@pytest.mark.slow
def test_d55_latencies_by_fractions_equal_the_references_but_for_its_rounding(tmp_path: Path):
    made, wanted = both_latencies(tmp_path, mul_entry=1.5, offset_entry=0.25, mul_resp=0.7)
    assert np.array_equal(made["req_ts"], wanted["req_ts"])
    for name in ("exch_ts", "resp_ts"):
        assert 0 < int(np.abs(made[name] - wanted[name]).max()) <= FLOAT_NS
    assert not (wanted["exch_ts"] % 256).any()


# --- differences of whole books ---------------------------------------------------------------------------------------
def random_books(seed: int, count: int, levels: int) -> list[tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(seed)
    books = []
    for _ in range(count):
        bids = np.sort(rng.choice(np.arange(80, 100), levels, replace=False))[::-1] * 0.1
        asks = np.sort(rng.choice(np.arange(100, 120), levels, replace=False)) * 0.1
        books.append((bids, rng.integers(1, 3, levels) * 1.0, asks, rng.integers(1, 3, levels) * 1.0))
    return books


@pytest.mark.slow
def test_book_differences_equal_the_references():
    from hftbacktest.data.utils.difforderbooksnapshot import DiffOrderBookSnapshot as Reference

    ours, theirs = DiffOrderBookSnapshot(8, "0.1", "1"), Reference(8, 0.1, 1.0)
    compat = difforderbooksnapshot.DiffOrderBookSnapshot(8, 0.1, 1.0)
    for book in random_books(7, 200, 8):
        for made, also, wanted in zip(ours.snapshot(*book), compat.snapshot(*book), theirs.snapshot(*book), strict=True):
            assert made.shape == wanted.shape
            assert made.tolist() == also.tolist()
            np.testing.assert_allclose(made, wanted, rtol=1e-15)


@pytest.mark.slow
def test_d50_a_shorter_book_has_no_rows_of_the_one_before_the_last():
    from hftbacktest.data.utils.difforderbooksnapshot import DiffOrderBookSnapshot as Reference

    def books(diff):
        none = np.zeros(0)
        for bids in ([0.3, 0.2], [0.3, 0.2], [0.5]):
            last = diff.snapshot(np.array(bids), np.ones(len(bids)), none, none)
        return last[0][:, 0].tolist()

    assert books(DiffOrderBookSnapshot(2, "0.1", "1")) == [0.5]
    assert books(Reference(2, 0.1, 1.0)) == [0.5, 0.2]


# --- version 1 --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_d56_version_1_becomes_what_the_reference_makes_but_for_its_rounding(tmp_path: Path):
    from hftbacktest.data.utils.migration2 import convert as reference

    rng = np.random.default_rng(4)
    ts = 1_660_228_023_037_049 + np.cumsum(rng.integers(0, 5000, 500))
    columns = np.column_stack(
        [rng.integers(1, 5, 500), ts, ts + 700, rng.integers(-1, 2, 500), rng.random(500), rng.random(500)]
    ).astype(np.float64)
    columns[::7, 1], columns[::5, 2] = -1, -1
    path = tmp_path / "old.npz"
    np.savez_compressed(path, data=columns)
    made, wanted = migrate_version1(path), reference(str(path))
    for name in ("ev", "px", "qty", "order_id", "ival", "fval"):
        assert np.array_equal(made[name], wanted[name]), name
    for name, column in (("exch_ts", 1), ("local_ts", 2)):
        assert made[name].tolist() == [int(x) * 1000 for x in columns[:, column]]
        assert int(np.abs(made[name] - wanted[name]).max()) <= 128


# --- Databento --------------------------------------------------------------------------------------------------------
DATABENTO = [
    ("esh4-glbx-mdp3-20231224.mbo.dbn.zst", "ESH4", 8725),
    ("orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst", "ESM4", 13_796),
]


def reference_databento(path: Path, symbol: str | None) -> np.ndarray:
    # The databento package, which the reference reads files with, turns its warnings on when it is imported.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from hftbacktest.data.utils import databento

        warnings.simplefilter("ignore")
        return databento.convert(str(path), symbol)


#: The reference's times pass through whole microseconds and then through float64 seconds.
MICROSECOND_NS = 1000 + 128


@pytest.mark.slow
@pytest.mark.parametrize(("name", "symbol", "count"), DATABENTO)
def test_d48_databento_rows_equal_the_references_but_for_its_times(name, symbol, count):
    path = feed(f"databento/{name}")
    wanted = reference_databento(path, symbol)
    conversion = convert_databento(path, symbol=symbol, tick_size="0.25", lot_size=1)
    made = conversion.events
    assert (len(made), conversion.account.refused_count) == (count, 0)
    for column in ("ev", "qty", "order_id", "ival", "fval"):
        assert np.array_equal(made[column], wanted[column]), column
    assert np.array_equal(made["px"], wanted["px"], equal_nan=True)
    assert conversion.instrument.ticks(made["px"][np.isfinite(made["px"])])[1].all()
    for column in ("exch_ts", "local_ts"):
        assert int(np.abs(made[column] - wanted[column]).max()) <= MICROSECOND_NS


@pytest.mark.slow
def test_d57_several_instruments_are_not_mixed(tmp_path: Path):
    symbols = {"ESM4": [("2024-05-08", "2024-05-09", "5602")], "NQM4": [("2024-05-08", "2024-05-09", "77")]}
    path = dbn_file(tmp_path, message(), message(instrument_id=77, order_id=9), head=header(symbols=symbols))
    assert reference_databento(path, None)["order_id"].tolist() == [7, 9]
    assert reference_databento(path, "NQM4")["order_id"].tolist() == [9]
    with pytest.raises(ValueError, match="the file holds 2 instruments; give symbol, one of NQM4, ESM4"):
        convert_databento(path)
    assert convert_databento(path, symbol="NQM4", tick_size="0.25", lot_size=1).events["order_id"].tolist() == [9]


@pytest.mark.slow
def test_d58_an_action_that_changes_nothing_is_no_fault(tmp_path: Path):
    path = dbn_file(tmp_path, message(), message("N", "N"))
    with pytest.raises(ValueError, match=r"^N$"):
        reference_databento(path, "ESM4")
    assert len(convert_databento(path, tick_size="0.25", lot_size=1).events) == 1


# --- cleaning, by the reference's names ---------------------------------------------------------------------------------
@pytest.mark.slow
def test_cleaning_by_the_references_names_equals_the_reference():
    from hftbacktest import data as reference
    from hftbacktest.types import event_dtype

    from queuefront.compat.hftbacktest import data as ours

    events = random_stream(8, 2_000).astype(event_dtype)
    events["local_ts"] = events["exch_ts"] + np.random.default_rng(9).integers(-30, 80, len(events))
    theirs = events.copy()
    with contextlib.redirect_stdout(io.StringIO()):
        reference.correct_local_timestamp(theirs, 5)
    assert ours.correct_local_timestamp(events, 5).tobytes() == theirs.tobytes()
    orders = [np.argsort(events[name], kind="stable") for name in ("exch_ts", "local_ts")]
    made, wanted = (side.correct_event_order(events, *orders) for side in (ours, reference))
    assert made.tobytes() == wanted.tobytes()
    for side in (ours, reference):
        side.validate_event_order(made)
        with pytest.raises(ValueError, match=r"out of order|goes back"):
            side.validate_event_order(made[::-1].copy())
