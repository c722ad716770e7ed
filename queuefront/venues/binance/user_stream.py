"""The private stream: a listen key on futures, a signed subscription of the WebSocket API on spot.

Nothing is replayed by the venue: each new connection begins with a reconciliation, which the owner does. A key that cannot
be kept alive, a subscription that fails or ends, silence: each ends in a new connection and so in a reconciliation (H8.27).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter
from queuefront.venues.binance.client import BinanceClient
from queuefront.venues.binance.encode import control_message
from queuefront.venues.binance.sign import signed_params
from queuefront.venues.binance.stream_schemas import Control, StreamEnded, UserMessage, decode_user_message
from queuefront.venues.errors import MessageError, VenueError
from queuefront.venues.liveness import StreamRules
from queuefront.venues.outcome import Done, Reason, Refused
from queuefront.venues.stream_client import StreamClient
from queuefront.venues.tally import Tally
from queuefront.venues.websocket import Connector, LinkError

__all__ = ["KEEP_ALIVE_NS", "UserStream"]

#: A listen key lives for an hour; it is extended twice as often.
KEEP_ALIVE_NS: Final = 1800 * NS_PER["s"]
_KEEP_ALIVE_RETRY_NS: Final = 60 * NS_PER["s"]
_FAILURES_MAX: Final = 2
_ACK_WITHIN_S: Final = 10.0
_SUBSCRIBE_ID: Final = "user-data"


class UserStream:
    """Deliver what the venue says of our account.

    Parameters
    ----------
    on_message : takes each decoded message with its receipt time.
    on_begin : called when messages flow on a new connection: whatever was said in between is lost, so reconcile.
    on_end : called when they do not flow any more.
    """

    def __init__(
        self,
        client: BinanceClient,
        connector: Connector,
        *,
        on_message: Callable[[UserMessage, int], None],
        on_begin: Callable[[], None],
        on_end: Callable[[str], None],
        jitter: Jitter,
        rules: StreamRules | None = None,
    ) -> None:
        self.refused = Tally()
        self.keep_alive_failures = 0
        self._client = client
        self._market = client.market
        self._on_message = on_message
        self._on_begin = on_begin
        self._on_end = on_end
        self._is_acknowledged = False
        self._is_hand_over = False
        self._key = ""
        self._clock_task: asyncio.Task[None] | None = None
        self.stream = StreamClient(
            connector, self._address, self, rules=rules or StreamRules(), jitter=jitter, clock=client.clock
        )

    async def run(self) -> None:
        """Keep the stream up, and the key alive, until `stop`."""
        keeper = asyncio.ensure_future(self._keep_alive())
        try:
            await self.stream.run()
        finally:
            keeper.cancel()
            self._cancel_clock()
            await asyncio.gather(keeper, return_exceptions=True)

    def stop(self) -> None:
        """End `run`."""
        self.stream.stop()

    @property
    def is_up(self) -> bool:
        """Whether messages flow."""
        return self.stream.is_connected and self._is_acknowledged

    # --- the connection -----------------------------------------------------------------------------------------------
    async def _address(self) -> str:
        where = self._client.config.where
        if self._market.is_spot:
            outcome_time = await self._client.server_time()  # the subscription is signed with the venue's time
            if not isinstance(outcome_time, Done):
                raise LinkError(f"server time: {outcome_time.text}")
            return where.websocket_api
        try:
            outcome = await self._client.listen_key()
        except VenueError as e:
            raise LinkError(str(e)) from e
        if not isinstance(outcome, Done):
            raise LinkError(f"listen key: {outcome.text}")
        self._key = outcome.value
        self.keep_alive_failures = 0
        route = "/private" if self._client.config.routed else ""
        return f"{where.streams}{route}/ws/{quote(outcome.value, safe='')}"

    def on_open(self, now_ns: int, *, is_hand_over: bool) -> Sequence[bytes]:
        """Subscribe (spot); on futures the address did."""
        if not self._market.is_spot:
            self._begin(is_hand_over=is_hand_over)
            return ()
        credentials = self._client.credentials
        if credentials is None:
            raise LinkError("user data: this needs credentials")
        self._is_acknowledged, self._is_hand_over = False, is_hand_over
        self._watch_acknowledgement()
        params = signed_params(credentials, {}, self._client.server_clock.server_ms(now_ns))
        return (control_message("userDataStream.subscribe.signature", params, _SUBSCRIBE_ID),)

    def on_message(self, message: bytes, local_ts: int) -> None:
        """Take one frame; one that cannot be read is counted, and the account reconciled, because it may have mattered."""
        try:
            decoded = decode_user_message(message)
        except MessageError as e:
            self.refused.note(str(e))
            self._on_begin()
            return
        if isinstance(decoded, StreamEnded):
            self.stream.reconnect(f"the venue ended the stream: {decoded.name}")
        elif isinstance(decoded, Control):
            self._control(decoded)
        else:
            self._on_message(decoded, local_ts)

    def on_close(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 a stream handler's signature
        """The connection is gone."""
        self._cancel_clock()
        self._is_acknowledged = False
        self._on_end(reason)

    def _control(self, control: Control) -> None:
        if control.id != _SUBSCRIBE_ID:
            return
        if control.error_code:
            if control.error_code == -1021:
                self._client.server_clock.distrust()
            self.stream.reconnect(f"the subscription was refused: {control.error_code} {control.error_text}")
            return
        self._cancel_clock()
        # Until now the connection before was heard, so that a hand-over misses nothing.
        self._begin(is_hand_over=self._is_hand_over)

    def _begin(self, *, is_hand_over: bool) -> None:
        self._is_acknowledged = True
        if not is_hand_over:
            self._on_begin()

    def _watch_acknowledgement(self) -> None:
        self._cancel_clock()

        async def watch() -> None:
            await asyncio.sleep(_ACK_WITHIN_S)
            self.stream.reconnect("the subscription was not acknowledged")

        self._clock_task = asyncio.ensure_future(watch())

    def _cancel_clock(self) -> None:
        if self._clock_task is not None:
            self._clock_task.cancel()
            self._clock_task = None

    # --- the key ------------------------------------------------------------------------------------------------------
    async def _keep_alive(self) -> None:
        if self._market.is_spot:
            return
        wait_ns = KEEP_ALIVE_NS
        while True:
            await asyncio.sleep(wait_ns / NS_PER["s"])
            wait_ns = KEEP_ALIVE_NS
            if not self._key:
                continue
            outcome = await self._client.listen_key("PUT")
            if isinstance(outcome, Done):
                self.keep_alive_failures = 0
                continue
            self.keep_alive_failures += 1
            is_gone = isinstance(outcome, Refused) and outcome.reason is Reason.LISTEN_KEY
            if is_gone or self.keep_alive_failures >= _FAILURES_MAX:
                self._key = ""
                self.stream.reconnect(f"the listen key could not be kept alive: {outcome.text}")
            else:
                wait_ns = _KEEP_ALIVE_RETRY_NS
