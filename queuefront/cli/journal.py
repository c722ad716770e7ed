"""`qf journal`: verify a kernel's journal, show it, replay it, export it. Reads only, also while a kernel writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from queuefront.cli.progress import row_progress
from queuefront.cli.terminal import fail, guarded, print_pairs, print_table

if TYPE_CHECKING:
    from queuefront.kernel import SqliteJournal

__all__ = ["journal_export", "journal_replay", "journal_show", "journal_verify"]

File = Annotated[Path, typer.Argument(metavar="JOURNAL", help="A journal that a kernel wrote.")]

#: Exit code where a replay came to another state than the snapshot.
DIFFERS = 1


def _open(path: Path) -> SqliteJournal:
    from queuefront.kernel import SqliteJournal

    path.stat()
    return SqliteJournal(path, is_writer=False)


@guarded
def journal_verify(journal: File) -> None:
    """Check every row against the chain of checksums, and SQLite's own pages.

    \b
    Example: qf journal verify trades.journal
    """
    opened = _open(journal)
    try:
        rows = opened.verify()
        snapshot = opened.snapshot()
    finally:
        opened.close()
    print_pairs(
        f"{journal} verifies",
        [("rows", rows), ("lease", opened.config.lease), ("last snapshot after row", snapshot.seq if snapshot else "none")],
    )


@guarded
def journal_show(
    journal: File,
    first: Annotated[
        int | None, typer.Option("--from", min=1, help="First row; by default the last twenty are shown.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many rows.")] = 20,
) -> None:
    """Show rows of a journal, in words.

    \b
    Example: qf journal show trades.journal --from 100 --count 50
    """
    opened = _open(journal)
    try:
        start = max(opened.last_seq - count, 0) if first is None else first - 1
        rows = [_cells(row) for row, _ in zip(opened.rows(start), range(count), strict=False)]
    finally:
        opened.close()
    print_table(f"{journal}, {opened.last_seq:,} rows", ("row", "input", "of", "fields"), rows, number_columns=(0,))


def _cells(row: Any) -> tuple[object, ...]:
    fields = _fields(row)
    name, of = fields.pop("input"), fields.pop("of")
    return row.seq, name, of, " ".join(f"{key}={value}" for key, value in fields.items())


def _fields(row: Any) -> dict[str, object]:
    """Return what a row says, leaving out what it does not."""
    from msgspec.structs import asdict

    from queuefront.kernel.codec import decode_input

    entry = decode_input(row.payload, f"row {row.seq:,}")
    values = {key: getattr(value, "name", value) for key, value in asdict(entry).items()}
    kind = type(entry).__name__
    name = str(values.pop("kind")) if kind == "VenueEvent" else kind
    of = values.pop("cid", "") or values.pop("intent_id", "")
    return {"input": name, "of": of, **{key: value for key, value in values.items() if value not in (None, "", (), -1)}}


@guarded
def journal_replay(journal: File) -> None:
    """Replay a whole journal from its first row, and compare with its last snapshot.

    \b
    Example: qf journal replay trades.journal
    """
    from queuefront.kernel import Publish, audit, audit_chain, initial_state, replay
    from queuefront.kernel.codec import encode_state

    opened = _open(journal)
    try:
        snapshot, state, entries = opened.snapshot(), initial_state(opened.config), []
        is_equal = None
        with row_progress("replaying") as report:
            for after, _, effects in replay(state, opened.rows()):
                state = after
                entries += [entry for effect in effects if isinstance(effect, Publish) for entry in effect.entries]
                if snapshot is not None and state.seq == snapshot.seq:
                    is_equal = encode_state(state) == snapshot.payload
                if state.seq % 1_000 == 0:
                    report(state.seq, opened.last_seq)
    finally:
        opened.close()
    wrong = [*audit(state), *filter(None, [audit_chain(entries)])]
    _print_state(journal, state, is_equal)
    if is_equal is False:
        wrong.append(f"the snapshot after row {snapshot.seq if snapshot else 0:,} is another state")
    if wrong:
        fail("journal replay", f"{journal}: {'; '.join(wrong)}; report it, with the journal", DIFFERS)


def _print_state(journal: Path, state: Any, is_equal: bool | None) -> None:
    from queuefront.kernel.demo import ledger_rows, slot_rows

    book, scale = state.book, state.config.cash_scale
    print_pairs(
        f"{journal} replayed",
        [
            ("rows", state.seq),
            ("equal to its snapshot", {None: "no snapshot", True: "yes", False: "NO"}[is_equal]),
            ("orders open", state.open_orders),
            *ledger_rows(book, scale),
        ],
    )
    print_table(
        "slots in use", ("slot", "stage", "health", "trade", "size", "realized"), slot_rows(state), number_columns=(0, 4)
    )


@guarded
def journal_export(
    journal: File,
    out: Annotated[Path, typer.Option("-o", "--out", help="File of JSON lines.")],
    ledger: Annotated[bool, typer.Option("--ledger", help="The ledger's entries instead of the inputs.")] = False,
) -> None:
    """Write the inputs of a journal, or the ledger that they make, as JSON lines.

    \b
    Example: qf journal export trades.journal --ledger -o ledger.jsonl
    """
    import msgspec

    opened = _open(journal)
    count = 0
    try:
        with out.open("xb") as file:
            for record in _ledger(opened) if ledger else _inputs(opened):
                file.write(msgspec.json.encode(record) + b"\n")
                count += 1
    finally:
        opened.close()
    print_pairs(f"{out}", [("lines", count)])


def _inputs(opened: Any) -> Iterator[dict[str, object]]:
    for row in opened.rows():
        yield {"seq": row.seq, "checksum": row.checksum.hex(), **_fields(row)}


def _ledger(opened: Any) -> Iterator[dict[str, object]]:
    from msgspec.structs import asdict

    from queuefront.kernel import Publish, initial_state, replay

    for _, _, effects in replay(initial_state(opened.config), opened.rows()):
        for effect in effects:
            if isinstance(effect, Publish):
                for entry in effect.entries:
                    values = {key: getattr(value, "name", value) for key, value in asdict(entry).items()}
                    yield {**values, "amount": entry.amount}
