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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.data import FEED, ROOT, Recording, order_recording, recording, store
from benchmarks.engines import Ours, Outcome, Theirs, convert_ours, convert_theirs, load, strategy_file
from benchmarks.market import Market
from benchmarks.peer_table import COLD, PEERS_PYTHON, measure_peers, peer_table
from benchmarks.process_memory import watch_memory
from benchmarks.sweep import PROCESSES, SETS, sweep_ours, sweep_theirs

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
    set_up: str = ""  # set-up of each engine, and the ratio with it

    def markdown(self) -> str:
        """Write it as a row of a Markdown table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}×"
        met = {None: "", True: "met", False: "**missed**"}[self.is_met]
        cells = (self.load, self.ours, self.theirs, ratio, self.target, met, self.set_up, self.check)
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Plan:
    """How often a load runs on each engine: first without counting, which fills the caches, then for the median."""

    uncounted: int
    counted: int

    def __iter__(self) -> Iterator[bool]:
        """Say of each run whether it counts."""
        yield from (run >= self.uncounted for run in range(self.uncounted + self.counted))


LOADS = {
    "idle": "no orders, waking every 100 ms",
    "pair": "one quote pair at the touch",
    "grid": "20-order grid, every 100 ms",
    "two_grids": "two assets, 20-order grid on each",
}


def warm(
    name: str, market: Market, folder: Path, plan: Plan, target: float | None, *, is_vector: bool = False, assets: int = 1
) -> Row:
    """Time a strategy on both engines in this process: the run, and apart from it mapping or reading the market anew."""
    engines: list[Ours | Theirs] = [Ours(market, assets), Theirs(market, assets, is_vector=is_vector)]
    strategies = [load(strategy_file(name, engine.name, folder)) for engine in engines]
    seconds: list[list[float]] = [[], []]
    set_ups: list[list[float]] = [[], []]
    outcomes: set[Outcome] = set()
    for is_counted in plan:
        for i, engine in enumerate(engines):
            set_up = engine.load()
            elapsed, outcome = engine.run(strategies[i])
            outcomes.add(outcome)
            if is_counted:
                seconds[i].append(elapsed)
                set_ups[i].append(set_up)
    events = market.events * assets
    check = agreed(f"{name} at {events:,} events", outcomes)
    run_s, set_up_s = ([statistics.median(times) for times in both] for both in (seconds, set_ups))
    ours, theirs = (events / run / 1e6 for run in run_s)
    both = (run_s[1] + set_up_s[1]) / (run_s[0] + set_up_s[0])
    what = "two-sided quote, market by order" if market.is_by_order else LOADS[name]
    row = _row(
        f"{what}; {events / 1e6:g} M events; their {'vector' if is_vector else 'hash-map'} book",
        ours,
        theirs,
        "M events/s",
        ours / theirs,
        target,
        check,
    )
    if name != "idle" and next(iter(outcomes)).fills == 0 and target is not None:
        # Both engines agree, but a load that was to trade and did not is no proof of any speed.
        row = replace(row, is_met=None, check=f"{check}: **proves nothing, nothing was traded**")
    return replace(row, set_up=f"{set_up_s[0]:.2g} s, {set_up_s[1]:.2g} s: {both:.1f}×")


def sweep(market: Market, folder: Path, plan: Plan, target: float | None) -> Row:
    """Time whole jobs of sixteen parameter sets, two at once."""
    files = [strategy_file("grid", engine, folder) for engine in ("ours", "theirs")]
    seconds: list[list[float]] = [[], []]
    checks: set[str] = set()
    for is_counted in plan:
        for i, (elapsed, results) in enumerate((sweep_ours(market, files[0], folder), sweep_theirs(market, files[1]))):
            checks.add(f"{sum(int(fills) for fills, _ in results):,} fills in {len(results)} sets")
            if is_counted:
                seconds[i].append(elapsed)
    ours, theirs = (statistics.median(times) for times in seconds)
    what = f"{len(SETS)} parameter sets, {PROCESSES} at once, whole job; grid, {market.events / 1e6:g} M events"
    return _row(what, ours, theirs, "s", theirs / ours, target, agreed("sweep", checks))


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

    by_order = store(order_recording(is_tiny=is_tiny), counts[-1], folder)
    rows = [
        warm("idle", full, folder, plan, target(10)),
        warm("pair", full, folder, plan, target(10)),
        warm("grid", full, folder, plan, target(8)),
        warm("two_grids", full, folder, plan, target(8), assets=2),
        warm("pair", by_order, folder, plan, target(5)),
        sweep(full, folder, plan, target(15)),
        cold(short, folder, plan, target(10), is_edited=False),
        cold(short, folder, plan, target(3), is_edited=True),
        *memory((full,) if is_tiny else (middle, full), folder, plan, target(250)),
    ]
    if not is_tiny:
        rows[4:4] = [
            warm("idle", full, folder, plan, target(8), is_vector=True),
            warm("grid", full, folder, plan, None, is_vector=True),
        ]
    if source.feed is not None:
        rows.append(conversion(source.feed, plan, target(5)))
    return source, rows


def others(python: Path, folder: Path, repeats: int, *, is_tiny: bool) -> str:
    """Measure the engines of another environment; return their table, or nothing."""
    counts = (20_000, 5_000) if is_tiny else (1_000_000, 500_000)
    market, short = (store(recording(is_tiny=is_tiny), count, folder) for count in counts)
    cold_name = f"cold process: start to result; grid, {short.events / 1e6:g} M events"
    table = peer_table(measure_peers(python, market, short, folder, repeats), {**LOADS, COLD: cold_name})
    return f"\n{table}" if table else ""


def report(source: Recording, rows: Sequence[Row], repeats: int) -> str:
    """Write the table and what it was measured on."""
    import hftbacktest
    import numba
    import numpy as np

    import queuefront

    modules = (numba, np, queuefront, hftbacktest)
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{m.__name__} {m.__version__}" for m in modules)])
    head = (
        "load",
        "Queuefront",
        "hftbacktest",
        "ratio",
        "asked",
        "",
        "set-up from disk: ours, theirs; ratio with it",
        "both runs came to",
    )
    return "\n".join(
        [
            f"Market: {source.name}, tiled. Median of {repeats} runs, engines alternating. {machine()}; {versions}.",
            "",
            f"| {' | '.join(head)} |",
            f"| {' | '.join(['---', '---:', '---:', '---:', '---:', '---', '---', '---'])} |",
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


def write_between_marks(page: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the marks of a page."""
    begin, end = marks
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise RuntimeError(f"{page} lacks the lines {begin} and {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs that count, for each engine and load")
    parser.add_argument("--tiny", action="store_true", help="small synthetic inputs: does it still run?")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "bench", help="where the markets are kept")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="interpreter of an environment with other engines")
    parser.add_argument("--peers-only", action="store_true", help="measure only those")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this page")
    options = parser.parse_args(arguments)
    # As after an installation: processes read bytecode and do not compile each module's source at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not FEED.is_file() and not options.tiny:
        print(f"note: {FEED} is absent; measuring a synthetic market, and no conversion", file=sys.stderr)
    peers = options.peers or (None if options.tiny else PEERS_PYTHON)
    if options.peers_only:
        print(others(peers or PEERS_PYTHON, options.folder, options.repeats, is_tiny=options.tiny))
        return
    source, rows = measure(options.folder, options.repeats, is_tiny=options.tiny)
    text = report(source, rows, options.repeats)
    if peers is not None:
        text += others(peers, options.folder, options.repeats, is_tiny=options.tiny)
    print(text)
    if options.write is not None:
        write_between_marks(options.write, text)


if __name__ == "__main__":
    main()
