"""Measure the converters of every source beside hftbacktest's: `make bench`, or `python -m benchmarks.convert --help`.

The files are made up, of one seed, and the same for both (`convert_loads`). Each converter runs once without counting,
which compiles, and then alternating; the median counts. Sizes are those of the text, unpacked. All rows of both are
compared, field by field; rows that differ where they are not known to are an error, not a figure.

What the rows take as a tape, an archive and a Parquet file, and how long each is read, is a second table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.convert_loads import LOADS, Known, Load
from benchmarks.run import machine, write_between_marks
from queuefront.core import EVENT
from queuefront.core.enums import BUY_EVENT, KIND_MASK, SELL_EVENT
from queuefront.feed import Conversion, Tape, read_events, read_parquet, write_npz, write_parquet
from queuefront.feed.tape_layout import COLUMNS

T = TypeVar("T")
BEGIN, END = "<!-- conversion: begin -->", "<!-- conversion: end -->"
MADE_HEAD = (
    "| source | text, MB | rows, millions | ours, GB/min | hftbacktest, GB/min | ratio | rows of both |",
    "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
)
KEPT_HEAD = (
    "| source | tape, bytes an event | npz | Parquet | tape, opened and read through, ms | npz | Parquet |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
)


def seconds(run: Callable[[], T]) -> tuple[float, T]:
    """Return how long a run takes, and what it makes."""
    begin = time.perf_counter()
    made = run()
    return time.perf_counter() - begin, made


def compare(name: str, ours: np.ndarray, theirs: np.ndarray, known: Known) -> str:
    """Compare all rows; return what was found, for the table.

    Raises
    ------
    RuntimeError
        Naming the first row and field that differ and are not known to.
    """
    if len(ours) != len(theirs):
        raise RuntimeError(f"{name}: {len(ours):,} rows, and hftbacktest's are {len(theirs):,}")
    if known.by_kind:
        kinds = [rows["ev"] & np.uint64(KIND_MASK) for rows in (ours, theirs)]
        order = [np.argsort(kind, kind="stable") for kind in kinds]
        ours, theirs = ours[order[0]], theirs[order[1]]
    is_sideless = np.isin(ours["ev"] & np.uint64(KIND_MASK), known.sideless)
    sides = np.where(is_sideless, np.uint64(BUY_EVENT | SELL_EVENT), np.uint64(0))
    for field in EVENT.names or ():
        a, b = ours[field], theirs[field]
        if field == "ev":
            is_equal = (a | sides) == (b | sides)
        elif field.endswith("_ts"):
            is_equal = np.abs(a - b * known.ns_per_step) <= known.ts_error_ns
        elif field == "px":
            is_equal = (a == b) | (np.abs(a - b) <= known.px_error * np.abs(b)) | (np.isnan(a) & np.isnan(b))
        else:
            is_equal = a == b
        if not is_equal.all():
            row = int(np.argmin(is_equal))
            raise RuntimeError(f"{name}: {field} of row {row:,} is {a[row]}, and hftbacktest's is {b[row]}")
    return f"equal but for {known.why}" if known.why else "equal"


def measure_conversion(load: Load, runs: int) -> tuple[str, Conversion]:
    """Convert by both in turn; return the row of the table, and what was made last."""
    ours: list[float] = []
    theirs: list[float] = []
    found = ""
    for run in range(runs + 1):
        took, conversion = seconds(load.ours)
        ours += [took] * (run > 0)
        if load.theirs is not None:
            took, rows = seconds(load.theirs)
            theirs += [took] * (run > 0)
            found = compare(load.name, conversion.events, rows, load.known)
    speed = load.text_bytes / 1e9 * 60 / statistics.median(ours)
    size = f"{load.text_bytes / 1e6:.1f}", f"{len(conversion.events) / 1e6:.2f}"
    cells = [load.name, *size, f"{speed:.1f}", "none", "", ""]
    if theirs:
        other = load.text_bytes / 1e9 * 60 / statistics.median(theirs)
        cells[4:] = [f"{other:.1f}", f"{speed / other:.1f}×", found]
    return f"| {' | '.join(cells)} |", conversion


def _read_tape(path: Path) -> float:
    """Open a tape and read every page of it."""
    tape = Tape.open(path)
    columns = [getattr(tape, name) for name in COLUMNS] + list(tape.extra.values())
    return float(sum(column.sum() for column in columns))


def measure_files(name: str, conversion: Conversion, folder: Path, runs: int) -> str:
    """Keep the events in each form and read them again, in turn; return the row of the table."""
    events = conversion.events
    paths = [folder / f"made.{kind}" for kind in ("tape", "npz", "parquet")]
    Tape.build(events, conversion.instrument, source=name, on_gap="skip").save(paths[0])
    write_npz(paths[1], events)
    write_parquet(paths[2], events)
    reads: list[Callable[[Path], object]] = [_read_tape, read_events, read_parquet]
    took: list[list[float]] = [[], [], []]
    for run in range(runs + 1):
        for i, (read, path) in enumerate(zip(reads, paths, strict=True)):
            begin = time.perf_counter()
            read(path)
            took[i] += [time.perf_counter() - begin] * (run > 0)
    sizes = [f"{path.stat().st_size / max(len(events), 1):.1f}" for path in paths]
    times = [f"{statistics.median(times) * 1000:.1f}" for times in took]
    return f"| {' | '.join([name, *sizes, *times])} |"


def report(rows: int, runs: int, wanted: Sequence[str] = ()) -> str:
    """Measure every source, or those whose names hold one of some words; return both tables."""
    made, kept = list(MADE_HEAD), list(KEPT_HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for make in LOADS:
            load = make(Path(folder), rows)
            if wanted and not any(word in load.name for word in wanted):
                continue
            line, conversion = measure_conversion(load, runs)
            made.append(line)
            kept.append(measure_files(load.name, conversion, Path(folder), runs))
            print(f"{line}\n{kept[-1]}", file=sys.stderr)
    head = f"Made-up files of about {rows:,} rows, median of {runs} runs, converters alternating. {machine()}."
    return "\n".join([head, "", *made, "", "What those rows take, and how long they are read.", "", *kept, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="that count, for each converter and file")
    parser.add_argument("--source", action="append", default=[], metavar="WORD", help="only sources with it in their name")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    options = parser.parse_args(arguments)
    text = report(options.rows, options.runs, options.source)
    print(text)
    if options.write is not None:
        write_between_marks(options.write, text, (BEGIN, END))


if __name__ == "__main__":
    main()
