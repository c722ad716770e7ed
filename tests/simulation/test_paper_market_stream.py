"""Yesterday's market, replayed by the paper exchange: our connector's book is the exchange's at every valid moment."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from queuefront.feed import Tape, convert_lines
from queuefront.paper import Fault, FaultKind, LoopClock, PaperServer
from queuefront.venues.binance import Addresses, BinanceClient, MarketEvents, MarketStream, SessionConfig
from queuefront.venues.rest import AiohttpTransport
from queuefront.venues.websocket import PicowsConnector
from tests.differential.recorded import feed
from tests.paper_market import COINM, SPOT, USDM, config
from tests.paper_watch import Watch
from tests.virtual_time import EPOCH_NS, VirtualLoop, run

FILES = {
    SPOT: "binance_spot_btcusdt_20240808.gz",
    USDM: "binance_usdm_btcusdt_20240808.gz",
    COINM: "binance_coinm_btcusd_perp_20240808.gz",
}
LINES = 4_000
FAULTS = [
    Fault(FaultKind.SKIP_DEPTH, "*", 0.02),
    Fault(FaultKind.DROP, "*", 0.02),
    Fault(FaultKind.DUPLICATE, "*", 0.02),
    Fault(FaultKind.REORDER, "*", 0.02),
    Fault(FaultKind.MALFORMED_FRAME, "*", 0.01),
    Fault(FaultKind.DISCONNECT, "*@depth*", 0.005),
    Fault(FaultKind.TIMEOUT, "GET */depth", 0.2),
]


def recorded(venue: str, folder: Path) -> Tape:
    """Return the first minutes of a recorded market."""
    path = folder / "lines.gz"
    with gzip.open(feed(FILES[venue]), "rb") as lines, gzip.open(path, "wb") as head:
        head.writelines(line for _, line in zip(range(LINES), lines, strict=False))
    conversion: Any = convert_lines(venue, path, multiplier="100" if venue == COINM else None)
    return Tape.build(conversion.events, conversion.instrument, source=str(path))


async def follow(venue: str, tape: Tape, faults: list[Fault]) -> tuple[Watch, Any]:
    loop: Any = asyncio.get_running_loop()
    async with PaperServer(config(venue, tape, faults=faults, seed=3), clock=LoopClock(EPOCH_NS)) as server:
        watch = Watch(server)
        symbol = next(iter(server.venue.exchange.markets))
        addresses = Addresses(server.rest_url, server.ws_url, server.ws_url + server.venue.rules.websocket_api_path)
        session = SessionConfig(venue, "custom", (symbol,), addresses)
        jitter = np.random.default_rng(1).random
        client = BinanceClient(session, AiohttpTransport(), jitter=jitter, clock=loop.now_ns)

        def take(events: MarketEvents) -> None:
            watch.check(stream, symbol, events)

        kinds = ["depth@100ms", "bookTicker"]
        stream = MarketStream(client, PicowsConnector(), [symbol], kinds, take, jitter=jitter)
        running = asyncio.ensure_future(stream.run())
        while not server.venue.exchange.is_over:
            await asyncio.sleep(1)
        stream.stop()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        return watch, stream.feed(symbol).sync.counts


@pytest.mark.slow
@pytest.mark.parametrize(
    "venue", [pytest.param(SPOT, marks=pytest.mark.soak), USDM, pytest.param(COINM, marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("faults", [[], FAULTS], ids=["quiet", "faults"])
def test_the_connectors_book_is_the_exchanges_at_every_valid_moment(
    venue: str, faults: list[Fault], tmp_path: Path
) -> None:
    tape = recorded(venue, tmp_path)

    async def main(_loop: VirtualLoop) -> tuple[Watch, Any]:
        return await follow(venue, tape, faults)

    watch, counts = run(main)
    assert watch.checked > 50
    assert watch.wrong == []
    assert counts.gaps == 0 if not faults else counts.gaps > 0
