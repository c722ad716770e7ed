"""Keep one stream connected: open, subscribe, watch, reconnect with growing delays, hand over before the venue's age limit.

The handler gets every message with its receipt time, and is told when a connection begins and ends. Messages of a
connection that is gone never reach it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from queuefront.core.clock import NS_PER, now_ns
from queuefront.venues.backoff import Backoff, Jitter
from queuefront.venues.liveness import Act, Liveness, StreamRules
from queuefront.venues.websocket import Connector, Link, LinkError

__all__ = ["StreamClient", "StreamCounts", "StreamHandler"]


class StreamHandler(Protocol):
    """What a stream is for."""

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:
        """Begin with a connection; return what to send. A hand-over continues the one before, with messages of both."""

    def on_message(self, message: bytes, local_ts: int) -> None:
        """Take a message. What it raises ends the connection."""

    def on_close(self, reason: str, now_ns: int) -> None:
        """The connection is gone, and none stands in its place."""


@dataclass(slots=True)
class StreamCounts:
    """What happened so far."""

    connections: int = 0
    failures: int = 0  # attempts that came to nothing
    losses: int = 0
    hand_overs: int = 0
    pings: int = 0
    messages: int = 0
    unsent: int = 0  # sent while there was no connection
    last_reason: str = ""


class _Connection:
    """One connection and what became of it."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.liveness: Liveness | None = None
        self.is_heard = True
        self.speaks_by_pong = False
        self.wake = asyncio.Event()
        self.first = asyncio.Event()
        self.end = ""

    def finish(self, reason: str) -> None:
        self.end = self.end or reason
        self.wake.set()
        self.first.set()

    def discard(self) -> None:
        self.is_heard = False
        if self.link is not None:
            self.link.close()


class StreamClient:
    """One stream.

    Parameters
    ----------
    address : returns where to connect, anew for each attempt, because a listen key may stand in it; what it raises as
        LinkError counts as a failed attempt.
    jitter : spreads reconnections and hand-overs.
    """

    def __init__(
        self,
        connector: Connector,
        address: Callable[[], Awaitable[str]],
        handler: StreamHandler,
        *,
        rules: StreamRules,
        jitter: Jitter,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.counts = StreamCounts()
        self._connector = connector
        self._address = address
        self._handler = handler
        self._rules = rules
        self._jitter = jitter
        self._clock = clock
        self._backoff = Backoff(jitter)
        self._current: _Connection | None = None
        self._is_stopping = False
        self._stop = asyncio.Event()
        self._sending = asyncio.Lock()

    # --- what the owner does ------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Keep connected until `stop`."""
        try:
            while not self._is_stopping:
                stood_ns = await self._live()
                if not self._is_stopping:
                    await self._pause(self._backoff.lost(stood_ns))
        finally:
            self._drop()

    def stop(self) -> None:
        """End `run`; nothing more is delivered."""
        self._is_stopping = True
        self._stop.set()
        self._drop()

    def reconnect(self, reason: str) -> None:
        """Give the present connection up and connect again: what comes on it is not enough."""
        if self._current is not None:
            self._current.finish(reason)

    async def send(self, message: bytes) -> bool:
        """Send a message within the venue's pace; return False, and count it, while there is no connection."""
        async with self._sending:
            connection = self._current
            if connection is None or connection.link is None or connection.end:
                self.counts.unsent += 1
                return False
            try:
                connection.link.send(message)
            except LinkError as e:
                connection.finish(str(e))
                self.counts.unsent += 1
                return False
            await asyncio.sleep(1 / self._rules.messages_per_s)
            return True

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands."""
        return self._current is not None and not self._current.end

    @property
    def seen_ns(self) -> int:
        """When anything came last; 0 without a connection."""
        liveness = self._current.liveness if self._current is not None else None
        return 0 if liveness is None else liveness.seen_ns

    # --- the life of connections --------------------------------------------------------------------------------------
    async def _live(self) -> int:
        """Open a connection and keep it, and its successors, until one is lost; return how long that one stood."""
        connection = await self._open(is_hand_over=False)
        if connection is None:
            return 0
        self._current = connection
        try:
            while not connection.end and not self._is_stopping:
                connection = self._current = await self._watch(connection)
        finally:
            connection.discard()
            if self._current is connection:
                self._current = None
        assert connection.liveness is not None
        now = self._clock()
        if not self._is_stopping:
            self.counts.losses += 1
            self.counts.last_reason = connection.end
            self._handler.on_close(connection.end, now)
        return now - connection.liveness.opened_ns

    async def _watch(self, connection: _Connection) -> _Connection:
        """Wait for what is due and do it; return the connection that stands then."""
        liveness, link = connection.liveness, connection.link
        assert liveness is not None
        assert link is not None
        wait_s = max(liveness.next_ns() - self._clock(), 0) / NS_PER["s"]
        try:
            await asyncio.wait_for(connection.wake.wait(), wait_s)
        except TimeoutError:
            act = liveness.act(self._clock())
        else:
            return connection
        if act is Act.PING:
            self.counts.pings += 1
            try:
                self._ping(link)
            except LinkError as e:
                connection.finish(str(e))
        elif act is Act.DEAD:
            connection.finish("silence: no traffic, and no answer to a ping")
        elif act is Act.HAND_OVER:
            return await self._hand_over(connection)
        return connection

    async def _hand_over(self, old: _Connection) -> _Connection:
        """Open a second connection and change over once it speaks; both are heard until then."""
        new = await self._open(is_hand_over=True)
        if new is None:
            return old
        wait_s = self._rules.hand_over_wait_ns / NS_PER["s"]
        try:
            await asyncio.wait_for(new.first.wait(), wait_s)
        except TimeoutError:
            new.finish("the new connection said nothing")
        if new.end:
            self.counts.failures += 1
            new.discard()
            return old
        old.discard()
        self.counts.hand_overs += 1
        return new

    async def _open(self, *, is_hand_over: bool) -> _Connection | None:
        connection = _Connection()
        try:
            url = await self._address()
            connection.link = await self._connector.connect(
                url, lambda message: self._on_frame(connection, message), connection.finish, self._rules.connect_timeout_s
            )
            if self._is_stopping:
                connection.discard()
                return None
            now = self._clock()
            connection.liveness = Liveness(self._rules, now, self._jitter)
            self.counts.connections += 1
            if not is_hand_over:
                self._current = connection  # what answers the first message may have to be answered in turn
            opening = self._handler.on_open(now, is_hand_over=is_hand_over)
            if is_hand_over and not opening:
                # Nothing will be acknowledged, and a quiet account may say nothing for hours: a pong must do.
                connection.speaks_by_pong = True
                self._ping(connection.link)
            for message in opening:
                connection.link.send(message)
                await asyncio.sleep(1 / self._rules.messages_per_s)
        except LinkError as e:
            self.counts.failures += 1
            self.counts.last_reason = str(e)
            connection.discard()
            if self._current is connection:
                self._current = None
            if connection.liveness is not None and not is_hand_over:
                self._handler.on_close(str(e), self._clock())
            return None
        return connection

    def _on_frame(self, connection: _Connection, message: bytes | None) -> None:
        if not connection.is_heard or self._is_stopping:
            return
        now = self._clock()
        if connection.liveness is not None:
            connection.liveness.saw(now)
        if message is not None:
            self.counts.messages += 1
            self._handler.on_message(message, now)
        if message is not None or connection.speaks_by_pong:
            connection.first.set()

    def _ping(self, link: Link) -> None:
        if self._rules.ping_message:
            link.send(self._rules.ping_message)
        else:
            link.ping()

    async def _pause(self, wait_ns: int) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), wait_ns / NS_PER["s"])
        except TimeoutError:
            return

    def _drop(self) -> None:
        if self._current is not None:
            self._current.discard()
            self._current.finish("stopped")
            self._current = None
