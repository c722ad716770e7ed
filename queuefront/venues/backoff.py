"""How long to wait after so many failures in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from queuefront.core.clock import NS_PER

__all__ = ["Backoff", "Jitter", "delay_ns"]

#: A number in [0, 1), each time another: spreads the clients that a venue lost at the same moment.
Jitter = Callable[[], float]

#: (failures from which it holds, delay), largest first: the first row that fits is the one.
_STEPS: Final = ((20, 60 * NS_PER["s"]), (10, 20 * NS_PER["s"]), (3, 5 * NS_PER["s"]), (1, NS_PER["s"] // 2))
_JITTER_SHARE: Final = 0.5


def delay_ns(failures: int) -> int:
    """Return the delay after so many failures in a row, without jitter."""
    return next((delay for least, delay in _STEPS if failures >= least), 0)


class Backoff:
    """Count failures and say how long to wait; a success that lasted ends the count.

    Parameters
    ----------
    jitter : adds up to half of the delay.
    stable_ns : how long a connection must have stood for the count to end with it.
    """

    def __init__(self, jitter: Jitter, stable_ns: int = 60 * NS_PER["s"]) -> None:
        self._jitter = jitter
        self._stable_ns = stable_ns
        self.failures = 0

    def lost(self, stood_ns: int = 0) -> int:
        """Count the loss of what stood for `stood_ns`; return the ns to wait before trying again."""
        self.failures = 1 if stood_ns >= self._stable_ns else self.failures + 1
        delay = delay_ns(self.failures)
        return delay + int(delay * _JITTER_SHARE * self._jitter())
