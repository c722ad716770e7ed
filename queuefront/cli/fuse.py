"""`qf fuse`: best prices and depth streams of one market, as one stream."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from queuefront.cli.market_file import kind_of, refuse_existing, write_market
from queuefront.cli.progress import row_progress
from queuefront.cli.sources import grid_instrument, read_events_of
from queuefront.cli.terminal import guarded, instrument_pairs, print_pairs, print_table

__all__ = ["fuse"]


@guarded
def fuse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of events of one market.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Output: .tape, .npz or .parquet.")],
    tick_size: Annotated[str | None, typer.Option(help="Price step; a tape among the files knows it.")] = None,
    lot_size: Annotated[str | None, typer.Option(help="Quantity step; a tape among the files knows it.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Fuse best prices and depth streams of one market into one stream.

    Book tickers of `qf convert --opt t` are best prices. Trades and other rows pass as they are.

    \b
    Example: qf fuse depth.npz ticker.npz -o fused.tape --tick-size 0.1 --lot-size 0.001
    """
    kind = kind_of(out)
    refuse_existing(out, force=force)
    instrument = grid_instrument(files, tick_size, lot_size, out.stem.upper())
    streams = [read_events_of(file) for file in files]
    from queuefront.feed import fuse_streams

    names = [str(file) for file in files]
    with row_progress("fusing") as report:
        fusion = fuse_streams(streams, instrument.tick_size, instrument.lot_size, names=names, progress=report)
    account = fusion.account
    write_market(out, kind, fusion.events, instrument, ", ".join(names), account.to_dict())
    print_pairs(
        f"{out} ({kind.value})",
        [
            *instrument_pairs(instrument),
            ("rows read", account.rows),
            ("rows of the exchange's half, left out", account.rows_of_exchange_only),
            ("depth rows made", account.rows_made),
            ("events", account.events),
        ],
    )
    print_table("rows fused", ("kind", "rows"), sorted(account.fused_by_kind.items()), number_columns=(1,))
    print_table("rows passed on", ("kind", "rows"), sorted(account.passed_by_kind.items()), number_columns=(1,))
