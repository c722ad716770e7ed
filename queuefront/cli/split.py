"""`qf split` and `qf concat`: a tape in pieces by time, and pieces as one tape."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from queuefront.cli.market_file import FileKind, kind_of, refuse_existing
from queuefront.cli.terminal import guarded, instrument_pairs, print_pairs, print_table, span_pairs
from queuefront.cli.times import duration_of, time_of
from queuefront.core import ConfigError, format_ts

__all__ = ["concat", "split"]


@guarded
def split(
    tape: Annotated[Path, typer.Argument(metavar="TAPE", help="What to split.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the pieces go, NAME.001.tape and on.")],
    at: Annotated[
        list[str] | None, typer.Option(metavar="TIME", help="A piece begins here; ISO, UTC, or ns. May be repeated.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="A piece for each such interval, for example 1h.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace existing pieces.")] = False,
) -> None:
    """Split a tape by local time; pieces that begin in mid-stream open with the book as it stood.

    `qf concat` of all pieces gives the tape again.

    \b
    Example: qf split btc.tape --every 1h -o hours
    """
    from queuefront.feed import Tape, cuts_every, split_tape

    if (at is None) == (every is None):
        raise ConfigError("say where to split: --at TIME, or --every DURATION")
    _require_tape(tape)
    whole = Tape.open(tape)
    cuts = cuts_every(whole, duration_of(every, "--every")) if every else sorted({time_of(t, "--at") for t in at or []})
    if not out.exists():
        out.mkdir()
    made: list[tuple[Any, ...]] = []
    for i, piece in enumerate(split_tape(whole, cuts, str(tape)), 1):
        path = out / f"{tape.stem}.{i:03}.tape"
        refuse_existing(path, force=force)
        piece.save(path)
        first = piece.meta["first_local_ts"]
        made.append((path.name, len(piece), "" if first is None else format_ts(first)))
    print_pairs(f"{out} (pieces)", [*instrument_pairs(whole.instrument), ("rows", len(whole)), ("pieces", len(made))])
    print_table("pieces", ("piece", "rows", "begins"), made, number_columns=(1,))


@guarded
def concat(
    tapes: Annotated[list[Path], typer.Argument(metavar="TAPE...", help="Tapes of one market, in the order of time.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.tape", help="Output.")],
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Put tapes that follow on one another together: pieces of `qf split`, or days.

    \b
    Example: qf concat hours/btc.001.tape hours/btc.002.tape -o btc.tape
    """
    from queuefront.feed import Tape, concat_tapes

    for path in (*tapes, out):
        _require_tape(path)
    refuse_existing(out, force=force)
    whole = concat_tapes([Tape.open(path) for path in tapes], [str(path) for path in tapes])
    whole.save(out)
    print_pairs(
        f"{out} (tape)",
        [
            *instrument_pairs(whole.instrument),
            ("tapes", len(tapes)),
            ("events", len(whole)),
            *span_pairs("local", whole.meta["first_local_ts"], whole.meta["last_local_ts"]),
        ],
    )


def _require_tape(path: Path) -> None:
    if kind_of(path) is not FileKind.TAPE:
        raise ConfigError(f"{path}: only tapes are split and put together; make one with `qf convert`")
