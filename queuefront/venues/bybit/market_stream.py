"""Market data of some symbols on one connection: whole books or none, trades and marks, as event records.

A book begins with a whole one that the stream itself sends. After a hole in its numbers the book is lost, and the topic is
subscribed anew, which brings a whole one again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter, delay_ns
from queuefront.venues.book_sync import BookSync, Notice, Publication, Rule
from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.encode import stream_message, topics
from queuefront.venues.bybit.market_data import BookMessage, MarketDecoder, PublicControl, RowsMessage
from queuefront.venues.bybit.private_stream import STREAM_RULES
from queuefront.venues.errors import MessageError
from queuefront.venues.liveness import StreamRules
from queuefront.venues.market_events import MarketEvents
from queuefront.venues.stream_client import StreamClient
from queuefront.venues.tally import Tally
from queuefront.venues.websocket import Connector

__all__ = ["BookFeed", "MarketStream"]

#: Topics that one request names: spot takes no more.
_TOPICS_AT_ONCE: Final = 10
_WHOLE_BOOK_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class BookFeed:
    """One symbol's book."""

    symbol: str
    sync: BookSync
    renewing: asyncio.Task[None] | None = None
    renewals: int = 0  # since the book was valid last


class MarketStream:
    """Keep market data of some symbols flowing.

    Parameters
    ----------
    kinds : of `orderbook`, `publicTrade`, `tickers`.
    on_events : takes what is published; it must not block.
    """

    def __init__(
        self,
        client: BybitClient,
        connector: Connector,
        symbols: Sequence[str],
        kinds: Sequence[str],
        on_events: Callable[[MarketEvents], None],
        *,
        jitter: Jitter,
        rules: StreamRules | None = None,
    ) -> None:
        self.refused = Tally()
        self.decoder = MarketDecoder()
        self._client = client
        self._topics = topics(client.market, symbols, kinds)
        self._on_events = on_events
        self._jitter = jitter
        self._request = 0
        self.feeds = {symbol: BookFeed(symbol, BookSync(Rule.IN_STREAM)) for symbol in symbols}
        self.stream = StreamClient(
            connector, self._address, self, rules=rules or STREAM_RULES, jitter=jitter, clock=client.clock
        )

    async def run(self) -> None:
        """Keep it flowing until `stop`."""
        try:
            await self.stream.run()
        finally:
            tasks = [feed.renewing for feed in self.feeds.values() if feed.renewing is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """End `run`."""
        self.stream.stop()

    def feed(self, symbol: str) -> BookFeed:
        """Return a symbol's book."""
        return self.feeds[symbol]

    # --- the connection -----------------------------------------------------------------------------------------------
    async def _address(self) -> str:
        return f"{self._client.config.where.public}/public/{self._client.market.category}"

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:
        """Subscribe; books begin anew but at a hand-over, where the next whole one takes their place."""
        if not is_hand_over:
            for feed in self.feeds.values():
                feed.sync.connect(now_ns)
                feed.renewals = 0
        parts = range(0, len(self._topics), _TOPICS_AT_ONCE)
        return [self._message("subscribe", self._topics[i : i + _TOPICS_AT_ONCE]) for i in parts]

    def on_close(self, reason: str, now_ns: int) -> None:
        """All books are lost."""
        for feed in self.feeds.values():
            if feed.renewing is not None:
                feed.renewing.cancel()
            for publication in feed.sync.disconnect(now_ns):
                self._deliver(feed.symbol, "book", now_ns, now_ns, publication.rows, publication.notice, reason)

    def on_message(self, message: bytes, local_ts: int) -> None:
        """Take one frame. A message that cannot be read is counted; if it was of a book, its hole will show."""
        try:
            decoded = self.decoder.decode(message, local_ts)
        except MessageError as e:
            self.refused.note(str(e))
            return
        if isinstance(decoded, BookMessage):
            self._book(decoded)
        elif isinstance(decoded, RowsMessage):
            self._rows(decoded)
        elif isinstance(decoded, PublicControl):
            self._control(decoded)

    def _message(self, op: str, names: Sequence[str]) -> bytes:
        self._request += 1
        return stream_message(op, names, str(self._request))

    def _control(self, control: PublicControl) -> None:
        if control.op in ("ping", "pong", "unsubscribe") or control.is_success:
            return
        reason = f"{control.op or 'an operation'} failed: {control.text}".rstrip(": ")
        self.refused.note(reason)
        self.stream.reconnect(reason)

    # --- books --------------------------------------------------------------------------------------------------------
    def _book(self, message: BookMessage) -> None:
        feed = self.feeds.get(message.symbol)
        if feed is None:
            self.refused.note(f"book of {message.symbol[:40]}")
            return
        published = feed.sync.replace(message) if message.is_whole else feed.sync.receive(message)
        self._publish(feed, published, message)
        if feed.sync.wants_snapshot and feed.renewing is None:
            feed.renewing = asyncio.ensure_future(self._renew(feed))

    async def _renew(self, feed: BookFeed) -> None:
        """Subscribe a book anew until a whole one has come, with growing delays while that does not help."""
        names = topics(self._client.market, [feed.symbol], ["orderbook"])
        try:
            while not feed.sync.is_valid:
                wait_ns = delay_ns(feed.renewals)
                await asyncio.sleep((wait_ns + int(wait_ns * self._jitter())) / NS_PER["s"])
                feed.renewals += 1
                await self.stream.send(self._message("unsubscribe", names))
                await self.stream.send(self._message("subscribe", names))
                await self._until_valid(feed)
        finally:
            feed.renewing = None

    @staticmethod
    async def _until_valid(feed: BookFeed) -> None:
        for _ in range(int(_WHOLE_BOOK_WITHIN_S * 10)):
            if feed.sync.is_valid:
                return
            await asyncio.sleep(0.1)

    # --- what leaves --------------------------------------------------------------------------------------------------
    def _rows(self, message: RowsMessage) -> None:
        if message.symbol not in self.feeds:
            self.refused.note(f"{message.kind} of {message.symbol[:40]}")
        elif len(message.rows):
            self._on_events(
                MarketEvents(
                    message.symbol, message.kind, message.local_ts, message.exch_ts, message.is_exch_ts_local, message.rows
                )
            )

    def _publish(self, feed: BookFeed, published: Sequence[Publication], message: BookMessage) -> None:
        for publication in published:
            if publication.notice is Notice.SYNCED:
                feed.renewals = 0
            kind = "book" if publication.notice is not None else "depth"
            self._deliver(
                feed.symbol,
                kind,
                message.local_ts,
                message.exch_ts,
                publication.rows,
                publication.notice,
                publication.reason,
                is_local=message.is_exch_ts_local,
            )

    def _deliver(
        self,
        symbol: str,
        kind: str,
        local_ts: int,
        exch_ts: int,
        rows: npt.NDArray[Any],
        notice: Notice | None,
        reason: str,
        *,
        is_local: bool = True,
    ) -> None:
        self._on_events(MarketEvents(symbol, kind, local_ts, exch_ts, is_local, rows, notice, reason))
