"""Count texts that come from outside, without keeping more of them than a person would read."""

from __future__ import annotations

from collections import Counter
from typing import Final

__all__ = ["Tally"]

_TEXTS_MAX: Final = 200
_LENGTH_MAX: Final = 80
_OTHERS: Final = "others"


class Tally(Counter[str]):
    """A counter whose texts are cut to 80 characters, and which counts what exceeds 200 of them together."""

    def note(self, text: str) -> None:
        """Count one."""
        key = text[:_LENGTH_MAX]
        self[key if key in self or len(self) < _TEXTS_MAX else _OTHERS] += 1
