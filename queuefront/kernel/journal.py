"""The journal: every input in order, each row chained to the one before, in an SQLite file or in memory.

What is promised, and by what:

- *Append only*: triggers refuse to change or remove a row.
- *Torn or altered rows are found*: a row's checksum covers its number, its bytes and the checksum before it; opening
  verifies the whole chain and names the first row that does not fit.
- *Durable before an order leaves*: a transaction begun with `is_durable` waits for the disk (WAL, synchronous=FULL). Others
  are grouped (synchronous=NORMAL) and survive the process, not the power; what they lose led to no order at the venue.
- *One writer*: a lock on `<path>.lock`, which the system releases when a process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from queuefront.kernel.codec import SCHEMA_HASH, decode_config, encode_config
from queuefront.kernel.errors import JournalDamagedError, JournalError, JournalLockedError
from queuefront.kernel.records import Config

__all__ = ["Journal", "MemoryJournal", "Row", "Snapshot", "SqliteJournal", "chain"]

FORMAT: Final = "queuefront journal 1"
GENESIS: Final = b"\0" * 16
#: How every SQLite file begins.
_SQLITE: Final = b"SQLite format 3\0"

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE inputs (seq INTEGER PRIMARY KEY, schema TEXT NOT NULL, checksum BLOB NOT NULL, payload BLOB NOT NULL);
CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, schema TEXT NOT NULL, checksum BLOB NOT NULL, digest BLOB NOT NULL,
                        payload BLOB NOT NULL);
CREATE TRIGGER inputs_stay BEFORE UPDATE ON inputs BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END;
CREATE TRIGGER inputs_remain BEFORE DELETE ON inputs BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END;
"""


class Row(NamedTuple):
    """One input as it is stored."""

    seq: int
    schema: str
    checksum: bytes
    payload: bytes


class Snapshot(NamedTuple):
    """A state as it is stored; `checksum` is that of the row it was taken after."""

    seq: int
    schema: str
    checksum: bytes
    payload: bytes


def chain(before: bytes, seq: int, payload: bytes) -> bytes:
    """Return the checksum of a row from the checksum before it."""
    return hashlib.blake2b(before + seq.to_bytes(8, "little") + payload, digest_size=16).digest()


class Journal(Protocol):
    """Where inputs are written before anything is done about them."""

    config: Config
    last_seq: int
    backend_kind: str

    def begin(self, *, is_durable: bool) -> None:
        """Begin a group of rows."""

    def append(self, seq: int, payload: bytes) -> None:
        """Write one row; it counts when `commit` returned."""

    def commit(self) -> None:
        """Make the group count."""

    def roll_back(self) -> None:
        """Forget the rows since the last commit."""

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows after a sequence number."""

    def save(self, seq: int, payload: bytes) -> None:
        """Keep a snapshot of the state after row `seq`."""

    def snapshot(self) -> Snapshot | None:
        """Return the last snapshot."""

    def verify(self) -> int:
        """Check the whole chain; return how many rows there are."""

    def close(self) -> None:
        """Release what the journal holds; a second time does nothing."""


def verify_rows(rows: Iterator[Row], snapshot: Snapshot | None, where: str) -> tuple[int, bytes]:
    """Check a chain from its beginning; return (rows, last checksum).

    Raises
    ------
    JournalDamagedError
        Naming the first row that does not fit.
    """
    before, count = GENESIS, 0
    for row in rows:
        if row.seq != count + 1:
            raise JournalDamagedError(f"{where}: row {count + 1:,} is missing, the next is {row.seq:,}; restore a copy")
        if row.checksum != chain(before, row.seq, row.payload):
            raise JournalDamagedError(
                f"{where}: row {row.seq:,} was torn or altered; restore a copy, nothing after it can be trusted"
            )
        before, count = row.checksum, row.seq
        if snapshot is not None and snapshot.seq == row.seq and snapshot.checksum != row.checksum:
            raise JournalDamagedError(
                f"{where}: the snapshot after row {row.seq:,} belongs to another history; restore a copy"
            )
    if snapshot is not None and snapshot.seq > count:
        raise JournalDamagedError(f"{where}: a snapshot of row {snapshot.seq:,}, the last row is {count:,}; restore a copy")
    return count, before


class MemoryJournal:
    """A journal in memory, for tests, simulations and replays; `backend_kind` says so."""

    backend_kind = "memory"

    def __init__(self, config: Config, *, is_kept: bool = True) -> None:
        self.config = config
        self.committed: list[Row] = []
        self.saved: Snapshot | None = None
        self.last_seq = 0
        self._checksum = GENESIS
        self._open: list[Row] = []
        self._is_kept = is_kept

    def begin(self, *, is_durable: bool) -> None:  # noqa: ARG002 memory is as durable as it gets
        """Begin a group of rows."""
        self._open = []

    def append(self, seq: int, payload: bytes) -> None:
        """Write one row."""
        before = self._open[-1].checksum if self._open else self._checksum
        self._open.append(Row(seq, SCHEMA_HASH, chain(before, seq, payload), payload))

    def commit(self) -> None:
        """Make the group count."""
        if self._open:
            self._checksum = self._open[-1].checksum
            self.last_seq = self._open[-1].seq
            if self._is_kept:
                self.committed += self._open
            self._open = []

    def roll_back(self) -> None:
        """Forget the rows since the last commit."""
        self._open = []

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows after a sequence number."""
        yield from self.committed[after:]

    def save(self, seq: int, payload: bytes) -> None:
        """Keep a snapshot."""
        self.saved = Snapshot(seq, SCHEMA_HASH, self._checksum, payload)

    def snapshot(self) -> Snapshot | None:
        """Return the last snapshot."""
        return self.saved

    def verify(self) -> int:
        """Check the whole chain."""
        return verify_rows(self.rows(), self.saved, "journal in memory")[0]

    def close(self) -> None:
        """Forget what was not committed."""
        self._open = []


class SqliteJournal:
    """A journal in an SQLite file.

    Parameters
    ----------
    path : the file; made, with `config`, where there is none.
    config : of a new journal; an existing one keeps its own, and a different one is refused.
    is_writer : False opens for reading only, also while another process writes.
    """

    backend_kind = "sqlite"

    def __init__(self, path: Path, config: Config | None = None, *, is_writer: bool = True) -> None:
        self.path = path
        _look(path)
        self._lock = _lock(path) if is_writer else None
        self._db: sqlite3.Connection | None = None
        self._is_durable = True
        try:
            self._db = self._connect(config, is_writer=is_writer)
            self.config = self._read_config(config)
            self.last_seq, self._checksum = verify_rows(self.rows(), self.snapshot(), str(path))
        except sqlite3.Error as e:
            self.close()
            raise JournalDamagedError(f"{path}: {e}; restore a copy") from e
        except BaseException:
            self.close()
            raise
        self._seq, self._tail = self.last_seq, self._checksum

    def _connect(self, config: Config | None, *, is_writer: bool) -> sqlite3.Connection:
        is_new = not self.path.exists() or not self.path.stat().st_size
        if is_new and (config is None or not is_writer):
            raise JournalError(f"{self.path}: no journal here; give the path of one that a kernel wrote")
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        if is_writer:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
        else:
            db.execute("PRAGMA query_only=ON")
        if is_new and config is not None:
            db.execute("BEGIN")
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute("INSERT INTO meta VALUES ('format', ?), ('config', ?)", (FORMAT, encode_config(config)))
            db.execute("COMMIT")
        return db

    def _read_config(self, config: Config | None) -> Config:
        db = self._open_db()
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            raise JournalError(f"{self.path}: an SQLite file, but not a journal; give the path of one that a kernel wrote")
        meta = dict(db.execute("SELECT key, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise JournalError(
                f"{self.path}: format {meta.get('format')!r}, this version reads {FORMAT!r}; open it with the version that "
                "wrote it"
            )
        row = db.execute("SELECT seq, schema FROM inputs WHERE schema <> ? LIMIT 1", (SCHEMA_HASH,)).fetchone()
        if row:
            raise JournalError(
                f"{self.path}: row {row[0]:,} was written with schema {row[1]}, this version has {SCHEMA_HASH}; "
                "close all positions with the version that wrote it, then begin a new journal"
            )
        stored = decode_config(meta["config"], str(self.path))
        if config is not None and config != stored:
            raise JournalError(f"{self.path}: made with another configuration (lease {stored.lease}); open it without one")
        return stored

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise JournalError(f"{self.path}: the journal is closed; open it again")
        return self._db

    def begin(self, *, is_durable: bool) -> None:
        """Begin a group of rows; its commit waits for the disk where `is_durable` says so."""
        db = self._open_db()
        try:
            if is_durable is not self._is_durable:
                db.execute(f"PRAGMA synchronous={'FULL' if is_durable else 'NORMAL'}")
                self._is_durable = is_durable
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as e:
            raise JournalError(f"{self.path}: could not begin: {e}; make room, then go on") from e
        self._tail, self._seq = self._checksum, self.last_seq

    def append(self, seq: int, payload: bytes) -> None:
        """Write one row; it counts when `commit` returned."""
        if seq != self._seq + 1:
            raise JournalError(f"{self.path}: row {seq:,} after row {self._seq:,}; a bug, please report it")
        tail = chain(self._tail, seq, payload)
        try:
            self._open_db().execute("INSERT INTO inputs VALUES (?, ?, ?, ?)", (seq, SCHEMA_HASH, tail, payload))
        except sqlite3.Error as e:
            raise JournalError(f"{self.path}: row {seq:,} could not be written: {e}; make room, then go on") from e
        self._tail, self._seq = tail, seq

    def commit(self) -> None:
        """Make the group count."""
        try:
            self._open_db().execute("COMMIT")
        except sqlite3.Error as e:
            raise JournalError(f"{self.path}: could not commit: {e}; make room, then go on") from e
        self.last_seq, self._checksum = self._seq, self._tail

    def roll_back(self) -> None:
        """Forget the rows since the last commit."""
        db = self._open_db()
        if db.in_transaction:
            db.execute("ROLLBACK")
        self._seq, self._tail = self.last_seq, self._checksum

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows after a sequence number."""
        yield from map(Row._make, self._open_db().execute(
            "SELECT seq, schema, CAST(checksum AS BLOB), CAST(payload AS BLOB) FROM inputs WHERE seq > ? ORDER BY seq",
            (after,),
        ))  # fmt: skip

    def save(self, seq: int, payload: bytes) -> None:
        """Keep a snapshot of the state after row `seq`, and of the one before it."""
        db = self._open_db()
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        try:
            db.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)",
                (seq, SCHEMA_HASH, self._checksum, digest, payload),
            )
            db.execute("DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 2)")
        except sqlite3.Error as e:
            raise JournalError(f"{self.path}: the snapshot of row {seq:,} could not be written: {e}; make room") from e

    def snapshot(self) -> Snapshot | None:
        """Return the last snapshot, None where there is none or another version wrote it: replaying does without."""
        row = self._open_db().execute(
            "SELECT seq, schema, checksum, digest, CAST(payload AS BLOB) FROM snapshots "
            "WHERE schema = ? ORDER BY seq DESC LIMIT 1",
            (SCHEMA_HASH,),
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        seq, schema, checksum, digest, payload = row
        if digest != hashlib.blake2b(payload, digest_size=16).digest():
            raise JournalDamagedError(f"{self.path}: the snapshot of row {seq:,} was torn or altered; restore a copy")
        return Snapshot(seq, schema, checksum, payload)

    def verify(self) -> int:
        """Check the whole chain, and what SQLite knows of its own pages; return how many rows there are."""
        try:
            answer = self._open_db().execute("PRAGMA integrity_check(1)").fetchone()[0]
            if answer != "ok":
                raise JournalDamagedError(f"{self.path}: {answer}; restore a copy")
            return verify_rows(self.rows(), self.snapshot(), str(self.path))[0]
        except sqlite3.Error as e:
            raise JournalDamagedError(f"{self.path}: {e}; restore a copy") from e

    def close(self) -> None:
        """Release file and lock; a second time does nothing."""
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _look(path: Path) -> None:
    """Refuse what cannot be a journal before anything is opened or made."""
    if path.is_dir():
        raise JournalError(f"{path}: is a folder; give the path of a journal")
    if not path.parent.is_dir():
        raise JournalError(f"{path}: there is no folder {path.parent}; make it, or give another path")
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                raise JournalError(
                    f"{path}: not a journal, or its first page was torn; give the path of one that a kernel wrote, "
                    "or restore a copy"
                )


def _lock(path: Path) -> int:
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        os.close(lock)
        raise JournalLockedError(f"{path}: another process writes this journal; close it first, or open for reading") from e
    return lock
