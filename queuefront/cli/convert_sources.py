"""The sources that `qf convert` knows: one table, from which its help, its choice and its refusals come."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from queuefront.core import ConfigError

if TYPE_CHECKING:
    from queuefront.feed import Conversion

__all__ = ["SOURCES", "Source", "SourceName", "described", "source_of"]


class SourceName(StrEnum):
    """Where data come from, as the user names it."""

    BINANCE_USDM = "binance-usdm"
    BINANCE_SPOT = "binance-spot"
    BINANCE_COINM = "binance-coinm"
    BINANCE_HISTORY = "binance-history"
    BYBIT_HISTORY = "bybit-history"
    DATABENTO = "databento"
    BYBIT = "bybit"
    HYPERLIQUID = "hyperliquid"
    MEXC = "mexc"
    TABLE = "table"
    LOBSTER = "lobster"
    TARDIS = "tardis"


class Source(NamedTuple):
    """How one kind of input becomes events.

    `convert` takes the inputs and the keywords of the library's function: those that every source has (`base_latency_ns`,
    `on_bad`, `tick_size`, `lot_size`, `multiplier`, `progress`), and of the others those that `options` names and the user
    gave. It imports what it needs when it runs.
    """

    help: str  # what the inputs are
    convert: Callable[..., Conversion]
    options: frozenset[str] = frozenset()
    inputs_max: int | None = 1  # None: any number
    unit: str = "lines"  # what the account counts


def source_of(name: SourceName, inputs: list[Path], given: dict[str, Any]) -> Source:
    """Return the source of a name, after a look at the number of inputs and at which options were given.

    Raises
    ------
    ConfigError
        For more inputs than the source takes, or an option that says nothing about it.
    """
    source = SOURCES[name]
    if source.inputs_max is not None and len(inputs) > source.inputs_max:
        files = "one file" if source.inputs_max == 1 else f"at most {source.inputs_max} files"
        raise ConfigError(f"{name} takes {files}, and there are {len(inputs)}; convert them one by one and `qf fuse` them")
    for option, value in given.items():
        if option not in source.options:
            raise ConfigError(f"{_flag(option, value)} says nothing about {name}; leave it out")
    return source


def described(sources: dict[SourceName, Source]) -> str:
    """Return what the inputs of each source are, for its help; sources with equal inputs stand together."""
    names: dict[str, list[str]] = {}
    for name, source in sources.items():
        names.setdefault(source.help, []).append(name.value)
    return "; ".join(f"{', '.join(of_help)}: {text}" for text, of_help in names.items())


def _flag(option: str, value: object) -> str:
    if option == "combined_stream":
        return "--combined" if value else "--raw-stream"
    if option == "delete_out_of_book":
        return "--delete-out-of-book" if value else "--keep-out-of-book"
    return f"--{option.removesuffix('_ns').replace('_', '-')}"


def _binance(name: SourceName) -> Source:
    def convert(inputs: list[Path], **options: Any) -> Conversion:
        from queuefront.feed import convert_lines

        return convert_lines(name.value, inputs[0], **options)

    return Source(_RAW, convert, frozenset({"opt", "combined_stream"}))


def _databento(inputs: list[Path], **options: Any) -> Conversion:
    from queuefront.feed import convert_databento

    return convert_databento(inputs[0], **options)


def _bybit(inputs: list[Path], **options: Any) -> Conversion:
    from queuefront.feed import convert_bybit

    return convert_bybit(inputs[0], **options)


def _hyperliquid(inputs: list[Path], **options: Any) -> Conversion:
    from queuefront.feed import convert_hyperliquid

    return convert_hyperliquid(inputs[0], **options)


def _mexc(inputs: list[Path], **options: Any) -> Conversion:
    from queuefront.feed import convert_mexc

    return convert_mexc(inputs[0], **options)


def _table(inputs: list[Path], columns: Path | None = None, **options: Any) -> Conversion:
    from queuefront.feed import convert_table

    if columns is None:
        raise ConfigError("a table needs a mapping of its columns; give --columns FILE.toml (docs/data.md shows one)")
    return convert_table(inputs[0], columns, **options)


_RAW: Final = "raw stream, plain or .gz"


def _files(function: str) -> Callable[..., Conversion]:
    """Return the library's function of this name, which takes several files."""

    def convert(inputs: list[Path], **options: Any) -> Conversion:
        from queuefront import feed

        converted: Conversion = getattr(feed, function)(inputs, **options)
        return converted

    return convert


SOURCES: Final[dict[SourceName, Source]] = {
    SourceName.BINANCE_USDM: _binance(SourceName.BINANCE_USDM),
    SourceName.BINANCE_SPOT: _binance(SourceName.BINANCE_SPOT),
    SourceName.BINANCE_COINM: _binance(SourceName.BINANCE_COINM),
    SourceName.DATABENTO: Source(
        "mbo, mbp-1, mbp-10 or trades, .dbn or .dbn.zst", _databento, frozenset({"symbol"}), unit="records"
    ),
    SourceName.BYBIT: Source(_RAW, _bybit, frozenset({"symbol", "level"})),
    SourceName.HYPERLIQUID: Source(
        _RAW, _hyperliquid, frozenset({"symbol", "delete_out_of_book", "levels_max", "exch_ts_multiplier"})
    ),
    SourceName.MEXC: Source(_RAW, _mexc, frozenset({"symbol", "exch_ts_multiplier"})),
    SourceName.TABLE: Source(".parquet, or CSV, plain or .gz", _table, frozenset({"symbol", "columns"}), unit="records"),
    SourceName.BINANCE_HISTORY: Source(
        "csv or zip of Binance's archive; trades or aggTrades, bookTicker, depth updates",
        _files("convert_binance_history"),
        frozenset({"symbol", "feed_latency_ns"}),
        inputs_max=None,
    ),
    SourceName.BYBIT_HISTORY: Source(
        "ob500 zip and trades csv.gz of Bybit's archive",
        _files("convert_bybit_history"),
        frozenset({"symbol", "feed_latency_ns"}),
        inputs_max=None,
    ),
    SourceName.LOBSTER: Source(
        "one message csv", _files("convert_lobster"), frozenset({"symbol", "date", "timezone", "feed_latency_ns"})
    ),
    SourceName.TARDIS: Source(
        "csv of Tardis, trades, incremental_book_L2, book_snapshot, quotes, derivative_ticker",
        _files("convert_tardis"),
        frozenset({"symbol", "snapshot_mode", "fuse"}),
        inputs_max=None,
    ),
}
