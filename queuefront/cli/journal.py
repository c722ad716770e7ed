"""`qf journal`: verify a kernel's journal, show it, replay it, export it. Reads only, also while a kernel writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from queuefront.cli.progress import row_progress
from queuefront.cli.terminal import fail, guarded, print_pairs, print_table
from queuefront.core import ConfigError, format_ts

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
    """Check every row and every page.

    Each row is compared with the chain of checksums; SQLite checks its own pages.

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
        if first is not None and first > opened.last_seq:
            raise ConfigError(f"{journal}: has {opened.last_seq:,} rows; give --from a number up to that")
        start = max(opened.last_seq - count, 0) if first is None else first - 1
        rows = [_cells(row) for row, _ in zip(opened.rows(start), range(count), strict=False)]
    finally:
        opened.close()
    print_table(
        f"{journal}, {opened.last_seq:,} rows",
        ("row", "time, UTC", "input", "of", "what it says"),
        rows,
        number_columns=(0,),
    )


def _cells(row: Any) -> tuple[object, ...]:
    import json

    from queuefront.kernel.codec import decode_input
    from queuefront.store import input_row

    told = input_row(row.seq, decode_input(row.payload, f"row {row.seq:,}"))
    fields = json.loads(told["fields"])
    words = (
        f"{key}={value}" for key, value in fields.items() if key not in ("cid", "intent_id") or value != told["subject"]
    )
    return row.seq, format_ts(told["ts"]), told["kind"], told["subject"] or "", " ".join(words)


@guarded
def journal_replay(journal: File) -> None:
    """Replay from the first row, and compare with the snapshot.

    The state is shown that the journal stands for, and checked against every invariant.

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
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Ends in .jsonl (one table), .sqlite (all), or is a folder of Parquet (all)."),
    ] = None,
    table: Annotated[str, typer.Option(help="Table of a .jsonl; --table help lists them.")] = "inputs",
) -> None:
    """Make tables of it: orders, slots, fills, trades, ledger, …

    SQLite and Parquet hold all tables, and are continued when the command runs again; a .jsonl holds one.

    \b
    Example: qf journal export trades.journal -o tables
             qf journal export trades.journal -o ledger.jsonl --table ledger
    """
    from queuefront.store import TABLES, Follower, ParquetSink, SqliteSink, origin_of

    if table == "help":
        print_table("tables", ("name", "a row is"), [(each.name, each.meaning) for each in TABLES], number_columns=())
        return
    if table not in {each.name for each in TABLES}:
        raise ConfigError(f"--table {table!r} is no table; choose of {', '.join(each.name for each in TABLES)}")
    if out is None:
        raise ConfigError("say where to; -o FILE.jsonl, -o FILE.sqlite, or -o FOLDER")
    if out.suffix not in (".jsonl", ".sqlite", ".db", ""):
        raise ConfigError(f"{out}: ends in {out.suffix}; end it in .jsonl, .sqlite, or nothing for a folder of Parquet")
    if not out.parent.is_dir():
        raise ConfigError(f"{out}: there is no folder {out.parent}; make it, or give another path")
    if out.suffix == ".jsonl":
        _export_lines(journal, out, table)
        return
    if table != "inputs":
        raise ConfigError(f"{out}: holds all tables; leave --table {table} out, or end the name in .jsonl")
    opened = _open(journal)
    origin = origin_of(opened)
    opened.close()
    sink = (SqliteSink if out.suffix in (".sqlite", ".db") else ParquetSink)(out, origin)
    try:
        with row_progress("exporting") as report:
            written = Follower(journal, sink).catch_up(report)
        mark = sink.mark()
    finally:
        sink.close()
    print_pairs(f"{out}", [("format", sink.backend_kind), ("journal rows added", written), ("up to row", mark.seq)])


def _export_lines(journal: Path, out: Path, table: str) -> None:
    import json

    from queuefront.kernel import initial_state
    from queuefront.kernel.demo import money_text
    from queuefront.store import TABLES, ColumnKind, journal_rows

    (chosen,) = (each for each in TABLES if each.name == table)
    opened = _open(journal)
    scale, count = opened.config.cash_scale, 0
    try:
        with out.open("x", encoding="utf-8") as file, row_progress("exporting") as report:
            for after, rows in journal_rows(opened, initial_state(opened.config)):
                for row in (row for name, row in rows if name == table):
                    cells = {column.name: row.get(column.name) for column in chosen.columns}
                    for column in chosen.columns:
                        units = cells[column.name]
                        if column.kind is ColumnKind.CASH and units is not None:
                            cells[column.name] = money_text(units, scale)
                    file.write(json.dumps(cells, ensure_ascii=False) + "\n")
                    count += 1
                if after.seq % 1_000 == 0:
                    report(after.seq, opened.last_seq)
    finally:
        opened.close()
    print_pairs(f"{out}", [("table", table), ("lines", count)])
