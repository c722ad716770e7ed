"""Whether a connection lives, judged by any traffic, and when it is old: what to do, and when to look again.

No input or output, and no clock of its own: the shell tells the time and obeys.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from queuefront.core import ConfigError
from queuefront.core.clock import NS_PER
from queuefront.venues.backoff import Jitter

__all__ = ["Act", "Liveness", "StreamRules"]

_S = NS_PER["s"]


class Act(Enum):
    """What is due."""

    NOTHING = "nothing"
    PING = "ask whether the other side is there"
    DEAD = "nothing came in answer: connect again"
    HAND_OVER = "the venue will close it soon: connect a second one and change over"


@dataclass(frozen=True, slots=True)
class StreamRules:
    """How a venue's connections behave, and what we do about it.

    Silence of `ping_after_ns` is asked about; no traffic at all for `pong_within_ns` after the question means dead. A
    connection is handed over between `hand_over_ns` and `hand_over_ns + hand_over_spread_ns`, before the venue's limit.
    `messages_per_s` is what may be sent. Where the venue wants a message of its own instead of a ping frame, that is
    `ping_message`; where it wants one from time to time whatever else comes, `ping_every_ns` is how often.
    """

    ping_after_ns: int = 20 * _S
    pong_within_ns: int = 10 * _S
    hand_over_ns: int = 23 * 3600 * _S
    hand_over_spread_ns: int = 1800 * _S
    hand_over_retry_ns: int = 60 * _S
    hand_over_wait_ns: int = 10 * _S
    age_limit_ns: int = 24 * 3600 * _S
    connect_timeout_s: float = 10.0
    messages_per_s: int = 4
    ping_message: bytes = b""
    ping_every_ns: int | None = None

    def __post_init__(self) -> None:
        if self.hand_over_ns + self.hand_over_spread_ns >= self.age_limit_ns:
            raise ConfigError("a connection must be handed over before its age limit; lower hand_over_ns")


class Liveness:
    """The life of one connection.

    Parameters
    ----------
    now_ns : when it was opened.
    jitter : spreads hand-overs.
    """

    def __init__(self, rules: StreamRules, now_ns: int, jitter: Jitter) -> None:
        self._rules = rules
        self.opened_ns = now_ns
        self.seen_ns = now_ns
        self._asked_ns: int | None = None
        self._pinged_ns = now_ns
        self._hand_over_ns = now_ns + rules.hand_over_ns + int(rules.hand_over_spread_ns * jitter())

    def saw(self, now_ns: int) -> None:
        """Any frame came: data, ping, pong."""
        self.seen_ns = now_ns
        self._asked_ns = None

    def next_ns(self) -> int:
        """When to look again."""
        alive_ns = (
            self.seen_ns + self._rules.ping_after_ns
            if self._asked_ns is None
            else self._asked_ns + self._rules.pong_within_ns
        )
        if self._rules.ping_every_ns is not None:
            alive_ns = min(alive_ns, self._pinged_ns + self._rules.ping_every_ns)
        return min(alive_ns, self._hand_over_ns)

    def act(self, now_ns: int) -> Act:
        """Say what is due, once."""
        if self._asked_ns is not None:
            # Judged by the question and not by the silence: after this process slept, the other side has its time too.
            if now_ns - self._asked_ns >= self._rules.pong_within_ns:
                return Act.DEAD
        elif now_ns - self.seen_ns >= self._rules.ping_after_ns:
            self._asked_ns = self._pinged_ns = now_ns
            return Act.PING
        elif self._rules.ping_every_ns is not None and now_ns - self._pinged_ns >= self._rules.ping_every_ns:
            self._pinged_ns = now_ns
            return Act.PING
        if now_ns >= self._hand_over_ns:
            self._hand_over_ns = now_ns + self._rules.hand_over_retry_ns
            return Act.HAND_OVER
        return Act.NOTHING
