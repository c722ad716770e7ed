"""`qf backtest`: replay tapes against a strategy and write what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from queuefront.cli.progress import spinner
from queuefront.cli.terminal import consoles, guarded, one_line

if TYPE_CHECKING:
    from queuefront.cli.runconfig import RunConfig
    from queuefront.cli.worker import Job

__all__ = ["backtest", "check_assets", "job_of"]


@guarded
def backtest(
    strategy: Annotated[Path, typer.Argument(metavar="STRATEGY.py", help="Python file with the strategy function.")],
    tape: Annotated[list[Path], typer.Option("--tape", metavar="FILE", help="Tape to replay; once for each asset.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the results.")],
    config: Annotated[Path | None, typer.Option("--config", metavar="RUN.toml", help="Run configuration.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the configuration; may be repeated."),
    ] = None,
    function: Annotated[str, typer.Option("--function", help="Name of the strategy function.")] = "strategy",
    traceback: Annotated[bool, typer.Option("--traceback", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Replay tapes against a strategy and write what happened.

    Writes summary.json, fills.parquet, orders.parquet, equity.parquet and report.html into DIR.

    \b
    Example: qf backtest grid.py --tape btc.tape --config run.toml --set latency.entry_ns=5000000 --out out/btc
    """
    from queuefront.cli.runfile import load_run_config

    run_config = load_run_config(config, overrides or ())
    check_assets(run_config, tape)
    out.mkdir(parents=True, exist_ok=True)
    what = f"{strategy.name} over {', '.join(path.name for path in tape)}"
    with spinner(what):
        code, errors = _run_worker(job_of(strategy, tape, out, run_config, function, config), with_traceback=traceback)
    if errors or code != 0:
        typer.echo(_wording(errors, code, with_traceback=traceback), err=True)
    if code != 0:
        raise typer.Exit(code if code > 0 else 128 - code)
    _print_summary(out)


def check_assets(config: RunConfig, tapes: list[Path]) -> None:
    """Give every tape its asset table; refuse another number of tables."""
    from queuefront.core import ConfigError

    if len(config.asset) == 1 and len(tapes) > 1:
        config.asset = config.asset * len(tapes)
    if config.asset and len(config.asset) != len(tapes):
        raise ConfigError(f"{len(tapes)} tapes but {len(config.asset)} [[asset]] tables; give one for each, or one for all")


def job_of(strategy: Path, tapes: list[Path], out: Path, config: RunConfig, function: str, source: Path | None) -> Job:
    """Return what a worker needs to know."""
    from queuefront.cli.worker import Job

    return Job(
        strategy=str(strategy),
        function=function,
        tapes=[str(path) for path in tapes],
        out=str(out),
        config=config,
        config_source=str(source) if source is not None else "--set",
    )


def _run_worker(job: Job, *, with_traceback: bool) -> tuple[int, str]:
    """Run the job in its own process; return its exit code and what it wrote to stderr."""
    import msgspec

    environment = {**os.environ, "QF_TRACEBACK": "1"} if with_traceback else None
    command = [sys.executable, "-P", "-m", "queuefront.cli.worker", msgspec.json.encode(job).decode()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
        previous = signal.signal(signal.SIGTERM, _leave)
        try:
            _, errors = process.communicate()
        except BaseException:
            process.kill()  # it may be in compiled code, which hears nothing softer
            raise
        finally:
            signal.signal(signal.SIGTERM, previous)
    return process.returncode, errors.rstrip("\n")


def _leave(number: int, _frame: Any) -> None:
    sys.exit(128 + number)


def _wording(errors: str, code: int, *, with_traceback: bool) -> str:
    """Return what the user sees of the worker's stderr: one line for what can be mended, all of it for anything else."""
    if code < 0:
        return f"qf backtest: the strategy's process was ended by {signal.Signals(-code).name}"
    from queuefront.cli.worker import MESSAGE_MARK

    others, mark, message = errors.rpartition(MESSAGE_MARK)
    if with_traceback or not mark:
        return errors
    return f"{others}qf backtest: {one_line(message)}"


def _print_summary(out: Path) -> None:
    """Show the figures of summary.json, and where everything is."""
    import msgspec

    from queuefront.report import Summary, render_summary

    consoles()[0].print(render_summary(msgspec.json.decode((out / "summary.json").read_bytes(), type=Summary)))
    typer.echo(f"{out / 'report.html'}, and the tables beside it")
