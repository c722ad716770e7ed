"""`qf snapshot`: the book at the end of the data, which the next day's backtest starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuefront.cli.market_file import refuse_existing
from queuefront.cli.progress import byte_progress
from queuefront.cli.sources import grid_instrument, read_events_of, require_npz
from queuefront.cli.terminal import guarded, print_pairs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["snapshot"]


@guarded
def snapshot(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of events, one after the other.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.npz", help="Output, rows of a snapshot.")],
    initial: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Snapshot that the book starts from.")] = None,
    tick_size: Annotated[str | None, typer.Option(help="Price step; a tape among the files knows it.")] = None,
    lot_size: Annotated[str | None, typer.Option(help="Quantity step; a tape among the files knows it.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Write the book as it is seen after the last event.

    \b
    Example: qf snapshot btc.tape -o eod.npz
    """
    require_npz(out)
    refuse_existing(out, force=force)
    instrument = grid_instrument(files, tick_size, lot_size, out.stem.upper())
    from queuefront.core.enums import BUY_EVENT
    from queuefront.feed import create_last_snapshot

    with byte_progress("applying events") as report:
        rows = create_last_snapshot(
            _parts(files, report), instrument.tick_size, instrument.lot_size, initial_snapshot=initial, output=out
        )
    is_bid = [bool(int(ev) & BUY_EVENT) for ev in rows["ev"]]
    bids = sum(is_bid)
    print_pairs(
        f"{out} (snapshot)",
        [
            ("files", len(files)),
            ("bid levels", bids),
            ("ask levels", len(rows) - bids),
            ("best bid", rows["px"][0] if bids else "none"),
            ("best ask", rows["px"][bids] if bids < len(rows) else "none"),
        ],
    )


def _parts(files: list[Path], report: Callable[[int, int], None]) -> Iterator[npt.NDArray[np.void]]:
    """Read one file after the other, and tell how many of the bytes were read."""
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        yield read_events_of(file)
        done += file.stat().st_size
        report(done, total)
