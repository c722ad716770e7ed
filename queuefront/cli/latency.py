"""`qf latency`: order latencies made up from feed latencies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from queuefront.cli.market_file import refuse_existing
from queuefront.cli.progress import spinner
from queuefront.cli.sources import read_events_of, require_npz
from queuefront.cli.terminal import guarded, print_pairs
from queuefront.core import ConfigError, format_duration

__all__ = ["latency"]


@guarded
def latency(
    feed: Annotated[Path, typer.Argument(metavar="FEED", help="A .tape, .npz or .parquet file.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.npz", help="Output, rows of latencies.")],
    mul_entry: Annotated[str, typer.Option(help="Entry latency, in feed latencies.")] = "1",
    offset_entry: Annotated[str, typer.Option(metavar="NS", help="Added to it.")] = "0",
    mul_resp: Annotated[str, typer.Option(help="Response latency, in feed latencies.")] = "1",
    offset_resp: Annotated[str, typer.Option(metavar="NS", help="Added to it.")] = "0",
    resampling: Annotated[int, typer.Option(min=1, metavar="NS", help="One row for each interval of this length.")] = 10**9,
    is_log: Annotated[
        bool, typer.Option("--log", help="FEED is a session's log, .csv or .npz: req_ts, exch_ts, resp_ts in ns.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Make order latencies out of feed latencies, where none were measured, or resample those that were.

    `[asset.latency] kind = "interpolated"` of a run configuration replays them.

    \b
    Example: qf latency btc.tape -o latency.npz --mul-entry 4 --mul-resp 3
    """
    require_npz(out)
    refuse_existing(out, force=force)
    from queuefront.feed import generate_order_latency, resample_order_latency

    model = (mul_entry, offset_entry, mul_resp, offset_resp)
    with spinner(f"reading {feed.name}"):
        if is_log:
            if model != ("1", "0", "1", "0"):
                raise ConfigError("factors and offsets say nothing about measured latencies; leave them out, or --log")
            rows = resample_order_latency(feed, out, resampling)
        else:
            rows = generate_order_latency(read_events_of(feed), out, *model, resampling)
    entry, response = rows["exch_ts"] - rows["req_ts"], rows["resp_ts"] - rows["exch_ts"]
    pairs: list[tuple[str, object]] = [("rows", len(rows))]
    for name, column in (("entry", entry), ("response", response)):
        if len(column):
            pairs.append((f"shortest {name} latency", format_duration(int(column.min()))))
            pairs.append((f"longest {name} latency", format_duration(int(column.max()))))
    print_pairs(f"{out} (latencies)", pairs)
