"""Many simulated runs: one after another or in several processes, and what to do about one that fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from queuefront.core import ConfigError
from queuefront.kernel.verdict import Violation
from queuefront.kernel.world import FAULTS, World

__all__ = ["RunResult", "Totals", "choose_faults", "minimise", "replay_command", "run_seed", "run_seeds", "trace"]


@dataclass(frozen=True)
class RunResult:
    """What one seed came to; `violation` is empty where all held."""

    seed: int
    steps: int
    inputs: int
    checks: int
    faults: dict[str, int]
    violation: str = ""


@dataclass
class Totals:
    """What many seeds came to."""

    seeds: int = 0
    steps: int = 0
    inputs: int = 0
    checks: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[RunResult] = field(default_factory=list)

    def add(self, result: RunResult) -> None:
        """Count one seed."""
        self.seeds += 1
        self.steps += result.steps
        self.inputs += result.inputs
        self.checks += result.checks
        self.faults.update(result.faults)
        if result.violation:
            self.failed.append(result)


def choose_faults(names: str) -> frozenset[str]:
    """Return the faults of a text: `all`, `none`, or names with commas.

    Raises
    ------
    ConfigError
        For a name that is no fault.
    """
    if names in ("all", "none"):
        return frozenset(FAULTS if names == "all" else ())
    chosen = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := sorted(chosen - FAULTS.keys()):
        raise ConfigError(f"{unknown[0]!r} is no fault; choose all, none, or of {', '.join(FAULTS)}")
    return frozenset(chosen)


def run_seed(seed: int, steps: int, faults: frozenset[str]) -> RunResult:
    """Run one seed."""
    return _run(seed, range(steps), faults)


def _run(seed: int, steps: Sequence[int], faults: frozenset[str], log: Callable[[str], None] | None = None) -> RunResult:
    world = World(seed, faults, log)
    violation = ""
    try:
        world.run(steps)
    except Violation as e:
        violation = str(e)
    except Exception as e:  # noqa: BLE001  # tidy: allow swallowed: a crash of the kernel is a finding like any other, with its seed
        violation = f"{type(e).__name__}: {e}"
    return RunResult(seed, len(steps), world.engine.state.seq, world.checks, dict(world.counts), violation)


def run_seeds(seeds: Iterable[int], steps: int, faults: frozenset[str], processes: int = 1) -> Iterator[RunResult]:
    """Yield the result of each seed, in order."""
    run = partial(run_seed, steps=steps, faults=faults)
    if processes == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, seeds, chunksize=8)


def minimise(result: RunResult, faults: frozenset[str]) -> list[int]:
    """Return steps of a failing run, as few as leaving out halves, quarters, … one by one keeps failing."""
    steps = list(range(result.steps))
    size = max(len(steps) // 2, 1)
    while True:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if _run(result.seed, fewer, faults).violation:
                steps = fewer
            else:
                start += size
        if size == 1:
            return steps
        size //= 2


def trace(seed: int, steps: Sequence[int], faults: frozenset[str]) -> list[str]:
    """Return what happened in a run, a line each."""
    lines: list[str] = []
    result = _run(seed, steps, faults, lines.append)
    return [*lines, result.violation] if result.violation else lines


def replay_command(result: RunResult, faults: str) -> str:
    """Return the command that repeats a run."""
    return f"qf kernel simulate --seeds 1 --seed {result.seed} --steps {result.steps} --faults {faults}"
