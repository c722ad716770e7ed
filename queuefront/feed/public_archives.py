"""The public archives that cost nothing: Binance's, and Tardis' first day of each month.

Sources: github.com/binance/binance-public-data, and docs.tardis.dev, "Downloadable CSV files", read 2026-11. Binance
publishes a SHA-256 beside each file, which is checked; Tardis does not, so its files are unpacked once to see that they
are whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date as Date  # noqa: N812 - `date` would read as a value
from pathlib import Path
from typing import Final

from queuefront.core.errors import ConfigError, DataFormatError
from queuefront.feed.download import Fetched, fetch, fetch_text
from queuefront.feed.sources.archive import PathLike
from queuefront.feed.sources.packed import PackedLines

__all__ = ["BINANCE_ARCHIVE", "TARDIS_ARCHIVE", "download_binance", "download_tardis"]

BINANCE_ARCHIVE: Final = "https://data.binance.vision"
TARDIS_ARCHIVE: Final = "https://datasets.tardis.dev"

Progress = Callable[[int, int], None]

_FOLDERS: Final = {"spot": "spot", "um": "futures/um", "cm": "futures/cm"}
_BINANCE_KINDS: Final = ("trades", "aggTrades", "bookTicker")
_TARDIS_KINDS: Final = (
    "trades",
    "incremental_book_L2",
    "book_snapshot_5",
    "book_snapshot_25",
    "quotes",
    "book_ticker",
    "derivative_ticker",
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # goes into a path
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


def download_binance(
    symbol: str,
    day: str,
    folder: PathLike,
    *,
    kind: str = "trades",
    market: str = "um",
    base: str = BINANCE_ARCHIVE,
    attempts: int = 5,
    wait_s: float = 1.0,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch a day, or a month such as `2024-08`, of one market.

    Parameters
    ----------
    symbol, day, folder : what, of when, and where to.
    kind : `trades`, `aggTrades` or `bookTicker`.
    market : `spot`, `um` (USD-M futures) or `cm` (COIN-M futures).
    base : address of the archive.
    attempts, wait_s, progress : as in `fetch`.

    Raises
    ------
    ConfigError
        For a name or day that is none, or a file that there is not.
    DataError
        If the transfer breaks off for good, or the file is not the one that was published.
    """
    _choose("kind", kind, _BINANCE_KINDS)
    _choose("market", market, tuple(_FOLDERS))
    _check_name("symbol", symbol)
    is_month = _MONTH.fullmatch(day) is not None
    if not is_month:
        _day(day)
    name = f"{symbol}-{kind}-{day}.zip"
    url = f"{base.rstrip('/')}/data/{_FOLDERS[market]}/{'monthly' if is_month else 'daily'}/{kind}/{symbol}/{name}"
    published = fetch_text(f"{url}.CHECKSUM").split()
    if not published or not _SHA256.fullmatch(published[0]):
        raise DataFormatError(f"{url}.CHECKSUM: {' '.join(published)[:80]!r} is no SHA-256; is {base} the archive?")
    return fetch(url, Path(folder) / name, sha256_wanted=published[0], attempts=attempts, wait_s=wait_s, progress=progress)


def download_tardis(
    exchange: str,
    symbol: str,
    day: str,
    folder: PathLike,
    *,
    kind: str = "incremental_book_L2",
    base: str = TARDIS_ARCHIVE,
    attempts: int = 5,
    wait_s: float = 1.0,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch a first day of a month of one market, which needs no key.

    Parameters
    ----------
    exchange, symbol, day, folder : as Tardis calls them, of when, and where to.
    kind : the data type.
    base : address of the archive.
    attempts, wait_s, progress : as in `fetch`.

    Raises
    ------
    ConfigError
        For a name or day that is none, another day of the month, or a file that there is not.
    DataError
        If the transfer breaks off for good, or the file is damaged.
    """
    _choose("kind", kind, _TARDIS_KINDS)
    _check_name("exchange", exchange)
    symbol = symbol.replace("/", "-").replace(":", "-")
    _check_name("symbol", symbol)
    date = _day(day)
    if date.day != 1:
        raise ConfigError(f"day is {day}; only the first day of a month costs nothing, such as {date.replace(day=1)}")
    url = f"{base.rstrip('/')}/v1/{exchange}/{kind}/{date:%Y/%m/%d}/{symbol}.csv.gz"
    path = Path(folder) / f"{exchange}_{kind}_{date}_{symbol}.csv.gz"
    return fetch(url, path, check=_unpack, attempts=attempts, wait_s=wait_s, progress=progress)


def _unpack(path: Path) -> None:
    """Read a packed file to its end, which checks its sums."""
    for _ in PackedLines(path):
        pass


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; choose one of {', '.join(choices)}")


def _check_name(name: str, value: str) -> None:
    if not _NAME.fullmatch(value) or ".." in value:
        raise ConfigError(f"{name} is {value!r}; it has letters, digits, and - _ . between them")


def _day(day: str) -> Date:
    try:
        if not _DAY.fullmatch(day):
            raise ValueError(day)
        return Date.fromisoformat(day)
    except ValueError as e:
        raise ConfigError(f"day is {day!r}; give one such as 2024-08-01") from e
