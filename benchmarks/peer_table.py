"""The table of other engines, where an environment has them: `make bench-peers` makes one and prints it.

Each run is a process of that environment (`benchmarks.peers`) that says how long its replay took; its memory is watched
from here. An engine that the environment does not have is left out; one that fails ends the measurement.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import ROOT
from benchmarks.market import Market
from benchmarks.peers import ENGINES, LOADS
from benchmarks.process_memory import watch_memory

__all__ = ["COLD", "PEERS_PYTHON", "PeerRun", "installed", "measure_peers", "peer_table"]

#: The load of a whole process.
COLD = "cold"

#: The interpreter of the environment that `make bench-peers` makes.
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True)
class PeerRun:
    """What one engine did with one load: medians, the largest memory, and the fills of the last run."""

    engine: str
    version: str
    load: str
    events: int
    seconds: float
    private_bytes: int
    fills: int

    def cell(self) -> str:
        """Write it as a cell of the table."""
        if self.load == COLD:
            return f"{self.seconds:.3g} s, {self.fills:,} fills"
        speed = f"{self.events / self.seconds / 1e6:.2g} M events/s"
        return f"{speed}, {self.private_bytes / 1e6:,.0f} MB, {self.fills:,} fills"


def installed(python: Path) -> list[str]:
    """Return the engines that an environment has; none where there is no such interpreter."""
    if not python.is_file():
        return []
    code = "import importlib.util, sys; print(*(n for n in sys.argv[1:] if importlib.util.find_spec(n)))"
    found = subprocess.run([str(python), "-c", code, *ENGINES], capture_output=True, text=True, check=True)
    return found.stdout.split()


def measure_peers(python: Path, market: Market, short: Market, folder: Path, repeats: int) -> list[PeerRun]:
    """Run every load on every engine that there is, engine by engine; then a whole process over the `short` market."""
    runs = []
    for engine in installed(python):
        for load in LOADS:
            results = [_run(python, engine, load, market, folder) for _ in range(repeats)]
            runs.append(_median(load, results, [result["seconds"] for result, _ in results]))
        # The first fills the caches. Each process makes its market anew in the form of its engine, no part of a run.
        results = [_run(python, engine, "grid", short, folder) for _ in range(repeats + 1)][1:]
        runs.append(_median(COLD, results, [result["whole"] - result["preparing"] for result, _ in results]))
    return runs


def _run(python: Path, engine: str, load: str, market: Market, folder: Path) -> tuple[dict[str, Any], int]:
    """Run one load in a process; return what it prints with the seconds of the `whole`, and its private memory, bytes."""
    text = json.dumps({"npz": str(market.npz), "tick_size": market.tick_size, "lot_size": market.lot_size})
    command = [str(python), "-m", "benchmarks.peers", engine, load, text, str(folder)]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        private = watch_memory(process)[0]
        output = process.stdout.read() if process.stdout else ""
    whole = time.perf_counter() - start
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {**json.loads(output.splitlines()[-1]), "whole": whole}, private


def _median(load: str, results: Sequence[tuple[dict[str, Any], int]], seconds: Sequence[float]) -> PeerRun:
    last, private = results[-1][0], max(private for _, private in results)
    return PeerRun(
        last["engine"], last["version"], load, last["events"], statistics.median(seconds), private, last["fills"]
    )


def peer_table(runs: Sequence[PeerRun], names: dict[str, str]) -> str:
    """Write a Markdown table of a column an engine; empty without runs. names : of the loads."""
    if not runs:
        return ""
    columns = {run.engine: f"{run.engine} {run.version}" for run in runs}
    cells = {(run.load, run.engine): run.cell() for run in runs}
    events = max(run.events for run in runs if run.load not in ("two_grids", COLD))
    head = (
        f"Other engines, over {events:,} events of the same feed, which each asset has: events a second, private memory, "
        "fills. Strategies in Python, each engine's own models of latency and queue."
    )
    lines = [
        head,
        "",
        f"| load | {' | '.join(columns.values())} |",
        f"| --- |{' ---: |' * len(columns)}",
        *(
            f"| {name} | {' | '.join(cells.get((load, engine), '') for engine in columns)} |"
            for load, name in names.items()
        ),
        "",
    ]
    return "\n".join(lines)
