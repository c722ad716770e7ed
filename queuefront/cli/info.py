"""`qf info`: what a file of market data holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from queuefront.cli.market_file import FileKind, kind_of, read_unchecked
from queuefront.cli.terminal import guarded, instrument_pairs, print_pairs, print_table, span_pairs

__all__ = ["info"]


@guarded
def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tape, .npz or .parquet file.")],
) -> None:
    """Show what a file of market data holds.

    \b
    Example: qf info btc.tape
    """
    kind = kind_of(file)
    file.stat()
    if kind is FileKind.TAPE:
        _print_tape(file)
    else:
        _print_events(file, kind)


def _print_tape(path: Path) -> None:
    from queuefront.feed import Tape

    tape = Tape.open(path)
    instrument, meta = tape.instrument, tape.meta
    print_pairs(
        f"{path} (tape, version {meta['version']})",
        [
            *instrument_pairs(instrument),
            ("source", meta.get("source")),
            ("created", meta.get("created")),
            ("checksum", meta.get("checksum")),
            ("bytes", path.stat().st_size),
            ("events", len(tape)),
            ("price levels", len(tape.levels)),
            *span_pairs("exchange", meta["first_exch_ts"], meta["last_exch_ts"]),
            *span_pairs("local", meta["first_local_ts"], meta["last_local_ts"]),
        ],
    )
    print_table("events by kind", ("kind", "events"), sorted(meta["counts"].items()), number_columns=(1,))
    account: dict[str, Any] = meta.get("account") or {}
    print_pairs(
        "conversion",
        [
            ("input", account.get("path")),
            ("sha256", account.get("sha256")),
            ("lines read", account.get("lines")),
            ("lines refused", account.get("refused_count")),
            ("gaps", account.get("gap_count")),
            ("local times moved by, ns", account.get("local_ts_shift_ns")),
        ],
    )


def _print_events(path: Path, kind: FileKind) -> None:
    import numpy as np

    from queuefront.core.enums import EXCH_EVENT, KIND_MASK, KIND_NAMES, LOCAL_EVENT

    events = read_unchecked(path, kind)
    seen = [(clock, events[name][(events["ev"] & np.uint64(flag)) != 0]) for clock, name, flag in (
        ("exchange", "exch_ts", EXCH_EVENT), ("local", "local_ts", LOCAL_EVENT))]  # fmt: skip
    spans = [pair for clock, ts in seen for pair in span_pairs(clock, *(_ends(ts)))]
    print_pairs(f"{path} (events)", [("bytes", path.stat().st_size), ("events", len(events)), *spans])
    kinds, counts = np.unique(events["ev"] & np.uint64(KIND_MASK), return_counts=True)
    rows = [(KIND_NAMES.get(int(k), f"kind {k}"), int(n)) for k, n in zip(kinds, counts, strict=True)]
    print_table("events by kind", ("kind", "events"), sorted(rows), number_columns=(1,))


def _ends(ts: Any) -> tuple[int | None, int | None]:
    return (int(ts[0]), int(ts[-1])) if len(ts) else (None, None)
