"""Sixteen parameter sets over one market, whole jobs: ours by `queuefront.sweep`, hftbacktest's by two processes.

Run as a program, `python -m benchmarks.sweep MARKET.json STRATEGY.py SETS.json`, this is one of hftbacktest's processes: it
compiles the strategy once, as each of its processes must, and runs its share of the sets.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.market import Market

PROCESSES = 2
SETS = [
    {"half_spread_ticks": half_spread, "interval_ticks": interval}
    for half_spread in (10, 20, 30, 40)
    for interval in (5, 10, 15, 20)
]


def sweep_ours(market: Market, strategy: Path, folder: Path) -> tuple[float, list[tuple[int, float]]]:
    """Return the seconds of the whole job, results written, and (fills, position) of each set."""
    out = folder / "sweep"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.sweep", "ours", market.to_json(), str(strategy), str(out)]
    start = time.perf_counter()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - start, [tuple(row) for row in json.loads(output)]


def sweep_theirs(market: Market, strategy: Path) -> tuple[float, list[tuple[int, float]]]:
    """Return the seconds of the whole job, and (fills, position) of each set."""
    start = time.perf_counter()
    processes = []
    for k in range(PROCESSES):
        command = [sys.executable, "-m", "benchmarks.sweep", "theirs", market.to_json(), str(strategy)]
        command.append(json.dumps(SETS[k::PROCESSES]))
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    shares = [json.loads(process.communicate()[0]) for process in processes]
    seconds = time.perf_counter() - start
    return seconds, [tuple(shares[i % PROCESSES][i // PROCESSES]) for i in range(len(SETS))]


def _ours(market: Market, strategy: str, out: str) -> list[tuple[float, float]]:
    import queuefront as qf
    from benchmarks.engines import ENTRY_NS, MAKER, RESPONSE_NS, TAKER
    from queuefront.sweep import FunctionRecipe, run_sweep

    asset = qf.Asset(
        market.tape, latency=qf.ConstantLatency(ENTRY_NS, RESPONSE_NS), fees=qf.ValueFees(maker=MAKER, taker=TAKER)
    )
    sweep = run_sweep(FunctionRecipe(Path(strategy), "strategy", (asset,)), SETS, out, jobs=PROCESSES)
    assert not sweep.failed, sweep.failed
    return [(result.figures["fills"] or 0, result.figures["final_position"] or 0) for result in sweep.results]


def _theirs(market: Market, strategy: str, sets: str) -> list[tuple[float, float]]:
    from benchmarks.engines import Theirs, load

    engine, function = Theirs(market), load(Path(strategy))
    outcomes = [engine.run(function, *parameters.values())[1] for parameters in json.loads(sets)]
    return [(outcome.fills, outcome.position) for outcome in outcomes]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one side and print (fills, position) of each set."""
    engine, market_text, strategy, rest = arguments or sys.argv[1:]
    run = _ours if engine == "ours" else _theirs
    print(json.dumps(run(Market.from_json(market_text), strategy, rest)))


if __name__ == "__main__":
    main()
