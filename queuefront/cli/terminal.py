"""What all commands share: consoles, one-line errors with exit codes, and tables.

Results go to stdout, progress and errors to stderr, so that a pipe carries results only.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from queuefront.core import Instrument, QueuefrontError, format_duration, format_ts

__all__ = ["consoles", "fail", "guarded", "instrument_pairs", "one_line", "print_pairs", "print_table", "span_pairs"]

P = ParamSpec("P")

#: Exit code after Ctrl-C, as shells give it to a process that SIGINT ended.
INTERRUPTED = 130
#: Exit code where the operating system refused a file.
REFUSED_FILE = 2


def consoles() -> tuple[Console, Console]:
    """Return (stdout, stderr) consoles of this moment's streams, which tests replace."""
    return Console(file=sys.stdout, soft_wrap=False), Console(file=sys.stderr, stderr=True)


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Turn what a user can mend into one line `qf <command>: …` on stderr and an exit code, without a traceback."""
    command = function.__name__.replace("_", " ")  # `kernel_demo` is `qf kernel demo`

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except QueuefrontError as e:
            fail(command, str(e), e.exit_code)
        except BrokenPipeError:  # the reader of our output left, for example `qf info … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as e:
            where = f"{e.filename}: " if e.filename else ""
            fail(command, f"{where}{(e.strerror or str(e)).lower()}", REFUSED_FILE)
        except KeyboardInterrupt:
            typer.echo(f"qf {command}: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None

    return run


def fail(command: str, message: str, exit_code: int) -> None:
    """Print one line on stderr and leave."""
    typer.echo(f"qf {command}: {one_line(message)}", err=True)
    raise typer.Exit(exit_code) from None


def one_line(message: str) -> str:
    """Return the message with line breaks and indentation made single spaces."""
    return " ".join(message.split())


def print_pairs(title: str, pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values as a table of two columns; a None value is left out."""
    print_table(title, ("", ""), [(name, value) for name, value in pairs if value is not None], number_columns=())


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]], number_columns: Sequence[int]) -> None:
    """Print a table on stdout; nothing where it has no rows. Columns of numbers stand to the right."""
    if not rows:
        return
    out, _ = consoles()
    out.print(escape(title), style="bold", soft_wrap=True)  # a path must not be broken by the width of its table
    table = Table(show_header=any(head), box=None, pad_edge=False)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i in number_columns else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    out.print(table)
    out.print()


def span_pairs(clock: str, first_ts: int | None, last_ts: int | None) -> list[tuple[str, object]]:
    """Return the lines that say when a market begins and ends by one of its clocks."""
    if first_ts is None or last_ts is None:
        return [(f"{clock} time", "none")]
    return [
        (f"first {clock} time", format_ts(first_ts)),
        (f"last {clock} time", format_ts(last_ts)),
        (f"{clock} duration", format_duration(last_ts - first_ts)),
    ]


def instrument_pairs(instrument: Instrument) -> list[tuple[str, object]]:
    """Return the lines that say what is traded, and in which steps."""
    fields = instrument.to_dict()
    return [
        ("instrument", f"{instrument.venue} {instrument.symbol}, {instrument.contract}"),
        ("tick size", fields["tick_size"]),
        ("lot size", fields["lot_size"]),
        ("multiplier", fields["multiplier"]),
    ]


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
