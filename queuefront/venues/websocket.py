"""Move WebSocket frames: the one place that knows picows.

Frames are handed on as they come, pings are answered, fragments are joined up to a bound. Everything else, from liveness to
reconnecting, is `stream_client`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from queuefront.core import ConfigError
from queuefront.venues.credentials import redacted

__all__ = ["Connector", "Link", "LinkError", "PicowsConnector"]

#: Longest message: a book of 5,000 levels takes about a quarter of a megabyte.
MESSAGE_BYTES_MAX: Final = 8 * 2**20


class LinkError(Exception):
    """A connection could not be made, or something could not be sent."""


class Link(Protocol):
    """One open connection."""

    def send(self, message: bytes) -> None:
        """Send a text. Raises LinkError where the connection is gone."""

    def ping(self) -> None:
        """Ask whether the other side is there. Raises LinkError where the connection is gone."""

    def close(self) -> None:
        """Close at once; a second time does nothing. `on_close` is not called any more."""


#: Takes a text message, or None for any other sign of life.
OnFrame = Callable[[bytes | None], None]
#: Takes the reason of the end.
OnClose = Callable[[str], None]


class Connector(Protocol):
    """Opens connections."""

    async def connect(self, url: str, on_frame: OnFrame, on_close: OnClose, timeout_s: float) -> Link:
        """Open one. Raises LinkError."""


class PicowsConnector:
    """Connections by picows. Redirects and proxies of the environment are not followed."""

    def __init__(self) -> None:
        try:
            import picows
        except ImportError as e:
            raise ConfigError("streams need picows; install it with: pip install 'queuefront[live]'") from e
        self._picows = picows

    async def connect(self, url: str, on_frame: OnFrame, on_close: OnClose, timeout_s: float) -> Link:
        """Open a connection."""
        picows = self._picows
        try:
            transport, listener = await asyncio.wait_for(
                picows.ws_connect(
                    lambda: _listener(picows, on_frame, on_close),
                    url,
                    websocket_handshake_timeout=timeout_s,
                    enable_auto_ping=False,
                    enable_auto_pong=False,
                    max_frame_size=MESSAGE_BYTES_MAX,
                    max_redirects=0,
                ),
                timeout_s,
            )
        except (OSError, TimeoutError, picows.WSError) as e:
            raise LinkError(redacted(f"{type(e).__name__}: {e}".removesuffix(": "))) from None
        return _PicowsLink(transport, listener)


class _PicowsLink:
    def __init__(self, transport: Any, listener: Any) -> None:
        self._transport = transport
        self._listener = listener

    def send(self, message: bytes) -> None:
        self._must_be_open()
        self._transport.send(1, message)  # TEXT

    def ping(self) -> None:
        self._must_be_open()
        self._transport.send_ping()

    def close(self) -> None:
        self._listener.is_closed_by_us = True
        if not self._transport.is_disconnected:
            self._transport.disconnect()

    def _must_be_open(self) -> None:
        if self._listener.is_closed_by_us or self._transport.is_disconnected:
            raise LinkError("the connection is closed")


def _listener(picows: Any, on_frame: OnFrame, on_close: OnClose) -> Any:
    kinds = picows.WSMsgType
    text_kinds = (kinds.TEXT, kinds.BINARY)

    class Listener(picows.WSListener):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.is_closed_by_us = False
            self._parts: list[bytes] = []
            self._reason = ""

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if self.is_closed_by_us:
                return
            kind = frame.msg_type
            if kind in text_kinds and frame.fin:
                on_frame(frame.get_payload_as_bytes())
                return
            if kind in text_kinds or kind == kinds.CONTINUATION:
                self._part(transport, frame)
            elif kind == kinds.PING:
                transport.send_pong(frame.get_payload_as_bytes())
            elif kind == kinds.CLOSE:
                self._reason = f"closed by the venue, code {frame.get_close_code()}"
                transport.disconnect()
            on_frame(None)

        def _part(self, transport: Any, frame: Any) -> None:
            self._parts.append(frame.get_payload_as_bytes())
            if sum(map(len, self._parts)) > MESSAGE_BYTES_MAX:
                self._reason = "a message longer than any that the venue sends"
                transport.disconnect()
            elif frame.fin:
                message, self._parts = b"".join(self._parts), []
                on_frame(message)

        def on_ws_disconnected(self, transport: Any) -> None:  # noqa: ARG002 the name is picows'
            if not self.is_closed_by_us:
                on_close(self._reason or "the connection broke")

    return Listener()
