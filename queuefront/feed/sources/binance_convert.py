"""Convert raw collector files to events.

Rules that every source shares: rows stand in file order, then the local clock is shifted if it runs behind, then rows are
split where the two clocks disagree on their order (`clean`). A line is taken whole or not at all. Kinds that are not
converted are counted. Where the venue's sequence numbers break, the account names the line.

Binance spot tells less than the futures do, so two times are assumed:

- A REST snapshot names no time. It takes the event time of the next `depthUpdate` in the file if that one reaches beyond
  the snapshot (`u >= lastUpdateId`): the book was in this state before that update. Otherwise the snapshot overtook updates
  that still follow, and it takes the time of the last event before it.
- A book ticker names no time. It takes the time of the last event before it; before the first event it makes no rows.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from queuefront.core.enums import (
    ContractKind,
)
from queuefront.core.errors import ConfigError
from queuefront.core.instrument import Instrument, Number
from queuefront.feed.conversion import Conversion, ConversionAccount
from queuefront.feed.row_spill import Rows
from queuefront.feed.sources.binance import Wanted
from queuefront.feed.sources.binance_lines import LineConverter, Progress
from queuefront.feed.sources.raw import RawLines
from queuefront.feed.sources.tail import OnBad, find_grid, ready_for_replay

__all__ = ["SOURCES", "convert_lines"]


class _Market(NamedTuple):
    is_spot: bool
    contract: ContractKind


SOURCES: Final = {
    "binance-usdm": _Market(is_spot=False, contract=ContractKind.LINEAR),
    "binance-coinm": _Market(is_spot=False, contract=ContractKind.INVERSE),
    "binance-spot": _Market(is_spot=True, contract=ContractKind.LINEAR),
}
"""Source names, which are venue names too."""

_SYMBOL_OF_NAME: Final = re.compile(r"([a-z0-9_]+?)_[0-9]{8}", re.IGNORECASE)


def convert_lines(
    source: str,
    path: str | os.PathLike[str],
    *,
    opt: str = "",
    base_latency_ns: int = 0,
    always_add_latency: bool = False,
    combined_stream: bool = True,
    on_bad: OnBad = "stop",
    tick_size: Number | None = None,
    lot_size: Number | None = None,
    contract: ContractKind | str | None = None,
    multiplier: Number | None = None,
    gap_threshold_ns: int = 10_000_000_000,
    progress: Progress | None = None,
) -> Conversion:
    """Convert one raw collector file.

    Parameters
    ----------
    source : one of `SOURCES`.
    path : raw lines, gzip or plain text (`raw`).
    opt : `m` makes rows of mark prices (kinds 100 to 102), `t` of book tickers (kinds 103 and 104); both by `mt`.
    base_latency_ns : smallest feed latency after the shift of a local clock that runs behind; with `always_add_latency` it
        is added in every case.
    combined_stream : messages stand in the envelope of a combined stream.
    on_bad : `stop` raises at the first line that cannot be used; `skip` leaves such lines out and lists them in the
        account.
    tick_size, lot_size : the grid; inferred from the data where not given.
    contract, multiplier : the contract; by the source's rule where not given.
    gap_threshold_ns : silence that the account reports as a gap.
    progress : called with (bytes done, bytes in all), at most 20 times a second.

    Raises
    ------
    ConfigError
        For an unknown source or option.
    DataFormatError, TruncatedFileError
        For a file that is no raw file, is cut off, or holds a line that cannot be used.
    DataError
        If the grid cannot be inferred.
    """
    if source not in SOURCES:
        raise ConfigError(f"source {source!r} is unknown; choose one of {', '.join(SOURCES)}")
    if opt not in ("", "m", "t", "mt", "tm"):
        raise ConfigError(f"opt is {opt!r}; choose one of '', 'm', 't', 'mt'")
    if on_bad not in ("stop", "skip"):
        raise ConfigError(f"on_bad is {on_bad!r}; choose 'stop' or 'skip'")
    market = SOURCES[source]
    lines = RawLines(path, salvage=on_bad == "skip")
    account = ConversionAccount(source, str(lines.path), gap_threshold_ns=gap_threshold_ns)
    wanted = Wanted(market.is_spot, combined_stream, "t" in opt, "m" in opt)
    converter = LineConverter(lines, wanted, account, stops=on_bad == "stop")
    rows = Rows([converter.run(progress)])
    account.sha256, account.input_bytes = lines.digest, lines.bytes_done
    instrument = _instrument(converter.symbol, rows, account, tick_size, lot_size, contract or market.contract)
    instrument = instrument.override(multiplier=multiplier)
    events = ready_for_replay(rows, account, base_latency_ns, always=always_add_latency)
    return Conversion(events, account, instrument)


def _instrument(
    symbol: str,
    rows: Rows,
    account: ConversionAccount,
    tick_size: Number | None,
    lot_size: Number | None,
    contract: ContractKind | str,
) -> Instrument:
    """Name the instrument, inferring its grid where it is not given."""
    if not symbol:  # nothing but REST snapshots: the collector's file name begins with it
        match = _SYMBOL_OF_NAME.match(Path(account.path).name)
        symbol = match[1].upper() if match else "UNKNOWN"
    tick, lot = find_grid(rows, account, tick_size, lot_size)
    instrument = Instrument(account.source, symbol, tick, lot, contract)  # type: ignore[arg-type]
    if instrument.contract is ContractKind.INVERSE:
        # Binance COIN-M contract specifications: 100 USD a contract for BTC, 10 USD for every other coin.
        return instrument.override(multiplier=100 if symbol.startswith("BTC") else 10)
    return instrument
