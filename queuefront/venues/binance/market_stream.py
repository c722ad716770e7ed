"""Market data of some symbols on one connection: whole books or none, trades, tickers and marks, as event records."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt

from queuefront.core import DataFormatError
from queuefront.core.clock import NS_PER
from queuefront.feed import MarketMessage, MessageDecoder
from queuefront.venues.backoff import Jitter, delay_ns
from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.encode import control_message, stream_names
from queuefront.venues.binance.stream_schemas import StreamEnded, decode_user_message
from queuefront.venues.book_sync import BookSync, Notice, Rule
from queuefront.venues.errors import MessageError
from queuefront.venues.liveness import StreamRules
from queuefront.venues.market_events import MarketEvents
from queuefront.venues.outcome import Done, Refused
from queuefront.venues.stream_client import StreamClient
from queuefront.venues.tally import Tally
from queuefront.venues.websocket import Connector

__all__ = ["BookFeed", "MarketStream"]

#: Streams that one SUBSCRIBE names.
_SUBSCRIBED_AT_ONCE: Final = 100
_STREAM: Final = re.compile(rb'\{"stream":"([a-z0-9_]+)@([A-Za-z0-9]+)')
_PARTIAL_BOOKS: Final = (b"depth5", b"depth10", b"depth20")


@dataclass(slots=True)
class BookFeed:
    """One symbol's book and decoder."""

    symbol: str
    decoder: MessageDecoder
    sync: BookSync
    fetching: asyncio.Task[None] | None = None
    snapshot_failures: int = 0


class MarketStream:
    """Keep market data of some symbols flowing.

    Parameters
    ----------
    kinds : of `depth@100ms`, `trade`, `aggTrade`, `bookTicker`, `markPrice@1s`. On a venue with routes, those of one route
        share a connection: depth and bookTicker are public, the others market; make a stream for each.
    on_events : takes what is published; it must not block.
    """

    def __init__(
        self,
        client: BinanceClient,
        connector: Connector,
        symbols: Sequence[str],
        kinds: Sequence[str],
        on_events: Callable[[MarketEvents], None],
        *,
        jitter: Jitter,
        rules: StreamRules | None = None,
    ) -> None:
        self.refused = Tally()
        self._client = client
        self._names = stream_names(symbols, kinds)
        self._routes = {_route(kind) for kind in kinds}
        self._on_events = on_events
        self._jitter = jitter
        self._has_depth = any(kind.startswith("depth") for kind in kinds)
        is_spot = client.market.is_spot
        rule = Rule.SPOT if is_spot else Rule.FUTURES
        self.feeds = {
            symbol.lower().encode(): BookFeed(
                symbol, MessageDecoder(symbol, is_spot=is_spot, is_combined=True), BookSync(rule)
            )
            for symbol in symbols
        }
        self._request_id = 0
        self.stream = StreamClient(
            connector, self._address, self, rules=rules or StreamRules(), jitter=jitter, clock=client.clock
        )

    async def run(self) -> None:
        """Keep it flowing until `stop`."""
        try:
            await self.stream.run()
        finally:
            await self._cancel_fetching()

    def stop(self) -> None:
        """End `run`."""
        self.stream.stop()

    def feed(self, symbol: str) -> BookFeed:
        """Return a symbol's book."""
        return self.feeds[symbol.lower().encode()]

    # --- the connection -----------------------------------------------------------------------------------------------
    async def _address(self) -> str:
        route = f"/{min(self._routes)}" if self._client.config.routed and len(self._routes) == 1 else ""
        return f"{self._client.config.where.streams}{route}/stream"

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:
        """Subscribe; books begin anew but at a hand-over, where the ids go on."""
        if not is_hand_over:
            for feed in self.feeds.values():
                feed.sync.connect(now_ns)
                feed.snapshot_failures = 0
        messages = []
        for i in range(0, len(self._names), _SUBSCRIBED_AT_ONCE):
            self._request_id += 1
            messages.append(control_message("SUBSCRIBE", self._names[i : i + _SUBSCRIBED_AT_ONCE], self._request_id))
        return messages

    def on_close(self, reason: str, now_ns: int) -> None:
        """All books are lost."""
        for feed in self.feeds.values():
            if feed.fetching is not None:
                feed.fetching.cancel()
            for publication in feed.sync.disconnect(now_ns):
                self._deliver(feed, "book", now_ns, now_ns, publication.rows, publication.notice, reason)

    def on_message(self, message: bytes, local_ts: int) -> None:
        """Take one frame. A message that cannot be read is counted; if it was of a book, its gap will show."""
        match = _STREAM.match(message)
        feed = self.feeds.get(match[1]) if match is not None else None
        if match is None or feed is None or match[2] in _PARTIAL_BOOKS:
            self._control(message)
            return
        try:
            decoded = feed.decoder.decode(message, local_ts)
        except DataFormatError as e:
            self.refused.note(str(e))
            return
        self._take(feed, decoded, message)

    def _control(self, message: bytes) -> None:
        try:
            decoded = decode_user_message(message)
        except MessageError as e:
            self.refused.note(str(e))
            return
        if isinstance(decoded, StreamEnded):
            self.stream.reconnect(f"the venue ended the stream: {decoded.name}")
            return
        error = getattr(decoded, "error_text", "")
        if error:
            self.refused.note(error)

    def _take(self, feed: BookFeed, message: MarketMessage, raw: bytes) -> None:
        if message.kind == "depth":
            self._publish(feed, feed.sync.receive(message), message)
            if feed.sync.wants_snapshot and feed.fetching is None:
                feed.fetching = asyncio.ensure_future(self._fetch(feed, feed.sync.generation))
            return
        if message.kind == "book ticker" and self._has_depth:
            update_id = _update_id(raw)
            bid_px, ask_px = float(message.rows["px"][0]), float(message.rows["px"][1])
            self._publish(feed, feed.sync.check_top(update_id, bid_px, ask_px, message.local_ts), message)
        if len(message.rows):
            self._deliver(
                feed, message.kind, message.local_ts, message.exch_ts, message.rows, None, "", message.is_exch_ts_local
            )

    # --- snapshots ----------------------------------------------------------------------------------------------------
    async def _fetch(self, feed: BookFeed, generation: int) -> None:
        """Fetch a snapshot, at most one at a time for a symbol, with growing delays while it does not help."""
        try:
            if feed.snapshot_failures:
                wait_ns = delay_ns(feed.snapshot_failures)
                await asyncio.sleep((wait_ns + int(wait_ns * self._jitter())) / NS_PER["s"])
            feed.snapshot_failures += 1
            outcome = await self._client.book(feed.decoder)
            if isinstance(outcome, Done):
                self._publish(feed, feed.sync.take_snapshot(outcome.value, generation), outcome.value)
                if feed.sync.is_valid:
                    feed.snapshot_failures = 0
            else:
                code = f" {outcome.code}" if isinstance(outcome, Refused) else ""
                self.refused.note(f"snapshot:{code} {outcome.text}")
        finally:
            feed.fetching = None

    async def _cancel_fetching(self) -> None:
        tasks = [feed.fetching for feed in self.feeds.values() if feed.fetching is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what leaves --------------------------------------------------------------------------------------------------
    def _publish(self, feed: BookFeed, publications: Sequence[Any], message: MarketMessage) -> None:
        for publication in publications:
            if publication.notice is Notice.SYNCED:
                feed.snapshot_failures = 0
            self._deliver(
                feed,
                "book" if publication.notice is not None else "depth",
                message.local_ts,
                message.exch_ts,
                publication.rows,
                publication.notice,
                publication.reason,
                message.is_exch_ts_local,
            )

    def _deliver(
        self,
        feed: BookFeed,
        kind: str,
        local_ts: int,
        exch_ts: int,
        rows: npt.NDArray[Any],
        notice: Notice | None,
        reason: str,
        is_local: bool = True,
    ) -> None:
        self._on_events(MarketEvents(feed.symbol, kind, local_ts, exch_ts, is_local, rows, notice, reason))


def _route(kind: str) -> str:
    return "public" if kind.startswith(("depth", "bookTicker")) else "market"


_UPDATE_ID: Final = re.compile(rb'"u":(\d{1,19})')


def _update_id(raw: bytes) -> int:
    match = _UPDATE_ID.search(raw)
    return int(match[1]) if match is not None else -1
