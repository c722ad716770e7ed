"""Connections that a test holds both ends of."""

from __future__ import annotations

from collections.abc import Callable

from queuefront.venues.websocket import Link, LinkError, OnClose, OnFrame


class FakeLink:
    """One connection; `say` is the venue's side."""

    def __init__(self, url: str, on_frame: OnFrame, on_close: OnClose) -> None:
        self.url = url
        self.on_frame = on_frame
        self.on_close = on_close
        self.sent: list[bytes] = []
        self.pings = 0
        self.is_open = True
        self.answers_pings = True
        self.answer: Callable[[bytes], bytes | None] = lambda message: None

    def send(self, message: bytes) -> None:
        if not self.is_open:
            raise LinkError("the connection is closed")
        self.sent.append(message)
        if (reply := self.answer(message)) is not None:
            self.say(reply)

    def ping(self) -> None:
        if not self.is_open:
            raise LinkError("the connection is closed")
        self.pings += 1
        if self.answers_pings:
            self.on_frame(None)

    def close(self) -> None:
        self.is_open = False

    def say(self, message: bytes) -> None:
        """Deliver a message, even on a closed connection, where it must be ignored."""
        self.on_frame(message)

    def break_off(self, reason: str = "the connection broke") -> None:
        """End it from the venue's side."""
        self.is_open = False
        self.on_close(reason)


class FakeConnector:
    """Opens fake connections; the next `failures` attempts come to nothing."""

    def __init__(self) -> None:
        self.links: list[FakeLink] = []
        self.failures = 0
        self.times: list[float] = []
        self.prepare: Callable[[FakeLink], None] = lambda link: None

    async def connect(self, url: str, on_frame: OnFrame, on_close: OnClose, timeout_s: float) -> Link:
        if self.failures:
            self.failures -= 1
            raise LinkError("nobody listens")
        link = FakeLink(url, on_frame, on_close)
        self.prepare(link)
        self.links.append(link)
        return link

    @property
    def last(self) -> FakeLink:
        return self.links[-1]
