"""The commands of `qf`, together; each stands in a module of its own and imports what it needs when it runs."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from queuefront.cli.backtest import backtest
from queuefront.cli.check import check
from queuefront.cli.convert import convert
from queuefront.cli.download import download_binance, download_tardis
from queuefront.cli.fuse import fuse
from queuefront.cli.info import info
from queuefront.cli.journal import journal_export, journal_replay, journal_show, journal_verify
from queuefront.cli.kernel import kernel_demo, kernel_simulate
from queuefront.cli.latency import latency
from queuefront.cli.paper import paper_serve
from queuefront.cli.passport import passport
from queuefront.cli.snapshot import snapshot
from queuefront.cli.split import concat, split
from queuefront.cli.sweep import sweep
from queuefront.cli.synth import synth
from queuefront.cli.venue import venue_book, venue_check

__all__ = ["app"]

app = typer.Typer(
    name="qf",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"qf {version('queuefront')}")
        raise typer.Exit


@app.callback()
def qf(  # tidy: allow stub: the commands share one option and no work
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Backtest at the tick level, with queue positions and latencies; execute without losing an order or a cent."""


for _command in (convert, info, check, passport, fuse, split, concat, snapshot, latency, synth, backtest, sweep):
    app.command()(_command)

for _name, _help, _commands in (
    ("download", "Fetch files of public archives.", (download_binance, download_tardis)),
    ("kernel", "Show the execution kernel, and try to break it.", (kernel_demo, kernel_simulate)),
    ("venue", "Look at a venue; no orders.", (venue_check, venue_book)),
    ("journal", "Look into a kernel's journal.", (journal_verify, journal_show, journal_replay, journal_export)),
    ("paper", "Trade against a tape, over a venue's own protocol.", (paper_serve,)),
):
    _group = typer.Typer(no_args_is_help=True, help=_help, rich_markup_mode=None)
    for _member in _commands:
        _group.command(_member.__name__.partition("_")[2])(_member)
    app.add_typer(_group, name=_name)
