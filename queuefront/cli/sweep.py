"""`qf sweep`: one strategy, many parameter sets, all cores."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from queuefront.cli.backtest import check_assets, job_of
from queuefront.cli.progress import row_progress
from queuefront.cli.terminal import guarded, one_line, print_table

if TYPE_CHECKING:
    from queuefront.sweep import Sweep

__all__ = ["sweep"]

#: How many failed sets are listed; summary.parquet has them all.
_FAILED_SHOWN = 10
#: Figures beside the one that was asked for; more do not fit into a terminal.
_ALSO_SHOWN = ("net_profit", "sharpe", "max_drawdown", "fills")


@guarded
def sweep(
    strategy: Annotated[Path, typer.Argument(metavar="STRATEGY.py", help="Python file with the strategy function.")],
    tape: Annotated[list[Path], typer.Option("--tape", metavar="FILE", help="Tape to replay; once for each asset.")],
    grid: Annotated[
        list[str],
        typer.Option("--grid", metavar="NAME=VALUES", help="Values of a parameter: 1,2,3 or FIRST:LAST:STEP; repeat it."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the results; an earlier one goes on.")
    ],
    config: Annotated[Path | None, typer.Option("--config", metavar="RUN.toml", help="Run configuration.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the configuration; may be repeated."),
    ] = None,
    function: Annotated[str, typer.Option("--function", help="Name of the strategy function.")] = "strategy",
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Sets at once; as many as cores if not given.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="Figure of the heat map, and of the order.")] = "net_profit",
    axes: Annotated[
        str | None, typer.Option("--axes", metavar="X,Y", help="Parameters of the heat map; the first two if not given.")
    ] = None,
    best: Annotated[int, typer.Option("--best", min=1, help="How many sets to show.")] = 10,
) -> None:
    """Run a strategy with every combination of parameter values.

    Writes summary.parquet, heatmap.html and a folder of tables for each set into DIR. Interrupted, it goes on where it was.

    \b
    Example: qf sweep grid.py --tape btc.tape --grid levels=5,10 --grid half_spread_ticks=1:9:2 --out out/sweep
    """
    from queuefront.cli.runfile import load_run_config
    from queuefront.sweep import parameter_sets, read_grid

    values = read_grid(grid)
    sets = parameter_sets(values)
    across, upward = _chosen_axes(axes, list(values))
    _check_metric(metric, len(tape))
    run_config = load_run_config(config, overrides or ())
    check_assets(run_config, tape)
    from queuefront.cli.worker import JobRecipe
    from queuefront.sweep import run_sweep, write_heatmap

    recipe = JobRecipe(job_of(strategy, tape, out, run_config, function, config))
    with _ended_by_sigterm(), row_progress(f"{strategy.name}, {len(sets):,} sets") as told:
        done = run_sweep(recipe, sets, out, jobs=jobs, progress=told)
    frame = done.frame()
    if len(done.failed) < len(sets):
        _print_best(done, list(values), metric, best)
        # A column of figures of the total is there, or one of each asset; see `SetResult.figures`.
        shown = metric if metric in frame.columns else f"{metric}_0"
        title = f"Sweep of {strategy.name} over {', '.join(path.name for path in tape)}"
        write_heatmap(out / "heatmap.html", frame, list(values), across, upward, shown, title=title)
        typer.echo(f"{out / 'heatmap.html'}, {out / 'summary.parquet'}, and the tables of each set beside them")
    if done.failed:
        _tell_failed(done)
        raise typer.Exit(3)


def _chosen_axes(axes: str | None, names: Sequence[str]) -> tuple[str, str | None]:
    from queuefront.core import ConfigError

    if axes is None:
        return names[0], names[1] if len(names) > 1 else None
    chosen = [name.strip() for name in axes.split(",")]
    for name in chosen:
        if name not in names:
            raise ConfigError(f"--axes {axes}: {name!r} is not in the grid; choose from {', '.join(names)}")
    if len(chosen) > 2 or len(set(chosen)) < len(chosen):
        raise ConfigError(f"--axes {axes}: expected one parameter, or two different ones, for example --axes {names[0]}")
    return chosen[0], chosen[1] if len(chosen) > 1 else None


def _check_metric(metric: str, asset_count: int) -> None:
    from queuefront.cli.refusal import nearest
    from queuefront.core import ConfigError
    from queuefront.sweep import FIGURES

    known = [*FIGURES, *(f"{name}_{i}" for i in range(asset_count) for name in FIGURES if asset_count > 1)]
    if metric not in known:
        raise ConfigError(f"--metric {metric}: no such figure; {nearest(metric, FIGURES)}")


def _print_best(done: Sweep, parameters: Sequence[str], metric: str, count: int) -> None:
    from queuefront.report import number

    frame = done.frame()
    shown = metric if metric in frame.columns else f"{metric}_0"
    if shown not in frame.columns:  # of one asset, where figures are those of the total
        from queuefront.core import ConfigError

        raise ConfigError(f"--metric {metric}: the assets have a total; leave the asset's number out")
    rows = done.best(shown).head(count)
    columns = [f"parameter_{name}" if f"parameter_{name}" in frame.columns else name for name in parameters]
    figures = [name for name in (shown, *_ALSO_SHOWN) if name in frame.columns]
    names = list(dict.fromkeys([*columns, *figures]))
    cells = [[_cell(value, number) for value in row] for row in rows.select(names).rows()]
    kept = sum(result.is_kept for result in done.results)
    title = f"Best of {len(done.results):,} sets by {metric}" + (f"; {kept:,} were there already" if kept else "")
    print_table(title, [name.replace("_", " ") if name in figures else name for name in names], cells, range(len(names)))


def _cell(value: Any, number: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(number(value))


def _tell_failed(done: Sweep) -> None:
    failed = done.failed
    for result in failed[:_FAILED_SHOWN]:
        typer.echo(f"qf sweep: {_told(result.parameters)}: {one_line(str(result.error))}", err=True)
    rest = len(failed) - _FAILED_SHOWN
    if rest > 0:
        typer.echo(f"qf sweep: and {rest:,} more sets failed; column error of {done.folder / 'summary.parquet'}", err=True)


def _told(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind, so that the workers are ended too."""

    def leave(number: int, _frame: Any) -> None:
        sys.exit(128 + number)

    previous = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
