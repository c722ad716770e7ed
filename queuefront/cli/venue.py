"""`qf venue`: look at a venue, and at its book, without placing an order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuefront.cli.progress import spinner
from queuefront.cli.terminal import guarded, print_pairs, print_table
from queuefront.cli.venue_session import client_for, keys_for, session_for

if TYPE_CHECKING:
    from queuefront.venues.binance import BinanceClient
    from queuefront.venues.checkup import Checkup

__all__ = ["venue_book", "venue_check"]

#: Exit code where something must be mended before trading.
PROBLEMS = 1

Testnet = Annotated[bool, typer.Option("--testnet", help="The venue's test addresses.")]
At = Annotated[str | None, typer.Option(metavar="URL", help="An address of your own, for example of `qf paper serve`.")]


@guarded
def venue_check(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="binance-spot, binance-usdm or binance-coinm.")],
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]…", help="Instruments to look at.")] = None,
    testnet: Testnet = False,
    at: At = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="api_key and api_secret, readable by you alone.")
    ] = None,
) -> None:
    """Check addresses, clock, instruments, limits and, with keys, the account. No order is placed.

    Without --keys, BINANCE_API_KEY and BINANCE_API_SECRET of the environment are used where they are set
    (BINANCE_TESTNET_… with --testnet); with --at, only a file is. The exit code is 1 where something must be mended.

    \b
    Example: qf venue check binance-usdm BTCUSDT
             qf venue check binance-spot --testnet --keys testnet-keys.toml
    """
    config = session_for(venue, tuple(symbols or ()), testnet=testnet, at=at)
    client = client_for(config, keys_for(config, keys))
    with spinner(f"asking {config.where.rest}"):
        found = asyncio.run(_check(client))
    print_pairs(f"{venue} ({config.environment})", found.pairs)
    head = ("instrument", "tick size", "lot size", "least notional", "trading")
    print_table("instruments", head, found.instruments, (1, 2, 3))
    for problem in found.problems:
        typer.echo(f"problem: {problem}")
    typer.echo(f"{len(found.problems)} problems" if found.problems else "no problem found")
    if found.problems:
        raise typer.Exit(PROBLEMS)


async def _check(client: BinanceClient) -> Checkup:
    from queuefront.venues.binance.checkup import check_up

    try:
        return await check_up(client)
    finally:
        await client.close()


@guarded
def venue_book(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="As the venue writes it, for example BTCUSDT.")],
    venue: Annotated[str, typer.Option(help="binance-spot, binance-usdm or binance-coinm.")] = "binance-usdm",
    levels: Annotated[int, typer.Option(min=1, max=50, help="Levels of each side.")] = 10,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long; until Ctrl-C by default.")] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 0.5,
    testnet: Testnet = False,
    at: At = None,
) -> None:
    """Show the live order book: levels, message rates, latency, and whether the book is whole.

    On a terminal the view stays in place; otherwise each look is one line. No keys are needed.

    \b
    Example: qf venue book BTCUSDT --venue binance-usdm
             qf venue book BTCUSDT --at http://127.0.0.1:8780 --seconds 10 | head
    """
    from queuefront.cli.venue_book_view import show_book

    config = session_for(venue, (symbol,), testnet=testnet, at=at)
    client = client_for(config, None)
    asyncio.run(show_book(client, symbol, levels=levels, seconds=seconds, every_s=every))
