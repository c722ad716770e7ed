"""The venue's clock, as far as its time endpoint tells."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from queuefront.core.clock import NS_PER

__all__ = ["ServerClock"]

_SAMPLES: Final = 8


class _Sample(NamedTuple):
    round_trip_ns: int
    offset_ns: int


class ServerClock:
    """Estimate what the venue's clock shows.

    The venue read its clock between our request and its answer; half of the round trip is the best guess, and its error is
    at most the other half. The sample of the shortest round trip among the last eight is used.

    Parameters
    ----------
    valid_ns : how long an estimate is good for.
    """

    def __init__(self, valid_ns: int = 900 * NS_PER["s"]) -> None:
        self._valid_ns = valid_ns
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._observed_ns: int | None = None

    def observe(self, sent_ns: int, received_ns: int, server_ns: int) -> None:
        """Take one answer of the time endpoint: when we asked, when it came, what it said."""
        round_trip_ns = max(received_ns - sent_ns, 0)
        self._samples.append(_Sample(round_trip_ns, server_ns - sent_ns - round_trip_ns // 2))
        self._observed_ns = received_ns

    def distrust(self) -> None:
        """Forget everything: the venue refused a time of ours."""
        self._samples.clear()
        self._observed_ns = None

    def needs_observation(self, now_ns: int) -> bool:
        """Whether the venue should be asked before the next signed request."""
        return self._observed_ns is None or not 0 <= now_ns - self._observed_ns < self._valid_ns

    @property
    def offset_ns(self) -> int:
        """The venue's clock minus ours; 0 while nothing is known."""
        return min(self._samples).offset_ns if self._samples else 0

    @property
    def uncertainty_ns(self) -> int | None:
        """How wrong the offset may be; None while nothing is known."""
        return (min(self._samples).round_trip_ns + 1) // 2 if self._samples else None

    def server_ms(self, now_ns: int) -> int:
        """Return what the venue's clock shows, milliseconds."""
        return (now_ns + self.offset_ns) // NS_PER["ms"]
