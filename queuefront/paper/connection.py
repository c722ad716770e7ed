"""One WebSocket of a client: what it has subscribed to, what is to be sent, and what it says.

No sockets here: text comes in, frames lie in `outbox`. Sources: Binance Spot "WebSocket Streams", USD-M and COIN-M
"Websocket Market Streams", "Live Subscribing/Unsubscribing to streams".
"""

from __future__ import annotations

import heapq
import json
from collections import deque
from typing import Any, Final

import msgspec

from queuefront.core.clock import NS_PER
from queuefront.paper.faults import Fault, FaultKind, FaultPlan

__all__ = ["OUTBOX_MAX", "Connection"]

#: Frames that wait for a client that does not read; one more and it is disconnected.
OUTBOX_MAX: Final = 20_000
_STREAMS_MAX: Final = 1024
_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
#: The streams that only one of the routes carries (USD-M, 2026); without a route a connection carries all.
_PUBLIC_KINDS: Final = ("bookTicker", "depth", "rpiDepth")


class Connection:
    """One WebSocket.

    is_combined : frames say of which stream they are.   route : public, market, private, or empty for all.
    opened_ns : when it was opened.
    """

    def __init__(
        self,
        faults: FaultPlan,
        *,
        is_combined: bool = False,
        route: str = "",
        control_limit_per_s: int = 10,
        opened_ns: int = 0,
    ) -> None:
        self._opened_ns = opened_ns
        self._pinged_ns, self._unanswered_ns = opened_ns, 0
        self._faults, self._is_combined, self._route = faults, is_combined, route
        self._control_limit_per_s = control_limit_per_s
        self._control_second, self._control_count = -1, 0
        self.streams: dict[str, None] = {}
        self.outbox: deque[bytes] = deque()
        self._held: bytes | None = None
        self._delayed: list[tuple[int, int, bytes]] = []
        self._delayed_count = 0
        self.close_reason: str | None = None

    # --- what the client says -----------------------------------------------------------------------------------------
    def receive(self, text: str, now_ns: int) -> None:
        """Handle a control message; the answer lies in the outbox."""
        second = now_ns // NS_PER["s"]
        self._control_count = self._control_count + 1 if second == self._control_second else 1
        self._control_second = second
        if self._control_count > self._control_limit_per_s:
            self.close("too many messages")
            return
        self._push(msgspec.json.encode(self._answer(text)))

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return _error(3, "Invalid JSON: expected value at line 1 column 1")
        if not isinstance(message, dict):
            return _error(2, "Invalid request: expected a JSON object")
        number = message.get("id")
        if not isinstance(number, int | str | None) or isinstance(number, bool):
            return _error(2, "Invalid request: request ID must be an unsigned integer")
        if "method" not in message:
            return _error(2, "Invalid request: missing field `method`", number)
        if message["method"] not in _METHODS:
            names = ", ".join(f"`{name}`" for name in _METHODS)
            return _error(2, f"Invalid request: unknown variant `{message['method']}`, expected one of {names}", number)
        params = message.get("params", [])
        if not isinstance(params, list):
            return _error(2, "Invalid request: params must be an array", number)
        return self._perform(message["method"], params, number)

    def _perform(self, method: str, params: list[Any], number: int | str | None) -> dict[str, Any]:
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(self.streams), "id": number}
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            if not all(isinstance(name, str) for name in params):
                return _error(2, "Invalid request: stream name must be a string", number)
            if method == "UNSUBSCRIBE":
                for name in params:
                    self.streams.pop(name, None)
            elif len(self.streams.keys() | set(params)) > _STREAMS_MAX:
                return _error(2, "Invalid request: too many parameters", number)
            else:
                self.streams.update(dict.fromkeys(params))
            return {"result": None, "id": number}
        if params[:1] != ["combined"]:
            return _error(0, "Unknown property", number)
        if method == "GET_PROPERTY":
            return {"result": self._is_combined, "id": number}
        if len(params) != 2 or not isinstance(params[1], bool):
            return _error(1, "Invalid value type: expected Boolean", number)
        self._is_combined = params[1]
        return {"result": None, "id": number}

    # --- what the venue says ------------------------------------------------------------------------------------------
    def carries(self, stream: str) -> bool:
        """Whether a stream is subscribed to, and this route is one of those that carry it."""
        if stream not in self.streams:
            return False
        if not self._route or stream == "!bookTicker":
            return self._route in ("", "public")
        kind = stream.partition("@")[2]
        if kind == "trade":  # undocumented, and on both: some clients ask here for it, some there
            return self._route in ("public", "market")
        return self._route == ("public" if kind.startswith(_PUBLIC_KINDS) else "market")

    def send(self, stream: str, payload: dict[str, Any], now_ns: int, *, is_user: bool = False) -> None:
        """Send an event, with the faults that befall it. A user's event is called `user` in fault scripts."""
        faults = self._faults.frame("user" if is_user else stream, now_ns, is_depth=payload.get("e") == "depthUpdate")
        kinds = {fault.kind for fault in faults}
        if FaultKind.DISCONNECT in kinds:
            self.close("disconnected by a fault")
            return
        if FaultKind.DROP in kinds or FaultKind.SKIP_DEPTH in kinds:
            return
        if FaultKind.UNKNOWN_ENUM in kinds:
            payload = _with_unknown_word(payload)
        frame = msgspec.json.encode({"stream": stream, "data": payload} if self._is_combined else payload)
        self._post(frame, faults, now_ns)

    def _post(self, frame: bytes, faults: list[Fault], now_ns: int) -> None:
        kinds = {fault.kind for fault in faults}
        if FaultKind.MALFORMED_FRAME in kinds:
            frame = frame[: len(frame) // 2]
        delay_ms = sum(fault.ms for fault in faults if fault.kind is FaultKind.DELAY)
        for _ in range(2 if FaultKind.DUPLICATE in kinds else 1):
            if delay_ms:
                self._delayed_count += 1
                heapq.heappush(self._delayed, (now_ns + delay_ms * NS_PER["ms"], self._delayed_count, frame))
            elif FaultKind.REORDER in kinds and self._held is None:
                self._held = frame
            else:
                self._push(frame)
                if self._held is not None:
                    self._push(self._held)
                    self._held = None

    def send_answer(self, payload: dict[str, Any]) -> None:
        """Send an answer of the WebSocket API."""
        self._push(msgspec.json.encode(payload))

    def release(self, now_ns: int) -> None:
        """Send what was delayed until now."""
        while self._delayed and self._delayed[0][0] <= now_ns:
            self._push(heapq.heappop(self._delayed)[2])

    # --- its life -----------------------------------------------------------------------------------------------------
    def wants_ping(self, now_ns: int, every_s: int) -> bool:
        """Whether a ping is due; then it counts as sent."""
        if now_ns - self._pinged_ns < every_s * NS_PER["s"]:
            return False
        self._pinged_ns = now_ns
        self._unanswered_ns = self._unanswered_ns or now_ns
        return True

    def pong(self) -> None:
        """The client answered a ping."""
        self._unanswered_ns = 0

    def close_what_is_over(self, now_ns: int, age_limit_s: float, pong_within_s: int) -> None:
        """End a connection that reached the venue's age limit, or whose client leaves pings without an answer."""
        if now_ns - self._opened_ns >= age_limit_s * NS_PER["s"]:
            self.close("the connection is as old as it may become")
        elif self._unanswered_ns and now_ns - self._unanswered_ns >= pong_within_s * NS_PER["s"]:
            self.close("a ping was not answered")

    def close(self, reason: str) -> None:
        """End the connection after what was sent before."""
        if self.close_reason is None:
            self.close_reason = reason

    def _push(self, frame: bytes) -> None:
        if self.close_reason is not None:
            return
        if len(self.outbox) >= OUTBOX_MAX:
            self.close("the client does not read")
            return
        self.outbox.append(frame)


def _error(code: int, text: str, number: int | str | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "msg": text}, "id": number}


def _with_unknown_word(payload: dict[str, Any]) -> dict[str, Any]:
    """Return an event with a word that no client knows: an order's status, or else the event's own name."""
    details = payload.get("o")
    if isinstance(details, dict):
        return payload | {"o": details | {"X": "PAPER_UNKNOWN"}}
    if "X" in payload:
        return payload | {"X": "PAPER_UNKNOWN"}
    return payload | {"e": "paperUnknownEvent"}
