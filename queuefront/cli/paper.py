"""`qf paper serve`: a local exchange that speaks a venue's protocol over a tape."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from queuefront.cli.progress import spinner
from queuefront.cli.terminal import consoles, guarded, print_pairs
from queuefront.core import ConfigError, now_ns

if TYPE_CHECKING:
    from queuefront.paper import PaperConfig, PaperServer

__all__ = ["paper_serve"]

_STATUS_S = 0.5


@guarded
def paper_serve(
    venue: Annotated[str, typer.Option(help="Whose protocol: binance-spot, binance-usdm or binance-coinm.")],
    tape: Annotated[list[Path], typer.Option(metavar="FILE", help="What is replayed; once for each symbol.")],
    symbol: Annotated[
        list[str] | None, typer.Option(help="Its name at the venue, like BTCUSDT; once for each tape, in their order.")
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="X|step", help="Seconds of the tape in a second; step: moves by POST /paper/step.")
    ] = "1",
    balance: Annotated[
        list[str] | None, typer.Option(metavar="ASSET=AMOUNT", help="What the account starts with; once for each.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="Script of faults, TOML; see docs/paper.md.")] = None,
    connection_age: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long a WebSocket stands before the venue ends it.")
    ] = 86_400.0,
    api_key: Annotated[str, typer.Option(help="The key that clients show.")] = "paper-trading-key",
    secret: Annotated[str, typer.Option(help="The secret that they sign with.")] = "paper-trading-secret",  # noqa: S107
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen; 0 takes a free port.")] = 8780,
    exit_at_end: Annotated[bool, typer.Option("--exit-at-end", help="Leave when the tapes are over.")] = False,
) -> None:
    """Serve a local exchange that speaks a venue's REST and WebSocket protocols over a tape.

    Orders are matched by the backtest's exchange half, in their queues. Ctrl-C ends it.

    \b
    Example: qf paper serve --venue binance-usdm --tape market.tape --symbol BTCUSDT --balance USDT=10000
    """
    from queuefront.paper import Listing, PaperConfig, load_faults

    symbols: list[str | None] = list(symbol) if symbol else [None] * len(tape)
    if len(symbols) != len(tape):
        raise ConfigError(f"there are {len(tape)} tapes and {len(symbols)} symbols; give --symbol once for each tape")
    script, seed = load_faults(faults) if faults else ([], 0)
    config = PaperConfig(
        venue,
        [Listing(path, name) for path, name in zip(tape, symbols, strict=True)],
        balances=_balances(balance),
        speed=_speed(speed),
        keys={api_key: secret},
        faults=script,
        seed=seed,
        connection_age_s=connection_age,
    )
    asyncio.run(_serve(config, (host, port), is_stepped=speed == "step", exit_at_end=exit_at_end))


def _speed(text: str) -> Fraction:
    if text == "step":
        return Fraction(1)
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as e:
        raise ConfigError(f"--speed is {text!r}; give a number, for example 10, or step") from e


def _balances(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    balances = {}
    for text in given:
        asset, sign, amount = text.partition("=")
        if not asset or not sign:
            raise ConfigError(f"--balance is {text!r}; give it like USDT=10000")
        balances[asset.upper()] = amount
    return balances


async def _serve(config: PaperConfig, address: tuple[str, int], *, is_stepped: bool, exit_at_end: bool) -> None:
    from queuefront.paper import PaperServer, StepClock, WallClock

    clock = StepClock(now_ns()) if is_stepped else WallClock()
    server = PaperServer(config, clock=clock, host=address[0], port=address[1])
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    _, err = consoles()
    try:
        async with AsyncExitStack() as stack:
            with spinner("Opening the market; its matching engine is compiled the first time"):
                await stack.enter_async_context(server)
            err.print(f"{config.venue} on {server.rest_url} and {server.ws_url}: {_symbols(server)}", highlight=False)
            await _watch(server, err, ended, exit_at_end=exit_at_end)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    _print_summary(server)


def _symbols(server: PaperServer) -> str:
    return ", ".join(server.venue.exchange.markets)


async def _watch(server: PaperServer, err: Console, ended: asyncio.Event, *, exit_at_end: bool) -> None:
    """Show how far the market is until it is time to leave."""
    with err.status("") as line:
        while not ended.is_set():
            status = server.status()
            line.update(
                f"{status['rows']:,} of {status['rows_total']:,} rows, {status['requests']:,} requests, "
                f"{status['connections']:,} connections, {status['open_orders']:,} open orders"
            )
            if exit_at_end and status["is_over"]:
                return
            try:
                async with asyncio.timeout(_STATUS_S):
                    await ended.wait()
            except TimeoutError:
                continue


def _print_summary(server: PaperServer) -> None:
    status = server.status()
    faults = status["faults"]
    shown = ", ".join(f"{count:,} {kind}" for kind, count in faults.items()) if isinstance(faults, dict) else ""
    print_pairs(
        f"{status['venue']} closed",
        [
            ("rows", f"{status['rows']:,} of {status['rows_total']:,}"),
            ("requests", status["requests"]),
            ("open orders", status["open_orders"]),
            ("faults", shown or "none"),
        ],
    )
