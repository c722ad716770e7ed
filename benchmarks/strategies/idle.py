"""Wake every 100 ms and do nothing: the cost of the replay itself."""

from hftbacktest import BUY  # noqa: F401 - the line that is changed for the other engine
from numba import njit


@njit(cache=True)
def strategy(hbt):
    """Wake until the data ends; returns how often."""
    wakes = 0
    while hbt.elapse(100_000_000) == 0:
        wakes += 1
    return wakes
