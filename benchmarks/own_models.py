"""A queue model of one's own beside the built-in one that does the same: `python -m benchmarks.own_models`.

Runs the grid of `benchmarks/strategies` in turn with `RiskAverseQueue` and with the same rules as an `OwnQueue`, checks
that both come to the same fills, and prints the medians. The target is to be within a tenth of the built-in one.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Any

from numba import njit

import queuefront as qf
from benchmarks.data import recording, tile
from benchmarks.engines import ENTRY_NS, MAKER, RESPONSE_NS, TAKER, load, strategy_file

__all__ = ["OWN_QUEUE", "compare", "main"]


@njit
def enter(order, qty, params):
    """Stand behind all that rests."""
    order["qty_ahead"] = qty


@njit
def trade(order, qty, params):
    """Move forward by what trades."""
    order["qty_ahead"] -= qty


@njit
def depth(order, qty_before, qty_after, params):
    """No more can be ahead than rests there."""
    order["qty_ahead"] = min(order["qty_ahead"], qty_after)


@njit
def filled(order, lot_size, params):
    """Return the lots that traded beyond what was ahead."""
    lots = floor(-order["qty_ahead"] / lot_size + 0.5)
    if lots <= 0:
        return 0
    order["qty_ahead"] = 0.0
    return lots


OWN_QUEUE = qf.OwnQueue(enter, trade, depth, filled)
QUEUES = {"built-in": qf.RiskAverseQueue(), "own": OWN_QUEUE}


def compare(events: int, repeats: int, *, is_tiny: bool) -> dict[str, list[float]]:
    """Return the seconds of each run with each queue model.

    Raises
    ------
    RuntimeError
        If the models come to different fills.
    """
    source = recording(is_tiny=is_tiny)
    tape = qf.Tape.build(tile(source.events, events), source.instrument, source=source.name)
    with tempfile.TemporaryDirectory() as folder:
        strategy = load(strategy_file("grid", "ours", Path(folder)))
        backtests = {name: qf.Backtest(_asset(tape, queue)) for name, queue in QUEUES.items()}
        digests = {name: _digest(backtest.run(strategy)) for name, backtest in backtests.items()}  # and compile
        if len(set(digests.values())) != 1:
            raise RuntimeError(f"the models came to different fills: {digests}")
        seconds: dict[str, list[float]] = {name: [] for name in QUEUES}
        for _ in range(repeats):
            for name, backtest in backtests.items():
                seconds[name].append(backtest.run(strategy).seconds)
    return seconds


def _asset(tape: qf.Tape, queue: Any) -> qf.Asset:
    return qf.Asset(
        tape,
        queue=queue,
        latency=qf.ConstantLatency(ENTRY_NS, RESPONSE_NS),
        fees=qf.ValueFees(MAKER, TAKER),
    )


def _digest(run: qf.Run) -> str:
    return hashlib.sha256(run.results[0].fills.tobytes()).hexdigest()[:12]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=5_000_000, help="length of the market")
    parser.add_argument("--repeats", type=int, default=7, help="runs with each model, in turn")
    parser.add_argument("--tiny", action="store_true", help="a small synthetic market, to see that it runs")
    options = parser.parse_args(arguments)
    events = 20_000 if options.tiny else options.events
    seconds = compare(events, options.repeats, is_tiny=options.tiny)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in medians.items():
        print(f"{name:10}{events / value / 1e6:8.1f} million events a second")
    print(
        f"own / built-in: {medians['own'] / medians['built-in']:.3f} of the time, "
        f"{events:,} events, medians of {options.repeats}"
    )


if __name__ == "__main__":
    main()
