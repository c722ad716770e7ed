"""The paper exchange's time: the wall clock, or one that moves only when it is told to; and what of the tape it is.

Every time that the exchange prints is the venue's time. It runs like a clock of the outside world, so that the time
stamps that clients sign with fit; the tape is laid onto it, `speed` times faster than it was recorded.
"""

from __future__ import annotations

import asyncio
import heapq
from fractions import Fraction
from typing import Final, Protocol

from queuefront.core.clock import NS_PER, now_ns
from queuefront.core.errors import ConfigError

__all__ = ["LoopClock", "PaperClock", "StepClock", "TapeTime", "WallClock"]

_SPEED_MAX: Final = 10_000


class PaperClock(Protocol):
    """What the exchange asks of its clock."""

    def now_ns(self) -> int:
        """Return the present time, ns UTC."""
        ...

    async def sleep_until(self, ts: int) -> None:
        """Return at a time, or at once where it is past."""
        ...


class WallClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Return the present time, ns UTC."""
        return now_ns()

    async def sleep_until(self, ts: int) -> None:
        """Return at a time, or at once where it is past."""
        await asyncio.sleep(max(0, ts - now_ns()) / NS_PER["s"])


class LoopClock:
    """The time of the running event loop, begun at a given time; virtual where the loop's time is."""

    def __init__(self, start_ns: int) -> None:
        self._offset_ns = start_ns - round(asyncio.get_running_loop().time() * NS_PER["s"])

    def now_ns(self) -> int:
        """Return the present time, ns UTC."""
        return self._offset_ns + round(asyncio.get_running_loop().time() * NS_PER["s"])

    async def sleep_until(self, ts: int) -> None:
        """Return at a time, or at once where it is past."""
        await asyncio.sleep(max(0, ts - self.now_ns()) / NS_PER["s"])


class StepClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sleeper_count = 0

    def now_ns(self) -> int:
        """Return the present time, ns UTC."""
        return self._now_ns

    def set_ns(self, ts: int) -> None:
        """Move to a time and wake who waits for it.

        Raises
        ------
        ConfigError
            If the time lies before the present one.
        """
        if ts < self._now_ns:
            raise ConfigError(f"the clock stands {self._now_ns - ts:,} ns after {ts:,}; time cannot go back")
        self._now_ns = ts
        while self._sleepers and self._sleepers[0][0] <= ts:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def sleep_until(self, ts: int) -> None:
        """Return when the clock was moved to a time, or at once where it is past."""
        if ts <= self._now_ns:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeper_count += 1
        heapq.heappush(self._sleepers, (ts, self._sleeper_count, future))
        await future


class TapeTime:
    """Which moment of the tape a moment of the venue is.

    Parameters
    ----------
    start_ns : the venue's time at which the tape begins.
    tape_start_ts : the tape's first time.
    speed : how many seconds of the tape pass in one second of the venue.
    """

    def __init__(self, start_ns: int, tape_start_ts: int, speed: Fraction = Fraction(1)) -> None:
        if not 0 < speed <= _SPEED_MAX:
            raise ConfigError(f"the speed is {float(speed):g}; give a number above 0 and at most {_SPEED_MAX:,}")
        self._start_ns, self._tape_start_ts, self._speed = start_ns, tape_start_ts, speed

    def begin(self, start_ns: int) -> None:
        """Let the tape begin at another time of the venue."""
        self._start_ns = start_ns

    def tape_ts(self, venue_ns: int) -> int:
        """Return the tape's time at a time of the venue."""
        return self._tape_start_ts + (venue_ns - self._start_ns) * self._speed.numerator // self._speed.denominator

    def venue_ns(self, tape_ts: int) -> int:
        """Return the first time of the venue at which the tape has reached a time of its own."""
        elapsed = (tape_ts - self._tape_start_ts) * self._speed.denominator
        return self._start_ns - (-elapsed // self._speed.numerator)
