"""Following a journal: its rows become rows of tables, at the pace of the sink and from where the sink stands.

The kernel knows nothing of it. A follower reads the journal, also while a kernel writes it; a sink that is slow, down or
full delays its own tables and nothing else, and the journal is the queue that loses nothing meanwhile (design D8).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from queuefront.kernel import SqliteJournal, State, replay, stored_state
from queuefront.store.errors import StoreError
from queuefront.store.rows import Row, rows_of
from queuefront.store.sinks import Mark, Origin, Sink

__all__ = ["Follower", "journal_rows", "origin_of"]

BATCH_ROWS: Final = 5_000
REPORT_ROWS: Final = 1_000


def origin_of(journal: SqliteJournal) -> Origin:
    """Return what tables say of the journal that they follow."""
    config = journal.config
    return Origin(config.lease, config.currency, config.cash_scale)


def journal_rows(
    journal: SqliteJournal, state: State, checksums: dict[int, str] | None = None
) -> Iterator[tuple[State, list[Row]]]:
    """Yield (state after, rows of all tables) of each journal row after a state.

    Parameters
    ----------
    checksums : filled with row -> checksum as rows are read; each is there by the time its rows are yielded.
    """

    def noted() -> Iterator[Any]:
        for row in journal.rows(state.seq):
            if checksums is not None:
                checksums[row.seq] = row.checksum.hex()
            yield row

    before = state
    for after, entry, effects in replay(state, noted()):
        yield after, list(rows_of(before, entry, after, effects))
        before = after


class Follower:
    """Keeps a sink in step with a journal.

    Parameters
    ----------
    path : the journal; opened for reading, and verified, each time.
    sink : a sink of this journal.
    batch_rows : journal rows written to the sink at once.
    """

    def __init__(self, path: Path, sink: Sink, *, batch_rows: int = BATCH_ROWS) -> None:
        self.path = path
        self.sink = sink
        self._batch_rows = batch_rows
        self._state: State | None = None

    def catch_up(self, report: Callable[[int, int], None] | None = None) -> int:
        """Write what the sink lacks; return how many journal rows that were. `report` is told (rows read, rows there are).

        Raises
        ------
        StoreError
            If the sink refuses, or holds rows of another history. Call again when it is mended; nothing is lost.
        JournalError
            If the journal cannot be read.
        """
        journal = SqliteJournal(self.path, is_writer=False)
        try:
            return self._catch_up(journal, report)
        finally:
            journal.close()

    def _catch_up(self, journal: SqliteJournal, report: Callable[[int, int], None] | None) -> int:
        mark = self.sink.mark()
        _check(journal, mark, self.path)
        if mark.seq == journal.last_seq:
            return 0
        state = self._state
        if state is None or state.seq > mark.seq:
            state = stored_state(journal, mark.seq)
        checksums: dict[int, str] = {}
        batch: dict[str, list[dict[str, Any]]] = defaultdict(list)
        written = pending = 0
        for after, rows in journal_rows(journal, state, checksums):
            state = after
            checksum = checksums.pop(after.seq)
            if after.seq > mark.seq:
                _add(batch, rows)
                pending += 1
            if pending == self._batch_rows or (pending and after.seq == journal.last_seq):
                self.sink.write(batch, Mark(after.seq, checksum))
                written, pending, batch = written + pending, 0, defaultdict(list)
            if report is not None and after.seq % REPORT_ROWS == 0:
                report(after.seq, journal.last_seq)
        if pending:
            self.sink.write(batch, Mark(state.seq, checksum))
            written += pending
        # Kept only now: after a failure the sink stands elsewhere, and what it lacks is read again from the state before.
        self._state = state
        return written


def _add(batch: dict[str, list[dict[str, Any]]], rows: Iterable[Row]) -> None:
    for table, row in rows:
        batch[table].append(row)


def _check(journal: SqliteJournal, mark: Mark, path: Path) -> None:
    """Refuse a sink that is ahead of the journal, or stands on a row that this journal has not."""
    if not mark.seq:
        return
    found = next(iter(journal.rows(mark.seq - 1)), None)
    if found is None or found.checksum.hex() != mark.checksum:
        raise StoreError(
            f"{path}: row {mark.seq:,} is not the one that the tables stand on; remove them and follow it anew"
        )
