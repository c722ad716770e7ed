"""`qf convert`: a raw feed into a tape, with an account of what was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from queuefront.cli.convert_sources import SOURCES, SourceName, described, source_of
from queuefront.cli.market_file import FileKind, kind_of, refuse_existing, write_market
from queuefront.cli.progress import byte_progress
from queuefront.cli.terminal import guarded, instrument_pairs, print_pairs, print_table, span_pairs
from queuefront.core import ConfigError, DataError, format_duration, format_ts

if TYPE_CHECKING:
    from queuefront.core import Instrument
    from queuefront.feed import Conversion, ConversionAccount

__all__ = ["convert"]

#: How many refused lines the closing account shows; `--account` writes them all.
SHOWN_COUNT = 20


_OPTIONS: Final = {
    "on_bad='skip'": "--on-bad skip",
    "off_grid='round'": "--off-grid round",
    "give the right tick_size": "give the right --tick-size",
    "give the right lot_size": "give the right --lot-size",
    "combined_stream=False": "--raw-stream",
    "combined_stream=True": "--combined",
    "give tick_size": "give --tick-size",
    "give lot_size": "give --lot-size",
    "give symbol": "give --symbol",
    "give date": "give --date",
    "levels_max": "--levels-max",
    "exch_ts_multiplier": "--exch-ts-multiplier",
    "feed_latency_ns": "--feed-latency",
}

_SOURCE_HELP: Final = f"Where the data come from. {described(SOURCES)}."


class OnBad(StrEnum):
    """What to do about a line that cannot be read."""

    STOP = "stop"
    SKIP = "skip"


class SnapshotMode(StrEnum):
    """Which whole books among depth updates are taken."""

    PROCESS = "process"
    IGNORE_SOD = "ignore_sod"
    IGNORE = "ignore"


class OffGrid(StrEnum):
    """What to do about a price or quantity that is no whole number of steps."""

    REFUSE = "refuse"
    ROUND = "round"


# Options that are long to tell, here so that the command itself stays readable.
OnBadOption = Annotated[OnBad, typer.Option(help="At a line or record that cannot be read: stop, or skip and list it.")]
OffGridOption = Annotated[
    OffGrid, typer.Option(help="A price or quantity off the grid of a tape: refuse it, or round and count it.")
]
OptOption = Annotated[str | None, typer.Option(help="binance: extra rows; m mark, index and funding; t best bid and ask.")]
CombinedOption = Annotated[
    bool | None, typer.Option("--combined/--raw-stream", help="binance: messages wrapped in {stream, data}, or bare.")
]
LevelOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="bybit: take orderbook.N only; all are fused if not given.")
]
OutOfBookOption = Annotated[
    bool | None,
    typer.Option("--delete-out-of-book/--keep-out-of-book", help="hyperliquid: levels out of sight are gone, or stay."),
]
LevelsMaxOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="hyperliquid: the most levels of one side; 20 if not given.")
]
ExchMultiplierOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="NS", help="hyperliquid, mexc: one step of the venue's times; 1000000 if not given."),
]
ColumnsOption = Annotated[
    Path | None, typer.Option(metavar="FILE.toml", help="table: the mapping that says which columns are what.")
]
SnapshotModeOption = Annotated[
    SnapshotMode | None, typer.Option(help="tardis: leave out the snapshot at the start of a day, or all of them.")
]
FuseOption = Annotated[bool, typer.Option("--fuse", help="tardis: put quotes into the depth of one book.")]
DateOption = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="lobster: the day; by the file's name.")]
TimezoneOption = Annotated[str | None, typer.Option(help="lobster: where its midnight is; America/New_York.")]
FeedLatencyOption = Annotated[
    int | None, typer.Option(min=0, metavar="NS", help="Histories without times of receipt: how much later they are.")
]


@guarded
def convert(
    source: Annotated[SourceName, typer.Argument(help=_SOURCE_HELP)],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="The files, as the source delivers them.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Output: .tape, .npz or .parquet.")],
    tick_size: Annotated[str | None, typer.Option(help="Price step, for example 0.1; inferred if not given.")] = None,
    lot_size: Annotated[str | None, typer.Option(help="Quantity step, for example 0.001; inferred if not given.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Whose records to take, if there are several.")] = None,
    multiplier: Annotated[str | None, typer.Option(help="Contract size; by the source's rule if not given.")] = None,
    base_latency: Annotated[
        int, typer.Option(min=0, metavar="NS", help="Smallest feed latency where the local clock ran behind.")
    ] = 0,
    opt: OptOption = None,
    combined_stream: CombinedOption = None,
    level: LevelOption = None,
    delete_out_of_book: OutOfBookOption = None,
    levels_max: LevelsMaxOption = None,
    exch_ts_multiplier: ExchMultiplierOption = None,
    columns: ColumnsOption = None,
    snapshot_mode: SnapshotModeOption = None,
    fuse: FuseOption = False,
    date: DateOption = None,
    timezone: TimezoneOption = None,
    feed_latency: FeedLatencyOption = None,
    on_bad: OnBadOption = OnBad.STOP,
    off_grid: OffGridOption = OffGrid.REFUSE,
    account: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the whole account as JSON.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Convert a feed into a tape, an npz or a Parquet file.

    Corrects local times and the order of events, and closes with an account of every line.

    \b
    Example: qf convert binance-usdm btcusdt_20240808.gz -o btc.tape --tick-size 0.1 --lot-size 0.001
    """
    kind = kind_of(out)
    refuse_existing(out, force=force)
    own: dict[str, Any] = {
        "symbol": symbol,
        "opt": opt,
        "combined_stream": combined_stream,
        "level": level,
        "delete_out_of_book": delete_out_of_book,
        "levels_max": levels_max,
        "exch_ts_multiplier": exch_ts_multiplier,
        "columns": columns,
        "snapshot_mode": snapshot_mode.value if snapshot_mode else None,
        "fuse": fuse or None,
        "date": date,
        "timezone": timezone,
        "feed_latency_ns": feed_latency,
    }
    given = {name: value for name, value in own.items() if value is not None}
    chosen = source_of(source, inputs, given)
    general: dict[str, Any] = {
        "base_latency_ns": base_latency,
        "on_bad": on_bad.value,
        "tick_size": tick_size,
        "lot_size": lot_size,
        "multiplier": multiplier,
    }
    with byte_progress(f"reading {inputs[0].name}") as report, _naming_options():
        conversion = chosen.convert(inputs, progress=report, **general, **given)
        _write(conversion, out, kind, inputs, off_grid)
    if account is not None:
        _write_account(account, conversion.account)
    _print_account(conversion.account, conversion.instrument, out, kind, chosen.unit)


def _write(conversion: Conversion, out: Path, kind: FileKind, inputs: list[Path], off_grid: OffGrid) -> None:
    source, account = ", ".join(map(str, inputs)), conversion.account.to_dict()
    if kind is FileKind.TAPE:
        conversion.save_tape(out, source=source, off_grid=off_grid.value)
        return
    write_market(out, kind, conversion.events, conversion.instrument, source, account, off_grid=off_grid.value)


@contextmanager
def _naming_options() -> Iterator[None]:
    """Let messages that advise an argument of the library name the option that sets it."""
    try:
        yield
    except (DataError, ConfigError) as e:
        text = str(e)
        for argument, option in _OPTIONS.items():
            text = text.replace(argument, option)
        raise type(e)(text) from e


def _write_account(path: Path, account: ConversionAccount) -> None:
    import msgspec

    path.write_bytes(msgspec.json.format(msgspec.json.encode(account.to_dict()), indent=2) + b"\n")


def _print_account(account: ConversionAccount, instrument: Instrument, out: Path, kind: FileKind, unit: str) -> None:
    print_pairs(
        f"{out} ({kind.value})",
        [
            *instrument_pairs(instrument),
            (f"{unit} read", account.lines),
            (f"{unit} refused", account.refused_count),
            ("events", account.events),
            *span_pairs("exchange", account.first_exch_ts, account.last_exch_ts),
            *span_pairs("local", account.first_local_ts, account.last_local_ts),
            ("input damaged", account.damage),
        ],
    )
    print_table("events by kind", ("kind", "events"), sorted(account.events_by_kind.items()), number_columns=(1,))
    print_table(f"{unit} by kind", ("kind", unit), sorted(account.lines_by_kind.items()), number_columns=(1,))
    print_pairs(
        "corrections",
        [
            ("local times moved by", f"{account.local_ts_shift_ns:,} ns ({format_duration(account.local_ts_shift_ns)})"),
            ("rows split in two, where the clocks disagree", account.rows_split),
        ],
    )
    refused = [(refusal.line, refusal.reason, refusal.text) for refusal in account.refused[:SHOWN_COUNT]]
    print_table(f"refused {unit}", (unit[:-1], "reason", "text"), refused, number_columns=(0,))
    gaps = [(gap.line, format_ts(gap.local_ts), _missing(gap.kind, gap.size)) for gap in account.gaps[:SHOWN_COUNT]]
    print_table("gaps", (f"before {unit[:-1]}", "received", "missing"), gaps, number_columns=(0, 2))
    answers = [(message.line, message.text) for message in account.venue_messages[:SHOWN_COUNT]]
    print_table("messages of the venue", ("line", "text"), answers, number_columns=(0,))
    hidden = {
        f"refused {unit}": account.refused_count - len(refused),
        "gaps": account.gap_count - len(gaps),
        "messages": account.venue_message_count - len(answers),
    }
    more = [f"{count:,} more {what}: --account FILE.json has more of them" for what, count in hidden.items() if count > 0]
    print_table("notes", ("",), [(note,) for note in account.notes + more], number_columns=())


def _missing(kind: str, size: int) -> str:
    return f"{size:,} updates" if kind == "sequence" else format_duration(size)
