"""The kernel without a loop: journal first, then step, then effects. What drives it moves requests and answers.

A group of inputs is written, stepped through one at a time, committed, and only then are its effects handed out. If the
journal refuses, the state goes back to what it was before the group, and nothing leaves: the state is a value, so that
going back is keeping the old one. If a step raises, the input's row stays, an `EventFailed` row follows it, and a replay
finds both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from queuefront.core import InvariantError
from queuefront.kernel.codec import decode_input, decode_state, encode_input, encode_state
from queuefront.kernel.journal import Journal, Row
from queuefront.kernel.records import Effect, Enter, EventFailed, Exit, Input, Modify, Settle
from queuefront.kernel.state import State, initial_state
from queuefront.kernel.step import step
from queuefront.venues import VenueEvent

__all__ = ["Engine", "recover_state", "replay", "stored_state"]

#: Inputs that may lead to an order: their rows are on disk before it leaves.
ORDERING: Final = (Enter, Exit, Modify, Settle)


class Engine:
    """One kernel's state and journal.

    Parameters
    ----------
    journal : opened for writing.
    snapshot_every : inputs between two snapshots of the state.
    before_step : called with each input before it is stepped; tests raise from here.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        snapshot_every: int = 50_000,
        before_step: Callable[[Input], None] | None = None,
    ) -> None:
        self.journal = journal
        self.state = recover_state(journal)
        self._snapshot_every = snapshot_every
        self._before_step = before_step

    def apply(self, entry: Input) -> tuple[Effect, ...]:
        """Apply one input and return its effects."""
        return self.apply_all((entry,))[0]

    def apply_all(self, inputs: Sequence[Input]) -> list[tuple[Effect, ...]]:
        """Apply a group of inputs in order and return the effects of each, when all of it is in the journal.

        Raises
        ------
        JournalError
            If the group could not be written. Nothing of it happened; it may be offered again.
        """
        before = self.state
        effects = []
        is_durable = any(isinstance(entry, ORDERING) for entry in inputs)
        try:
            self.journal.begin(is_durable=is_durable)
            for entry in inputs:
                effects.append(self._one(entry))  # noqa: PERF401 one at a time, and an exception ends it
            self.journal.commit()
        except BaseException:
            self.state = before
            self.journal.roll_back()
            raise
        if self.state.seq // self._snapshot_every != before.seq // self._snapshot_every:
            self.journal.save(self.state.seq, encode_state(self.state))
        return effects

    def _one(self, entry: Input) -> tuple[Effect, ...]:
        self.journal.append(self.state.seq + 1, encode_input(entry))
        try:
            if self._before_step is not None:
                self._before_step(entry)
            self.state, effects = step(self.state, entry)
        except Exception as e:  # noqa: BLE001  # tidy: allow swallowed: a failure becomes an input of its own, with its alarm
            return self._failed(entry, e)
        return effects

    def _failed(self, entry: Input, error: Exception) -> tuple[Effect, ...]:
        # The row stays in the journal, so its number is spent: the state counts it without applying it.
        skipped = _skip(self.state)
        event = entry if isinstance(entry, VenueEvent) else None
        failed = EventFailed(entry.ts, skipped.seq, f"{type(error).__name__}: {error}"[:500], event)
        self.journal.append(skipped.seq + 1, encode_input(failed))
        self.state, effects = step(skipped, failed)
        return effects

    def snapshot(self) -> None:
        """Write the state into the journal, so that the next start need not replay what came before."""
        self.journal.save(self.state.seq, encode_state(self.state))

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def _skip(state: State) -> State:
    return replace(state, seq=state.seq + 1)


def stored_state(journal: Journal, seq: int) -> State:
    """Return a state at or before row `seq` that need not be replayed: the journal's snapshot, or its beginning."""
    saved = journal.snapshot()
    if saved is None or saved.seq > seq:
        return initial_state(journal.config)
    return decode_state(saved.payload, journal.config, f"snapshot of row {saved.seq:,}")


def recover_state(journal: Journal) -> State:
    """Return the state that a journal stands for: its last snapshot and the rows after it."""
    state = stored_state(journal, journal.last_seq)
    for after, _, _ in replay(state, journal.rows(state.seq)):
        state = after
    return state


def replay(state: State, rows: Iterable[Row]) -> Iterator[tuple[State, Input, tuple[Effect, ...]]]:
    """Yield (state after, input, effects) of each row, as they were when it was written.

    An input whose step raised is followed by its EventFailed row and is skipped here as it was there.
    """
    waiting: Input | None = None
    for row in rows:
        entry = decode_input(row.payload, f"row {row.seq:,}")
        if waiting is not None:
            if isinstance(entry, EventFailed) and entry.seq == state.seq + 1:
                state = _skip(state)
                yield state, waiting, ()
            else:
                state, effects = step(state, waiting)
                yield state, waiting, effects
            waiting = None
        if row.seq != state.seq + 1 and row.seq != state.seq + 2:
            raise InvariantError(f"row {row.seq:,} follows state {state.seq:,}")
        waiting = entry
    if waiting is not None:
        state, effects = step(state, waiting)
        yield state, waiting, effects
