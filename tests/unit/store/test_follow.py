from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from queuefront.kernel import Desk, SqliteJournal, config_of, open_kernel, replay, spec_of
from queuefront.kernel.demo import TRX
from queuefront.store import TABLES, Follower, Mark, ParquetSink, SqliteSink, StoreError, follow, origin_of
from queuefront.venues import MockExchange, MockVenue
from tests.unit.store.journals import ORIGIN, demo_journal, rows_by_table


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_journal(tmp_path_factory.mktemp("demo"))


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    db = sqlite3.connect(path)
    found = {table.name: db.execute(f"SELECT * FROM {table.name}").fetchall() for table in TABLES}
    db.close()
    return found


class Flaky:
    """A sink that is down now and then, and remembers what it was given."""

    backend_kind = "flaky"

    def __init__(self) -> None:
        self.is_down = False
        self.place = Mark()
        self.batches: list[dict[str, Any]] = []

    def mark(self) -> Mark:
        return self.place

    def write(self, batch: Any, mark: Mark) -> None:
        if self.is_down:
            raise StoreError("down; start it, then follow the journal again")
        self.batches.append(dict(batch))
        self.place = mark

    def close(self) -> None:
        self.is_down = True


@pytest.mark.parametrize("batch_rows", [1, 7, 5_000])
def test_stopped_and_continued_anywhere_gives_the_same_tables(journal: Path, tmp_path: Path, batch_rows: int) -> None:
    whole = SqliteSink(tmp_path / "whole.sqlite", ORIGIN)
    assert Follower(journal, whole).catch_up() == 41
    whole.close()
    parts = SqliteSink(tmp_path / "parts.sqlite", ORIGIN)
    write, count = parts.write, 0

    def interrupted(batch: Any, mark: Mark) -> None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise KeyboardInterrupt
        write(batch, mark)

    parts.write = interrupted  # type: ignore[method-assign]
    follower = Follower(journal, parts, batch_rows=batch_rows)
    for _ in range(100):
        try:
            if not follower.catch_up():
                break
        except KeyboardInterrupt:
            follower = Follower(journal, parts, batch_rows=batch_rows)
    assert parts.mark().seq == 41
    parts.close()
    assert contents(tmp_path / "parts.sqlite") == contents(tmp_path / "whole.sqlite")


def test_both_sinks_hold_the_same_rows(journal: Path, tmp_path: Path) -> None:
    lite, parquet = SqliteSink(tmp_path / "a.sqlite", ORIGIN), ParquetSink(tmp_path / "t", ORIGIN)
    for sink in (lite, parquet):
        Follower(journal, sink, batch_rows=10).catch_up()
        assert sink.mark().seq == 41
        sink.close()
    for table, rows in rows_by_table(journal).items():
        key = next(each.key for each in TABLES if each.name == table)
        told = pl.read_parquet(tmp_path / "t" / table).sort(key)
        assert told.height == len(rows) == len(contents(tmp_path / "a.sqlite")[table])
    units = sum(row[8] for row in contents(tmp_path / "a.sqlite")["ledger"])
    assert int(pl.read_parquet(tmp_path / "t" / "ledger")["cash"].sum().scaleb(12)) == units


def test_a_sink_that_is_down_loses_nothing_and_trading_does_not_notice(tmp_path: Path) -> None:
    """F8: the kernel does not even know that there are tables."""
    path = tmp_path / "a.journal"
    sink = Flaky()
    follower = Follower(path, sink, batch_rows=3)

    async def trade() -> None:
        spec = spec_of(TRX, 12)
        exchange = MockExchange(unit=spec.unit)
        exchange.prices["TRXUSDT"] = 8_340
        made = config_of([spec], lease="demo", capital=25_000)
        async with await open_kernel(MockVenue(exchange), journal=path, config=made) as kernel:
            desk = Desk(kernel, [TRX])
            for i in range(6):
                sink.is_down = i in (1, 2, 3)
                await desk.enter(
                    slot=i, trade_id=f"t{i}", instrument="TRXUSDT", side="LONG", qty=100, reference_price="0.0834"
                )
                if sink.is_down:
                    with pytest.raises(StoreError, match=r"^down; start it, then follow the journal again$"):
                        follower.catch_up()
                else:
                    assert follower.catch_up() > 0

    asyncio.run(trade())
    follower.catch_up()
    seqs = [row["seq"] for batch in sink.batches for row in batch["inputs"]]
    assert seqs == list(range(1, len(seqs) + 1))
    trades = [row["trade_id"] for batch in sink.batches for row in batch.get("trade_events", ())]
    assert trades == [f"t{i}" for i in range(6)]


def test_following_on_does_not_replay_what_was_followed(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Flaky()
    follower = Follower(journal, sink)
    follower.catch_up()
    monkeypatch.setattr(follow, "replay", lambda state, rows: pytest.fail("nothing new, and replayed"))
    assert follower.catch_up() == 0


def test_a_new_follower_begins_at_the_journals_snapshot_where_the_tables_have_come_that_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = demo_journal(tmp_path)
    sink = Flaky()
    Follower(path, sink).catch_up()

    async def trade_on() -> None:
        exchange = MockExchange()
        async with await open_kernel(MockVenue(exchange), journal=path, clock=lambda: 2 * 10**18):
            pass

    asyncio.run(trade_on())
    begun: list[int] = []
    monkeypatch.setattr(follow, "replay", lambda state, rows: begun.append(state.seq) or replay(state, rows))
    # The close of the second session left a snapshot that the tables do not reach, so the journal is replayed.
    assert Follower(path, sink).catch_up() > 0
    asyncio.run(trade_on())
    db = sqlite3.connect(path)
    (last,) = db.execute("SELECT max(seq) FROM snapshots").fetchone()
    db.execute("DELETE FROM snapshots WHERE seq = ?", (last,))
    db.commit()
    db.close()
    stood = sink.mark().seq
    assert Follower(path, sink).catch_up() == last - stood
    assert begun == [0, stood]


def test_tables_of_another_history_are_refused(journal: Path) -> None:
    sink = Flaky()
    sink.place = Mark(5, "ab")
    message = f"^{journal}: row 5 is not the one that the tables stand on; remove them and follow it anew$"
    with pytest.raises(StoreError, match=message):
        Follower(journal, sink).catch_up()
    sink.place = Mark(99, "ab")
    with pytest.raises(StoreError, match="row 99 is not the one that the tables stand on"):
        Follower(journal, sink).catch_up()


def test_the_origin_of_tables_is_the_journals_lease_currency_and_scale(journal: Path) -> None:
    opened = SqliteJournal(journal, is_writer=False)
    assert origin_of(opened) == ORIGIN
    opened.close()


def test_progress_is_reported_in_rows(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "REPORT_ROWS", 13)
    told: list[tuple[int, int]] = []
    Follower(journal, Flaky()).catch_up(lambda done, total: told.append((done, total)))
    assert told == [(13, 41), (26, 41), (39, 41)]
