"""`qf kernel`: the kernel shown at work, and the simulator that tries to break it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from queuefront.cli.progress import row_progress
from queuefront.cli.terminal import guarded, print_pairs, print_table

__all__ = ["kernel_demo", "kernel_simulate"]

#: Exit code where a simulated run broke an invariant.
VIOLATED = 1


@guarded
def kernel_demo(
    journal: Annotated[Path | None, typer.Option(help="Keep the journal here, to look into it with `qf journal`.")] = None,
) -> None:
    """Show a session: fills, a lost answer, a crash, recovery.

    It runs on the mock venue and needs nothing. At its end kernel and venue are compared.

    \b
    Example: qf kernel demo --journal demo.journal && qf journal show demo.journal
    """
    from queuefront.kernel.demo import run_demo

    with tempfile.TemporaryDirectory() as folder:
        for chapter in run_demo(journal or Path(folder) / "demo.journal"):
            typer.echo(chapter.title)
            for line in chapter.lines:
                typer.echo(f"  {line}")
            typer.echo()
            for table in chapter.tables:
                print_table(table.title, table.head, table.rows, table.number_columns)


@guarded
def kernel_simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to run.")] = 100,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each, while faults strike.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    faults: Annotated[str, typer.Option(help="all, none, or names with commas; --faults help lists them.")] = "all",
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
) -> None:
    """Let all around the kernel fail; check every invariant.

    Clock, venue, network and disk fail at random; all invariants are checked after every step.
    A seed that breaks one is named with the command that repeats it, and made as short as it can be.

    \b
    Example: qf kernel simulate --seeds 1000 --steps 500
    """
    from queuefront.kernel.simulate import Totals, choose_faults, run_seeds

    if faults == "help":
        from queuefront.kernel.world import FAULTS

        print_table("faults", ("name", "once in"), list(FAULTS.items()), number_columns=(1,))
        return
    chosen = choose_faults(faults)
    totals = Totals()
    with row_progress("simulating") as report:
        for result in run_seeds(range(seed, seed + seeds), steps, chosen, jobs or min(os.cpu_count() or 1, seeds)):
            totals.add(result)
            report(totals.seeds, seeds)
    print_pairs(
        "simulated",
        [
            ("seeds", totals.seeds),
            ("steps", totals.steps),
            ("inputs", totals.inputs),
            ("invariant checks", totals.checks),
            ("violations", len(totals.failed)),
        ],
    )
    print_table("faults", ("kind", "struck"), sorted(totals.faults.items()), number_columns=(1,))
    if totals.failed:
        _explain(totals.failed[0], faults)
        raise typer.Exit(VIOLATED)


def _explain(result: object, faults: str) -> None:
    from queuefront.kernel.simulate import RunResult, choose_faults, minimise, replay_command, trace

    assert isinstance(result, RunResult)
    chosen = choose_faults(faults)
    typer.echo(f"seed {result.seed}: {result.violation}")
    typer.echo(f"repeat: {replay_command(result, faults)}")
    steps = minimise(result, chosen)
    typer.echo(f"shortest: steps {','.join(map(str, steps))} of seed {result.seed}")
    for line in trace(result.seed, steps, chosen)[-60:]:
        typer.echo(f"  {line}")
