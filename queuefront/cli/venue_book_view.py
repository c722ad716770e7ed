"""The live book in the terminal: what `qf venue book` shows, and the session behind it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from queuefront.cli.terminal import consoles
from queuefront.cli.venue_session import jitter_from
from queuefront.core import format_ts, now_ns

if TYPE_CHECKING:
    from queuefront.venues.binance import BinanceClient, MarketEvents, MarketStream
    from queuefront.venues.binance.market_stream import BookFeed

__all__ = ["BookView", "show_book"]


@dataclass(slots=True)
class BookView:
    """What was seen since the last look, and the words for it."""

    symbol: str
    feed: BookFeed
    streams: list[MarketStream]
    since_ns: int
    kinds: Counter[str] = field(default_factory=Counter)
    latencies_ns: deque[int] = field(default_factory=lambda: deque(maxlen=4096))
    last_trade: float | None = None

    def take(self, events: MarketEvents) -> None:
        """Count what was published."""
        self.kinds[events.kind] += 1
        if not events.is_exch_ts_local:
            self.latencies_ns.append(events.local_ts - events.exch_ts)
        if events.kind == "trade":
            self.last_trade = float(events.rows["px"][-1])

    @property
    def state(self) -> str:
        """Whether the book can be relied on."""
        if not self.streams[0].stream.is_connected:
            reason = self.streams[0].stream.counts.last_reason
            return "not connected" + (f": {reason}" if reason else "")
        return "in sync" if self.feed.sync.is_valid else "waiting for a whole book"

    def rates(self, now: int) -> dict[str, float]:
        """Return messages a second by kind since the last call."""
        elapsed_s = max((now - self.since_ns) / 1e9, 1e-9)
        rates = {kind: count / elapsed_s for kind, count in sorted(self.kinds.items())}
        self.kinds.clear()
        self.since_ns = now
        return rates

    def latency_text(self) -> str:
        """Return the middle and the 99th percentile of exchange to receipt; both clocks' errors are in it."""
        if not self.latencies_ns:
            return "unknown"
        ordered = sorted(self.latencies_ns)
        middle, high = ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
        return f"p50 {middle / 1e6:.1f} ms, p99 {high / 1e6:.1f} ms"

    def line(self, now: int) -> str:
        """Return one look as one line."""
        book, counts = self.feed.sync.book, self.feed.sync.counts
        bid, ask = book.best_bid, book.best_ask
        top = f"{_level(bid)} | {_level(ask)}" if self.feed.sync.is_valid else "-"
        rates = " ".join(f"{kind.replace(' ', '-')}={rate:.1f}/s" for kind, rate in self.rates(now).items())
        return (
            f"{format_ts(now)} {self.symbol} {self.state}: {top} gaps={counts.gaps} syncs={counts.syncs} {rates}".rstrip()
        )

    def view(self, now: int, levels: int) -> RenderableType:
        """Return one look as a table."""
        sync = self.feed.sync
        table = Table(box=None, pad_edge=False)
        for name in ("quantity", "bid", "ask", "quantity"):
            table.add_column(name, justify="right")
        bids, asks = (sync.book.bids(levels), sync.book.asks(levels)) if sync.is_valid else ([], [])
        for i in range(levels):
            bid = bids[i] if i < len(bids) else None
            ask = asks[i] if i < len(asks) else None
            table.add_row(_number(bid, 1), _number(bid, 0), _number(ask, 0), _number(ask, 1))
        rates = "  ".join(f"{kind} {rate:.1f}/s" for kind, rate in self.rates(now).items())
        counts = sync.counts
        facts = (
            f"{self.symbol}  {self.state}  update {sync.last_id}  last trade {self.last_trade or '-'}",
            f"{rates or 'no messages'}  latency {self.latency_text()}",
            f"gaps {counts.gaps}  syncs {counts.syncs}  longest {counts.longest_sync_ns / 1e9:.1f} s",
        )
        return Group(Text("\n".join(facts)), table)


def _level(level: tuple[float, float] | None) -> str:
    return "-" if level is None else f"{level[1]:.10g} @ {level[0]:.10g}"


def _number(level: tuple[float, float] | None, place: int) -> str:
    return "" if level is None else f"{level[place]:.10g}"


async def show_book(client: BinanceClient, symbol: str, *, levels: int, seconds: float | None, every_s: float) -> None:
    """Show a book until it is time to end."""
    from queuefront.venues.binance import MarketStream
    from queuefront.venues.websocket import PicowsConnector

    jitter = jitter_from(now_ns())
    views: list[BookView] = []

    def take(events: MarketEvents) -> None:
        views[0].take(events)

    tasks: list[asyncio.Task[None]] = []
    streams: list[MarketStream] = []
    try:
        listed = (await client.listing())[symbol]
        groups = [["depth@100ms", "bookTicker"], ["aggTrade"]]
        if not client.config.routed:
            groups = [[kind for group in groups for kind in group]]
        connector = PicowsConnector()
        streams = [MarketStream(client, connector, [listed.symbol], kinds, take, jitter=jitter) for kinds in groups]
        views.append(BookView(symbol, streams[0].feed(symbol), streams, now_ns()))
        tasks = [asyncio.ensure_future(stream.run()) for stream in streams]
        await _look(views[0], levels, seconds, every_s)
    finally:
        for stream in streams:
            stream.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()


async def _look(view: BookView, levels: int, seconds: float | None, every_s: float) -> None:
    out, _ = consoles()
    looks = None if seconds is None else max(round(seconds / every_s), 1)
    done = 0
    if not out.is_terminal:
        while looks is None or done < looks:
            await asyncio.sleep(every_s)
            typer.echo(view.line(now_ns()))
            done += 1
        return
    with Live(view.view(now_ns(), levels), console=out, auto_refresh=False) as live:
        while looks is None or done < looks:
            await asyncio.sleep(every_s)
            live.update(view.view(now_ns(), levels), refresh=True)
            done += 1
