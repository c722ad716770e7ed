"""Journals to follow: of the demo's session, and of simulated worlds in which everything fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from queuefront.kernel import SqliteJournal, initial_state, replay
from queuefront.kernel.demo import run_demo
from queuefront.kernel.simulate import choose_faults
from queuefront.kernel.world import World
from queuefront.store import Origin, journal_rows, rows_of

ORIGIN = Origin("demo", "USDT", 12)


def demo_journal(folder: Path) -> Path:
    path = folder / "demo.journal"
    list(run_demo(path))
    return path


def rows_by_table(path: Path) -> dict[str, list[dict[str, Any]]]:
    journal = SqliteJournal(path, is_writer=False)
    found: dict[str, list[dict[str, Any]]] = {}
    for _, rows in journal_rows(journal, initial_state(journal.config)):
        for table, row in rows:
            found.setdefault(table, []).append(row)
    journal.close()
    return found


def simulated(seed: int, steps: int = 120) -> list[tuple[Any, Any, Any, tuple[Any, ...], dict[str, list[dict[str, Any]]]]]:
    """Return (state before, input, state after, effects, rows by table) of every journal row of a simulated world."""
    world = World(seed, choose_faults("all"))
    world.run(range(steps))
    before = initial_state(world.journal.config)
    found = []
    for after, entry, effects in replay(before, world.journal.rows()):
        rows: dict[str, list[dict[str, Any]]] = {}
        for table, row in rows_of(before, entry, after, effects):
            rows.setdefault(table, []).append(row)
        found.append((before, entry, after, effects, rows))
        before = after
    return found
