"""Seeded choices for simulations: the same seed gives the same choices on every machine and every version, for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")

_MASK = 2**64 - 1


class Dice:
    """A stream of choices from a seed (splitmix64, Steele, Lea and Flood 2014)."""

    __slots__ = ("_state",)

    def __init__(self, *seeds: int) -> None:
        self._state = 0
        for seed in seeds:
            self._state = (self._state ^ (seed & _MASK)) & _MASK
            self._state = self.bits()

    def bits(self) -> int:
        """Return 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        return self.bits() % n

    def between(self, low: int, high: int) -> int:
        """Return a number from low to high, both included."""
        return low + self.bits() % (high - low + 1)

    def one_in(self, n: int) -> bool:
        """Return True once in n times."""
        return self.bits() % n == 0

    def choice(self, values: Sequence[T]) -> T:
        """Return one of some values."""
        return values[self.bits() % len(values)]
