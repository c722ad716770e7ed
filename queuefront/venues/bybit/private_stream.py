"""The private stream: log in, subscribe, and hear of orders, executions, positions and the wallet.

Nothing is replayed by the venue: each new connection begins with a reconciliation, which the owner does, once the
subscription is acknowledged. A login or a subscription that is refused, not answered, or answered without saying that it
succeeded ends in a new connection, and so in a reconciliation (H8.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter
from queuefront.venues.bybit.client import BybitClient
from queuefront.venues.bybit.encode import stream_message
from queuefront.venues.bybit.schemas import (
    Control,
    ExecutionRow,
    OrderRow,
    PositionRow,
    Rows,
    WalletRow,
    decode_private,
)
from queuefront.venues.bybit.sign import auth_args
from queuefront.venues.errors import MessageError
from queuefront.venues.liveness import StreamRules
from queuefront.venues.outcome import Done
from queuefront.venues.stream_client import StreamClient
from queuefront.venues.tally import Tally
from queuefront.venues.websocket import Connector, LinkError

__all__ = ["PING", "STREAM_RULES", "AccountRows", "PrivateStream"]

AccountRows = Rows[OrderRow] | Rows[ExecutionRow] | Rows[PositionRow] | Rows[WalletRow]

PING: Final = stream_message("ping")
_DAY: Final = 24 * 3600 * NS_PER["s"]
#: The venue wants its own ping every 20 s, and may close a connection without it; it names no age at which it closes one.
STREAM_RULES: Final = StreamRules(
    ping_message=PING, ping_every_ns=20 * NS_PER["s"], hand_over_ns=365 * _DAY, age_limit_ns=366 * _DAY
)

_TOPICS: Final = ("order", "execution", "position", "wallet")
_AUTH_ID: Final = "login"
_SUBSCRIBE_ID: Final = "account"
_ANSWER_WITHIN_S: Final = 10.0
#: How long a login is good for: it must reach the venue before.
_LOGIN_WITHIN_MS: Final = 10_000


class PrivateStream:
    """Deliver what the venue says of our account.

    Parameters
    ----------
    on_rows : takes the rows of each message, in the order in which they came, with the receipt time.
    on_begin : called when messages flow on a new connection: whatever was said in between is lost, so reconcile.
    on_end : called when they do not flow any more.
    """

    def __init__(
        self,
        client: BybitClient,
        connector: Connector,
        *,
        on_rows: Callable[[AccountRows, int], None],
        on_begin: Callable[[], None],
        on_end: Callable[[str], None],
        jitter: Jitter,
        rules: StreamRules | None = None,
    ) -> None:
        self.refused = Tally()  # operations that failed, and messages that could not be read
        self._client = client
        self._on_rows = on_rows
        self._on_begin = on_begin
        self._on_end = on_end
        self._is_subscribed = False
        self._subscribing: asyncio.Task[None] | None = None
        self._answer_clock: asyncio.Task[None] | None = None
        self.stream = StreamClient(
            connector, self._address, self, rules=rules or STREAM_RULES, jitter=jitter, clock=client.clock
        )

    async def run(self) -> None:
        """Keep the stream up until `stop`."""
        try:
            await self.stream.run()
        finally:
            tasks = [task for task in (self._answer_clock, self._subscribing) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """End `run`."""
        self.stream.stop()

    @property
    def is_up(self) -> bool:
        """Whether messages flow."""
        return self.stream.is_connected and self._is_subscribed

    # --- the connection -----------------------------------------------------------------------------------------------
    async def _address(self) -> str:
        outcome = await self._client.server_time()  # the login is signed with the venue's time
        if not isinstance(outcome, Done):
            raise LinkError(f"server time: {outcome.text}")
        return f"{self._client.config.where.private}/private"

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:  # noqa: ARG002 a stream handler's signature
        """Log in."""
        credentials = self._client.credentials
        if credentials is None:
            raise LinkError("account data: this needs credentials")
        self._is_subscribed = False
        self._watch_answer()
        args = auth_args(credentials, self._client.server_clock.server_ms(now_ns) + _LOGIN_WITHIN_MS)
        return (stream_message("auth", args, _AUTH_ID),)

    def on_message(self, message: bytes, local_ts: int) -> None:
        """Take one frame; what cannot be read is counted, and the account reconciled, because it may have mattered."""
        try:
            decoded = decode_private(message)
        except MessageError as e:
            self.refused.note(str(e))
            self._on_begin()
            return
        if isinstance(decoded, Control):
            self._control(decoded)
        elif isinstance(decoded, Rows):
            self._on_rows(decoded, local_ts)
            for why in decoded.unreadable:
                self.refused.note(why)
            if decoded.unreadable:
                self._on_begin()

    def on_close(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 a stream handler's signature
        """The connection is gone."""
        self._cancel_clock()
        self._is_subscribed = False
        self._on_end(reason)

    # --- answers ------------------------------------------------------------------------------------------------------
    def _control(self, control: Control) -> None:
        if control.op in ("ping", "pong"):
            return
        if not control.is_success:
            code = f"{control.code} " if control.code else ""
            reason = f"{control.op or 'an operation'} failed: {code}{control.text}".rstrip(": ")
            self.refused.note(reason)
            if control.op in ("auth", "subscribe", ""):
                # A signed time may be why; the next login asks for the venue's anew.
                self._client.server_clock.distrust()
                self.stream.reconnect(reason)
        elif control.op == "auth":
            self._subscribing = asyncio.ensure_future(self._subscribe())
        elif control.op == "subscribe":
            self._cancel_clock()
            self._is_subscribed = True
            self._on_begin()

    async def _subscribe(self) -> None:
        await self.stream.send(stream_message("subscribe", _TOPICS, _SUBSCRIBE_ID))

    def _watch_answer(self) -> None:
        self._cancel_clock()

        async def watch() -> None:
            await asyncio.sleep(_ANSWER_WITHIN_S)
            reason = "login and subscription were not answered"
            self.refused.note(reason)
            self.stream.reconnect(reason)

        self._answer_clock = asyncio.ensure_future(watch())

    def _cancel_clock(self) -> None:
        if self._answer_clock is not None:
            self._answer_clock.cancel()
            self._answer_clock = None
