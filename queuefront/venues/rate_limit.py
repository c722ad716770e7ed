"""Stay within a venue's request limits, by what it says it has counted.

Windows are fixed and aligned to the venue's clock, as venues count. We count what we send, and the venue's own count, which
also knows what other programs of this address sent, replaces ours where it is higher.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["Counted", "Limit", "RateLimiter"]


class Counted(StrEnum):
    """What a limit counts."""

    WEIGHT = "weight"
    ORDERS = "orders"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `limit` of something in each window of `length_ns`."""

    counted: Counted
    length_ns: int
    limit: int


@dataclass(slots=True)
class _Window:
    limit: Limit
    index: int = -1
    used: int = 0

    def at(self, now_ns: int) -> _Window:
        """Begin the window of this moment, if it is another."""
        if (index := now_ns // self.limit.length_ns) != self.index:
            self.index, self.used = index, 0
        return self

    def wait_ns(self, now_ns: int) -> int:
        return (self.index + 1) * self.limit.length_ns - now_ns


#: Share of a limit that ordinary requests may use; the rest is for cancels and for finding out what happened.
ORDINARY_SHARE: Final = 0.8


class RateLimiter:
    """Say when a request may go.

    Parameters
    ----------
    limits : see `replace`.
    ordinary_share : share of each limit for requests that are not urgent.
    """

    def __init__(self, limits: Iterable[Limit] = (), ordinary_share: float = ORDINARY_SHARE) -> None:
        self._ordinary_share = ordinary_share
        self._windows: dict[tuple[Counted, int], _Window] = {}
        self._closed_until_ns = 0
        self._is_banned = False
        self.replace(limits)

    def replace(self, limits: Iterable[Limit]) -> None:
        """Take the venue's own limits; what was counted so far stays counted."""
        old = self._windows
        self._windows = {}
        for limit in limits:
            window = _Window(limit)
            if (before := old.get((limit.counted, limit.length_ns))) is not None:
                window.index, window.used = before.index, before.used
            self._windows[limit.counted, limit.length_ns] = window

    @property
    def limits(self) -> list[Limit]:
        """The limits that are kept."""
        return [window.limit for window in self._windows.values()]

    def used(self, now_ns: int) -> list[tuple[Limit, int]]:
        """Return each limit with what this window has used of it."""
        return [(window.limit, window.at(now_ns).used) for window in self._windows.values()]

    def reserve(self, now_ns: int, *, weight: int = 0, orders: int = 0, urgent: bool = False) -> int:
        """Count a request, or return how many ns to wait before asking again.

        Nothing passes while the venue wants to be left alone: insisting turns a pause into a ban.
        """
        if now_ns < self._closed_until_ns:
            return self._closed_until_ns - now_ns
        self._is_banned = False
        cost = {Counted.WEIGHT: weight, Counted.ORDERS: orders, Counted.REQUESTS: 1}
        share = 1.0 if urgent else self._ordinary_share
        windows = [window.at(now_ns) for window in self._windows.values() if cost[window.limit.counted]]
        waits = [
            window.wait_ns(now_ns)
            for window in windows
            # A request that alone exceeds the share goes into an empty window, or it would never go.
            if window.used and window.used + cost[window.limit.counted] > int(window.limit.limit * share)
        ]
        if waits:
            return max(waits)
        for window in windows:
            window.used += cost[window.limit.counted]
        return 0

    def observe(self, sent_ns: int, counted: Counted, length_ns: int, used: int) -> None:
        """Take the venue's own count of the window in which a request was sent; of one that is over it says nothing."""
        window = self._windows.get((counted, length_ns))
        if window is not None and sent_ns // length_ns >= window.index:
            window.at(sent_ns).used = max(window.used, used)

    def pause(self, now_ns: int, for_ns: int, *, is_ban: bool = False) -> None:
        """Let nothing pass for a while, as the venue asked; a shorter pause does not end a longer one."""
        self._closed_until_ns = max(self._closed_until_ns, now_ns + for_ns)
        self._is_banned = self._is_banned or is_ban

    def paused_ns(self, now_ns: int) -> int:
        """How long nothing will pass."""
        return max(self._closed_until_ns - now_ns, 0)

    @property
    def is_banned(self) -> bool:
        """Whether the pause is a ban of this address."""
        return self._is_banned
