"""`qf check`: is a file of market data what it claims to be?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuefront.cli.market_file import FileKind, kind_of, read_unchecked
from queuefront.cli.terminal import guarded
from queuefront.core import DataError

if TYPE_CHECKING:
    from queuefront.feed import CheckReport

__all__ = ["check"]

#: Exit code where something is wrong with the data.
IS_WRONG = 1


@guarded
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tape, .npz or .parquet file.")],
    limit: Annotated[int, typer.Option(min=1, help="How many rows to list for each rule.")] = 10,
) -> None:
    """List what is wrong with a file of market data, and where.

    Exit code 0: nothing is. 1: the list says what.

    \b
    Example: qf check btc.tape
    """
    kind = kind_of(file)
    file.stat()
    try:
        problems = list(_find_problems(file, kind, limit))
    except DataError as e:  # the file itself cannot be read for what it is
        typer.echo(str(e))
        raise typer.Exit(IS_WRONG) from None
    for problem in problems:
        typer.echo(f"{file}: {problem}")
    if problems:
        raise typer.Exit(IS_WRONG)
    typer.echo(f"{file}: nothing is wrong")


def _find_problems(path: Path, kind: FileKind, limit: int) -> Iterator[str]:
    from queuefront.feed import Tape, check_events

    if kind is FileKind.TAPE:
        tape = Tape.open(path)
        tape.verify()
        return _describe(check_events(tape.to_events(), tape.instrument, limit=limit))
    return _describe(check_events(read_unchecked(path, kind), limit=limit))


def _describe(report: CheckReport) -> Iterator[str]:
    """Yield one line a listed row, and one for those that are not listed."""
    listed: dict[str, int] = {}
    for problem in report.problems:
        listed[problem.rule] = listed.get(problem.rule, 0) + 1
        yield f"row {problem.row:,}: {problem.rule}: {problem.field} is {problem.value}; {problem.hint}"
    for rule, count in report.counts.items():
        if count > listed.get(rule, 0):
            yield f"{count - listed.get(rule, 0):,} more rows: {rule}"
