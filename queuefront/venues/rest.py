"""A REST client that says of each request whether it was done, refused, or neither is known.

The venue brings its rules: how a request is signed, what an answer means. This module waits for the rate limit, keeps the
deadline, repeats what is safe to repeat, and never guesses: once a request was handed over, anything but a complete answer
leaves it unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from queuefront.core import ConfigError
from queuefront.core.clock import NS_PER, now_ns
from queuefront.venues.backoff import Jitter, delay_ns
from queuefront.venues.credentials import redacted
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.parameters import Parameters
from queuefront.venues.rate_limit import RateLimiter

__all__ = ["AiohttpTransport", "Call", "NotSentError", "Reply", "RestClient", "SilenceError", "Transport", "Wire"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as its caller means it."""

    method: str
    path: str
    parameters: Parameters = field(default_factory=dict)
    is_keyed: bool = False  # carries the key
    is_signed: bool = False  # and a time and a signature
    is_repeatable: bool = False  # asking twice does no harm
    is_urgent: bool = False  # may use the share of the limits that is kept for cancels and questions
    weight: int = 1
    orders: int = 0  # of the order counters


@dataclass(frozen=True, slots=True)
class Wire:
    """One request as bytes, ready to send; its repr shows neither signature nor key."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Wire({self.method} {redacted(self.url)})"


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSentError(Exception):
    """The connection could not be made, so that the venue never saw the request."""


class SilenceError(Exception):
    """The request was handed over, and no complete answer came."""


class Transport(Protocol):
    """Moves bytes."""

    async def send(self, wire: Wire, timeout_s: float) -> Reply:
        """Send a request and return the complete answer.

        Raises
        ------
        NotSentError, SilenceError
        """

    async def close(self) -> None:
        """Let connections go."""


class AiohttpTransport:
    """HTTP by aiohttp. Redirects are answers, not instructions: a signed request goes where it was addressed."""

    def __init__(self) -> None:
        try:
            import aiohttp
        except ImportError as e:
            raise ConfigError("venues need aiohttp; install it with: pip install 'queuefront[live]'") from e
        self._aiohttp = aiohttp
        self._session: aiohttp.ClientSession | None = None

    async def send(self, wire: Wire, timeout_s: float) -> Reply:
        """Send a request; see `Transport`."""
        from yarl import URL

        aiohttp = self._aiohttp
        if self._session is None:
            # No cookies, and no proxy or netrc of the environment: a key must not take a way that nobody chose.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
            # It would send PUT and DELETE again by itself where a kept connection breaks; a test watches over this.
            self._session._retry_connection = False  # noqa: SLF001
        try:
            async with self._session.request(
                wire.method,
                URL(wire.url, encoded=True),  # what was signed is what is sent
                data=wire.body or None,
                headers=dict(wire.headers),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 2),
            ) as response:
                body = await response.read()
                return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, body)
        except aiohttp.ClientConnectorError as e:
            raise NotSentError(redacted(str(e))) from None
        except aiohttp.ConnectionTimeoutError:
            raise NotSentError(f"no connection within {timeout_s / 2:g} s") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise SilenceError(redacted(f"{type(e).__name__} {e}".strip())) from None

    async def close(self) -> None:
        """Close the session; a second time does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


#: Signs for now, to the millisecond of the venue's clock.
Prepare = Callable[[Call], Wire]
#: What a complete answer means.
Classify = Callable[[Reply], Outcome[bytes]]
#: Takes the venue's own counts from an answer to what was sent at a time of the venue's clock.
Observe = Callable[[Reply, int], None]

_ATTEMPTS_MAX: Final = 4


class RestClient:
    """Send calls and say what became of them.

    Parameters
    ----------
    prepare : makes the bytes of a call, anew for each attempt, because a time stands in them.
    classify : says what an answer means.
    observe : tells the limiter what the venue counted.
    resynchronise : sets the clock anew after the venue refused a time; a call that it refused for that is sent once more.
    deadline_s : how long a call may take in all, waiting included.
    limit_clock : the venue's clock, by which its windows begin; ours where none is given.
    """

    def __init__(
        self,
        transport: Transport,
        limiter: RateLimiter,
        *,
        prepare: Prepare,
        classify: Classify,
        observe: Observe,
        resynchronise: Callable[[], Awaitable[None]],
        jitter: Jitter,
        deadline_s: float = 10.0,
        clock: Callable[[], int] = now_ns,
        limit_clock: Callable[[], int] | None = None,
    ) -> None:
        self._limit_clock = limit_clock or clock
        self._transport = transport
        self._limiter = limiter
        self._prepare = prepare
        self._classify = classify
        self._observe = observe
        self._resynchronise = resynchronise
        self._jitter = jitter
        self._deadline_s = deadline_s
        self._clock = clock

    async def send(self, call: Call, deadline_s: float | None = None) -> Outcome[bytes]:
        """Carry out a call within its deadline."""
        ends_ns = self._clock() + int((deadline_s or self._deadline_s) * NS_PER["s"])
        attempt = 0
        was_resynchronised = False
        while True:
            refusal = await self._admit(call, ends_ns)
            if refusal is not None:
                return refusal
            outcome = await self._attempt(call, ends_ns)
            attempt += 1
            if isinstance(outcome, Refused) and outcome.reason is Reason.TIMESTAMP and not was_resynchronised:
                # The venue proved that it did nothing, so that even an order may be sent again under the same id.
                was_resynchronised = True
                await self._resynchronise()
                continue
            if isinstance(outcome, Done) or not self._may_repeat(call, outcome) or attempt >= _ATTEMPTS_MAX:
                return outcome
            wait_ns = delay_ns(attempt)
            wait_ns += int(wait_ns * self._jitter())
            if self._clock() + wait_ns >= ends_ns:
                return outcome
            await asyncio.sleep(wait_ns / NS_PER["s"])

    @staticmethod
    def _may_repeat(call: Call, outcome: Outcome[bytes]) -> bool:
        if isinstance(outcome, Unknown):
            return call.is_repeatable
        return call.is_repeatable and isinstance(outcome, Refused) and outcome.reason in (Reason.BUSY, Reason.NOT_SENT)

    async def _admit(self, call: Call, ends_ns: int) -> Refused | None:
        while True:
            now = self._clock()
            wait_ns = self._limiter.reserve(
                self._limit_clock(), weight=call.weight, orders=call.orders, urgent=call.is_urgent
            )
            if not wait_ns:
                return None
            if now + wait_ns >= ends_ns:
                reason = Reason.IP_BANNED if self._limiter.is_banned else Reason.RATE_LIMITED
                text = "not sent: the limit leaves no room before the deadline"
                return Refused(reason, text=text, retry_after_ns=wait_ns)
            await asyncio.sleep(wait_ns / NS_PER["s"])

    async def _attempt(self, call: Call, ends_ns: int) -> Outcome[bytes]:
        wire = self._prepare(call)
        sent_ns = self._limit_clock()
        timeout_s = max((ends_ns - self._clock()) / NS_PER["s"], 0.001)
        try:
            reply = await asyncio.wait_for(self._transport.send(wire, timeout_s), timeout_s)
        except NotSentError as e:
            return Refused(Reason.NOT_SENT, text=f"{call.method} {call.path}: no connection: {e}")
        except (SilenceError, TimeoutError) as e:
            return Unknown(f"{call.method} {call.path}: no complete answer: {str(e) or 'deadline reached'}")
        self._observe(reply, sent_ns)
        outcome = self._classify(reply)
        if isinstance(outcome, Refused) and outcome.reason in _PAUSES:
            self._limiter.pause(
                self._limit_clock(),
                outcome.retry_after_ns or 10 * NS_PER["s"],
                is_ban=outcome.reason is Reason.IP_BANNED,
            )
        return outcome


#: After these the venue is left alone for as long as it asks. Too many orders concern orders only: their counter says so.
_PAUSES: Final = (Reason.RATE_LIMITED, Reason.IP_BANNED)
