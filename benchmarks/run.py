"""Measure beside hftbacktest and print a Markdown table: `make bench`, or `python -m benchmarks.run --help`.

Each load runs on both engines in the same minutes, alternating A B A B, and the median counts. Warm loads run in this
process, after one run each that compiles and does not count; cold ones and memory in processes of their own. A load whose
results differ between the engines is an error, not a figure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import FEED, ROOT, Recording, recording, store
from benchmarks.engines import Ours, Outcome, Theirs, convert_ours, convert_theirs, load, strategy_file
from benchmarks.market import Market

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
MB = 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table: how much of what, by each engine, and whether the figure asked for is met."""

    load: str
    ours: str
    theirs: str
    ratio: float | None
    target: str
    is_met: bool | None
    check: str  # what shows that both did the same work

    def markdown(self) -> str:
        """Write it as a row of a Markdown table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}×"
        met = {None: "", True: "met", False: "**missed**"}[self.is_met]
        return f"| {self.load} | {self.ours} | {self.theirs} | {ratio} | {self.target} | {met} | {self.check} |"


@dataclass(frozen=True)
class Plan:
    """How often a load runs on each engine: first without counting, which fills the caches, then for the median."""

    uncounted: int
    counted: int

    def __iter__(self) -> Iterator[bool]:
        """Say of each run whether it counts."""
        yield from (run >= self.uncounted for run in range(self.uncounted + self.counted))


def warm(name: str, market: Market, folder: Path, plan: Plan, target: float | None, *, is_vector: bool = False) -> Row:
    """Time a strategy on both engines in this process."""
    engines: list[Ours | Theirs] = [Ours(market), Theirs(market, is_vector=is_vector)]
    strategies = [load(strategy_file(name, engine.name, folder)) for engine in engines]
    seconds: list[list[float]] = [[], []]
    outcomes: set[Outcome] = set()
    for is_counted in plan:
        for i, engine in enumerate(engines):
            elapsed, outcome = engine.run(strategies[i])
            outcomes.add(outcome)
            if is_counted:
                seconds[i].append(elapsed)
    check = agreed(f"{name} at {market.events:,} events", outcomes)
    ours, theirs = (market.events / statistics.median(times) / 1e6 for times in seconds)
    book = "vector" if is_vector else "hash-map"
    what = {"idle": "no orders, waking every 100 ms", "grid": "20-order grid, every 100 ms"}[name]
    return _row(
        f"{what}; {market.events / 1e6:g} M events; their {book} book",
        ours,
        theirs,
        "M events/s",
        ours / theirs,
        target,
        check,
    )


def cold(market: Market, folder: Path, plan: Plan, target: float | None, *, is_edited: bool) -> Row:
    """Time whole processes: start, load, run the grid, print the result."""
    files = [strategy_file("grid", engine, folder / "cold") for engine in ("ours", "theirs")]
    seconds: list[list[float]] = [[], []]
    outcomes: set[Outcome] = set()
    for run, is_counted in enumerate(plan):
        for i, path in enumerate(files):
            if is_edited:
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"\n# edit {run}\n")
            start = time.perf_counter()
            outcomes.add(run_cold(path, market)[0])
            if is_counted:
                seconds[i].append(time.perf_counter() - start)
    state = "edited" if is_edited else "unchanged"
    check = agreed(f"cold process, {state}", outcomes)
    ours, theirs = (statistics.median(times) for times in seconds)
    load_name = f"cold process, {state} strategy: start to result; grid, {market.events / 1e6:g} M events"
    return _row(load_name, ours, theirs, "s", theirs / ours, target, check)


def run_cold(strategy: Path, market: Market) -> tuple[Outcome, int, int]:
    """Run one backtest in a process of its own; return outcome and peak (private, resident) memory in bytes."""
    engine = strategy.parent.name
    command = [sys.executable, "-m", "benchmarks.cold", engine, market.to_json(), str(strategy)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        private, resident = watch_memory(process)
        output = process.stdout.read() if process.stdout else ""
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Outcome(**json.loads(output)), private, resident


def watch_memory(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Return the largest private and the largest resident memory of a process, in bytes, sampled until it ends."""
    private = resident = 0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            break
        private = max(private, _kib(lines.get("RssAnon", "0")))
        resident = max(resident, _kib(lines.get("VmHWM", "0")))
        time.sleep(0.005)
    process.wait()
    return private * 1024, resident * 1024


def _kib(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) if text.split() else 0


def memory(markets: Sequence[Market], folder: Path, plan: Plan, limit_mb: float | None) -> list[Row]:
    """Compare the memory of a run over tapes of different lengths with that of the bare interpreter."""
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(0.3)"], stdout=subprocess.PIPE, text=True
    ) as bare:
        base, base_resident = watch_memory(bare)
    files = [strategy_file("grid", engine, folder / "cold") for engine in ("ours", "theirs")]
    for path in files * plan.uncounted:
        run_cold(path, markets[0])  # compiling takes memory of its own, and a run that has its cache does not
    rows = []
    for market in markets:
        (ours_outcome, ours, ours_resident), (outcome, theirs, theirs_resident) = (run_cold(path, market) for path in files)
        check = agreed("memory", {ours_outcome, outcome})
        ours_mb, theirs_mb = (ours - base) / MB, (theirs - base) / MB
        rows.append(
            Row(
                f"private memory above the interpreter; grid, {market.events / 1e6:g} M events",
                f"{ours_mb:,.0f} MB ({(ours_resident - base_resident) / MB:,.0f} with mapped pages)",
                f"{theirs_mb:,.0f} MB ({(theirs_resident - base_resident) / MB:,.0f})",
                theirs_mb / ours_mb,
                "" if limit_mb is None else f"under {limit_mb:g} MB",
                None if limit_mb is None else ours_mb < limit_mb,
                check,
            )
        )
    return rows


def conversion(feed: Path, plan: Plan, target: float | None) -> Row:
    """Time the conversion of raw lines into events."""
    converters: list[Callable[[Path], tuple[float, Any]]] = [convert_ours, convert_theirs]
    seconds: list[list[float]] = [[], []]
    digests: set[str] = set()
    rows = 0
    for is_counted in plan:
        for i, convert in enumerate(converters):
            elapsed, events = convert(feed)
            rows = len(events)
            digests.add(hashlib.sha256(events.tobytes()).hexdigest()[:12])
            if is_counted:
                seconds[i].append(elapsed)
    check = agreed("conversion", digests)
    ours, theirs = (statistics.median(times) for times in seconds)
    return _row(f"raw feed to events; {rows:,} rows", ours, theirs, "s", theirs / ours, target, f"sha256 {check}")


def agreed(load_name: str, results: set[Any]) -> str:
    """Return what all runs came to; an error where they differ, because then the figures mean nothing."""
    if len(results) != 1:
        raise RuntimeError(f"{load_name}: the runs came to different results: {sorted(map(str, results))}")
    result = next(iter(results))
    return f"{result.fills:,} fills, position {result.position:g}" if isinstance(result, Outcome) else str(result)


def _row(load_name: str, ours: float, theirs: float, unit: str, ratio: float, target: float | None, check: str) -> Row:
    asked = "" if target is None else f"{target:g}×"
    met = None if target is None else ratio >= target
    return Row(load_name, f"{ours:.3g} {unit}", f"{theirs:.3g} {unit}", ratio, asked, met, check)


def measure(folder: Path, repeats: int, *, is_tiny: bool) -> tuple[Recording, list[Row]]:
    """Run all loads."""
    plan = Plan(uncounted=0 if is_tiny else 1, counted=repeats)
    source = recording(is_tiny=is_tiny)
    counts = (5_000, 10_000, 20_000) if is_tiny else (500_000, 1_000_000, 10_000_000)
    short, middle, full = (store(source, count, folder) for count in counts)

    def target(value: float) -> float | None:
        return None if is_tiny else value

    rows = [
        warm("idle", full, folder, plan, target(5)),
        warm("grid", full, folder, plan, target(3)),
        cold(short, folder, plan, target(3), is_edited=False),
        cold(short, folder, plan, target(2), is_edited=True),
        *memory((full,) if is_tiny else (middle, full), folder, plan, target(300)),
    ]
    if not is_tiny:
        rows[2:2] = [
            warm("idle", full, folder, plan, None, is_vector=True),
            warm("grid", full, folder, plan, None, is_vector=True),
        ]
    if source.feed is not None:
        rows.append(conversion(source.feed, plan, target(5)))
    return source, rows


def report(source: Recording, rows: Sequence[Row], repeats: int) -> str:
    """Write the table and what it was measured on."""
    import hftbacktest
    import numba
    import numpy as np

    import queuefront

    modules = (numba, np, queuefront, hftbacktest)
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{m.__name__} {m.__version__}" for m in modules)])
    head = ("load", "Queuefront", "hftbacktest", "ratio", "asked", "", "both runs came to")
    return "\n".join(
        [
            f"Market: {source.name}, tiled. Median of {repeats} runs, engines alternating. {machine()}; {versions}.",
            "",
            f"| {' | '.join(head)} |",
            f"| {' | '.join(['---', '---:', '---:', '---:', '---:', '---', '---'])} |",
            *(row.markdown() for row in rows),
            "",
        ]
    )


def machine() -> str:
    """Name the processor and its cores."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def write_between_marks(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise RuntimeError(f"{page} lacks the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs that count, for each engine and load")
    parser.add_argument("--tiny", action="store_true", help="small synthetic inputs: does it still run?")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "bench", help="where the markets are kept")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this page")
    options = parser.parse_args(arguments)
    if not FEED.is_file() and not options.tiny:
        print(f"note: {FEED} is absent; measuring a synthetic market, and no conversion", file=sys.stderr)
    source, rows = measure(options.folder, options.repeats, is_tiny=options.tiny)
    text = report(source, rows, options.repeats)
    print(text)
    if options.write is not None:
        write_between_marks(options.write, text)


if __name__ == "__main__":
    main()
