"""Where rows go: the interface of a sink, and how far one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from queuefront.store.tables import TABLES, Table

__all__ = ["Batch", "Mark", "Origin", "Sink", "schema_text"]

#: table -> its rows of a stretch of the journal, in order.
Batch = Mapping[str, Sequence[Mapping[str, Any]]]


class Mark(NamedTuple):
    """The last journal row whose rows a sink holds, all of them; `checksum` is that row's, so that histories cannot mix."""

    seq: int = 0
    checksum: str = ""


class Origin(NamedTuple):
    """The journal that tables follow."""

    lease: str
    currency: str
    cash_scale: int


class Sink(Protocol):
    """All tables, somewhere. `write` happens whole or not at all, and writing the same rows again changes nothing."""

    backend_kind: str

    def mark(self) -> Mark:
        """Return how far it is."""

    def write(self, batch: Batch, mark: Mark) -> None:
        """Keep rows, and that it is as far as `mark` now."""

    def close(self) -> None:
        """Release what it holds; a second time does nothing."""


def schema_text(tables: Sequence[Table] = TABLES) -> str:
    """Return all columns of all tables as one text: two versions that differ in it do not share tables."""
    return "; ".join(f"{table.name}({', '.join(f'{c.name} {c.kind.name}' for c in table.columns)})" for table in tables)
