from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from queuefront.kernel import Engine, JournalDamagedError, JournalError, JournalLockedError, MemoryJournal, SqliteJournal
from queuefront.kernel.codec import encode_state
from tests.kernel_story import Story, config


def write(path: Path, trades: int = 20) -> Story:
    story = Story()
    story.engine = Engine(SqliteJournal(path, config()), snapshot_every=25)
    for n in range(trades):
        story.open(lots=10, trade_id=f"t{n}")
        story.close()
    story.engine.close()
    return story


def change(path: Path, statement: str, *values: object) -> None:
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER inputs_stay")
    db.execute("DROP TRIGGER inputs_remain")
    db.execute(statement, values)
    db.commit()
    db.close()


def test_what_was_written_is_what_is_read_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    story = write(path)
    journal = SqliteJournal(path)
    assert encode_state(Engine(journal).state) == encode_state(story.engine.state)
    assert journal.verify() == 80
    journal.close()
    journal.close()


@pytest.mark.parametrize("row", [1, 37, 80])
def test_an_altered_row_is_found_and_named(tmp_path: Path, row: int) -> None:
    path = tmp_path / "a.journal"
    write(path)
    change(path, "UPDATE inputs SET payload = payload || x'00' WHERE seq = ?", row)
    with pytest.raises(JournalDamagedError) as caught:
        SqliteJournal(path)
    assert str(caught.value) == (
        f"{path}: row {row:,} was torn or altered; restore a copy, nothing after it can be trusted"
    )


def test_a_missing_row_is_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path)
    change(path, "DELETE FROM inputs WHERE seq = 37")
    with pytest.raises(JournalDamagedError, match=r"row 37 is missing, the next is 38; restore a copy$"):
        SqliteJournal(path)


def test_a_cut_tail_that_a_snapshot_remembers_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path)
    change(path, "DELETE FROM inputs WHERE seq > 60")
    with pytest.raises(JournalDamagedError, match=r"a snapshot of row 75, the last row is 60; restore a copy$"):
        SqliteJournal(path)


def test_an_altered_snapshot_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path)
    change(path, "UPDATE snapshots SET payload = x'7b7d'")
    with pytest.raises(JournalDamagedError, match=r"the snapshot of row 75 was torn or altered; restore a copy$"):
        SqliteJournal(path)


def test_a_flipped_bit_anywhere_in_the_file_is_found_or_harmless(tmp_path: Path) -> None:
    """Every 211th byte of the file, flipped: either the journal refuses, or it says exactly what it said."""
    path = tmp_path / "a.journal"
    story = write(path, trades=5)
    whole = path.read_bytes()
    expected = encode_state(story.engine.state)
    for i in range(0, len(whole), 211):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :])
        for side in ("-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)
        try:
            journal = SqliteJournal(path, is_writer=False)
        except JournalError:
            continue
        try:
            assert encode_state(Engine(journal).state) == expected
        except JournalError:
            pass
        finally:
            journal.close()


def test_two_writers_are_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    first = SqliteJournal(path, config())
    with pytest.raises(JournalLockedError) as caught:
        SqliteJournal(path)
    assert str(caught.value) == f"{path}: another process writes this journal; close it first, or open for reading"
    reader = SqliteJournal(path, is_writer=False)
    assert reader.last_seq == 0
    reader.close()
    first.close()
    SqliteJournal(path).close()


def test_rows_can_be_neither_changed_nor_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path, trades=1)
    db = sqlite3.connect(path)
    for statement in ("UPDATE inputs SET seq = 99 WHERE seq = 1", "DELETE FROM inputs"):
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            db.execute(statement)
    db.close()


def test_files_that_are_no_journal_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal here"):
        SqliteJournal(tmp_path / "none")
    (tmp_path / "text").write_text("x" * 5_000)
    with pytest.raises(JournalError, match="not a journal, or its first page was torn"):
        SqliteJournal(tmp_path / "text")
    sqlite3.connect(tmp_path / "db").execute("CREATE TABLE a (b)").connection.close()
    with pytest.raises(JournalError, match="an SQLite file, but not a journal"):
        SqliteJournal(tmp_path / "db")


def test_a_journal_keeps_its_configuration_and_refuses_another(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    SqliteJournal(path, config()).close()
    with pytest.raises(JournalError, match="made with another configuration"):
        SqliteJournal(path, config(lease="other"))


def test_a_row_of_another_schema_is_refused_at_the_start(tmp_path: Path) -> None:
    """F14: hashes are compared when a journal is opened."""
    path = tmp_path / "a.journal"
    write(path, trades=1)
    change(path, "UPDATE inputs SET schema = 'older' WHERE seq = 2")
    with pytest.raises(JournalError, match="row 2 was written with schema older, this version has"):
        SqliteJournal(path)


def test_a_group_that_was_rolled_back_never_was(tmp_path: Path) -> None:
    for journal in (SqliteJournal(tmp_path / "a.journal", config()), MemoryJournal(config())):
        journal.begin(is_durable=True)
        journal.append(1, b"a")
        journal.roll_back()
        journal.begin(is_durable=False)
        journal.append(1, b"b")
        journal.commit()
        assert [row.payload for row in journal.rows()] == [b"b"]
        assert journal.verify() == 1
        journal.close()


def test_a_row_out_of_order_is_refused(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "a.journal", config())
    journal.begin(is_durable=True)
    with pytest.raises(JournalError, match="row 5 after row 0; a bug, please report it"):
        journal.append(5, b"")
    journal.roll_back()
    journal.close()
    with pytest.raises(JournalError, match="the journal is closed; open it again"):
        journal.append(1, b"")


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    story = Story()
    story.engine = Engine(SqliteJournal(path, config()))
    story.open(lots=10)
    before = story.engine.state
    journal = story.engine.journal
    assert isinstance(journal, SqliteJournal)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[union-attr]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]
    with pytest.raises(JournalError, match="full; make room, then go on"):  # noqa: PT012 the disk is full some time
        for n in range(5_000):
            story.tick(n)
            before = story.engine.state
    assert story.engine.state is before
    journal._db.execute("PRAGMA max_page_count = 100000")  # type: ignore[union-attr]
    story.tick(1)
    story.engine.close()
    assert SqliteJournal(path, is_writer=False).verify() == story.engine.state.seq


def test_a_row_of_another_history_does_not_fit_into_this_one() -> None:
    first, second = Story(), Story()
    for story, lots in ((first, 10), (second, 20)):
        story.open(lots=lots)
        story.close()
    mine, theirs = first.engine.journal, second.engine.journal
    assert isinstance(mine, MemoryJournal)
    assert isinstance(theirs, MemoryJournal)
    mine.committed[2:] = theirs.committed[2:]
    with pytest.raises(JournalDamagedError, match="row 3 was torn or altered"):
        mine.verify()


def test_what_cannot_be_a_journal_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    message = (
        f"^{path}: not a journal, or its first page was torn; give the path of one that a kernel wrote, or restore a copy$"
    )
    with pytest.raises(JournalError, match=message):
        SqliteJournal(path, config())
    with pytest.raises(JournalError, match=f"^{tmp_path}: is a folder; give the path of a journal$"):
        SqliteJournal(tmp_path, config())
    assert not (tmp_path / "a.txt.lock").exists()


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path, 1)
    change(path, "UPDATE meta SET value = 'queuefront journal 9' WHERE key = 'format'")
    message = (
        f"^{path}: format 'queuefront journal 9', this version reads 'queuefront journal 1'; open it with the version that "
        "wrote it$"
    )
    with pytest.raises(JournalError, match=message):
        SqliteJournal(path)
