"""`qf download`: files of public archives that cost nothing."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuefront.cli.progress import byte_progress
from queuefront.cli.terminal import guarded, print_pairs

if TYPE_CHECKING:
    from queuefront.feed import Fetched

__all__ = ["download_binance", "download_tardis"]


class BinanceKind(StrEnum):
    """What Binance's archive has that is converted."""

    TRADES = "trades"
    AGG_TRADES = "aggTrades"
    BOOK_TICKER = "bookTicker"


class BinanceMarket(StrEnum):
    """Where it is traded."""

    SPOT = "spot"
    USDM = "um"
    COINM = "cm"


@guarded
def download_binance(
    symbol: Annotated[str, typer.Argument(help="The market, for example BTCUSDT.")],
    days: Annotated[list[str], typer.Argument(metavar="DAY...", help="Days, or months: 2024-08-08, 2024-08.")],
    folder: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go.")] = Path(),
    kind: Annotated[BinanceKind, typer.Option(help="What to fetch.")] = BinanceKind.TRADES,
    market: Annotated[BinanceMarket, typer.Option(help="Spot, USD-M or COIN-M futures.")] = BinanceMarket.USDM,
    base: Annotated[str, typer.Option(metavar="URL", help="Address of the archive.")] = "https://data.binance.vision",
    attempts: Annotated[int, typer.Option(min=1, help="How often a transfer that breaks off is tried.")] = 5,
) -> None:
    """Fetch files of Binance's archive; each is checked by its published SHA-256, and resumed where it broke off.

    \b
    Example: qf download binance BTCUSDT 2024-08-08 --kind aggTrades -o data
    """
    from queuefront.feed import download_binance as download

    for day in days:
        with byte_progress(f"{symbol} {day}") as report:
            fetched = download(
                symbol, day, folder, kind=kind.value, market=market.value, base=base, attempts=attempts, progress=report
            )
        _print(fetched)


@guarded
def download_tardis(
    exchange: Annotated[str, typer.Argument(help="As Tardis calls it, for example binance-futures.")],
    symbol: Annotated[str, typer.Argument(help="The market, for example BTCUSDT.")],
    days: Annotated[list[str], typer.Argument(metavar="DAY...", help="First days of months, for example 2024-08-01.")],
    folder: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go.")] = Path(),
    kind: Annotated[str, typer.Option(help="Data type of Tardis.")] = "incremental_book_L2",
    base: Annotated[str, typer.Option(metavar="URL", help="Address of the archive.")] = "https://datasets.tardis.dev",
    attempts: Annotated[int, typer.Option(min=1, help="How often a transfer that breaks off is tried.")] = 5,
) -> None:
    """Fetch first days of months from Tardis, which need no key; resumed where a transfer broke off.

    \b
    Example: qf download tardis binance-futures BTCUSDT 2024-08-01 --kind trades -o data
    """
    from queuefront.feed import download_tardis as download

    for day in days:
        with byte_progress(f"{exchange} {symbol} {day}") as report:
            fetched = download(exchange, symbol, day, folder, kind=kind, base=base, attempts=attempts, progress=report)
        _print(fetched)


def _print(fetched: Fetched) -> None:
    print_pairs(
        str(fetched.path),
        [
            ("bytes", fetched.file_bytes),
            ("SHA-256", fetched.sha256),
            ("was there already", "yes" if fetched.was_there else None),
            ("resumed at byte", fetched.resumed_at or None),
        ],
    )
